"""Hostile text in a real browser: no dialog, no request, no global, and the text stands there literally."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reportgen.renderers import html, page_text
from reportgen.report import blocks as b
from reportgen.report.types import Report
from tests.e2e.payloads import PAYLOADS
from tests.renderers.extremes import compared_report, poison, poisoned_report
from tests.sample_report import make_report

pytestmark = pytest.mark.browser


# Without script there is little to run: every eighth text is tried there too.
CASES = [(text, True) for text in PAYLOADS] + [(text, False) for text in PAYLOADS[::8]]
TEXT = """() => {
    const body = document.body.cloneNode(true);
    body.querySelectorAll("script, style").forEach(node => node.remove());
    return body.textContent;
}"""
# Beside ours and the data there are only the empty elements at which the browser pauses.
SCRIPTS = """() => [...document.scripts].filter(
    node => node.type !== "text/plain" || node.firstChild || node.src
).length"""


def places(report: Report) -> Iterator[tuple[str, str]]:
    """Yield where text of an input reaches the page as a name, and that text."""
    yield "title", report.title
    for metric in report.metrics:
        yield "metric", metric.label
    for finding in report.findings:
        if finding.outcome in html.WRONG:
            yield "finding", finding.title
            yield from (("evidence", evidence.label) for evidence in finding.evidence)
            yield from (("evidence value", e.value) for e in finding.evidence if isinstance(e.value, str))
    if report.changes is not None:
        yield from (("change", text) for text in (report.changes.base, report.changes.sentence, *report.changes.notes))
    for entry in report.ledger:
        yield "ledger", entry.what
    for section in report.sections:
        if section.id != "summary":  # its heading is ours
            yield "section", section.title
        for block in section.blocks:
            yield from of_block(block)
    yield from (("file", name) for name in (report.provenance.model_file, report.provenance.batch_file))
    if report.run is not None:
        yield from (("run", text) for text in (report.run.host, report.run.command, report.run.git_branch))


def of_block(block: Any) -> Iterator[tuple[str, str]]:
    """Yield the names that one block shows."""
    if isinstance(block, b.Table):
        yield from (("table column", column.title) for column in block.columns)
        yield from (("table cell", cell) for row in block.rows for cell in row if isinstance(cell, str))
    elif isinstance(block, b.Matrix):
        yield from (("class", name) for name in (*block.rows, *block.columns))
    elif isinstance(block, b.Gallery):
        for sample in block.samples:
            yield from (("sample", text) for text in (sample.label, sample.prediction))
            yield from (("detail", text) for pair in sample.details for text in pair)
    elif isinstance(block, b.GraphView):
        yield from (("layer", card.title) for card in block.cards)
    elif isinstance(block, b.Facts):
        yield from (("fact", item.label) for item in block.items)
    elif isinstance(block, b.Fold):
        for inner in block.blocks:
            yield from of_block(inner)


def use(page: Any) -> None:
    """Do what a reader does: scroll, enlarge a sample, move the cursor of a chart, look for a layer, sort a table."""
    y = 0
    while y < page.evaluate("document.documentElement.scrollHeight"):  # grows as parts are laid out
        page.evaluate(f"scrollTo({{top: {y}, behavior: 'instant'}})")
        y += 1200
        # Tools are made when their part comes into view, which the browser tells a frame later.
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")
    page.locator(".samples").first.scroll_into_view_if_needed()
    page.locator(".zoom").first.click()
    assert page.get_by_role("dialog").inner_text().strip()
    page.keyboard.press("Escape")
    page.locator(".chart .tools input[type=range]").first.press("End")
    page.locator(".graph .tools [type=search]").first.fill("conv")
    page.locator(".sorter").first.click()
    page.locator("button:visible").first.hover()


@pytest.mark.parametrize(("payload", "script"), CASES, ids=[f"{i}" for i in range(len(CASES))])
def test_a_payload_in_every_text_of_a_report_does_nothing(
    open_page: Callable[..., Any], payload: str, script: bool
) -> None:
    report = poisoned_report(payload)
    with open_page(html.render(report), java_script_enabled=script) as seen:
        page = seen.page
        if script:
            text = " ".join(page.evaluate(TEXT).split())
            for place, value in places(report):
                forms = (page_text.name(value), page_text.passage(value), str(page_text.finalize(value)))
                assert any(" ".join(form.split()) in text for form in forms), f"{place} is not shown: {value[:80]!r}"
            use(page)
            assert page.evaluate("typeof window.pwned") == "undefined"
            assert page.evaluate(SCRIPTS) == 2
            assert page.evaluate("document.querySelectorAll('iframe, object, embed, base, form, link').length") == 0
        assert page.locator("h1").inner_text().strip()
        seen.quiet()


def test_there_are_enough_payloads_and_places() -> None:
    assert len(set(PAYLOADS)) >= 60
    assert {place for place, _ in places(compared_report())} >= {
        *("title", "metric", "finding", "evidence", "ledger", "section", "file", "run", "change"),
        *("table column", "table cell", "class", "sample", "layer", "fact"),
    }


@pytest.mark.parametrize("payload", PAYLOADS[::6], ids=range(len(PAYLOADS[::6])))
def test_a_payload_as_a_name_in_the_data_does_nothing(open_page: Callable[..., Any], payload: str) -> None:
    report = make_report()
    layers = tuple(
        dataclasses.replace(layer, numbers={f"{payload} {key}": value for key, value in layer.numbers.items()})
        for layer in report.layers
    )
    versions = {f"{payload} {name}": text for name, text in report.provenance.versions.items()}
    hostile = dataclasses.replace(
        report,
        layers=layers,
        provenance=dataclasses.replace(report.provenance, versions=versions, seeds={payload: 1}, trusted=(payload,)),
        history=poison(report.history, payload),
    )
    with open_page(html.render(hostile)) as seen:
        use(seen.page)
        assert seen.page.evaluate("typeof window.pwned") == "undefined"
        seen.quiet()
