"""ROC, precision-recall and threshold curves from a table of distinct scores with counts of negatives and positives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals

Array = NDArray[Any]

POINTS = 200
BOOTSTRAP_CELLS = 500


@dataclass(frozen=True, slots=True)
class RocCurve:
    """False and true positive rates, both from 0 to 1, as the threshold falls; thinned to at most 200 points."""

    false_positive_rate: Array
    true_positive_rate: Array
    thresholds: Array
    area: float


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """Precision and recall as the threshold falls (recall rises); thinned to at most 200 points."""

    recall: Array
    precision: Array
    thresholds: Array
    average_precision: float
    prevalence: float


@dataclass(frozen=True, slots=True)
class ThresholdTable:
    """What each threshold would do: a sample is positive when its score is above it. One row a threshold, ascending."""

    thresholds: Array
    true_positives: Array
    false_positives: Array
    false_negatives: Array
    true_negatives: Array
    precision: Array
    recall: Array
    specificity: Array
    f1: Array
    accuracy: Array


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """One threshold and the rule that chose it, in words, with its F1."""

    threshold: float
    rule: str
    f1: float


class ScoreTable:
    """Distinct scores, ascending, with the number of negatives and positives at each."""

    def __init__(self, values: Array, counts: Array) -> None:
        """Take values (K,) and counts (K, 2 or more): columns negatives, positives; rows without either are dropped."""
        kept = counts[:, :2].sum(axis=1) > 0
        self.values = values[kept]
        self.negative = counts[kept, 0]
        self.positive = counts[kept, 1]
        self.negatives = int(self.negative.sum())
        self.positives = int(self.positive.sum())

    @property
    def two_classes(self) -> bool:
        """Say whether both classes occur."""
        return self.negatives > 0 and self.positives > 0

    def area(self) -> float:
        """Return the area under the ROC curve (ties count half); NaN with one class."""
        if not self.two_classes:
            return math.nan
        below = np.cumsum(self.negative) - self.negative
        return float((self.positive * (below + self.negative / 2)).sum() / (self.positives * self.negatives))

    def area_error(self) -> float:
        """Return by how much binning can have moved the area: half the share of pairs that fell into one bin."""
        return float((self.positive * self.negative).sum() / (2 * max(self.positives * self.negatives, 1)))

    def area_interval(self) -> tuple[tuple[float, float], str]:
        """Return a 95% interval of the area: DeLong's variance on the log-odds scale.

        E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, Biometrics 44 (1988). Where that variance is zero or the
        area is 0 or 1, it would claim certainty; then Wilson's interval on the rarer class stands in.
        """
        if not self.two_classes:
            return (math.nan, math.nan), "none"
        area = self.area()
        above = self.positives - np.cumsum(self.positive)
        below = np.cumsum(self.negative) - self.negative
        spread = _variance((below + self.negative / 2) / self.negatives, self.positive)
        spread += _variance((above + self.positive / 2) / self.positives, self.negative)
        if not 0 < area < 1 or not spread > 0:
            rarer = min(self.positives, self.negatives)
            return intervals.wilson_pair(area * rarer, rarer), "Wilson on the rarer class"
        half = intervals.Z95 * math.sqrt(spread) / (area * (1 - area))
        odds = math.log(area / (1 - area))
        return (_from_odds(odds - half), _from_odds(odds + half)), "DeLong, log-odds"

    def average_precision(self) -> float:
        """Return the mean precision over recall steps, without interpolation; NaN without positives."""
        if not self.positives:
            return math.nan
        return float(_average_precision(self.negative[None, ::-1], self.positive[None, ::-1])[0])

    def average_precision_interval(self) -> tuple[tuple[float, float], str]:
        """Return a 95% bootstrap interval, on at most 500 groups of neighbouring scores, moved to the exact value."""
        if not self.two_classes:
            return (math.nan, math.nan), "none"
        starts = self._group_starts(BOOTSTRAP_CELLS)
        negative, positive = np.add.reduceat(self.negative, starts), np.add.reduceat(self.positive, starts)
        value = self.average_precision()
        moved = value - float(_average_precision(negative[None, ::-1], positive[None, ::-1])[0])
        size = len(starts)

        def statistic(drawn: Array) -> Array:
            """Return the average precision of each resample."""
            return _average_precision(drawn[:, :size][:, ::-1], drawn[:, size:][:, ::-1]) + moved

        low, high, method = intervals.bootstrap_counts(np.concatenate([negative, positive]), statistic)
        if not high > low:
            return intervals.wilson_pair(value * self.positives, self.positives), "Wilson on the positives"
        return (max(0.0, float(low)), min(1.0, float(high))), method

    def roc(self, points: int = POINTS) -> RocCurve | None:
        """Return the ROC curve, or None with one class."""
        if not self.two_classes:
            return None
        false = np.concatenate([[0], np.cumsum(self.negative[::-1])]) / self.negatives
        true = np.concatenate([[0], np.cumsum(self.positive[::-1])]) / self.positives
        thresholds = np.concatenate([[np.inf], self.values[::-1]])
        corners = np.ones(len(false), bool)
        corners[1:-1] = ((np.diff(false) > 0)[1:] != (np.diff(false) > 0)[:-1]) | (
            (np.diff(true) > 0)[1:] != (np.diff(true) > 0)[:-1]
        )
        corners[1:-1] |= (np.diff(false)[1:] > 0) & (np.diff(true)[1:] > 0)
        kept = np.flatnonzero(corners)
        kept = kept[_thin(false[kept] + true[kept], points)]
        return RocCurve(false[kept], true[kept], thresholds[kept], self.area())

    def precision_recall(self, points: int = POINTS) -> PrecisionRecall | None:
        """Return the precision-recall curve, or None without positives."""
        if not self.positives:
            return None
        true, answered = np.cumsum(self.positive[::-1]), np.cumsum((self.positive + self.negative)[::-1])
        recall, precision = true / self.positives, true / answered
        kept = _thin(recall + np.arange(len(recall)) / len(recall), points)
        share = self.positives / (self.positives + self.negatives)
        return PrecisionRecall(recall[kept], precision[kept], self.values[::-1][kept], self.average_precision(), share)

    def at(self, thresholds: Array) -> ThresholdTable:
        """Return what each threshold would do; scores above it are positive."""
        place = np.searchsorted(self.values, thresholds, side="right")
        positive_below = np.concatenate([[0], np.cumsum(self.positive)])[place]
        negative_below = np.concatenate([[0], np.cumsum(self.negative)])[place]
        true, false = self.positives - positive_below, self.negatives - negative_below
        with np.errstate(divide="ignore", invalid="ignore"):
            return ThresholdTable(
                thresholds=np.asarray(thresholds, dtype=np.float64),
                true_positives=true,
                false_positives=false,
                false_negatives=positive_below,
                true_negatives=negative_below,
                precision=true / (true + false),
                recall=true / self.positives,
                specificity=negative_below / self.negatives,
                f1=2 * true / (true + false + self.positives),
                accuracy=(true + negative_below) / (self.positives + self.negatives),
            )

    def gain(self, shares: Array) -> Array:
        """Return the share of positives among the best-scored `shares` of the samples; NaN without positives.

        Equal scores stand in a random order, so that a cut through them takes its part of their positives.
        """
        if not self.positives:
            return np.full(np.shape(shares), math.nan)
        seen = np.concatenate([[0], np.cumsum((self.positive + self.negative)[::-1])])
        found = np.concatenate([[0], np.cumsum(self.positive[::-1])])
        return np.asarray(np.interp(np.asarray(shares) * seen[-1], seen, found) / self.positives)

    def best_f1(self) -> ThresholdChoice | None:
        """Return the threshold with the best F1 on these samples, halfway between two scores; None with one class."""
        if not self.two_classes:
            return None
        true = self.positives - np.cumsum(self.positive) + self.positive
        answered = true + self.negatives - np.cumsum(self.negative) + self.negative
        f1 = 2 * true / (answered + self.positives)
        best = int(f1.argmax())
        low = self.values[best - 1] if best else self.values[0] - abs(self.values[0]) * 1e-6 - 1e-12
        threshold = float(low + (self.values[best] - low) / 2)
        return ThresholdChoice(
            threshold, "the best F1 on these samples (optimistic: chosen on the same data)", float(f1[best])
        )

    def _group_starts(self, size: int) -> Array:
        """Return where groups of neighbouring scores start, so that at most `size` groups hold about equal counts."""
        if len(self.values) <= size:
            return np.arange(len(self.values))
        ends = np.cumsum(self.negative + self.positive)
        group = (ends - 1) * size // int(ends[-1])
        return np.flatnonzero(np.diff(group, prepend=-1))


def average_precision_ends(values: Array, positives: Array) -> tuple[Array, Array]:
    """Return 95% intervals of average precisions on the log-odds scale.

    K. Boyd, K. H. Eng and C. D. Page, "Area under the precision-recall curve: point estimates and confidence
    intervals", ECML 2013. Values of 0 and 1 get Wilson's interval on the positives instead.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(values / (1 - values))
        half = intervals.Z95 / np.sqrt(positives * values * (1 - values))
        low, high = 1 / (1 + np.exp(half - odds)), 1 / (1 + np.exp(-half - odds))
    wilson_low, wilson_high = intervals.wilson(values * positives, positives)
    inside = (values > 0) & (values < 1)
    return np.where(inside, low, wilson_low), np.where(inside, high, wilson_high)


def _average_precision(negative: Array, positive: Array) -> Array:
    """Return the average precision of each row; columns in falling order of score."""
    true = np.cumsum(positive, axis=1)
    answered = true + np.cumsum(negative, axis=1)
    precision = np.divide(true, answered, out=np.zeros(true.shape), where=answered > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((precision * positive).sum(axis=1) / true[:, -1])


def _variance(values: Array, counts: Array) -> float:
    """Return the variance of a mean of values that occur `counts` times (divisor n - 1); 0 below two."""
    n = int(counts.sum())
    if n < 2:
        return 0.0
    mean = (values * counts).sum() / n
    return float((counts * (values - mean) ** 2).sum() / (n - 1) / n)


def _thin(along: Array, points: int) -> Array:
    """Return at most `points` rows, evenly spaced along a rising quantity, always with the first and the last."""
    if len(along) <= points:
        return np.arange(len(along))
    wanted = np.linspace(along[0], along[-1], points)
    return np.unique(np.clip(np.searchsorted(along, wanted), 0, len(along) - 1))


def _from_odds(odds: float) -> float:
    """Return the probability of log-odds."""
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0
