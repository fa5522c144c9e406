"""The layer table and the weights' numbers, against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reportgen.worker.layer_facts import read_layers
from reportgen.worker.walk import walk_model
from reportgen.worker.weights import read_kernels, read_weights, summarise
from tests.worker import models

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def k():
    return models.keras()


def macs_of(k, layer, *shapes: tuple[int, ...]) -> int | None:
    """Return the MACs of one layer on inputs of these shapes."""
    inputs = [k.Input(shape) for shape in shapes]
    model = k.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    return next(row.macs for row in read_layers(walk_model(model)) if row.name == layer.name)


CASES = [
    ("Dense", lambda n: n.Dense(5), [(4,)], 4 * 5),
    ("Dense on steps", lambda n: n.Dense(5), [(7, 4)], 7 * 4 * 5),
    ("Conv1D", lambda n: n.Conv1D(6, 3), [(10, 4)], 8 * 3 * 4 * 6),
    ("Conv2D valid", lambda n: n.Conv2D(6, 3), [(10, 10, 4)], 8 * 8 * 3 * 3 * 4 * 6),
    ("Conv2D same, strided", lambda n: n.Conv2D(6, 3, strides=2, padding="same"), [(10, 10, 4)], 5 * 5 * 9 * 4 * 6),
    ("Conv2D in groups", lambda n: n.Conv2D(6, 3, groups=2, padding="same"), [(10, 10, 4)], 100 * 9 * 2 * 6),
    ("Conv3D", lambda n: n.Conv3D(2, 2), [(4, 4, 4, 3)], 27 * 8 * 3 * 2),
    ("Conv2DTranspose", lambda n: n.Conv2DTranspose(6, 2, strides=2), [(5, 5, 4)], 25 * 4 * 4 * 6),
    ("DepthwiseConv2D", lambda n: n.DepthwiseConv2D(3, padding="same"), [(5, 5, 4)], 25 * 9 * 4),
    ("SeparableConv2D", lambda n: n.SeparableConv2D(6, 3, padding="same"), [(5, 5, 4)], 25 * (9 * 4 + 4 * 6)),
    ("LSTM", lambda n: n.LSTM(3), [(7, 4)], 7 * (4 * 12 + 3 * 12)),
    ("GRU", lambda n: n.GRU(3), [(7, 4)], 7 * (4 * 9 + 3 * 9)),
    ("Bidirectional", lambda n: n.Bidirectional(n.GRU(3)), [(7, 4)], 2 * 7 * (4 * 9 + 3 * 9)),
    ("TimeDistributed", lambda n: n.TimeDistributed(n.Dense(5)), [(7, 4)], 7 * 20),
    ("EinsumDense", lambda n: n.EinsumDense("abc,cde->abde", output_shape=(None, 3, 2)), [(7, 4)], 7 * 4 * 6),
    ("Embedding", lambda n: n.Embedding(10, 3), [(5,)], 0),
    ("MaxPooling2D", lambda n: n.MaxPooling2D(), [(4, 4, 3)], 0),
    ("open size", lambda n: n.Conv2D(6, 3), [(None, None, 4)], None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "make", "shapes", "wanted"), CASES, ids=[case[0] for case in CASES])
def test_macs(k, name: str, make, shapes, wanted) -> None:
    assert macs_of(k, make(k.layers), *shapes) == wanted


def test_macs_of_attention(k) -> None:
    q, v = k.Input((5, 8)), k.Input((7, 6))
    layer = k.layers.MultiHeadAttention(num_heads=2, key_dim=3, value_dim=4, name="mha")
    row = next(row for row in read_layers(walk_model(k.Model([q, v], layer(q, v)))) if row.name == "mha")
    projections = 5 * 8 * 6 + 7 * 6 * 6 + 7 * 6 * 8 + 5 * 8 * 8
    assert row.macs == projections + 2 * 5 * 7 * (3 + 4)


def test_macs_of_a_layer_that_is_not_keras_own_are_unknown(k) -> None:
    class Mine(k.layers.Dense):
        pass

    assert macs_of(k, Mine(3), (4,)) is None


def test_macs_of_resnet50_are_the_published_ones(k) -> None:
    model = k.applications.ResNet50(weights=None)
    total = sum(row.macs or 0 for row in read_layers(walk_model(model)))
    assert total == pytest.approx(3.86e9, rel=0.01)


def test_the_table_of_a_nested_model_with_a_shared_layer(k) -> None:
    model = models.cnn(k)
    rows = {row.path: row for row in read_layers(walk_model(model))}
    assert [path for path in rows if "inner" in path] == ["inner/d1", "inner/d2"]
    assert sum(row.parameters for row in rows.values()) == model.count_params()
    shared = rows["shared"]
    assert (
        shared.macs == 2 * 64 * 9 * 4 * 4 and shared.activation == "relu" and shared.output_shape == "(None, 8, 8, 4)"
    )
    assert (
        shared.activation_bytes == 4 * 64 * 4 and shared.config["kernel_size"] == "(3, 3)" and shared.dtype == "float32"
    )
    assert rows["inner/d1"].activation == "tanh" and rows["image"].parameters == 0


def test_frozen_and_mixed_precision_layers(k) -> None:
    model = k.Sequential(
        [k.Input((4,)), k.layers.Dense(3, dtype="mixed_float16", name="half"), k.layers.Dense(2, name="frozen")]
    )
    model.get_layer("frozen").trainable = False
    half, frozen = read_layers(walk_model(model))
    assert half.dtype == "float16" and (frozen.trainable, frozen.trainable_parameters, frozen.parameters) == (
        False,
        0,
        8,
    )


def test_weights_are_measured_exactly(k) -> None:
    model = k.Sequential([k.Input((3,)), k.layers.Dense(2, name="d", bias_initializer="ones")])
    values = np.array([[1, np.nan], [0, np.inf], [-3, 4]], np.float32)
    model.get_layer("d").set_weights([values, np.ones(2)])
    kernel, bias = read_weights(walk_model(model))
    assert (kernel.nan, kernel.inf, kernel.zeros, kernel.low, kernel.high) == (1, 1, 1, -3, 4)
    assert kernel.mean == 0.5 and kernel.norm == pytest.approx(math.sqrt(26)) and kernel.initializer == "GlorotUniform"
    assert (bias.name, bias.std, bias.initializer, bias.trainable) == ("bias", 0, "Ones", True)


def test_weights_of_wrapped_layers_keep_distinct_names(k) -> None:
    x = k.Input((6, 4))
    y = k.layers.Bidirectional(k.layers.GRU(3, name="gru"), name="both")(x)
    names = [(fact.name, fact.initializer) for fact in read_weights(walk_model(k.Model(x, y)))]
    assert len(set(names)) == len(names) == 6
    assert ("forward_gru/recurrent_kernel", "Orthogonal") in names


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "bool"])
def test_summaries_equal_numpy(dtype: str) -> None:
    values = (np.random.default_rng(0).normal(5, 2, (30, 40)) // 1).astype(dtype)
    found, wide = summarise(values), values.astype(np.float64)
    assert found["mean"] == pytest.approx(wide.mean()) and found["std"] == pytest.approx(wide.std())
    assert found["norm"] == pytest.approx(np.linalg.norm(wide)) and found["zeros"] == (wide == 0).sum()


def test_a_spread_far_from_zero_is_not_lost() -> None:
    values = (1e6 + np.random.default_rng(0).normal(0, 1, 10_000)).astype(np.float64)
    assert summarise(values)["std"] == pytest.approx(values.std(), rel=1e-6)


def test_kernels_of_the_first_convolution(k) -> None:
    one = k.Sequential([k.Input((9, 2)), k.layers.Conv1D(4, 3, name="c"), k.layers.Conv1D(8, 3)])
    kernels = read_kernels(walk_model(one))
    assert kernels.layer == "c" and kernels.values.shape == (1, 3, 2, 4) and kernels.values.dtype == np.float32
    assert read_kernels(walk_model(k.Sequential([k.Input((9,)), k.layers.Dense(3)]))) is None
