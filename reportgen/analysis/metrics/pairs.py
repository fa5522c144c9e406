"""Counts of (truth, prediction) pairs: a matrix up to 1,000 classes, sorted pairs beyond."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics.parts import take

Array = NDArray[Any]

DENSE_CLASSES = 1_000


class PairCounts:
    """How often each truth met each prediction.

    Memory: 8 bytes x classes^2 up to 1,000 classes (8 MB); beyond, 16 bytes for each distinct pair that occurred.
    """

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.dense = classes <= DENSE_CLASSES
        self._matrix: Array = np.zeros(classes * classes if self.dense else 0, np.int64)
        self._codes: Array = np.zeros(0, np.int64)
        self._counts: Array = np.zeros(0, np.int64)

    def add(self, truth: Array, prediction: Array) -> None:
        """Count pairs of class indices."""
        codes = truth * self.classes + prediction
        if self.dense and codes.size * 16 > self._matrix.size:
            self._matrix += np.bincount(codes, minlength=self._matrix.size)
            return
        self._tally(*np.unique(codes, return_counts=True))

    def merge(self, other: Self) -> None:
        """Add what `other` has counted."""
        if self.dense:
            self._matrix = self._matrix + other._matrix
        else:
            self._tally(other._codes, other._counts)

    def matrix(self) -> Array | None:
        """Return the counts as (classes, classes) int64, rows the truth; None past 1,000 classes."""
        return self._matrix.reshape(self.classes, self.classes) if self.dense else None

    def cells(self) -> tuple[Array, Array, Array]:
        """Return truth, prediction and count of every pair that occurred, in row order."""
        codes = np.flatnonzero(self._matrix) if self.dense else self._codes
        counts = self._matrix[codes] if self.dense else self._counts
        return codes // self.classes, codes % self.classes, counts

    def state(self) -> dict[str, Array]:
        """Return the pairs that occurred."""
        codes = np.flatnonzero(self._matrix).astype(np.int64) if self.dense else self._codes
        counts = self._matrix[codes] if self.dense else self._counts
        return {"codes": codes.copy(), "counts": counts.copy()}

    def load(self, state: dict[str, Array]) -> None:
        """Take over pairs; raises ValueError if they do not fit."""
        codes, counts = take(state, "codes", np.int64, (None,)), take(state, "counts", np.int64, (None,))
        inside = codes.size == 0 or (codes[0] >= 0 and codes[-1] < self.classes**2 and (np.diff(codes) > 0).all())
        if len(codes) != len(counts) or not inside or (counts < 0).any():
            raise ValueError("a state of pairs does not fit together")
        self._tally(codes, counts)

    def _tally(self, codes: Array, counts: Array) -> None:
        """Add distinct pairs with their counts."""
        if self.dense:
            self._matrix[codes] += counts
            return
        distinct, place = np.unique(np.concatenate([self._codes, codes]), return_inverse=True)
        total = np.bincount(place, weights=np.concatenate([self._counts, counts]), minlength=len(distinct))
        self._codes, self._counts = distinct, np.rint(total).astype(np.int64)
