"""The choice of task: every common output is recognised, with a reason, and scores are called what they are."""

import numpy as np
import pytest

from reportgen.analysis.clues import snake_case
from reportgen.analysis.metrics import make_accumulator
from reportgen.analysis.tasks import TASKS, choose_task

R = np.random.default_rng(0)
N = 32


def shares(*shape):
    values = np.exp(R.normal(size=(N, *shape)))
    return (values / values.sum(axis=-1, keepdims=True)).astype("f4")


def squashed(*shape):
    return R.random((N, *shape)).astype("f4")


def plain(*shape):
    return R.normal(size=(N, *shape)).astype("f4") * 5


def numbers(high, *shape):
    return R.integers(0, high, (N, *shape))


EYE = np.eye(10)[R.integers(0, 10, N)]
FLAGS = np.vstack([R.integers(0, 2, (N - 2, 6)), np.zeros((1, 6), int), np.ones((1, 6), int)])
# shape, activation, loss, from_logits, labels, predictions, classes -> task, scores
CASES = {
    "softmax classifier": ((10,), "softmax", "sparse_categorical_crossentropy", False, numbers(10), shares(10), 0, "multiclass", "probabilities"),
    "softmax, one-hot, class loss": ((10,), "softmax", "CategoricalCrossentropy", False, EYE, shares(10), 10, "multiclass", "probabilities"),
    "logits": ((10,), "linear", "SparseCategoricalCrossentropy", True, numbers(10), plain(10), 0, "multiclass", "logits"),
    "logits not declared": ((10,), "linear", "sparse_categorical_crossentropy", False, numbers(10), plain(10), 0, "multiclass", "scores"),
    "relu scores, integer labels": ((10,), "relu", "", None, numbers(10), np.abs(plain(10)), 0, "multiclass", "scores"),
    "softmax without compile": ((10,), "softmax", "", None, numbers(10), shares(10), 0, "multiclass", "probabilities"),
    "softmax without labels": ((10,), "softmax", "", None, None, shares(10), 0, "multiclass", "probabilities"),
    "softmax hidden in a lambda": ((10,), "", "", None, None, shares(10), 0, "multiclass", "probabilities"),
    "mse on one-hot softmax": ((10,), "softmax", "mse", None, EYE, shares(10), 0, "multiclass", "probabilities"),
    "class names only": ((10,), "linear", "", None, None, plain(10), 10, "multiclass", "scores"),
    "one-hot, sigmoid, bce": ((10,), "sigmoid", "binary_crossentropy", None, EYE, squashed(10), 0, "multiclass", "scores"),
    "softmax of two": ((2,), "softmax", "sparse_categorical_crossentropy", None, numbers(2), shares(2), 0, "binary", "probabilities"),
    "sigmoid": ((1,), "sigmoid", "binary_crossentropy", False, numbers(2, 1), squashed(1), 0, "binary", "probabilities"),
    "sigmoid, bare": ((), "sigmoid", "", None, numbers(2), squashed(), 0, "binary", "probabilities"),
    "binary logits": ((1,), "linear", "BinaryCrossentropy", True, numbers(2), plain(1), 0, "binary", "logits"),
    "hinge": ((1,), "tanh", "hinge", None, numbers(2) * 2 - 1, np.tanh(plain(1)), 0, "binary", "scores"),
    "mse on sigmoid flags": ((1,), "sigmoid", "mse", None, numbers(2), squashed(1), 0, "binary", "probabilities"),
    "sigmoid without labels": ((1,), "sigmoid", "", None, None, squashed(1), 0, "binary", "probabilities"),
    "multilabel": ((6,), "sigmoid", "binary_crossentropy", None, FLAGS, squashed(6), 0, "multilabel", "probabilities"),
    "labels of 0 and 1, nothing else known": ((6,), "", "", None, FLAGS, squashed(6), 6, "multilabel", "probabilities"),
    "floats of 0 and 1, scores": ((6,), "", "", None, FLAGS.astype("f4"), plain(6), 0, "multilabel", "scores"),
    "rows of signs": ((6,), "linear", "", None, FLAGS * 2 - 1, plain(6), 6, "other", "values"),
    "rows of signs, sigmoid": ((6,), "sigmoid", "binary_crossentropy", None, FLAGS * 2 - 1, squashed(6), 0, "other", "values"),
    "one-hot floats, nothing else known": ((10,), "", "", None, EYE.astype("f4"), shares(10), 0, "multiclass", "probabilities"),
    "relu, one number": ((1,), "relu", "mse", None, np.abs(plain()), np.abs(plain(1)), 0, "regression", "values"),
    "relu, flags, no loss": ((1,), "relu", "", None, numbers(2), np.abs(plain(1)), 0, "binary", "scores"),
    "signs, one score": ((1,), "linear", "", None, numbers(2) * 2 - 1, plain(1), 0, "binary", "scores"),
    "a mask made elsewhere": ((8, 8, 1), "", "", None, numbers(2, 8, 8), squashed(8, 8, 1), 0, "segmentation", "probabilities"),
    "multilabel logits": ((6,), "linear", "BinaryCrossentropy", True, FLAGS, plain(6), 0, "multilabel", "logits"),
    "regression": ((1,), "linear", "mse", None, plain(), plain(1), 0, "regression", "values"),
    "regression, whole numbers": ((1,), "linear", "mean_absolute_error", None, numbers(500), plain(1), 0, "regression", "values"),
    "regression on 0 and 1 by mse": ((1,), "linear", "mse", None, numbers(2), plain(1), 0, "regression", "values"),
    "regression uncompiled": ((1,), "linear", "", None, plain(), plain(1), 0, "regression", "values"),
    "sigmoid to a share": ((1,), "sigmoid", "binary_crossentropy", None, squashed(), squashed(1), 0, "regression", "values"),
    "several targets": ((3,), "linear", "mse", None, plain(3), plain(3), 0, "regression", "values"),
    "forecast": ((24, 1), "linear", "mse", None, plain(24, 1), plain(24, 1), 0, "regression", "values"),
    "huber": ((4,), "linear", "Huber", None, plain(4), plain(4), 0, "regression", "values"),
    "mask": ((16, 16, 1), "sigmoid", "binary_crossentropy", None, numbers(2, 16, 16, 1), squashed(16, 16, 1), 0, "segmentation", "probabilities"),
    "mask logits": ((16, 16, 1), "linear", "BinaryCrossentropy", True, numbers(2, 16, 16), plain(16, 16, 1), 0, "segmentation", "logits"),
    "classes of pixels": ((16, 16, 4), "softmax", "sparse_categorical_crossentropy", None, numbers(4, 16, 16), shares(16, 16, 4), 0, "segmentation", "probabilities"),
    "classes of pixels, one-hot dice": ((16, 16, 4), "softmax", "dice", None, np.eye(4)[numbers(4, 16, 16)], shares(16, 16, 4), 0, "segmentation", "probabilities"),
    "mask of a signal": ((50, 1), "sigmoid", "binary_crossentropy", None, numbers(2, 50), squashed(50, 1), 0, "segmentation", "probabilities"),
    "masks without labels": ((16, 16, 3), "softmax", "", None, None, shares(16, 16, 3), 0, "segmentation", "probabilities"),
    "volume": ((4, 8, 8, 3), "softmax", "", None, numbers(3, 4, 8, 8), shares(4, 8, 8, 3), 0, "segmentation", "probabilities"),
    "autoencoder": ((16, 16, 3), "sigmoid", "mse", None, squashed(16, 16, 3), squashed(16, 16, 3), 0, "reconstruction", "values"),
    "autoencoder by bce": ((16, 16, 1), "sigmoid", "binary_crossentropy", None, squashed(16, 16, 1), squashed(16, 16, 1), 0, "reconstruction", "values"),
    "dense autoencoder": ((784,), "sigmoid", "binary_crossentropy", None, squashed(784), squashed(784), 0, "reconstruction", "values"),
    "signal to signal": ((128, 2), "linear", "mae", None, plain(128, 2), plain(128, 2), 0, "reconstruction", "values"),
    "next token": ((20, 50), "softmax", "sparse_categorical_crossentropy", None, numbers(50, 20), shares(20, 50), 0, "sequence", "probabilities"),
    "next token logits": ((20, 50), "linear", "SparseCategoricalCrossentropy", True, numbers(50, 20), plain(20, 50), 0, "sequence", "logits"),
    "any length": ((None, 50), "softmax", "", None, None, shares(20, 50), 0, "sequence", "probabilities"),
    "tags one-hot": ((20, 5), "softmax", "categorical_crossentropy", None, np.eye(5)[numbers(5, 20)], shares(20, 5), 0, "sequence", "probabilities"),
    "embedding": ((64,), "linear", "", None, None, plain(64), 0, "other", "values"),
    "detection grid": ((13, 13, 85), "linear", "", None, None, plain(13, 13, 85), 0, "other", "values"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_common_outputs_are_recognised_with_a_reason(name):
    shape, activation, loss, from_logits, y, y_pred, classes, task, scores = CASES[name]
    choice = choose_task("auto", shape, activation, loss, from_logits, y, y_pred, classes)
    assert (choice.task, choice.scores) == (task, scores), choice.reason
    assert len(choice.reason) > 20 and not choice.reason.endswith(".")
    if scores == "logits":
        assert "from_logits" in choice.reason
    if scores == "scores":
        assert "not probabilities" in choice.reason
    accumulator = make_accumulator(choice.task, shape=y_pred.shape[1:], classes=classes, scores=choice.scores)
    accumulator.update(y, y_pred)
    assert accumulator.n_labelled == (0 if y is None or task == "other" else N)


@pytest.mark.parametrize("task", TASKS)
def test_the_configuration_wins_where_the_shape_allows(task):
    shape = {"binary": (1,), "segmentation": (8, 8, 3), "reconstruction": (8, 8, 3), "sequence": (8, 3)}.get(task, (3,))
    choice = choose_task(task, shape, "", "", None, None, plain(*shape), 0)
    assert choice.task == task and "configuration" in choice.reason


@pytest.mark.parametrize(
    ("task", "shape"), [("binary", (3,)), ("multiclass", (1,)), ("segmentation", (10,)), ("sequence", (8, 8, 3))]
)
def test_an_impossible_task_is_explained_not_forced(task, shape):
    choice = choose_task(task, shape, "softmax", "", None, None, plain(*shape), 0)
    assert choice.task == "other" and f"says {task}" in choice.reason


def test_broken_predictions_do_not_break_the_choice():
    y_pred = shares(10)
    y_pred[::2] = np.nan
    choice = choose_task("auto", (10,), "softmax", "", None, numbers(10), y_pred, 0)
    assert (choice.task, choice.scores) == ("multiclass", "probabilities")
    for odd in (np.full((N, 10), np.nan), np.zeros((0, 10)), np.full((N, 10), np.inf)):
        assert choose_task("auto", (10,), "softmax", "", None, None, odd, 0).task == "multiclass"
    labels = np.full(N, np.nan)
    assert choose_task("auto", (1,), "sigmoid", "", None, labels, squashed(1), 0).task == "binary"
    text = np.full(N, "cat")
    assert choose_task("auto", (10,), "softmax", "", None, text, shares(10), 0).task == "multiclass"
    assert choose_task("auto", (0,), "", "", None, None, np.zeros((N, 0)), 0).task == "other"


def test_half_precision_softmax_counts_as_probabilities():
    y_pred = shares(1_000).astype("f2")
    assert choose_task("auto", (1_000,), "softmax", "", None, numbers(1_000), y_pred, 0).scores == "probabilities"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"),
        ("keras.losses.MeanSquaredError", "mean_squared_error"),
        ("Custom>BinaryFocalCrossentropy", "binary_focal_crossentropy"),
        ("mse", "mse"),
        ("", ""),
    ],
)
def test_names_of_keras_are_read_in_every_form(name, expected):
    assert snake_case(name) == expected
