"""The shared wording; it lies in `report.words`, so that checks and renderers may use it too."""

from __future__ import annotations

from reportgen.report.words import (
    UNKNOWN,
    Value,
    bytes_text,
    count,
    interval_text,
    join_words,
    number_text,
    ordinal,
    percent,
    plural_of,
    sample_anchor,
    seconds_text,
    shape_text,
    share_text,
    shorten,
    value_text,
)

__all__ = [
    "UNKNOWN",
    "Value",
    "bytes_text",
    "count",
    "interval_text",
    "join_words",
    "number_text",
    "ordinal",
    "percent",
    "plural_of",
    "sample_anchor",
    "seconds_text",
    "shape_text",
    "share_text",
    "shorten",
    "value_text",
]
