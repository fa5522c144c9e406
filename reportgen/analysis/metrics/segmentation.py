"""Segmentation: a class for each position of a signal, picture or volume."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.metrics import classes as tables
from reportgen.analysis.metrics.classes import ConfusedPair, ConfusionBlock
from reportgen.analysis.metrics.labels import flat_rows
from reportgen.analysis.metrics.pairs import PairCounts
from reportgen.analysis.metrics.parts import Covariance, Moments, Sum
from reportgen.analysis.metrics.regions import BOUNDARY, near_boundary
from reportgen.analysis.metrics.regions import answers as answers
from reportgen.analysis.metrics.regions import position_labels as position_labels
from reportgen.analysis.metrics.regions import region_counts as region_counts
from reportgen.analysis.metrics.regions import sample_dice as sample_dice
from reportgen.analysis.metrics.streaming import Streaming
from reportgen.analysis.metrics.value import MetricValue

Array = NDArray[Any]

MOST_CHANNELS = 1_000_000
JOINT_CLASSES = 100
METHOD = "Student's t over samples, linearised"


@dataclass(frozen=True, slots=True)
class PerRegion:
    """One row a class (K,): overlap of truth and prediction over all positions, NaN where a class is in neither.

    `support`, `predicted` and `right` count positions; `samples` counts the samples whose truth has the class.
    """

    iou: Array
    dice: Array
    precision: Array
    recall: Array
    support: Array
    predicted: Array
    right: Array
    samples: Array


@dataclass(frozen=True, slots=True)
class MistakePlaces:
    """Where wrong positions lie: `boundary` within 2 positions of a place where the answer is true, `inside` not.

    Boundary mistakes are outlines drawn slightly off; mistakes inside are regions missed or invented.
    """

    wrong: int
    boundary: int
    inside: int


class Segmentation(Streaming):
    """Overlap of classes over positions; scores (n, ..., C), one channel meaning class 1 against class 0.

    Positions whose label is not a class (255, -1) are left out and counted. Positions of one sample count together:
    every interval stands on samples. Memory: 8 C^2 bytes for pairs and 32 C^2 for intervals up to 100 classes; not
    growing with n.
    """

    task = "segmentation"
    headlines = ("mean_iou", "dice", "pixel_accuracy")

    def _build(self) -> None:
        """Make the parts."""
        channels = int(self.shape[-1] or 0) if self.shape else 0
        if not 1 <= channels <= MOST_CHANNELS or len(self.shape) < 2:
            raise ValueError("a segmentation output needs positions and a known number of channels")
        self.channels = channels
        self.classes = max(channels, 2)
        self._pairs = self._part("pairs", PairCounts(self.classes))
        self._predicted = self._part("predicted", Sum(self.classes))
        self._present = self._part("present", Sum(self.classes))
        self._places = self._part("places", Sum(3))
        self._rows = self._part("rows", Moments(2))
        joint = self.classes <= JOINT_CLASSES
        self._joint = self._part("joint", Covariance(2 * self.classes)) if joint else None

    @property
    def confusion(self) -> Array | None:
        """Counts of positions (K, K), rows the truth; None past 1,000 classes."""
        return self._pairs.matrix()

    @property
    def predicted(self) -> Array:
        """How many positions were given each class (K,), labelled or not."""
        return self._predicted.values

    def update(self, y_true: Array | None, y_pred: Array, weights: Array | None = None) -> None:
        """Add one chunk: labels (n, ...), (n, ..., 1) or one-hot (n, ..., C), or None; scores (n, ..., C)."""
        answer, finite = answers(y_pred, self.scores)
        n = len(answer)
        truth, known = np.zeros(answer.shape, np.int64), np.zeros(answer.shape, bool)
        if y_true is not None:
            truth, known = position_labels(y_true, answer.shape, self.classes)
            self._places.values[2] += int(known.size - known.sum())
        labelled = flat_rows(known).any(axis=1)
        self._count(n=n, bad_scores=n - int(finite.sum()), labelled=int((labelled & finite).sum()))
        self._count(bad_labels=0 if y_true is None else n - int(labelled.sum()), weighted=0 if weights is None else n)
        self._predicted.values += np.bincount(answer[finite].reshape(-1), minlength=self.classes)
        used = labelled & finite
        if used.any():
            self._add(truth[used], known[used], answer[used])

    def _add(self, truth: Array, known: Array, answer: Array) -> None:
        """Add samples with at least one labelled position."""
        self._pairs.add(truth[known], answer[known])
        counts = region_counts(truth, known, answer, self.classes)
        right, support, predicted = counts
        self._present.values += (support > 0).sum(axis=0)
        self._rows.add(np.stack([sample_dice(*counts), right.sum(axis=1) / support.sum(axis=1)], axis=1))
        if self._joint is not None:
            self._joint.add(np.concatenate([right, support + predicted], axis=1))
        wrong = known & (truth != answer)
        near = near_boundary(truth, known, answer, wrong)
        self._places.values[:2] += [int(wrong.sum()), int(near.sum())]

    def per_class(self) -> PerRegion:
        """Return the overlap of every class."""
        right, support, predicted = self._counts()
        union = support + predicted - right
        with np.errstate(divide="ignore", invalid="ignore"):
            return PerRegion(
                iou=right / union,
                dice=2 * right / (support + predicted),
                precision=right / predicted,
                recall=right / support,
                support=support,
                predicted=predicted,
                right=right,
                samples=self._present.values,
            )

    def mistake_places(self) -> MistakePlaces:
        """Return how many wrong positions are boundary mistakes."""
        wrong, near, _ = (int(value) for value in self._places.values)
        return MistakePlaces(wrong, near, wrong - near)

    def confused_pairs(self, k: int = 10) -> tuple[ConfusedPair, ...]:
        """Return the most frequent mistakes, in positions."""
        return tables.confused_pairs(self._pairs.cells(), self._counts()[1], k)

    def block(self, size: int = 30) -> ConfusionBlock:
        """Return the position confusion to draw: all of it up to `size` classes, else its worst block."""
        return tables.worst_block(self._pairs.cells(), self.classes, max(size, 2))

    def notes(self) -> tuple[str, ...]:
        """Return what was left out."""
        left = int(self._places.values[2])
        if not left:
            return super().notes()
        text = f"{left:,} positions have a label outside 0..{self.classes - 1} (void) and are left out."
        return (*super().notes(), text)

    def result(self) -> tuple[MetricValue, ...]:
        """Return mean IoU, Dice, pixel accuracy, foreground IoU, Dice a sample, and the share of boundary mistakes."""
        right, support, predicted = self._counts()
        label = int(support.argmax())
        plain = np.where(np.arange(self.classes) == label, support, 0)
        filled = np.where(np.arange(self.classes) == label, support.sum(), 0)
        some = support + predicted > 0
        metrics = [self._accuracy(int(right.sum()), support)]
        for name, title, first, factor, help_text in OVERLAPS:
            classes = np.flatnonzero(some & (np.arange(self.classes) >= first))
            values = _overlap(right, support, predicted, factor)[classes]
            constant = _overlap(plain, support, filled, factor)[classes]
            metrics.append(
                self._metric(
                    name,
                    title,
                    float(values.mean()) if len(values) else math.nan,
                    self._overlap_ends(values, classes, factor),
                    METHOD,
                    baseline=float(np.nan_to_num(constant).mean()) if len(values) else None,
                    baseline_name=f"always class {label}, the most frequent",
                    unit="share",
                    reason="no class but 0 occurs" if self.n_labelled else "",
                    help=help_text,
                )
            )
        return (*metrics, *self._per_sample())

    def _accuracy(self, right: int, support: Array) -> MetricValue:
        """Return the share of positions with the right class."""
        n = int(support.sum())
        value = right / n if n else math.nan
        return self._metric(
            "pixel_accuracy",
            "Accuracy of positions",
            value,
            self._accuracy_ends(value),
            METHOD,
            baseline=float(support.max() / n) if n else None,
            baseline_name=f"always class {int(support.argmax())}, the most frequent",
            unit="share",
            help="Share of labelled positions with the right class; high wherever one class fills most of the picture.",
        )

    def _overlap_ends(self, values: Array, classes: Array, factor: int) -> tuple[float, float] | None:
        """Return the interval of a mean overlap over samples."""
        if self._joint is None or not len(values):
            return None
        k = self.classes
        right, touched = self._joint.mean[:k][classes], self._joint.mean[k:][classes]
        whole = touched - right if factor == 1 else touched
        by_right = (1 + values) / whole if factor == 1 else 2 / whole
        gradient = np.zeros(2 * k)
        gradient[:k][classes] = by_right / len(values)
        gradient[k:][classes] = -values / whole / len(values)
        return self._joint.ends(float(values.mean()), gradient)

    def _accuracy_ends(self, accuracy: float) -> tuple[float, float] | None:
        """Return the interval of the accuracy of positions over samples."""
        if self._joint is None or not self.n_labelled:
            return None
        k = self.classes
        total = float(self._joint.mean[k:].sum()) / 2
        gradient = np.concatenate([np.full(k, 1.0), np.full(k, -accuracy / 2)]) / total
        return self._joint.ends(accuracy, gradient)

    def _per_sample(self) -> tuple[MetricValue, MetricValue]:
        """Return the mean Dice of a sample, and how many mistakes are at boundaries."""
        mean, squares, n = float(self._rows.mean[0]), float(self._rows.squares[0]), int(self._rows.n[0])
        places = self.mistake_places()
        return (
            self._metric(
                "dice_per_sample",
                "Dice of a sample",
                mean if n else math.nan,
                intervals.mean_interval(mean, squares, n),
                "Student's t",
                unit="share",
                help="Mean over samples of each one's Dice; 1 where truth and answer are both all class 0.",
            ),
            self._metric(
                "boundary_mistakes",
                "Mistakes at boundaries",
                places.boundary / places.wrong if places.wrong else math.nan,
                None,
                "none",
                better="neither",
                unit="share",
                reason="no position is wrong" if self.n_labelled else "",
                help=f"Share of wrong positions within {BOUNDARY} of a place where the answer is true.",
            ),
        )

    def _counts(self) -> tuple[Array, Array, Array]:
        """Return positions right, of the class, and given the class, by class."""
        truth, answer, counts = self._pairs.cells()
        same = truth == answer
        parts = ((truth[same], counts[same]), (truth, counts), (answer, counts))
        totals = [np.bincount(labels, weights=weight, minlength=self.classes) for labels, weight in parts]
        right, support, predicted = (np.rint(total).astype(np.int64) for total in totals)
        return right, support, predicted

    def _bad_label_words(self) -> str:
        """Say what was wrong with labels that could not be used."""
        return "have no position with a known class"


OVERLAPS = (
    ("mean_iou", "Mean IoU", 0, 1, "Mean over classes of overlap / (truth or answer), all samples together."),
    ("dice", "Dice, foreground", 1, 2, "Mean over the classes but 0 of 2 x overlap / (truth + answer)."),
    ("iou_foreground", "IoU, foreground", 1, 1, "Mean over the classes but 0 of overlap / (truth or answer)."),
)


def _overlap(right: Array, support: Array, predicted: Array, factor: int) -> Array:
    """Return IoU (factor 1) or Dice (factor 2) of each class; NaN where it occurs nowhere."""
    whole = support + predicted - (right if factor == 1 else 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(factor * right / whole)
