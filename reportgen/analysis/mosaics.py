"""Many small pictures laid out as one: feature maps, kernels, panes side by side. NumPy only, one array a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reportgen.analysis.images import Array, Pixels, as_float, blur, mark_nan, to_grey


def shrink(maps: Array, side: int) -> Array:
    """Return (k, h, w) maps averaged down to at most `side` a side by whole blocks; smaller maps are kept."""
    out = as_float(maps)
    for axis in (1, 2):
        size = out.shape[axis]
        if size > side:
            edges = np.linspace(0, size, side + 1).astype(int)
            shape = [1, 1, 1]
            shape[axis] = side
            out = np.add.reduceat(out, edges[:-1], axis=axis) / np.diff(edges).reshape(shape)
    return out


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Tiles laid out row by row with a 1 px gap. `low`/`high` are the ends of the scale; `scaling` says it in words."""

    pixels: Pixels
    shown: int
    across: int
    tile_width: int
    tile_height: int
    low: float
    high: float
    scaling: str
    nan: int


def tile_mosaic(
    maps: Array, *, per: Literal["tile", "layer"] = "layer", across: int = 0, blurred: bool = False, gap: int = 32
) -> Mosaic:
    """Lay (k, h, w) maps out as one picture.

    `per` "layer" scales all tiles alike (tiles compare), "tile" each on its own (faint maps show). Zero is mid-grey
    when values lie on both sides of it. `across` 0 chooses a roughly square layout; `gap` is the grey between tiles.
    """
    values = as_float(maps)
    k, h, w = values.shape
    across = across or max(1, min(k, math.ceil(math.sqrt(k * h / w))))
    down = math.ceil(k / across)
    missing = ~np.isfinite(values)
    low, high = _symmetric(values)
    tiles = np.stack([to_grey(tile, *(_symmetric(tile) if per == "tile" else (low, high))) for tile in values])
    canvas = np.full((down * (h + 1) - 1, across * (w + 1) - 1), gap, np.uint8)
    where = np.zeros(canvas.shape, bool)
    for i, tile in enumerate(tiles):
        y, x = (i // across) * (h + 1), (i % across) * (w + 1)
        canvas[y : y + h, x : x + w] = blur(tile) if blurred else tile
        where[y : y + h, x : x + w] = missing[i]
    return Mosaic(
        mark_nan(canvas, where), k, across, w, h, low, high, _scaling_words(low, high, per), int(np.isnan(values).sum())
    )


def _symmetric(values: Array) -> tuple[float, float]:
    """Return the ends of a grey scale: 0 to the largest value, or the same distance on both sides of 0."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if low >= 0:
        return 0.0, high
    reach = max(-low, high)
    return -reach, reach


def _scaling_words(low: float, high: float, per: str) -> str:
    """Say how the tiles of a mosaic were scaled."""
    what = "each tile on its own scale" if per == "tile" else "one scale for all tiles"
    if per == "tile":
        ends = "0 is black" if low >= 0 else "0 is mid-grey"
        return f"{what}; {ends}, the largest value of a tile is white"
    if low >= 0:
        return f"{what}; 0 is black, {high:.4g} is white"
    return f"{what}; {low:.4g} is black, 0 mid-grey, {high:.4g} white"


def enlarge(pixels: Pixels, least: int) -> Pixels:
    """Repeat pixels by a whole factor until the longer side has at least `least`; larger pictures are kept."""
    factor = max(1, math.ceil(least / max(pixels.shape[:2])))
    return np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1)


def side_by_side(panes: list[Pixels], gap: int = 2) -> Pixels:
    """Join pictures of one height left to right with a white gap; grey ones become colour."""
    height = max(pane.shape[0] for pane in panes)
    parts: list[Pixels] = []
    for pane in panes:
        colour = np.repeat(pane[..., None], 3, axis=-1) if pane.ndim == 2 else pane[..., :3]
        padded = np.full((height, colour.shape[1], 3), 255, np.uint8)
        padded[: colour.shape[0]] = colour
        parts += [padded, np.full((height, gap, 3), 255, np.uint8)]
    return np.concatenate(parts[:-1], axis=1)


def stack_panes(panes: list[Pixels], gap: int = 3) -> Pixels:
    """Join pictures one below the other, as colour, on white."""
    width = max(pane.shape[1] for pane in panes)
    parts: list[Pixels] = []
    for pane in panes:
        colour = np.repeat(pane[..., None], 3, axis=-1) if pane.ndim == 2 else pane
        padded = np.full((colour.shape[0] + gap, width, 3), 255, np.uint8)
        padded[: colour.shape[0], : colour.shape[1]] = colour
        parts.append(padded)
    return np.concatenate(parts)[:-gap]


def pane_grid(panes: list[Pixels], gap: int = 2) -> Pixels:
    """Join two pictures side by side, three or four as two rows of two; gaps are white."""
    if len(panes) < 3:
        return side_by_side(panes, gap)
    rows = [side_by_side(panes[:2], gap), side_by_side(panes[2:], gap)]
    width = max(row.shape[1] for row in rows)
    parts = []
    for row in rows:
        padded = np.full((row.shape[0], width, 3), 255, np.uint8)
        padded[:, : row.shape[1]] = row
        parts.append(padded)
    return np.concatenate([parts[0], np.full((gap, width, 3), 255, np.uint8), parts[1]], axis=0)
