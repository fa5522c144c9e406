"""Hostile text in a real browser: no dialog, no request, no global, and the text stands there literally."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reportgen.renderers import html
from tests.e2e.payloads import PAYLOADS
from tests.renderers.extremes import poisoned_report

pytestmark = pytest.mark.browser


# Without script there is little to run: every eighth text is tried there too.
CASES = [(text, True) for text in PAYLOADS] + [(text, False) for text in PAYLOADS[::8]]


@pytest.mark.parametrize(("payload", "script"), CASES, ids=[f"{i}" for i in range(len(CASES))])
def test_a_payload_in_every_text_of_a_report_does_nothing(
    open_page: Callable[..., Any], payload: str, script: bool
) -> None:
    with open_page(html.render(poisoned_report(payload)), java_script_enabled=script) as seen:
        page = seen.page
        if script:
            height = page.evaluate("document.documentElement.scrollHeight")
            for y in range(0, height, 1500):
                page.evaluate(f"scrollTo({{top: {y}, behavior: 'instant'}})")
                page.wait_for_timeout(5)
            page.locator("button:visible").first.hover()
            assert page.evaluate("typeof window.pwned") == "undefined"
            assert page.evaluate("document.querySelectorAll('script').length") == 2
        assert page.locator("h1").inner_text().strip()
        seen.quiet()
