"""Tall graphs on paper: cut between their boxes into pieces that stand beside each other, like columns of a newspaper.

The drawing stands in the page once; each piece shows its own part of it (`<use>`), so a piece costs some 100 bytes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

ACROSS = 688  # CSS px between the margins of A4
GAP = 14  # px beside each piece
SCALE = 0.75  # as other figures on paper
LEAST, LEAST_FULL = 0.55, 0.41  # below that the words of ours, and those of Keras's larger ones, could not be read
LOW = 450  # px: half a page, so that no graph waits for a page of its own
TALL = 640  # drawing px: what is lower is readable as it is

_WHOLE = re.compile(r'<g [^>]*?\bid="(s[0-9a-f]{10}-all)"')
_SHIFT = re.compile(r"translate\([-\d.]+[ ,]([-\d.]+)\)")
_CARD = re.compile(r' data-card="[^>]*>(?:<title>[^<]*</title>)?<rect [^>]*?\by="([-\d.]+)"[^>]*?\bheight="([\d.]+)"')
_CORNERS = re.compile(r'<polygon [^>]*?points="((?:[-\d.]+,[-\d.]+ ?){5})"')
_WORDS = re.compile(r'<text [^>]*?\by="([-\d.]+)"')


@dataclass(frozen=True, slots=True)
class Columns:
    """The id of what is shown, the width of each piece on paper in px, its top and its height in the drawing."""

    target: str
    width: float
    pieces: tuple[tuple[float, float], ...]


def columns(drawing: str, width: int, height: int) -> Columns | None:
    """Return how a tall drawing is shown on paper, or None where it is low, or has no place to cut."""
    whole = _WHOLE.search(drawing)
    if whole is None or height <= TALL:
        return None
    count = _count(width, height, LEAST if " data-card=" in drawing else LEAST_FULL)
    scale = _scale(width, count)
    # In equal pieces, or in somewhat unequal ones where the gaps lie so.
    rows = math.ceil(height * scale / count / LOW - 0.25)
    boxes, most = _boxes(drawing), height / count / rows
    found = (_cut(boxes, height, most * slack) for slack in (1.05, 1.12, 1.2, 1.3))
    pieces = next((pieces for pieces in found if 1 < len(pieces) <= count * rows), ())
    return Columns(whole.group(1), round(width * scale, 1), pieces) if pieces else None


def _count(width: int, height: int, least: float) -> int:
    """Return in how many columns: as few as make it half a page high, or as many as can be read."""
    count = 1
    while height * _scale(width, count) / count > LOW and _scale(width, count + 1) >= least:
        count += 1
    return count


def _scale(width: int, count: int) -> float:
    """Return how large the drawing can be in so many columns."""
    return min(SCALE, (ACROSS / count - GAP) / width)


def _boxes(drawing: str) -> list[tuple[float, float]]:
    """Return from where to where no cut may be made: cards, boxes and words, from top to bottom."""
    shift = _SHIFT.search(drawing)
    down = float(shift.group(1)) if shift else 0.0
    found = [(float(top), float(top) + float(height)) for top, height in _CARD.findall(drawing)]
    for corners in _CORNERS.findall(drawing):
        ys = [float(pair.split(",")[1]) + down for pair in corners.split()]
        found.append((min(ys), max(ys)))
    found += [(float(y) + down - 13, float(y) + down + 5) for y in _WORDS.findall(drawing)]
    return sorted(found)


def _cut(boxes: list[tuple[float, float]], height: int, most: float) -> tuple[tuple[float, float], ...]:
    """Return pieces of at most `most` px, each cut in the last gap that it reaches; none where a gap is missing."""
    gaps, bottom = [], 0.0
    for low, high in boxes:
        if low > bottom + 6:
            gaps.append((low + bottom) / 2)
        bottom = max(bottom, high)
    top, pieces = 0.0, []
    while height - top > most:
        place = max((gap for gap in gaps if top + 40 < gap <= top + most), default=None)
        if place is None:
            return ()
        pieces.append((round(top, 1), round(place - top, 1)))
        top = place
    return (*pieces, (round(top, 1), round(height - top, 1)))
