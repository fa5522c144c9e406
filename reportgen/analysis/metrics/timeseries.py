"""Time series: forecasts of one or several steps, beside naive ones made from the same input windows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.metrics.parts import Covariance, Extremes, Moments
from reportgen.analysis.metrics.regression import Regression
from reportgen.analysis.metrics.regression_sums import target_rows
from reportgen.analysis.metrics.value import MetricValue

Array = NDArray[Any]

METHOD = "Student's t over windows, linearised"
NO_NAIVE = "there is no naive forecast to compare with"


@dataclass(frozen=True, slots=True)
class Horizon:
    """Errors by step ahead (H,), means over the variables: the model's, and those of naive forecasts by name."""

    n: Array
    mae: Array
    rmse: Array
    low: Array
    high: Array
    naive: dict[str, Array]


class Timeseries(Regression):
    """Errors of forecasts; all that regression has, and the errors of two naive forecasts (last value, last season).

    Windows of one series overlap, so that their errors hang together and intervals are narrower than they should be;
    `notes()` says so. Memory: as regression, and 80 bytes a step.
    """

    task = "timeseries"
    headlines = ("mae", "rmse", "skill")

    def _build(self) -> None:
        """Make the parts."""
        super()._build()
        self.steps = int(self.shape[0] or 1) if self.shape else 1
        self._naive_sizes = self._part("naive_sizes", Moments(self.targets, 2))
        self._naive_squares = self._part("naive_squares", Moments(2))
        self._joint = [self._part(f"joint{i}", Covariance(2)) for i in range(2)]
        self._scaled = self._part("scaled", Covariance(2))
        self._season = self._part("season", Extremes())
        self._smape = self._part("smape", Moments(1))

    def add_naive(self, y_true: Array, y_pred: Array, last: Array, seasonal: Array | None, season: int) -> None:
        """Add the naive forecasts of one chunk, of the shape of the predictions; `season` is the period, 0 for none."""
        answer = np.asarray(y_pred).astype(np.float64).reshape(len(y_pred), self.targets)
        truth = target_rows(y_true, answer.shape)
        used = np.isfinite(answer).all(axis=1) & np.isfinite(truth).all(axis=1)
        unknown = np.full(answer.shape, np.nan)
        sizes = np.stack(
            [np.abs((unknown if f is None else f.reshape(answer.shape)) - truth) for f in (last, seasonal)], axis=2
        )[used]
        self._naive_sizes.add(sizes)
        own = np.abs(answer - truth)[used].mean(axis=1)
        with np.errstate(invalid="ignore"):
            self._naive_squares.add((sizes**2).mean(axis=1))
        for index, joint in enumerate(self._joint):
            naive = sizes[:, :, index].mean(axis=1)
            known = np.isfinite(naive)
            joint.add(np.stack([own, naive], axis=1)[known])
        if season:
            self._season.add(np.asarray([float(season)]))

    def add_steps(self, y_true: Array, y_pred: Array, steps: Array) -> None:
        """Add how far the naive forecast of one step errs inside each input window (n,), the scale of MASE."""
        answer = np.asarray(y_pred).astype(np.float64).reshape(len(y_pred), self.targets)
        truth = target_rows(y_true, answer.shape)
        used = np.isfinite(answer).all(axis=1) & np.isfinite(truth).all(axis=1) & np.isfinite(steps)
        self._scaled.add(np.stack([np.abs(answer - truth)[used].mean(axis=1), steps[used]], axis=1))

    def _add(self, truth: Array, answer: Array) -> None:
        """Add rows; the symmetric relative error besides what regression adds."""
        super()._add(truth, answer)
        with np.errstate(divide="ignore", invalid="ignore"):
            whole = np.abs(truth) + np.abs(answer)
            relative = np.where(whole > 0, 2 * np.abs(answer - truth) / whole, 0.0)
        known = np.isfinite(relative)
        count = np.maximum(known.sum(axis=1), 1)
        self._smape.add((np.where(known, relative, 0.0).sum(axis=1) / count)[:, None])

    @property
    def season(self) -> int:
        """The period of the seasonal forecast; 0 when there is none."""
        return int(self._season.high) if np.isfinite(self._season.high) else 0

    @property
    def strongest(self) -> int | None:
        """Which naive forecast has the lower mean error: 0 last value, 1 last season; None when there is neither."""
        known = [index for index, joint in enumerate(self._joint) if int(joint.n)]
        return min(known, key=lambda index: float(self._joint[index].mean[1])) if known else None

    def naive_name(self, index: int) -> str:
        """Name a naive forecast."""
        return "last value" if index == 0 else f"value one season ({self.season} steps) ago"

    def by_horizon(self) -> Horizon:
        """Return the errors by step ahead."""
        targets = self.by_target()
        shape = (self.steps, -1)
        n = targets.n.reshape(shape).sum(axis=1)
        mean = targets.mae.reshape(shape).mean(axis=1)
        # The spread of |error| is known from its mean square and mean.
        spread = np.sqrt(np.maximum((targets.rmse**2).reshape(shape).mean(axis=1) - mean**2, 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            half = intervals.Z95 * spread / np.sqrt(np.maximum(targets.n.reshape(shape).min(axis=1), 1))
        naive = {}
        for index in range(2):
            if int(self._joint[index].n):
                naive[self.naive_name(index)] = self._naive_sizes.mean[:, index].reshape(shape).mean(axis=1)
        rmse = np.sqrt((targets.rmse**2).reshape(shape).mean(axis=1))
        return Horizon(n, mean, rmse, mean - half, mean + half, naive)

    def notes(self) -> tuple[str, ...]:
        """Return what was left out, and what overlapping windows do to intervals."""
        own = "Windows of one series hang together, so that intervals are narrower than they should be."
        return (*super().notes(), own) if self.n_labelled else super().notes()

    def result(self) -> tuple[MetricValue, ...]:
        """Return regression's metrics with the stronger naive forecast as baseline, the skill against it, and sMAPE."""
        plain = super().result()
        best = self.strongest
        if best is None:
            return (*plain, self._skill(None), self._mean_scaled(), self._symmetric())
        name = f"naive: {self.naive_name(best)}"
        bases = {
            "mae": float(self._joint[best].mean[1]),
            "rmse": math.sqrt(float(self._naive_squares.mean[best])),
        }
        metrics = [
            replace(metric, baseline=bases[metric.name], baseline_name=name) if metric.name in bases else metric
            for metric in plain
        ]
        return (*metrics, self._skill(best), self._mean_scaled(), self._symmetric())

    def _skill(self, best: int | None) -> MetricValue:
        """Return by how much the error is smaller than the naive one's."""
        value, ends = math.nan, None
        if best is not None:
            own, naive = (float(mean) for mean in self._joint[best].mean)
            if naive > 0:
                value = 1 - own / naive
                ends = self._joint[best].ends(value, np.asarray([-1 / naive, own / naive**2]))
        name = "" if best is None else f"naive: {self.naive_name(best)}"
        return self._metric(
            "skill",
            "Skill over the naive forecast",
            value,
            ends,
            METHOD,
            baseline=None if best is None else 0.0,
            baseline_name=name,
            reason="" if best is not None or not self.n_labelled else NO_NAIVE,
            help="1 - MAE / naive MAE on the same windows: 0 is no better than the naive forecast, 1 is perfect.",
        )

    def _mean_scaled(self) -> MetricValue:
        """Return the mean absolute scaled error (R. J. Hyndman and A. B. Koehler, Int. J. Forecasting 22, 2006)."""
        own, steps = (float(mean) for mean in self._scaled.mean)
        value = own / steps if int(self._scaled.n) and steps > 0 else math.nan
        ends = None
        if not math.isnan(value):
            ends = self._scaled.ends(value, np.asarray([1 / steps, -own / steps**2]))
        lag = f"{self.season} steps" if self.season else "one step"
        flat = "the input windows do not vary" if int(self._scaled.n) else NO_NAIVE
        return self._metric(
            "mase",
            "MASE",
            value,
            ends,
            METHOD,
            better="lower",
            n=int(self._scaled.n),
            reason=flat if self.n_labelled else "",
            help=f"MAE over that of repeating the value {lag} earlier, inside the input windows; below 1 is better.",
        )

    def _symmetric(self) -> MetricValue:
        """Return the symmetric mean absolute percentage error."""
        n, mean, squares = int(self._smape.n[0]), float(self._smape.mean[0]), float(self._smape.squares[0])
        return self._metric(
            "smape",
            "sMAPE",
            mean if n else math.nan,
            intervals.mean_interval(mean, squares, n),
            "Student's t",
            better="lower",
            help="Mean of 2 |error| / (|truth| + |forecast|), 0 to 2.",
        )
