"""The summary for a pull request: the verdict first, all that matters in it, and hostile text as text."""

from __future__ import annotations

import dataclasses
import html
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reportgen.renderers import markdown, page_text
from reportgen.renderers.markdown_text import code, in_html, plain
from reportgen.report import blocks as b
from reportgen.report import types as t
from reportgen.report.values import Missing
from tests.report.generated_reports import reports
from tests.sample_report import make_report

GAP = "&#8203;"


def poison(value: Any, text: str) -> Any:
    """Return `value` with every free text in it replaced by `text`."""
    if isinstance(value, tuple):
        return tuple(poison(item, text) for item in value)
    if isinstance(value, dict):
        return {text + str(i): poison(item, text) for i, item in enumerate(value.values())}
    if isinstance(value, str):
        return text
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kept = (
            "kind",
            "level",
            "outcome",
            "state",
            "format",
            "unit",
            "better",
            "dtype",
            "data",
            "role",
            "scale",
            "shape",
        )
        changes = {
            field.name: poison(getattr(value, field.name), text)
            for field in dataclasses.fields(value)
            if field.init and field.name not in kept
        }
        return dataclasses.replace(value, **changes)
    return value


def poisoned(text: str) -> str:
    """Return the summary of a report whose every text is `text`."""
    report = make_report()
    assets = report.assets
    return markdown.render(dataclasses.replace(poison(dataclasses.replace(report, assets={}), text), assets=assets))


def test_the_order_is_title_verdict_gates_metrics_findings_sections() -> None:
    text = markdown.render(make_report())
    words = [
        "## Digits CNN",
        "Caution: Far better",
        "### Gates: 1 of 3",
        "### Key metrics",
        "### Findings: 3",
        "### Sections",
    ]
    places = [text.index(word) for word in words]
    assert places == sorted(places)


def test_metrics_have_value_interval_n_and_baseline() -> None:
    text = markdown.render(make_report())
    assert "| Accuracy | 96.1% | 93.6% to 97.7% | 360 | 10.0% (always the most frequent class) |" in text
    assert "2 more metrics are in the report." in text


def test_a_metric_without_a_value_says_why() -> None:
    report = make_report()
    text = markdown.render(dataclasses.replace(report, metrics=(report.metrics[2],)))
    assert "| AUC of ten | not known (the class never occurs) | – | 0 | – |" in text


def test_metrics_of_two_outputs_name_their_output() -> None:
    report = make_report()
    other = dataclasses.replace(report.metrics[0], output="parity")
    text = markdown.render(dataclasses.replace(report, metrics=(report.metrics[0], other)))
    assert "| <code>digit</code> | Accuracy |" in text and "| <code>parity</code> | Accuracy |" in text


def test_gates_that_did_not_hold_come_first() -> None:
    rows = re.findall(r"^\| <code>.*(failed|cannot tell|held) \|$", markdown.render(make_report()), re.MULTILINE)
    assert rows == ["failed", "cannot tell", "held"]


def test_findings_have_evidence_causes_and_fix_and_the_worst_come_first() -> None:
    text = markdown.render(make_report())
    assert (
        text.index("Validation gets worse") < text.index("Weights could not be read") < text.index("Some units never")
    )
    assert "- **Fix:** Lower the learning rate, or use LeakyReLU in conv\\_1." in text
    assert "- Evidence: dead units in conv\\_1: 2 (n = 360); share:" in text
    assert "- Likely causes: a learning rate that is too high;" in text
    assert "Other checks: 1 passed, 1 not applicable, 1 switched off." in text


def test_a_report_of_nothing_is_a_title_and_a_verdict() -> None:
    report = make_report()
    empty = dataclasses.replace(report, gates=(), metrics=(), findings=(), sections=())
    text = markdown.render(empty)
    assert "###" not in text and "Digits CNN" in text and "Caution" in text


def test_there_is_no_picture_no_link_and_no_absolute_address() -> None:
    text = markdown.render(make_report())
    assert "data:" not in text and "](" not in text and "<img" not in text and "href" not in text and "://" not in text


PAYLOADS = {
    "mention": ("@everyone see @org/team", f"@{GAP}everyone see @{GAP}org/team"),
    "address": ("a@b.example", f"a@{GAP}b.example"),
    "issue": ("fixes #12 and o/r#3", f"fixes \\#{GAP}12 and o/r\\#{GAP}3"),
    "issue by prefix": ("GH-12", f"GH-{GAP}12"),
    "merge request": ("!12", f"\\!{GAP}12"),
    "link": ("[x](https://evil.example)", f"\\[x\\](https:{GAP}//evil.example)"),
    "bare link": ("www.evil.example", f"www{GAP}.evil.example"),
    "picture": ("![x](//evil.example/x.png)", "\\!\\[x\\](//evil.example/x.png)"),
    "html": ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
    "entity": ("&lt;b&gt; &#64;x", f"&amp;lt;b&amp;gt; &amp;\\#{GAP}64;x"),
    "table": ("a | b\n| - |", "a \\| b \\| - \\|"),
    "backticks": ("`` ` ``` x", "\\`\\` \\` \\`\\`\\` x"),
    "emphasis": ("__a__ *b* ~~c~~ a_b", "\\_\\_a\\_\\_ \\*b\\* \\~\\~c\\~\\~ a\\_b"),
    "heading": ("# Title", "\\# Title"),
    "quotation": ("> x", "&gt; x"),
    "list": ("- x", "\\- x"),
    "plus": ("+ x", "\\+ x"),
    "number": ("1. x", "1\\. x"),
    "no list": ("0.96", "0.96"),
    "rule": ("--- x", "\\--- x"),
    "underline": ("=== x", "\\=== x"),
    "workflow command": ("::set-output name=x::y", f"\\:{GAP}:set-output name=x:{GAP}:y"),
    "command on a later line": ("x\n::error::y", f"x :{GAP}:{GAP}error:{GAP}:y"),
    "pipeline command": ("##vso[task.x]y", "\\#\\#vso\\[task.x\\]y"),
    "quick action": ("/close", "\\/close"),
    "emoji": (":tada: a:b", f"\\:{GAP}tada: a:b"),
    "math": ("$x^2$ $$y$$", "\\$x^2\\$ \\$\\$y\\$\\$"),
    "backslash": ("\\<b\\*", "\\\\&lt;b\\\\\\*"),
    "escape codes": ("a\x1b[31m\x00b", "a\ufffd\\[31m\ufffdb"),
    "reordered": ("a\u202eb\u200b", "a\\[U+202E\\]b\\[U+200B\\]"),
    "comment": ("<!-- x -->", "&lt;\\!-- x --&gt;"),
    "footnote": ("[^1]: x", "\\[^1\\]: x"),
    "lines": ("a\r\n\r\nb\u2028c", "a b c"),
}


@pytest.mark.parametrize(("text", "written"), PAYLOADS.values(), ids=PAYLOADS)
def test_hostile_text_is_written_as_text(text: str, written: str) -> None:
    assert plain(text) == written
    assert code(text) == f"<code>{written}</code>"


@pytest.mark.parametrize("text", [text for text, _ in PAYLOADS.values()], ids=PAYLOADS)
def test_hostile_text_everywhere_breaks_nothing(text: str) -> None:
    summary = poisoned(text)
    tags = set(re.findall(r"<[^>]*>", summary))
    assert tags <= {"<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>", "<sub>", "</sub>"}
    for line in summary.splitlines():
        assert not re.match(r"\s*(::|##\[|##vso|/\w)", line), line
    assert not re.search(r"@\w|(?<!&)#\d|://|\bwww\.|(?<!\\)!\[|(?<!\\)\]\(", summary)
    widths = {}
    table = 0
    for line in [*summary.splitlines(), ""]:
        if line.startswith("|"):
            widths.setdefault(table, set()).add(len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)))
        else:
            table += 1
    assert widths and all(len(width) == 1 for width in widths.values()), "a table's rows differ in width"


@pytest.mark.parametrize("text", [text for text, _ in PAYLOADS.values()], ids=PAYLOADS)
def test_a_markdown_reader_shows_hostile_text_as_it_is(text: str) -> None:
    reader = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable(["table", "strikethrough"])
    shown = page_text.clean(" ".join(text.split()))
    page = reader.render(f"{plain(text)}\n\n| a |\n| - |\n| {code(text)} |\n\n<b>{in_html(text)}</b>\n")
    body = r"<p>(.*)</p>.*<td><code>(.*)</code></td>.*<b>(.*)</b>"
    match = re.search(body, page, re.DOTALL)
    assert match, page
    for part in match.groups():
        assert "<" not in part
        assert html.unescape(part).replace("\u200b", "") == shown


def test_in_a_line_of_html_marks_are_entities() -> None:
    assert in_html("a_b <i> \\ *x*") == "a&#95;b &lt;i&gt; &#92; &#42;x&#42;"


def test_long_text_is_shortened() -> None:
    assert len(plain("x" * 1000)) == 120 and plain("x" * 1000).endswith("…")


@pytest.mark.parametrize("text", ["x" * 2000, "@" * 2000, "::a::" * 500, "漢" * 3000], ids=["x", "at", "colons", "cjk"])
def test_a_huge_report_stays_below_the_limit_of_a_comment(text: str) -> None:
    report = make_report()
    finding = t.Finding(text, text, "failed", "error", text, (t.Evidence(text, text),) * 9, (text,) * 9, text)
    blocks = tuple(b.Table(text, text, (b.TableColumn(text),) * 20, ((text,) * 20,) * 20) for _ in range(5))
    section = t.Section(text, text, "shown", text, blocks)
    metric = dataclasses.replace(report.metrics[0], label=text, output=text)
    gate = t.Gate(text, text, Missing(text), None, text)
    huge = dataclasses.replace(
        report,
        title=text,
        verdict=t.Verdict("x", "bad", text),
        findings=(finding,) * 200,
        sections=(section,) * 9,
        metrics=(metric,) * 300,
        gates=(gate,) * 300,
        generator=text,
    )
    summary = markdown.render(huge)
    assert len(summary) <= 65_536 and len(summary.encode()) <= 1024 * 1024
    assert "parts did not fit here; all of them are in the report itself." in summary
    assert summary.count("<details>") == summary.count("</details>")
    assert "❌ Bad" in summary


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(reports())
def test_any_report_has_a_summary(report: t.Report) -> None:
    summary = markdown.render(report)
    assert len(summary) <= 65_536 and summary.endswith("\n")
    summary.encode("utf-8")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_becomes_one_line_without_markup(text: str) -> None:
    written = plain(text)
    assert "\n" not in written and "\r" not in written
    assert not re.search(r"[<>]|(?<!\\)(?:\\\\)*[`*_\[\]|~$!]", written.replace("&#", ""))
    assert not re.search(r"@\w|::|://", written)
