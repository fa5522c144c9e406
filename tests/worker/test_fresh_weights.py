"""Which weights of real layers look as initialised, before and after training."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen.worker.walk import walk_model
from reportgen.worker.weights import output_units, read_weights
from tests.worker.models import keras

pytestmark = pytest.mark.keras


def facts_of(model) -> dict[str, object]:
    """Return the facts of every weight by layer and name."""
    return {f"{facts.layer}/{facts.name}": facts for facts in read_weights(walk_model(model))}


def test_every_layer_is_untouched_when_new_and_touched_after_a_step() -> None:
    """Kernels, gates, embeddings, attention, normalisation; six steps of training move all that train."""
    k = keras()
    layers = k.layers
    k.utils.set_random_seed(3)
    words = k.Input((12,), dtype="int32", name="words")
    x = layers.Embedding(50, 24, name="words_in")(words)
    x = layers.MultiHeadAttention(2, 12, name="attention")(x, x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.SeparableConv1D(16, 3, name="separable")(x)
    x = layers.Bidirectional(layers.LSTM(8, return_sequences=True), name="both")(x)
    x = layers.GRU(12, name="gru")(x)
    model = k.Model(words, layers.Dense(3, name="out")(x))
    fresh = facts_of(model)
    assert all(facts.fresh is not None and facts.fresh.untouched for facts in fresh.values()), {
        name: facts.fresh for name, facts in fresh.items() if facts.fresh is None or not facts.fresh.untouched
    }
    assert fresh["attention/query/kernel"].initializer == "GlorotUniform"
    assert fresh["attention/query/kernel"].filters == 24
    assert fresh["gru/kernel"].filters == 12 and fresh["gru/recurrent_kernel"].filters == 0
    assert fresh["norm/moving_mean"].fresh.certain
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(k.optimizers.Adam(0.05), loss, run_eagerly=True)  # a graph would take longer to trace
    rng = np.random.default_rng(0)
    for _ in range(6):
        model.train_on_batch(rng.integers(0, 50, (48, 12)), rng.integers(0, 3, 48))
    trained = facts_of(model)
    # Adding one number to every key changes no attention score: that bias has no gradient but noise.
    free = {"attention/key/bias"}
    sure = {name: facts for name, facts in trained.items() if facts.fresh.certain or facts.size > 200}
    still = [name for name, facts in sure.items() if facts.fresh.untouched and name not in free]
    assert still == []


def test_units_of_special_kernels() -> None:
    """Transposed, depthwise and attention-output kernels have their units where their layer has them."""
    k = keras()
    transposed, depthwise = k.layers.Conv2DTranspose(5, 3), k.layers.DepthwiseConv2D(3, depth_multiplier=2)
    for layer, units in ((transposed, 5), (depthwise, 8)):
        layer.build((None, 8, 8, 4))
        kernel = layer.kernel.numpy()
        assert output_units(layer, "kernel", kernel).shape[0] == units
    out = k.layers.EinsumDense("abcd,cde->abe", output_shape=(None, 7))
    out.build((None, 6, 2, 3))
    assert output_units(out, "kernel", out.kernel.numpy()).shape == (7, 6)


def test_a_seed_gives_an_exact_answer() -> None:
    """With its seed in the file even a small kernel is known to be untouched."""
    k = keras()
    layer = k.layers.Dense(3, kernel_initializer=k.initializers.GlorotUniform(seed=4), name="small")
    model = k.Sequential([k.Input((4,)), layer])
    facts = facts_of(model)["small/kernel"].fresh
    assert facts.untouched and facts.certain and "seed" in facts.how
    layer.kernel.assign(layer.kernel + 0.01)
    assert not facts_of(model)["small/kernel"].fresh.certain
