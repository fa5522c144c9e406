"""Multilabel: single labels that the model is very sure are wrong, and how far such certainty can be trusted.

Each label is judged alone and each way by itself (given, not given), by the rule of `analysis.mistakes`: a label is
suspicious where the model is at least 99% sure of the opposite, is right nearly always when it is as sure of it, and
by its own probabilities expects less than half a mistake among the answers as sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.label_facts import SingleLabels
from reportgen.analysis.mistakes import EXPECTED, FEWEST, NEARLY_ALWAYS, SURE

Array = NDArray[Any]

MOST = 200
MOST_LABELS = 10_000
BINS = 12


def is_suspicious(found: SingleLabels, row: int) -> bool:
    """Say whether one disagreement speaks against the label rather than the model."""
    right, others = count_others(found, row)
    if others < FEWEST or intervals.wilson_pair(right, others)[0] < NEARLY_ALWAYS:
        return False
    label, given = int(found.labels[row]), int(found.given[row])
    surer = int(_doubt_bin(1 - found.sure[row : row + 1])[0])
    return float(found.doubt[label, given, surer:].sum()) < EXPECTED


def count_others(found: SingleLabels, row: int) -> tuple[int, int]:
    """Return how many other answers as sure, of this label and this kind, are right, and how many there are."""
    place = int(found.labels[row]), int(found.given[row])
    return int(found.right[place]), int(found.answers[place]) - 1


def _doubt_bin(doubt: Array) -> Array:
    """Return the bin of probabilities of being wrong, at most 1%: half decades."""
    with np.errstate(divide="ignore"):
        depth = -2 * (np.log10(doubt) + 2)
    return np.asarray(np.clip(np.floor(depth + 1e-9), 0, BINS - 1).astype(np.int64))


class SingleLabelKeeper:
    """Gathers SingleLabels, the same however the batch is split. Memory: 230 bytes a label and 200 rows."""

    def __init__(self, labels: int) -> None:
        self._answers: Array = np.zeros((labels, 2), np.int64)
        self._right: Array = np.zeros((labels, 2), np.int64)
        self._doubt: Array = np.zeros((labels, 2, BINS))
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
        where = np.nonzero(counted)
        np.add.at(self._doubt, (where[1], given[where], _doubt_bin(1 - sure[where])), 1 - sure[where])
        rows, labels = np.nonzero(counted & ~agree)
        names = np.asarray(list(ids) or [""] * len(share), dtype=object)
        table = np.stack([np.asarray(positions)[rows], labels, given[rows, labels], sure[rows, labels]], axis=1)
        self._found += len(rows)
        self._keep(table, names[rows])

    def merge(self, other: Self) -> None:
        """Add what `other` has seen."""
        self._answers, self._right = self._answers + other._answers, self._right + other._right
        self._doubt = self._doubt + other._doubt
        self._found += other._found
        self._keep(other._rows, other._names)

    def result(self) -> SingleLabels:
        """Return what was gathered."""
        positions, labels, given = (self._rows[:, column].astype(np.int64) for column in range(3))
        names = tuple(self._names.tolist()) if any(self._names) else ()
        sure = self._rows[:, 3].copy()
        return SingleLabels(positions, names, labels, given, sure, self._answers, self._right, self._doubt, self._found)

    def _keep(self, rows: Array, names: Array) -> None:
        """Hold the surest of what is held and these; ties go to the lower row of the batch, then to the lower label."""
        every, said = np.concatenate([self._rows, rows]), np.concatenate([self._names, names])
        order = np.lexsort((every[:, 1], every[:, 0], -every[:, 3]))[:MOST]
        self._rows, self._names = every[order], said[order]
