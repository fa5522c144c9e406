"""Whether errors are spread as a normal distribution would spread them: quantiles beside quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

POINTS = 199
TAIL = 0.01


@dataclass(frozen=True, slots=True)
class NormalQuantiles:
    """Quantiles of `n` values in standard deviations from their mean (`seen`) beside a normal's (`normal`), ascending.

    `low` and `high` are the values' 1% and 99% quantiles in the same units (a normal's: -2.33 and 2.33).
    """

    n: int
    normal: Array
    seen: Array
    low: float
    high: float


def normal_quantiles(values: Array, counts: Array, points: int = POINTS) -> NormalQuantiles | None:
    """Return at most `points` quantiles of distinct values, ascending, with counts; None if they do not vary.

    Up to `points` values stand at (i - 0.5) / n of the distribution, as usual (Hazen); more are read at even shares.
    """
    n = int(counts.sum())
    if n < 3:
        return None
    mean = float((values * counts).sum() / n)
    spread = float(np.sqrt((counts * (values - mean) ** 2).sum() / (n - 1)))
    if not spread > 0 or not np.isfinite(spread):
        return None
    size = min(n, points)
    shares = (np.arange(size) + 0.5) / size
    ends = np.cumsum(counts)
    rows = np.searchsorted(ends, np.minimum(np.floor(shares * n), n - 1), side="right")
    tails = np.searchsorted(ends, np.minimum(np.floor(np.asarray([TAIL, 1 - TAIL]) * n), n - 1), side="right")
    normal = np.asarray([NormalDist().inv_cdf(float(share)) for share in shares])
    low, high = ((values[tails] - mean) / spread).tolist()
    return NormalQuantiles(n, normal, (values[rows] - mean) / spread, low, high)
