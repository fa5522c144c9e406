"""The page's own script and style as they travel in a report: without comments and spaces, and with short local names.

Every byte of them is paid for in every report. The sources under templates/ are what people read and change; they keep
to a plain subset of JavaScript that makes this safe: statements end with a semicolon or a brace, no template literal
holds another, no method shorthand, no labels, and every browser global in use is named in `GLOBALS`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

# ruff: noqa: SIM905 (word lists read better as text)
GLOBALS = frozenset(
    "as async await break case catch class const continue debugger default delete do else enum export extends false "
    "finally for function if import in instanceof let new null of return static super switch this throw true "
    "try typeof undefined var void while with yield Infinity "
    "Array BigInt64Array BigUint64Array Blob Boolean Date Float32Array Float64Array Image Int32Array JSON "
    "IntersectionObserver Map Math Number Object Promise ResizeObserver Set String URL URLSearchParams "
    "Uint16Array Uint32Array Uint8Array XMLSerializer addEventListener atob document encodeURIComponent "
    "getComputedStyle history innerWidth isNaN location navigator parseInt requestAnimationFrame setTimeout".split()
)
_TOKEN = re.compile(
    r"""
    (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<template>`(?:\\.|[^`\\])*`)
    |(?P<gap>(?:\s|//[^\n]*|/\*.*?\*/)+)
    |(?P<name>[A-Za-z_$][\w$]*)
    |(?P<number>\.?\d[\w.]*)
    |(?P<mark>=>|\?\.(?!\d)|\.\.\.|.)
    """,
    re.DOTALL | re.VERBOSE,
)
# A slash begins a regular expression only where a value is expected.
_REGEX = re.compile(r"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")
_BEFORE_REGEX = {*"(,=:[!&|?{};", "=>", "return", ""}
_HOLE = re.compile(r"\$\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
_WORD = re.compile(r"[\w$]")
_BEFORE_BREAK = set("{(,;[=>&|?:+-*<!.")
_AFTER_BREAK = set("})];,.?:=&|")
_BEFORE_BLOCK = {")", "=>", ";", "{", "}", "else", "try", "catch", "finally", ""}
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


class Token(NamedTuple):
    """One piece of a script, and whether whitespace (with a line end) stood before it."""

    kind: str
    text: str
    gap: bool = False
    broken: bool = False


@lru_cache(maxsize=8)
def shrink_script(source: str) -> str:
    """Return a whole script, smaller; what it does stays the same."""
    tokens = _with_short_names(list(_tokens(source)))
    parts: list[str] = []
    for token in tokens:
        before = parts[-1][-1] if parts else ""
        parts += [_between(before, token), token.text]
    return "".join(parts) + "\n"


@lru_cache(maxsize=8)
def shrink_style(source: str) -> str:
    """Return CSS without comments and needless whitespace."""
    text = re.sub(r"\s+", " ", _CSS_COMMENT.sub("", source))
    text = re.sub(r" ?([{};,]) ?", r"\1", text)
    text = re.sub(r"(?<=[\w-]): (?=[^{}]*[;}])", ":", text)
    return text.replace(";}", "}").strip() + "\n"


def _tokens(source: str) -> Iterator[Token]:
    """Split a script; a template literal becomes its texts with the tokens of its holes between them."""
    gap = broken = False
    at, before = 0, ""
    while at < len(source):
        match = (_REGEX.match(source, at) if before in _BEFORE_REGEX else None) or _TOKEN.match(source, at)
        assert match is not None, "the last alternative matches any character"
        at, kind, text = match.end(), match.lastgroup or "text", match.group()
        if kind == "gap":
            gap, broken = True, broken or "\n" in text
            continue
        if kind == "template":
            yield from _template(text, gap, broken)
        else:
            yield Token(kind, text, gap, broken)
        before, gap, broken = text, False, False


def _template(text: str, gap: bool, broken: bool) -> Iterator[Token]:
    """Split a template literal at its holes; the texts keep their quotes and braces."""
    last = 0
    for hole in _HOLE.finditer(text):
        yield Token("text", text[last : hole.start() + 2], gap, broken)
        yield from _tokens(hole.group(1))
        last, gap, broken = hole.end() - 1, False, False
    yield Token("text", text[last:], gap, broken)


def _between(before: str, token: Token) -> str:
    """Return what must stay between two tokens: nothing, a space or a line end."""
    after = token.text[0]
    if not before or not token.gap:
        return ""
    if token.broken:
        return "" if before in _BEFORE_BREAK or after in _AFTER_BREAK else "\n"
    words = _WORD.match(before) and _WORD.match(after)
    return " " if words or (before == after and before in "+-") else ""


def _with_short_names(tokens: list[Token]) -> list[Token]:
    """Rename everything that the script itself names; one name stays one name, so no scope can change."""
    places = list(_places(tokens))
    counts = Counter(token.text for token, place in zip(tokens, places, strict=True) if place)
    order = sorted(counts, key=lambda name: (-counts[name] * (len(name) > 1), name))
    short = dict(zip(order, _short_names(len(order)), strict=True))
    return [
        token._replace(text=f"{token.text}:{short[token.text]}" if place == "shorthand" else short[token.text])
        if place
        else token
        for token, place in zip(tokens, places, strict=True)
    ]


def _places(tokens: list[Token]) -> Iterator[str]:
    """Say of each token whether it is a name of the script's own: "use", "shorthand" ({name}), or "" for neither."""
    braces: list[bool] = []
    for i, (kind, text, _, _) in enumerate(tokens):
        before = tokens[i - 1].text if i else ""
        after = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if kind == "mark" and text in "({[":
            braces.append(text == "{" and before not in _BEFORE_BLOCK)
        elif kind == "mark" and text in ")}]":
            braces.pop()
        if kind != "name" or text in GLOBALS or before in (".", "?."):
            yield ""
        elif braces and braces[-1] and before in "{,":
            yield "" if after == ":" else "shorthand" if after in "},=" else "use"
        else:
            yield "use"


def _short_names(count: int) -> list[str]:
    """Return `count` short names that mean nothing to JavaScript."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    pairs = (first + second for first in letters for second in letters)
    return [name for name in (*letters, *pairs) if name not in GLOBALS][:count]
