"""Per-sample numbers of one chunk: what stands for the sample, how sure the model was, and how wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics.binary import CLIP, binary_labels, positive_scores
from reportgen.analysis.metrics.labels import class_labels, sigmoid, softmax
from reportgen.analysis.metrics.multiclass import as_scores
from reportgen.analysis.metrics.value import SampleScores

Array = NDArray[Any]


def score_samples(task: str, y_true: Array | None, y_pred: Array, scores: str) -> SampleScores:
    """Return float64 arrays (n,) for one chunk; NaN where unknown. Larger `loss` is worse.

    Raises ValueError where the accumulator of the task would, and for an unknown task.
    """
    if task not in SCORERS:
        raise ValueError(f"no task is called {task!r}")
    prediction = np.asarray(y_pred)
    return SCORERS[task](None if y_true is None else np.asarray(y_true), prediction, scores)


def as_probabilities(task: str, y_pred: Array, scores: str) -> NDArray[np.float64] | None:
    """Return probabilities of the shape of `y_pred` (binary: (n,), of the positive class); None when there are none.

    Logits are turned into probabilities; plain scores and values never are.
    """
    if scores not in ("probabilities", "logits"):
        return None
    if task == "binary":
        return positive_scores(y_pred, scores)
    values = np.asarray(y_pred).astype(np.float64)
    if scores == "probabilities":
        return values
    return sigmoid(values) if task == "multilabel" or values.shape[-1] == 1 else softmax(values)


def _score_multiclass(y_true: Array | None, y_pred: Array, scores: str) -> SampleScores:
    """Truth and answer are class indices; the loss is the log loss, or the margin by which another class won."""
    values = as_scores(y_pred, y_pred.shape[-1] if y_pred.ndim else 0)
    n, classes = values.shape
    finite = np.isfinite(values).all(axis=1)
    values = np.where(finite[:, None], values, 0.0)
    answer = values.argmax(axis=1)
    share = as_probabilities("multiclass", values, scores)
    confidence = np.full(n, np.nan) if share is None else share.max(axis=1)
    truth, labelled = _no_labels(n) if y_true is None else class_labels(y_true, classes, n)
    rows = np.arange(n)
    if share is not None:
        loss = -np.log(np.clip(share[rows, truth], CLIP, 1.0))
    else:
        others = values.copy()
        others[rows, truth] = -np.inf
        loss = others.max(axis=1) - values[rows, truth]
    return _samples(truth, answer, confidence, loss, labelled, finite)


def _score_binary(y_true: Array | None, y_pred: Array, scores: str) -> SampleScores:
    """Truth and answer are 0 or 1; the loss is the log loss, or the score on the wrong side of 0."""
    values = positive_scores(y_pred, scores)
    n = len(values)
    finite = np.isfinite(values).reshape(n)
    values = np.where(finite, values, 0.0)
    truth, labelled = _no_labels(n) if y_true is None else binary_labels(y_true, n)[:2]
    if scores in ("probabilities", "logits"):
        answer, confidence = values > 0.5, np.maximum(values, 1 - values)
        loss = -np.log(np.clip(np.where(truth == 1, values, 1 - values), CLIP, 1.0))
    else:
        answer, confidence = values > 0.0, np.full(n, np.nan)
        loss = np.where(truth == 1, -values, values)
    return _samples(truth, answer, confidence, loss, labelled, finite)


def _no_labels(n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return labels that are all unknown."""
    return np.zeros(n, np.int64), np.zeros(n, bool)


def _samples(
    truth: Array, answer: Array, confidence: Array, loss: Array, labelled: Array, finite: Array
) -> SampleScores:
    """Put NaN where the label or the prediction is unknown."""
    return SampleScores(
        truth=np.where(labelled, truth, np.nan),
        prediction=np.where(finite, answer, np.nan),
        confidence=np.where(finite, confidence, np.nan),
        loss=np.where(labelled & finite, loss, np.nan),
    )


SCORERS = {"multiclass": _score_multiclass, "binary": _score_binary}
