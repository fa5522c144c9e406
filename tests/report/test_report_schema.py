"""The JSON Schema: generated from the types, and true of a real report."""

from __future__ import annotations

import json
import re
from typing import Any

from reportgen.report import json_text
from reportgen.report.schema import describe_report
from tests.sample_report import make_report

SCHEMA = describe_report()
KEYWORDS = {
    *("$ref", "$defs", "$schema", "title", "description", "default", "type", "properties", "required", "items"),
    *("anyOf", "oneOf", "discriminator", "const", "enum", "prefixItems", "minItems", "maxItems", "pattern"),
    *("additionalProperties", "propertyNames", "contentEncoding", "exclusiveMinimum"),
}
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def wrong(value: Any, schema: dict[str, Any], place: str = "") -> str:
    """Return the first place where `value` breaks `schema`, or ""; knows the keywords that our schema uses."""
    unknown = set(schema) - KEYWORDS
    assert not unknown, f"this small validator does not know {unknown}"
    if "$ref" in schema:
        return wrong(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], place)
    for many in ("anyOf", "oneOf"):
        if many in schema:
            fits = [not wrong(value, option, place) for option in schema[many]]
            if not any(fits) or (many == "oneOf" and sum(fits) != 1):
                return f"{place}: {sum(fits)} options fit"
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return f"{place}: is no {kind}"
    if "const" in schema and value != schema["const"]:
        return f"{place}: is not {schema['const']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{place}: is not in the list"
    if isinstance(value, list):
        return _wrong_list(value, schema, place)
    return _wrong_object(value, schema, place) if isinstance(value, dict) else ""


def _wrong_list(value: list[Any], schema: dict[str, Any], place: str) -> str:
    first = schema.get("prefixItems", [])
    if len(value) < schema.get("minItems", 0) or len(value) > schema.get("maxItems", len(value)):
        return f"{place}: has {len(value)} items"
    options = [first[i] if i < len(first) else schema.get("items", {}) for i in range(len(value))]
    found = (wrong(item, option, f"{place}.{i}") for i, (item, option) in enumerate(zip(value, options, strict=True)))
    return next((text for text in found if text), "")


def _wrong_object(value: dict[str, Any], schema: dict[str, Any], place: str) -> str:
    properties, more = schema.get("properties", {}), schema.get("additionalProperties", {})
    absent = set(schema.get("required", ())) - set(value)
    if absent:
        return f"{place}: lacks {sorted(absent)}"
    pattern = schema.get("propertyNames", {}).get("pattern", "")
    for key, item in value.items():
        if not re.search(pattern, key) or (more is False and key not in properties):
            return f"{place}: may not have {key}"
        found = wrong(item, properties.get(key, more if isinstance(more, dict) else {}), f"{place}.{key}")
        if found:
            return found
    return ""


def test_a_real_report_fits_the_schema() -> None:
    assert wrong(json.loads(json_text.to_json(make_report())), SCHEMA) == ""
    assert wrong(json.loads(json_text.to_json(make_report(), assets=False)), SCHEMA) == ""


def test_what_is_no_report_does_not_fit() -> None:
    data = json.loads(json_text.to_json(make_report()))
    assert wrong({**data, "title": 3}, SCHEMA) == ".title: is no string"
    assert wrong({**data, "schema_version": 2}, SCHEMA) == ".schema_version: is not 1"
    assert "lacks ['verdict']" in wrong({k: v for k, v in data.items() if k != "verdict"}, SCHEMA)
    data["assets"]["nohash"] = {}
    assert wrong(data, SCHEMA) == ".assets: may not have nohash"
    del data["assets"]["nohash"]
    data["sections"][0]["blocks"][0]["kind"] = "html"
    assert wrong(data, SCHEMA).startswith(".sections.0.blocks.0")


def test_the_schema_is_json_and_names_every_block() -> None:
    names = set(json.loads(json.dumps(SCHEMA))["$defs"])
    assert {"Text", "Card", "Facts", "Table", "Chart", "Matrix", "GraphView", "Gallery", "Montage", "Fold"} <= names
    assert SCHEMA["$schema"].startswith("https://json-schema.org/")
