"""A report comes back equal, from its JSON and from a page around it, whatever is in it."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from reportgen.report import blocks as b
from reportgen.report import html_data, json_text
from reportgen.report import types as t
from reportgen.report.plain import to_plain
from reportgen.report.read import read_report
from reportgen.report.svg import inline
from reportgen.report.values import Column, Missing
from tests.report.generated_reports import reports
from tests.sample_report import make_report

MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def page_of(report: t.Report, shown: frozenset[str]) -> bytes:
    """Return the smallest page that follows the convention of html_data."""
    figures = []
    for sha256 in sorted(shown):
        asset = report.assets[sha256]
        if asset.media_type == "image/svg+xml":
            figures.append(f'<div class="drawing" data-asset="{sha256}">{inline(asset.data)}</div>')
        else:
            data = base64.b64encode(asset.data).decode()
            figures.append(f'<img class="x" data-asset="{sha256}" src="data:{asset.media_type};base64,{data}" alt="">')
    block = html_data.data_block(report, shown).__html__()
    return f"<!DOCTYPE html><html><body>{''.join(figures)}{block}</body></html>".encode()


def with_text(text: str) -> t.Report:
    """Return the sample report with `text` in many places."""
    report = make_report(text)
    section = t.Section(text, text, "shown", text, (b.Text(text), b.Unknown(text, text)))
    verdict = dataclasses.replace(report.verdict, sentence=text)
    return dataclasses.replace(report, sections=(*report.sections, section), verdict=verdict)


def test_the_sample_report_holds_every_block_type() -> None:
    kinds = set()
    for section in make_report().sections:
        for block in section.blocks:
            kinds |= {block.kind, *(inner.kind for inner in getattr(block, "blocks", ()))}
    assert kinds == json_text.KINDS


def test_the_sample_report_comes_back_equal_from_json() -> None:
    report = make_report()
    text = json_text.to_json(report)
    assert json_text.from_json(text) == report
    assert json_text.to_json(json_text.from_json(text)) == text


def test_the_sample_report_comes_back_equal_from_a_page() -> None:
    report = make_report()
    for shown in (frozenset(report.assets), frozenset(list(report.assets)[::2]), frozenset[str]()):
        assert html_data.from_page(page_of(report, shown), "x") == report


def test_the_sample_report_comes_back_equal_from_the_real_page(tmp_path: Path) -> None:
    from reportgen.renderers import RENDERERS

    report = make_report()
    for name in ("html", "json"):
        file = tmp_path / RENDERERS[name].file_name
        file.write_bytes(RENDERERS[name].render(report).encode())
        read = read_report(file)
        assert read == report
        assert RENDERERS[name].render(read).encode() == file.read_bytes(), "a re-rendered report is another file"


def test_the_real_page_holds_each_asset_once() -> None:
    from reportgen.renderers import RENDERERS

    report = make_report()
    page = RENDERERS["html"].render(report)
    for sha256, asset in report.assets.items():
        inlined = asset.media_type == "image/svg+xml"
        data = asset.data.decode() if inlined else base64.b64encode(asset.data).decode()
        assert page.count(data) == 1, f"{sha256[:8]} {asset.media_type}"


@MANY
@given(reports())
def test_any_report_comes_back_equal_from_json(report: t.Report) -> None:
    text = json_text.to_json(report)
    read = json_text.from_json(text)
    assert json_text.equal(read, report)
    assert json_text.to_json(read) == text
    assert json_text.from_json(text.encode()) == read


@MANY
@given(reports())
def test_any_report_comes_back_equal_from_a_page(report: t.Report) -> None:
    page = page_of(report, frozenset(report.assets))
    read = html_data.from_page(page, "report.html")
    assert json_text.equal(read, dataclasses.replace(report, long_texts=())), "these are for report.json alone"
    assert page_of(read, frozenset(read.assets)) == page


@MANY
@given(reports())
def test_the_data_block_is_one_script_element_to_an_html_parser(report: t.Report) -> None:
    seen: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            seen.append(tag)

        def handle_data(self, data: str) -> None:
            seen.append(data)

    parser = Parser()
    parser.feed(html_data.data_block(report, frozenset()).__html__() + "<p>after</p>")
    parser.close()
    assert [seen[0], *seen[-2:]] == ["script", "p", "after"]
    assert json.loads("".join(seen[1:-2]))["schema_version"] == 1


SPECIAL = {
    "script end": "</script><script>alert(1)</script>",
    "script end in odd case": "</ScRiPt\n>",
    "comment": "<!--<script>-->]]>",
    "line separators": "a\u2028b\u2029c\x85d",
    "reordering and invisible": "\u202eabc\u2066\u200b\ufeff\u00ad",
    "noncharacters": "\ufffe\uffff\ufdd0\U0001fffe\U0010ffff",
    "controls": "\x00\x01\x1b\x7f\x9f\r\n\t",
    "escapes as text": '\\u003c \\" \\\\ \\n',
    "beyond the basic plane": "😀\U000e0041",
}


@pytest.mark.parametrize("text", SPECIAL.values(), ids=SPECIAL)
def test_special_text_comes_back_and_never_stands_raw(text: str) -> None:
    report = with_text(text)
    written = json_text.to_json(report)
    assert json_text.from_json(written) == report
    for character in set(text) - set(' abcdptresiln<>/!-[]"\\ScRiPu0034(1)😀'):
        assert character not in written
    page = page_of(report, frozenset(report.assets))
    assert html_data.from_page(page, "x") == report
    assert page.count(b"</script") == 1


def test_lone_surrogates_are_replaced() -> None:
    report = with_text("a\ud800b\udc00")
    assert json_text.from_json(json_text.to_json(report)).title == "a\ufffdb\ufffd"


@pytest.mark.parametrize(
    "value", [2**53 + 1, -(2**63), 2**64 + 1, 0, -0.0, 5e-324, 1e22, 0.1, 1.0, 1, 123456789012345678]
)
def test_numbers_come_back_exactly(value: float) -> None:
    fact = b.Facts("x", (b.Fact("a", value),))
    report = dataclasses.replace(make_report(), sections=(t.Section("s", "", "shown", "", (fact,)),))
    read = json_text.from_json(json_text.to_json(report)).sections[0].blocks[0]
    assert isinstance(read, b.Facts)
    found = read.items[0].value
    assert type(found) is type(value) and found == value
    assert math.copysign(1, found) == math.copysign(1, value)  # type: ignore[arg-type]


def test_numbers_that_are_not_finite_become_missing() -> None:
    metric = t.Metric("m", "m", "", float("nan"), float("-inf"), np.float32("inf"), 3, "", "higher")  # type: ignore[arg-type]
    report = dataclasses.replace(make_report(), metrics=(metric,))
    read = json_text.from_json(json_text.to_json(report)).metrics[0]
    assert (read.value, read.low, read.high) == (Missing("not a number"), Missing("infinite"), Missing("infinite"))


def test_nan_inside_a_column_stays() -> None:
    read = json_text.from_json(json_text.to_json(make_report()))
    series = next(series for series in read.history if series.name == "val_loss")
    assert np.isnan(series.values.to_numpy()[6])


def test_numpy_numbers_lists_and_whole_floats_are_written_as_their_field_says() -> None:
    axis = b.Axis("x", low=np.int64(1), high=2)
    assert to_plain(axis)["low"] == 1.0 and isinstance(to_plain(axis)["low"], float)
    assert isinstance(to_plain(axis)["high"], float)
    assert to_plain(b.Axis("x", low=float("nan")))["low"] is None
    assert to_plain(b.CellMark(np.int32(3), 2.0, "warn", ""))["column"] == 2  # type: ignore[arg-type]
    assert to_plain(b.Fact("x", np.float64(0.5)))["value"] == 0.5
    assert to_plain(b.Text(np.str_("x")))["text"] == "x"
    assert to_plain(t.Timing("x", 3))["seconds"] == 3.0


def test_a_required_number_that_is_not_finite_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"Timing\.seconds is not finite"):
        to_plain(t.Timing("x", float("inf")))


def test_what_is_no_report_data_is_an_error() -> None:
    with pytest.raises(TypeError, match="ndarray cannot be kept"):
        to_plain(np.zeros(2))


def test_empty_parts_come_back() -> None:
    empty = Column.pack([])
    table = t.SampleTable("", "", 0, "", Column.pack([], "<u8"), empty, (), empty, empty, empty, empty)
    blocks = (b.Table("", "", (), ()), b.Facts("", ()), b.Fold("", "", ()), b.Matrix("", "", "", "", (), (), empty, ""))
    report = dataclasses.replace(
        make_report(),
        sections=(t.Section("", "", "empty", "", blocks),),
        findings=(),
        metrics=(),
        history=(t.HistorySeries("", empty, empty),),
        samples=(table,),
        graph=None,
        run=None,
        assets={},
    )
    assert json_text.from_json(json_text.to_json(report)) == report


def test_keys_are_sorted_and_there_is_no_white_space_between() -> None:
    text = json_text.to_json(make_report())
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_without_assets_pictures_are_named_and_their_bytes_are_gone() -> None:
    report = make_report()
    data = json.loads(json_text.to_json(report, assets=False))
    assert set(data["assets"]) == set(report.assets)
    assert all(set(entry) == {"bytes", "media_type"} for entry in data["assets"].values())
    read = json_text.from_json(json_text.to_json(report, assets=False))
    assert read == dataclasses.replace(report, assets={})


def test_reports_that_differ_in_a_picture_only_are_not_equal() -> None:
    report = make_report()
    sha256 = next(iter(report.assets))
    other = dataclasses.replace(report, assets={**report.assets, sha256: t.Asset("image/png", b"x")})
    assert json_text.equal(report, make_report())
    assert not json_text.equal(report, other)


def test_a_drawing_that_is_not_clean_is_carried_by_the_data() -> None:
    hostile = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    import hashlib

    sha256 = hashlib.sha256(hostile).hexdigest()
    report = dataclasses.replace(make_report(), assets={sha256: t.Asset("image/svg+xml", hostile)})
    page = page_of(report, frozenset(report.assets))
    assert b"alert(1)" not in page
    assert html_data.from_page(page, "x") == report


def test_a_section_is_settled_or_refused_with_the_place() -> None:
    section = make_report().sections[1]
    assert json_text.settle_section(section) == section
    loose = t.Section("s", "S", "shown", "", [b.Axis("x"), b.Text("x")])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"blocks\.0"):
        json_text.settle_section(loose)
    ragged = dataclasses.replace(section, blocks=(b.Table("t", "T", (b.TableColumn("a"),), (("x", "y"),)),))
    with pytest.raises(ValueError, match=re.escape("section architecture: t: a row is not as wide as the table")):
        json_text.settle_section(ragged)
    listed = dataclasses.replace(section, blocks=[b.Facts("f", [b.Fact("n", np.int64(3))])])  # type: ignore[arg-type]
    assert json_text.settle_section(listed).blocks == (b.Facts("f", (b.Fact("n", 3),)),)
