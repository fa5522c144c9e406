"""Read labels in every form that training jobs leave: numbers, one-hot rows, columns, floats, booleans."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def class_labels(y_true: Array, classes: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return class indices (n,) and which of them are valid: whole and in 0..classes-1.

    Takes (n,) or (n, 1) numbers and (n, classes) one-hot or soft rows (the largest entry counts; a row without one
    clear largest entry is invalid). Raises ValueError for text and for any other shape.
    """
    labels = numbers(y_true)
    if labels.size == n and labels.ndim <= 2:
        return whole_numbers(labels.reshape(n), classes)
    if labels.shape == (n, classes):
        return from_one_hot(labels)
    raise ValueError(f"labels have shape {labels.shape}; expected ({n},) or ({n}, {classes})")


def numbers(y_true: Array) -> Array:
    """Return labels as an array of real numbers; raises ValueError for text, objects and complex numbers."""
    labels = np.asarray(y_true)
    if labels.dtype.kind in "USO":
        raise ValueError("labels are text; give them as whole numbers from 0 and name the classes in the configuration")
    if labels.dtype.kind not in "biuf":
        raise ValueError(f"labels of type {labels.dtype} cannot be used; give them as numbers")
    return labels


def whole_numbers(values: Array, classes: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return `values` as int64 and which are whole numbers in 0..classes-1; the others become 0."""
    valid = (values >= 0) & (values < classes)
    if values.dtype.kind == "f":
        valid &= values == np.floor(values)
    return np.where(valid, values, 0).astype(np.int64), valid


def from_one_hot(rows: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the index of the largest entry along the last axis, and where it is finite, above 0 and the only one."""
    wide = rows.astype(np.float64) if rows.dtype.kind != "f" else rows
    top = wide.max(axis=-1)
    single = (wide == top[..., None]).sum(axis=-1) == 1
    valid = np.isfinite(wide).all(axis=-1) & (top > 0) & (wide.min(axis=-1) >= 0) & single
    return np.where(valid, wide.argmax(axis=-1), 0).astype(np.int64), valid


def flat_rows(values: Array) -> Array:
    """Return values as one row a sample (n, everything else), also when there is no sample."""
    return values.reshape(len(values), math.prod(values.shape[1:]))


def softmax(scores: Array) -> Array:
    """Return probabilities from logits along the last axis, without overflow."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def sigmoid(scores: Array) -> Array:
    """Return probabilities from logits, one each, without overflow."""
    small = np.exp(-np.abs(scores))
    return np.where(scores >= 0, 1 / (1 + small), small / (1 + small))


def as_scores(y_pred: Array, classes: int) -> NDArray[np.float64]:
    """Return scores as float64 (n, classes); raises ValueError for any other shape."""
    scores = np.asarray(y_pred)
    if scores.ndim != 2 or scores.shape[1] != classes:
        raise ValueError(f"predictions have shape {scores.shape}; expected (n, {classes})")
    return scores.astype(np.float64)


def rank_of(scores: Array, own: Array, truth: Array, most: int) -> Array:
    """Return the place of the label's score (0: best), at most `most`; of equal scores the lower class is first."""
    better = (scores > own[:, None]).sum(axis=1)
    equal = scores == own[:, None]
    if int(equal.sum()) > len(scores):
        better = better + (equal & (np.arange(scores.shape[1]) < truth[:, None])).sum(axis=1)
    return np.asarray(np.minimum(better, most))
