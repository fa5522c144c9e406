"""Scores of many labels, kept as they are below a size and in bins beyond, and how labels are read."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics.curves import ScoreTable
from reportgen.analysis.metrics.labels import numbers, sigmoid
from reportgen.analysis.metrics.parts import take

Array = NDArray[Any]

EXACT_VALUES = 2_000_000
BINS = 1_024
BINNED_VALUES = 8_000_000


class LabelScores:
    """The scores of every label with what was true: as they are up to 2 million values, in bins beyond.

    Bins are even in log-odds between -12 and 12 (probabilities), or in sign(x) log(1 + 1000 |x|) (other scores).
    Memory: 9 bytes a value, at most 18 MB; binned 16 bytes a bin, 1,024 bins a label, fewer past 8,000 labels: at most
    128 MB.
    """

    def __init__(self, labels: int, probabilistic: bool) -> None:
        self.labels = labels
        self.probabilistic = probabilistic
        self.bins = max(16, min(BINS, BINNED_VALUES // max(labels, 1)))
        self.exact = EXACT_VALUES
        self.n = 0
        self._scores: list[Array] = []
        self._truths: list[Array] = []
        self._counts: Array = np.zeros((0, 0, 0), np.int64)

    @property
    def binned(self) -> bool:
        """Say whether scores stand in bins."""
        return self.n * self.labels > self.exact

    def add(self, truth: Array, scores: Array) -> None:
        """Add rows (k, L): truth 0, 1, or 2 where unknown; finite scores."""
        self._scores.append(scores.astype(np.float64))
        self._truths.append(truth.astype(np.uint8))
        self.n += len(scores)
        if self.binned:
            self._fold()

    def merge(self, other: Self) -> None:
        """Add what `other` has seen."""
        self._scores += other._scores
        self._truths += other._truths
        self.n += other.n
        if other._counts.size:
            self._counts = self._counts + other._counts if self._counts.size else other._counts.copy()
        if self.binned:
            self._fold()

    def table(self, label: int) -> ScoreTable:
        """Return the scores of one label as the table behind its curves."""
        if self.binned:
            return ScoreTable(self._centres(), self._counts[label])
        scores, truths = self._raw()
        known = truths[:, label] < 2
        values, place = np.unique(scores[known, label], return_inverse=True)
        cells = place * 2 + truths[known, label]
        return ScoreTable(values, np.bincount(cells, minlength=2 * len(values)).reshape(-1, 2))

    def state(self) -> dict[str, Array]:
        """Return scores, or bins."""
        scores, truths = self._raw()
        return {"scores": scores, "truths": truths, "counts": self._counts.copy(), "n": np.asarray(self.n, np.int64)}

    def load(self, state: dict[str, Array]) -> None:
        """Take over a state; raises ValueError if it does not fit."""
        scores = take(state, "scores", np.float64, (None, self.labels))
        truths = take(state, "truths", np.uint8, (None, self.labels))
        counts = take(state, "counts", np.int64, (None, None, None))
        wanted = (self.labels, self.bins, 2) if counts.size else (0, 0, 0)
        if len(scores) != len(truths) or counts.shape != wanted:
            raise ValueError("a state of label scores does not fit together")
        self._scores, self._truths, self._counts = [scores], [truths], counts
        self.n = int(take(state, "n", np.int64, ()))

    def _raw(self) -> tuple[Array, Array]:
        """Return the scores that are not in bins."""
        if not self._scores:
            return np.zeros((0, self.labels)), np.zeros((0, self.labels), np.uint8)
        return np.concatenate(self._scores), np.concatenate(self._truths)

    def _fold(self) -> None:
        """Move scores into bins."""
        scores, truths = self._raw()
        self._scores, self._truths = [], []
        place = self._place(scores)
        label = np.broadcast_to(np.arange(self.labels), place.shape)
        known = truths < 2
        cells = ((label * self.bins + place) * 2 + truths)[known]
        shape = (self.labels, self.bins, 2)
        found = np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape)
        self._counts = self._counts + found if self._counts.size else found

    def _place(self, scores: Array) -> Array:
        """Return the bin of each score."""
        with np.errstate(divide="ignore", over="ignore"):
            if self.probabilistic:
                spread = (np.log(scores) - np.log1p(-scores)) / 24 + 0.5
            else:
                spread = np.sign(scores) * np.log1p(1_000 * np.abs(scores)) / 50 + 0.5
        return np.asarray((np.clip(spread, 0.0, 1 - 1e-12) * self.bins).astype(np.int64))

    def _centres(self) -> Array:
        """Return the middle of each bin."""
        middle = (np.arange(self.bins) + 0.5) / self.bins - 0.5
        if self.probabilistic:
            return sigmoid(middle * 24)
        return np.asarray(np.sign(middle) * np.expm1(np.abs(middle) * 50) / 1_000)


def label_scores(y_pred: Array, labels: int, scores: str) -> NDArray[np.float64]:
    """Return scores (n, L), logits turned into probabilities; raises ValueError for another shape."""
    values = np.asarray(y_pred)
    if values.ndim != 2 or values.shape[1] != labels:
        raise ValueError(f"predictions have shape {values.shape}; expected (n, {labels})")
    wide = values.astype(np.float64)
    return sigmoid(wide) if scores == "logits" else wide


def label_flags(y_true: Array, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return labels (n, L) as 0, 1, or 2 where unknown; raises ValueError for another shape."""
    labels = numbers(y_true)
    if labels.shape != shape and not (shape[1] == 1 and labels.shape == shape[:1]):
        raise ValueError(f"labels have shape {labels.shape}; expected {shape}")
    flat = labels.reshape(shape)
    return np.where(flat == 1, 1, np.where(flat == 0, 0, 2)).astype(np.uint8)
