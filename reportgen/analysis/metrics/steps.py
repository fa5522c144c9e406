"""Steps and their tokens: how labels are read and masked, and how scores are judged in blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics.labels import from_one_hot, numbers, softmax, whole_numbers

Array = NDArray[Any]

BLOCK_VALUES = 2_000_000
CLIP = 1e-7


def step_labels(
    y_true: Array, shape: tuple[int, ...], weights: Array | None = None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return labels (n, T) and which steps count; raises ValueError if they do not fit scores of shape (n, T, V)."""
    labels = numbers(y_true)
    if labels.shape in (shape[:2], (*shape[:2], 1)):
        flat, known = whole_numbers(labels.reshape(-1), shape[2])
        truth, known = flat.reshape(shape[:2]), known.reshape(shape[:2])
    elif labels.shape == shape:
        truth, known = from_one_hot(labels)
    else:
        raise ValueError(f"labels have shape {labels.shape}; expected {shape[:2]} or {shape}")
    if weights is not None and np.shape(weights) == shape[:2]:
        known = known & (np.asarray(weights) != 0)
    return truth, known


def score_steps(truth: Array, scores: Array, kind: str) -> tuple[Array, Array, Array, Array]:
    """Return which sequences are finite (n,), and for each step (n, T): answer, place of the label (0: best), -ln p.

    -ln p is NaN when scores are not probabilities. Works in blocks of 2 million scores, so that memory stays flat.
    """
    n, steps, tokens = scores.shape
    flat, labels = scores.reshape(-1, tokens), truth.reshape(-1)
    finite = np.zeros(len(flat), bool)
    answer, place = np.zeros(len(flat), np.int64), np.zeros(len(flat), np.int64)
    nll = np.full(len(flat), np.nan)
    size = max(1, BLOCK_VALUES // tokens)
    for start in range(0, len(flat), size):
        part = slice(start, start + size)
        block = flat[part].astype(np.float64)
        finite[part] = np.isfinite(block).all(axis=1)
        block[~finite[part]] = 0.0
        answer[part] = block.argmax(axis=1)
        own = block[np.arange(len(block)), labels[part]]
        equal = (block == own[:, None]) & (np.arange(tokens) < labels[part][:, None])
        place[part] = (block > own[:, None]).sum(axis=1) + equal.sum(axis=1)
        if kind in ("probabilities", "logits"):
            own = softmax(block)[np.arange(len(block)), labels[part]] if kind == "logits" else own
            nll[part] = -np.log(np.clip(own, CLIP, 1.0))
    whole = np.asarray(finite.reshape(n, steps).all(axis=1))
    return whole, answer.reshape(n, steps), place.reshape(n, steps), nll.reshape(n, steps)


def trailing_zeros(truth: Array, known: Array) -> int:
    """Return how many labelled steps are zeros at the end of their sequence, but for sequences of zeros alone."""
    zero = (truth == 0) & known
    other = (truth != 0) & known
    last = np.where(other.any(axis=1), truth.shape[1] - 1 - other[:, ::-1].argmax(axis=1), truth.shape[1])
    return int((zero & (np.arange(truth.shape[1]) > last[:, None])).sum())
