"""Shared wording: how numbers, counts, shares, intervals, sizes and names are written in sentences.

Every sentence on the page takes its numbers through here, so that one number never reads two ways.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import SupportsFloat

from reportgen.report.values import Missing, Number

UNKNOWN = "not known"
_BYTE_UNITS = ("KiB", "MiB", "GiB", "TiB")

Value = Number | SupportsFloat | None


def _finite(value: Value) -> float | None:
    """Return `value` as a finite float, or None."""
    if value is None or isinstance(value, Missing):
        return None
    result = float(value)
    return result if math.isfinite(result) else None


def _reason(value: Value) -> str:
    """Say why `value` is not a number a reader can use."""
    if isinstance(value, Missing):
        return f"{UNKNOWN} ({value.missing})" if value.missing else UNKNOWN
    if value is None:
        return UNKNOWN
    return "not a number" if math.isnan(float(value)) else "infinite"


def percent(x: Value) -> str:
    """Write a share in 0..1 as a percentage with one decimal: 0.973 -> "97.3%".

    Digits are added before a share short of 0 or 1 would read as "0.0%" or "100.0%".
    """
    share = _finite(x)
    if share is None:
        return _reason(x)
    if share in (0.0, 1.0):
        return f"{share * 100:.0f}%"
    for digits in (1, 2):
        text = f"{share * 100:.{digits}f}"
        if float(text) not in (0.0, 100.0):
            return f"{text}%"
    if abs(share) < 0.5:
        return "under 0.01%" if share > 0 else "between -0.01% and 0%"
    return "over 99.99%" if share < 1 else "just over 100%"


def number_text(x: Value, digits: int = 4) -> str:
    """Write a number with `digits` significant digits: 1234567 -> "1,234,567", 3.14159 -> "3.142", 1e-9 -> "1e-9"."""
    value = _finite(x)
    if value is None:
        return _reason(x)
    if value == 0:
        return "0"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if 1e-4 <= abs(value) < 1e6:
        whole = len(str(int(abs(value)))) if abs(value) >= 1 else 1 - math.ceil(-math.log10(abs(value)) - 1e-12)
        text = f"{value:,.{min(max(digits - whole, 0), 12)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, exponent = f"{value:.{max(digits - 2, 0)}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}"


def count(n: int, noun: str, plural: str = "") -> str:
    """Write a count with its noun: (1, "sample") -> "1 sample", (1200, "class") -> "1,200 classes"."""
    return f"{n:,} {noun if n == 1 else plural or plural_of(noun)}"


def plural_of(noun: str) -> str:
    """Return the regular English plural of `noun`."""
    if noun.endswith(("s", "x", "ch", "sh")) and not noun.endswith("epoch"):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def ordinal(n: int) -> str:
    """Write a place in a row: 1 -> "1st", 12 -> "12th", 22 -> "22nd"."""
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n:,}{ending}"


def share_text(part: int, whole: int, noun: str = "", plural: str = "") -> str:
    """Write a part of a whole with its percentage: (3, 360, "sample") -> "3 of 360 samples (0.83%)"."""
    of = f"{part:,} of {count(whole, noun, plural)}" if noun else f"{part:,} of {whole:,}"
    return f"{of} ({percent(part / whole)})" if whole else of


def interval_text(low: Value, high: Value, unit: str = "") -> str:
    """Write the ends of a 95% interval: "0.91 to 0.95"; with unit "share", "91.0% to 95.0%"."""
    if _finite(low) is None or _finite(high) is None:
        return "no interval"
    write = percent if unit == "share" else number_text
    return f"{write(low)} to {write(high)}"


def value_text(x: Value, unit: str = "") -> str:
    """Write a metric's value: a percentage when its unit is "share", else a plain number with its unit."""
    if unit == "share":
        return percent(x)
    return f"{number_text(x)} {unit}" if unit and _finite(x) is not None else number_text(x)


def bytes_text(n: Value) -> str:
    """Write a size in bytes: 1536 -> "1.5 KiB"."""
    size = _finite(n)
    if size is None:
        return _reason(n)
    if abs(size) < 1024:
        return f"{int(size)} B"
    for unit in _BYTE_UNITS:
        size /= 1024
        if abs(size) < 1023.95 or unit == _BYTE_UNITS[-1]:
            break
    return f"{size:,.1f} {unit}"


def seconds_text(x: Value) -> str:
    """Write a duration: 0.25 -> "0.25 s", 75 -> "1 min 15 s"."""
    seconds = _finite(x)
    if seconds is None:
        return _reason(x)
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def shape_text(shape: Sequence[int | None]) -> str:
    """Write a shape: (28, 28, 1) -> "28 × 28 × 1"; an open dimension is "any", no dimensions at all "scalar"."""
    return " × ".join("any" if size is None else f"{size}" for size in shape) or "scalar"


def shorten(text: str, limit: int = 60, keep: str = "start") -> str:
    """Put `text` on one line of at most `limit` characters; `keep` says what survives: "start", "end" or "both"."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    room = max(limit - 1, 0)
    if keep == "end":
        return f"…{line[len(line) - room :]}"
    if keep == "both":
        tail = room // 2
        return f"{line[: room - tail]}…{line[len(line) - tail :]}"
    return f"{line[:room].rstrip()}…"


def lower(text: str) -> str:
    """Write the first letter small, unless the first word is a name or an abbreviation ("Model.keras", "IoU", "R²")."""
    first = text.split(" ", 1)[0].rstrip(",:;.")
    plain = first == "A" or (first.isalpha() and first[1:].islower())
    return text[:1].lower() + text[1:] if plain else text


def join_words(words: Sequence[str], most: int = 0) -> str:
    """Join words as in a sentence: "a, b and c"; beyond `most` words (0: no limit) the rest is counted."""
    items = list(words)
    if most and len(items) > most:
        items = [*items[:most], f"{len(items) - most:,} more"]
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def sample_anchor(key: int) -> str:
    """Return the page anchor of a sample: `sample-` and its key in 16 hex digits."""
    return f"sample-{key:016x}"
