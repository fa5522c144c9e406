"""Gradients, losses and the training-mode pass: against finite differences, Keras's own evaluation, and every bit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reportgen.worker.backward import inference_mode
from reportgen.worker.budget import EXTRA_MACS
from reportgen.worker.labelled import LEAST, USUAL, choose_count
from reportgen.worker.losses import NoLoss, choose_loss, fit_labels
from reportgen.worker.plan import AUTO
from tests.worker import models

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def k():
    return models.keras()


def dense(k, *, trained: bool = True, **compiled):
    """A small network with normalisation and dropout."""
    k.utils.set_random_seed(1)
    layers = k.layers
    model = k.Sequential(
        [
            k.Input((6,), name="x"),
            layers.Dense(5, activation="tanh", name="first"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.4, name="drop"),
            layers.Dense(3, name="last", trainable=trained),
        ]
    )
    model.compile("sgd", **(compiled or {"loss": k.losses.SparseCategoricalCrossentropy(from_logits=True)}))
    model.get_layer("norm").set_weights([RNG.uniform(0.5, 1, 5) for _ in range(4)])
    return model


X, Y = RNG.normal(size=(40, 6)).astype(np.float32), RNG.integers(0, 3, 40)


def test_norms_are_those_of_finite_differences(k) -> None:
    """Every weight of the first layer moved up and down by a little, the loss evaluated by Keras."""
    model = dense(k)
    found = models.examine(model, {"": X}, {"": Y})
    kernel, bias = model.get_layer("first").get_weights()
    numeric = []
    for values in (kernel, bias):
        for place in np.ndindex(values.shape):
            losses = []
            for step in (1e-2, -1e-2):
                moved = values.copy()
                moved[place] += step
                model.get_layer("first").set_weights([moved, bias] if values is kernel else [kernel, moved])
                losses.append(float(model.loss(Y, model(X, training=False))))
            numeric.append((losses[0] - losses[1]) / 2e-2)
    model.get_layer("first").set_weights([kernel, bias])
    row = next(row for row in found.gradients if row.layer == "first")
    assert row.norm == pytest.approx(np.linalg.norm(numeric), rel=2e-3)
    assert row.weight_norm == pytest.approx(math.hypot(np.linalg.norm(kernel), np.linalg.norm(bias)), rel=1e-5)
    assert row.ratio == pytest.approx(row.norm / row.weight_norm)
    assert (row.samples, row.sample_norms, row.depth) == (40, 40, 0)
    # The mean of gradients is no longer than the root mean square of their lengths.
    assert all(row.sample_norm >= row.norm for row in found.gradients)


def test_steps_give_what_one_step_gives(k, monkeypatch) -> None:
    """The mean gradient does not depend on how the samples are split."""
    model = dense(k)
    whole = models.examine(model, {"": X}, {"": Y}).gradients
    monkeypatch.setattr("reportgen.worker.gradients.STEP_BYTES", 800)
    parts = models.examine(model, {"": X}, {"": Y}).gradients
    assert [row.norm for row in parts] == pytest.approx([row.norm for row in whole], rel=1e-4)


def test_training_mode_changes_no_bit_and_repeats(k) -> None:
    """Batch statistics and dropout make another loss; weights and random states are as before; twice the same."""
    model = dense(k)
    before = [variable.numpy().tobytes() for variable in model.variables]
    first = models.examine(model, {"": X}, {"": Y})
    assert [variable.numpy().tobytes() for variable in model.variables] == before
    loss = first.losses[0]
    assert (loss.source, loss.loss, loss.samples) == ("file", "sparse_categorical_crossentropy", 40)
    assert loss.inference == pytest.approx(float(model.loss(Y, model(X, training=False))), rel=1e-5)
    assert loss.accuracy == pytest.approx(float((np.asarray(model(X)).argmax(1) == Y).mean()))
    assert abs(loss.training - loss.inference) > 1e-3
    assert 0 <= loss.training_accuracy <= 1
    assert models.examine(model, {"": X}, {"": Y}).losses == first.losses


def test_frozen_layers_have_no_row_and_keep_their_depth(k) -> None:
    """A frozen layer is left out; one that only keeps statistics has none; depths count layers with weights."""
    rows = models.examine(dense(k, trained=False), {"": X}, {"": Y}).gradients
    assert [(row.layer, row.depth) for row in rows] == [("first", 0), ("norm", 1)]
    model = dense(k)
    model.trainable = False
    found = models.examine(model, {"": X}, {"": Y})
    assert not found.gradients and "no weight" in found.not_computed["gradients"]


def test_what_is_missing_is_said(k) -> None:
    """No labels, not asked for."""
    model = dense(k)
    assert "labels" in models.examine(model, {"": X}).not_computed["gradients"]
    found = models.examine(model, {"": X}, {"": Y}, gradients=0)
    assert not found.gradients and not found.losses and "none" in found.not_computed["gradients"]


def test_several_outputs_shared_layers_and_words(k) -> None:
    """Two outputs with weights of their losses, a shared nested encoder, an embedding, a recurrent layer."""
    k.utils.set_random_seed(2)
    layers = k.layers
    words = k.Input((7,), dtype="int32", name="words")
    inner = k.Sequential([layers.Dense(6, activation="relu", name="code")], name="encoder")
    states = layers.GRU(6, return_sequences=True, name="gru")(layers.Embedding(11, 4, name="table")(words))
    both = layers.Add(name="both")([inner(states), inner(states[:, ::-1])])
    flat = layers.GlobalMaxPooling1D(name="flat")(both)
    kind, size = layers.Dense(4, activation="softmax", name="kind")(flat), layers.Dense(1, name="size")(flat)
    model = k.Model(words, {"kind": kind, "size": size})
    x = RNG.integers(0, 11, (20, 7)).astype("int32")
    y = {"kind": RNG.integers(0, 4, 20), "size": RNG.normal(size=20).astype(np.float32)}
    model.compile(
        "adam", {"kind": "sparse_categorical_crossentropy", "size": "mse"}, loss_weights={"size": 0.5, "kind": 2}
    )
    found = models.examine(model, {"words": x}, y)
    assert {row.layer for row in found.gradients} == {"table", "gru", "encoder/code", "kind", "size"}
    assert all(row.norm > 0 and row.nan == row.inf == 0 for row in found.gradients)
    losses = {loss.output: loss for loss in found.losses}
    expected = model.evaluate(x, y, verbose=0, return_dict=True)
    assert losses["kind"].inference == pytest.approx(expected["kind_loss"], rel=1e-4)
    assert losses["size"].inference == pytest.approx(expected["size_loss"], rel=1e-4)
    assert math.isnan(losses["size"].accuracy)
    size_row = next(row for row in found.gradients if row.layer == "size")
    error = np.asarray(model(x)["size"])[:, 0] - y["size"]  # half of the mean square has this gradient
    features = np.asarray(k.Model(words, flat)(x))
    assert size_row.norm == pytest.approx(math.hypot(np.linalg.norm(features.T @ error / 20), error.mean()), rel=1e-3)


def test_half_precision_and_subclassed_models(k) -> None:
    """Small gradients of a float16 model are no zeros; a subclassed model's own layers have rows."""
    layers = k.layers
    half = k.Sequential([k.Input((6,)), layers.Dense(4, dtype="mixed_float16"), layers.Dense(1, dtype="float32")])
    half.layers[-1].set_weights([np.full((4, 1), 1e-5, np.float32), np.zeros(1, np.float32)])
    rows = models.examine(half, {"": X}, {"": X[:, 0] * 1e-3}).gradients
    assert all(row.norm > 0 for row in rows)

    class Own(k.Model):
        """Two layers called from code."""

        def __init__(self) -> None:
            super().__init__(name="own")
            self.a, self.b = layers.Dense(4, activation="relu", name="a"), layers.Dense(1, name="b")

        def call(self, inputs):
            return self.b(self.a(inputs))

    own = Own()
    own(X[:2])
    found = models.examine(own, {"": X}, {"": X[:, 0]})
    assert [row.layer for row in found.gradients] == ["a", "b"]
    assert found.losses[0].source == "task" and found.losses[0].loss == "mean_squared_error"


@pytest.mark.parametrize(
    ("saved", "task", "scores", "shape", "name", "source"),
    [
        ("mae", "regression", "values", (1,), "mae", "file"),
        ({"class_name": "Huber", "config": {"delta": 2.0, "reduction": "sum"}}, "regression", "values", (1,), "huber", "file"),
        ({"module": "mine", "class_name": "Own", "config": {}}, "regression", "values", (1,), "mean_squared_error", "task"),
        ({"module": "os", "class_name": "system", "config": "true"}, "multiclass", "probabilities", (3,),
         "sparse_categorical_crossentropy", "task"),
        (None, "segmentation", "logits", (4, 4, 1), "binary_crossentropy (from logits)", "task"),
    ],
)  # fmt: skip
def test_the_loss_is_the_files_or_the_tasks(k, saved, task, scores, shape, name, source) -> None:
    """Keras's own losses are made again with their settings; anything else falls back on the task's standard one."""
    loss = choose_loss({"loss": saved}, ("out",), "out", task, scores, shape)
    assert (loss.name, loss.source) == (name, source)
    if name == "huber":
        assert float(loss.compute(np.zeros((1, 1), "f"), np.full((1, 1), 3, "f"))) == pytest.approx(2 * (3 - 1))


def test_labels_fit_the_loss() -> None:
    """Class numbers and one-hot rows serve either kind of loss; other shapes are refused."""
    rows = np.eye(3, dtype=np.float32)[[2, 0]]
    assert fit_labels("sparse_categorical_crossentropy", rows, (3,)).tolist() == [2, 0]
    assert fit_labels("categorical_crossentropy", np.array([[2], [0]]), (3,)).tolist() == rows.tolist()
    assert fit_labels("binary_crossentropy (from logits)", np.array([1, 0]), (1,)).shape == (2, 1)
    with pytest.raises(NoLoss):
        fit_labels("mse", np.zeros((2, 4)), (3,))
    with pytest.raises(NoLoss):
        choose_loss({}, ("out",), "out", "other", "values", (3,))


def test_costly_models_get_fewer_samples() -> None:
    """64 for a small model, 4 for ResNet50 and more with a large batch, never fewer, and what was asked for anyway."""
    assert choose_count(AUTO, 10**6, 1000) == (USUAL, "")
    assert choose_count(AUTO, 4_100_000_000, 600_000, 64)[0] == 4
    assert choose_count(AUTO, 4_100_000_000, 600_000, 1000)[0] == 33
    assert choose_count(AUTO, EXTRA_MACS // (3 * LEAST), 1000)[0] == LEAST
    assert choose_count(AUTO, 10**12, 1000) == (0, "forward and backward cost much for this model")
    assert choose_count(100, 10**12, 1000) == (100, "")


@pytest.mark.keras
def test_a_models_own_call_without_a_training_argument_is_given_none() -> None:
    """JAX calls it directly (`stateless_call`), without Keras's sorting of arguments in between."""
    k = models.keras()

    class Own(k.Model):
        def call(self, x):
            return x

    class Usual(k.Model):
        def call(self, x, training=None):
            return x

    assert inference_mode(Own()) == {} and inference_mode(Usual()) == {"training": False}
    assert inference_mode(k.Sequential([k.layers.Dense(1)])) == {"training": False}
