"""Per-sample numbers of one chunk: what stands for the sample, how sure the model was, and how wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics.binary_sums import CLIP, binary_labels, positive_scores
from reportgen.analysis.metrics.label_scores import label_flags, label_scores
from reportgen.analysis.metrics.labels import as_scores, class_labels, flat_rows, sigmoid, softmax
from reportgen.analysis.metrics.reconstruction import target_pictures
from reportgen.analysis.metrics.regions import answers, confidences, position_labels, region_counts, sample_dice
from reportgen.analysis.metrics.regression_sums import target_rows
from reportgen.analysis.metrics.steps import score_steps, step_labels
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
    finite = np.asarray(np.isfinite(values).all(axis=1))
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
    finite = np.asarray(np.isfinite(values))
    values = np.where(finite, values, 0.0)
    truth, labelled = _no_labels(n) if y_true is None else binary_labels(y_true, n)[:2]
    if scores in ("probabilities", "logits"):
        answer, confidence = values > 0.5, np.maximum(values, 1 - values)
        loss = -np.log(np.clip(np.where(truth == 1, values, 1 - values), CLIP, 1.0))
    else:
        answer, confidence = values > 0.0, np.full(n, np.nan)
        loss = np.where(truth == 1, -values, values)
    return _samples(truth, answer, confidence, loss, labelled, finite)


def _score_multilabel(y_true: Array | None, y_pred: Array, scores: str) -> SampleScores:
    """Truth and answer are numbers of labels; the loss is the mean binary log loss, or the share of wrong labels."""
    labels = y_pred.shape[-1] if y_pred.ndim else 0
    values = label_scores(y_pred, labels, scores)
    n = len(values)
    finite = np.asarray(np.isfinite(values).all(axis=1))
    values = np.where(finite[:, None], values, 0.0)
    truth = np.full(values.shape, 2, np.uint8) if y_true is None else label_flags(y_true, values.shape)
    known = truth < 2
    count = np.maximum(known.sum(axis=1), 1)
    share = scores in ("probabilities", "logits")
    given = values > (0.5 if share else 0.0)
    wrong = -np.log(np.clip(np.where(truth == 1, values, 1 - values), CLIP, 1.0)) if share else given != (truth == 1)
    loss = np.where(known, wrong, 0.0).sum(axis=1) / count
    nothing = np.full(n, np.nan)
    return _samples((truth == 1).sum(axis=1), given.sum(axis=1), nothing, loss, np.asarray(known.any(axis=1)), finite)


def _score_regression(y_true: Array | None, y_pred: Array, scores: str) -> SampleScores:
    """Truth and answer are means over the targets; the loss is the mean absolute error."""
    answer = flat_rows(y_pred.astype(np.float64))
    truth = np.full(answer.shape, np.nan) if y_true is None else target_rows(y_true, answer.shape)
    finite = np.asarray(np.isfinite(answer).all(axis=1))
    known = np.isfinite(truth)
    count = np.maximum(known.sum(axis=1), 1)
    answer = np.where(finite[:, None], answer, 0.0)
    loss = np.where(known, np.abs(answer - np.where(known, truth, 0.0)), 0.0).sum(axis=1) / count
    middle = np.where(known, truth, 0.0).sum(axis=1) / count
    nothing = np.full(len(answer), np.nan)
    return _samples(middle, answer.mean(axis=1), nothing, loss, np.asarray(known.any(axis=1)), finite)


def _score_segmentation(y_true: Array | None, y_pred: Array, scores: str) -> SampleScores:
    """Truth and answer are shares of positions that are not class 0; the loss is 1 - Dice over classes but 0."""
    answer, finite = answers(y_pred, scores)
    classes = max(y_pred.shape[-1], 2)
    truth, known = np.zeros(answer.shape, np.int64), np.zeros(answer.shape, bool)
    if y_true is not None:
        truth, known = position_labels(y_true, answer.shape, classes)
    total = np.maximum(flat_rows(known).sum(axis=1), 1)
    loss = 1 - sample_dice(*region_counts(truth, known, answer, classes))
    confidence = flat_rows(confidences(y_pred, scores)).mean(axis=1)
    front = flat_rows(known & (truth > 0)).sum(axis=1) / total
    labelled = np.asarray(flat_rows(known).any(axis=1))
    return _samples(front, flat_rows(answer > 0).mean(axis=1), confidence, loss, labelled, finite)


def _score_sequence(y_true: Array | None, y_pred: Array, scores: str) -> SampleScores:
    """Truth is the number of labelled steps, the answer the share of them right; the loss is the log loss a step."""
    n = len(y_pred)
    truth, known = np.zeros(y_pred.shape[:2], np.int64), np.zeros(y_pred.shape[:2], bool)
    if y_true is not None:
        truth, known = step_labels(y_true, y_pred.shape)
    finite, answer, _, nll = score_steps(truth, y_pred, scores)
    steps = known.sum(axis=1)
    right = (known & (truth == answer)).sum(axis=1) / np.maximum(steps, 1)
    losses = np.where(known, np.nan_to_num(nll), 0.0).sum(axis=1) / np.maximum(steps, 1)
    loss = losses if scores in ("probabilities", "logits") else 1 - right
    labelled = np.asarray(steps > 0)
    return _samples(steps, np.where(labelled, right, np.nan), np.full(n, np.nan), loss, labelled, finite)


def _score_reconstruction(y_true: Array | None, y_pred: Array, scores: str) -> SampleScores:
    """Truth and answer are mean values; the loss is the mean squared error."""
    answer = flat_rows(y_pred.astype(np.float64))
    finite = np.asarray(np.isfinite(answer).all(axis=1))
    truth, labelled = answer, np.zeros(len(answer), bool)
    if y_true is not None:
        truth = target_pictures(y_true, y_pred.shape).reshape(answer.shape)
        labelled = np.asarray(np.isfinite(truth).all(axis=1))
    nothing = np.full(len(answer), np.nan)
    with np.errstate(invalid="ignore", over="ignore"):
        loss = ((answer - truth) ** 2).mean(axis=1)
        return _samples(truth.mean(axis=1), answer.mean(axis=1), nothing, loss, labelled, finite)


def _score_other(y_true: Array | None, y_pred: Array, scores: str) -> SampleScores:
    """The answer is the mean value; there is no truth and no loss."""
    answer = flat_rows(y_pred.astype(np.float64))
    finite = np.asarray(np.isfinite(answer).all(axis=1))
    nothing = np.full(len(answer), np.nan)
    mean = np.where(finite[:, None], answer, 0.0).mean(axis=1)
    return _samples(nothing, mean, nothing, nothing, np.zeros(len(answer), bool), finite)


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


SCORERS = {
    "binary": _score_binary,
    "multiclass": _score_multiclass,
    "multilabel": _score_multilabel,
    "regression": _score_regression,
    "segmentation": _score_segmentation,
    "reconstruction": _score_reconstruction,
    "sequence": _score_sequence,
    "timeseries": _score_regression,
    "other": _score_other,
}
