"""Text from an input as Markdown that a forge shows as it is: no markup, mention, link, emoji or command in it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reportgen.renderers.page_numbers import write
from reportgen.renderers.page_text import clean
from reportgen.report.values import Missing, Number

NAME = 120
PROSE = 1_200

_GAP = "&#8203;"  # zero-width space: splits what a forge would recognise, and a reader sees no difference
_MARKUP = re.compile(r"[\\`*_\[\]#|~$!]")
_LINE_START = re.compile(r"^(?=[-+=/:>])|^(\d{1,9})(?=[.)](?:\s|$))")
_BREAKS = (
    (re.compile(r"@(?=\w)"), f"@{_GAP}"),  # mentions, and addresses
    (re.compile(r"(\\[#!~]|%|&amp;|GH-)(?=\d)", re.IGNORECASE), rf"\1{_GAP}"),  # issues, merge requests
    (re.compile(r":(?=:|//|[\w+-]+:)"), f":{_GAP}"),  # workflow commands, links, emoji
    (re.compile(r"\bwww\.", re.IGNORECASE), f"www{_GAP}."),
)


def plain(text: str, limit: int = NAME) -> str:
    """Return `text` on one line, at most `limit` of its characters, so that Markdown shows it as it is."""
    text = " ".join(text.split())
    if len(text) > limit:
        text = text[: limit - 1].rstrip() + "…"
    text = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _MARKUP.sub(r"\\\g<0>", text)
    for found, broken in _BREAKS:
        text = found.sub(broken, text)
    return _LINE_START.sub(r"\1\\", text)


def in_html(text: str) -> str:
    """Return `text` for a line of raw HTML, where a backslash would be shown: marks are entities instead."""
    return re.sub(r"\\(.)", lambda match: f"&#{ord(match.group(1))};", plain(text))


def prose(text: str) -> str:
    """Return running text."""
    return plain(text, PROSE)


def code(text: str, limit: int = NAME) -> str:
    """Return `text` in fixed-width letters: as HTML, since backticks cannot hold a backtick."""
    return f"<code>{plain(text, limit)}</code>" if text.strip() else ""


def value(cell: str | Number | None, form: str = "number") -> str:
    """Return one number or word; a missing one says why."""
    if isinstance(cell, Missing):
        return f"not known ({plain(cell.missing)})"
    if isinstance(cell, str):
        return code(cell) if form == "code" else plain(cell)
    return plain(write(cell, form))


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    heads = list(headings)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
