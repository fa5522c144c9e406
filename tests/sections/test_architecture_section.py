"""The architecture section: facts from the file, the folded graph, the layer table, and every way it can be missing."""

import dataclasses

import pytest

from reportgen.analysis.evidence import Problem
from reportgen.analysis.graph import OWN_CODE, Edge, Graph, Group, Node
from reportgen.report import coherence
from reportgen.report.blocks import Card, Facts, Fold, GraphView, Table
from reportgen.report.types import Finding
from reportgen.sections import architecture
from reportgen.sections.architecture import describe_graph, training_facts
from reportgen.sections.layer_table import describe_layers, layer_table
from reportgen.sections.ledger import section_ledger
from reportgen.sections.painting import paint_findings
from tests.evidence_builder import make_artifacts, make_context, make_layers, make_model


def build(**knobs):
    context, _ = make_context()
    section = architecture.build(make_artifacts(**knobs), context)
    coherence.check_section(section)
    return section


def one(section, kind):
    return next(block for block in section.blocks if isinstance(block, kind))


def long_graph(n):
    nodes = [Node(f"n{i}", f"layer{i}", "Dense", f"(None, {i})", 10 * i, "relu") for i in range(n)]
    return Graph(tuple(nodes), tuple(Edge(f"n{i}", f"n{i + 1}") for i in range(n - 1)), (), ("n0",), (f"n{n - 1}",))


def test_section_holds_facts_graph_full_graph_and_table():
    section = build()
    assert [block.kind for block in section.blocks] == ["facts", "graph", "fold", "table"]
    assert section.summary.startswith("A Functional model of 6 layers and 3,818 parameters.")


def test_layers_inside_own_code_are_counted_apart():
    worker = make_artifacts().worker
    inside = tuple(dataclasses.replace(worker.layers[1], path=f"conv1/part{i}", name=f"part{i}") for i in range(2))
    more = dataclasses.replace(worker, layers=(*worker.layers, *inside))
    said = architecture.summarise(more)
    assert said.startswith("A Functional model of 8 layers, 2 of them inside layers of own code, and 3,818 parameters.")


def test_facts_come_from_the_file():
    facts = {fact.label: fact.value for fact in one(build(), Facts).items}
    assert facts["Optimizer"] == "Adam (learning_rate 0.001)"
    assert facts["Loss"] == "sparse_categorical_crossentropy"
    assert facts["Input"] == "input (None, 8, 8, 1)"
    assert facts["MACs a sample"] == 4608 + 18432 + 2560
    assert facts["Activation memory"] == 4 * (64 + 512 + 128 + 256 + 256 + 10)


def test_uncompiled_file_is_said_and_not_guessed():
    facts = {fact.label: fact.value for fact in one(build(compiled=False), Facts).items}
    assert facts["Training settings"] == "not in the file: it was saved without compile()"
    assert "Optimizer" not in facts


def test_logits_are_named_where_the_file_says_so():
    model = dataclasses.replace(make_model(), from_logits={"": True})
    assert training_facts(model)[1].value == "sparse_categorical_crossentropy, from logits"
    model = dataclasses.replace(model, loss={"a": "mse", "b": "mae"}, from_logits={})
    assert [fact.label for fact in training_facts(model)][1:3] == ["Loss of a", "Loss of b"]


def test_every_card_leads_to_its_row_in_the_table():
    section = build()
    table = one(section, Table)
    for card in one(section, GraphView).cards:
        row = table.row_ids.index(card.target)
        assert table.rows[row][0] in card.members


def test_long_graph_is_folded_and_the_ledger_says_so():
    graph = long_graph(120)
    section = build(graph=graph, layers=(), dot="")
    view = one(section, GraphView)
    assert 0 < len(view.cards) <= 60
    assert "folded to" in view.reading
    assert len({card.id for card in view.cards}) == len(view.cards)
    entries = {entry.what: entry.kept for entry in section_ledger((section,), graph)}
    assert entries["architecture graph"].endswith("cards") or entries["architecture graph"].endswith("card")
    assert "full graph (Keras plot_model)" in entries


def cells(table, title):
    """Return the cells of a column."""
    place = [column.title for column in table.columns].index(title)
    return [row[place] for row in table.rows]


def test_table_has_totals_shares_and_lower_bounds():
    layers = list(make_layers())
    layers[1] = dataclasses.replace(
        layers[1], macs=None, activation_bytes=None, config={"filters": "8", "use_bias": "True"}
    )
    table = layer_table(tuple(layers))
    assert table.total[4] == 3818
    assert "Dtype" not in [column.title for column in table.columns] and "Dtype float32" in table.note
    at = [column.title for column in table.columns].index("MACs")
    assert (table.total[at], cells(table, "MACs")[1]) == (18432 + 2560, None)
    assert "MACs of 1 layer are not known" in table.note and "1 output of open shape" in table.note
    assert sum(row[5] for row in table.rows) == pytest.approx(1.0)
    assert cells(table, "Settings")[1] == "filters 8"
    assert table.row_ids == tuple(f"layer-{i}" for i in range(6))


@pytest.mark.parametrize(("trainable", "word"), [(80, "yes"), (40, "in part"), (0, "no")])
def test_table_says_what_training_changes(trainable, word):
    layers = list(make_layers())
    layers[1] = dataclasses.replace(layers[1], trainable_parameters=trainable)
    table = layer_table(tuple(layers))
    if word == "yes":  # as for all the others
        assert "Trainable yes" in table.note
    else:
        assert cells(table, "Trainable")[:2] == ["", word]


def test_moving_averages_do_not_make_a_layer_trained_in_part():
    layers = list(make_layers())
    layers[1] = dataclasses.replace(layers[1], type="BatchNormalization", trainable_parameters=40)
    assert "Trainable yes" in layer_table(tuple(layers)).note


def test_layer_readings_contrast():
    one_heavy = make_layers()
    even = tuple(dataclasses.replace(layer, parameters=10) for layer in one_heavy)
    none = tuple(dataclasses.replace(layer, parameters=0) for layer in one_heavy)
    same = (dataclasses.replace(one_heavy[1], parameters=100, macs=100),)
    said = [describe_layers(layers) for layers in (one_heavy, even, none, same)]
    assert said[0] == "dense holds 67.3% of the parameters; conv2 does 72.0% of the arithmetic."
    assert said[1].startswith("Parameters are spread: half of them lie in 3 layers")
    tied = tuple(dataclasses.replace(layer, parameters=10, macs=10) for layer in one_heavy)
    assert describe_layers(tied).endswith("lie in 3 layers; input does 16.7% of the arithmetic.")
    assert said[2] == "No layer has parameters."
    assert said[3] == "conv1 holds 100% of the parameters and 100% of the arithmetic."


def test_graph_readings_tell_chains_branches_and_shared_layers_apart():
    chain = long_graph(4)
    branch = dataclasses.replace(chain, edges=(*chain.edges, Edge("n0", "n3")))
    ends = dataclasses.replace(chain, outputs=("n2", "n3"), inputs=("n0", "n1"))
    nodes = (*chain.nodes[:3], dataclasses.replace(chain.nodes[3], layer="layer1"))
    shared = dataclasses.replace(chain, nodes=nodes)
    said = [describe_graph(graph, 4) for graph in (chain, branch, ends, shared)]
    assert len(set(said)) == 4
    assert "a straight chain" in said[0] and "1 place where branches meet" in said[1]
    assert "2 inputs and 2 outputs" in said[2] and "1 layer called more than once" in said[3]


def test_subclassed_model_shows_a_card_and_its_table():
    problem = Problem("graph", "The model is subclassed.")
    section = build(kind="subclassed", graph=None, dot="", problems=(problem,))
    assert one(section, Card).title == "No graph: subclassed model"
    assert len(one(section, Table).rows) == 6


def test_graph_from_the_config_alone_still_shows_layers():
    graph = dataclasses.replace(long_graph(3), source="config")
    problem = Problem("load", "The custom layer Foo is not known", "Pass --trust=custom_objects")
    section = build(model=None, graph=graph, layers=(), weights=(), activations=(), outputs=(), problems=(problem,))
    assert one(section, Card).text == "The custom layer Foo is not known"
    assert [row[0] for row in one(section, Table).rows] == ["layer0", "layer1", "layer2"]
    assert one(section, GraphView).cards[0].target == "layer-0"
    assert "the weights were not loaded" in section.summary


def test_lost_worker_says_why():
    section = build(worker=False)
    assert (section.state, section.blocks[0].text) == ("empty", "The worker ran out of memory")


def test_full_graph_is_left_out_when_it_is_too_large():
    section = build(graph=long_graph(500), layers=())
    assert not any(isinstance(block, Fold) for block in section.blocks)


def finding(code, outcome, *layers):
    return Finding(code, code.title(), outcome, "warn", "text", layers=layers)


def test_findings_are_painted_on_the_cards_that_they_name():
    section = build()
    findings = (
        finding("dead-units", "warned", "conv1"),
        finding("bad", "failed", "conv1"),
        finding("fine", "passed", "conv2"),
    )
    cards = {card.title: card for card in one(paint_findings(section, findings), GraphView).cards}
    assert (cards["conv1"].mark, cards["conv1"].mark_text) == ("error", "dead units and bad")
    assert cards["conv2"].mark is None
    assert paint_findings(section, ()) is section
    inside = (finding("dead-units", "warned", "conv1/dense"), finding("near", "warned", "conv10"))
    cards = {card.title: card for card in one(paint_findings(section, inside), GraphView).cards}
    assert (cards["conv1"].mark, cards["conv1"].mark_text) == ("warn", "dead units")


def followed_graph(source: str, group: str = "block"):
    """Return a graph of own code: a stem, a frame with one layer and the block's own end, and a join."""
    nodes = (
        Node("n0", "input", "InputLayer", "(None, 4)", 0),
        Node("n1", "stem", "Dense", "(None, 4)", 20),
        Node("n2", "block/up", "Dense", "(None, 4)", 20, group="g0"),
        Node("n3", "block", "Block", "(None, 4)", 2, group="g0"),
        Node("n4", "join", OWN_CODE, "(None, 4)", 0),
    )
    edges = tuple(Edge(f"n{a}", f"n{b}") for a, b in ((0, 1), (1, 2), (2, 3), (3, 4), (1, 4)))
    return Graph(nodes, edges, (Group("g0", group, "Block"),), ("n0",), ("n4",), source)


def test_a_followed_graph_says_how_it_was_read_and_its_own_code_is_no_layer():
    view = one(build(graph=followed_graph("calls")), GraphView)
    assert [card.title for card in view.cards] == ["input", "stem", "block/up", "block", "join"]
    assert view.reading == "4 layers: 1 place where branches meet."
    assert "followed through one call on empty samples" in view.note and "order" not in view.note


def test_a_graph_that_is_an_order_in_part_says_where():
    marked = one(build(graph=followed_graph("order", "block (order of calls)")), GraphView)
    assert "In the frames marked so, arrows only show what is called after what" in marked.note
    assert "order of calls" in marked.reading
    whole = one(build(graph=followed_graph("order")), GraphView)
    assert "Here, arrows only show what is called after what" in whole.note


def test_a_finding_inside_a_frame_does_not_mark_the_end_of_the_frame():
    section = build(graph=followed_graph("calls"))
    painted = one(paint_findings(section, (finding("dead-units", "warned", "block/up"),)), GraphView)
    assert {card.title for card in painted.cards if card.mark} == {"block/up"}
    painted = one(paint_findings(section, (finding("dead-units", "warned", "block"),)), GraphView)
    assert {card.title for card in painted.cards if card.mark} == {"block"}
