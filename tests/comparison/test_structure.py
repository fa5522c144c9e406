"""What differs between two models: layers that are new, gone or changed, and numbers of layers that moved."""

from __future__ import annotations

from dataclasses import replace

from reportgen.analysis.graph import Edge, Graph, Node
from reportgen.comparison.structure import Structure, compare_structure
from reportgen.report.types import LayerRecord, Report
from tests.sample_report import make_report


def model(*layers: tuple[str, str, int], **numbers: dict[str, float]) -> Report:
    """Return a report of a chain of (name, type, parameters) layers."""
    nodes = tuple(Node(f"n{i}", name, type_, f"(None, {size})", size) for i, (name, type_, size) in enumerate(layers))
    edges = tuple(Edge(f"n{i}", f"n{i + 1}") for i in range(len(nodes) - 1))
    records = tuple(LayerRecord(n, type_, {"parameters": size, **numbers.get(n, {})}) for n, type_, size in layers)
    return replace(make_report(), graph=Graph(nodes, edges), layers=records)


def kinds(found: Structure) -> list[tuple[str, str]]:
    return [(change.kind, change.layer) for change in found.layers]


CHAIN = (("a", "Conv2D", 10), ("b", "ReLU", 0), ("c", "Dense", 5))


def test_the_same_model_has_no_difference() -> None:
    found = compare_structure(model(*CHAIN), model(*CHAIN))
    assert found.known and found.compared == 3 and not found.layers and not found.numbers


def test_layers_added_removed_and_changed_are_named() -> None:
    found = compare_structure(model(*CHAIN), model(("a", "Conv2D", 20), ("d", "Dropout", 0), ("c", "Dense", 5)))
    assert kinds(found) == [("changed", "a"), ("added", "d"), ("removed", "b")]
    assert found.layers[0].before == "Conv2D: output (None, 10), 10 parameters" and found.parameters == (15, 25)


def test_layers_that_keras_numbered_on_are_the_same() -> None:
    base = model(("conv2d", "Conv2D", 10), ("dense", "Dense", 5))
    head = model(("conv2d_7", "Conv2D", 10), ("dense_3", "Dense", 5))
    assert compare_structure(base, head).layers == ()


def test_one_name_for_another_type_is_one_gone_and_one_new() -> None:
    found = compare_structure(model(("x", "LSTM", 9)), model(("x", "GRU", 7)))
    assert kinds(found) == [("added", "x"), ("removed", "x")]


def test_numbers_that_moved_are_listed_the_largest_first() -> None:
    base = model(*CHAIN, a={"weights.norm": 2.0}, c={"activation.dead": 0, "weights.norm": 1.0})
    head = model(*CHAIN, a={"weights.norm": 2.1}, c={"activation.dead": 3, "weights.norm": 3.0})
    found = [(change.layer, change.what, change.ratio) for change in compare_structure(base, head).numbers]
    assert found == [("c", "Dead units", float("inf")), ("c", "Norm of the weights", 3.0)]


def test_without_layers_nothing_is_claimed() -> None:
    bare = replace(make_report(), graph=None, layers=())
    assert not compare_structure(bare, model(*CHAIN)).known


def test_a_very_deep_model_with_other_names_is_matched_in_order() -> None:
    base = model(*((f"old_{i}", "Dense", 5) for i in range(20_000)))
    head = model(*((f"new_{i}", "Dense", 5) for i in range(20_001)))
    found = compare_structure(base, head)
    assert found.compared == 20_000 and kinds(found) == [("added", "new_20000")]
