"""The page's own script and style without comments and needless spaces: readers pay for every byte of every report.

Only whitespace and comments go; names stay, so that the code in a report can still be read. The sources keep to one
rule that makes this safe: every statement ends with a semicolon or a brace, and no template literal holds another.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
    (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`
        |(?<=[(,=:\[!&|?])/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/
        |(?<=return[ ])/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/)
    |(?P<gap>(?:\s|//[^\n]*|/\*.*?\*/)+)
    """,
    re.DOTALL | re.VERBOSE,
)
_WORD = re.compile(r"[\w$]")
_BEFORE_BREAK = set("{(,;[=>&|?:+-*<!.")
_AFTER_BREAK = set("})];,.?:=&|")
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def shrink(name: str, source: str) -> str:
    """Return the code of a template called `name`: .js and .css shrunk, anything else as it is."""
    if name.endswith(".js"):
        return shrink_script(source)
    return shrink_style(source) if name.endswith(".css") else source


def shrink_script(source: str) -> str:
    """Return JavaScript without comments and needless whitespace."""
    parts: list[str] = []
    last = 0
    for match in _TOKEN.finditer(source):
        parts.append(source[last : match.start()])
        last = match.end()
        if match["text"] is not None:
            parts.append(match["text"])
            continue
        before = next((part[-1] for part in reversed(parts) if part), "")
        parts.append(_gap(before, source[last : last + 1], "\n" in match["gap"]))
    return "".join([*parts, source[last:]]).strip() + "\n"


def _gap(before: str, after: str, broken: bool) -> str:
    """Return what must stay between two characters: nothing, a space or a line end."""
    if not before or not after:
        return ""
    if broken:
        return "" if before in _BEFORE_BREAK or after in _AFTER_BREAK else "\n"
    words = _WORD.match(before) and _WORD.match(after)
    return " " if words or (before == after and before in "+-") else ""


def shrink_style(source: str) -> str:
    """Return CSS without comments and needless whitespace."""
    text = re.sub(r"\s+", " ", _CSS_COMMENT.sub("", source))
    text = re.sub(r" ?([{};,]) ?", r"\1", text)
    text = re.sub(r"(?<=[\w-]): (?=[^{}]*[;}])", ":", text)
    return text.replace(";}", "}").strip() + "\n"
