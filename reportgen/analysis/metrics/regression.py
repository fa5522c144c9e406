"""Regression: one or several numbers a sample; forecasts are several targets, one a step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.metrics.labels import numbers
from reportgen.analysis.metrics.parts import Moments, Sum
from reportgen.analysis.metrics.rows import RowSample
from reportgen.analysis.metrics.spread import Spread, weighted_quantiles
from reportgen.analysis.metrics.streaming import Streaming
from reportgen.analysis.metrics.value import MetricValue

Array = NDArray[Any]

SPREAD_TARGETS = 16
BOOTSTRAP_SAMPLES = 10_000
ROW_TARGETS = 256
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TRUTH, ANSWER, ERROR, SIZE, SQUARE, RELATIVE = range(6)
MEAN = "always the mean"


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


class Regression(Streaming):
    """Errors of T numbers a sample, prediction - truth; all axes after the batch are targets.

    A truth that is NaN is unknown and left out alone. Memory: some 50 bytes a target; up to 16 targets also up to 1.8
    MB each for quantiles (exact up to 100,000 samples, then in bins of 0.1%), and at most 5,000 distinct rows of truth
    and prediction, for pictures and for the interval of R2, up to 256 targets.
    """

    task = "regression"
    headlines = ("r2", "mae", "rmse")

    def _build(self) -> None:
        """Make the parts."""
        if any(size is None or size < 1 for size in self.shape):
            raise ValueError("a regression output needs a fixed shape")
        self.targets = math.prod(size or 0 for size in self.shape)
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

    def result(self) -> tuple[MetricValue, ...]:
        """Return R2, MAE, RMSE, median error, MAPE, bias and spread, over all targets alike."""
        targets = self.by_target()
        n = int(self._samples.n[0])
        mean, squares = self._samples.mean, self._samples.squares
        r2_ends, r2_method = self._r2_interval(targets)
        size_ends = intervals.mean_interval(float(mean[0]), float(squares[0]), n)
        square_ends = intervals.mean_interval(float(mean[1]), float(squares[1]), n)
        rmse_ends = (math.sqrt(max(square_ends[0], 0.0)), math.sqrt(square_ends[1])) if n > 1 else square_ends
        several = f", mean over {self.targets} targets" if self.targets > 1 else ""
        variance = self._moments.variance()[:, TRUTH]
        middle, middle_name = self._median_baseline()
        constant = "the true values do not vary" if self.n_labelled else ""
        return (
            self._metric(
                "r2",
                "R2",
                float(np.mean(targets.r2)),
                r2_ends,
                r2_method,
                baseline=0.0 if self.n_labelled else None,
                baseline_name=MEAN,
                reason=constant,
                help=f"Share of the variance of the truth that is explained{several}; 0 is the mean, 1 is perfect.",
            ),
            self._metric(
                "mae",
                "MAE",
                float(np.mean(targets.mae)),
                size_ends,
                "Student's t",
                better="lower",
                baseline=middle,
                baseline_name=middle_name,
                help=f"Mean absolute error{several}, in the units of the target.",
            ),
            self._metric(
                "rmse",
                "RMSE",
                float(np.sqrt(np.mean(targets.rmse**2))),
                rmse_ends,
                "Student's t on squared errors",
                better="lower",
                baseline=float(np.sqrt(np.mean(variance))) if self.n_labelled else None,
                baseline_name=MEAN,
                help="Root of the mean squared error over all values; large errors weigh more.",
            ),
            *self._further(targets),
        )

    def _further(self, targets: Targets) -> tuple[MetricValue, ...]:
        """Return the median absolute error, MAPE, bias and spread."""
        zeros = int(self._zeros.values.sum())
        relative = self._moments.mean[:, RELATIVE]
        percent = float(np.mean(relative)) if self.n_labelled and not zeros else math.nan
        one = self.targets == 1
        values = (
            (float(self._moments.mean[0, index]), float(self._moments.squares[0, index])) for index in (RELATIVE, ERROR)
        )
        ends = [intervals.mean_interval(mean, squares, self.n_labelled) if one else None for mean, squares in values]
        reason = f"{zeros:,} true values are 0" if zeros else ""
        middle = self._median_error(0) if self._errors else math.nan
        middle_reason = "" if self._errors or not self.n_labelled else f"not kept for {self.targets} targets"
        metrics = [
            self._metric(
                "mape",
                "MAPE",
                percent,
                ends[0],
                "Student's t",
                better="lower",
                unit="",
                reason=reason,
                help="Mean of |error| / |truth|; 0.1 means 10%.",
            ),
            self._metric(
                "bias",
                "Bias",
                float(np.mean(targets.bias)),
                ends[1],
                "Student's t",
                better="neither",
                help="Mean of prediction - truth: above 0, the model predicts too much.",
            ),
            self._metric(
                "error_std",
                "Spread of errors",
                float(np.sqrt(np.mean(targets.spread**2))),
                None,
                "none",
                better="lower",
                help="Standard deviation of the errors: what is left when the bias is taken out.",
            ),
        ]
        if one:
            metric = self._metric(
                "median_ae",
                "Median absolute error",
                middle,
                self._median_ends(),
                "order statistics",
                better="lower",
                reason=middle_reason,
                help="Half of the samples have a smaller error.",
            )
            metrics.insert(0, metric)
        return tuple(metrics)

    def _sizes(self, target: int) -> tuple[Array, Array]:
        """Return distinct absolute errors of one target, ascending, and their counts."""
        values, counts = self.error_table(target)
        sizes, place = np.unique(np.abs(values), return_inverse=True)
        return sizes, np.rint(np.bincount(place, weights=counts, minlength=len(sizes))).astype(np.int64)

    def _median_error(self, target: int) -> float:
        """Return the median absolute error of one target."""
        return float(weighted_quantiles(*self._sizes(target), np.asarray([0.5]))[0])

    def _median_ends(self) -> tuple[float, float]:
        """Return a 95% interval of the median from the binomial distribution of ranks."""
        n = self.n_labelled
        half = intervals.Z95 * 0.5 / math.sqrt(n) if n else math.nan
        if not n or half >= 0.5:
            return math.nan, math.nan
        low, high = weighted_quantiles(*self._sizes(0), np.asarray([0.5 - half, 0.5 + half])).tolist()
        return low, high

    def _median_baseline(self) -> tuple[float | None, str]:
        """Return the MAE of the best constant answer, the median of the truth."""
        if not self.n_labelled:
            return None, ""
        if self._truths:
            tables = [spread.table() for spread in self._truths]
            pairs = [(values, counts[:, 0]) for values, counts in tables]
        elif self._rows is not None:
            rows, weights = self._rows.distinct()
            columns = rows[:, : self.targets].T
            order = [np.argsort(column, kind="stable") for column in columns]
            pairs = [(column[place], weights[place]) for column, place in zip(columns, order, strict=True)]
            pairs = [(values[~np.isnan(values)], counts[~np.isnan(values)]) for values, counts in pairs]
        else:
            return None, ""
        return float(np.mean([_mean_distance(values, counts) for values, counts in pairs])), "always the median"

    def _r2_interval(self, targets: Targets) -> tuple[tuple[float, float] | None, str]:
        """Return a 95% interval of the mean R2: a bootstrap of all samples, or linearised on the kept rows."""
        if self._rows is None or self.n_labelled < 2 or np.isnan(targets.r2).any():
            return None, "none"
        rows, counts = self._rows.distinct()
        known = ~np.isnan(rows[:, : self.targets])
        truth = np.where(known, rows[:, : self.targets] - targets.truth_mean, 0.0)
        squared = np.where(known, (rows[:, self.targets :] - targets.truth_mean - truth) ** 2, 0.0)
        if self._rows.complete and self.n_labelled <= BOOTSTRAP_SAMPLES:
            table = np.concatenate([squared, truth, truth**2, known], axis=1)
            return self._r2_bootstrap(np.repeat(table, counts, axis=0))
        share = targets.n / self.n_labelled
        influence = np.mean((squared - (1 - targets.r2) * truth**2) / targets.truth_std**2 / share, axis=1)
        middle = np.average(influence, weights=counts)
        spread = float(np.average((influence - middle) ** 2, weights=counts)) * self.n_labelled
        return intervals.mean_interval(float(np.mean(targets.r2)), spread, self.n_labelled), "normal, linearised"

    def _r2_bootstrap(self, table: Array) -> tuple[tuple[float, float], str]:
        """Return a bootstrap interval from squared errors, truths, their squares, and 1 where known (n, 4 T)."""
        size = self.targets

        def statistic(means: Array) -> Array:
            """Return the mean R2 of each resample."""
            squared, truth, squares, known = (means[:, part * size : (part + 1) * size] for part in range(4))
            variance = squares - truth**2 / known
            return np.asarray(np.mean(1 - squared / np.where(variance > 0, variance, np.nan), axis=1))

        order = np.lexsort(table.T)
        low, high, method = intervals.bootstrap_rows(table[order], statistic)
        return (float(low), float(high)), method

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


def _mean_distance(values: Array, counts: Array) -> float:
    """Return the mean distance of values from their median; NaN when there are none."""
    if not len(values):
        return math.nan
    middle = weighted_quantiles(values, counts, np.asarray([0.5]))[0]
    return float((np.abs(values - middle) * counts).sum() / counts.sum())
