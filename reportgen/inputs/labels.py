"""Class names: from the configuration, or from a text file with one a line."""

from __future__ import annotations

from pathlib import Path

from reportgen.errors import InputRefused
from reportgen.inputs.files import read_bounded, shown

SIZE_LIMIT = 16 << 20


def load_class_names(
    given: tuple[str, ...] | Path, what: str = "the class names", *, gaps: bool = False
) -> tuple[str, ...]:
    """Return the names of one output's classes, in order of their index; raises InputRefused.

    An empty line in the middle of a file is refused (it would shift every later class) unless there may be `gaps` (the
    padding token has no word); those at the end are dropped.
    """
    if not isinstance(given, Path):
        return given
    data = read_bounded(given, what, SIZE_LIMIT)
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputRefused(f"{shown(given)}:{line}: not UTF-8; save {what} as UTF-8 text") from None
    names = [line.strip() for line in lines]
    while names and not names[-1]:
        names.pop()
    if "" in names and not gaps:
        raise InputRefused(f"{shown(given)}:{names.index('') + 1}: an empty line; each line needs a name ({what})")
    return tuple(names)
