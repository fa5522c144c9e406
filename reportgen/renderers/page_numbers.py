"""Numbers as the page writes them: one way for each format, the same in every block."""

from __future__ import annotations

import math
import re
import sys
from datetime import datetime

from reportgen.report.values import Missing, Number

DASH = "\u2013"
MINUS = "\u2212"
_HYPHEN = re.compile(r"(?<!\w)-(?=\d)")
_BYTES = ("KiB", "MiB", "GiB", "TiB")


def _signed(text: str) -> str:
    """Write a leading hyphen as a minus sign, which has the width of a digit."""
    return MINUS + text[1:] if text.startswith("-") else text


def percent(value: float) -> str:
    """Write a share in 0..1 with one decimal, with more where it would wrongly read as 0% or 100%."""
    if value in (0, 1):
        return f"{value:.0%}"
    text = f"{value:.1%}"
    return text if text not in ("0.0%", "-0.0%", "100.0%") else f"{value:.3%}"


def confidence(value: float) -> str:
    """Write a share for a card: one decimal, and a sign where that would wrongly read as 0% or 100%."""
    if 0 < value < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= value < 1 else percent(value)


def significant(value: float, digits: int = 4) -> str:
    """Write a number with at most `digits` significant digits, grouped, or as a power of ten when far from 1."""
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{value:,.0f}"
    if not 1e-4 <= abs(value) < 1e9:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_bare(mantissa)}e{int(exponent)}"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return _bare(f"{value:,.{max(places, 0)}f}")


def _bare(text: str) -> str:
    """Drop zeros that say nothing from the end of a decimal fraction."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(value: float) -> str:
    """Write a number of bytes in the unit that keeps it short."""
    if abs(value) < 1024:
        return f"{value:.0f} B"
    power = min(int(math.log(abs(value), 1024)), len(_BYTES))
    return f"{value / 1024**power:,.1f} {_BYTES[power - 1]}"


def duration(value: float) -> str:
    """Write seconds: 0.254 -> "0.25 s", 75 -> "1 min 15 s", 7260 -> "2 h 1 min"."""
    if value < 60:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    minutes, seconds = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


_WRITERS = {"percent": percent, "share": percent, "confidence": confidence, "bytes": size, "seconds": duration}


def write(value: str | Number | None, form: str = "number") -> str:
    """Write a cell, a fact or a metric by its format; "" for None and a dash for Missing (its reason stands beside)."""
    if value is None:
        return ""
    if isinstance(value, Missing):
        return DASH
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return DASH
    if isinstance(value, int) and abs(value) > sys.float_info.max:  # a damaged config can declare anything
        return f"over {sys.float_info.max:.0e}" if value > 0 else f"under {-sys.float_info.max:.0e}"
    if form == "int" or (isinstance(value, int) and form not in _WRITERS):
        return _signed(f"{value:,.0f}") if abs(value) < 1e15 else _signed(significant(float(value)))
    return _signed(_WRITERS.get(form, significant)(float(value)))


def figures(text: str) -> str:
    """Write the hyphens before digits of a text as minus signs: "-0.5 to 1.6"."""
    return _HYPHEN.sub(MINUS, text)


def moment(text: str) -> str:
    """Write a time as people do: "2026-11-23T05:58:50+00:00" -> "2026-11-23 05:58 UTC"; another text as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    zone = at.tzname() if at.tzinfo else ""
    return f"{at:%Y-%m-%d %H:%M} {zone}".strip() if "T" in text else text


def position(value: object) -> float | None:
    """Return where a share stands on a 0..100 scale, or None when it is missing or outside 0..1."""
    if isinstance(value, (int, float)) and 0 <= value <= 1:
        return round(float(value) * 100, 2)
    return None
