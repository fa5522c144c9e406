"""The graph of own code: each arrow is a dependence of the code, and what cannot be told is drawn as an order only."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from reportgen.worker import follow
from reportgen.worker.follow import follow_calls
from reportgen.worker.trial import look_inside
from reportgen.worker.walk import walk_model
from tests.worker import models

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(6)
F6 = RNG.normal(size=(4, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def k():
    return models.keras()


def followed(model, inputs):
    """Return the graph of a model that was called on `inputs`, and what it says of itself: {box: its sources}."""
    named = inputs if isinstance(inputs, dict) else {"": inputs}
    model(inputs)
    source = SimpleNamespace(
        shapes={name: x.shape[1:] for name, x in named.items()},
        dtypes={name: str(x.dtype) for name, x in named.items()},
        n=4,
    )
    walk = walk_model(model)
    look_inside(walk, model, source)
    graph = follow_calls(walk, model, source)
    if graph is None:
        return None, {}
    names = {node.id: node.layer for node in graph.nodes}
    return graph, {
        node.id: (node.layer, [names[edge.source] for edge in graph.edges if edge.target == node.id])
        for node in graph.nodes
    }


def made_by(k, layers: dict, call):
    """Return a subclassed model with layers as attributes, whose call is `call(model, x)`."""

    class Net(k.Model):
        def __init__(self) -> None:
            super().__init__()
            for name, layer in layers.items():
                setattr(self, name, layer)

        def call(self, x):
            return call(self, x)

    return Net()


def dense(k, *names: str, **settings) -> dict:
    return {name: k.layers.Dense(6, name=name, **settings) for name in names}


def test_blocks_shortcuts_and_own_code_are_drawn_as_the_code_has_them(k) -> None:
    class Block(k.layers.Layer):
        def __init__(self, **settings) -> None:
            super().__init__(**settings)
            self.norm = k.layers.LayerNormalization(name="norm")
            self.up = k.layers.Dense(12, activation="relu", name="up")
            self.down = k.layers.Dense(6, name="down")

        def build(self, shape) -> None:
            self.scale = self.add_weight(shape=(6,), initializer="ones", name="scale")

        def call(self, x):
            return x + self.scale * self.down(self.up(self.norm(x)))

    head = k.Sequential([k.layers.Dense(6, name="mix"), k.layers.ReLU(name="act")], name="head")
    layers = {**dense(k, "stem", "out", "spare"), "block": Block(name="block"), "head": head}
    model = made_by(k, layers, lambda net, x: k.ops.softmax(net.out(net.head(net.block(k.ops.relu(net.stem(x)))))))
    graph, boxes = followed(model, F6)
    assert list(boxes.values()) == [
        ("input", []),
        ("stem", ["input"]),
        ("step", ["stem"]),  # relu: also of numbers that it would not change
        ("block/norm", ["step"]),
        ("block/up", ["block/norm"]),
        ("block/down", ["block/up"]),
        ("block", ["step", "block/down"]),
        ("head/mix", ["block"]),
        ("head/act", ["head/mix"]),
        ("out", ["head/act"]),
        ("step", ["out"]),
    ]
    assert [(group.name, group.type) for group in graph.groups] == [("block", "Block"), ("head", "Sequential")]
    rows = {node.layer: node for node in graph.nodes}
    assert (rows["block"].parameters, rows["block/up"].shape) == (6, "(None, 12)")  # without what is drawn inside
    assert (rows["input"].type, graph.inputs, graph.outputs, graph.source) == ("InputLayer", ("n0",), ("n10",), "calls")
    assert sum(node.parameters for node in graph.nodes) == model.count_params()


def test_each_sum_goes_on_from_the_one_before_instead_of_from_all_its_parts(k) -> None:
    def call(net, x):
        h = net.a(x)
        h = h + k.ops.relu(net.b(h))
        return net.out(h + 0.5 * net.c(h)) + net.d(k.ops.mean(h, axis=-1, keepdims=True))

    _, boxes = followed(made_by(k, dense(k, "a", "b", "c", "d", "out"), call), F6)
    assert [box for box in boxes.values() if box[0] in ("join", "step")] == [
        ("join", ["a", "b"]),
        ("join", ["join", "c"]),
        ("step", ["join"]),
        ("join", ["out", "d"]),
    ]


def test_a_product_of_the_same_parts_is_not_drawn_as_coming_from_their_sum(k) -> None:
    def call(net, x):
        a, b = net.a(x), net.b(x)
        return net.out(net.c(a + b) * (a * b))

    _, boxes = followed(made_by(k, dense(k, "a", "b", "c", "out"), call), F6)
    assert [box[1] for box in boxes.values() if box[0] == "join"] == [["a", "b"], ["a", "b", "c"]]


def test_several_inputs_outputs_and_a_shared_layer(k) -> None:
    def call(net, x):
        left, right = net.twin(x["left"]), net.twin(x["right"])
        return {"near": net.near(net.cat([left, right])), "far": net.far(k.ops.abs(left - right))}

    layers = {**dense(k, "twin", "near", "far"), "cat": k.layers.Concatenate(name="cat")}
    graph, boxes = followed(made_by(k, layers, call), {"left": F6, "right": F6 + 1})
    assert list(boxes.values()) == [
        ("left", []), ("right", []), ("twin", ["left"]), ("twin", ["right"]), ("cat", ["twin", "twin"]),
        ("near", ["cat"]), ("join", ["twin", "twin"]), ("far", ["join"]),
    ]  # fmt: skip
    assert len(graph.inputs) == len(graph.outputs) == 2 and graph.flows


def test_code_that_chooses_by_value_or_at_random_is_drawn_in_the_order_of_its_calls(k) -> None:
    def choosing(net, x):
        h = net.a(x)
        return net.out(net.b(h) if float(k.ops.sum(h)) == 0 else h)  # all zeros, as on empty samples

    graph, boxes = followed(made_by(k, dense(k, "a", "b", "out"), choosing), F6)
    assert [box[0] for box in boxes.values()] == ["input", "a", "b", "out"] and not graph.flows
    throwing = made_by(k, dense(k, "a", "out"), lambda net, x: net.out(net.a(x) + k.random.normal((6,))))
    graph, boxes = followed(throwing, F6)
    assert list(boxes.values()) == [("input", []), ("a", ["input"]), ("out", ["a"])] and graph.source == "order"


def test_long_loops_are_drawn_once_and_what_is_too_much_to_follow_in_order(k, monkeypatch) -> None:
    def loop(net, x):
        for _ in range(5):
            x = k.ops.tanh(net.a(x))
        return net.out(x)

    model = made_by(k, dense(k, "a", "out"), loop)
    assert len(followed(model, F6)[1]) == 1 + 5 * 2 + 1
    monkeypatch.setattr(follow, "MOST_CALLS", 5)
    graph, boxes = followed(model, F6)
    assert list(boxes.values()) == [("input", []), ("a", ["input"]), ("out", ["a"])] and not graph.flows
    monkeypatch.setattr(follow, "MOST_CALLS", 400)
    monkeypatch.setattr(follow, "MOST_ANSWERS", 3)
    graph, boxes = followed(model, F6)
    assert [box[0] for box in boxes.values()] == ["input", *["a"] * 5, "out"] and graph.source == "order"


def test_following_changes_nothing_in_the_model(k) -> None:
    """Not its weights, its layers' calls, its seeds nor the states that it carries from batch to batch."""
    layers = {
        **dense(k, "out"),
        "memory": k.layers.LSTM(4, stateful=True, name="memory"),
        "drop": k.layers.Dropout(0.5),
    }
    model = made_by(k, layers, lambda net, x: net.out(net.drop(k.ops.tanh(net.memory(x)))))
    x = RNG.normal(size=(2, 5, 3)).astype(np.float32)
    model(x)
    before = [np.array(weight) for weight in model.variables]
    source = SimpleNamespace(shapes={"": (5, 3)}, dtypes={"": "float32"}, n=2)
    walk = walk_model(model)
    look_inside(walk, model, source)
    assert follow_calls(walk, model, source) is not None
    assert all(np.array_equal(a, b) for a, b in zip(before, model.variables, strict=True))
    assert not any("call" in vars(layer) for layer in model.layers)


def test_a_model_whose_layers_are_not_seen_has_no_graph(k) -> None:
    model = made_by(k, dense(k, "a"), lambda net, x: k.ops.matmul(x, net.a.kernel) if net.a.built else net.a(x))
    assert followed(model, F6)[0] is None
