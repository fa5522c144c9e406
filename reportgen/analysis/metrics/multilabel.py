"""Multilabel: any number of labels a sample, each judged alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.metrics import classes as tables
from reportgen.analysis.metrics.curves import ScoreTable, average_precision_ends
from reportgen.analysis.metrics.label_scores import LabelScores, label_flags, label_scores
from reportgen.analysis.metrics.parts import Covariance, Moments, Sum
from reportgen.analysis.metrics.streaming import Streaming
from reportgen.analysis.metrics.value import MetricValue

Array = NDArray[Any]

MOST_LABELS = 500_000
PAIR_LABELS = 200
CLIP = 1e-7
RANDOM = "a random order"
EVERY = "always every label"


@dataclass(frozen=True, slots=True)
class PerLabel:
    """One row a label (L,); rates NaN where undefined. `support` counts samples that have the label, of `n` known."""

    n: Array
    support: Array
    predicted: Array
    precision: Array
    recall: Array
    f1: Array
    average_precision: Array
    roc_auc: Array
    best_threshold: Array
    best_f1: Array


class Multilabel(Streaming):
    """Metrics of scores (n, L) against labels (n, L) of 0 and 1; any other label is unknown and left out alone.

    A label is given when its probability is above 0.5, or, when the scores are not probabilities, its score is above 0.
    Memory: at most 18 MB of scores (see LabelScores), and 48 L^2 bytes up to 200 labels for what is mistaken together.
    """

    task = "multilabel"
    headlines = ("f1_micro", "map", "subset_accuracy")

    def _build(self) -> None:
        """Make the parts."""
        self.labels = int(self.shape[-1] or 0) if self.shape else 0
        if not 1 <= self.labels <= MOST_LABELS:
            raise ValueError("a multilabel output needs a known number of labels, at most 500,000")
        self._tables = self._part("tables", Sum(self.labels, 4))
        self._exact = self._part("exact", Sum(3))
        self._predicted = self._part("predicted", Sum(self.labels))
        self._rows = self._part("rows", Moments(3))
        self._micro = self._part("micro", Covariance(2))
        self._scores = self._part("scores", LabelScores(self.labels, self.probabilistic))
        paired = self.labels <= PAIR_LABELS
        self._joint = self._part("joint", Covariance(2 * self.labels)) if paired else None
        self._together = self._part("together", Sum(self.labels, self.labels)) if paired else None
        self._swapped = self._part("swapped", Sum(self.labels, self.labels)) if paired else None

    @property
    def threshold(self) -> float:
        """The threshold above which a label is given."""
        return 0.5 if self.probabilistic else 0.0

    @property
    def predicted(self) -> Array:
        """How often each label was given (L,), labelled or not."""
        return self._predicted.values

    def update(self, y_true: Array | None, y_pred: Array, weights: Array | None = None) -> None:
        """Add one chunk: labels (n, L) of 0 and 1, or None; scores (n, L)."""
        scores = label_scores(y_pred, self.labels, self.scores)
        n = len(scores)
        finite = np.isfinite(scores).all(axis=1)
        truth = np.full(scores.shape, 2, np.uint8) if y_true is None else label_flags(y_true, scores.shape)
        known = (truth < 2).any(axis=1)
        self._count(n=n, bad_scores=n - int(finite.sum()), labelled=int((known & finite).sum()))
        self._count(bad_labels=0 if y_true is None else n - int(known.sum()), weighted=0 if weights is None else n)
        self._predicted.values += (scores[finite] > self.threshold).sum(axis=0)
        self._add(truth[known & finite], scores[known & finite])

    def _add(self, truth: Array, scores: Array) -> None:
        """Add rows with finite scores and at least one known label."""
        known, given, has = truth < 2, scores > self.threshold, truth == 1
        right, missed, false = given & has, ~given & has, given & (truth == 0)
        absent = ~given & (truth == 0)
        self._tables.values += np.stack([part.sum(axis=0) for part in (absent, false, missed, right)], axis=1)
        wrong = missed | false
        self._exact.values += [int((~wrong.any(axis=1)).sum()), int((~has.any(axis=1)).sum()), int(known.sum())]
        self._scores.add(truth, scores)
        hits, touched = right.sum(axis=1), right.sum(axis=1) * 2 + missed.sum(axis=1) + false.sum(axis=1)
        self._micro.add(np.stack([2 * hits, touched], axis=1))
        self._rows.add(self._row_losses(truth, scores, wrong, known))
        if self._joint is not None and self._together is not None and self._swapped is not None:
            self._joint.add(np.concatenate([2.0 * right, right * 2.0 + missed + false], axis=1))
            plain = wrong.astype(np.float32)
            self._together.values += np.rint(plain.T @ plain).astype(np.int64)
            self._swapped.values += np.rint(missed.T.astype(np.float32) @ false.astype(np.float32)).astype(np.int64)

    def _row_losses(self, truth: Array, scores: Array, wrong: Array, known: Array) -> Array:
        """Return the share of wrong labels, the log loss and the Brier score of each sample, over its known labels."""
        n = known.sum(axis=1)
        if not self.probabilistic:
            return np.stack([wrong.sum(axis=1) / n, np.full(len(n), np.nan), np.full(len(n), np.nan)], axis=1)
        own = np.where(truth == 1, scores, 1 - scores)
        losses = np.where(known, -np.log(np.clip(own, CLIP, 1.0)), 0.0).sum(axis=1) / n
        brier = np.where(known, (1 - own) ** 2, 0.0).sum(axis=1) / n
        return np.stack([wrong.sum(axis=1) / n, losses, brier], axis=1)

    def per_label(self) -> PerLabel:
        """Return the rates, ranks and best threshold of every label."""
        absent, false, missed, right = self._tables.values.T
        rates = tables.compute_per_class(right, right + missed, right + false)
        curves = [self._scores.table(label) for label in range(self.labels)]
        best = [curve.best_f1() for curve in curves]
        return PerLabel(
            n=absent + false + missed + right,
            support=rates.support,
            predicted=rates.predicted,
            precision=rates.precision,
            recall=rates.recall,
            f1=rates.f1,
            average_precision=np.asarray([curve.average_precision() for curve in curves]),
            roc_auc=np.asarray([curve.area() for curve in curves]),
            best_threshold=np.asarray([math.nan if choice is None else choice.threshold for choice in best]),
            best_f1=np.asarray([math.nan if choice is None else choice.f1 for choice in best]),
        )

    def curve(self, label: int) -> ScoreTable:
        """Return the scores of one label, for ROC, precision-recall and thresholds."""
        return self._scores.table(label)

    def mistakes_together(self) -> Array | None:
        """Return how often two labels were wrong on one sample (L, L), the diagonal alone; None past 200 labels."""
        return None if self._together is None else self._together.values

    def swaps(self) -> Array | None:
        """Return how often label i was missed while j was falsely given (L, L); None past 200 labels."""
        return None if self._swapped is None else self._swapped.values

    def notes(self) -> tuple[str, ...]:
        """Return what was left out, and how curves were read."""
        notes = list(super().notes())
        missing = self.n_labelled * self.labels - int(self._exact.values[2])
        if missing:
            notes.append(f"{missing:,} single labels are neither 0 nor 1 and left out alone.")
        if self._scores.binned:
            notes.append(f"Curves of labels stand on scores in {self._scores.bins:,} bins.")
        return tuple(notes)

    def result(self) -> tuple[MetricValue, ...]:
        """Return micro and macro F1, mAP, subset accuracy, Hamming loss, log loss and Brier score."""
        n, labelled = self.n_labelled, self.n_labelled > 0
        exact, empty = (int(value) for value in self._exact.values[:2])
        labels = self.per_label()
        return (
            *self._f1(labels),
            self._mean_precision(labels),
            self._metric(
                "subset_accuracy",
                "Subset accuracy",
                exact / n if n else math.nan,
                intervals.wilson_pair(exact, n),
                "Wilson",
                baseline=empty / n if n else None,
                baseline_name="never any label",
                unit="share",
                help="Share of samples with every label right.",
            ),
            *self._losses(labels, labelled),
        )

    def _f1(self, labels: PerLabel) -> tuple[MetricValue, MetricValue]:
        """Return micro F1 and macro F1."""
        right = self._tables.values[:, 3].sum()
        touched = float(labels.support.sum() + labels.predicted.sum())
        micro = 2 * float(right) / touched if touched else math.nan
        mean = self._micro.mean
        gradient = np.asarray([1.0, -micro]) / mean[1] if mean[1] else np.zeros(2)
        some = labels.support + labels.predicted > 0
        f1 = np.where(some, labels.f1, 0.0)
        macro = float(f1[some].mean()) if some.any() else math.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            share = labels.support / labels.n
            plain = 2 * share / (1 + share)
        overall = labels.support.sum() / max(int(labels.n.sum()), 1)
        none = "no label occurs or is given" if self.n_labelled else ""
        return (
            self._metric(
                "f1_micro",
                "Micro F1",
                micro,
                self._micro.ends(micro, gradient),
                "Student's t, linearised",
                baseline=float(2 * overall / (1 + overall)) if self.n_labelled else None,
                baseline_name=EVERY,
                unit="share",
                reason=none,
                help="F1 over all single decisions together.",
            ),
            self._metric(
                "f1_macro",
                "Macro F1",
                macro,
                self._macro_ends(macro, f1, some),
                "Student's t, linearised",
                baseline=float(np.mean(plain[some])) if some.any() else None,
                baseline_name=EVERY,
                unit="share",
                reason=none,
                help="Mean F1 over the labels that occur or are given, each counting the same.",
            ),
        )

    def _macro_ends(self, macro: float, f1: Array, some: Array) -> tuple[float, float] | None:
        """Return the interval of macro F1 from the co-moments of every label's counts; None past 200 labels."""
        if self._joint is None or not some.any():
            return None
        weight = np.zeros(self.labels)
        touched = self._joint.mean[self.labels :]
        weight[some] = 1 / touched[some] / int(some.sum())
        return self._joint.ends(macro, np.concatenate([weight, -f1 * weight]))

    def _mean_precision(self, labels: PerLabel) -> MetricValue:
        """Return the mean average precision over the labels that occur."""
        known = ~np.isnan(labels.average_precision)
        values = labels.average_precision[known]
        support = labels.support[known]
        low, high = average_precision_ends(values, support)
        share = support / np.maximum(labels.n[known], 1)
        return self._metric(
            "map",
            "Mean average precision",
            float(values.mean()) if len(values) else math.nan,
            (float(low.mean()), float(high.mean())) if len(values) else None,
            "mean of the labels' log-odds intervals (wide)",
            baseline=float(share.mean()) if len(values) else None,
            baseline_name=RANDOM,
            reason="no label occurs" if self.n_labelled else "",
            help="Mean over labels of the area under the precision-recall curve.",
        )

    def _losses(self, labels: PerLabel, labelled: bool) -> list[MetricValue]:
        """Return Hamming loss, log loss and Brier score, means over samples of means over labels."""
        share = labels.support / np.maximum(labels.n, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = -np.nan_to_num(share * np.log(share)) - np.nan_to_num((1 - share) * np.log1p(-share))
        plain = (np.minimum(share, 1 - share).mean(), entropy.mean(), (share * (1 - share)).mean())
        metrics = []
        for index, (name, label, help_text, baseline_name) in enumerate(LOSSES):
            n = int(self._rows.n[index])
            mean, squares = float(self._rows.mean[index]), float(self._rows.squares[index])
            metric = self._metric(
                name,
                label,
                mean if n else math.nan,
                intervals.mean_interval(mean, squares, n),
                "Student's t",
                better="lower",
                baseline=float(plain[index]) if labelled else None,
                baseline_name=baseline_name,
                help=help_text,
            )
            metrics.append(metric)
        return metrics

    def _bad_label_words(self) -> str:
        """Say what was wrong with labels that could not be used."""
        return "hold neither 0 nor 1 anywhere"


LOSSES = (
    ("hamming_loss", "Hamming loss", "Share of single labels that are wrong.", "each label's more frequent value"),
    ("log_loss", "Log loss", "Mean binary log loss over samples and labels, cut at 1e-7.", "each label's frequency"),
    ("brier", "Brier score", "Mean squared distance between probability and label, 0 to 1.", "each label's frequency"),
)
