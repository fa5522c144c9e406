"""Folded graphs: every layer in one card, edges that are real, equal parts drawn once, few cards, bounded time.

`topologies.json.gz` holds layer names, types, settings and edges read once from real keras.applications models.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.analysis.folding import FoldedGraph, fold
from reportgen.analysis.folding_cards import name_part, write_shape
from reportgen.analysis.folding_order import find_runs, order
from reportgen.analysis.graph import Edge, Graph, Group, Node

TOPOLOGIES = json.loads(gzip.decompress((Path(__file__).parent / "topologies.json.gz").read_bytes()))


def real(name: str) -> Graph:
    rows = TOPOLOGIES[name]
    nodes = tuple(
        Node(id_, layer, kind, shape, parameters, activation, None, tuple((k, v) for k, v in details))
        for id_, layer, kind, shape, parameters, activation, details in rows["nodes"]
    )
    return Graph(nodes, tuple(Edge(*edge) for edge in rows["edges"]))


class Maker:
    """Builds graphs by hand."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.groups: list[Group] = []

    def add(self, kind: str, *sources: str, units: int = 8, group: str | None = None, name: str = "") -> str:
        id_ = f"n{len(self.nodes)}"
        details = (("units", str(units)),)
        self.nodes.append(Node(id_, name or f"{kind.lower()}_{id_}", kind, "(None, 8)", 10, "", group, details))
        self.edges += [Edge(source, id_) for source in sources]
        return id_

    def graph(self) -> Graph:
        return Graph(tuple(self.nodes), tuple(self.edges), tuple(self.groups))


def check(graph: Graph, folded: FoldedGraph) -> None:
    """Assert what holds for every folded graph."""
    placed = Counter(node for card in folded.cards for node in card.nodes)
    assert placed == Counter(node.id for node in graph.nodes), "a node is missing or in two cards"
    ids = [card.id for card in folded.cards]
    assert len(set(ids)) == len(ids)
    card_of = {node: card.id for card in folded.cards for node in card.nodes}
    real_edges = {
        (card_of[e.source], card_of[e.target]) for e in graph.edges if e.source in card_of and e.target in card_of
    }
    assert set(folded.edges) <= real_edges, "an edge was invented"
    assert len(set(folded.edges)) == len(folded.edges)
    frames = {group.id for group in folded.groups}
    assert all(card.group is None or card.group in frames for card in folded.cards)
    assert all(group.parent is None or group.parent in frames for group in folded.groups)
    names = {node.id: node.layer for node in graph.nodes}
    assert all(set(card.members) == {names[node] for node in card.nodes} for card in folded.cards)


def reaches(edges: tuple[tuple[str, str], ...], start: str) -> set[str]:
    targets: dict[str, list[str]] = {}
    for source, target in edges:
        targets.setdefault(source, []).append(target)
    seen, stack = {start}, [start]
    while stack:
        for target in targets.get(stack.pop(), []):
            if target not in seen:
                seen.add(target)
                stack.append(target)
    return seen


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("resnet50", 41),
        ("densenet121", 27),
        ("densenet201", 27),
        ("transformer", 14),
        ("unet", 30),
        ("efficientnetb0", 60),
        ("inceptionv3", 60),
        ("nasnet", 60),
    ],
)
def test_real_architectures_become_readable(name: str, most: int) -> None:
    graph = real(name)
    folded = fold(graph)
    check(graph, folded)
    assert len(folded.cards) <= most
    assert folded.note


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "inceptionv3", "nasnet", "transformer"])
@pytest.mark.parametrize("most", [1, 2, 5, 12, 30])
def test_the_wanted_number_of_cards_is_kept_and_the_input_still_reaches_the_output(name: str, most: int) -> None:
    graph = real(name)
    folded = fold(graph, most)
    check(graph, folded)
    assert len(folded.cards) <= most
    assert folded.cards[-1].id in reaches(folded.edges, folded.cards[0].id)


def test_resnet50_folds_identity_blocks_with_their_branches() -> None:
    folded = fold(real("resnet50"))
    assert [group.repeat for group in folded.groups] == [2, 3, 5, 2]
    assert folded.groups[2].title == "\u00d7 5  conv4_block2 to conv4_block6"
    first = next(card for card in folded.cards if "conv4_block6_2_conv" in card.members)
    assert first.repeat == 5 and first.title == "conv4_block2_2_conv"
    assert first.type == "Conv2D + BatchNorm + relu"
    assert first.parameters == 5 * 591_104


def test_densenet_blocks_fold_whole_although_their_channels_grow() -> None:
    folded = fold(real("densenet121"))
    assert [group.repeat for group in folded.groups] == [6, 12, 24, 16]
    concat = next(card for card in folded.cards if card.title == "conv2_block1_concat")
    assert concat.lines[0] == "56 \u00d7 56 \u00d7 96 to 56 \u00d7 56 \u00d7 256"


def test_all_twelve_transformer_blocks_are_one_frame() -> None:
    assert [group.repeat for group in fold(real("transformer")).groups] == [12]


def test_a_folded_graph_has_no_way_back() -> None:
    for name in TOPOLOGIES:
        folded = fold(real(name))
        place = {card.id: i for i, card in enumerate(folded.cards)}
        assert all(place[source] < place[target] for source, target in folded.edges), name


def test_a_small_model_has_one_card_a_layer() -> None:
    maker = Maker()
    last = maker.add("InputLayer")
    for _ in range(8):
        for kind in ("Conv2D", "BatchNormalization", "ReLU"):
            last = maker.add(kind, last)
    folded = fold(maker.graph())
    check(maker.graph(), folded)
    assert len(folded.cards) == 25 and folded.note == "" and not folded.groups


def chain_of(kinds: str, n: int = 1) -> Graph:
    maker = Maker()
    last = maker.add("InputLayer", units=0)
    for i in range(n):
        for kind in kinds.split():
            last = maker.add(kind, last, units=i)
    for i in range(30):
        last = maker.add("Reshape", last, units=100 + i)
    return maker.graph()


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("Conv2D BatchNormalization ReLU Dropout", ["Conv2D + BatchNorm + ReLU + Dropout"]),
        ("ZeroPadding2D Conv2D ReLU MaxPooling2D", ["ZeroPadding2D + Conv2D + ReLU", "MaxPooling2D"]),
        ("Dense ReLU Dense Softmax", ["Dense + ReLU", "Dense + Softmax"]),
        ("LSTM Dense", ["LSTM", "Dense"]),
    ],
)
def test_layers_that_work_as_one_share_a_card(kinds: str, expected: list[str]) -> None:
    folded = fold(chain_of(kinds))
    assert [card.type for card in folded.cards[1 : 1 + len(expected)]] == expected


def test_layers_with_other_settings_are_not_equal() -> None:
    maker = Maker()
    last = maker.add("InputLayer")
    for i in range(40):
        last = maker.add("Dense", last, units=i)
    assert len(fold(maker.graph()).cards) == 41


def test_equal_layers_in_a_row_are_one_card_with_a_count() -> None:
    maker = Maker()
    last = maker.add("InputLayer")
    for _ in range(40):
        last = maker.add("Dense", last)
    folded = fold(maker.graph())
    check(maker.graph(), folded)
    assert [card.repeat for card in folded.cards] == [1, 40]
    assert folded.edges == ((folded.cards[0].id, folded.cards[1].id),)


def test_blocks_wired_differently_are_not_equal() -> None:
    maker = Maker()
    last = maker.add("InputLayer")
    for i in range(10):
        a = maker.add("Dense", last)
        b = maker.add("Dense", a)
        last = maker.add("Add", b, last if i < 5 else a)
    folded = fold(maker.graph())
    check(maker.graph(), folded)
    assert [group.repeat for group in folded.groups] == [5, 5]


def nested(repeat: int, layers: int, shared: bool = False) -> Graph:
    maker = Maker()
    last = maker.add("InputLayer")
    for i in range(repeat):
        maker.groups.append(Group(f"g{i}", "encoder" if shared else f"encoder_{i}", "Functional"))
        for j in range(layers):
            last = maker.add("Dense", last, units=j, group=f"g{i}", name=f"encoder{'' if shared else i}/dense_{j}")
    for i in range(30):
        last = maker.add("Reshape", last, units=200 + i)
    return maker.graph()


def test_a_nested_model_is_a_frame_around_its_cards() -> None:
    graph = nested(1, 6)
    folded = fold(graph)
    check(graph, folded)
    assert [group.title for group in folded.groups] == ["encoder_0"]
    assert sum(card.group == folded.groups[0].id for card in folded.cards) == 6


def test_a_nested_model_that_is_too_big_is_one_card_with_its_name() -> None:
    graph = nested(1, 200)
    folded = fold(graph)
    check(graph, folded)
    assert "encoder_0" in {card.title for card in folded.cards} | {group.title for group in folded.groups}
    assert len(folded.cards) <= 60


def test_equal_nested_models_in_a_row_are_drawn_once() -> None:
    graph = nested(5, 4)
    folded = fold(graph)
    check(graph, folded)
    assert [(group.repeat, group.parent) for group in folded.groups] == [(5, None), (1, folded.groups[0].id)]


def test_a_small_model_keeps_its_nested_frames() -> None:
    maker = Maker()
    maker.groups += [Group("g0", "outer", "Functional"), Group("g1", "inner", "Sequential", "g0")]
    first = maker.add("InputLayer")
    second = maker.add("Dense", first, group="g0")
    maker.add("Dense", maker.add("Dense", second, group="g1"), group="g1")
    folded = fold(maker.graph())
    check(maker.graph(), folded)
    assert [(group.title, group.parent) for group in folded.groups] == [("outer", None), ("inner", "f0")]
    assert [card.group for card in folded.cards] == [None, "f0", "f1", "f1"]


def test_a_side_output_does_not_stop_the_folding_of_the_trunk() -> None:
    maker = Maker()
    last = maker.add("InputLayer")
    for i in range(20):
        side = maker.add("Dense", last)
        last = maker.add("Add", side, last)
        if i == 9:
            maker.add("Dense", maker.add("Flatten", last), units=3)
    folded = fold(maker.graph())
    check(maker.graph(), folded)
    assert [group.repeat for group in folded.groups] == [10, 10]


def test_a_second_input_stands_where_it_is_used() -> None:
    maker = Maker()
    first, late = maker.add("InputLayer"), maker.add("InputLayer")
    last = first
    for _ in range(30):
        last = maker.add("Dense", last)
    end = maker.add("Concatenate", last, late)
    folded = fold(maker.graph())
    check(maker.graph(), folded)
    assert len(folded.cards) == 4
    assert folded.cards[-1].nodes == (end,)


def test_damaged_graphs_are_folded_all_the_same() -> None:
    nodes = tuple(Node(f"n{i}", f"layer_{i}", "Dense", "", 0, "", "g0" if i % 2 else "g9") for i in range(40))
    edges = tuple(Edge(f"n{i}", f"n{(i + 1) % 40}") for i in range(40))
    strange = (Edge("n1", "n1"), Edge("n1", "gone"), Edge("n1", "n2"))
    graph = Graph(nodes, edges + strange, (Group("g0", "a", "F", "g1"), Group("g1", "b", "F", "g0")))
    placed = [node for card in fold(graph).cards for node in card.nodes]
    assert sorted(placed) == sorted(node.id for node in nodes)
    assert fold(Graph((), ())).cards == ()


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Draw any layered graph with branches, merges, nested models and repeats."""
    maker = Maker()
    kinds = ["Conv2D", "BatchNormalization", "ReLU", "Add", "Dense", "Dropout", "ZeroPadding2D", "Concatenate"]
    names = [f"g{i}" for i in range(draw(st.integers(0, 3)))]
    maker.groups = [Group(name, name, "Functional", names[i - 1] if i % 2 else None) for i, name in enumerate(names)]
    ids = [maker.add("InputLayer")]
    for _ in range(draw(st.integers(0, 70))):
        near = st.integers(0, min(3, len(ids) - 1))
        sources = {ids[-1 - draw(near)] for _ in range(draw(st.integers(1, 2)))}
        group = draw(st.sampled_from([None, None, *names]))
        ids.append(
            maker.add(draw(st.sampled_from(kinds)), *sorted(sources), units=draw(st.integers(1, 2)), group=group)
        )
    return maker.graph()


@given(graphs(), st.integers(1, 70))
@settings(max_examples=150, deadline=None)
def test_any_graph_keeps_every_layer_once_and_invents_no_edge(graph: Graph, most: int) -> None:
    folded = fold(graph, most)
    check(graph, folded)
    assert len(folded.cards) <= most


@given(graphs())
@settings(max_examples=80, deadline=None)
def test_renaming_layers_does_not_change_the_folding(graph: Graph) -> None:
    renamed = tuple(
        Node(n.id, f"other{i}", n.type, n.shape, n.parameters, n.activation, n.group, n.details)
        for i, n in enumerate(graph.nodes)
    )
    before, after = fold(graph), fold(Graph(renamed, graph.edges, graph.groups))
    assert [card.nodes for card in before.cards] == [card.nodes for card in after.cards]
    assert before.edges == after.edges


def test_work_grows_linearly_with_the_number_of_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    from reportgen.analysis import folding, folding_order

    def steps(n: int) -> int:
        counted = Counter[str]()
        inner = folding_order.count_open

        def count(sequence: list[int], targets: list[list[int]]) -> list[int]:
            counted["items"] += len(sequence)
            return inner(sequence, targets)

        monkeypatch.setattr(folding_order, "count_open", count)
        maker = Maker()
        last = maker.add("InputLayer")
        for i in range(n):
            last = maker.add("Add", maker.add("Dense", last, units=i), last)
        assert len(folding.fold(maker.graph()).cards) <= 60
        monkeypatch.setattr(folding_order, "count_open", inner)
        return counted["items"]

    assert steps(2000) <= 2.2 * steps(1000)


def test_order_keeps_branches_together_and_respects_every_edge() -> None:
    graph = real("inceptionv3")
    place = {node.id: i for i, node in enumerate(graph.nodes)}
    sources: list[list[int]] = [[] for _ in graph.nodes]
    targets: list[list[int]] = [[] for _ in graph.nodes]
    for edge in graph.edges:
        sources[place[edge.target]].append(place[edge.source])
        targets[place[edge.source]].append(place[edge.target])
    rank = {item: at for at, item in enumerate(order(sources, targets))}
    assert all(rank[s] < rank[t] for t in range(len(sources)) for s in sources[t])


def test_runs_are_found_with_their_shortest_period() -> None:
    runs = find_runs(list("xababababyzzz"))
    assert [(run.start, run.period, run.count) for run in runs] == [(0, 1, 1), (1, 2, 4), (9, 1, 1), (10, 1, 3)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["conv2_block1_1_conv", "conv2_block1_add"], "conv2_block1"),
        (["mixed4", "mixed4_pool"], "mixed4"),
        (["conv1", "conv2"], "conv1 to conv2"),
        (["block4_a", "block5_a"], "block4_a to block5_a"),
    ],
)
def test_a_part_is_named_by_whole_words_its_layers_share(names: list[str], expected: str) -> None:
    assert name_part([Node(f"n{i}", name, "Dense", "", 0) for i, name in enumerate(names)]) == expected


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("(None, 28, 28, 32)", "28 \u00d7 28 \u00d7 32"),
        ("(None, 10)", "10"),
        ("(None, None, 8)", "? \u00d7 8"),
        ("", ""),
    ],
)
def test_shapes_are_written_without_the_batch(shape: str, expected: str) -> None:
    assert write_shape(shape) == expected


def test_what_a_card_holds_is_drawn_by_itself_with_its_ways_in_and_out() -> None:
    folded = fold(real("inceptionv3"))
    inside = folded.insides[0]
    assert inside.parent == -1 and inside.card in folded.cards
    assert set(inside.card.nodes) == {node for card in inside.graph.cards for node in card.nodes}
    ends = [edge for edge in inside.graph.edges if "" in edge]
    assert sum(source == "" for source, _ in ends) == 4, "four branches begin outside"
    assert sum(target == "" for _, target in ends) == 1
    twice = next(one for one in folded.insides if one.card.repeat == 2)
    assert len(twice.card.nodes) == 2 * sum(len(card.nodes) for card in twice.graph.cards), "one of two equal copies"


def test_insides_of_insides_and_their_number_is_bounded() -> None:
    folded = fold(real("nasnet"), 2)
    assert any(inside.parent >= 0 for inside in folded.insides)
    for inside in folded.insides:
        around = folded if inside.parent < 0 else folded.insides[inside.parent].graph
        assert inside.card.id in {card.id for card in around.cards}
        assert len(inside.graph.cards) <= 24
    assert sum(len(inside.graph.cards) for inside in folded.insides) <= 120
