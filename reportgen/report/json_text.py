"""A Report as canonical JSON text, and back.

Canonical: sorted keys, no spaces, shortest numbers that read back exactly, no NaN; every character that is invisible,
reorders text or ends a line in JavaScript is written as an escape. Two reports are equal when this text and the assets
are.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from reportgen.errors import InputRefused
from reportgen.report import assets as pictures
from reportgen.report import blocks, coherence, limits, migrate
from reportgen.report.plain import to_plain
from reportgen.report.types import Report, Section

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

_PLANE_ENDS = "".join(chr(plane << 16 | low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))
_UNSEEN = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\uffff"
    f"\U000e0000-\U000e0fff{_PLANE_ENDS}]"
)
LARGEST = sys.float_info.max  # an integer may be larger, and then be no float
_REPORT_PARTS = ("title", "verdict", "sections", "metrics")


def _kinds(union: Any) -> frozenset[str]:
    """Return the `kind` of every block type in an annotated union."""
    members = get_args(get_args(union)[0])
    return frozenset(
        str(field.default) for member in members for field in dataclasses.fields(member) if field.name == "kind"
    )


KINDS = _kinds(blocks.Block)
FLAT_KINDS = _kinds(blocks.FlatBlock)


@cache
def adapter() -> TypeAdapter[Report]:
    """Return the one validator of the Report's types; making it takes some 90 ms, so it is made when first needed."""
    from pydantic import TypeAdapter

    return TypeAdapter(Report)


@cache
def section_adapter() -> TypeAdapter[Section]:
    """Return the one validator of a section."""
    from pydantic import TypeAdapter

    return TypeAdapter(Section)


def to_json(report: Report, assets: bool = True) -> str:
    """Return the canonical JSON of `report`; with `assets=False` pictures are named and their bytes left out."""
    return write_plain(report, pictures.pack(report.assets, data=assets))


def write_plain(report: Report, packed_assets: dict[str, Any]) -> str:
    """Return canonical JSON with the given form of the assets."""
    plain = to_plain(dataclasses.replace(report, assets={}))
    plain["assets"] = packed_assets
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return _UNSEEN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    """Return one character as a JSON escape."""
    return json.dumps(match.group())[1:-1]


def equal(first: Report, second: Report) -> bool:
    """Tell whether two reports are equal: the same canonical JSON and the same assets."""
    return first.assets == second.assets and to_json(first, assets=False) == to_json(second, assets=False)


def from_json(text: str | bytes, source: str = "report.json", find: pictures.FindInPage | None = None) -> Report:
    """Return the report in `text`; raises InputRefused, in one line that begins with `source`, when it is none.

    `find(sha256, size)` fetches the assets that stand elsewhere (in the page around the data).
    """
    if len(text) > limits.JSON_BYTES:
        raise InputRefused(f"{source}: holds more than {limits.JSON_BYTES // limits.MIB} MiB of data")
    data = _parse(text, source)
    _check_counts(data, source)
    data = migrate.to_current(data, source)
    packed = data.pop("assets", {})
    report = _validate({**data, "sections": _known_blocks(data.get("sections"))}, source)
    try:
        coherence.check(report)
    except ValueError as error:
        raise InputRefused(f"{source}: {error}; the file was changed or damaged") from error
    return dataclasses.replace(report, assets=pictures.unpack(packed, source, find))


def settle_section(section: Section) -> Section:
    """Return `section` as it would be read back; raises ValueError in one line when it could not be.

    A section is settled before it enters a report, so that one that is broken becomes a card instead of a lost report.
    """
    from pydantic import ValidationError

    text = json.dumps(to_plain(section), allow_nan=False)
    try:
        settled = section_adapter().validate_json(text, strict=True)
    except ValidationError as error:
        raise ValueError(_first_error(error)) from error
    coherence.check_section(settled)
    return settled


def _parse(text: str | bytes, source: str) -> dict[str, Any]:
    """Return the JSON object in `text`."""
    from pydantic_core import from_json as parse

    try:
        data = parse(text, allow_inf_nan=False)
    except ValueError as error:
        raise InputRefused(f"{source}: is not valid JSON ({error})") from error
    if not isinstance(data, dict) or any(part not in data for part in ("schema_version", *_REPORT_PARTS)):
        raise InputRefused(f"{source}: is JSON, but not a report by reportgen")
    return data


def _check_counts(data: dict[str, Any], source: str) -> None:
    """Refuse more values or levels than a report has, and numbers too large to be finite."""
    level: list[Any] = [data]
    count = 0
    for _ in range(limits.DEPTH):
        below: list[Any] = []
        for item in level:
            below.extend(item.values() if isinstance(item, dict) else item)
        count += len(below)
        if count > limits.VALUES:
            raise InputRefused(f"{source}: holds more than {limits.VALUES:,} values")
        if any(isinstance(item, (int, float)) and not -LARGEST <= item <= LARGEST for item in below):
            raise InputRefused(f"{source}: holds a number that is too large")
        level = [item for item in below if isinstance(item, (dict, list))]
        if not level:
            return
    raise InputRefused(f"{source}: is more than {limits.DEPTH} levels deep")


def _known_blocks(sections: Any) -> Any:
    """Return the sections with every block of a kind that is not known made into an Unknown block."""
    if not isinstance(sections, list):
        return sections
    return [
        {**section, "blocks": [_known(block, KINDS) for block in section["blocks"]]}
        if isinstance(section, dict) and isinstance(section.get("blocks"), list)
        else section
        for section in sections
    ]


def _known(block: Any, kinds: frozenset[str]) -> Any:
    """Return one block, and those in a fold, as a kind that is known."""
    if not isinstance(block, dict) or not isinstance(block.get("kind"), str):
        return block
    if block["kind"] not in kinds:
        return {"kind": "unknown", "original": block["kind"], "title": str(block.get("title") or "")}
    if block["kind"] == "fold" and isinstance(block.get("blocks"), list):
        return {**block, "blocks": [_known(inner, FLAT_KINDS) for inner in block["blocks"]]}
    return block


def _validate(data: dict[str, Any], source: str) -> Report:
    """Return the typed report; the first thing that is wrong is named by its path."""
    from pydantic import ValidationError
    from pydantic_core import to_json as dump

    try:
        return adapter().validate_json(dump(data), strict=True)
    except ValidationError as error:
        raise InputRefused(f"{source}: {_first_error(error)}") from error


def _first_error(error: ValidationError) -> str:
    """Return the first thing that is wrong, by its path, on one line."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part)[:40] for part in first["loc"])
    return "".join(c if c.isprintable() else "?" for c in f"{place}: {first['msg']}")[:300]
