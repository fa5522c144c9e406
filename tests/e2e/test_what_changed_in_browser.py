"""What changed, in a real browser: on the first screen, accessible, on paper, and harmless whatever the old report says."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest

from reportgen.comparison import with_changes
from reportgen.figures.lines import draw_line_charts
from reportgen.renderers import html
from reportgen.report.types import Report
from reportgen.report.values import Column
from tests.e2e.payloads import PAYLOADS
from tests.renderers.extremes import poison
from tests.sample_report import make_report

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
LOOKS = {"light": {"color_scheme": "light"}, "dark": {"color_scheme": "dark"}, "narrow": {"width": 380, "height": 780}}


def earlier() -> Report:
    """Return an earlier run of the sample: 40 answers were wrong that are right now, and the other way round."""
    report = make_report("Digits CNN, last week")
    table = report.samples[0]
    predicted = table.prediction.to_numpy().copy()
    predicted[:40] = (predicted[:40] + 1) % 10
    metrics = tuple(
        dataclasses.replace(m, value=0.85, low=0.81, high=0.88) if m.name == "accuracy" else m for m in report.metrics
    )
    samples = (dataclasses.replace(table, prediction=Column.pack(np.asarray(predicted), "<i4")),)
    return dataclasses.replace(report, samples=samples, metrics=metrics)


def compared(base: Report) -> Report:
    return with_changes(make_report(), base, draw_line_charts)


@pytest.fixture(scope="module")
def page() -> str:
    return html.render(compared(earlier()))


def test_the_first_screen_says_what_it_is_how_good_what_is_wrong_and_what_changed(open_page: Open, page: str) -> None:
    with open_page(page, width=1280, height=800) as seen:
        found = re.compile(r"^\d findings$")
        for words in ("Digits CNN", "Far better than the baseline", "Accuracy", found, "Better than before"):
            place = seen.page.get_by_text(words).locator("visible=true").first.bounding_box()
            assert place["y"] + place["height"] < 800, words
        seen.page.get_by_role("link", name="See what changed").click()
        assert seen.page.evaluate("location.hash").startswith("#changes")
        seen.quiet()


def test_the_curves_of_both_runs_have_a_cursor(open_page: Open, page: str) -> None:
    with open_page(page) as seen:
        figure = seen.page.locator("#changes-curves")
        figure.scroll_into_view_if_needed()
        slider = figure.get_by_role("slider").first
        slider.focus()
        seen.page.keyboard.press("End")
        text = slider.get_attribute("aria-valuetext")
        assert text.startswith("epoch 20: ") and "before 0." in text and "now 0." in text
        seen.quiet()


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_in_what_changed(open_page: Open, page: str, look: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with open_page(page, bypass_csp=True, **LOOKS[look]) as seen:
        seen.page.locator("#changes").scroll_into_view_if_needed()
        seen.page.evaluate("document.querySelectorAll('#changes details').forEach(d => d.open = true)")
        seen.page.locator("#changes-curves").scroll_into_view_if_needed()
        seen.page.wait_for_timeout(200)
        found = axe.run(seen.page).response["violations"]
        assert not found, [(v["id"], v["nodes"][0]["html"][:160]) for v in found]
        if look == "narrow":
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= 380


def test_on_paper_the_summary_alone_says_what_changed(open_page: Open, page: str, tmp_path: Path) -> None:
    with open_page(page, hash="#rg-print-summary", java_script_enabled=False) as seen:
        seen.page.pdf(path=str(tmp_path / "summary.pdf"), format="A4")
    text = " ".join(" ".join(sheet.extract_text() for sheet in pypdf.PdfReader(tmp_path / "summary.pdf").pages).split())
    assert "Better than before: accuracy 85.0% → 96.1%" in text and "Metrics, before and now" not in text


@pytest.mark.parametrize("payload", PAYLOADS[::5], ids=range(len(PAYLOADS[::5])))
def test_109_a_hostile_earlier_report_does_nothing(open_page: Open, payload: str) -> None:
    base = earlier()
    hostile = dataclasses.replace(poison(base, payload), samples=base.samples, metrics=base.metrics)
    report = compared(hostile)
    report = dataclasses.replace(report, changes=poison(report.changes, payload))
    with open_page(html.render(report)) as seen:
        for block in seen.page.locator("#changes .block").all():
            block.scroll_into_view_if_needed()
        assert seen.page.evaluate("typeof window.pwned") == "undefined"
        assert seen.page.evaluate("document.querySelectorAll('iframe, object, embed, base, form, link').length") == 0
        seen.quiet()
