"""Regression: one or several numbers a sample; forecasts are several targets, one a step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.metrics.regression_sums import ERROR, RELATIVE, TRUTH, RegressionSums
from reportgen.analysis.metrics.regression_sums import Points as Points
from reportgen.analysis.metrics.regression_sums import Targets as Targets
from reportgen.analysis.metrics.spread import weighted_quantiles
from reportgen.analysis.metrics.value import MetricValue

Array = NDArray[Any]

BOOTSTRAP_SAMPLES = 10_000
MEAN = "always the mean"


class Regression(RegressionSums):
    """Errors of T numbers a sample, prediction - truth; see RegressionSums."""

    headlines = ("r2", "mae", "rmse")

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
        """Return the median absolute error of a single target, MAPE, bias and spread."""
        zeros = int(self._zeros.values.sum())
        percent = float(np.mean(self._moments.mean[:, RELATIVE])) if self.n_labelled and not zeros else math.nan
        metrics = (
            self._metric(
                "mape",
                "MAPE",
                percent,
                self._single_ends(RELATIVE),
                "Student's t",
                better="lower",
                reason=f"{zeros:,} true values are 0" if zeros else "",
                help="Mean of |error| / |truth|; 0.1 means 10%.",
            ),
            self._metric(
                "bias",
                "Bias",
                float(np.mean(targets.bias)),
                self._single_ends(ERROR),
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
        )
        return (self._median_metric(), *metrics) if self.targets == 1 else metrics

    def _median_metric(self) -> MetricValue:
        """Return the median absolute error of the only target."""
        return self._metric(
            "median_ae",
            "Median absolute error",
            float(weighted_quantiles(*self._sizes(0), np.asarray([0.5]))[0]),
            self._median_ends(),
            "order statistics",
            better="lower",
            help="Half of the samples have a smaller error.",
        )

    def _single_ends(self, column: int) -> tuple[float, float] | None:
        """Return the interval of a mean when there is one target; None for several, whose errors hang together."""
        if self.targets > 1:
            return None
        mean, squares = float(self._moments.mean[0, column]), float(self._moments.squares[0, column])
        return intervals.mean_interval(mean, squares, self.n_labelled)

    def _sizes(self, target: int) -> tuple[Array, Array]:
        """Return distinct absolute errors of one target, ascending, and their counts."""
        values, counts = self.error_table(target)
        sizes, place = np.unique(np.abs(values), return_inverse=True)
        return sizes, np.rint(np.bincount(place, weights=counts, minlength=len(sizes))).astype(np.int64)

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


def _mean_distance(values: Array, counts: Array) -> float:
    """Return the mean distance of values from their median; NaN when there are none."""
    if not len(values):
        return math.nan
    middle = weighted_quantiles(values, counts, np.asarray([0.5]))[0]
    return float((np.abs(values - middle) * counts).sum() / counts.sum())
