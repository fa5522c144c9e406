"""The logo that `theme:` names: decoded and stored anew, or a drawing with only what is allowed in it."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

from reportgen.errors import InputRefused
from reportgen.inputs.files import read_bounded, shown
from reportgen.report import svg
from reportgen.report.assets import check_picture
from reportgen.report.blocks import AssetRef
from reportgen.report.types import Asset

LOGO_BYTES = 1024 * 1024
LOGO_WIDTH, LOGO_HEIGHT = 640, 160  # pixels kept: twice what is shown
SVG_BYTES = 64 * 1024
_SIZE = re.compile(r'<svg[^>]*?\sviewBox="\s*[-\d.e]+[\s,]+[-\d.e]+[\s,]+([\d.e]+)[\s,]+([\d.e]+)\s*"')


def load_logo(path: Path, assets: dict[str, Asset]) -> AssetRef:
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
