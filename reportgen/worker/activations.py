"""Add up what was seen of each layer's output, sample by sample, and turn it into `ActivationFacts`. NumPy only."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import ActivationFacts
from reportgen.analysis.layers import BINS, count_bins

Array = NDArray[Any]
DEAD_BELOW = 1e-7
NEAR_DEAD = 0.01
# The flat ends: where the derivative is under 4% of its largest (sigmoid) or under 2% (tanh).
FLAT = {
    "sigmoid": (0.01, 0.99),
    "hard_sigmoid": (0.0, 1.0),
    "tanh": (-0.99, 0.99),
    "hard_tanh": (-1.0, 1.0),
}


@dataclass(slots=True)
class LayerSums:
    """Running sums of one layer. `add` takes what `watch.make_look` gives, as arrays."""

    path: str
    activation: str
    full: bool
    samples: int = 0
    stride: int = 1
    values: int = 0
    total: float = 0.0
    squares: float = 0.0
    zeros: int = 0
    low: float = math.inf
    high: float = -math.inf
    nan: int = 0
    inf: int = 0
    flat: int = 0
    looked: int = 0
    active: dict[int, Array] = field(default_factory=dict)
    histogram: Array = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))

    def add(self, seen: dict[str, Array], call: int = 0) -> None:
        """Add what one call of the layer gave; `call` counts the calls of a shared layer on the same samples."""
        some = seen["some"]
        n, looked, units = some.shape
        positions = int(seen["positions"][0]) if n else 0
        self.stride = max(self.stride, -(-positions // max(1, looked)))
        self.samples += n if call == 0 else 0
        self.nan += int(seen["nan"].sum()) if "nan" in seen else 0
        self.inf += int(seen["inf"].sum()) if "inf" in seen else 0
        self._look(some, "nan" in seen)
        if self.full:
            self._add_full(seen, n * positions * units)
        else:
            self._add_some(some, "nan" in seen)
        peak = seen["peak"] if self.full else np.abs(some).max(axis=1, initial=0.0)
        # A unit that gives NaN is broken, not dead.
        alive = (peak > DEAD_BELOW) | np.isnan(peak)
        before = self.active.get(call)
        if before is None or before.shape == (units,):
            self.active[call] = alive.sum(axis=0) + (0 if before is None else before)

    def _look(self, some: Array, bad: bool) -> None:
        """Count the histogram and the flat ends on the strided values."""
        self.histogram += count_bins(some)
        ends = FLAT.get(self.activation)
        if ends:
            with np.errstate(invalid="ignore"):
                self.flat += int(((some <= ends[0]) | (some >= ends[1])).sum())
        self.looked += int(np.isfinite(some).sum()) if bad else some.size

    def _add_some(self, some: Array, bad: bool) -> None:
        """Take all moments from the strided values."""
        flat = some.reshape(-1)
        if bad:
            flat = flat[np.isfinite(flat)]
        if not flat.size:
            return
        self.values += flat.size
        self.total += float(flat.sum(dtype=np.float64))
        self.squares += float(np.square(flat, dtype=np.float64).sum())
        self.zeros += int(flat.size - np.count_nonzero(flat))
        self.low, self.high = min(self.low, float(flat.min())), max(self.high, float(flat.max()))

    def _add_full(self, seen: dict[str, Array], size: int) -> None:
        """Take all moments from the sums over every position; `finite` is there when something was not finite."""
        self.values += int(seen["finite"].sum()) if "finite" in seen else size
        self.total += float(seen["total"].sum(dtype=np.float64))
        self.squares += float(seen["squares"].sum(dtype=np.float64))
        self.zeros += round(float(seen["zeros"].sum(dtype=np.float64)))
        self.low, self.high = min(self.low, float(seen["low"].min())), max(self.high, float(seen["high"].max()))

    def result(self) -> ActivationFacts | None:
        """Return the facts, or None when the layer gave nothing to look at."""
        if not self.active or not self.samples:
            return None
        # A shared layer's unit is active on a sample if any call was: the largest count of one call is a lower bound.
        active = np.maximum.reduce([counts for counts in self.active.values() if counts.shape == self.active[0].shape])
        share = active / self.samples
        mean = self.total / self.values if self.values else math.nan
        return ActivationFacts(
            layer=self.path,
            tier="full" if self.full else "strided",
            stride=1 if self.full else self.stride,
            samples=self.samples,
            values=self.values,
            mean=mean,
            std=self._spread(mean),
            low=self.low if self.values else math.nan,
            high=self.high if self.values else math.nan,
            zeros=self.zeros / self.values if self.values else math.nan,
            nan=self.nan,
            inf=self.inf,
            saturated=self.flat / self.looked if self.activation in FLAT and self.looked else math.nan,
            units=len(share),
            dead=int((active == 0).sum()),
            near_dead=int(((active > 0) & (share < NEAR_DEAD)).sum()),
            dead_below=DEAD_BELOW,
            histogram=self.histogram,
            unit_active=share,
        )

    def _spread(self, mean: float) -> float:
        """Return the standard deviation; exactly 0 for a constant output, whatever rounding says."""
        if not self.values:
            return math.nan
        return 0.0 if self.low == self.high else math.sqrt(max(0.0, self.squares / self.values - mean * mean))
