"""Multiclass: one of several classes a sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import calibration, intervals
from reportgen.analysis.calibration import Reliability
from reportgen.analysis.metrics import classes as tables
from reportgen.analysis.metrics.averages import AVERAGES, average_intervals, averages, constant_answer
from reportgen.analysis.metrics.classes import Baseline, ConfidenceHistogram, ConfusedPair, ConfusionBlock, PerClass
from reportgen.analysis.metrics.curves import ScoreTable
from reportgen.analysis.metrics.labels import as_scores, class_labels, rank_of, softmax
from reportgen.analysis.metrics.one_vs_rest import METHOD, MOST_CLASSES, ClassScores, mean_area
from reportgen.analysis.metrics.pairs import PairCounts
from reportgen.analysis.metrics.parts import Moments, Sum
from reportgen.analysis.metrics.streaming import Streaming
from reportgen.analysis.metrics.value import MetricValue

Array = NDArray[Any]

LARGEST = 10_000_000
RANKS = 10
HISTOGRAM_BINS = 20
CLIP = 1e-7


class Multiclass(Streaming):
    """Metrics of scores (n, C) against class labels; `scores` says whether they are probabilities, logits or scores.

    Memory: 8 C^2 bytes up to 1,000 classes, beyond 16 bytes for each distinct (truth, prediction) that occurs; up to 30
    classes at most 18 MB of scores for ROC curves (see LabelScores); the rest is a few kilobytes.
    """

    task = "multiclass"
    headlines = ("accuracy", "f1_macro", "log_loss")

    def _build(self) -> None:
        """Make the parts."""
        self.classes = int(self.shape[-1] or 0) if self.shape else self.classes
        if not 2 <= self.classes <= LARGEST:
            raise ValueError("a multiclass output needs 2 to 10 million scores a sample")
        self._pairs = self._part("pairs", PairCounts(self.classes))
        self._predicted = self._part("predicted", Sum(self.classes))
        self._ranks = self._part("ranks", Sum(RANKS + 1))
        self._losses = self._part("losses", Moments(2))
        self._bins = self._part("bins", Sum(calibration.BINS, 2))
        self._bin_sums = self._part("bin_sums", Sum(calibration.BINS, 2, dtype=np.float64))
        self._histogram = self._part("histogram", Sum(HISTOGRAM_BINS, 3))
        few = self.classes <= MOST_CLASSES
        self._curves = self._part("curves", ClassScores(self.classes, self.probabilistic)) if few else None

    def update(self, y_true: Array | None, y_pred: Array, weights: Array | None = None) -> None:
        """Add one chunk: labels (n,), (n, 1) or (n, C), or None; scores (n, C). Raises ValueError for other shapes."""
        scores = as_scores(y_pred, self.classes)
        n = len(scores)
        finite = np.isfinite(scores).all(axis=1)
        labelled = np.zeros(n, bool)
        truth = np.zeros(n, np.int64)
        if y_true is not None:
            truth, labelled = class_labels(y_true, self.classes, n)
            self._count(bad_labels=n - int(labelled.sum()))
        self._count(n=n, bad_scores=n - int(finite.sum()), weighted=0 if weights is None else n)
        if not finite.all():
            scores, truth, labelled = scores[finite], truth[finite], labelled[finite]
        self._count(labelled=int(labelled.sum()))
        if self.scores == "logits":
            scores = softmax(scores)
        self._add(scores, truth, labelled)

    def _add(self, scores: Array, truth: Array, labelled: Array) -> None:
        """Add finite scores; `truth` counts where `labelled`."""
        answer = scores.argmax(axis=1)
        self._predicted.values += np.bincount(answer, minlength=self.classes)
        right = (answer == truth) & labelled
        if self.probabilistic:
            confidence = scores[np.arange(len(scores)), answer]
            self._add_confidence(confidence, right, labelled)
        if not labelled.all():
            scores, truth, answer = scores[labelled], truth[labelled], answer[labelled]
        self._pairs.add(truth, answer)
        if self._curves is not None:
            self._curves.add_classes(truth, scores)
        own = scores[np.arange(len(scores)), truth]
        self._ranks.values += np.bincount(rank_of(scores, own, truth, RANKS), minlength=RANKS + 1)
        if self.probabilistic:
            brier = np.einsum("ij,ij->i", scores, scores) - 2 * own + 1
            self._losses.add(np.stack([-np.log(np.clip(own, CLIP, 1.0)), brier], axis=1))

    def _add_confidence(self, confidence: Array, right: Array, labelled: Array) -> None:
        """Count how sure the model was, and whether it was right."""
        outcome = np.where(labelled, np.where(right, 0, 1), 2)
        place = calibration.bin_of(confidence, HISTOGRAM_BINS) * 3 + outcome
        self._histogram.values += np.bincount(place, minlength=HISTOGRAM_BINS * 3).reshape(-1, 3)
        cell = calibration.bin_of(confidence[labelled]) * 2 + right[labelled]
        size, shape = calibration.BINS * 2, (calibration.BINS, 2)
        self._bins.values += np.bincount(cell, minlength=size).reshape(shape)
        self._bin_sums.values += np.bincount(cell, weights=confidence[labelled], minlength=size).reshape(shape)

    @property
    def confusion(self) -> Array | None:
        """Counts (C, C) int64, rows the truth; None past 1,000 classes (use `block` and `confused_pairs`)."""
        return self._pairs.matrix()

    @property
    def predicted(self) -> Array:
        """How often each class was answered (C,), labelled or not."""
        return self._predicted.values

    @property
    def baseline(self) -> Baseline | None:
        """The majority class, or None without labels."""
        return tables.majority(self._counts()[1])

    def per_class(self) -> PerClass:
        """Return precision, recall and F1 of each class with intervals and support."""
        return tables.compute_per_class(*self._counts())

    def reliability(self) -> Reliability | None:
        """Return the calibration of the top answer in 15 bins; None without probabilities or labels."""
        if not self.probabilistic or not self.n_labelled:
            return None
        return calibration.compute_reliability(self._bins.values, self._bin_sums.values)

    def confidence_histogram(self) -> ConfidenceHistogram | None:
        """Return counts by confidence in 20 bins; None when the scores are not probabilities."""
        if not self.probabilistic:
            return None
        right, wrong, unlabelled = self._histogram.values.T
        return ConfidenceHistogram(np.linspace(0.0, 1.0, HISTOGRAM_BINS + 1), right, wrong, unlabelled)

    def curves(self) -> tuple[ScoreTable, ...]:
        """Return the scores of each class against the rest, for ROC curves; none past 30 classes."""
        return self._curves.tables() if self._curves is not None else ()

    def confused_pairs(self, k: int = 10) -> tuple[ConfusedPair, ...]:
        """Return the `k` most frequent mistakes."""
        return tables.confused_pairs(self._pairs.cells(), self._counts()[1], k)

    def ordering(self) -> tuple[int, ...]:
        """Return all classes in an order in which confused ones stand together."""
        return tables.seriation(self._pairs.cells(), range(self.classes))

    def block(self, size: int = 30) -> ConfusionBlock:
        """Return the confusion matrix to draw: all of it up to `size` classes, else its worst block."""
        return tables.worst_block(self._pairs.cells(), self.classes, size)

    def result(self) -> tuple[MetricValue, ...]:
        """Return accuracy, top-k, macro and weighted rates, MCC, log loss, Brier score and calibration error."""
        right, support, predicted = self._counts()
        found = averages(right, support, predicted)
        plain = constant_answer(support)
        ends, method = average_intervals(self._pairs.cells())
        metrics = [self._accuracy(int(right.sum()), plain), *self._top_k(support)]
        for name, (label, help_text) in AVERAGES.items():
            metrics.append(
                self._metric(
                    name,
                    label,
                    float(found[name]),
                    ends.get(name),
                    method,
                    baseline=plain.get(name),
                    baseline_name=tables.CONSTANT,
                    unit="" if name == "mcc" else "share",
                    help=help_text,
                )
            )
        return (*metrics, *self._area(), *self._losses_result(support))

    def _counts(self) -> tuple[Array, Array, Array]:
        """Return how often each class was right, occurred and was answered, over labelled samples."""
        truth, prediction, counts = self._pairs.cells()
        same = truth == prediction
        parts = ((truth[same], counts[same]), (truth, counts), (prediction, counts))
        totals = [np.bincount(labels, weights=weight, minlength=self.classes) for labels, weight in parts]
        right, support, predicted = (np.rint(total).astype(np.int64) for total in totals)
        return right, support, predicted

    def _wilson(self, hits: float) -> tuple[float, float]:
        """Return the Wilson interval of a share of the labelled samples."""
        return intervals.wilson_pair(float(hits), float(self.n_labelled))

    def _accuracy(self, hits: int, plain: dict[str, float]) -> MetricValue:
        """Return the accuracy; micro-averaged precision, recall and F1 are the same number."""
        return self._metric(
            "accuracy",
            "Accuracy",
            hits / self.n_labelled if self.n_labelled else math.nan,
            self._wilson(hits),
            "Wilson",
            baseline=plain.get("accuracy"),
            baseline_name=tables.CONSTANT,
            unit="share",
            help="Share of samples whose top answer is right (micro-averaged F1 is the same number).",
        )

    def _top_k(self, support: Array) -> list[MetricValue]:
        """Return the share of samples whose label is among the k best answers, for k that say something."""
        metrics = []
        for k in (k for k in (3, 5) if self.classes >= 2 * k - 1):
            hits = int(self._ranks.values[:k].sum())
            metrics.append(
                self._metric(
                    f"top_{k}_accuracy",
                    f"Top-{k} accuracy",
                    hits / self.n_labelled if self.n_labelled else math.nan,
                    self._wilson(hits),
                    "Wilson",
                    baseline=float(np.sort(support)[-k:].sum() / support.sum()) if support.sum() else None,
                    baseline_name=f"always the {k} most frequent classes",
                    unit="share",
                    help=f"Share of samples whose label is among the {k} best answers.",
                )
            )
        return metrics

    def _area(self) -> tuple[MetricValue, ...]:
        """Return the mean area under the ROC curves of the classes against the rest; none past 30 classes."""
        if self._curves is None:
            return ()
        value, ends = mean_area(self.curves())
        return (
            self._metric(
                "roc_auc_ovr",
                "ROC AUC, each class against the rest",
                value,
                ends,
                METHOD,
                baseline=0.5 if not math.isnan(value) else None,
                baseline_name="a random order",
                reason="only one class occurs in the labels" if self.n_labelled else "",
                help="Chance that a sample of a class scores higher for it than another sample; mean over classes.",
            ),
        )

    def notes(self) -> tuple[str, ...]:
        """Return what was left out, and the error of binned curves."""
        if self._curves is None or not self._curves.binned:
            return super().notes()
        said = (
            f"Curves of classes stand on scores in bins; that moves an ROC AUC by at most {self._curves.error():.1e}."
        )
        return (*super().notes(), said)

    def _losses_result(self, support: Array) -> list[MetricValue]:
        """Return log loss, Brier score and expected calibration error."""
        n = self.n_labelled if self.probabilistic else 0
        shares = support[support > 0] / max(int(support.sum()), 1)
        plain = (float(-(shares * np.log(shares)).sum()), float(1 - (shares**2).sum()))
        metrics = []
        for index, (name, label, help_text) in enumerate(LOSSES):
            mean, squares = float(self._losses.mean[index]), float(self._losses.squares[index])
            metrics.append(
                self._metric(
                    name,
                    label,
                    mean if n else math.nan,
                    intervals.mean_interval(mean, squares, n),
                    "Student's t",
                    baseline=plain[index] if self.n_labelled else None,
                    baseline_name=tables.PRIOR,
                    better="lower",
                    help=help_text,
                )
            )
        return [*metrics, self._calibration_error()]

    def _calibration_error(self) -> MetricValue:
        """Return the expected calibration error of the top answer."""
        bins = self.reliability()
        low, high, method = calibration.ece_interval(self._bins.values, self._bin_sums.values)
        return self._metric(
            "ece",
            "Expected calibration error",
            bins.ece if bins else math.nan,
            (low, high),
            method,
            better="lower",
            help="Mean gap between confidence and accuracy over 15 bins of confidence.",
        )

    def _bad_label_words(self) -> str:
        """Say what was wrong with labels that could not be used."""
        return f"are not whole numbers in 0..{self.classes - 1}"


LOSSES = (
    ("log_loss", "Log loss", "Mean of -ln(probability given to the label), cut at 1e-7 as Keras does."),
    ("brier", "Brier score", "Mean squared distance between the probabilities and the label, 0 to 2."),
)
