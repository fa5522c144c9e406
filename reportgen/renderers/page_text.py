"""Text from an input as a reader may safely see it: nothing invisible, nothing reordered, nothing endless.

Escaping is Jinja's job (autoescape). This module makes sure that what is escaped can also be read: characters that
hide or reorder text are written out, control characters become U+FFFD, and very long text is shortened and says so.
"""

from __future__ import annotations

import re
import unicodedata

NAME_LIMIT = 96
PASSAGE_LIMIT = 320
TEXT_LIMIT = 4_000
PROSE_LIMIT = 20_000

_REPLACED = "\ufffd"
_NONCHARACTERS = "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
_CONTROL = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# A joiner is kept only where it builds one emoji of several; anywhere else it hides in a name.
_STRAY_JOINER = re.compile(
    "(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d|\u200d(?![\u2600-\u27bf\U0001f000-\U0001faff])"
)
# Letters of any script carry a few marks; a tower of them paints over the neighbouring lines.
_MARK_TOWER = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


# Bidirectional classes of Unicode that leave a text from left to right as it stands; "" is a character not known yet.
_STRAIGHT = frozenset({"L", "EN", "ES", "ET", "CS", "NSM", "BN", "B", "S", "WS", "ON"})


class DataUrl(str):
    """A `data:` address made by the renderer from bytes; the only string that reaches the page as it is."""

    __slots__ = ()


def _written_out(match: re.Match[str]) -> str:
    """Return the name of an invisible character, to stand in its place."""
    return f"[U+{ord(match.group()):04X}]"


def clean(text: str) -> str:
    """Return `text` with line ends as LF, control characters as U+FFFD and invisible characters written out."""
    if text.isascii() and text.isprintable():
        return text
    text = _CONTROL.sub(_REPLACED, text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _STRAY_JOINER.sub(_written_out, _INVISIBLE.sub(_written_out, text))
    return _MARK_TOWER.sub(rf"\1{_REPLACED}", text)


def turns(text: str) -> bool:
    """Tell whether `text` may change the order in which it or its neighbours are read: then it needs a <bdi>."""
    return not text.isascii() and any(unicodedata.bidirectional(letter) not in _STRAIGHT for letter in text)


def shorten(text: str, limit: int) -> str:
    """Return `text` if it has at most `limit` characters, else its two ends and its full length in words."""
    if len(text) <= limit:
        return text
    note = f" ({len(text):,} characters, whole in the data)"
    tail = limit // 4
    return f"{text[: limit - tail]}…{text[len(text) - tail :]}{note}"


def name(text: str) -> str:
    """Return a name on one line, cleaned and shortened for a heading, a cell or a label."""
    return clean(shorten(" ".join(text.split()), NAME_LIMIT))


def passage(text: str) -> str:
    """Return a sentence or two on one line, for a cell: a name's limit would cut it in the middle."""
    return clean(shorten(" ".join(text.split()), PASSAGE_LIMIT))


def prose(text: str) -> str:
    """Return running text, cleaned, with room for a whole document (a review, a log)."""
    return clean(shorten(text, PROSE_LIMIT))


def finalize(value: object) -> object:
    """Prepare any value that a template prints: the hook that no template can forget."""
    if hasattr(value, "__html__") or isinstance(value, DataUrl) or not isinstance(value, str):
        return value
    return clean(shorten(value, TEXT_LIMIT))
