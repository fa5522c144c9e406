"""Pictures of the page: each asset stands in it once, and says where it is when it is asked for again."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from markupsafe import Markup

from reportgen.renderers.page_text import DataUrl
from reportgen.report import svg
from reportgen.report.blocks import AssetRef
from reportgen.report.types import Asset

SVG = "image/svg+xml"
_NARROW, _TALLEST = 288, 480


@dataclass(frozen=True, slots=True)
class Picture:
    """What a template needs to show one asset.

    `state` is "first" (embed it), "again" (it stands at `anchor`, which `place` names for a reader of paper), or
    "absent" (the report holds no bytes for it).
    Small exact pictures are shown `zoom` times as large (`narrow` times on a phone): whole steps keep pixels square.
    """

    state: str
    sha256: str
    width: int
    height: int
    alt: str
    url: DataUrl | str = ""
    drawing: Markup | str = ""
    anchor: str = ""
    place: str = ""
    zoom: int = 1
    narrow: int = 1


class Pictures:
    """Hands out the report's assets and remembers which already stand in the page."""

    def __init__(self, assets: dict[str, Asset]) -> None:
        self._assets = assets
        self._shown: dict[str, tuple[str, str]] = {}

    @property
    def shown(self) -> frozenset[str]:
        """The hashes of the assets that stand in the page so far."""
        return frozenset(self._shown)

    def take(self, ref: AssetRef, anchor: str, room: int, place: str = "", narrow: int = _NARROW) -> Picture:
        """Return the picture of `ref`, shown at `anchor`, enlarged to at most `room` x 480 px, `narrow` on a phone."""
        asset = self._assets.get(ref.sha256)
        if asset is None:
            return Picture("absent", ref.sha256, ref.width, ref.height, ref.alt)
        if ref.sha256 in self._shown:
            first, named = self._shown[ref.sha256]
            return Picture("again", ref.sha256, ref.width, ref.height, ref.alt, anchor=first, place=named)
        self._shown[ref.sha256] = anchor, place
        if asset.media_type == SVG:
            drawing = svg.inline(asset.data)
            return Picture("first", ref.sha256, ref.width, ref.height, ref.alt, drawing=drawing)
        url = DataUrl(f"data:{asset.media_type};base64,{base64.b64encode(asset.data).decode('ascii')}")
        exact = asset.media_type == "image/png"
        tall = _steps(ref.height, _TALLEST)
        return Picture(
            "first",
            ref.sha256,
            ref.width,
            ref.height,
            ref.alt,
            url=url,
            zoom=min(_steps(ref.width, room), tall) if exact else 1,
            narrow=min(_steps(ref.width, min(room, narrow)), tall) if exact else 1,
        )


def _steps(width: int, room: int) -> int:
    """Return the largest whole factor by which `width` (or a height) fits into `room` px, at least 1."""
    return max(1, room // max(width, 1))
