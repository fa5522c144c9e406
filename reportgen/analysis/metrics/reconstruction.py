"""Reconstruction and image-to-image: how close each output comes to its target."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.metrics.labels import flat_rows, numbers
from reportgen.analysis.metrics.parts import Extremes, Moments, Sum
from reportgen.analysis.metrics.similarity import ssim
from reportgen.analysis.metrics.spread import Spread
from reportgen.analysis.metrics.streaming import Streaming
from reportgen.analysis.metrics.value import MetricValue

Array = NDArray[Any]

RANGES = (1.0, 2.0, 10.0, 255.0, 65_535.0)
POSITIONS = 4_000_000
MSE, MAE, LOG_MSE, BIAS = range(4)
SIMILARITY = 4
MEAN_IMAGE = "always the mean target"


class Reconstruction(Streaming):
    """Errors of outputs (n, ...) against targets of the same shape; each sample counts once.

    PSNR and SSIM need the range of values: the smallest of 1, 2, 10, 255 and 65,535 that reaches from 0, or from the
    lowest target below 0, to the highest. Memory: 40 bytes a position (mean target and mean error, up to 4 million
    positions) and up to 0.9 MB for the errors of samples; not growing with n. `add_unchanged` adds what the input
    itself would score as output.
    """

    task = "reconstruction"
    headlines = ("mse", "psnr")

    def _build(self) -> None:
        """Make the parts."""
        fixed = bool(self.shape) and all(size is not None and size > 0 for size in self.shape)
        size = math.prod(size or 0 for size in self.shape)
        self._rows = self._part("rows", Moments(SIMILARITY + len(RANGES)))
        self._faultless = self._part("faultless", Sum(1))
        self._truth = self._part("truth", Extremes())
        self._answer = self._part("answer", Extremes())
        self._answers = self._part("answers", Moments(2))
        self._errors = self._part("errors", Spread())
        self._plain = self._part("plain", Moments(SIMILARITY + len(RANGES)))
        self._times = self._part("times", Extremes())
        mapped = fixed and size <= POSITIONS
        self._targets = self._part("targets", Moments(size)) if mapped else None
        self._map = self._part("map", Sum(size, dtype=np.float64)) if mapped else None

    def update(self, y_true: Array | None, y_pred: Array, weights: Array | None = None) -> None:
        """Add one chunk: targets of the shape of the outputs (a last axis of 1 may be missing), or None."""
        answer = np.asarray(y_pred).astype(np.float64)
        n = len(answer)
        finite = np.isfinite(flat_rows(answer)).all(axis=1)
        known: Array = np.zeros(n, bool)
        truth = answer
        if y_true is not None:
            truth = target_pictures(y_true, answer.shape)
            known = np.asarray(np.isfinite(flat_rows(truth)).all(axis=1))
        self._count(n=n, bad_scores=n - int(finite.sum()), labelled=int((known & finite).sum()))
        self._count(bad_labels=0 if y_true is None else n - int(known.sum()), weighted=0 if weights is None else n)
        good = flat_rows(answer[finite])
        if good.size:
            self._answers.add(np.stack([good.mean(axis=1), good.std(axis=1)], axis=1))
            self._answer.add(good.reshape(-1))
        if (known & finite).any():
            self._add(truth[known & finite], answer[known & finite])

    def add_unchanged(self, y_true: Array, y_pred: Array, unchanged: Array, times: int) -> None:
        """Add what the input itself would score as output on one chunk (n, ...); `times` it was enlarged."""
        truth = target_pictures(y_true, np.shape(y_pred))
        plain = np.asarray(unchanged, np.float64).reshape(truth.shape)
        used = np.isfinite(flat_rows(truth)).all(axis=1) & np.isfinite(flat_rows(np.asarray(y_pred))).all(axis=1)
        used &= np.isfinite(flat_rows(plain)).all(axis=1)
        if used.any():
            self._plain.add(_closeness(truth[used], plain[used]))
            self._times.add(np.asarray([float(times)]))

    def _add(self, truth: Array, answer: Array) -> None:
        """Add finite targets and outputs."""
        error = flat_rows(answer - truth)
        rows = _closeness(truth, answer)
        self._faultless.values += int((rows[:, MSE] == 0).sum())
        self._rows.add(rows)
        self._errors.add(rows[:, MSE])
        self._truth.add(truth.reshape(-1))
        if self._targets is not None and self._map is not None:
            self._targets.add(flat_rows(truth))
            self._map.values += np.abs(error).sum(axis=0)

    @property
    def value_range(self) -> float:
        """The range of values that PSNR and SSIM stand on; NaN without targets."""
        low, high = float(self._truth.low), float(self._truth.high)
        if low > high:
            return math.nan
        return next((span for span in RANGES if high - min(low, 0.0) <= span), RANGES[-1])

    def error_map(self) -> Array | None:
        """Return the mean absolute error at each position; None without targets or a fixed shape."""
        if self._map is None or not self.n_labelled:
            return None
        return (self._map.values / self.n_labelled).reshape([size or 0 for size in self.shape])

    def mean_target(self) -> Array | None:
        """Return the mean target; None without targets or a fixed shape."""
        if self._targets is None or not self.n_labelled:
            return None
        return self._targets.mean.reshape([size or 0 for size in self.shape])

    def error_table(self) -> tuple[Array, Array]:
        """Return distinct MSEs of samples, ascending, and how often each occurred."""
        values, counts = self._errors.table()
        return values, counts[:, 0]

    def quantiles(self, shares: Array) -> Array:
        """Return quantiles of the samples' MSE."""
        return self._errors.quantiles(shares)

    def notes(self) -> tuple[str, ...]:
        """Return what was left out, and the range behind PSNR and SSIM."""
        notes = list(super().notes())
        if self.n_labelled:
            low, high = float(self._truth.low), float(self._truth.high)
            notes.append(
                f"PSNR and SSIM take {self.value_range:g} as the range of values (targets: {low:.4g} to {high:.4g})."
            )
        if self._faultless.values[0]:
            notes.append(
                f"{int(self._faultless.values[0]):,} outputs equal their target and are left out of the mean PSNR."
            )
        return tuple(notes)

    def baseline(self) -> tuple[str, dict[str, float]]:
        """Return the simple output with the lower MSE, by name, and its scores: the mean target, or the input itself.

        The mean target knows all targets of this batch, so that it is hard to beat where samples look alike.
        """
        if not self.n_labelled:
            return "", {}
        scale = 20 * math.log10(self.value_range)
        mean = float(self._targets.variance().mean()) if self._targets is not None else math.inf
        own = float(self._plain.mean[MSE]) if self._plain.n[MSE] else math.inf
        if not math.isfinite(min(mean, own)):
            return "", {}
        if mean <= own:
            return MEAN_IMAGE, {"mse": mean, "psnr": scale - 10 * math.log10(mean) if mean > 0 else math.inf}
        times = int(self._times.high)
        name = "the input unchanged" if times == 1 else f"the input enlarged {times} times"
        similar = float(self._plain.mean[SIMILARITY + RANGES.index(self.value_range)])
        scores = {"mse": own, "mae": float(self._plain.mean[MAE]), "ssim": similar}
        return name, scores | {"psnr": scale - 10 * float(self._plain.mean[LOG_MSE])}

    def result(self) -> tuple[MetricValue, ...]:
        """Return MSE, MAE, PSNR, SSIM and bias, means over samples."""
        labelled = self.n_labelled > 0
        span = self.value_range
        name, plain = self.baseline()
        scale = 20 * math.log10(span) if labelled else math.nan
        low, high = self._mean_ends(LOG_MSE)
        faultless = "every output equals its target" if labelled else ""
        chosen = SIMILARITY + RANGES.index(span) if labelled else SIMILARITY
        small = "outputs are too small for a window of 3 positions" if labelled else ""
        similar = "Structural similarity in windows of 7 positions; 1 is equal."
        metrics = (
            self._mean("mse", "MSE", MSE, "Mean squared error of a value.", better="lower"),
            self._mean("mae", "MAE", MAE, "Mean absolute error of a value.", better="lower"),
            self._metric(
                "psnr",
                "PSNR (dB)",
                scale - 10 * self._mean_of(LOG_MSE),
                (scale - 10 * high, scale - 10 * low),
                "Student's t",
                reason=faultless,
                n=int(self._rows.n[LOG_MSE]),
                help="Mean over samples of 10 log10(range^2 / MSE), in decibels.",
            ),
            self._mean("ssim", "SSIM", chosen, similar, reason=small),
            self._mean("bias", "Bias", BIAS, "Mean of output - target.", better="neither"),
        )
        known = {key: value for key, value in plain.items() if math.isfinite(value)}
        return tuple(
            replace(metric, baseline=known[metric.name], baseline_name=name) if metric.name in known else metric
            for metric in metrics
        )

    def _mean_of(self, column: int) -> float:
        """Return the mean of one per-sample number; NaN without samples."""
        return float(self._rows.mean[column]) if self._rows.n[column] else math.nan

    def _mean_ends(self, column: int) -> tuple[float, float]:
        """Return the interval of the mean of one per-sample number."""
        n = int(self._rows.n[column])
        return intervals.mean_interval(float(self._rows.mean[column]), float(self._rows.squares[column]), n)

    def _mean(
        self,
        name: str,
        label: str,
        column: int,
        help_text: str,
        *,
        better: str = "higher",
        reason: str = "",
    ) -> MetricValue:
        """Return a metric that is a mean over samples."""
        return self._metric(
            name,
            label,
            self._mean_of(column),
            self._mean_ends(column),
            "Student's t",
            better=better,
            reason=reason,
            help=help_text,
        )

    def _bad_label_words(self) -> str:
        """Say what was wrong with targets that could not be used."""
        return "hold NaN or Inf"


def _closeness(truth: Array, answer: Array) -> NDArray[np.float64]:
    """Return MSE, MAE, log10 MSE (NaN where equal), bias, and SSIM for every range, of finite samples: (n, 9)."""
    error = flat_rows(answer - truth)
    mse = (error**2).mean(axis=1)
    log_mse = np.log10(mse, where=mse > 0, out=np.full(len(mse), np.nan))
    columns = [mse, np.abs(error).mean(axis=1), log_mse, error.mean(axis=1)]
    possible = [span for span in RANGES if truth.max() - min(truth.min(), 0.0) <= span] or [RANGES[-1]]
    similar = np.full((len(mse), len(RANGES)), np.nan)  # A range too small for these targets is never chosen.
    similar[:, len(RANGES) - len(possible) :] = ssim(truth, answer, tuple(possible))
    return np.concatenate([np.stack(columns, axis=1), similar], axis=1)


def target_pictures(y_true: Array, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return targets as float64 of the outputs' shape; raises ValueError if they do not fit."""
    truth = numbers(y_true)
    if truth.shape not in (shape, shape[:-1] if shape[-1] == 1 else shape):
        raise ValueError(f"targets have shape {truth.shape}; expected {shape}")
    return truth.reshape(shape).astype(np.float64)
