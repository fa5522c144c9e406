"""Turn the Report's dataclasses into plain JSON values, in one exact way."""

from __future__ import annotations

import dataclasses
import math
import re
from functools import lru_cache
from typing import Any

import numpy as np

_SURROGATE = re.compile("[\ud800-\udfff]")


def to_plain(value: Any) -> Any:
    """Return dicts, lists, texts and numbers for `value`.

    Lone surrogates become U+FFFD. A number that is not finite becomes {"missing": ...}, or null where a plain float may
    be left out; raises ValueError where a plain float is required, TypeError for anything that is no report data.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return _plain_number(float(value))
    if isinstance(value, (tuple, list)):
        # Names of samples come by the ten thousand: what needs no change is not asked a second time.
        return [item if type(item) is str and item.isascii() else to_plain(item) for item in value]
    if isinstance(value, dict):
        return {to_plain(str(key)): to_plain(item) for key, item in value.items()}
    if isinstance(value, np.bool_):
        return bool(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            name: _plain_field(value, name, kind)
            for name, kind, later in _fields(type(value))
            if not later or getattr(value, name)
        }
    raise TypeError(f"{type(value).__name__} cannot be kept in a report")


def _plain_number(value: float) -> float | dict[str, str]:
    """Return a finite number as it is; anything else as missing, with the reason."""
    if math.isfinite(value):
        return value
    return {"missing": "not a number" if math.isnan(value) else "infinite"}


@lru_cache(maxsize=256)
def _fields(kind: type) -> tuple[tuple[str, str, bool], ...]:
    """Return the names of a dataclass's fields, each with its annotation as text and whether it came LATER."""
    return tuple((field.name, str(field.type), "later" in field.metadata) for field in dataclasses.fields(kind))


def _plain_field(owner: Any, name: str, kind: str) -> Any:
    """Return one field; a field of plain type int or float is written as that type, whatever number it was given."""
    value = getattr(owner, name)
    if kind.startswith("float") and isinstance(value, (int, float, np.number)):
        number = float(value)
        if math.isfinite(number):
            return number
        if kind == "float | None":
            return None
        raise ValueError(f"{type(owner).__name__}.{name} is not finite")
    if kind == "int" and isinstance(value, (float, np.floating)) and float(value).is_integer():
        return int(value)
    return to_plain(value)
