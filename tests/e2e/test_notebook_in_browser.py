"""A report inside a notebook's page: neither's styles reach the other, links and state work, nothing is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sample_report import make_report

pytestmark = pytest.mark.browser

NOTEBOOK = """<!DOCTYPE html><html><head><title>notebook</title>
<style>* { color: rgb(255, 0, 0) !important; font-size: 40px !important; display: block !important; }</style>
<script>window.secret = "of the notebook";</script></head><body><h1 id="top">A notebook</h1>%s</body></html>"""


def test_the_report_is_isolated_and_works_in_a_notebook(open_page: Callable[..., Any]) -> None:
    with open_page(NOTEBOOK % make_report()._repr_html_()) as seen:
        page = seen.page
        frame = next(frame for frame in page.frames if frame != page.main_frame)
        frame.get_by_label("Colours").wait_for()
        assert frame.evaluate("getComputedStyle(document.querySelector('h1')).color") != "rgb(255, 0, 0)"
        assert frame.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") == "32px"
        reached = "() => { try { return parent.secret } catch (error) { return error.name } }"
        assert frame.evaluate(reached) == "SecurityError"
        before = page.url
        frame.get_by_label("Colours").select_option("dark")
        frame.locator('nav a[href="#predictions"]').click()
        page.wait_for_timeout(300)
        assert frame.evaluate("Math.abs(document.getElementById('predictions').getBoundingClientRect().top)") < 200
        assert frame.evaluate("document.documentElement.dataset.theme") == "dark"
        assert page.url == before
        seen.quiet()


def test_figures_and_tables_can_be_saved_out_of_the_notebooks_frame(open_page: Callable[..., Any]) -> None:
    starts = {"SVG": b"<svg", "PNG": b"\x89PNG", "CSV": b"epoch,", "Save CSV": b"Class,Precision"}
    with open_page(NOTEBOOK % make_report()._repr_html_()) as seen:
        frame = next(frame for frame in seen.page.frames if frame != seen.page.main_frame)
        for name, start in starts.items():
            block = frame.locator("#classes-digit" if name == "Save CSV" else "#curve-loss")
            block.scroll_into_view_if_needed()
            block.locator(".tools button").first.wait_for()
            block.evaluate("node => node.querySelectorAll('.tools details').forEach(d => { d.open = true })")
            with seen.page.expect_download() as download:
                block.get_by_role("button", name=name, exact=True).click()
            assert download.value.path().read_bytes().startswith(start), name
        seen.quiet()
