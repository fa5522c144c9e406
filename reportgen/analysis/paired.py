"""Before and after: is a difference between two runs more than chance? On shared samples, or on two test sets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.intervals import mean_interval, wilson_pair

Array = NDArray[Any]
RESAMPLES = 1_000
CELLS = 20_000_000  # values drawn at most for one bootstrap


def mcnemar_exact(lost: int, won: int) -> float:
    """Return the two-sided exact p of McNemar's test for `lost` and `won` samples; 1 where nothing changed sides.

    The probability of a split at least as uneven if each of the `lost + won` samples had been as likely to change one
    way as the other. Q. McNemar, Psychometrika 12 (1947); exact form after A. M. Mood (1950).
    """
    n, few = lost + won, min(lost, won)
    if n == 0:
        return 1.0
    logs = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2) for k in range(few + 1)]
    return min(1.0, 2 * math.fsum(math.exp(value) for value in logs))


def paired_shares(both: int, lost: int, won: int, neither: int) -> tuple[float, float]:
    """Return the 95% interval of the change of a share on the same samples: (won - lost) / n; NaN without samples.

    R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
    data", Statistics in Medicine 17 (1998), method 10.
    """
    n = both + lost + won + neither
    if n == 0:
        return math.nan, math.nan
    after, before = (both + won) / n, (both + lost) / n
    low_after, high_after = wilson_pair(both + won, n)
    low_before, high_before = wilson_pair(both + lost, n)
    tie = _correlation(both, won, lost, neither)
    change = (won - lost) / n
    down = _side(after - low_after, high_before - before, tie)
    up = _side(high_after - after, before - low_before, tie)
    return change - down, change + up


def _correlation(both: int, won: int, lost: int, neither: int) -> float:
    """Return Newcombe's phi: the correlation of the two runs, a positive one made smaller by half a sample."""
    n = both + won + lost + neither
    margins = (both + won) * (lost + neither) * (both + lost) * (won + neither)
    if margins == 0:
        return 0.0
    tie = both * neither - won * lost
    return (max(tie - n / 2, 0.0) if tie > 0 else tie) / math.sqrt(margins)


def _side(first: float, second: float, tie: float) -> float:
    """Return how far the interval reaches to one side."""
    return math.sqrt(max(first * first - 2 * tie * first * second + second * second, 0.0))


def paired_means(before: Array, after: Array) -> tuple[float, float, float]:
    """Return the mean change of a number on the same samples and its 95% interval (Student's t); NaN below two."""
    change = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    if not change.size:
        return math.nan, math.nan, math.nan
    middle = float(change.mean())
    low, high = mean_interval(middle, float(((change - middle) ** 2).sum()), int(change.size))
    return middle, low, high


def paired_resamples(cells: Array, seed: int = 0) -> Array:
    """Return bootstrap counts (resamples, cells) of samples that fell into `cells` kinds of (truth, before, after).

    Drawing one set of samples for both runs keeps what they have in common. At least 200 resamples, at most 1,000.
    """
    counts = np.asarray(cells, dtype=np.int64)
    n = int(counts.sum())
    resamples = max(200, min(RESAMPLES, CELLS // max(counts.size, 1)))
    return np.random.default_rng(seed).multinomial(n, counts / n, size=resamples)


def independent_change(
    before: float, ends_before: tuple[float, float], after: float, ends_after: tuple[float, float]
) -> tuple[float, float]:
    """Return the 95% interval of `after - before` from both intervals, as if each run had samples of its own.

    R. G. Newcombe, Statistics in Medicine 17 (1998), 873, method 10: each side by the root of the sum of squares. On
    the same samples it is wider than it would have to be.
    """
    (low_before, high_before), (low_after, high_after) = ends_before, ends_after
    change = after - before
    down = math.hypot(after - low_after, high_before - before)
    up = math.hypot(high_after - after, before - low_before)
    return change - down, change + up
