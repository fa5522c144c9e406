"""What changed, in a real browser: on the first screen, accessible, on paper, and harmless whatever the old report says."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdf
import pytest

from reportgen.comparison import with_changes
from reportgen.figures.lines import draw_line_charts
from reportgen.renderers import html
from tests.e2e.payloads import PAYLOADS
from tests.renderers.extremes import compared_report, earlier_report, poison
from tests.sample_report import make_report

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
LOOKS = {"light": {"color_scheme": "light"}, "dark": {"color_scheme": "dark"}, "narrow": {"width": 380, "height": 780}}


@pytest.fixture(scope="module")
def page() -> str:
    return html.render(compared_report())


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


@pytest.mark.parametrize("payload", PAYLOADS[::20], ids=range(len(PAYLOADS[::20])))
def test_109_a_hostile_earlier_report_does_nothing(open_page: Open, payload: str) -> None:
    base = earlier_report()
    hostile = dataclasses.replace(poison(base, payload), samples=base.samples, metrics=base.metrics)
    report = with_changes(make_report(), hostile, draw_line_charts)
    with open_page(html.render(report)) as seen:
        for block in seen.page.locator("#changes .block").all():
            block.scroll_into_view_if_needed()
        assert seen.page.evaluate("typeof window.pwned") == "undefined"
        assert seen.page.evaluate("document.querySelectorAll('iframe, object, embed, base, form, link').length") == 0
        seen.quiet()
