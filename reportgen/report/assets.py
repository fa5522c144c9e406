"""The pictures of a report in JSON: packed by hash, and unpacked from a file that may be hostile."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Callable
from typing import Any

from reportgen.errors import InputRefused
from reportgen.report import limits
from reportgen.report.types import Asset

MEDIA_TYPES = ("image/png", "image/webp", "image/svg+xml")

FindInPage = Callable[[str, int], bytes | None]

_HASH = re.compile(r"[0-9a-f]{64}")
_SVG_START = re.compile(rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?<svg[\s>/]")


def pack(assets: dict[str, Asset], *, data: bool = True, in_page: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the JSON form: type, size and bytes of each asset; no bytes if left out or if they stand in the page."""
    packed: dict[str, Any] = {}
    for sha256, asset in assets.items():
        entry: dict[str, Any] = {"media_type": asset.media_type, "bytes": len(asset.data)}
        if sha256 in in_page:
            entry["in_page"] = True
        elif data:
            entry["data"] = base64.b64encode(asset.data).decode("ascii")
        packed[sha256] = entry
    return packed


def unpack(packed: Any, source: str, find: FindInPage | None = None) -> dict[str, Asset]:
    """Return the assets whose bytes are there; raises InputRefused for bytes that are not what they say."""
    if not isinstance(packed, dict) or len(packed) > limits.ASSETS:
        raise InputRefused(f"{source}: assets: is no list of pictures, or has more than {limits.ASSETS:,}")
    assets: dict[str, Asset] = {}
    for sha256, entry in packed.items():
        place = f"{source}: picture {sha256[:12]}"
        if not _HASH.fullmatch(sha256) or not isinstance(entry, dict) or entry.get("media_type") not in MEDIA_TYPES:
            raise InputRefused(f"{place}: is not a PNG, WebP or SVG kept by its SHA-256")
        data = _bytes(sha256, entry, place, find)
        if data is not None:
            check_picture(entry["media_type"], data, place)
            assets[sha256] = Asset(entry["media_type"], data)
    return assets


def _bytes(sha256: str, entry: dict[str, Any], place: str, find: FindInPage | None) -> bytes | None:
    """Return one asset's bytes, verified, or None when the file leaves them out."""
    size = entry.get("bytes")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= limits.ASSET_BYTES:
        raise InputRefused(f"{place}: has no size, or more than {limits.ASSET_BYTES // limits.MIB} MiB")
    if entry.get("in_page") is True:
        data = find(sha256, size) if find else None
        if data is None:
            raise InputRefused(f"{place}: is missing or was changed; use the file as reportgen wrote it")
        return data
    if "data" not in entry:
        return None
    try:
        data = base64.b64decode(entry["data"], validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise InputRefused(f"{place}: is not base64") from error
    if len(data) != size or hashlib.sha256(data).hexdigest() != sha256:
        raise InputRefused(f"{place}: does not have the hash it is kept by; the file was changed or damaged")
    return data


def check_picture(media_type: str, data: bytes, place: str) -> None:
    """Raise InputRefused unless `data` starts like its media type and declares a sane size in pixels."""
    if media_type == "image/svg+xml":
        if not _SVG_START.match(data):
            raise InputRefused(f"{place}: is not an SVG")
        return
    width, height = _png_size(data) if media_type == "image/png" else _webp_size(data)
    if not width or not height:
        raise InputRefused(f"{place}: is not {media_type}")
    if max(width, height) > limits.SIDE or width * height > limits.PIXELS:
        raise InputRefused(f"{place}: declares {width:,} x {height:,} pixels, more than are shown")


def _png_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a PNG, or zeros."""
    if len(data) < 33 or data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        return 0, 0
    width, height = struct.unpack(">II", data[16:24])
    return int(width), int(height)


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a WebP, or zeros."""
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return 0, 0
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if data[12:16] == b"VP8 ":
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    return 0, 0
