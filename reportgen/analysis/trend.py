"""Trends in short noisy curves: robust slope, a rank test, noise, and the epoch at which validation turns.

Every function takes values oriented so that lower is better, finite, one an epoch, in order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reportgen.analysis.evidence import Array

Course = Literal["improving", "flat", "worsening", "unknown"]

FEWEST_POINTS = 5
WINDOW_POINTS = 50
SURE = 1.645  # one-sided 5% point of the normal distribution
VERY_SURE = 2.326  # one-sided 1% point: the turn is searched for, so chance has more than one try
TAIL = 10  # the last tenth of the curve stands for where it ended
CONDENSED = 400
OWN_SHARE, OVER_NOISE = 0.1, 3.0


@dataclass(frozen=True, slots=True)
class Trend:
    """How a curve ended: `slope` an epoch (Theil-Sen), `change` over the `window` in epochs, and what that amounts to.

    `slope` and `change` are in the metric's unit and sign. "unknown" means fewer than 5 finite values.
    """

    course: Course
    slope: float
    change: float
    window: int


@dataclass(frozen=True, slots=True)
class Turn:
    """Where validation turned while training went on improving.

    `onset` is the index of the (smoothed) best validation value; `rise` is how far the end lies above it.
    """

    onset: int
    rise: float


def estimate_noise(values: Array) -> float:
    """Return the standard deviation of a curve's noise, from the median size of its second differences.

    Second differences remove a straight trend; their spread is sqrt(6) times the noise (Gasser, Sroka, Jennen 1986).
    """
    if values.size < 3:
        return 0.0
    return float(np.median(np.abs(np.diff(values, 2)))) / 0.6745 / math.sqrt(6)


def compute_slope(epochs: Array, values: Array) -> float:
    """Return the Theil-Sen slope: the median over all pairs of points (Sen 1968)."""
    i, j = np.triu_indices(values.size, 1)
    return float(np.median((values[j] - values[i]) / (epochs[j] - epochs[i])))


def compute_rank_trend(values: Array) -> float:
    """Return the Mann-Kendall z: below -1.645 falling, above 1.645 rising (Mann 1945; ties as in Kendall 1970)."""
    n = values.size
    if n < 3:
        return 0.0
    i, j = np.triu_indices(n, 1)
    score = float(np.sign(values[j] - values[i]).sum())
    ties = np.unique(values, return_counts=True)[1].astype(np.float64)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    return (score - math.copysign(min(abs(score), 1.0), score)) / math.sqrt(variance) if variance > 0 else 0.0


def judge_trend(epochs: Array, values: Array, smallest: float) -> Trend:
    """Judge the last fifth of a curve (at least 5 epochs): does it still fall or already rise by more than noise?

    `smallest` is the relative change over the window that counts (0.01: one percent of the level). Of a curve that has
    hardly moved from its level yet, a tenth of all that it has moved counts too, where that is three times its noise.
    """
    window = max(values.size // 5, FEWEST_POINTS)
    if values.size < FEWEST_POINTS:
        return Trend("unknown", math.nan, math.nan, int(values.size))
    scale = float(np.max(np.abs(values))) or 1.0
    tail, starts = condense(values[-window:] / scale, WINDOW_POINTS)
    when = epochs[-window:][starts].astype(np.float64)
    slope = compute_slope(when, tail)
    change = slope * float(when[-1] - when[0])
    z = compute_rank_trend(tail)
    scaled = condense(values / scale)[0]
    moved = max(OWN_SHARE * float(np.ptp(scaled)), OVER_NOISE * estimate_noise(scaled))
    counts = abs(change) > min(smallest * abs(float(np.median(tail))), moved) and abs(z) > SURE
    course: Course = "flat" if not counts else ("improving" if change < 0 else "worsening")
    return Trend(course, slope * scale, change * scale, window)


def smoothing(points: int) -> int:
    """Return how many points on either side a running median takes."""
    return max(1, points // 40)


def smooth(values: Array) -> Array:
    """Return running medians over 3 points, or about a twentieth of a long curve; the ends use what there is.

    For curves of `condense`: the work grows with the square of the points.
    """
    half = smoothing(values.size)
    padded = np.concatenate([np.full(half, np.nan), values, np.full(half, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    return np.asarray(np.nanmedian(windows, axis=1))


def condense(values: Array, points: int = CONDENSED) -> tuple[Array, Array]:
    """Return medians of equal stretches and each stretch's first index, so that a million epochs cost like 400."""
    if values.size <= points:
        return values, np.arange(values.size)
    starts = np.linspace(0, values.size, points + 1).astype(np.int64)[:-1]
    parts = np.split(values, starts[1:])
    return np.array([np.median(part) for part in parts]), starts


def find_turn(train: Array, validation: Array, smallest: float) -> Turn | None:
    """Return where overfitting sets in, or None. Both arrays are at the same epochs.

    Overfitting is when validation has turned for good while training keeps improving. All four must hold after the
    smoothed validation curve's best epoch:
    1. the median of the last tenth lies more than `smallest` (relative) above the best: Prechelt's generalisation loss,
       "Early Stopping - But When?" 1998, with 5 percent for a loss;
    2. and more than 2.5 standard errors of those two medians above it, so that a lucky minimum is no turn;
    3. validation rises by rank (Mann-Kendall) or all of its later half stays above the best by that margin;
    4. training still falls, by more than one percent and its own noise.
    Amazon SageMaker Debugger's Overfit and Overtraining rules look at a ratio of losses or a patience, AutoTrainer
    (Zhang et al., ICSE 2021) at counts over fixed thresholds; the noise and the training curve are what keep this rule
    from firing on a plateau.
    """
    if validation.size < FEWEST_POINTS:
        return None
    scale = max(float(np.max(np.abs(validation))), float(np.max(np.abs(train)))) or 1.0
    (v, starts), (t, _) = condense(validation / scale), condense(train / scale)
    level = smooth(v)
    onset = int(np.argmin(level))
    after = v[onset + 1 + v.size // 40 :]  # what the running median chose as low is no evidence of a rise
    if after.size < 3:
        return None
    last = min(max(3, v.size // TAIL), after.size)
    end, best = float(np.median(v[-last:])), float(level[onset])
    error = 1.2533 * estimate_noise(v) * math.sqrt(1 / last + 1 / (2 * smoothing(v.size) + 1))
    margin = max(smallest * abs(best), 2.5 * error, 1e-12)
    needed = VERY_SURE if after.size >= 8 else SURE
    later = level[-(after.size - after.size // 2) :]
    rises = compute_rank_trend(after) > needed or bool(np.min(later) > best + margin)
    if end - best <= margin or not rises or not _falls(t, onset):
        return None
    return Turn(int(starts[onset]), (end - best) * scale)


def _falls(train: Array, start: int) -> bool:
    """Return True when training still improves after `start` by over one percent and its own noise."""
    level = smooth(train)
    last = max(3, train.size // TAIL)
    drop = float(level[start] - np.median(train[-last:]))
    return drop > max(0.01 * abs(float(level[start])), 2 * estimate_noise(train) / math.sqrt(last))
