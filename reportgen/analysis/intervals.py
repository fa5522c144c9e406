"""95% intervals: Wilson for proportions, Student's t for means, a seeded bootstrap for everything else."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

Z95 = 1.959963984540054
RESAMPLES = 1_000
FEWEST_RESAMPLES = 200
DRAWS = 1_000_000
SEED = 0


def wilson(successes: Any, n: Any, z: float = Z95) -> tuple[Array, Array]:
    """Return the ends of Wilson's score interval for `successes` out of `n`; NaN where n is 0.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    hits, total = np.asarray(successes, dtype=np.float64), np.asarray(n, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = hits / total
        middle = (share + z * z / (2 * total)) / (1 + z * z / total)
        half = z / (1 + z * z / total) * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    low = np.where(hits == 0, np.minimum(share, 0.0), np.clip(middle - half, 0.0, 1.0))
    high = np.where(hits == total, np.maximum(share, 1.0), np.clip(middle + half, 0.0, 1.0))
    return low, high


def wilson_pair(successes: float, n: float) -> tuple[float, float]:
    """Return `wilson` for one proportion as plain floats."""
    low, high = wilson(successes, n)
    return float(low), float(high)


def mean_interval(mean: float, squares: float, n: int) -> tuple[float, float]:
    """Return Student's t interval of a mean from the sum of squared deviations; NaN below two samples."""
    if n < 2 or not math.isfinite(squares):
        return math.nan, math.nan
    half = t_quantile(n - 1) * math.sqrt(squares / (n - 1) / n)
    return mean - half, mean + half


@lru_cache(maxsize=256)
def t_quantile(freedom: int, share: float = 0.975) -> float:
    """Return the quantile of Student's t by bisection on its distribution (share above 0.5)."""
    if freedom > 100_000:
        return Z95 if share == 0.975 else _bisect(lambda t: 0.5 * math.erfc(-t / math.sqrt(2)), share)
    return _bisect(lambda t: 1 - 0.5 * _beta_share(freedom / (freedom + t * t), freedom / 2, 0.5), share)


def t_tail(t: float, freedom: float) -> float:
    """Return the probability that Student's t with any positive degrees of freedom lies above `t`."""
    upper = 0.5 * _beta_share(freedom / (freedom + t * t), freedom / 2, 0.5)
    return upper if t >= 0 else 1 - upper


def bootstrap_counts(
    counts: Array, statistic: Callable[[Array], Array], *, seed: int = SEED, draws: int = DRAWS
) -> tuple[Array, Array, str]:
    """Return the 2.5% and 97.5% points of `statistic` over multinomial resamples of a table of counts, and the method.

    `counts` is (cells,); `statistic` takes (resamples, cells) and returns (resamples, ...). Resampling a table of
    counts is the same as resampling its samples. The number of resamples falls from 1,000 to 200 as the table grows.
    """
    cells = np.asarray(counts, dtype=np.int64)
    n = int(cells.sum())
    resamples = _resamples(cells.size, draws)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(n, cells / n, size=resamples) if n else np.zeros((resamples, cells.size), np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = percentile_ends(statistic(drawn))
    return low, high, _method(resamples, seed)


def bootstrap_rows(
    rows: Array, statistic: Callable[[Array], Array], *, seed: int = SEED, draws: int = DRAWS
) -> tuple[Array, Array, str]:
    """Return the 2.5% and 97.5% points of `statistic` over resampled means of per-sample numbers, and the method.

    `rows` is (n, m); `statistic` takes resampled means (resamples, m) and returns (resamples, ...).
    """
    n = len(rows)
    resamples = _resamples(n, draws)
    generator = np.random.default_rng(seed)
    means = np.empty((resamples, rows.shape[1]))
    for index in range(resamples):
        weights = np.bincount(generator.integers(0, n, size=n), minlength=n)
        means[index] = weights @ rows / n
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = percentile_ends(statistic(means))
    return low, high, _method(resamples, seed)


def percentile_ends(values: Array) -> tuple[Array, Array]:
    """Return the 2.5% and 97.5% points along the first axis, leaving out resamples where it is undefined."""
    if not len(values):
        return np.asarray(math.nan), np.asarray(math.nan)
    if np.isnan(values).any():
        empty = np.isnan(values).all(axis=0)
        filled = np.where(empty, 0.0, values)
        low, high = np.nanpercentile(filled, [2.5, 97.5], axis=0)
        return np.where(empty, math.nan, low), np.where(empty, math.nan, high)
    low, high = np.percentile(values, [2.5, 97.5], axis=0)
    return np.asarray(low), np.asarray(high)


def _resamples(cells: int, draws: int) -> int:
    """Return how many resamples a table of this size gets."""
    return max(FEWEST_RESAMPLES, min(RESAMPLES, draws // max(cells, 1)))


def _method(resamples: int, seed: int) -> str:
    """Name the bootstrap as it stands beside the number."""
    return f"bootstrap, {resamples:,} resamples, seed {seed}"


def _bisect(distribution: Callable[[float], float], share: float) -> float:
    """Find where a distribution function reaches `share`, above 0."""
    low, high = 0.0, 2.0
    while distribution(high) < share:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if distribution(middle) < share else (low, middle)
    return (low + high) / 2


def _beta_share(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function by Lentz's continued fraction (Numerical Recipes, 6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x > (a + 1) / (a + b + 2):
        return 1 - front * _beta_fraction(1 - x, b, a) / b
    return front * _beta_fraction(x, a, b) / a


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function."""
    tiny = 1e-300
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1), tiny)
    result = d
    for m in range(1, 1_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / _away_from_zero(1 + step * d, tiny)
            c = _away_from_zero(1 + step / c, tiny)
            result *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return result


def _away_from_zero(value: float, tiny: float) -> float:
    """Return `value`, or a tiny number where it is zero, as Lentz's method asks."""
    return value if abs(value) > tiny else tiny
