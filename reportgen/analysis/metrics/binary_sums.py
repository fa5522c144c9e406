"""Binary: what is counted and kept of each sample, and the tables and curves that follow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import calibration
from reportgen.analysis.calibration import Reliability
from reportgen.analysis.metrics import classes as tables
from reportgen.analysis.metrics.classes import Baseline, ConfidenceHistogram, ConfusedPair, ConfusionBlock, PerClass
from reportgen.analysis.metrics.curves import PrecisionRecall, RocCurve, ScoreTable, ThresholdChoice, ThresholdTable
from reportgen.analysis.metrics.labels import class_labels, numbers, sigmoid, softmax
from reportgen.analysis.metrics.pairs import PairCounts
from reportgen.analysis.metrics.parts import Moments, Sum
from reportgen.analysis.metrics.spread import Spread
from reportgen.analysis.metrics.streaming import Streaming

Array = NDArray[Any]

HISTOGRAM_BINS = 20
CLIP = 1e-7


class BinarySums(Streaming):
    """Metrics of one score a sample (n,), (n, 1), or two columns (n, 2), against labels 0 and 1.

    A sample is called positive when its probability is above 0.5, or, when the scores are not probabilities, its score
    is above 0. Ranks and curves are exact up to 100,000 samples; beyond, scores stand in bins of 0.1% of the log-odds
    and the note says by how much that can move the ROC AUC. Memory: 0.9 MB, beyond 100,000 samples about 1 MB (at most
    17 MB).
    """

    task = "binary"

    def _build(self) -> None:
        """Make the parts."""
        self.classes = 2
        self._pairs = self._part("pairs", PairCounts(2))
        self._predicted = self._part("predicted", Sum(2))
        self._losses = self._part("losses", Moments(2))
        self._bins = self._part("bins", Sum(calibration.BINS, 2))
        self._bin_sums = self._part("bin_sums", Sum(calibration.BINS, 2, dtype=np.float64))
        self._histogram = self._part("histogram", Sum(HISTOGRAM_BINS, 3))
        self._spread = self._part("spread", Spread(3, logit=self.probabilistic))
        self._minus = self._part("minus", Sum(1))

    @property
    def threshold(self) -> float:
        """The threshold behind the confusion matrix: 0.5 of a probability, 0 of a score."""
        return 0.5 if self.probabilistic else 0.0

    def update(self, y_true: Array | None, y_pred: Array, weights: Array | None = None) -> None:
        """Add one chunk: labels (n,), (n, 1), one-hot (n, 2), or None; scores (n,), (n, 1) or (n, 2)."""
        scores = positive_scores(y_pred, self.scores)
        n = len(scores)
        labelled, truth = np.zeros(n, bool), np.zeros(n, np.int64)
        if y_true is not None:
            truth, labelled, minus = binary_labels(y_true, n)
            self._minus.values += minus
            self._count(bad_labels=n - int(labelled.sum()))
        finite = np.isfinite(scores)
        self._count(n=n, bad_scores=n - int(finite.sum()), weighted=0 if weights is None else n)
        scores, truth, labelled = scores[finite], truth[finite], labelled[finite]
        self._count(labelled=int(labelled.sum()))
        answer = (scores > self.threshold).astype(np.int64)
        self._predicted.values += np.bincount(answer, minlength=2)
        self._spread.add(scores, np.where(labelled, truth, 2))
        self._pairs.add(truth[labelled], answer[labelled])
        if self.probabilistic:
            self._add_probabilities(scores, truth, answer, labelled)

    def _add_probabilities(self, share: Array, truth: Array, answer: Array, labelled: Array) -> None:
        """Add what only probabilities have: losses, calibration, confidence."""
        outcome = np.where(labelled, np.where(answer == truth, 0, 1), 2)
        place = calibration.bin_of(2 * np.maximum(share, 1 - share) - 1, HISTOGRAM_BINS) * 3 + outcome
        self._histogram.values += np.bincount(place, minlength=HISTOGRAM_BINS * 3).reshape(-1, 3)
        known, label = share[labelled], truth[labelled]
        own = np.where(label == 1, known, 1 - known)
        self._losses.add(np.stack([-np.log(np.clip(own, CLIP, 1.0)), (known - label) ** 2], axis=1))
        cell = calibration.bin_of(known) * 2 + label
        size, shape = calibration.BINS * 2, (calibration.BINS, 2)
        self._bins.values += np.bincount(cell, minlength=size).reshape(shape)
        self._bin_sums.values += np.bincount(cell, weights=known, minlength=size).reshape(shape)

    @property
    def confusion(self) -> Array:
        """Counts (2, 2) int64 at the threshold, rows the truth: [[TN, FP], [FN, TP]]."""
        matrix = self._pairs.matrix()
        assert matrix is not None
        return matrix

    @property
    def predicted(self) -> Array:
        """How often each class was answered (2,), labelled or not."""
        return self._predicted.values

    @property
    def baseline(self) -> Baseline | None:
        """The majority class, or None without labels."""
        return tables.majority(self.confusion.sum(axis=1))

    def per_class(self) -> PerClass:
        """Return precision, recall and F1 of both classes at the threshold."""
        table = self.confusion
        return tables.compute_per_class(np.diag(table).copy(), table.sum(axis=1), table.sum(axis=0))

    def reliability(self) -> Reliability | None:
        """Return how often each predicted probability of the positive class came true; None without probabilities."""
        if not self.probabilistic or not self.n_labelled:
            return None
        return calibration.compute_reliability(self._bins.values, self._bin_sums.values)

    def confidence_histogram(self) -> ConfidenceHistogram | None:
        """Return counts by the probability of the answer, in 20 bins over 0.5..1; None without probabilities."""
        if not self.probabilistic:
            return None
        right, wrong, unlabelled = self._histogram.values.T
        return ConfidenceHistogram(np.linspace(0.5, 1.0, HISTOGRAM_BINS + 1), right, wrong, unlabelled)

    def score_histogram(self, bins: int = 20) -> tuple[Array, Array]:
        """Return edges (bins + 1,) and counts (bins, 3) of negatives, positives and unlabelled samples by score."""
        values, counts = self._spread.table()
        low, high = (0.0, 1.0) if self.probabilistic or not len(values) else (float(values[0]), float(values[-1]))
        edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
        place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
        table = np.zeros((bins, 3), np.int64)
        np.add.at(table, place, counts)
        return edges, table

    def confused_pairs(self, k: int = 10) -> tuple[ConfusedPair, ...]:
        """Return the mistakes, the more frequent kind first."""
        return tables.confused_pairs(self._pairs.cells(), self.confusion.sum(axis=1), k)

    def ordering(self) -> tuple[int, ...]:
        """Return the two classes."""
        return (0, 1)

    def block(self, size: int = 30) -> ConfusionBlock:
        """Return the whole confusion matrix."""
        return tables.worst_block(self._pairs.cells(), 2, max(size, 2))

    def score_table(self) -> ScoreTable:
        """Return the labelled scores as the table behind every curve."""
        return ScoreTable(*self._spread.table())

    def roc(self) -> RocCurve | None:
        """Return the ROC curve, or None with one class."""
        return self.score_table().roc()

    def precision_recall(self) -> PrecisionRecall | None:
        """Return the precision-recall curve, or None without positives."""
        return self.score_table().precision_recall()

    def thresholds(self, points: int = 101) -> ThresholdTable:
        """Return what `points` thresholds would do: evenly over 0..1, or over the range of scores."""
        table = self.score_table()
        low, high = (0.0, 1.0) if self.probabilistic or not len(table.values) else (table.values[0], table.values[-1])
        return table.at(np.linspace(float(low), float(high), points))

    def best_threshold(self) -> ThresholdChoice | None:
        """Return the threshold with the best F1 on these samples; None with one class."""
        return self.score_table().best_f1()

    @property
    def chosen_threshold(self) -> ThresholdChoice:
        """The threshold that accuracy, precision, recall and the confusion matrix stand on, and why."""
        table = self.confusion
        f1 = 2 * int(table[1, 1]) / max(int(table[1].sum() + table[:, 1].sum()), 1)
        rule = (
            "a probability above 0.5, as Keras counts" if self.probabilistic else "a score above 0 (no probabilities)"
        )
        return ThresholdChoice(self.threshold, rule, f1 if self.n_labelled else math.nan)

    def notes(self) -> tuple[str, ...]:
        """Return what was left out, how labels were read, and the error of binned curves."""
        notes = list(super().notes())
        if self._minus.values[0]:
            notes.append(f"{int(self._minus.values[0]):,} labels of -1 were read as the negative class.")
        if self._spread.binned:
            error = self.score_table().area_error()
            notes.append(f"Curves stand on scores in narrow bins; that moves the ROC AUC by at most {error:.1e}.")
        return tuple(notes)

    def _bad_label_words(self) -> str:
        """Say what was wrong with labels that could not be used."""
        return "are neither 0 nor 1"


def positive_scores(y_pred: Array, scores: str) -> NDArray[np.float64]:
    """Return the score of the positive class (n,): a probability, or, for plain scores, larger for more positive.

    Takes (n,), (n, 1), or (n, 2) with the positive class second. Raises ValueError for other shapes.
    """
    values = np.asarray(y_pred).astype(np.float64)
    if values.ndim == 2 and values.shape[1] == 2:
        if scores == "logits":
            return np.asarray(softmax(values)[:, 1])
        return np.asarray(values[:, 1] if scores == "probabilities" else values[:, 1] - values[:, 0])
    if values.ndim > 1 and values.size != len(values):
        raise ValueError(f"predictions have shape {values.shape}; expected (n,), (n, 1) or (n, 2)")
    flat = values.reshape(len(values))
    return sigmoid(flat) if scores == "logits" else flat


def binary_labels(y_true: Array, n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], int]:
    """Return labels 0 or 1 (n,), which are valid, and how many were -1 and read as 0 (hinge losses use -1 and 1)."""
    labels = numbers(y_true)
    minus = 0
    if labels.size == n and labels.dtype.kind in "if":
        below = labels == -1
        minus = int(below.sum())
        labels = np.where(below, 0, labels) if minus else labels
    truth, valid = class_labels(labels, 2, n)
    return truth, valid, minus
