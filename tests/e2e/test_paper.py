"""The page as a PDF: its text holds every section to the last sentence, folded parts too; the summary on request."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdf
import pytest

from reportgen.renderers import html
from reportgen.report import blocks as b
from reportgen.report.types import Report
from tests.sample_report import make_report

pytestmark = pytest.mark.browser
MOST_PAGES = 9  # of the sample report, which takes 8
LAST = "The last words of section {}."


def with_last_words() -> Report:
    """Return the sample report with a last sentence in each section, inside a closed part."""
    report = make_report()
    sections = tuple(
        dataclasses.replace(
            section,
            blocks=(*section.blocks, b.Fold(f"last-{i}", "Closed part", (b.Text(LAST.format(i)),))),
        )
        for i, section in enumerate(report.sections)
    )
    return dataclasses.replace(report, sections=sections)


def text_of(page: Any, path: Path) -> str:
    """Print a page and return the PDF's text on one line."""
    page.pdf(path=str(path), format="A4", prefer_css_page_size=True)
    return " ".join(" ".join(sheet.extract_text() for sheet in pypdf.PdfReader(path).pages).split())


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_the_pdf_holds_the_last_sentence_of_every_section(
    open_page: Callable[..., Any], tmp_path: Path, script: bool
) -> None:
    report = with_last_words()
    with open_page(html.render(report), java_script_enabled=script) as seen:
        text = text_of(seen.page, tmp_path / "report.pdf")
    for i, section in enumerate(report.sections):
        assert LAST.format(i) in text, section.title
        assert section.title in text or section.id == "summary"  # whose heading is for screen readers
    assert "The same layers as above, none folded." in text
    pages = len(pypdf.PdfReader(tmp_path / "report.pdf").pages)
    assert pages <= MOST_PAGES, f"{pages} pages: a rule for paper is lost"


def test_the_summary_alone_is_printed_through_its_link(open_page: Callable[..., Any], tmp_path: Path) -> None:
    report = with_last_words()
    with open_page(html.render(report), hash="#rg-print-summary", java_script_enabled=False) as seen:
        text = text_of(seen.page, tmp_path / "summary.pdf")
    assert report.verdict.sentence in text
    assert "Validation gets worse while training improves" in text
    assert LAST.format(0) in text, "the summary's own blocks"
    assert all(LAST.format(i) not in text for i in range(1, len(report.sections)))
