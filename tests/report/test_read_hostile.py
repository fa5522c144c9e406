"""A report file made by a stranger: refused in one line that names the file, within limits, and never a traceback."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reportgen.errors import InputRefused
from reportgen.report import blocks as b
from reportgen.report import html_data, json_text, limits
from reportgen.report.read import read_report
from reportgen.report.types import Report
from tests.report.test_round_trips import page_of
from tests.sample_report import make_png, make_report

TEXT = json_text.to_json(make_report())
PAGE = page_of(make_report(), frozenset(make_report().assets))


def refusal(path: Path) -> str:
    """Return the one line that reading `path` is refused with."""
    with pytest.raises(InputRefused) as caught:
        read_report(path)
    message = caught.value.message
    assert message.startswith(f"{path}: ")
    assert "\n" not in message and message.isprintable() and len(message) < len(str(path)) + 400
    return message.removeprefix(f"{path}: ")


def save(folder: Path, content: str | bytes, name: str = "report.json") -> Path:
    """Write a file to read."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return path


FILES = {
    "empty": (b"", "is empty"),
    "a picture": (make_png(__import__("numpy").zeros((2, 2), "uint8")), "is not a report"),
    "other JSON": (b'{"accuracy": 1}', "is JSON, but not a report by reportgen"),
    "a JSON list": (b"[1]", "is not a report"),
    "other HTML": (b"<!DOCTYPE html><p>hi", "is an HTML or XML file, but not a report"),
    "cut off JSON": (TEXT[:-9].encode(), "is not valid JSON"),
    "cut off page": (PAGE[: PAGE.index(b"report-data") + 900], "is the file cut off?"),
    "100,000 levels": (b'{"schema_version":1,"title":' + b"[" * 100_000, "is not valid JSON (recursion limit"),
    "not UTF-8": (TEXT.replace("Digits", "Dig\udcffts").encode("utf-8", "surrogateescape"), "is not valid JSON"),
    "lone surrogate": (TEXT.replace("Digits", "\\ud800").encode(), "is not valid JSON"),
    "NaN": (TEXT.replace('"tiles":16', '"tiles":NaN').encode(), "is not valid JSON"),
    "infinite number": (TEXT.replace('"tiles":16', '"tiles":1e999').encode(), "a number that is too large"),
    "a long integer": (TEXT.replace('"tiles":16', '"tiles":' + "9" * 5000).encode(), ""),
    "two data blocks": (PAGE + html_data.OPENING.encode() + b"{}</script>", "the data of two reports"),
    "binary after a brace": (b"{\x00\x01\x02", "is not valid JSON"),
}


@pytest.mark.parametrize(("content", "words"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_report_says_what_it_is(content: bytes, words: str, tmp_path: Path) -> None:
    assert words in refusal(save(tmp_path, content))


def first_block(data: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the first block of a kind."""
    blocks = (block for section in data["sections"] for block in section["blocks"])
    return next(block for block in blocks if block["kind"] == kind)  # type: ignore[no-any-return]


def nest(levels: int) -> Any:
    """Return nested lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "title is a number": (lambda d: d.update(title=3), "title: Input should be a valid string"),
    "title is missing": (lambda d: d.pop("title"), "not a report"),
    "sections is an object": (lambda d: d.update(sections={}), "sections: "),
    "a block is a number": (lambda d: d["sections"][0].update(blocks=[3]), "sections.0.blocks.0: "),
    "a level that is none": (lambda d: d["verdict"].update(level="<b>"), "verdict.level: "),
    "a count as text": (lambda d: d["metrics"][0].update(n="3"), "metrics.0.n: "),
    "a flag as number": (lambda d: d["metrics"][0].update(headline=1), "metrics.0.headline: "),
    "version as text": (lambda d: d.update(schema_version="1"), "schema_version: "),
    "version true": (lambda d: d.update(schema_version=True), "schema_version: "),
    "newer version": (lambda d: d.update(schema_version=9, generator="reportgen\n9"), "upgrade reportgen"),
    "older version": (lambda d: d.update(schema_version=0), "format 0, which this reportgen cannot read"),
    "41 levels": (lambda d: d.update(extra=nest(41)), "levels deep"),
    "row too short": (lambda d: first_block(d, "table")["rows"][0].pop(), "a row is not as wide as the table"),
    "mark outside": (lambda d: first_block(d, "table")["marks"][0].update(row=99), "a mark lies outside the table"),
    "row ids too few": (lambda d: first_block(d, "table")["row_ids"].pop(), "row_ids do not fit"),
    "column cut": (
        lambda d: first_block(d, "chart")["series"][0]["y"].update(data="AAAA"),
        "a column does not hold the 20 values",
    ),
    "column not base64": (
        lambda d: first_block(d, "chart")["series"][0]["y"].update(data="<b>"),
        "a column is not base64",
    ),
    "column with a length of its own": (
        lambda d: d["samples"][0]["loss"].update(length=10**12),
        "a column does not hold the 1000000000000 values",
    ),
    "object dtype": (lambda d: d["samples"][0]["loss"].update(dtype="O"), "samples.0.loss.dtype: "),
    "matrix too small": (lambda d: first_block(d, "matrix")["rows"].pop(), "100 counts for 90 cells"),
    "ragged history": (
        lambda d: d["history"][0].update(epochs={"dtype": "<i4", "length": 0, "data": ""}),
        "epochs and values differ",
    ),
    "ids too few": (lambda d: d["samples"][0]["ids"].pop(), "columns differ in length"),
    "edge to nowhere": (lambda d: d["graph"]["edges"][0].update(target="<x>"), "a node that is not there"),
    "two nodes with one id": (lambda d: d["graph"]["nodes"][1].update(id="n0"), "two nodes have one id"),
    "reference without a hash": (
        lambda d: first_block(d, "montage")["image"].update(sha256='"><script>'),
        "is not named by its SHA-256",
    ),
    "picture of no size": (lambda d: first_block(d, "montage")["image"].update(width=0), "a picture has no size"),
    "fold in a fold is unknown, but a block in it is none": (
        lambda d: first_block(d, "fold").update(blocks=[None]),
        "blocks",
    ),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_data_that_does_not_fit_is_refused_with_its_place(
    change: Callable[[dict[str, Any]], Any], words: str, tmp_path: Path
) -> None:
    data = json.loads(TEXT)
    change(data)
    assert words in refusal(save(tmp_path, json.dumps(data)))


def entry(data: bytes, media_type: str) -> tuple[str, dict[str, Any]]:
    """Return an asset as report.json has it."""
    packed = {"media_type": media_type, "bytes": len(data), "data": base64.b64encode(data).decode()}
    return hashlib.sha256(data).hexdigest(), packed


def huge_png(width: int, height: int) -> bytes:
    """Return a PNG that declares a size it does not hold."""
    png = bytearray(make_png(__import__("numpy").zeros((1, 1), "uint8")))
    png[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return bytes(png)


PICTURES = {
    "text as PNG": (b"<script>alert(1)</script>" * 3, "image/png", "is not image/png"),
    "PNG as WebP": (make_png(__import__("numpy").zeros((1, 1), "uint8")), "image/webp", "is not image/webp"),
    "HTML as SVG": (b"<html><svg/></html>", "image/svg+xml", "is not an SVG"),
    "image bomb": (huge_png(30_000, 30_000), "image/png", "declares 30,000 x 30,000 pixels"),
    "endless strip": (huge_png(2**31 - 1, 1), "image/png", "declares 2,147,483,647 x 1 pixels"),
    "another type": (b"%PDF-1.7", "application/pdf", "is not a PNG, WebP or SVG"),
}


@pytest.mark.parametrize(("content", "media_type", "words"), PICTURES.values(), ids=PICTURES)
def test_pictures_that_are_not_what_they_say_are_refused(
    content: bytes, media_type: str, words: str, tmp_path: Path
) -> None:
    data = json.loads(TEXT)
    sha256, packed = entry(content, media_type)
    data["assets"][sha256] = packed
    assert words in refusal(save(tmp_path, json.dumps(data)))


PICTURE_CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "other bytes": (lambda e: e.update(data=e["data"][:-8] + "AAAAAAA="), "does not have the hash"),
    "wrong size": (lambda e: e.update(bytes=5), "does not have the hash"),
    "size as text": (lambda e: e.update(bytes="5"), "has no size"),
    "too large": (lambda e: e.update(bytes=limits.ASSET_BYTES + 1), "more than 8 MiB"),
    "not base64": (lambda e: e.update(data="<script>"), "is not base64"),
    "a number": (lambda e: e.update(data=3), "is not base64"),
    "said to be in a page": (lambda e: e.update(in_page=True), "is missing or was changed"),
}


@pytest.mark.parametrize(("change", "words"), PICTURE_CHANGES.values(), ids=PICTURE_CHANGES)
def test_pictures_that_were_changed_are_refused(
    change: Callable[[dict[str, Any]], Any], words: str, tmp_path: Path
) -> None:
    data = json.loads(TEXT)
    change(next(iter(data["assets"].values())))
    assert words in refusal(save(tmp_path, json.dumps(data)))


def test_a_changed_picture_in_a_page_is_refused(tmp_path: Path) -> None:
    at = PAGE.index(b"<polyline")
    for changed in (
        PAGE[:at] + PAGE[at:].replace(b"1.6", b"9.6", 1),
        PAGE.replace(b"base64,iVBOR", b"base64,iVBOS", 1),
    ):
        assert changed != PAGE
        assert "is missing or was changed" in refusal(save(tmp_path, changed, "report.html"))


def test_a_page_with_the_same_mark_a_million_times_is_read_in_time(tmp_path: Path) -> None:
    sha256 = next(iter(make_report().assets))
    page = f'data-asset="{sha256}">'.encode() * 200_000 + PAGE
    start = time.process_time()
    refusal(save(tmp_path, page, "report.html"))
    assert time.process_time() - start < 5


def test_a_page_that_lists_many_large_pictures_that_are_not_there_is_read_in_time(tmp_path: Path) -> None:
    data = json.loads(TEXT)
    data["assets"] = {
        f"{i:064x}": {"media_type": "image/svg+xml", "bytes": limits.ASSET_BYTES, "in_page": True} for i in range(4000)
    }
    places = "".join(f'<i data-asset="{i:064x}"></i>' for i in range(4000))
    page = f"<p>{places}{html_data.OPENING}{json.dumps(data)}</script>{' ' * 9_000_000}"
    start = time.process_time()
    assert "is missing or was changed" in refusal(save(tmp_path, page, "report.html"))
    assert time.process_time() - start < 5


def test_too_many_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ASSETS", 3)
    assert "more than 3" in refusal(save(tmp_path, TEXT))


def test_too_many_values_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "VALUES", 1000)
    assert "more than 1,000 values" in refusal(save(tmp_path, TEXT))


@pytest.mark.parametrize(("name", "words"), [("FILE_BYTES", "is larger than"), ("JSON_BYTES", "MiB of data")])
def test_a_file_above_the_limit_is_refused(
    name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, name, 30_000)
    assert words in refusal(save(tmp_path, TEXT))
    assert words in refusal(save(tmp_path, PAGE, "report.html"))


def test_a_folder_a_pipe_a_device_and_nothing_are_refused(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "is not a plain file" in refusal(tmp_path / "pipe")
    assert "is not a plain file" in refusal(Path("/dev/zero"))
    assert "cannot be read: No such file" in refusal(tmp_path / "none.html")
    with pytest.raises(InputRefused, match="the name is not valid"):
        read_report("a\0b")


def test_a_block_of_an_unknown_kind_becomes_a_plain_one(tmp_path: Path) -> None:
    data = json.loads(TEXT)
    newer = {"kind": "saliency<b>", "title": "S", "heat": [1, 2]}
    data["sections"][0]["blocks"] = [
        newer,
        {"kind": "fold", "id": "f", "title": "F", "blocks": [newer, {"kind": "fold"}]},
    ]
    read = read_report(save(tmp_path, json.dumps(data)))
    unknown = b.Unknown("saliency<b>", "S")
    assert read.sections[0].blocks == (unknown, b.Fold("f", "F", (unknown, b.Unknown("fold", ""))))


def test_a_field_that_is_not_known_is_left_out(tmp_path: Path) -> None:
    data = json.loads(TEXT)
    data["later"] = {"x": 1}
    data["metrics"][0]["later"] = 1
    assert read_report(save(tmp_path, json.dumps(data))) == make_report()


def test_a_byte_order_mark_and_white_space_do_not_hurt(tmp_path: Path) -> None:
    assert read_report(save(tmp_path, b"\xef\xbb\xbf" + TEXT.encode() + b"\r\n")) == make_report()
    assert read_report(save(tmp_path, b"\xef\xbb\xbf\n" + PAGE, "report.html")) == make_report()
    assert read_report(save(tmp_path, b"\n " + TEXT.encode())) == make_report()


def mutate(data: bytes, changes: list[tuple[int, int, int]]) -> bytes:
    """Return `data` with bytes replaced, removed or doubled at some places."""
    changed = bytearray(data)
    for place, how, value in changes:
        at = place % len(changed)
        if how == 0:
            changed[at] = value
        elif how == 1:
            del changed[at : at + value]
        else:
            changed[at:at] = changed[at : at + value]
    return bytes(changed)


CHANGED = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 2), st.integers(0, 255)), min_size=1, max_size=4)
OFTEN = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@OFTEN
@given(CHANGED, st.booleans())
def test_a_damaged_file_is_read_or_refused(changes: list[tuple[int, int, int]], page: bool) -> None:
    data = mutate(PAGE if page else TEXT.encode(), changes)
    try:
        report = html_data.from_page(data, "x") if page else json_text.from_json(data, "x")
    except InputRefused as error:
        assert error.message.startswith("x: ") and "\n" not in error.message
    else:
        assert isinstance(report, Report)
        json_text.to_json(report)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, inner in items for found in places(inner, (*path, key)))]


DATA = json.loads(TEXT)
PLACES = places(DATA)[1:]
ODD = [None, True, -1, 2**70, 1.5, "", "<script>", [], {}, [[]], {"missing": "x"}, {"kind": "fold"}, [None], {"": 0}]


@OFTEN
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(ODD)), min_size=1, max_size=2))
def test_data_with_odd_values_is_read_or_refused(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    data = copy.deepcopy(DATA)
    for path, value in changes:
        owner = data
        try:
            for key in path[:-1]:
                owner = owner[key]
            owner[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    try:
        report = json_text.from_json(json.dumps(data), "x")
    except InputRefused as error:
        assert error.message.startswith("x: ") and "\n" not in error.message
    else:
        assert json_text.equal(json_text.from_json(json_text.to_json(report)), report)
