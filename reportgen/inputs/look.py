"""What `theme:` names on disk: a logo, decoded and stored anew, and a folder of templates, read but never run here."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reportgen.config_schema import Theme as ThemeConfig
from reportgen.errors import InputRefused
from reportgen.inputs.files import read_bounded, shown
from reportgen.report import svg
from reportgen.report.assets import check_picture
from reportgen.report.blocks import AssetRef
from reportgen.report.types import Asset, Theme

LOGO_BYTES = 1024 * 1024
LOGO_WIDTH, LOGO_HEIGHT = 640, 160  # pixels kept: twice what is shown
SVG_BYTES = 64 * 1024
FILES, FILE_BYTES, DEPTH = 100, 256 * 1024, 8
ENDINGS = (".jinja", ".css", ".txt")
_SIZE = re.compile(r'<svg[^>]*?\sviewBox="\s*[-\d.e]+[\s,]+[-\d.e]+[\s,]+([\d.e]+)[\s,]+([\d.e]+)\s*"')


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
    assets: dict[str, Asset] = {}
    logo = _load_logo(config.logo, assets) if config.logo is not None else None
    theme = Theme(config.accent or "", logo) if config.accent or logo else None
    if config.templates is None:
        return Look(theme, assets)
    return Look(theme, assets, load_templates(config.templates), shown(config.templates))


def _load_logo(path: Path, assets: dict[str, Asset]) -> AssetRef:
    """Store the logo as a PNG of our own making, or as a drawing with only what is allowed in it."""
    data = read_bounded(path, "the logo", LOGO_BYTES)
    place = shown(path)
    if path.suffix.lower() == ".svg":
        asset, (width, height) = _drawing(data, place)
    else:
        asset, (width, height) = _picture(data, place)
    sha256 = hashlib.sha256(asset.data).hexdigest()
    assets[sha256] = asset
    return AssetRef(sha256, width, height, "Logo")


def _drawing(data: bytes, place: str) -> tuple[Asset, tuple[int, int]]:
    """Return an SVG as it may stand in a page, with the size it is shown at."""
    if len(data) > SVG_BYTES:
        raise InputRefused(f"{place}: {len(data):,} bytes are more than a drawn logo may have ({SVG_BYTES:,})")
    try:
        clean = svg.sanitise(data)
    except InputRefused as error:
        raise InputRefused(f"{place}: {error.message}") from error
    size = _SIZE.search(clean.decode("utf-8"))
    if size is None or not 0 < float(size[2]) < 1e6 or not 0 < float(size[1]) < 1e6:
        raise InputRefused(f"{place}: the <svg> has no viewBox, so its shape is not known; add one")
    scale = min(LOGO_WIDTH / float(size[1]), LOGO_HEIGHT / float(size[2])) / 2
    return Asset("image/svg+xml", clean), (
        max(1, round(float(size[1]) * scale)),
        max(1, round(float(size[2]) * scale)),
    )


def _picture(data: bytes, place: str) -> tuple[Asset, tuple[int, int]]:
    """Return a PNG or WebP decoded, shrunk and encoded again: nothing but its pixels stays."""
    from PIL import Image

    kind = "image/png" if data.startswith(b"\x89PNG") else "image/webp"
    check_picture(kind, data, place)
    file = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "WEBP")) as image:
            picture = image.convert("RGBA" if image.has_transparency_data else "RGB")
            picture.thumbnail((LOGO_WIDTH, LOGO_HEIGHT), Image.Resampling.LANCZOS)
            picture.save(file, format="PNG", compress_level=9)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputRefused(f"{place}: cannot be read as a PNG, WebP or SVG picture") from error
    return Asset("image/png", file.getvalue()), (max(1, picture.width // 2), max(1, picture.height // 2))


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
