"""Calibration: does a confidence of 80% come true 80% of the time?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals

Array = NDArray[Any]

BINS = 15


@dataclass(frozen=True, slots=True)
class Reliability:
    """Bins of equal width over 0..1, one row a bin, empty ones included (NaN but for `n` = 0).

    `edges` has one more entry than bins. `confidence` is the mean predicted probability in the bin, `accuracy` the
    share that came true, `low` and `high` its 95% Wilson interval. `ece` is the expected calibration error: the mean
    gap between the two, weighted by `n` (Guo et al., "On calibration of modern neural networks", 2017).
    """

    edges: Array
    confidence: Array
    accuracy: Array
    n: Array
    low: Array
    high: Array
    ece: float


def bin_of(confidence: Array, bins: int = BINS) -> Array:
    """Return the bin of each probability; 1.0 belongs to the last one."""
    return np.clip((confidence * bins).astype(np.int64), 0, bins - 1)


def compute_reliability(counts: Array, confidence_sums: Array) -> Reliability:
    """Return the bins from (bins, 2) counts of [did not come true, came true] and the sums of their confidences."""
    n, sums = counts.sum(axis=1), confidence_sums.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        confidence, accuracy = sums / n, counts[:, 1] / n
    low, high = intervals.wilson(counts[:, 1], n)
    edges = np.linspace(0.0, 1.0, len(n) + 1)
    ece = float(_calibration_error(counts[None], sums[None])[0])
    return Reliability(edges, confidence, accuracy, n, low, high, ece)


def ece_interval(counts: Array, confidence_sums: Array) -> tuple[float, float, str]:
    """Return a 95% bootstrap interval of the expected calibration error, moved by the bootstrap's own bias.

    A resample's error is too large on average (gaps count whatever their sign), so the interval is shifted back by the
    difference between its median and the value; it is cut at 0 and 1.
    """
    cells = counts.reshape(-1)
    if not cells.sum():
        return math.nan, math.nan, "none"
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.where(counts > 0, confidence_sums / counts, 0.0)
    value = float(_calibration_error(counts[None], confidence_sums.sum(axis=1)[None])[0])

    def statistic(drawn: Array) -> Array:
        """Return each resample's error and nothing else."""
        table = drawn.reshape(len(drawn), *counts.shape)
        errors = _calibration_error(table, (table * means).sum(axis=2))
        return np.asarray(errors - (np.median(errors) - value))

    low, high, method = intervals.bootstrap_counts(cells, statistic)
    return max(0.0, min(float(low), value)), min(1.0, max(float(high), value)), method + ", bias moved out"


def _calibration_error(counts: Array, confidence_sums: Array) -> Array:
    """Return the expected calibration error of each table: counts (k, bins, 2), sums (k, bins)."""
    total = counts.sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.abs(counts[:, :, 1] - confidence_sums).sum(axis=1) / total)
