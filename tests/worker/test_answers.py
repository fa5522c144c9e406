"""Attention scores, hidden units and channels on the kept samples: as the layers themselves give them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.worker import models

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def k():
    return models.keras()


def test_attention_scores_are_the_layers_own(k) -> None:
    """Rows add up to one, the layer's output stays the same, and its call is given back."""
    layers = k.layers
    x = k.Input((6, 4), name="x")
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    flat = layers.GlobalAveragePooling1D()(attention(x, x))
    model = k.Model(x, layers.Dense(2, "softmax")(flat))
    values = RNG.normal(size=(20, 6, 4)).astype(np.float32)
    before = np.asarray(model(values))
    found = models.examine(model, {"": values}, {"": RNG.integers(0, 2, 20)})
    scores = next(one for one in found.maps if one.type == "MultiHeadAttention scores")
    output = next(one for one in found.maps if one.type == "MultiHeadAttention")
    assert scores.values.shape == (4, 6, 6, 2) and np.allclose(scores.values.sum(axis=2), 1, atol=1e-5)
    given, own = attention(values[list(scores.positions)], values[list(scores.positions)], return_attention_scores=True)
    assert np.allclose(np.moveaxis(np.asarray(own), 1, -1), scores.values, atol=1e-5)
    assert np.allclose(np.asarray(given), output.values, atol=1e-5)
    assert np.array_equal(np.asarray(model(values)), before) and "call" not in vars(attention)


@pytest.mark.parametrize("kind", ["Attention", "AdditiveAttention"])
def test_attention_without_heads_gives_its_scores_as_one(k, kind: str) -> None:
    x = k.Input((6, 4), name="x")
    attention = getattr(k.layers, kind)(name="attention")
    model = k.Model(x, k.layers.Dense(2, "softmax")(k.layers.Flatten()(attention([x, x]))))
    values = RNG.normal(size=(20, 6, 4)).astype(np.float32)
    found = models.examine(model, {"": values}, {"": RNG.integers(0, 2, 20)}, gradients=0, saliency=0)
    scores = next(one for one in found.maps if one.type == f"{kind} scores")
    rows = values[list(scores.positions)]
    _, own = attention([rows, rows], return_attention_scores=True)
    assert scores.values.shape == (4, 6, 6, 1) and np.allclose(np.asarray(own), scores.values[..., 0], atol=1e-5)


def test_answers_are_those_of_the_last_convolution_and_hidden_layer(k) -> None:
    """Each channel's largest value, each unit's own, for every kept sample; nothing where privacy forbids."""
    layers = k.layers
    x = k.Input((8, 8, 1), name="x")
    conv = layers.Conv2D(3, 3, activation="relu", name="conv")(x)
    hidden = layers.Dense(5, activation="tanh", name="hidden")(layers.Flatten()(conv))
    model = k.Model(x, layers.Dense(2, "softmax", name="out")(hidden))
    values = RNG.normal(size=(60, 8, 8, 1)).astype(np.float32)
    y = RNG.integers(0, 2, 60)
    found = models.examine(model, {"": values}, {"": y})
    channels, units = found.responses
    rows = list(channels.positions)
    assert (channels.layer, channels.kind, units.layer, units.kind) == ("conv", "channels", "hidden", "units")
    assert rows == found.kept.positions.tolist()
    assert np.allclose(channels.values, np.asarray(k.Model(x, conv)(values))[rows].max(axis=(1, 2)), atol=1e-5)
    assert np.allclose(units.values, np.asarray(k.Model(x, hidden)(values))[rows], atol=1e-5)
    assert not models.examine(model, {"": values}, {"": y}, privacy="ids").responses
