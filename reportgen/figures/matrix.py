"""Confusion matrices from 2 to 1,000 classes as SVG: counts in cells up to 30 classes, then a heat picture.

The tint is the share of the row. What is right (row and column have the same name) is outlined and bold as well as of
another colour. Tints are never so strong that the count on them falls below a contrast of 4.5 in light or dark.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.figures import ink
from reportgen.figures.drawing import Drawing
from reportgen.figures.images import encode_picture
from reportgen.figures.lettering import clean, escape, measure, open_svg, pixel, shorten, write_text
from reportgen.report.blocks import Matrix

Counts = NDArray[np.float64]

MOST_CELLS = 30
HEAT_SIDE, HEAT_POOLED = 540.0, 540
STRONGEST = {"tint": 0.55, "wrong": 0.5}
LABEL = 11.5
LONGEST_LABEL = 130.0
GAP = 6.0
MOST_FOR_NAMES = 480.0
FOOT = 22.0


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the cells stand: the corner of the first, their size, and the size of the whole drawing."""

    left: float
    top: float
    cell_width: float
    cell_height: float
    width: float
    height: float


def plot_matrix(block: Matrix) -> Drawing | None:
    """Draw a matrix; None when the counts do not fit the names, or there is no class."""
    counts = np.asarray(block.counts.to_numpy(), dtype=np.float64)
    shape = (len(block.rows), len(block.columns))
    if not counts.size or counts.size != shape[0] * shape[1]:
        return None
    counts = np.where(np.isfinite(counts), counts, 0.0).reshape(shape)
    largest = max(shape)
    grid = _place(block, counts) if largest <= MOST_CELLS else _place_heat(block)
    body = _cells(block, counts, grid) if largest <= MOST_CELLS else _heat(block, counts, grid)
    how = "the share of the row" if largest <= MOST_CELLS else "the share of the row, small shares raised (square root)"
    pooled = -(-largest // HEAT_POOLED)
    foot = f"Tint: {how}." + (f" A dot is the strongest of {pooled} \u00d7 {pooled} cells." if pooled > 1 else "")
    parts = [open_svg(grid.width, grid.height), _headings(block, grid), body]
    parts.append(write_text(4, grid.height - 6, foot, fill=ink.css("ink-soft"), size=LABEL))
    return Drawing("image/svg+xml", "".join([*parts, "</svg>"]).encode("utf-8"), round(grid.width), round(grid.height))


def compute_shares(counts: Counts) -> Counts:
    """Return each cell's share of its row in 0..1; rows without a sample are 0."""
    totals = counts.sum(axis=1, keepdims=True)
    shares: Counts = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    return shares


def write_count(count: float) -> str:
    """Return a count for a cell: in full up to 9,999, then 12k, 3.4M, 1.2e9."""
    if count < 10_000:
        return f"{count:,.0f}"
    for size, unit in ((1e3, "k"), (1e6, "M")):
        if count < 999.5 * size:
            return f"{count / size:.1f}{unit}" if count < 9.95 * size else f"{count / size:.0f}{unit}"
    return f"{count:.1e}".replace("e+0", "e").replace("e+", "e")


def _place(block: Matrix, counts: Counts) -> Grid:
    """Return the grid of a matrix with counts: cells as wide as the longest count, smaller ones for more classes."""
    n = max(counts.shape)
    size = _text_size(n)
    longest = max(measure(write_count(count), size, bold=True) for count in np.unique(counts))
    names = max(measure(clean(name), LABEL) for name in block.columns) + 12
    wide = max(longest + 8, 52 if n <= 4 else 42 if n <= 12 else 27)
    if names * len(block.columns) <= MOST_FOR_NAMES:
        wide = max(wide, names)  # a few long names are read more easily level than turned
    high = 38.0 if n <= 4 else 32.0 if n <= 12 else 22.0
    left, top = _margins(block, wide, n)
    return _sized(block, left, top, wide, high)


def _text_size(n: int) -> float:
    """Return the font size of counts in px."""
    return 13.0 if n <= 12 else 10.5


def _place_heat(block: Matrix) -> Grid:
    """Return the grid of a heat picture."""
    side = HEAT_SIDE / max(len(block.rows), len(block.columns))
    left, top = _margins(block, side, len(block.columns))
    return _sized(block, left, top, side, side)


def _margins(block: Matrix, cell_width: float, n: int) -> tuple[float, float]:
    """Return the room left of and above the cells for their names."""
    rows = max(measure(clean(name), LABEL) for name in _some(block.rows))
    columns = max(measure(clean(name), LABEL) for name in _some(block.columns))
    title = measure(clean(block.row_title), LABEL, bold=True)
    left = max(min(rows, LONGEST_LABEL), min(title, LONGEST_LABEL)) + 16
    turned = columns > cell_width - 4 or n > MOST_CELLS
    top = 24 + (0.71 * min(columns, LONGEST_LABEL) + 14 if turned else 18)
    return left, top


def _some(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return at most 1,200 names: more are never written."""
    return names[:1200]


def _sized(block: Matrix, left: float, top: float, wide: float, high: float) -> Grid:
    """Return the grid with the size of the drawing: turned names reach beyond the last column."""
    columns = [measure(clean(name), LABEL) for name in _some(block.columns)]
    turned = max(columns) > wide - 4
    beyond = 0.71 * min(columns[-1], LONGEST_LABEL) if turned else 6.0
    width = left + wide * len(block.columns) + max(beyond, 8.0)
    return Grid(left, top, wide, high, max(width, 250.0), top + high * len(block.rows) + FOOT + GAP)


def _headings(block: Matrix, grid: Grid) -> str:
    """Return the titles of rows and columns and the names of classes, thinned where they would touch."""
    soft, dark = ink.css("ink-soft"), ink.css("ink")
    column_title, row_title = clean(block.column_title), clean(block.row_title)
    parts = [
        write_text(
            grid.left,
            14,
            shorten(column_title, grid.width - grid.left, LABEL, bold=True),
            fill=soft,
            size=LABEL,
            bold=True,
        ),
        write_text(
            grid.left - 8,
            grid.top - 7,
            shorten(row_title, grid.left - 10, LABEL, bold=True),
            fill=soft,
            size=LABEL,
            anchor="end",
            bold=True,
        ),
    ]
    every = max(1, int(np.ceil(13 / grid.cell_height)))
    for r in range(0, len(block.rows), every):
        name = clean(block.rows[r])
        y = grid.top + (r + 0.5) * grid.cell_height + 4
        text = shorten(name, LONGEST_LABEL, LABEL)
        parts.append(write_text(grid.left - 8, y, text, fill=dark, size=LABEL, anchor="end", full=name))
    turned = max(measure(clean(name), LABEL) for name in _some(block.columns)) > grid.cell_width - 4
    apart = 20.0 if len(block.columns) > MOST_CELLS else 14.0 if turned else 1.0
    every = max(1, int(np.ceil(apart / grid.cell_width)))
    for c in range(0, len(block.columns), every):
        name = clean(block.columns[c])
        x = grid.left + (c + 0.5) * grid.cell_width
        text = shorten(name, LONGEST_LABEL, LABEL)
        if turned:
            parts.append(write_text(x + 2, grid.top - 7, text, fill=dark, size=LABEL, turn=-45, full=name))
        else:
            parts.append(write_text(x, grid.top - 7, text, fill=dark, size=LABEL, anchor="middle", full=name))
    return "".join(parts)


def _cells(block: Matrix, counts: Counts, grid: Grid) -> str:
    """Return the cells with their counts; zeros are empty beyond 12 classes, but for the diagonal."""
    shares = compute_shares(counts)
    box = f'width="{pixel(len(block.columns) * grid.cell_width)}" height="{pixel(len(block.rows) * grid.cell_height)}"'
    ground = f'fill="{ink.css("surface")}" stroke="{ink.css("grid")}"'
    parts = [f'<rect x="{pixel(grid.left)}" y="{pixel(grid.top)}" {box} {ground}/>']
    write_zeros = max(counts.shape) <= 12
    for r in range(counts.shape[0]):
        for c in range(counts.shape[1]):
            right = block.rows[r] == block.columns[c]
            if counts[r, c] or right or write_zeros:
                parts.append(_cell(block, counts, shares, grid, r, c))
    return "".join(parts)


def _cell(block: Matrix, counts: Counts, shares: Counts, grid: Grid, r: int, c: int) -> str:
    """Return one cell."""
    right = block.rows[r] == block.columns[c]
    colour = "tint" if right else "wrong"
    x, y = grid.left + c * grid.cell_width, grid.top + r * grid.cell_height
    size = _text_size(max(counts.shape))
    room = f'width="{pixel(grid.cell_width - 2)}" height="{pixel(grid.cell_height - 2)}"'
    place = f'x="{pixel(x + 1)}" y="{pixel(y + 1)}" {room} rx="2"'
    opacity = pixel(STRONGEST[colour] * float(shares[r, c]) + (0.03 if counts[r, c] and not right else 0.0))
    edge = f' stroke="{ink.css("tint")}" stroke-width="1.2"' if right else ""
    fill = ink.css("ink") if counts[r, c] else ink.css("ink-soft")
    words = write_text(
        x + grid.cell_width / 2,
        y + grid.cell_height / 2 + size * 0.36,
        write_count(counts[r, c]),
        fill=fill,
        size=size,
        anchor="middle",
        bold=right,
    )
    total = float(counts[r].sum())
    said = f"{counts[r, c]:,.0f} of {total:,.0f} {clean(block.rows[r])}: {clean(block.columns[c])}"
    title = f"<title>{escape(said)}</title>" if counts[r, c] else ""
    shape = f'<rect {place} fill="{ink.css(colour)}" fill-opacity="{opacity}"{edge}/>'
    return f'<g data-cell="{r},{c}">{title}{shape}{words}</g>'


def _heat(block: Matrix, counts: Counts, grid: Grid) -> str:
    """Return the heat picture: grey pixels as masks over the page's colours, so that it follows light and dark."""
    number = {name: i for i, name in enumerate((*block.rows, *block.columns))}
    rows, columns = ([number[name] for name in names] for names in (block.rows, block.columns))
    right = np.array(rows)[:, None] == np.array(columns)[None, :]
    strength = np.sqrt(compute_shares(counts))
    box = (
        f'x="{pixel(grid.left)}" y="{pixel(grid.top)}" width="{pixel(grid.cell_width * counts.shape[1])}"'
        f' height="{pixel(grid.cell_height * counts.shape[0])}"'
    )
    parts = [f'<rect {box} fill="{ink.css("surface")}" stroke="{ink.css("grid")}"/>']
    for colour, part in (("wrong", np.where(right, 0.0, strength)), ("tint", np.where(right, strength, 0.0))):
        levels = pool(np.where(part > 0, 40 + 215 * part, 0)).astype(np.uint8)
        data = base64.b64encode(encode_picture(levels, "maps").data).decode("ascii")
        exact = 'preserveAspectRatio="none" style="image-rendering:pixelated"'
        picture = f'<image {box} {exact} href="data:image/png;base64,{data}"/>'
        # `mask` needs a reference, and references need an id: the block's own, so that two drawings do not share it.
        name = f"{colour}-{zlib.crc32(block.id.encode('utf-8', 'replace')):08x}"
        parts.append(f'<mask id="{name}">{picture}</mask><rect {box} fill="{ink.css(colour)}" mask="url(#{name})"/>')
    return "".join(parts)


def pool(values: Counts) -> Counts:
    """Return the strongest of each block of cells, so that no mistake vanishes between pixels of a large matrix."""
    step = -(-max(values.shape) // HEAT_POOLED)
    if step == 1:
        return values
    rows, columns = (-(-length // step) for length in values.shape)
    padded = np.zeros((rows * step, columns * step))
    padded[: values.shape[0], : values.shape[1]] = values
    return np.asarray(padded.reshape(rows, step, columns, step).max(axis=(1, 3)))
