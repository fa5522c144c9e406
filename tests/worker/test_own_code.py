"""Layers inside somebody's own code: they have rows, statistics, gradients, maps and saliency like any other."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from reportgen.worker.trial import look_inside
from reportgen.worker.walk import walk_model
from tests.worker import models

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(5)
X = RNG.normal(size=(12, 8, 8, 2)).astype(np.float32)
Y = np.arange(12) % 3
INSIDE = ["block/first", "block/norm", "block"]


@pytest.fixture(scope="module")
def k():
    return models.keras()


@pytest.fixture(scope="module")
def own(k):
    """A layer that holds others in another order than it calls them, and a model that calls two of them."""

    class Residual(k.layers.Layer):
        def __init__(self, **settings) -> None:
            super().__init__(**settings)
            self.parts = [k.layers.LayerNormalization(name="norm")]
            self.first = k.layers.Conv2D(4, 3, padding="same", activation="relu", name="first")

        def build(self, shape) -> None:
            self.scale = self.add_weight(shape=(4,), initializer="ones", name="scale")

        def call(self, x):
            return k.ops.relu(x + self.scale * self.parts[0](self.first(self.first(x))))

    class Net(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.kind = k.layers.Dense(3, activation="softmax", name="kind")
            self.hidden = k.layers.Dense(5, activation="tanh", name="hidden")
            self.stem = k.layers.Conv2D(4, 3, padding="same", activation="relu", name="stem")
            self.block = Residual(name="block")
            self.unused = k.layers.Dense(2, name="unused")

        def call(self, x):
            return self.kind(self.hidden(k.ops.mean(self.block(self.stem(x)), axis=(1, 2))))

    return SimpleNamespace(Residual=Residual, Net=Net)


@pytest.fixture(scope="module")
def seen(k, own):
    """Evidence of the subclassed model."""
    k.utils.set_random_seed(1)
    model = own.Net()
    model(X)
    return model, models.examine(model, {"": X}, {"": Y})


def test_a_subclassed_models_layers_stand_in_call_order_with_their_shapes_and_costs(seen) -> None:
    model, found = seen
    assert [layer.path for layer in found.layers] == ["stem", *INSIDE, "hidden", "kind", "unused"]
    rows = {layer.path: layer for layer in found.layers}
    assert rows["stem"].output_shape == "(None, 8, 8, 4)" and rows["unused"].output_shape == ""
    assert rows["stem"].macs == 8 * 8 * 9 * 2 * 4
    assert rows["block/first"].macs == 2 * 8 * 8 * 9 * 4 * 4  # it is called twice
    assert sum(layer.parameters for layer in found.layers) == model.count_params()
    assert (rows["block"].parameters, rows["block"].trainable_parameters) == (4, 4)
    assert (found.model.ends, found.model.output_shapes) == (("kind",), ("(None, 3)",))


def test_every_weight_has_one_row_and_every_layer_with_weights_a_gradient(seen) -> None:
    model, found = seen
    assert sum(row.size for row in found.weights) == model.count_params()
    assert [row.layer for row in found.weights if row.layer == "block"] == ["block"]
    assert [row.layer for row in found.gradients][:4] == ["stem", *INSIDE]
    assert all(row.norm > 0 for row in found.gradients[:6])
    assert {row.layer for row in found.activations} == {"stem", *INSIDE, "hidden", "kind"}


def test_a_subclassed_model_has_maps_saliency_and_answers_by_class(k, seen) -> None:
    model, found = seen
    maps = {one.layer: one for one in found.maps}
    assert list(maps) == ["stem", "block/first", "block"]
    rows = list(maps["stem"].positions)
    np.testing.assert_allclose(maps["stem"].values, np.asarray(model.stem(X[rows])), atol=1e-5)
    cam, gradients = found.saliency
    assert (cam.method, cam.layer, gradients.values.shape) == ("grad-cam", "block/first", (4, 8, 8))
    assert [(one.layer, one.kind) for one in found.responses] == [("block/first", "channels"), ("hidden", "units")]
    assert "saliency" not in found.not_computed


def test_integrated_gradients_of_a_subclassed_model_explain_the_score_before_softmax(k, own, seen) -> None:
    """Completeness: what they add up to is the change of the logit, as for a functional model."""
    from reportgen.worker.attribution import Asked, integrate_input
    from reportgen.worker.feed import make_feed
    from reportgen.worker.score import Scored

    model, _ = seen
    feed = make_feed(model, [""], {"": (8, 8, 2)}, {"": "float32"})
    scored = Scored(model, feed, ("output",), "output", "multiclass", "probabilities", 64, 64, (model.kind,))
    chosen, empty = np.array([0, 1, 2]), np.zeros((8, 8, 2), np.float32)
    found = integrate_input(scored, 0, Asked([X[:3]], chosen), empty, 64).sum(axis=(1, 2, 3))

    def logits(x):
        inner = k.Sequential([model.hidden])(k.ops.mean(model.block(model.stem(x)), axis=(1, 2)))
        return np.asarray(k.ops.matmul(inner, model.kind.kernel) + model.kind.bias)

    change = logits(X[:3])[np.arange(3), chosen] - logits(empty[None])[0][chosen]
    assert found == pytest.approx(change, rel=0.05, abs=0.01)


def test_layers_inside_a_functional_models_own_layer_have_rows_but_no_nodes(k, own) -> None:
    x = k.Input((8, 8, 2), name="image")
    y = own.Residual(name="block")(k.layers.Conv2D(4, 1, name="stem")(x))
    y = k.layers.Dense(3, activation="softmax", name="kind")(k.layers.GlobalAveragePooling2D(name="pool")(y))
    model = k.Model(x, y)
    found = models.examine(model, {"": X}, {"": Y})
    assert [layer.path for layer in found.layers] == ["image", "stem", *INSIDE, "pool", "kind"]
    assert [node.layer for node in found.graph.nodes] == ["image", "stem", "block", "pool", "kind"]
    assert {node.layer: node.parameters for node in found.graph.nodes}["block"] == 4 + 8 + 4 * 4 * 9 + 4
    assert sum(row.size for row in found.weights) == model.count_params()
    assert {"block/first", "block"} <= {one.layer for one in found.maps}
    assert found.saliency[0].layer == "block/first" and not found.problems


def test_words_are_found_behind_an_own_embedding_layer(k) -> None:
    """Token numbers, cast and embedded inside a block as in a hand-written transformer."""

    class Embed(k.layers.Layer):
        def __init__(self, **settings) -> None:
            super().__init__(**settings)
            self.tokens = k.layers.Embedding(20, 4, name="tokens")
            self.places = k.layers.Embedding(6, 4, name="places")

        def call(self, x):
            return self.tokens(k.ops.cast(x, "int32")) + self.places(k.ops.arange(6))

    x = k.Input((6,), name="text")
    y = k.layers.GlobalAveragePooling1D()(Embed(name="embed")(x))
    model = k.Model(x, k.layers.Dense(1, activation="sigmoid")(y))
    tokens = RNG.integers(1, 20, (10, 6))
    found = models.examine(model, {"": tokens}, {"": np.arange(10) % 2})
    assert found.saliency[0].values.shape == (4, 6) and found.saliency[0].method == "integrated-gradients"
    vectors = model.get_layer("embed").tokens
    assert {layer.path: layer.output_shape for layer in found.layers}["embed/tokens"] == "(None, 6, 4)"
    assert "call" not in vars(vectors)


def test_a_model_that_does_not_take_empty_samples_is_left_as_it_was(k) -> None:
    class Strict(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.last = k.layers.Dense(2, name="last")
            self.first = k.layers.Dense(3, name="first")

        def call(self, x):
            if not np.asarray(x).any():
                raise ValueError("nothing to see")
            return self.last(self.first(x))

    model = Strict()
    x = RNG.normal(size=(6, 4)).astype(np.float32)
    model(x)
    found = models.examine(model, {"": x}, {"": np.arange(6) % 2})
    assert [layer.path for layer in found.layers] == ["last", "first"]  # as they are tracked
    assert (found.model.ends, found.model.output_shapes) == ((), ())
    assert found.outputs[0].n == 6 and {row.layer for row in found.activations} == {"first", "last"}


def test_the_call_on_empty_samples_leaves_states_alone(k) -> None:
    class Stateful(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.memory = k.layers.LSTM(3, stateful=True, name="memory")
            self.last = k.layers.Dense(2, name="last")

        def call(self, x):
            return self.last(self.memory(x))

    model = Stateful()
    x = RNG.normal(size=(2, 5, 3)).astype(np.float32)
    model(x)
    before = [np.array(state) for state in model.memory.states]
    walk = walk_model(model)
    look_inside(walk, model, models.make_source({"": x}))
    assert [call.path for call in walk.first_calls()][:2] == ["memory", "last"]
    assert all((old == np.asarray(new)).all() for old, new in zip(before, model.memory.states, strict=True))
