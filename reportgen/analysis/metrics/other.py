"""Outputs that no task covers (embeddings, detection grids): shape, range and distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.metrics.labels import flat_rows
from reportgen.analysis.metrics.parts import Extremes, Moments, Sum
from reportgen.analysis.metrics.spread import Spread
from reportgen.analysis.metrics.streaming import Streaming
from reportgen.analysis.metrics.value import MetricValue

Array = NDArray[Any]

LOOKED_AT = 1_024
UNITS = 65_536


@dataclass(frozen=True, slots=True)
class Distribution:
    """All values of an output: range, mean and spread over everything, quantiles (1, 5, 25, 50, 75, 95, 99%).

    Quantiles stand on at most 1,024 evenly spaced values of each sample. `constant_units` counts numbers along the
    flattened output that never change from sample to sample; `units` is how many there are (0: not followed).
    """

    values: int
    low: float
    high: float
    mean: float
    std: float
    zeros: int
    nan: int
    inf: int
    quantiles: Array
    units: int
    constant_units: int


class Other(Streaming):
    """What can be said of numbers without a task; labels are counted and not compared.

    Memory: up to 1.8 MB for quantiles, and 40 bytes for each of up to 65,536 numbers a sample; not growing with n.
    """

    task = "other"

    def _build(self) -> None:
        """Make the parts."""
        self._counts = self._part("counts", Sum(4))
        self._all = self._part("all", Moments(1))
        self._range = self._part("range", Extremes())
        self._norms = self._part("norms", Moments(1))
        self._spread = self._part("spread", Spread())
        size = math.prod(size or 0 for size in self.shape)
        self._units = self._part("units", Extremes(size)) if 0 < size <= UNITS else None

    def update(self, y_true: Array | None, y_pred: Array, weights: Array | None = None) -> None:
        """Add one chunk of outputs (n, ...)."""
        values = np.asarray(y_pred).astype(np.float64)
        n = len(values)
        flat = flat_rows(values)
        finite = np.isfinite(flat)
        nan, inf = int(np.isnan(flat).sum()), int(np.isinf(flat).sum())
        self._count(n=n, bad_scores=n - int(finite.all(axis=1).sum()), weighted=0 if weights is None else n)
        good = flat[finite]
        self._counts.values += [flat.size, int((good == 0).sum()), nan, inf]
        self._all.add(good[:, None])
        self._range.add(good)
        whole = flat[finite.all(axis=1)]
        self._norms.add(np.sqrt((whole**2).sum(axis=1))[:, None])
        if whole.size:
            step = -(-whole.shape[1] // LOOKED_AT)
            self._spread.add(whole[:, ::step].reshape(-1))
            if self._units is not None:
                self._units.add(whole)

    def distribution(self) -> Distribution:
        """Return range, mean, spread, quantiles and constant units."""
        values, zeros, nan, inf = (int(value) for value in self._counts.values)
        known = int(self._all.n[0]) > 0
        constant = 0 if self._units is None or self.n < 2 else int((self._units.low == self._units.high).sum())
        return Distribution(
            values=values,
            low=float(self._range.low) if known else math.nan,
            high=float(self._range.high) if known else math.nan,
            mean=float(self._all.mean[0]) if known else math.nan,
            std=float(np.sqrt(self._all.variance()[0])),
            zeros=zeros,
            nan=nan,
            inf=inf,
            quantiles=self._spread.quantiles(np.asarray([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])),
            units=0 if self._units is None else int(self._units.low.size),
            constant_units=constant,
        )

    def histogram(self, bins: int = 30) -> tuple[Array, Array]:
        """Return edges (bins + 1,) and counts (bins,) of the values that quantiles stand on."""
        values, counts = self._spread.table()
        low, high = (float(values[0]), float(values[-1])) if len(values) else (0.0, 1.0)
        edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
        place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
        return edges, np.rint(np.bincount(place, weights=counts[:, 0], minlength=bins)).astype(np.int64)

    def notes(self) -> tuple[str, ...]:
        """Return what was left out, and why there is no more."""
        return (*super().notes(), "No task was recognised, so outputs are described and not compared with labels.")

    def result(self) -> tuple[MetricValue, ...]:
        """Return mean and spread of the values, and the mean length (L2 norm) of an output."""
        facts = self.distribution()
        n, mean, squares = int(self._norms.n[0]), float(self._norms.mean[0]), float(self._norms.squares[0])
        empty = "no finite output"
        rows = (
            ("output_mean", "Mean of the output", facts.mean, None, "Mean over all finite values."),
            ("output_std", "Spread of the output", facts.std, None, "Standard deviation over all finite values."),
            (
                "output_norm",
                "Length of an output",
                mean if n else math.nan,
                intervals.mean_interval(mean, squares, n),
                "Mean over samples of the L2 norm.",
            ),
        )
        return tuple(
            self._metric(name, label, value, ends, "Student's t", better="neither", reason=empty, n=n, help=help_text)
            for name, label, value, ends, help_text in rows
        )
