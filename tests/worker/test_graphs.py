"""The neutral graph, Keras's own graph and the graph from the configuration tell the same story."""

from __future__ import annotations

import json
import re

import pytest

from reportgen.analysis.graph import Graph
from reportgen.worker.architecture import read_graph
from reportgen.worker.config_graph import NoGraph, graph_from_config
from reportgen.worker.dot import keras_dot
from reportgen.worker.walk import walk_model
from tests.worker import models

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def k():
    return models.keras()


def build(k, kind: str):
    """Return one of the models under test."""
    layers = k.layers
    if kind == "branches":
        return models.cnn(k)
    if kind == "siamese":
        return models.siamese(k)
    if kind == "chain":
        return k.Sequential(
            [k.Input((8, 8, 1)), layers.Conv2D(2, 3, name="c"), layers.Flatten(name="f"), layers.Dense(2, name="d")]
        )
    if kind == "nested chain":
        inner = k.Sequential([layers.Dense(3, name="a"), layers.Dense(2, name="b")], name="inner")
        return k.Sequential(
            [k.Input((4,)), layers.Dense(5, name="first"), inner, layers.Dense(1, name="last")], name="outer"
        )
    if kind == "deep":
        x = k.Input((4,), name="x")
        y = layers.Dense(4, name="q")(x)
        inner = k.Model(x, [y, layers.Dense(2, name="r")(y)], name="inner")
        u = k.Input((4,), name="u")
        p, q = inner(layers.Dense(4, name="s")(u))
        middle = k.Model(u, layers.Concatenate(name="cat")([p, q]), name="middle")
        v = k.Input((4,), name="v")
        return k.Model(v, layers.Dense(1, name="t")(middle(v)), name="outer")
    if kind == "operations":
        x = k.Input((6, 4), name="x")
        return k.Model(x, k.ops.mean(x[:, 1:] * 2.0 + x[:, :-1], axis=1), name="ops")
    if kind == "attention":
        x = k.Input((6, 4), name="x")
        return k.Model(
            x, layers.Add(name="add")([x, layers.MultiHeadAttention(2, 4, name="mha")(x, x)]), name="attention"
        )
    if kind == "resnet":
        return k.applications.ResNet50(weights=None, input_shape=(64, 64, 3))
    raise AssertionError(kind)


KINDS = ["branches", "siamese", "chain", "nested chain", "deep", "operations", "attention"]


def by_layer(graph: Graph) -> tuple[set[str], set[tuple[str, str]]]:
    """Return layers and edges between layers, calls of one layer taken together."""
    layer = {node.id: node.layer for node in graph.nodes}
    return set(layer.values()), {(layer[edge.source], layer[edge.target]) for edge in graph.edges}


def read_dot(dot: str, graph: Graph) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the same from DOT text."""
    layer = {node.id: node.layer for node in graph.nodes}
    nodes = {layer[name] for name in re.findall(r"^ +(n\d+) \[label", dot, re.M)}
    return nodes, {(layer[a], layer[b]) for a, b in re.findall(r"^ +(n\d+) -> (n\d+);$", dot, re.M)}


@pytest.mark.parametrize("kind", [*KINDS, pytest.param("resnet", marks=pytest.mark.slow)])
def test_both_graphs_have_the_same_nodes_and_edges(k, kind: str) -> None:
    model = build(k, kind)
    walk = walk_model(model)
    graph = read_graph(walk)
    assert graph is not None and len(graph.nodes) > 1
    assert read_dot(keras_dot(model, walk), graph) == by_layer(graph)


@pytest.mark.parametrize("kind", [*KINDS, pytest.param("resnet", marks=pytest.mark.slow)])
def test_the_graph_from_the_configuration_is_the_models(k, kind: str) -> None:
    model = build(k, kind)
    config = json.loads(json.dumps(k.saving.serialize_keras_object(model)))
    saved, live = graph_from_config(config), read_graph(walk_model(model))
    assert live is not None and by_layer(saved) == by_layer(live)
    assert len(saved.nodes) == len(live.nodes) and len(saved.edges) == len(live.edges)
    assert sorted(group.name for group in saved.groups) == sorted(group.name for group in live.groups)
    shapes = {node.layer: node.shape for node in live.nodes}
    known = [node for node in saved.nodes if node.shape]
    assert known and all(node.shape == shapes[node.layer] for node in known)
    counts = {node.layer: node.parameters for node in live.nodes}
    assert all(node.parameters in (0, counts[node.layer]) for node in saved.nodes)


def test_a_shared_layer_has_a_node_a_call_and_one_path(k) -> None:
    graph = read_graph(walk_model(build(k, "branches")))
    assert [node.layer for node in graph.nodes].count("shared") == 2
    assert {node.group for node in graph.nodes if node.layer.startswith("inner/")} == {"g0"}
    assert graph.nodes[0].id == "n0" and graph.nodes[0].type == "InputLayer" and graph.inputs == ("n0",)
    assert [node.layer for node in graph.nodes if node.id in graph.outputs] == ["probability"]


def test_a_nested_model_called_twice_is_two_groups(k) -> None:
    graph = read_graph(walk_model(build(k, "siamese")))
    assert [group.name for group in graph.groups] == ["encoder", "encoder"]
    codes = [node for node in graph.nodes if node.layer == "encoder/code"]
    assert len(codes) == 2 and {node.group for node in codes} == {"g0", "g1"}


def test_dot_is_the_same_every_time_and_names_are_given_back(k) -> None:
    model = build(k, "branches")
    names = [layer.name for layer in model.layers]
    first = keras_dot(model, walk_model(model))
    assert first == keras_dot(model, walk_model(model))
    assert [layer.name for layer in model.layers] == names and model.name == "branches"
    k.backend.clear_session()
    assert first == keras_dot(build(k, "branches"), walk_model(build(k, "branches"))) or "add_" in first


HOSTILE = [
    'a<b&c>"d',
    '"]; evil [URL="javascript:x',
    "{a|b}->c",
    "<table><img>",
    "x\\",
    "\u202eabc\u200b",
    "nul\x00esc\x1b",
    "$x$",
    "n" * 5000,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_in_dot(k, name: str) -> None:
    x = k.Input((4,), name="x")
    inner = k.Sequential([k.layers.Dense(2, name=f"{name}i")], name=f"{name}m")
    model = k.Model(x, {f"<{name[:50]}": inner(k.layers.Dense(4, name=name)(x))}, name=f"{name}o")
    walk = walk_model(model)
    dot = keras_dot(model, walk)
    assert read_dot(dot, read_graph(walk)) == by_layer(read_graph(walk))
    assert set(re.findall(r'URL="([^"]*)"', re.sub(r'"(?:[^"\\]|\\.)*evil(?:[^"\\]|\\.)*"', "", dot))) <= {
        f"#layer-{i}" for i in range(9)
    }
    labels = re.findall(r"label=<(.*)>, URL", dot)
    assert all(set(re.findall(r"</?([a-z]+)", label)) <= {"table", "tr", "td", "font", "b"} for label in labels)
    assert not set(dot) & set("\u202e\u200b\x00\x1b") and len(dot) < 20_000


def test_layers_link_to_their_rows(k) -> None:
    model = build(k, "branches")
    walk = walk_model(model)
    dot = keras_dot(model, walk)
    paths = [call.path for call in walk.first_calls()]
    for index, path in enumerate(paths):
        line = next(line for line in dot.splitlines() if f'URL="#layer-{index}"' in line)
        assert path.rsplit("/", 1)[-1] in line


KERAS2 = {
    "class_name": "Functional",
    "config": {
        "layers": [
            {
                "class_name": "InputLayer",
                "config": {"batch_input_shape": [None, 4], "name": "i"},
                "name": "i",
                "inbound_nodes": [],
            },
            {
                "class_name": "Dense",
                "config": {"units": 3, "name": "d"},
                "name": "d",
                "inbound_nodes": [[["i", 0, 0, {}]]],
            },
            {
                "class_name": "Add",
                "config": {"name": "a"},
                "name": "a",
                "inbound_nodes": [[["i", 0, 0, {}], ["d", 0, 0, {"y": ["i", 0, 0]}]]],
            },
        ],
        "input_layers": [["i", 0, 0]],
        "output_layers": [["a", 0, 0]],
    },
}


def test_a_keras_2_configuration_is_read() -> None:
    graph = graph_from_config(KERAS2)
    assert by_layer(graph) == ({"i", "d", "a"}, {("i", "d"), ("i", "a"), ("d", "a")})
    assert graph.nodes[0].shape == "(None, 4)" and graph.source == "config" and graph.outputs == ("n2",)


@pytest.mark.parametrize(
    "config",
    [
        {}, {"class_name": "MyModel", "config": {"units": 3}}, {"class_name": "Functional", "config": {"layers": []}},
        {"class_name": "Functional", "config": {"layers": [{"name": "a", "inbound_nodes": [[["b", 0, 0]]]}]}},
        {"class_name": "Sequential", "config": {"layers": ["x"]}},
        {"class_name": "Functional", "config": {"layers": [7]}},
    ],
)  # fmt: skip
def test_a_configuration_without_a_graph_says_so(config: dict) -> None:
    with pytest.raises(NoGraph):
        graph_from_config(config)


def test_endless_nesting_in_a_configuration_ends(k) -> None:
    config: dict = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {"units": 1}}]}}
    for _ in range(300):
        config = {"class_name": "Sequential", "config": {"layers": [config]}}
    with pytest.raises(NoGraph, match="deep"):
        graph_from_config(config)
