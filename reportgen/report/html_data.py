"""The report's data inside its own page: how it is written there, and how it is found again.

A page holds `<script type="application/json" id="report-data">` with the canonical JSON, and every asset once:
- a picture as `data-asset="HASH" src="data:TYPE;base64,..."`, the two attributes side by side in this order;
- a drawing as `data-asset="HASH">` followed by the stored SVG, byte for byte;
- an asset that is shown nowhere in the data itself, as base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, replace

from reportgen.errors import InputRefused
from reportgen.report import assets as pictures
from reportgen.report import json_text, limits, svg
from reportgen.report.types import Asset, Report

OPENING = '<script type="application/json" id="report-data">'
CLOSING = "</script>"

_OPENING = OPENING.encode()
_CLOSING = CLOSING.encode()
_PLACE = re.compile(rb'data-asset="([0-9a-f]{64})"')
_IMAGE = re.compile(rb' src="data:[a-z]+/[a-z+]+;base64,([A-Za-z0-9+/]*={0,2})"')
_PLACES_EACH = 4
_MARKUP = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


@dataclass(frozen=True, slots=True)
class DataBlock:
    """The script element, ready for a page: its text holds no character that means anything to an HTML parser."""

    json: str

    def __html__(self) -> str:
        """Return the element; templates print it as it is."""
        return f"{OPENING}{self.json}{CLOSING}"

    __str__ = __html__


def data_block(report: Report, shown: frozenset[str]) -> DataBlock:
    """Return the element that carries `report`; `shown` are the hashes of the assets that stand in the page.

    What long texts were shortened from is for report.json: it may be larger than the page.
    A drawing that `svg.inline` would change does not stand in the page as it is stored, so the data carries it.
    """
    in_page = frozenset(h for h in shown if h in report.assets and _stands_unchanged(report.assets[h]))
    text = json_text.write_plain(replace(report, long_texts=()), pictures.pack(report.assets, in_page=in_page))
    return DataBlock(re.sub("[<>&]", lambda match: _MARKUP[match.group()], text))


def _stands_unchanged(asset: Asset) -> bool:
    """Tell whether the page holds the asset's very bytes."""
    return asset.media_type != "image/svg+xml" or svg.inline(asset.data).encode("utf-8") == asset.data


def holds_data(page: bytes) -> bool:
    """Tell whether a page carries a report's data."""
    return _OPENING in page


def from_page(page: bytes, source: str) -> Report:
    """Return the report that `page` carries, with the assets taken from the page; raises InputRefused."""
    start = page.find(_OPENING)
    end = page.find(_CLOSING, start)
    if start < 0 or end < 0:
        raise InputRefused(f"{source}: is a page without a whole report in it; is the file cut off?")
    if page.find(_OPENING, start + 1) >= 0:
        raise InputRefused(f"{source}: carries the data of two reports")
    return json_text.from_json(page[start + len(_OPENING) : end], source, _PageAssets(page).find)


class _PageAssets:
    """Where the assets stand in a page. Each is looked for in few places, and all of them in no more than its bytes."""

    def __init__(self, page: bytes) -> None:
        self._page = page
        self._left = _PLACES_EACH * len(page)
        self._places: dict[str, list[int]] = {}
        for match in _PLACE.finditer(page):
            places = self._places.setdefault(match.group(1).decode("ascii"), [])
            if len(places) < _PLACES_EACH:
                places.append(match.end())

    def find(self, sha256: str, size: int) -> bytes | None:
        """Return the `size` bytes with this hash, or None when they do not stand in the page."""
        for place in self._places.get(sha256, ()):
            self._left -= size
            if self._left < 0:
                return None
            data = self._take(place, size)
            if data is not None and hashlib.sha256(data).hexdigest() == sha256:
                return data
        return None

    def _take(self, place: int, size: int) -> bytes | None:
        """Return the asset that follows right after its hash, if it has the stated size."""
        if self._page[place : place + 1] == b">":
            return self._page[place + 1 : place + 1 + size]
        image = _IMAGE.match(self._page, place, min(len(self._page), place + 64 + size * 4 // 3 + 8))
        if image is None:
            return None
        try:
            data = base64.b64decode(image.group(1), validate=True)
        except (binascii.Error, ValueError):
            return None
        return data if len(data) == size <= limits.ASSET_BYTES else None
