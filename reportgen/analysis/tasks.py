"""Decide what kind of answer an output gives, and why: from its shape, activation, loss, labels and scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.clues import Clues, read_clues

Array = NDArray[Any]

TASKS = (
    *("binary", "multiclass", "multilabel", "regression", "segmentation", "reconstruction", "sequence", "timeseries"),
    "other",
)
CATEGORICAL = ("categorical_crossentropy", "sparse_categorical_crossentropy", "categorical_focal_crossentropy")
BINARY = ("binary_crossentropy", "binary_focal_crossentropy", "bce")
HINGE = ("hinge", "squared_hinge", "categorical_hinge")
OVERLAP = ("dice", "tversky")
REGRESSION = (
    "mean_squared_error",
    "mse",
    "mean_absolute_error",
    "mae",
    "mean_absolute_percentage_error",
    "mape",
    "mean_squared_logarithmic_error",
    "msle",
    "huber",
    "log_cosh",
    "logcosh",
    "poisson",
)
MANY_TARGETS = 64
WORDS = {
    "binary": "yes or no",
    "multiclass": "one of several classes",
    "multilabel": "several labels at once",
    "regression": "numbers",
    "segmentation": "a class for each position",
    "reconstruction": "a picture or signal",
    "sequence": "a class or token for each step",
    "timeseries": "a forecast",
    "other": "no task that can be scored",
}
RANKS = {
    "binary": (0, 1),
    "multiclass": (1,),
    "multilabel": (1,),
    "regression": (0, 1, 2, 3),
    "segmentation": (2, 3, 4),
    "reconstruction": (1, 2, 3, 4),
    "sequence": (2,),
    "timeseries": (0, 1, 2),
    "other": tuple(range(10)),
}


@dataclass(frozen=True, slots=True)
class TaskChoice:
    """The task of one output, the reason in plain words, and what its numbers are.

    `scores` is "probabilities", "logits" (turned into probabilities, because the loss says from_logits), "scores" (only
    their order means something) or "values".
    """

    task: str
    reason: str
    scores: str


def choose_task(
    wanted: str,
    shape: tuple[int | None, ...],
    activation: str,
    loss: str,
    from_logits: bool | None,
    y: Array | None,
    y_pred: Array,
    classes: int,
    continues: str = "",
) -> TaskChoice:
    """Return the task of an output, why, and what its scores are.

    `wanted` is a task or "auto"; `shape` is without the batch; `activation` and `loss` are Keras names ("" if unknown);
    `y` (None without labels) and `y_pred` are the first chunk; `classes` is the number of class names given (0: none).
    `continues` says how the batch shows that the labels continue the input ("" if it does not): numbers are a forecast.
    A wanted task that the shape rules out gives "other" with the reason.
    """
    clues = read_clues(shape, activation, loss, y, np.asarray(y_pred), classes)
    if wanted in TASKS:
        task, why = wanted, "set in the configuration"
        if clues.rank not in RANKS[wanted] or (wanted == "binary" and clues.last not in (1, 2)):
            text = f"the configuration says {wanted}, but the output has shape {_shape_words(clues.shape)}"
            return TaskChoice("other", f"{text}, which cannot be {WORDS[wanted]}", "values")
        if wanted in ("multiclass", "sequence") and clues.last == 1:
            text = f"the configuration says {wanted}, but the output has one score where it needs one for each class"
            return TaskChoice("other", text, "values")
    else:
        task, why = _guess(clues)
        if y is not None and not _fits(task, np.size(y), np.shape(y_pred)):
            had, gave = _shape_words(np.shape(y)[1:]), _shape_words(clues.shape)
            text = f"the labels have shape {had} a sample and the output {gave}: boxes, or another encoding"
            return TaskChoice("other", f"{WORDS['other']}: {text} that no metric here covers", "values")
        if continues and task in ("regression", "reconstruction") and clues.rank in RANKS["timeseries"]:
            task, why = "timeseries", f"{why}; {continues}"
    scores, how = _kind_of_scores(task, clues, from_logits)
    return TaskChoice(task, f"{WORDS[task]}: {why}{how}", scores)


def _guess(clues: Clues) -> tuple[str, str]:
    """Return the task and why, when the configuration leaves it open."""
    if 0 in clues.shape:
        return "other", "the output is empty"
    if clues.rank == 0 or (clues.rank == 1 and clues.last == 1):
        return _guess_one(clues)
    if clues.rank == 1:
        return _guess_row(clues)
    return _guess_positions(clues)


def _guess_one(clues: Clues) -> tuple[str, str]:
    """Choose for one number a sample."""
    flags = clues.labels in ("indices", "flags", "one-hot")
    if clues.loss in (*BINARY, *HINGE):
        if clues.labels in ("numbers", "shares"):
            return "regression", f"one number, and the labels are not 0 and 1 (although the loss is {clues.loss})"
        return "binary", f"one score, and the loss is {clues.loss}"
    if clues.loss in REGRESSION and not (clues.activation == "sigmoid" and clues.labels == "flags"):
        return "regression", f"one number, and the loss is {clues.loss}"
    if clues.activation == "sigmoid" and (flags or not clues.labels):
        return "binary", "one score from a sigmoid" + (", and the labels are 0 and 1" if flags else "")
    if clues.labels == "flags" and (clues.classes == 2 or not clues.loss):
        return "binary", "one score, and the labels are 0 and 1"
    if clues.labels == "text":
        return "other", "one number, and the labels are text"
    return "regression", "one number" + (", and the labels are numbers" if clues.labels else " without a sigmoid")


def _guess_row(clues: Clues) -> tuple[str, str]:
    """Choose for one row of numbers a sample."""
    one_class = "binary" if clues.last == 2 else "multiclass"
    size = clues.last
    if clues.loss in (*CATEGORICAL, "categorical_hinge"):
        return one_class, f"{size} scores, and the loss is {clues.loss}"
    if clues.activation == "softmax":
        return one_class, f"{size} scores from a softmax"
    if clues.label_rank == 1 and clues.labels in ("indices", "flags") and clues.loss not in REGRESSION:
        return one_class, f"{size} scores, and the labels are class numbers"
    if clues.loss in BINARY or clues.activation == "sigmoid":
        return _guess_sigmoids(clues, one_class)
    if clues.labels == "one-hot":
        return one_class, f"{size} scores, and the labels are one-hot"
    if clues.labels == "signs" and clues.loss not in REGRESSION:
        return "other", f"{size} scores, and the labels are -1 and 1: for several labels at once write them as 0 and 1"
    if clues.labels == "flags" and clues.label_rank == 2 and clues.loss not in REGRESSION:
        return "multilabel", f"{size} scores, and label rows hold any number of 1s"
    if clues.probabilities == "rows" and clues.loss not in REGRESSION and clues.labels in ("", "shares"):
        return one_class, f"{size} scores that sum to one"
    if clues.classes == size and clues.labels != "numbers" and clues.loss not in REGRESSION:
        return one_class, f"{size} scores, and {size} class names are given"
    if clues.labels == "numbers" or clues.loss in REGRESSION:
        known = f"the loss is {clues.loss}" if clues.loss in REGRESSION else "the labels are numbers"
        return _numbers(clues, size, known)
    return "other", f"{size} numbers without labels, loss or softmax: an embedding or dense output"


def _guess_sigmoids(clues: Clues, one_class: str) -> tuple[str, str]:
    """Choose for a row of scores that are each judged alone."""
    size = clues.last
    source = f"the loss is {clues.loss}" if clues.loss in BINARY else "the last activation is a sigmoid"
    if clues.labels == "one-hot":
        return one_class, f"{size} scores, and each label row has exactly one 1 (although {source})"
    if clues.labels in ("shares", "numbers"):
        return _numbers(clues, size, "the labels are not 0 and 1")
    if clues.labels == "signs":
        return "other", f"{size} scores, and the labels are -1 and 1: for several labels at once write them as 0 and 1"
    return "multilabel", f"{size} scores, each judged alone: {source}"


def _numbers(clues: Clues, size: int, why: str) -> tuple[str, str]:
    """Choose between separate targets and a signal by their number."""
    if size <= MANY_TARGETS:
        return "regression", f"{size} numbers a sample, and {why}"
    return "reconstruction", f"{size:,} numbers a sample, too many for separate targets, and {why}"


def _guess_positions(clues: Clues) -> tuple[str, str]:
    """Choose for outputs with positions: steps, pixels or voxels."""
    steps = clues.rank == 2
    by_class = "sequence" if steps else "segmentation"
    place = "step" if steps else "position"
    if clues.rank > 4:
        return "other", f"an output with {clues.rank} axes"
    if clues.last != 1 and (clues.loss in CATEGORICAL or clues.activation == "softmax"):
        source = f"the loss is {clues.loss}" if clues.loss in CATEGORICAL else "they come from a softmax"
        return by_class, f"{clues.last or 'several'} scores a {place}, and {source}"
    if clues.loss in OVERLAP:
        return "segmentation", f"scores a {place}, and the loss is {clues.loss}"
    if clues.last != 1 and clues.labels in ("indices", "flags") and clues.label_rank == clues.rank:
        return by_class, f"{clues.last or 'several'} scores a {place}, and the labels are class numbers"
    if clues.last == 1 and (clues.activation == "sigmoid" or clues.loss in BINARY):
        if clues.labels in ("shares", "numbers"):
            return "reconstruction", f"one value a {place}, and the labels lie between 0 and 1"
        return "segmentation", f"one score a {place} from a sigmoid" + (", labels 0 and 1" if clues.labels else "")
    if clues.last == 1 and clues.labels == "flags" and clues.probabilities == "each" and not clues.loss:
        return "segmentation", f"one score a {place} between 0 and 1, and the labels are 0 and 1"
    if clues.last != 1 and clues.labels == "one-hot":
        return by_class, f"{clues.last} scores a {place}, and the labels are one-hot"
    if clues.last != 1 and not clues.labels and clues.probabilities == "rows" and clues.loss not in REGRESSION:
        return by_class, f"{clues.last} scores a {place} that sum to one"
    if clues.labels == "flags" and clues.last != 1 and clues.loss not in REGRESSION:
        return "other", f"{clues.last} overlapping labels a {place}, which no metric here covers"
    return _guess_signal(clues)


def _guess_signal(clues: Clues) -> tuple[str, str]:
    """Choose for values at positions that are not classes."""
    if not clues.labels and not clues.loss:
        return "other", "values at positions, without labels or loss: a dense output or embedding"
    source = f"the loss is {clues.loss}" if clues.loss else "the labels are numbers"
    size = int(np.prod([size or 0 for size in clues.shape]))
    if clues.rank == 2 and 0 < size <= MANY_TARGETS:
        return "regression", f"{size} numbers a sample, and {source}"
    return "reconstruction", f"values at positions, and {source}"


def _fits(task: str, labels: int, shape: tuple[int, ...]) -> bool:
    """Say whether so many single labels can belong to predictions of this shape, for tasks that compare by position."""
    whole = int(np.prod(shape, dtype=np.int64))
    if task in ("regression", "reconstruction"):
        return labels == whole
    if task in ("segmentation", "sequence"):
        return labels in (whole, whole // max(shape[-1], 1))
    return True


def _kind_of_scores(task: str, clues: Clues, from_logits: bool | None) -> tuple[str, str]:
    """Return what the numbers are, and words to add to the reason."""
    if task in ("regression", "reconstruction", "timeseries", "other"):
        return "values", ""
    alone = task in ("multilabel",) or clues.last == 1 or not clues.shape
    if clues.probabilities == "rows" or (alone and clues.probabilities == "each"):
        return "probabilities", ""
    if from_logits and clues.activation not in ("softmax", "sigmoid"):
        return "logits", "; its logits were turned into probabilities, because the loss says from_logits"
    return "scores", "; its scores are not probabilities, so they are shown as they are"


def _shape_words(shape: tuple[int | None, ...]) -> str:
    """Write a shape for people."""
    return "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
