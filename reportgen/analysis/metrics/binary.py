"""Binary: yes or no, from one score a sample or from two columns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import calibration, intervals
from reportgen.analysis.metrics import classes as tables
from reportgen.analysis.metrics.averages import averages
from reportgen.analysis.metrics.binary_sums import BinarySums
from reportgen.analysis.metrics.value import MetricValue

Array = NDArray[Any]

POSITIVE = "always the positive class"


class Binary(BinarySums):
    """Metrics of one score a sample, or two columns, against labels 0 and 1; see BinarySums."""

    headlines = ("accuracy", "roc_auc", "average_precision", "log_loss")

    def result(self) -> tuple[MetricValue, ...]:
        """Return accuracy, ROC AUC, average precision, rates at the threshold, MCC, log loss, Brier score and ECE."""
        return (self._accuracy(), *self._areas(), *self._rates(), *self._averages(), *self._losses_result())

    def _accuracy(self) -> MetricValue:
        """Return the share of right answers at the threshold."""
        hits, plain = int(np.trace(self.confusion)), self.baseline
        return self._metric(
            "accuracy",
            "Accuracy",
            hits / self.n_labelled if self.n_labelled else math.nan,
            intervals.wilson_pair(hits, self.n_labelled),
            "Wilson",
            baseline=plain.share if plain else None,
            baseline_name=tables.CONSTANT,
            unit="share",
            help=f"Share of samples on the right side of the threshold {self.threshold:g}.",
        )

    def _areas(self) -> tuple[MetricValue, ...]:
        """Return what does not depend on a threshold."""
        table = self.score_table()
        n = table.positives + table.negatives
        area_ends, area_method = table.area_interval()
        mean_ends, mean_method = table.average_precision_interval()
        one = "only one class occurs in the labels" if n else ""
        return (
            self._metric(
                "roc_auc",
                "ROC AUC",
                table.area(),
                area_ends,
                area_method,
                baseline=0.5 if table.two_classes else None,
                baseline_name="a random order",
                reason=one,
                help="Chance that a positive sample scores above a negative one; ties count half.",
            ),
            self._metric(
                "average_precision",
                "Average precision",
                table.average_precision(),
                mean_ends,
                mean_method,
                baseline=table.positives / n if n and table.positives else None,
                baseline_name="a random order",
                reason="no positive sample in the labels" if n else "",
                help="Area under the precision-recall curve, as scikit-learn sums it.",
            ),
        )

    def _rates(self) -> list[MetricValue]:
        """Return precision, recall and specificity at the threshold."""
        (true_negative, false_positive), (false_negative, true_positive) = self.confusion.tolist()
        share = (true_positive + false_negative) / self.n_labelled if self.n_labelled else None
        rows = (
            (
                "precision",
                "Precision",
                true_positive,
                true_positive + false_positive,
                share,
                "no sample was called positive",
            ),
            (
                "recall",
                "Recall",
                true_positive,
                true_positive + false_negative,
                None,
                "no positive sample in the labels",
            ),
            ("specificity", "Specificity", true_negative, true_negative + false_positive, None, "no negative sample"),
        )
        metrics = []
        for name, label, hits, n, plain, reason in rows:
            value = hits / n if n else math.nan
            why = reason if self.n_labelled else ""
            ends = intervals.wilson_pair(hits, n)
            metric = self._metric(
                name,
                label,
                value,
                ends,
                "Wilson",
                baseline=plain,
                baseline_name=POSITIVE,
                unit="share",
                reason=why,
                n=n,
            )
            metrics.append(metric)
        return metrics

    def _averages(self) -> list[MetricValue]:
        """Return F1 of the positive class, balanced accuracy and MCC with bootstrap intervals."""
        values = _table_averages(self.confusion.reshape(1, 4))[0]
        low, high, method = intervals.bootstrap_counts(self.confusion.reshape(4), _table_averages)
        support = self.confusion.sum(axis=1)
        share = support[1] / support.sum() if support.sum() else math.nan
        plain = (2 * share / (1 + share), 0.5, 0.0)
        metrics = []
        for index, (name, label, baseline_name, help_text) in enumerate(AVERAGES):
            ends = (float(low[index]), float(high[index])) if self.n_labelled else (math.nan, math.nan)
            metric = self._metric(
                name,
                label,
                float(values[index]),
                ends,
                method,
                baseline=float(plain[index]) if self.n_labelled else None,
                baseline_name=baseline_name,
                unit="" if name == "mcc" else "share",
                reason="no positive sample in the labels or answers" if self.n_labelled else "",
                help=help_text,
            )
            metrics.append(metric)
        return metrics

    def _losses_result(self) -> list[MetricValue]:
        """Return log loss, Brier score and expected calibration error."""
        n = self.n_labelled if self.probabilistic else 0
        support = self.confusion.sum(axis=1)
        shares = support[support > 0] / max(int(support.sum()), 1)
        plain = (float(-(shares * np.log(shares)).sum()), float((1 - (shares**2).sum()) / 2))
        bins = self.reliability()
        low, high, method = calibration.ece_interval(self._bins.values, self._bin_sums.values)
        rows: list[tuple[float, tuple[float, float], str, float | None]] = []
        for index in range(2):
            mean, squares = float(self._losses.mean[index]), float(self._losses.squares[index])
            ends = intervals.mean_interval(mean, squares, n)
            rows.append((mean if n else math.nan, ends, "Student's t", plain[index] if self.n_labelled else None))
        rows.append((bins.ece if bins else math.nan, (low, high), method, None))
        return [
            self._metric(
                name,
                label,
                value,
                ends,
                method,
                better="lower",
                baseline=baseline,
                baseline_name=tables.PRIOR,
                help=help_text,
            )
            for (name, label, help_text), (value, ends, method, baseline) in zip(LOSSES, rows, strict=True)
        ]


AVERAGES = (
    ("f1", "F1", POSITIVE, "Harmonic mean of precision and recall of the positive class at the threshold."),
    ("balanced_accuracy", "Balanced accuracy", tables.CONSTANT, "Mean recall of both classes at the threshold."),
    ("mcc", "Matthews correlation", tables.CONSTANT, "1 is perfect, 0 is no better than a constant answer."),
)
LOSSES = (
    ("log_loss", "Log loss", "Mean of -ln(probability given to the label), cut at 1e-7 as Keras does."),
    ("brier", "Brier score", "Mean squared distance between the positive probability and the label, 0 to 1."),
    ("ece", "Expected calibration error", "Mean gap between predicted probability and what came true, over 15 bins."),
)


def _table_averages(tables_of_four: Array) -> Array:
    """Return F1, balanced accuracy and MCC (k, 3) of 2 x 2 tables (k, 4)."""
    table = tables_of_four.reshape(-1, 2, 2)
    right = np.stack([table[:, 0, 0], table[:, 1, 1]], axis=1)
    found = averages(right, table.sum(axis=2), table.sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        f1 = 2 * right[:, 1] / (table[:, 1].sum(axis=1) + table[:, :, 1].sum(axis=1))
    return np.stack([f1, found["balanced_accuracy"], found["mcc"]], axis=1)
