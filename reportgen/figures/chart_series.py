"""The series of a chart as arrays, and which bars share a place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reportgen.figures.scales import Values
from reportgen.report.blocks import Series
from reportgen.report.values import Column


@dataclass(frozen=True, slots=True)
class Drawn:
    """One series ready to be drawn: arrays of one length, float64."""

    id: str
    name: str
    shape: str
    role: str
    x: Values
    y: Values
    low: Values | None
    high: Values | None
    width: float | None

    @property
    def extent(self) -> Values:
        """Return every value that the y axis must show."""
        return np.concatenate([part for part in (self.y, self.low, self.high) if part is not None])

    def bar_width(self) -> float:
        """Return the width of a bar in data units: as given, else 0.8 of the smallest distance."""
        if self.width is not None and self.width > 0:
            return float(self.width)
        known = np.unique(self.x[np.isfinite(self.x)])
        return 0.8 * float(np.diff(known).min()) if known.size > 1 else 0.8


def read_series(series: Series) -> Drawn:
    """Return a series as arrays; columns of different lengths are cut to the shortest."""
    columns = [_read(series.x), _read(series.y)]
    has_interval = series.low is not None and series.high is not None
    if series.low is not None and series.high is not None:
        columns += [_read(series.low), _read(series.high)]
    n = min(column.size for column in columns)
    x, y, *interval = [column[:n] for column in columns]
    low, high = interval if has_interval else (None, None)
    return Drawn(series.id, series.name, series.shape, series.role, x, y, low, high, series.width)


def _read(column: Column) -> Values:
    """Return a column as float64."""
    return np.asarray(column.to_numpy(), dtype=np.float64)


def bar_slots(series: tuple[Drawn, ...]) -> dict[int, tuple[int, int]]:
    """Return each bar series' place among those on the same x: (place, places)."""
    groups: dict[bytes, list[int]] = {}
    for index, one in enumerate(series):
        if one.shape == "bars":
            groups.setdefault(one.x.tobytes(), []).append(index)
    return {index: (place, len(group)) for group in groups.values() for place, index in enumerate(group)}
