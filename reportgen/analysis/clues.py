"""What the first chunk and the saved file tell about an output: clues for choosing its task."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SUM_TOLERANCE = 2e-3


@dataclass(frozen=True, slots=True)
class Clues:
    """What is known of one output when its task is chosen."""

    shape: tuple[int | None, ...]
    activation: str
    loss: str
    labels: str  # "", "indices", "one-hot", "flags", "signs" (-1 and 1 in rows), "shares", "numbers" or "text"
    label_rank: int
    probabilities: str  # "rows" (sum to one along the last axis), "each" (all in 0..1) or ""
    classes: int

    @property
    def rank(self) -> int:
        """Number of axes without the batch."""
        return len(self.shape)

    @property
    def last(self) -> int:
        """Length of the last axis; 1 for a bare number, 0 when unknown."""
        return (self.shape[-1] or 0) if self.shape else 1


def read_clues(
    shape: tuple[int | None, ...], activation: str, loss: str, y: Array | None, y_pred: Array, classes: int
) -> Clues:
    """Gather what is known."""
    name = snake_case(activation)
    sums = _probabilities(y_pred)
    labels, rank = ("", 0) if y is None or not np.size(y) else _kind_of_labels(np.asarray(y))
    return Clues(tuple(shape), name, snake_case(loss), labels, rank, sums, classes)


def _kind_of_labels(y: Array) -> tuple[str, int]:
    """Return what the labels look like, and their number of axes with the batch, a last axis of 1 left out."""
    rank = y.ndim
    if rank > 1 and y.shape[-1] == 1:
        y, rank = y[..., 0], rank - 1
    if y.dtype.kind in "USO":
        return "text", rank
    if y.dtype.kind not in "biuf":
        return "numbers", rank
    known = y[np.isfinite(y)] if y.dtype.kind == "f" else y.reshape(-1)
    if known.size == 0:
        return "", rank
    low, high = float(known.min()), float(known.max())
    whole = y.dtype.kind != "f" or bool((known == np.floor(known)).all())
    if rank > 1 and low >= 0 and high <= 1 and y.shape[-1] > 1:
        sums = y.astype(np.float64).sum(axis=-1)
        if whole and bool((sums == 1).all()):
            return "one-hot", rank
    if whole and low >= -1 and high <= 1:
        signs = rank > 1 and low < 0 and not bool((known == 0).any())
        return "signs" if signs else "flags", rank
    if whole and low >= 0 and (y.dtype.kind != "f" or high < 1_000):
        return "indices", rank
    return ("shares" if low >= 0 and high <= 1 else "numbers"), rank


def _probabilities(y_pred: Array) -> str:
    """Say whether scores are probabilities: rows that sum to one, or at least each between 0 and 1."""
    if y_pred.dtype.kind not in "biuf" or not y_pred.size:
        return ""
    rows = y_pred.reshape(len(y_pred), -1, y_pred.shape[-1]).astype(np.float64) if y_pred.ndim > 1 else None
    values = y_pred.astype(np.float64)
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() < -1e-6 or finite.max() > 1 + SUM_TOLERANCE:
        return ""
    if rows is not None and y_pred.shape[-1] > 1:
        sums = rows.sum(axis=-1)
        sums = sums[np.isfinite(sums)]
        if sums.size and bool((np.abs(sums - 1) <= SUM_TOLERANCE).all()):
            return "rows"
    return "each"


def snake_case(name: str) -> str:
    """Return the name of a Keras class or function in the form of its functions (HingeLoss -> hinge_loss)."""
    last = name.rsplit(".", 1)[-1].rsplit(">", 1)[-1]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last).lower()
