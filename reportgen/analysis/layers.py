"""Histograms of layer values that any backend can count, quantiles from them, and outliers among layers.

The histogram has `BINS` counts in ascending order of value, so that magnitudes from 1e-8 to 1e8 fit in 2 KB:

    index   0 .. 127   negative values, largest magnitude first
    index 128          |value| < 1e-8, zero included
    index 129 .. 256   positive values, smallest magnitude first

Bin k of one sign (k = 0 .. 127) holds HISTOGRAM_EDGES[k] <= |value| < HISTOGRAM_EDGES[k + 1]; magnitudes of 1e8 and
more are counted in the last bin. NaN and infinities are not counted here (they have counts of their own). The index
needs arithmetic only, no search, so a compiled graph computes the same from the constants below:

    k     = floor(log(|value|) * SCALE + OFFSET), clipped to -1 .. 127  (-1: the zero bin; log 0 may be -inf)
    index = ZERO_BIN + sign(value) * (k + 1)

In float32 a value within about 1e-6 of an edge (relative) may land in the bin beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reportgen.analysis.evidence import Array

BINS_PER_DECADE = 8
MAGNITUDE_BINS = 128
ZERO_BIN = MAGNITUDE_BINS
BINS = 2 * MAGNITUDE_BINS + 1
HISTOGRAM_EDGES: Array = 10.0 ** (
    np.arange(MAGNITUDE_BINS + 1) / BINS_PER_DECADE - MAGNITUDE_BINS / 2 / BINS_PER_DECADE
)
SCALE = BINS_PER_DECADE / math.log(10.0)
OFFSET = MAGNITUDE_BINS / 2
EDGE_ERROR = 2e-6
# Half a bin, as a factor: the true quantile is at most this many times larger or smaller than the stated one.
QUANTILE_FACTOR = 10.0 ** (0.5 / BINS_PER_DECADE)


@dataclass(frozen=True, slots=True)
class Quantile:
    """One quantile read from a histogram: the true value lies in `low`..`high` (NaN when nothing was counted)."""

    value: float
    low: float
    high: float


def bin_indices(values: Array) -> Array:
    """Return the bin of each finite value (int64, same shape); the caller leaves NaN and infinities out."""
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore"):
        k = np.floor(np.log(np.abs(values)) * SCALE + OFFSET)
    k = np.clip(k, -1, MAGNITUDE_BINS - 1)
    index: Array = (ZERO_BIN + np.sign(values) * (k + 1)).astype(np.int64)
    return index


def count_bins(values: Array) -> Array:
    """Return the histogram of the finite values: int64, length `BINS`."""
    flat = np.asarray(values).reshape(-1)
    finite = flat[np.isfinite(flat)]
    return np.bincount(bin_indices(finite), minlength=BINS).astype(np.int64)


def bin_limits() -> tuple[Array, Array]:
    """Return the lower and upper value of every bin, ascending: two float64 arrays of length `BINS`."""
    zero = HISTOGRAM_EDGES[0]
    low = np.concatenate([-HISTOGRAM_EDGES[:0:-1], [-zero], HISTOGRAM_EDGES[:-1]])
    high = np.concatenate([-HISTOGRAM_EDGES[-2::-1], [zero], HISTOGRAM_EDGES[1:]])
    return low, high


def compute_quantile(histogram: Array, q: float, low: float = -math.inf, high: float = math.inf) -> Quantile:
    """Return quantile `q` (0..1, the value at rank ceil(q n)) with its bounds.

    `low` and `high` are the exact extremes where known; they sharpen the bounds. Inside one bin the value is the
    geometric middle, so it is off by at most `QUANTILE_FACTOR` (1.155: +-16%), or by 1e-8 in the zero bin. Magnitudes
    above 1e8 are bounded by the extremes only. Raises ValueError for a q outside 0..1 or a histogram of another length.
    """
    counts = np.asarray(histogram, dtype=np.int64)
    if counts.shape != (BINS,) or not 0.0 <= q <= 1.0:
        raise ValueError(f"need {BINS} counts and 0 <= q <= 1")
    total = int(counts.sum())
    if not total:
        return Quantile(math.nan, math.nan, math.nan)
    rank = min(max(math.ceil(q * total), 1), total)
    index = int(np.searchsorted(np.cumsum(counts), rank))
    bottom, top = _open_ends(index)
    bottom, top = min(max(bottom, low), high), max(min(top, high), low)
    return Quantile(min(max(_middle(bottom, top), bottom), top), bottom, top)


def _open_ends(index: int) -> tuple[float, float]:
    """Return the limits of one bin; the outermost bins are open, because they also hold what lies beyond."""
    low, high = bin_limits()
    bottom = -math.inf if index == 0 else float(low[index])
    top = math.inf if index == BINS - 1 else float(high[index])
    # A value this close to an edge may have been counted in the bin beside it.
    return bottom - abs(bottom) * EDGE_ERROR, top + abs(top) * EDGE_ERROR


def _middle(low: float, high: float) -> float:
    """Return the geometric middle of two limits, the arithmetic one across zero, the finite one if one is open."""
    if math.isinf(low) or math.isinf(high):
        return high if math.isinf(low) else low
    if low > 0:
        return math.sqrt(low) * math.sqrt(high)
    if high < 0:
        return -math.sqrt(-low) * math.sqrt(-high)
    return 0.5 * low + 0.5 * high


def mark_outliers(values: Array, limit: float = 3.5) -> Array:
    """Return True for values far from the others (same shape, bool); fewer than 5 finite values: none.

    Modified z-score of Iglewicz and Hoaglin (1993): 0.6745 |x - median| / MAD > 3.5; where more than half of the values
    are equal (MAD is 0) the mean absolute deviation times 1.2533 takes its place. NaN and infinities are not marked.
    """
    values = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(values)
    if finite.sum() < 5:
        return np.zeros(values.shape, dtype=bool)
    kept = values[finite]
    distance = np.abs(values - np.median(kept))
    mad = float(np.median(distance[finite]))
    spread = mad / 0.6745 if mad > 0 else 1.2533 * float(np.mean(distance[finite]))
    if spread == 0 or not math.isfinite(spread):
        return np.zeros(values.shape, dtype=bool)
    return np.asarray(finite & (distance / spread > limit))


def mark_scale_outliers(values: Array, limit: float = 3.5) -> Array:
    """Mark outliers among positive sizes (norms, spreads) by their logarithm, so that 1e-6 stands out like 1e6."""
    values = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(values > 0, np.log(values), np.nan)
    return mark_outliers(logs, limit)


def compute_effective_rank(matrix: Array) -> float:
    """Return exp(entropy of the normalised singular values) of (positions, units), each unit's mean taken off.

    Roy and Vetterli (2007). From 1 (all units move together) to the number of units; NaN where nothing varies. By the
    eigenvalues of the smaller product, so singular values under 1e-7 of the largest count as none.
    """
    centred = np.asarray(matrix, np.float64) - np.mean(matrix, axis=0, dtype=np.float64)
    largest = float(np.abs(centred).max()) if centred.size else 0.0
    if not largest > 0 or not math.isfinite(largest):
        return math.nan
    centred = centred / largest
    product = centred.T @ centred if centred.shape[1] <= centred.shape[0] else centred @ centred.T
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(product), 0))
    values = values[values > 1e-7 * values.max()]
    shares = values / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
