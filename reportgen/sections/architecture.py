"""Architecture: what the model is made of, as a graph that stays readable and a table with every layer."""

from __future__ import annotations

from dataclasses import replace

from reportgen.analysis.evidence import Artifacts, ModelFacts, WorkerEvidence
from reportgen.analysis.folding import FoldedGraph, FoldedInside, fold
from reportgen.analysis.graph import ORDERED, OWN_CODE, Graph
from reportgen.report.blocks import Block, Card, Fact, Facts, Fold, GraphCard, GraphGroup, GraphView
from reportgen.report.types import Section
from reportgen.sections.context import Context
from reportgen.sections.layer_records import layer_anchors
from reportgen.sections.layer_table import describe_layers, graph_table, layer_table, total_of
from reportgen.sections.words import count, join_words, shorten

TITLE = "Architecture"
MOST_NODES_IN_FULL = 400


def build(artifacts: Artifacts, context: Context) -> Section:
    """Return the section: facts from the file, the graph, the layer table; or why there is nothing."""
    worker = artifacts.worker
    if worker is None or (worker.model is None and worker.graph is None and not worker.layers):
        return Section("architecture", TITLE, "empty", "There is no model to look at.", (_why_empty(artifacts),))
    blocks: list[Block] = []
    if worker.model is not None:
        blocks.append(model_facts(worker.model, worker))
    blocks += _graph_blocks(worker)
    if worker.layers:
        blocks.append(layer_table(worker.layers))
    elif worker.graph is not None:
        blocks.append(graph_table(worker.graph))
    return Section("architecture", TITLE, "shown", summarise(worker), tuple(blocks))


def summarise(worker: WorkerEvidence) -> str:
    """Return one sentence: what kind of model, how many layers and parameters, and where they concentrate."""
    model = worker.model
    layers = len(worker.layers) or (len({node.layer for node in worker.graph.nodes}) if worker.graph else 0)
    if model is None:
        return f"A graph of {count(layers, 'layer')}, read from the model's configuration; the weights were not loaded."
    kind = "subclassed model" if model.kind == "subclassed" else f"{model.kind} model"
    inside = count_inside(worker)
    held = f", {inside:,} of them inside layers of own code," if inside else ""
    first = f"A {kind} of {count(layers, 'layer')}{held} and {count(model.parameters, 'parameter')}."
    return f"{first} {describe_layers(worker.layers)}" if worker.layers else first


def count_inside(worker: WorkerEvidence) -> int:
    """Count the layers that are no nodes of the graph, because a layer of own code holds them."""
    if worker.graph is None or worker.graph.source not in ("model", "config"):
        return 0
    nodes = {node.layer for node in worker.graph.nodes}
    return sum(layer.path not in nodes for layer in worker.layers) if nodes else 0


def model_facts(model: ModelFacts, worker: WorkerEvidence) -> Facts:
    """Return what the saved file says about the model as a whole."""
    frozen = model.parameters - model.trainable_parameters
    items = [
        Fact("Name", model.name),
        Fact("Kind", model.kind if model.class_name == model.kind else f"{model.kind} ({model.class_name})"),
        *(_shape_facts("Input", model.input_names, model.input_shapes)),
        *(_shape_facts("Output", model.output_names, model.output_shapes)),
        Fact("Parameters", model.parameters, "int", "Values of all weights"),
        Fact(
            "Frozen parameters", frozen, "int", "Values that training does not change (moving averages are among them)"
        ),
    ]
    if worker.layers:
        macs, unknown = total_of(worker.layers, "macs")
        help_text = "Multiply-accumulates to run one sample"
        items.append(
            Fact("MACs a sample", macs, "int", f"{help_text}; at least, {unknown} unknown" if unknown else help_text)
        )
        memory, open_ = total_of(worker.layers, "activation_bytes")
        help_text = "Outputs of all layers together, one sample"
        items.append(
            Fact("Activation memory", memory, "bytes", f"{help_text}; {open_} of open shape" if open_ else help_text)
        )
    return Facts("The model", (*items, *training_facts(model), *_origin_facts(model)))


def _shape_facts(label: str, names: tuple[str, ...], shapes: tuple[str, ...]) -> tuple[Fact, ...]:
    """Return one fact an input or output with its shape."""
    padded = [*shapes, *([""] * (len(names) - len(shapes)))]
    return tuple(
        Fact(label if len(names) == 1 else f"{label} {shorten(name)}", f"{name} {shape}".strip(), "code")
        for name, shape in zip(names, padded, strict=False)
    )


def training_facts(model: ModelFacts) -> tuple[Fact, ...]:
    """Return optimizer, loss and metrics, or that the file does not hold them."""
    if not model.compiled:
        return (Fact("Training settings", "not in the file: it was saved without compile()"),)
    settings = ", ".join(f"{name} {value}" for name, value in sorted(model.optimizer_settings.items()))
    facts = [Fact("Optimizer", f"{model.optimizer} ({settings})" if settings else model.optimizer or "not recorded")]
    facts += [Fact(_for("Loss", output), loss + _logits(model, output)) for output, loss in model.loss.items()]
    facts += [Fact(_for("Metrics", output), join_words(names) or "none") for output, names in model.metrics.items()]
    if not model.loss:
        facts.append(Fact("Loss", "not recorded"))
    return tuple(facts)


def _for(label: str, output: str) -> str:
    """Return the label with the output it belongs to."""
    return f"{label} of {shorten(output)}" if output else label


def _logits(model: ModelFacts, output: str) -> str:
    """Say whether the loss takes logits, where the file says so."""
    says = model.from_logits.get(output, model.from_logits.get(""))
    return "" if says is None else ", from logits" if says else ", from probabilities"


def _origin_facts(model: ModelFacts) -> tuple[Fact, ...]:
    """Return the Keras version that wrote the file, and notes."""
    facts = []
    if model.saved_with:
        loaded = f", loaded with {model.keras_version}" if model.keras_version else ""
        facts.append(Fact("Saved with", f"Keras {model.saved_with}{loaded}"))
    return (*facts, *(Fact("Note", note) for note in model.notes))


def _graph_blocks(worker: WorkerEvidence) -> tuple[Block, ...]:
    """Return the folded graph, and Keras's own full graph one click away; or why there is none."""
    problem = next((p for p in worker.problems if p.part in ("graph", "load")), None)
    if worker.graph is None or not worker.graph.nodes:
        return (_no_graph(worker),)
    blocks: list[Block] = []
    if worker.graph.source == "config" and problem is not None:
        blocks.append(Card("warn", "Read from the configuration only", problem.message, problem.fix))
    main, *insides = folded_views(worker.graph, layer_anchors(worker))
    blocks.append(replace(main, note=" ".join(part for part in (main.note, how_followed(worker)) if part)))
    if insides:
        blocks.append(Fold("architecture-insides", "Inside the folded parts", tuple(insides)))
    if worker.dot and len(worker.graph.nodes) <= MOST_NODES_IN_FULL:
        blocks.append(Fold("architecture-full", "Full graph (Keras plot_model)", (_full_view(worker),)))
    return tuple(blocks)


def _no_graph(worker: WorkerEvidence) -> Card:
    """Say why there is no graph."""
    problem = next((p for p in worker.problems if p.part == "graph"), None)
    if worker.model is not None and worker.model.kind == "subclassed":
        text = problem.message if problem else "The model calls its layers from its own code: no graph to read."
        return Card(
            "info",
            "No graph: subclassed model",
            f"{text} The table below lists its layers.",
            problem.fix if problem else "",
        )
    if problem:
        return Card("warn", "No graph", problem.message, problem.fix)
    return Card("info", "No graph", "The model holds no connected layers.")


def how_followed(worker: WorkerEvidence) -> str:
    """Say how the graph of a subclassed model was come by, and what is not drawn; "" for other graphs."""
    if worker.graph is None or worker.graph.source in ("model", "config"):
        return ""
    said = (
        "The model's own code was followed through one call on empty samples: join and step are what it does between "
        "layers."
    )
    if worker.graph.source == "order":
        frames = [group.name for group in worker.graph.groups if group.name.endswith(ORDERED)]
        where = "In the frames marked so" if frames else "Here"
        said += f" {where}, arrows only show what is called after what, as what flows where could not be told."
    idle = [layer.path for layer in worker.layers if not layer.output_shape]
    return f"{said} Not seen in it: {join_words([shorten(path) for path in idle], most=4)}." if idle else said


def folded_views(graph: Graph, anchors: dict[str, str]) -> tuple[GraphView, ...]:
    """Return the readable graph, then the inside of each card that stands for a larger part of it.

    Repeated blocks are folded, runs fused, every card linked to its row in the table.
    """
    folded = fold(graph)
    main = _view("architecture-graph", "Layer graph", folded, anchors, describe_graph(graph, len(folded.cards)))
    names = ["architecture-graph", *(f"architecture-inside-{i}" for i in range(len(folded.insides)))]
    insides = (
        replace(
            _view(name, f"Inside {inside.card.title}", inside.graph, anchors, describe_inside(inside)),
            parent=names[inside.parent + 1],
            card=inside.card.id,
        )
        for name, inside in zip(names[1:], folded.insides, strict=True)
    )
    return (main, *insides)


def _view(name: str, title: str, folded: FoldedGraph, anchors: dict[str, str], reading: str) -> GraphView:
    """Return a folded graph as a block."""
    cards = tuple(
        GraphCard(
            id=card.id,
            title=card.title,
            type=card.type,
            lines=tuple(card.lines),
            repeat=card.repeat,
            members=tuple(card.members),
            group=card.group,
            target=next((anchors[member] for member in card.members if member in anchors), ""),
        )
        for card in folded.cards
    )
    groups = tuple(GraphGroup(group.id, group.title, group.parent) for group in folded.groups)
    return GraphView(name, title, cards, folded.edges, groups, reading, folded.note)


def describe_inside(inside: FoldedInside) -> str:
    """Say in one sentence what part this is, and which copy of it is drawn."""
    kind = inside.card.type[:1].upper() + inside.card.type[1:]
    return f"{kind}." + (f" The first of {inside.card.repeat} equal copies." if inside.card.repeat > 1 else "")


def describe_graph(graph: Graph, cards: int) -> str:
    """Say in one sentence what shape the graph has: a chain, branches, several inputs or outputs, shared layers."""
    calls: dict[str, int] = {}
    for node in (node for node in graph.nodes if node.type != OWN_CODE):
        calls[node.layer] = calls.get(node.layer, 0) + 1
    into: dict[str, int] = {}
    for edge in graph.edges:
        into[edge.target] = into.get(edge.target, 0) + 1
    merges = sum(n > 1 for n in into.values())
    shared = sum(n > 1 for n in calls.values())
    if not graph.flows:
        parts = ["partly in the order of calls"]
    elif merges:
        parts = [f"{count(merges, 'place')} where branches meet"]
    else:
        parts = ["a straight chain"] if max(len(graph.inputs), len(graph.outputs)) < 2 else ["no branches that meet"]
    if len(graph.inputs) > 1:
        parts.append(count(len(graph.inputs), "input"))
    if len(graph.outputs) > 1:
        parts.append(count(len(graph.outputs), "output"))
    if shared:
        parts.append(count(shared, "layer called more than once", "layers called more than once"))
    folded = f", folded to {count(cards, 'card')}" if cards < len(graph.nodes) else ""
    return f"{count(len(calls), 'layer')}{folded}: {join_words(parts)}."


def _full_view(worker: WorkerEvidence) -> GraphView:
    """Return Keras's own graph as it drew it."""
    nodes = len(worker.graph.nodes) if worker.graph else 0
    return GraphView(
        "architecture-plot-model",
        "Full graph (Keras plot_model)",
        (),
        (),
        (),
        reading=f"Every one of {count(nodes, 'layer call')}, as Keras draws it.",
        dot=worker.dot,
    )


def _why_empty(artifacts: Artifacts) -> Card:
    """Say why the model could not be looked at."""
    problems = (*artifacts.problems, *(artifacts.worker.problems if artifacts.worker else ()))
    if artifacts.made_elsewhere:
        return Card("info", "No architecture", "The predictions were read from a file; no model was given.")
    found = next((p for p in problems if p.part in ("load", "worker", "graph")), next(iter(problems), None))
    if found:
        return Card("error", "No architecture", found.message, found.fix)
    return Card(
        "info", "No architecture", "No model was read.", "Name a model in the configuration: model: model.keras."
    )
