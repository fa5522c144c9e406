"""Text in drawings: made safe, measured without a font, shortened to a width, and written as SVG.

Widths come from a small table (Helvetica's, which system sans-serif fonts are close to), a little generous, so that
nothing needs a font on this machine and every machine lays text out alike.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif"
ELLIPSIS = "\u2026"
LONGEST = 400

_NOT_XML = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_MARKS = re.compile(
    "([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})[\u0300-\u036f\u1ab0-\u20ff]+"
)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_NARROW = {**dict.fromkeys("ijl|'", 0.24), **dict.fromkeys("ft.,:;!/\\[]() I-`", 0.31), **dict.fromkeys('r"*', 0.37)}
_WIDE = {**dict.fromkeys("mM", 0.86), **dict.fromkeys("wNQOGDHU&CAR", 0.74), "W": 0.97, "@": 1.02, "%": 0.9}
_WIDTHS = {
    **_NARROW,
    **_WIDE,
    **dict.fromkeys("csvxyzkJ", 0.51),
    **dict.fromkeys("BEFKLPSTVXYZ~+=<>", 0.67),
    ELLIPSIS: 1.0,
}
_USUAL = 0.57
_GENEROUS = 1.1  # wide system fonts (DejaVu, Verdana) take up to a tenth more than Helvetica


def clean(text: str) -> str:
    """Return `text` on one line: line ends and tabs as spaces, what XML cannot hold as U+FFFD, hidden characters named.

    At most 400 characters stay; the whole text is in the report's data.
    """
    text = " ".join(text[: 4 * LONGEST].split())
    text = _NOT_XML.sub("\ufffd", text)
    text = _MARKS.sub("\\1\ufffd", _HIDDEN.sub(lambda match: f"[U+{ord(match.group()):04X}]", text))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + ELLIPSIS


def escape(text: str) -> str:
    """Return text as it may stand in XML, in an element or a quoted attribute."""
    return re.sub('[&<>"]', lambda match: _ENTITIES[match.group()], text)


@lru_cache(maxsize=4096)
def _width_of(character: str) -> float:
    """Return the width of one character in em."""
    width = _WIDTHS.get(character)
    if width is not None:
        return width
    if character.isascii():
        return _USUAL
    if unicodedata.combining(character) or character == "\ufe0f":
        return 0.0
    return 1.05 if unicodedata.east_asian_width(character) in "WF" or ord(character) > 0xFFFF else 0.72


def measure(text: str, size: float, bold: bool = False) -> float:
    """Return the width of cleaned text in px at a font size in px."""
    return sum(map(_width_of, text)) * size * _GENEROUS * (1.06 if bold else 1.0)


def shorten(text: str, width: float, size: float, bold: bool = False, middle: bool = True) -> str:
    """Return cleaned text that fits `width` px: both ends around an ellipsis (names differ there), or its start."""
    if measure(text, size, bold) <= width:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest cut that fits, by bisection: 100,000 characters cost as much as 20
        keep = (low + high + 1) // 2
        if measure(_cut(text, keep, middle), size, bold) <= width:
            low = keep
        else:
            high = keep - 1
    return _cut(text, low, middle)


def _cut(text: str, keep: int, middle: bool) -> str:
    """Return `keep` characters of the text and an ellipsis."""
    tail = keep // 2 if middle else 0
    return text[: keep - tail] + ELLIPSIS + (text[len(text) - tail :] if tail else "")


def open_svg(width: float, height: float) -> str:
    """Return the start tag of a drawing of this size in px."""
    size = f'viewBox="0 0 {pixel(width)} {pixel(height)}" width="{pixel(width)}" height="{pixel(height)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}">'


def pixel(value: float) -> str:
    """Return a coordinate with at most two decimals, never "-0" or an exponent."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def write_text(
    x: float,
    y: float,
    text: str,
    *,
    fill: str,
    size: float = 12,
    anchor: str = "",
    bold: bool = False,
    turn: float = 0,
    full: str = "",
    isolate: bool = True,
) -> str:
    """Return one SVG text run of cleaned text with its baseline at (x, y); `full` is shown on hover when it was cut."""
    parts = [f'<text x="{pixel(x)}" y="{pixel(y)}" font-size="{pixel(size)}" fill="{fill}"']
    parts.append(f' text-anchor="{anchor}"' if anchor else "")
    parts.append(' font-weight="600"' if bold else "")
    parts.append(f' transform="rotate({pixel(turn)} {pixel(x)} {pixel(y)})"' if turn else "")
    parts.append(' style="unicode-bidi:isolate"' if isolate and not text.isascii() else "")
    parts.append(f"><title>{escape(full)}</title>" if full and full != text else ">")
    return "".join(parts) + escape(text) + "</text>"
