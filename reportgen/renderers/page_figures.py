"""The numbers behind each figure, as a reader without the picture gets them: a short table, with what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.renderers import page_numbers, page_text
from reportgen.report.blocks import Chart, Gallery, Matrix, Series
from reportgen.report.types import Asset
from reportgen.report.values import Column

MOST_ROWS = 30
MOST_CELLS = 16
PAPER = 128  # characters of a small figure table side by side on A4
_HALF_A_PHONE = 152


@dataclass(frozen=True, slots=True)
class NumbersTable:
    """At most 30 rows of text cells; `shown` of `of` rows, and what the table cannot say in `note`."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shown: int
    of: int
    note: str = ""

    @property
    def columns(self) -> int:
        """Return in how many columns paper has room for the table: a browser repeats its head only in tall ones."""
        cells = [max(map(len, cells)) for cells in zip(*self.rows, strict=True)]
        heads = [len(heading) for heading in self.headings]
        widths = [max(cell, head if head < 12 else head // 2 + 3, 4) for cell, head in zip(cells, heads, strict=True)]
        lines = 1 if all(head <= width for head, width in zip(heads, widths, strict=True)) else 2
        return max(1, min(PAPER // (sum(widths) + 2 * len(widths)), len(self.rows) // (3 * lines + 1)))


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One count, its share of the row in 0..100 for its tint, and whether truth and prediction agree."""

    count: str
    share: float
    row: int
    column: int
    diagonal: bool
    label: str


def _read(column: Column | None) -> NDArray[Any]:
    """Return a column's values as float64, or none at all when the data is damaged."""
    if column is None:
        return np.empty(0)
    try:
        return np.asarray(column.to_numpy(), dtype=np.float64)
    except ValueError:
        return np.empty(0)


def _pick(points: NDArray[Any], keep: list[float]) -> NDArray[Any]:
    """Choose at most 30 of the ascending `points`: the ends, those nearest to `keep`, and the rest evenly spread."""
    if points.size <= MOST_ROWS:
        return points
    marked = {int(np.abs(points - value).argmin()) for value in keep[: MOST_ROWS // 2]}
    even = np.linspace(0, points.size - 1, MOST_ROWS - len(marked)).round().astype(int)
    return points[sorted(marked | set(even.tolist()))]


def _cell(series: Series, values: dict[str, NDArray[Any]], at: float) -> str:
    """Write one series' value at x, with its interval where it has one."""
    hits = np.flatnonzero(values["x"] == at)
    if not hits.size or hits[0] >= values["y"].size:
        return ""
    i = int(hits[0])
    text = _number(float(values["y"][i]))
    if values["low"].size > i and values["high"].size > i:
        text += f" ({_number(float(values['low'][i]))} to {_number(float(values['high'][i]))})"
    return text


def _number(value: float) -> str:
    """Write a finite value as a number and say what a value is that is none."""
    if np.isfinite(value):
        return page_numbers.write(int(value) if value.is_integer() and abs(value) < 1e9 else value)
    return "not a number" if np.isnan(value) else "infinite"


def chart_numbers(chart: Chart) -> NumbersTable:
    """Tabulate a chart: one row an x, one column a series."""
    read = [{"x": _read(s.x), "y": _read(s.y), "low": _read(s.low), "high": _read(s.high)} for s in chart.series]
    every = [values["x"] for values in read if values["x"].size]
    points = np.unique(np.concatenate(every)) if every else np.empty(0)
    points = points[np.isfinite(points)]
    picked = _pick(points, [mark.x for mark in chart.marks if mark.x is not None])
    rows = tuple(
        (_x_text(chart, float(at)), *(_cell(s, values, at) for s, values in zip(chart.series, read, strict=True)))
        for at in picked
    )
    alone = chart.y.label if len(chart.series) == 1 else ""  # the axis says more than "Samples"
    headings = (chart.x.label or "x", *(alone or series.name for series in chart.series))
    return NumbersTable(headings, rows, len(rows), int(points.size))


def _x_text(chart: Chart, at: float) -> str:
    """Write an x value, by its category where the axis has names."""
    names = chart.x.categories
    if names and at.is_integer() and 0 <= at < len(names):
        return names[int(at)]
    return _number(at)


def _counts(matrix: Matrix) -> NDArray[Any] | None:
    """Return the counts as rows x columns, or None when they do not fit."""
    counts = _read(matrix.counts)
    shape = (len(matrix.rows), len(matrix.columns))
    return counts.reshape(shape) if counts.size == shape[0] * shape[1] and counts.size else None


def matrix_cells(matrix: Matrix) -> tuple[tuple[MatrixCell, ...], ...]:
    """Return every cell of a matrix of at most 16 x 16, row by row; nothing for a larger one."""
    counts = _counts(matrix)
    if counts is None or max(counts.shape) > MOST_CELLS:
        return ()
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    return tuple(
        tuple(
            MatrixCell(
                count=page_numbers.write(int(counts[r, c])),
                share=round(float(shares[r, c]) * 100, 1),
                row=r,
                column=c,
                diagonal=matrix.rows[r] == matrix.columns[c],
                label=_cell_label(matrix, counts, r, c),
            )
            for c in range(counts.shape[1])
        )
        for r in range(counts.shape[0])
    )


def _cell_label(matrix: Matrix, counts: NDArray[Any], r: int, c: int) -> str:
    """Say one cell in words."""
    return f"{int(counts[r, c]):,} of {page_text.name(matrix.rows[r])} predicted as {page_text.name(matrix.columns[c])}"


def matrix_pairs(matrix: Matrix) -> NumbersTable:
    """List the 30 largest cells off the diagonal of a matrix too large for a table."""
    counts = _counts(matrix)
    if counts is None:
        return NumbersTable((), (), 0, 0, "the counts do not fit the names")
    off = [
        (int(counts[r, c]), int(r), int(c)) for r, c in np.argwhere(counts > 0) if matrix.rows[r] != matrix.columns[c]
    ]
    largest = sorted(off, key=lambda cell: (-cell[0], cell[1], cell[2]))[:MOST_ROWS]
    rows = tuple((matrix.rows[r], matrix.columns[c], f"{n:,}", f"{n / counts[r].sum():.1%}") for n, r, c in largest)
    headings = (matrix.row_title, matrix.column_title, "Count", "Share of row")
    return NumbersTable(headings, rows, len(rows), len(off))


def gallery_room(gallery: Gallery) -> int:
    """Return how wide a picture of this gallery may be shown, in px: more for pictures that hold more."""
    widest = max((sample.image.width for sample in gallery.samples if sample.image), default=0)
    return 112 if widest <= 40 else 200


def gallery_thin(gallery: Gallery, assets: dict[str, Asset]) -> int:
    """Return how wide a picture may be on a phone, in px: two beside each other, but drawings are not shrunk."""
    images = [sample.image for sample in gallery.samples if sample.image and sample.image.sha256 in assets]
    exact = [image.width for image in images if assets[image.sha256].media_type == "image/png"]
    room = gallery_room(gallery)
    return room if max(exact, default=0) > _HALF_A_PHONE else min(room, _HALF_A_PHONE)


def gallery_layout(gallery: Gallery) -> str:
    """Say how a gallery reads best: "pictures", "texts" or "features"."""
    if any(sample.image for sample in gallery.samples):
        return "pictures"
    return "texts" if any(sample.text for sample in gallery.samples) else "features"
