"""The user's colour, made lighter or darker until it can be read on the page: WCAG 2.2, 1.4.3 and 1.4.11."""

from __future__ import annotations

import re

# Backgrounds that text stands on, from css/base.css: the page and a raised part of it, light and dark.
LIGHT = ("#fdfdfc", "#f5f5f2")
DARK = ("#15171a", "#1e2125")
TEXT, MARK = 4.6, 3.1  # contrast: the standard asks for 4.5 and 3, and rounding takes a little
_HEX = re.compile(r"#[0-9a-f]{6}")


def shades(accent: str) -> dict[str, tuple[str, str]] | None:
    """Return the colour for links and for marks, each as (on light, on dark); None where there is no such colour."""
    if not _HEX.fullmatch(accent):
        return None
    return {
        "link": (readable(accent, LIGHT, TEXT, 0), readable(accent, DARK, TEXT, 255)),
        "tint": (readable(accent, LIGHT, MARK, 0), readable(accent, DARK, MARK, 255)),
    }


def readable(colour: str, surfaces: tuple[str, ...], least: float, towards: int) -> str:
    """Return `colour`, mixed with black (0) or white (255) in steps of 2% until its contrast is at least `least`."""
    parts = _parts(colour)
    for step in range(51):
        mixed = tuple(round(part + (towards - part) * step / 50) for part in parts)
        if all(contrast(mixed, _parts(surface)) >= least for surface in surfaces):
            break
    return "#" + "".join(f"{part:02x}" for part in mixed)


def contrast(first: tuple[int, ...], second: tuple[int, ...]) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _parts(colour: str) -> tuple[int, ...]:
    """Return red, green and blue, 0 to 255."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def _luminance(colour: tuple[int, ...]) -> float:
    """Return the relative luminance by WCAG: sRGB made linear, weighted."""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
