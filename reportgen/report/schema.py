"""The JSON Schema of report.json, generated from the types."""

from __future__ import annotations

from typing import Any

from reportgen.report.assets import MEDIA_TYPES
from reportgen.report.json_text import adapter
from reportgen.report.types import SCHEMA_VERSION

_ASSET = {
    "type": "object",
    "title": "Asset",
    "description": "One picture, by the SHA-256 of its bytes. Without `data` it stands in the page or was left out.",
    "properties": {
        "media_type": {"enum": list(MEDIA_TYPES)},
        "bytes": {"type": "integer", "exclusiveMinimum": 0},
        "data": {"type": "string", "contentEncoding": "base64"},
        "in_page": {"const": True},
    },
    "required": ["media_type", "bytes"],
    "additionalProperties": False,
}


def describe_report() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of the current report format."""
    schema = adapter().json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = f"reportgen report, format {SCHEMA_VERSION}"
    schema["$defs"]["Asset"] = _ASSET
    properties = schema["properties"]
    properties["assets"]["propertyNames"] = {"pattern": "^[0-9a-f]{64}$"}
    properties["schema_version"] = {"const": SCHEMA_VERSION}
    schema["required"] = sorted({*schema["required"], "schema_version", "assets"})
    return schema
