"""Multilabel: single labels that the model is very sure are wrong, and how far such certainty can be trusted.

Each label is judged alone and each way by itself (given, not given), by the rule of `analysis.mistakes`: a label is
suspicious where the model is at least 99% sure of the opposite and is right nearly always when it is as sure of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.label_facts import SingleLabels
from reportgen.analysis.mistakes import FEWEST, NEARLY_ALWAYS, SURE

Array = NDArray[Any]

MOST = 200
MOST_LABELS = 10_000


def is_suspicious(found: SingleLabels, row: int) -> bool:
    """Say whether one disagreement speaks against the label rather than the model."""
    right, others = count_others(found, row)
    return others >= FEWEST and intervals.wilson_pair(right, others)[0] >= NEARLY_ALWAYS


def count_others(found: SingleLabels, row: int) -> tuple[int, int]:
    """Return how many other answers as sure, of this label and this kind, are right, and how many there are."""
    place = int(found.labels[row]), int(found.given[row])
    return int(found.right[place]), int(found.answers[place]) - 1


class SingleLabelKeeper:
    """Gathers SingleLabels, the same however the batch is split. Memory: 32 bytes a label and 200 rows."""

    def __init__(self, labels: int) -> None:
        self._answers: Array = np.zeros((labels, 2), np.int64)
        self._right: Array = np.zeros((labels, 2), np.int64)
        self._rows: Array = np.zeros((0, 4))
        self._names: Array = np.zeros(0, object)
        self._found = 0

    def add(self, positions: Array, ids: Sequence[str], truth: Array, share: Array) -> None:
        """Add one chunk: labels (n, L) of 0, 1, or 2 where unknown; probabilities (n, L), NaN rows are left out."""
        given = (share > 0.5).astype(np.int64)
        sure = np.maximum(share, 1 - share)
        counted = (truth < 2) & (sure >= SURE)
        agree = counted & (truth == given)
        for way in (0, 1):
            self._answers[:, way] += (counted & (given == way)).sum(axis=0)
            self._right[:, way] += (agree & (given == way)).sum(axis=0)
        rows, labels = np.nonzero(counted & ~agree)
        names = np.asarray(list(ids) or [""] * len(share), dtype=object)
        where = np.stack([np.asarray(positions)[rows], labels, given[rows, labels], sure[rows, labels]], axis=1)
        self._found += len(rows)
        self._keep(where, names[rows])

    def merge(self, other: Self) -> None:
        """Add what `other` has seen."""
        self._answers, self._right = self._answers + other._answers, self._right + other._right
        self._found += other._found
        self._keep(other._rows, other._names)

    def result(self) -> SingleLabels:
        """Return what was gathered."""
        positions, labels, given = (self._rows[:, column].astype(np.int64) for column in range(3))
        names = tuple(self._names.tolist()) if any(self._names) else ()
        sure = self._rows[:, 3].copy()
        return SingleLabels(positions, names, labels, given, sure, self._answers, self._right, self._found)

    def _keep(self, rows: Array, names: Array) -> None:
        """Hold the surest of what is held and these; ties go to the lower row of the batch, then to the lower label."""
        every, said = np.concatenate([self._rows, rows]), np.concatenate([self._names, names])
        order = np.lexsort((every[:, 1], every[:, 0], -every[:, 3]))[:MOST]
        self._rows, self._names = every[order], said[order]
