"""A real browser takes a drawing for the same elements, inlined in a page and as a file of its own."""

from __future__ import annotations

from typing import Any

import pytest

from reportgen.report.svg import sanitise
from tests.report.test_svg import HEAD, LESS
from tests.sample_report import make_report


@pytest.mark.browser
def test_a_browser_reads_the_same_elements_from_xml_and_inlined(chromium: Any) -> None:
    bodies = [body for body, _ in LESS.values()]
    drawings = [sanitise(f"{HEAD}{body}</svg>".encode()).decode() for body in bodies]
    drawings += [a.data.decode() for a in make_report().assets.values() if a.media_type == "image/svg+xml"]
    script = """(texts) => {
      const flat = (e) => [e.localName, e.namespaceURI, [...e.attributes].map(a => [a.name, a.value]),
        [...e.childNodes].map(n => n.nodeType === 1 ? flat(n) : n.nodeType + n.data)];
      return texts.map(text => {
        const xml = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
        const html = new DOMParser().parseFromString("<!DOCTYPE html><div>" + text + "</div><p>after</p>", "text/html");
        const whole = html.querySelectorAll("body > div > svg").length === 1 && html.body.children.length === 2;
        return [JSON.stringify(flat(xml)), JSON.stringify(flat(html.querySelector("svg"))), whole];
      });
    }"""
    page = chromium.new_page()
    results = page.evaluate(script, drawings)
    page.close()
    for text, (xml, html, whole) in zip(drawings, results, strict=True):
        assert whole, text
        assert xml == html, text
