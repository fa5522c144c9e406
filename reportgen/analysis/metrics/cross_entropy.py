"""The cross-entropy as Keras's `fit` and `evaluate` have it on TensorFlow: from logits, no probability clipped.

Our log loss clips probabilities at 1e-7, as scikit-learn does: a sample that is wrong with more confidence than that
counts less in it than in the loss of a history.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
TASKS = frozenset({"binary", "multiclass"})


class CrossEntropySum:
    """A running mean over the labelled samples of one output; no number once a chunk came without logits."""

    def __init__(self, task: str) -> None:
        self._total = 0.0 if task in TASKS else math.nan
        self._n = 0

    def add(self, logits: Array | None, truth: Array, weights: Array | None) -> None:
        """Add logits (n, 1) or (n, classes) and class numbers (n,), NaN where unknown; weights end it."""
        if logits is None or weights is not None:
            self._total = math.nan
        if math.isnan(self._total) or logits is None:
            return
        known = np.isfinite(truth)
        self._total += float(cross_entropies(logits[known], truth[known].astype(np.int64)).sum())
        self._n += int(known.sum())

    def result(self) -> float:
        """Return the mean; NaN without labels or without logits."""
        return self._total / self._n if self._n else math.nan


def cross_entropies(logits: Array, truth: Array) -> NDArray[np.float64]:
    """Return -log of the probability of each sample's class (n,): a sigmoid's for (n, 1) or (n,), else a softmax's."""
    values = np.asarray(logits, np.float64)
    values = values[:, None] if values.ndim == 1 else values
    with np.errstate(invalid="ignore"):  # of a broken model
        if values.shape[1] == 1:
            return np.asarray(np.logaddexp(0.0, values[:, 0]) - truth * values[:, 0])
        return np.asarray(np.logaddexp.reduce(values, axis=1) - values[np.arange(len(truth)), truth])
