"""Regression: what is added up and kept of each sample, and the tables that follow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics.labels import numbers
from reportgen.analysis.metrics.parts import Moments, Sum
from reportgen.analysis.metrics.rows import RowSample
from reportgen.analysis.metrics.spread import Spread
from reportgen.analysis.metrics.streaming import Streaming

Array = NDArray[Any]

MOST_TARGETS = 1_000_000
SPREAD_TARGETS = 16
ROW_TARGETS = 256
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TRUTH, ANSWER, ERROR, SIZE, SQUARE, RELATIVE = range(6)


@dataclass(frozen=True, slots=True)
class Targets:
    """One row a target (T,); NaN where it cannot be computed. `n` counts the samples with a known truth.

    `bias` is the mean of prediction - truth, `spread` its standard deviation: MSE = bias^2 + spread^2. `quantiles` (T,
    7) of the error belong to 1, 5, 25, 50, 75, 95 and 99%; NaN past 16 targets.
    """

    n: Array
    mae: Array
    rmse: Array
    r2: Array
    bias: Array
    spread: Array
    truth_mean: Array
    truth_std: Array
    prediction_mean: Array
    prediction_std: Array
    correlation: Array
    quantiles: Array


@dataclass(frozen=True, slots=True)
class Points:
    """Truth and prediction (k, T) of distinct samples and how often each occurred; `rule` says which they are."""

    truth: Array
    prediction: Array
    counts: Array
    rule: str


class RegressionSums(Streaming):
    """Errors of T numbers a sample, prediction - truth; all axes after the batch are targets.

    A truth that is NaN is unknown and left out alone. Memory: some 50 bytes a target; up to 16 targets also up to 1.8
    MB each for quantiles (exact up to 100,000 samples, then in bins of 0.1%), and at most 5,000 distinct rows of truth
    and prediction, for pictures and for the interval of R2, up to 256 targets.
    """

    task = "regression"

    def _build(self) -> None:
        """Make the parts."""
        if any(size is None or size < 1 for size in self.shape):
            raise ValueError("a regression output needs a fixed shape")
        self.targets = math.prod(size or 0 for size in self.shape)
        if self.targets > MOST_TARGETS:
            raise ValueError(f"{self.targets:,} targets are too many; set the task to reconstruction")
        self._moments = self._part("moments", Moments(self.targets, 6))
        self._samples = self._part("samples", Moments(2))
        self._zeros = self._part("zeros", Sum(self.targets))
        self._predictions = self._part("predictions", Moments(self.targets))
        spreads = self.targets if self.targets <= SPREAD_TARGETS else 0
        self._errors = [self._part(f"errors{i}", Spread()) for i in range(spreads)]
        self._truths = [self._part(f"truths{i}", Spread()) for i in range(spreads)]
        self._answers = [self._part(f"answers{i}", Spread()) for i in range(spreads)]
        kept = self.targets <= ROW_TARGETS
        self._rows = self._part("rows", RowSample(2 * self.targets)) if kept else None

    def update(self, y_true: Array | None, y_pred: Array, weights: Array | None = None) -> None:
        """Add one chunk: truths of the shape of the predictions (or (n,) for one target), or None."""
        answer = np.asarray(y_pred).astype(np.float64)
        n = len(answer)
        answer = _rows_of(answer, self.targets, "predictions")
        truth = np.full(answer.shape, np.nan) if y_true is None else target_rows(y_true, answer.shape)
        truth[~np.isfinite(truth)] = np.nan
        finite = np.isfinite(answer).all(axis=1)
        known = ~np.isnan(truth).all(axis=1)
        self._count(n=n, bad_scores=n - int(finite.sum()), labelled=int((finite & known).sum()))
        self._count(bad_labels=0 if y_true is None else n - int(known.sum()), weighted=0 if weights is None else n)
        self._predictions.add(answer[finite])
        for spread, column in zip(self._answers, answer[finite].T, strict=False):
            spread.add(column)
        self._add(truth[finite & known], answer[finite & known])

    def _add(self, truth: Array, answer: Array) -> None:
        """Add rows with finite predictions and at least one known truth."""
        error = answer - truth
        size = np.abs(error)
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(truth == 0, np.nan, size / np.abs(truth))
        answered = np.where(np.isnan(truth), np.nan, answer)
        self._moments.add(np.stack([truth, answered, error, size, error**2, relative], axis=2))
        self._samples.add(np.stack([_mean_known(size), _mean_known(error**2)], axis=1))
        self._zeros.values += (truth == 0).sum(axis=0)
        for index, (errors, truths) in enumerate(zip(self._errors, self._truths, strict=True)):
            known = ~np.isnan(truth[:, index])
            errors.add(error[known, index])
            truths.add(truth[known, index])
        if self._rows is not None:
            self._rows.add(np.concatenate([truth, answer], axis=1))

    def by_target(self) -> Targets:
        """Return the numbers of every target; for forecasts, the error by horizon."""
        mean, variance = self._moments.mean, self._moments.variance()
        n = self._moments.n[:, ERROR]
        mean = np.where(n[:, None] > 0, mean, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            deviation = np.sqrt(variance)
            r2 = np.where(variance[:, TRUTH] > 0, 1 - mean[:, SQUARE] / variance[:, TRUTH], np.nan)
            shared = (variance[:, TRUTH] + variance[:, ANSWER] - variance[:, ERROR]) / 2
            correlation = shared / (deviation[:, TRUTH] * deviation[:, ANSWER])
        shares = np.asarray(QUANTILES)
        quantiles = [spread.quantiles(shares) for spread in self._errors] or np.full((self.targets, 7), np.nan)
        return Targets(
            n=n,
            mae=mean[:, SIZE],
            rmse=np.sqrt(mean[:, SQUARE]),
            r2=r2,
            bias=mean[:, ERROR],
            spread=deviation[:, ERROR],
            truth_mean=mean[:, TRUTH],
            truth_std=deviation[:, TRUTH],
            prediction_mean=mean[:, ANSWER],
            prediction_std=deviation[:, ANSWER],
            correlation=np.clip(correlation, -1, 1),
            quantiles=np.asarray(quantiles),
        )

    def points(self) -> Points | None:
        """Return truth and prediction of a bounded choice of samples, for pictures; None past 256 targets."""
        if self._rows is None:
            return None
        rows, counts = self._rows.distinct()
        rule = f"all {self._rows.n:,} samples"
        if not self._rows.complete:
            rule = f"{len(rows):,} of {self._rows.n:,} samples, chosen by a hash of their values"
        return Points(rows[:, : self.targets], rows[:, self.targets :], counts, rule)

    def error_table(self, target: int = 0) -> tuple[Array, Array]:
        """Return distinct errors of one target, ascending, and how often each occurred; for a histogram."""
        values, counts = self._errors[target].table()
        return values, counts[:, 0]

    def prediction_table(self, target: int = 0) -> tuple[Array, Array]:
        """Return distinct predictions of one target, ascending, labelled or not, and how often each occurred."""
        values, counts = self._answers[target].table()
        return values, counts[:, 0]

    def notes(self) -> tuple[str, ...]:
        """Return what was left out, and how quantiles were read."""
        notes = list(super().notes())
        missing = int(self.n_labelled * self.targets - self._moments.n[:, ERROR].sum())
        if missing:
            notes.append(f"{missing:,} single true values are unknown (NaN or Inf) and left out alone.")
        if any(spread.binned for spread in self._errors):
            notes.append("Quantiles of errors stand on bins of 0.1% of the value.")
        return tuple(notes)

    def _bad_label_words(self) -> str:
        """Say what was wrong with truths that could not be used."""
        return "are NaN or Inf"


def target_rows(y_true: Array, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return truths as float64 rows (n, T), a copy; raises ValueError if they do not fit the predictions."""
    truth = numbers(y_true)
    if truth.size != int(np.prod(shape, dtype=np.int64)) or len(truth) != shape[0]:
        raise ValueError(f"labels have shape {truth.shape}; expected ({shape[0]}, {shape[1]})")
    return truth.reshape(shape).astype(np.float64)


def _rows_of(values: Array, width: int, what: str) -> NDArray[np.float64]:
    """Return values as (n, width); raises ValueError if they do not fit."""
    if values.size != len(values) * width:
        raise ValueError(f"{what} have shape {values.shape}; expected {width} numbers a sample")
    return values.reshape(len(values), width)


def _mean_known(values: Array) -> Array:
    """Return the mean of each row over what is not NaN (at least one number a row)."""
    known = ~np.isnan(values)
    return np.asarray(np.where(known, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))
