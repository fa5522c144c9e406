"""The layer table: every layer with its cost, and where parameters and work concentrate."""

from __future__ import annotations

from typing import Literal

from reportgen.analysis.evidence import LayerFacts
from reportgen.analysis.graph import Graph
from reportgen.report.blocks import Table, TableColumn
from reportgen.report.values import number
from reportgen.sections.same_columns import say_once
from reportgen.sections.words import count, percent, shorten

COLUMNS = (
    TableColumn("Layer", "code", help="Name of the layer, through nested models, in call order"),
    TableColumn("Type", help="Keras class of the layer"),
    TableColumn("Output shape", "code", help="None stands for the number of samples, or an open length"),
    TableColumn("Activation", help="Activation function of the layer"),
    TableColumn("Parameters", "int", help="Values of its weights"),
    TableColumn("Share", "percent", help="Of all parameters of the model"),
    TableColumn("Trainable", help="Whether training changes the weights, moving averages aside; empty for none"),
    TableColumn("Dtype", "code", help="Number type that the layer computes in"),
    TableColumn("MACs", "int", help="Multiply-accumulates to run one sample"),
    TableColumn("Activation memory", "bytes", help="Size of the layer's output for one sample"),
    TableColumn("Settings", help="The few settings worth knowing"),
)
MOST_SETTINGS = 6
QUIET = {"use_bias": "True", "trainable": "True", "groups": "1", "dilation_rate": "(1, 1)", "strides": "(1, 1)",
         "data_format": "channels_last"}  # fmt: skip


def layer_table(layers: tuple[LayerFacts, ...]) -> Table:
    """Return the table, one row a layer with the anchor `layer-<index>`, and totals."""
    total = sum(layer.parameters for layer in layers)
    macs, unknown_macs = total_of(layers, "macs")
    memory, unknown_memory = total_of(layers, "activation_bytes")
    notes = []
    if unknown_macs:
        notes.append(f"MACs of {count(unknown_macs, 'layer')} are not known, so their total is a lower bound.")
    if unknown_memory:
        notes.append(f"{count(unknown_memory, 'output')} of open shape not in the activation memory.")
    table = Table(
        "layer-table",
        "All layers",
        COLUMNS,
        tuple(_row(layer, total) for layer in layers),
        reading=describe_layers(layers),
        note=" ".join(notes),
        row_ids=tuple(f"layer-{i}" for i in range(len(layers))),
        total=("Total", None, None, None, total, None, None, None, macs, memory, None),
    )
    return say_once(table, ("Trainable", "Dtype"))


def _row(layer: LayerFacts, total: int) -> tuple[str | int | float | None, ...]:
    """Return the cells of one layer; numbers that are not known stay empty."""
    return (
        layer.path,
        layer.type,
        layer.output_shape,
        layer.activation,
        layer.parameters,
        layer.parameters / total if total else None,
        _trainable(layer),
        layer.dtype,
        layer.macs,
        layer.activation_bytes,
        settings_text(layer),
    )


def _trainable(layer: LayerFacts) -> str:
    """Say whether training changes the weights."""
    if not layer.parameters:
        return ""
    own = layer.parameters // 2 if layer.type == "BatchNormalization" else layer.parameters  # without moving averages
    if layer.trainable_parameters in (own, layer.parameters):
        return "yes"
    return "in part" if layer.trainable_parameters else "no"


def settings_text(layer: LayerFacts) -> str:
    """Return the first few settings that are not at their usual value."""
    shown = [f"{name} {value}" for name, value in layer.config.items() if QUIET.get(name) != value]
    return shorten(", ".join(shown[:MOST_SETTINGS]), 120)


def total_of(layers: tuple[LayerFacts, ...], name: Literal["macs", "activation_bytes"]) -> tuple[int, int]:
    """Return the sum of a number over the layers, and for how many layers it is not known."""
    values = [layer.macs if name == "macs" else layer.activation_bytes for layer in layers]
    known = [value for value in values if value is not None]
    return sum(known), len(values) - len(known)


def describe_layers(layers: tuple[LayerFacts, ...]) -> str:
    """Say in one sentence where parameters and multiply-accumulates concentrate."""
    total = sum(layer.parameters for layer in layers)
    macs, _ = total_of(layers, "macs")
    if not total:
        return "No layer has parameters."
    heaviest = max(layers, key=lambda layer: layer.parameters)
    share = heaviest.parameters / total
    if share >= 0.25:
        first = f"{shorten(heaviest.path, 40)} holds {percent(share)} of the parameters"
    else:
        half = _fewest_for_half(sorted((layer.parameters for layer in layers), reverse=True))
        first = f"Parameters are spread: half of them lie in {count(half, 'layer')}"
    if not macs:
        return f"{first}."
    busiest = max(layers, key=lambda layer: layer.macs or 0)
    work = (busiest.macs or 0) / macs
    if busiest is heaviest and share >= 0.25:
        return f"{first} and {percent(work)} of the arithmetic."
    return f"{first}; {shorten(busiest.path, 40)} does {percent(work)} of the arithmetic."


def _fewest_for_half(parameters: list[int]) -> int:
    """Return how many of the largest numbers make up half of the sum."""
    half, seen = sum(parameters) / 2, 0
    for place, size in enumerate(parameters, start=1):
        seen += size
        if seen >= half:
            return place
    return len(parameters)


def graph_table(graph: Graph) -> Table:
    """Return the layers as the graph alone knows them, when the model could not be loaded."""
    nodes = {node.layer: node for node in reversed(graph.nodes)}
    names = list(dict.fromkeys(node.layer for node in graph.nodes))
    rows = tuple(
        (name, nodes[name].type, nodes[name].shape, nodes[name].activation, number(nodes[name].parameters))
        for name in names
    )
    total = sum(nodes[name].parameters for name in names)
    return Table(
        "layer-table",
        "All layers",
        COLUMNS[:5],
        rows,
        reading=f"{count(len(names), 'layer')}, read without the weights.",
        row_ids=tuple(f"layer-{i}" for i in range(len(names))),
        total=("Total", None, None, None, total),
    )
