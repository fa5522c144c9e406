"""Add up what was seen of each layer's output and turn it into `ActivationFacts`. NumPy only.

Sums are taken straight from the activations without temporaries of their size: that, not arithmetic, is what costs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import ActivationFacts
from reportgen.analysis.layers import BINS, MAGNITUDE_BINS, OFFSET, SCALE, ZERO_BIN
from reportgen.worker.rank_sample import RankSample

Array = NDArray[Any]
DEAD_BELOW = 1e-7
NEAR_DEAD = 0.01
# About how many values a sample are looked at in the strided tier, and for histograms in both.
STRIDED_VALUES = 2048
LONG_ROW = 1024
BLOCK = 1 << 17  # values, half a megabyte: stays in cache
# The flat ends: where the derivative is under 4% of its largest (sigmoid) or under 2% (tanh).
FLAT = {"sigmoid": (0.01, 0.99), "hard_sigmoid": (0.0, 1.0), "tanh": (-0.99, 0.99), "hard_tanh": (-1.0, 1.0)}


@dataclass(slots=True)
class LayerSums:
    """Running sums of one layer: over all positions if `full`, else over a stride of them.

    Histograms are always strided.
    """

    path: str
    activation: str
    full: bool
    channels_first: bool = False
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
    rank: RankSample = field(default_factory=RankSample)

    def add(self, output: Array, call: int = 0, rows: Array | None = None) -> None:
        """Add a layer's output on some samples (n, ...), of which only `rows` are looked at (None: all).

        NaN and infinities are counted in all of them, at every position. `call` counts the calls of a shared layer on
        the same samples.
        """
        values = as_positions(output, self.channels_first)
        if not values.size:
            return
        # A sum is finite only when every value is (or it overflows): the usual case needs no pass of its own.
        with np.errstate(all="ignore"):
            totals = values.reshape(len(values), -1).sum(axis=1)
        finite = bool(np.isfinite(totals).all())
        if not finite:
            self.nan += int(np.isnan(values).sum())
            self.inf += int(np.isinf(values).sum())
        if rows is not None:
            values, totals = values[rows], totals[rows]
        if not len(values):
            return
        stride = stride_of(*values.shape[1:])
        self.samples += len(values) if call == 0 else 0
        self.stride = max(self.stride, stride)
        some = np.ascontiguousarray(values[:, ::stride]) if stride > 1 else values
        part = values if self.full else some
        if finite:
            self._add_finite(part, totals if part is values else part.reshape(len(part), -1).sum(axis=1))
            if call == 0:
                self.rank.add(some)
        else:
            self._add_mixed(part)
            some = some[np.isfinite(some)]
        self._look(some)
        self._count_active(part, call)

    def _add_finite(self, part: Array, totals: Array) -> None:
        """Add values that are all finite, block by block: float32 within a block or sample, float64 across them."""
        flat = part.reshape(-1)
        flags = np.empty(min(BLOCK, flat.size), dtype=bool)
        squares, zeros = 0.0, 0
        with np.errstate(over="ignore"):
            for start in range(0, flat.size, BLOCK):
                block = flat[start : start + BLOCK]
                squares += float(np.dot(block, block))
                zeros += int(np.count_nonzero(np.equal(block, 0, out=flags[: block.size])))
        if not math.isfinite(squares):  # Beyond 1e19 a square overflows float32.
            squares = float(np.square(flat, dtype=np.float64).sum())
        self.values += flat.size
        self.total += float(totals.sum(dtype=np.float64))
        self.squares += squares
        self.zeros += zeros
        self.low = min(self.low, float(flat.min()))

    def _add_mixed(self, part: Array) -> None:
        """Add the finite values of an output that also holds NaN, Inf, or values whose sum overflows."""
        finite = part[np.isfinite(part)].astype(np.float64)
        self.values += finite.size
        self.total += float(finite.sum())
        self.squares += float(np.square(finite).sum())
        self.zeros += int(finite.size - np.count_nonzero(finite))
        if finite.size:
            self.low, self.high = min(self.low, float(finite.min())), max(self.high, float(finite.max()))

    def _look(self, some: Array) -> None:
        """Count the histogram and the flat ends on the strided, finite values."""
        self.histogram += count_magnitudes(some)
        self.looked += some.size
        ends = FLAT.get(self.activation)
        if ends:
            self.flat += int(np.count_nonzero(some <= ends[0])) + int(np.count_nonzero(some >= ends[1]))

    def _count_active(self, part: Array, call: int) -> None:
        """Count, for each unit, the samples on which it was active; a unit that gives NaN is broken, not dead."""
        top = reduce_positions(part, np.maximum)
        with np.errstate(invalid="ignore"):
            alive = (top > DEAD_BELOW) | np.isnan(top)
            if self.low < -DEAD_BELOW and not alive.all():
                alive |= reduce_positions(part, np.minimum) < -DEAD_BELOW
        if np.isfinite(top).all():
            self.high = max(self.high, float(top.max()))
        before = self.active.get(call)
        if before is None or before.shape == alive.shape[1:]:
            self.active[call] = alive.sum(axis=0) + (0 if before is None else before)

    def result(self) -> ActivationFacts | None:
        """Return the facts, or None when the layer gave nothing to look at."""
        if not self.active or not self.samples:
            return None
        # A shared layer's unit is active on a sample if any call was: the largest count of one call is a lower bound.
        first = next(iter(self.active.values()))
        active = np.maximum.reduce([counts for counts in self.active.values() if counts.shape == first.shape])
        share = active / self.samples
        rank, positions = self.rank.result()
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
            effective_rank=rank,
            rank_positions=positions,
        )

    def _spread(self, mean: float) -> float:
        """Return the standard deviation; exactly 0 for a constant output, whatever rounding says."""
        if not self.values:
            return math.nan
        return 0.0 if self.low == self.high else math.sqrt(max(0.0, self.squares / self.values - mean * mean))


def as_positions(output: Array, channels_first: bool) -> Array:
    """Return an output as float32 (samples, positions, units); a copy only where it must be."""
    if output.dtype != np.float32:
        output = output.astype(np.float32)
    if output.ndim == 1:
        return output.reshape(-1, 1, 1)
    if channels_first and output.ndim > 2:
        output = np.moveaxis(output, 1, -1)
    return np.ascontiguousarray(output).reshape(len(output), -1 if output.size else 0, output.shape[-1])


def reduce_positions(values: Array, reduce: np.ufunc) -> Array:
    """Return the largest or smallest value of each unit: (n, positions, units) to (n, units).

    Few units make short rows, which NumPy reduces slowly; so several positions are taken as one long row first.
    """
    n, positions, units = values.shape
    together = 1
    while together * units < LONG_ROW and positions % (together * 2) == 0:
        together *= 2
    rows = reduce.reduce(values.reshape(n, positions // together, together * units), axis=1)
    found: Array = reduce.reduce(rows.reshape(n, together, units), axis=1)
    return found


def stride_of(positions: int, units: int) -> int:
    """Return the stride over positions: 1 where all values are few enough, else one that leaves about `STRIDED_VALUES`.

    It shares no factor with the number of positions: a stride that divides an image's width would always meet the
    same columns.
    """
    if positions * units <= STRIDED_VALUES:
        return 1
    stride = min(math.ceil(positions * units / STRIDED_VALUES), max(1, positions // 4))
    while stride > 1 and math.gcd(stride, positions) > 1:
        stride += 1
    return stride


def count_magnitudes(values: Array) -> Array:
    """Return the histogram of finite float32 values in the bins of `analysis.layers`: int64, length `BINS`.

    The same formula as `analysis.layers.count_bins` in float32, several times as fast; see there about values on an
    edge.
    """
    flat = values.reshape(-1)
    with np.errstate(divide="ignore"):
        k = np.log(np.abs(flat))
    k *= np.float32(SCALE)
    k += np.float32(OFFSET + 1)
    np.floor(k, out=k)
    np.clip(k, 0, MAGNITUDE_BINS, out=k)
    np.copysign(k, flat, out=k)
    k += ZERO_BIN
    return np.bincount(k.astype(np.int16), minlength=BINS).astype(np.int64)
