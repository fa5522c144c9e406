"""What `theme:` names on disk: a logo, decoded and stored anew, and a folder of templates, read but never run here."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.config_schema import Theme as ThemeConfig
from reportgen.errors import InputRefused
from reportgen.inputs.files import shown

if TYPE_CHECKING:  # the report's types take a moment to import, and most configurations have no theme
    from reportgen.report.types import Asset, Theme

FILES, FILE_BYTES, DEPTH = 100, 256 * 1024, 8
ENDINGS = (".jinja", ".css", ".txt")


@dataclass(frozen=True, slots=True)
class Look:
    """A theme as it was found: what the report keeps of it, its assets, and the sources of the user's templates.

    `templates` maps names below the folder ("parts/gates.html.jinja") to their text; `folder` is how people call it.
    """

    theme: Theme | None = None
    assets: dict[str, Asset] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    folder: str = ""


def load_look(config: ThemeConfig) -> Look:
    """Read what a theme names. Raises InputRefused for a file that is not what it should be."""
    if config == ThemeConfig():
        return Look()
    from reportgen.inputs.logo import load_logo
    from reportgen.report.types import Theme

    assets: dict[str, Asset] = {}
    logo = load_logo(config.logo, assets) if config.logo is not None else None
    theme = Theme(config.accent or "", logo) if config.accent or logo else None
    if config.templates is None:
        return Look(theme, assets)
    return Look(theme, assets, load_templates(config.templates), shown(config.templates))


def load_templates(folder: Path) -> dict[str, str]:
    """Return the templates below a folder by name; links, foreign places and large files are refused."""
    if folder.is_symlink():
        raise InputRefused(f"{shown(folder)}: is a link; theme.templates must name the folder itself")
    if not folder.is_dir():
        raise InputRefused(f"{shown(folder)}: no such folder (theme.templates)")
    found: dict[str, str] = {}
    for path in _files(folder, 0):
        if len(found) >= FILES:
            raise InputRefused(f"{shown(folder)}: holds more than {FILES} templates")
        found[path.relative_to(folder).as_posix()] = source = _read_template(path)
        if path.suffix == ".jinja":
            _check_template(source, shown(path))
    if not any(name.endswith(".jinja") for name in found):
        raise InputRefused(f"{shown(folder)}: holds no template (*.jinja); templates/README.md says which there are")
    return found


def _check_template(source: str, place: str) -> None:
    """Raise InputRefused, with file and line, for a template that is not well-formed or switches escaping off."""
    import jinja2
    from jinja2 import nodes

    try:
        tree = jinja2.Environment(autoescape=True).parse(source)
    except jinja2.TemplateSyntaxError as error:
        raise InputRefused(f"{place}:{error.lineno}: {error.message}") from None
    except RecursionError:
        raise InputRefused(f"{place}: is nested too deeply") from None
    for node in tree.find_all(nodes.ScopedEvalContextModifier):
        raise InputRefused(f"{place}:{node.lineno}: escaping cannot be switched off: text is text")
    for found in tree.find_all(nodes.Filter):
        if found.name in ("safe", "urlize"):
            raise InputRefused(f"{place}:{found.lineno}: there is no filter `{found.name}`: text is text")


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """Yield the templates below a folder in order of their names."""
    if depth > DEPTH:
        raise InputRefused(f"{shown(folder)}: lies more than {DEPTH} folders deep")
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputRefused(f"{shown(folder)}: cannot be read: {error.strerror or error}") from None
    for entry in entries:
        path = Path(entry.path)
        if entry.is_symlink():
            raise InputRefused(f"{shown(path)}: is a link; copy the file into the folder of templates")
        if entry.is_dir(follow_symlinks=False):
            yield from _files(path, depth + 1)
        elif path.suffix in ENDINGS:
            yield path


def _read_template(path: Path) -> str:
    """Return the text of one template, opened without following a link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputRefused(f"{shown(path)}: is not a regular file")
            data = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise InputRefused(f"{shown(path)}: cannot be read: {error.strerror or error}") from None
    if len(data) > FILE_BYTES:
        raise InputRefused(f"{shown(path)}: has more than the {FILE_BYTES // 1024} KiB of a template")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputRefused(f"{shown(path)}: is not UTF-8 (byte {error.start})") from None
