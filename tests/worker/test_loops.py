"""Recurrent layers over long sequences: the same numbers compiled, restored afterwards, and their steps counted."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen.worker.layer_facts import read_layers
from reportgen.worker.loops import (
    MOST_SINGLE_STEPS,
    STEP_MACS,
    compiled_loops,
    count_loop_bytes,
    count_singles,
    count_steps,
    longest_of,
)
from reportgen.worker.sizes import fill_sizes
from reportgen.worker.walk import walk_model
from tests.worker import models

pytestmark = pytest.mark.keras
STEPS = 60
X = np.random.default_rng(0).normal(size=(6, STEPS, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def k():
    return models.keras()


@pytest.fixture(scope="module")
def model(k):
    """Every recurrent layer of Keras, with a mask, dropout of both kinds, and an open length."""
    k.utils.set_random_seed(3)
    layers = k.layers
    start = k.Input((None, 3), name="x")
    y = layers.Masking(name="mask")(start)
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True, dropout=0.3), name="both")(y)
    y = layers.GRU(5, return_sequences=True, recurrent_dropout=0.2, go_backwards=True, name="gru")(y)
    cells = [layers.LSTMCell(3), layers.GRUCell(4)]
    y = layers.RNN(cells, name="stacked")(y)
    return k.Model(start, layers.Dense(2, activation="softmax", name="out")(y))


def test_compiled_loops_give_the_same_in_both_modes_and_are_gone_afterwards(k, model) -> None:
    x = X.copy()
    x[0, 40:] = 0  # masked
    seeds = [v for v in model.variables if "seed_generator" in v.path]
    before = [k.ops.convert_to_numpy(v.value).copy() for v in seeds]
    inside = [layer for layer in model._flatten_layers() if isinstance(layer, k.layers.RNN)]
    assert len(inside) == 4 and not any("call" in vars(layer) for layer in inside)
    wanted = [k.ops.convert_to_numpy(model(x, training=mode)) for mode in (False, True)]
    for variable, value in zip(seeds, before, strict=True):
        variable.assign(value)
    with compiled_loops(model):
        found = [k.ops.convert_to_numpy(model(x, training=mode)) for mode in (False, True)]
        assert not np.allclose(found[1], k.ops.convert_to_numpy(model(x, training=True))), (
            "new masks of dropout at every call"
        )
    for one, two in zip(wanted, found, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)
    assert not any("call" in vars(layer) for layer in inside)


def test_a_layer_runs_its_loop_outside_python_only_where_that_pays(k) -> None:
    """Keras's cell is called once for each step in Python, but once or a few times while a loop is traced."""
    calls = []
    layer = k.layers.SimpleRNN(2, name="rnn")
    model = k.Sequential([k.Input((None, 3)), layer])
    once = layer.cell.call
    object.__setattr__(layer.cell, "call", lambda *args, **kwargs: calls.append(1) or once(*args, **kwargs))
    with compiled_loops(model):
        model(X)
        assert len(calls) < 10
        calls.clear()
        model(X[:, :20])
        assert len(calls) >= 20, "short sequences are not worth tracing"
    calls.clear()
    model(X)
    assert len(calls) >= STEPS


def test_steps_and_what_they_keep_are_counted(k, model) -> None:
    walk = walk_model(model)
    assert count_steps(walk, STEPS) == 4 * STEPS  # two directions, gru, stacked
    # Outputs of 8, 5 and 4 numbers a step, ten values each, as float32; both directions take all steps.
    assert count_loop_bytes(walk, STEPS) == STEPS * (2 * 8 + 5 + 4) * 10 * 4
    plain = walk_model(k.Sequential([k.Input((4,)), k.layers.Dense(2)]))
    assert count_steps(plain, 4) == count_loop_bytes(plain, 4) == 0
    assert count_singles(64, 0) == 64 and count_singles(64, 10 * MOST_SINGLE_STEPS) == 1


def test_steps_cost_more_than_their_multiplications(k, model) -> None:
    walk = walk_model(model)
    layers = read_layers(walk)
    sized = {layer.name: layer.macs for layer in fill_sizes(layers, walk, model, models.make_source({"x": X}))}
    assert sized["both"] == 2 * STEPS * (STEP_MACS + 4 * 4 * (3 + 4))  # four gates of four units see 3 + 4 numbers
    assert sized["out"] == 4 * 2
    assert longest_of([(5, 2), (), (7,)]) == 7


def test_fewer_samples_have_a_gradient_of_their_own_where_each_takes_many_steps(k, monkeypatch) -> None:
    monkeypatch.setattr("reportgen.worker.loops.MOST_SINGLE_STEPS", 3 * STEPS)
    small = k.Sequential([k.Input((STEPS, 3), name="x"), k.layers.LSTM(2), k.layers.Dense(1, activation="sigmoid")])
    found = models.examine(small, {"": X}, {"": np.arange(6) % 2})
    assert {(row.samples, row.sample_norms) for row in found.gradients} == {(6, 3)}
    row = next(row for row in found.reduced if row.what == "samples with a gradient of their own")
    assert (row.kept, row.of) == ("3", "6") and f"{STEPS} steps" in row.why


def test_what_layers_of_open_size_cost_is_seen_on_the_batch(k) -> None:
    """A model that takes any length was thought to cost nothing, and ran as much as the smallest."""
    start = k.Input((None, 3), name="x")
    y = k.layers.Conv1D(4, 5, padding="same")(start)
    y = k.layers.MaxPooling1D(2)(y)
    model = k.Model(start, k.layers.Conv1D(2, 1, name="last")(y))
    walk = walk_model(model)
    layers = read_layers(walk)
    assert layers[1].macs is None and layers[1].activation_bytes is None
    sized = fill_sizes(layers, walk, model, models.make_source({"x": X}))
    assert [layer.macs for layer in sized] == [0, STEPS * 4 * 5 * 3, 0, STEPS // 2 * 2 * 4]
    assert [layer.activation_bytes for layer in sized][1:] == [STEPS * 16, STEPS * 8, STEPS * 4]
    assert [layer.output_shape for layer in sized] == [layer.output_shape for layer in layers]
