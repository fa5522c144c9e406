"""Positions and their classes: how labels and answers are read, counted and compared."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics.labels import flat_rows, from_one_hot, numbers, sigmoid, softmax, whole_numbers

Array = NDArray[Any]

BOUNDARY = 2


def answers(y_pred: Array, scores: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the class given to each position (n, ...), and which samples have finite scores throughout."""
    values = np.asarray(y_pred)
    finite = np.asarray(np.isfinite(flat_rows(values)).all(axis=1))
    if values.shape[-1] == 1:
        limit = 0.5 if scores == "probabilities" else 0.0
        return (values[..., 0] > limit).astype(np.int64), finite
    return values.argmax(axis=-1).astype(np.int64), finite


def confidences(y_pred: Array, scores: str) -> NDArray[np.float64]:
    """Return the probability of the answer at each position (n, ...); NaN when scores are not probabilities."""
    values = np.asarray(y_pred).astype(np.float64)
    if scores not in ("probabilities", "logits"):
        return np.full(values.shape[:-1], np.nan)
    if values.shape[-1] == 1:
        share = sigmoid(values[..., 0]) if scores == "logits" else values[..., 0]
        return np.asarray(np.maximum(share, 1 - share))
    return np.asarray((softmax(values) if scores == "logits" else values).max(axis=-1))


def position_labels(y_true: Array, shape: tuple[int, ...], classes: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return labels of this shape (n, ...) and which positions have a class; raises ValueError if they do not fit."""
    labels = numbers(y_true)
    if labels.shape in (shape, (*shape, 1)):
        flat, known = whole_numbers(labels.reshape(-1), classes)
        return flat.reshape(shape), known.reshape(shape)
    if labels.shape == (*shape, classes):
        return from_one_hot(labels)
    raise ValueError(f"labels have shape {labels.shape}; expected {shape} or {(*shape, classes)}")


def region_counts(truth: Array, known: Array, answer: Array, classes: int) -> tuple[Array, Array, Array]:
    """Return positions right, of the class, and given the class: each (n, classes), over labelled positions."""
    n = len(truth)
    sample = np.arange(n)[:, None] * classes
    truths, answers = flat_rows(truth) + sample, flat_rows(answer) + sample
    used = flat_rows(known)
    if used.all():
        parts = (truths[truths == answers], truths.reshape(-1), answers.reshape(-1))
    else:
        parts = (truths[used & (truths == answers)], truths[used], answers[used])
    right, support, predicted = (np.bincount(part, minlength=n * classes).reshape(n, classes) for part in parts)
    return right, support, predicted


def sample_dice(right: Array, support: Array, predicted: Array) -> Array:
    """Return each sample's mean Dice over its classes but 0; 1 where neither truth nor answer has any."""
    touched = (support + predicted)[:, 1:].astype(np.float64)
    dice = np.divide(2.0 * right[:, 1:], touched, out=np.zeros_like(touched), where=touched > 0)
    present = (touched > 0).sum(axis=1)
    return np.where(present > 0, dice.sum(axis=1) / np.maximum(present, 1), 1.0)


def near_boundary(truth: Array, known: Array, answer: Array, wrong: Array) -> NDArray[np.bool_]:
    """Return for each wrong position, in row order, whether its answer is true within 2 positions of it."""
    sizes = truth.shape[1:]
    margin = [(0, 0), *[(BOUNDARY, BOUNDARY)] * len(sizes)]
    framed = np.pad(np.where(known, truth, -1), margin, constant_values=-1)
    strides = [math.prod(framed.shape[axis + 1 :]) for axis in range(framed.ndim)]
    place = np.nonzero(wrong)
    given = answer[place]
    shifts = [0, *[BOUNDARY] * len(sizes)]
    start = np.asarray(sum((axis + shift) * s for axis, shift, s in zip(place, shifts, strides, strict=True)))
    flat, near, left = framed.reshape(-1), np.zeros(len(given), bool), np.arange(len(given))
    steps = itertools.product(range(-BOUNDARY, BOUNDARY + 1), repeat=len(sizes))
    for step in sorted(steps, key=lambda step: sum(abs(part) for part in step)):
        moved = start[left] + sum(part * stride for part, stride in zip(step, strides[1:], strict=True))
        found = flat[moved] == given[left]
        near[left[found]] = True
        left = left[~found]
    return near
