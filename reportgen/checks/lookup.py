"""Where checks find their evidence in Artifacts, and what is said when it is not there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.curves import CurveFacts, analyse
from reportgen.analysis.evidence import Artifacts, Curve, LayerFacts, ModelFacts, OutputEvidence
from reportgen.analysis.graph import Node
from reportgen.analysis.metrics import ACCUMULATORS
from reportgen.analysis.metrics.value import MetricValue
from reportgen.analysis.standing import Standing, compare_with_baseline

Found = TypeVar("Found")

_RECALLED: dict[tuple[str, int], tuple[Any, Any]] = {}

# What each word in `Meta.needs` asks for, the sentence without it, and the worker's part that may have failed.
NEEDS: dict[str, tuple[str, str]] = {
    "history": ("a training history with at least one epoch", "history"),
    "predictions": ("a test batch that the model could predict", "predict"),
    "labels": ("a test batch with labels", "predict"),
    "activations": ("statistics of the layers' outputs on a test batch", "layers"),
    "weights": ("the weights of the model", "load"),
    "inputs": ("a test batch", "predict"),
    "model": ("the settings in the saved model", "load"),
    "gradients": ("gradients of the loss on a labelled batch", "gradients"),
    "training pass": ("labelled samples run in training mode too", "training pass"),
}


def missing_evidence(artifacts: Artifacts, needs: tuple[str, ...]) -> str:
    """Return "" when all that a check needs is there, else "needs ..." with the reason where it is known."""
    missing = [need for need in needs if not _has(artifacts, need)]
    if not missing:
        return ""
    words, part = NEEDS[missing[0]]
    problems = (*artifacts.problems, *(artifacts.worker.problems if artifacts.worker else ()))
    said = artifacts.worker.not_computed.get(missing[0], "") if artifacts.worker else ""
    why = next((p.message for p in problems if p.part in (part, "worker")), said.partition(": ")[2] or said)
    return f"needs {words}" + (f" ({why.rstrip('.')})" if why else "")


def _has(artifacts: Artifacts, need: str) -> bool:
    """Tell whether one kind of evidence is there."""
    if need == "history":
        return artifacts.history is not None and any(curve.values.size for curve in artifacts.history.curves)
    worker = artifacts.worker
    if worker is None:
        return False
    if need == "labels":
        return any(output.n_labelled for output in worker.outputs)
    if need == "model":
        return worker.model is not None
    found = {
        "predictions": worker.outputs,
        "activations": worker.activations,
        "weights": worker.weights,
        "inputs": worker.inputs,
        "gradients": worker.gradients,
        "training pass": any(loss.training == loss.training for loss in worker.losses),
    }
    return bool(found[need])


def curve_facts(artifacts: Artifacts) -> CurveFacts:
    """Return what the training curves say; only for checks that need "history"."""
    if artifacts.history is None:
        raise ValueError("there is no history")
    return recall("curves", artifacts.history, analyse)


def curve(artifacts: Artifacts, name: str) -> Curve | None:
    """Return the curve called `name` if it has at least one point."""
    found = artifacts.history.curve(name) if artifacts.history else None
    return found if found is not None and found.values.size else None


def outputs(artifacts: Artifacts, *tasks: str, labelled: bool = True) -> tuple[OutputEvidence, ...]:
    """Return the outputs of these tasks (none named: all), by default only those with labels."""
    found = artifacts.worker.outputs if artifacts.worker else ()
    return tuple(o for o in found if (not tasks or o.task in tasks) and (o.n_labelled or not labelled))


def accumulator(output: OutputEvidence) -> Any:
    """Restore the accumulator of one output."""
    return recall("accumulator", output, lambda found: ACCUMULATORS[found.task].from_state(found.state))


def class_counts(output: OutputEvidence) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how often each class is the label and how often it is predicted, over labelled samples: (C,) each."""
    table = accumulator(output).per_class()
    return np.asarray(table.support, dtype=np.int64), np.asarray(table.predicted, dtype=np.int64)


def metric_values(output: OutputEvidence) -> tuple[MetricValue, ...]:
    """Return every metric of one output, headlines first, the most telling one before all.

    Bootstrap intervals are computed once, however many ask.
    """
    return recall("metrics", output, _compute_metrics)


def _compute_metrics(output: OutputEvidence) -> tuple[MetricValue, ...]:
    """Compute and order the metrics of one output."""
    found = accumulator(output)
    places = {name: place for place, name in enumerate(found.headlines)}
    return tuple(sorted(found.result(), key=lambda value: places.get(value.name, len(places))))


def recall(what: str, source: Any, compute: Callable[[Any], Found]) -> Found:
    """Return `compute(source)`, remembered for the last few sources: several checks and sections ask for the same.

    Sources are frozen but hold arrays, so that they are told apart by identity; the entry keeps its source alive.
    """
    key = (what, id(source))
    if key not in _RECALLED or _RECALLED[key][0] is not source:
        while len(_RECALLED) >= 32:
            _RECALLED.pop(next(iter(_RECALLED)))
        _RECALLED[key] = (source, compute(source))
    found: Found = _RECALLED[key][1]
    return found


def headline(values: tuple[MetricValue, ...]) -> MetricValue | None:
    """Return the first headline metric: the one that stands for the output."""
    return next((value for value in values if value.headline), None)


def standing(value: MetricValue) -> Standing:
    """Place one metric beside its baseline."""
    return compare_with_baseline(
        value.value, value.low, value.high, value.baseline, better=value.better, n=value.n, unit=value.unit
    )


def class_name(output: OutputEvidence, index: int) -> str:
    """Return the name of a class, or its number."""
    return output.class_names[index] if index < len(output.class_names) else f"class {index}"


def of_output(artifacts: Artifacts, output: OutputEvidence) -> str:
    """Return " of output NAME" when the model has several outputs, else ""."""
    several = artifacts.worker is not None and len(artifacts.worker.outputs) > 1
    return f" of output {output.name}" if several else ""


def layers_by_path(artifacts: Artifacts) -> dict[str, LayerFacts]:
    """Return the layers by path, and by plain name where no other layer has it."""
    layers = artifacts.worker.layers if artifacts.worker else ()
    names = [layer.name for layer in layers]
    found = {layer.name: layer for layer in layers if names.count(layer.name) == 1}
    return found | {layer.path: layer for layer in layers}


def layer_anchor(artifacts: Artifacts, path: str) -> str:
    """Return the anchor of a layer's row in the layer table, or the section's when it has no row."""
    for index, layer in enumerate(artifacts.worker.layers if artifacts.worker else ()):
        if path in (layer.path, layer.name):
            return f"layer-{index}"
    return "layers"


def broken_weights(artifacts: Artifacts) -> set[str]:
    """Return the layers that hold a weight that is NaN or infinite."""
    return {
        weight.layer for weight in (artifacts.worker.weights if artifacts.worker else ()) if weight.nan or weight.inf
    }


def last_layers(artifacts: Artifacts) -> Iterator[tuple[str, LayerFacts]]:
    """Yield (output name, its last layer that computes something), for outputs where this is certain.

    Layers that only change the shape are passed over. An output whose path back meets anything else is left out: no
    evidence is better than a guess. Of a subclassed model those layers are known that a trial call saw to give one.
    """
    worker = artifacts.worker
    if worker is None or worker.model is None:
        return
    if worker.graph is None or worker.model.kind == "subclassed":
        layers = layers_by_path(artifacts)
        if len(worker.model.ends) == len(worker.outputs):
            ends = zip((output.name for output in worker.outputs), worker.model.ends, strict=True)
            yield from ((name, layers[end]) for name, end in ends if end in layers and not _is_echo(layers[end]))
        return
    graph = worker.graph
    nodes = {node.id: node for node in graph.nodes}
    before: dict[str, list[str]] = {}
    for edge in graph.edges:
        before.setdefault(edge.target, []).append(edge.source)
    layers = layers_by_path(artifacts)
    names = worker.model.output_names
    if len(names) != len(graph.outputs):
        return
    for name, node_id in zip(names, graph.outputs, strict=True):
        node = nodes.get(node_id)
        while node is not None and _changes_nothing(node) and len(before.get(node.id, ())) == 1:
            node = nodes.get(before[node.id][0])
        if node is not None and node.layer in layers:
            yield name, layers[node.layer]


SHAPE_ONLY = frozenset(
    (
        "Reshape",
        "Flatten",
        "Permute",
        "Dropout",
        "Cropping1D",
        "Cropping2D",
        "Cropping3D",
        "Identity",
        "Squeeze",
        "ExpandDims",
        "Cast",
    )
)


def _changes_nothing(node: Node) -> bool:
    """Tell whether a layer leaves the values as they are (while predicting)."""
    return node.type in SHAPE_ONLY or (node.type == "Activation" and node.activation == "linear")


def _is_echo(layer: LayerFacts) -> bool:
    """Tell the same of a layer outside any graph."""
    return layer.type in SHAPE_ONLY or (layer.type == "Activation" and layer.activation == "linear")


def expects_logits(model: ModelFacts, output: str) -> bool | None:
    """Return what an output's loss expects; None when the file does not say (a loss of the author's own)."""
    said = setting(model.from_logits, output)
    name = setting(model.loss, output) or ""
    if said is not None or not name:
        return None if said is None else bool(said)
    own = any(f"The loss {name} " in note for note in model.notes)
    # A loss named by a plain word is Keras's own function, whose default is from_logits=False.
    return False if loss_kind(model, output) in CROSS_ENTROPIES and not own else None


CROSS_ENTROPIES = frozenset(
    (
        "binarycrossentropy",
        "categoricalcrossentropy",
        "sparsecategoricalcrossentropy",
        "binaryfocalcrossentropy",
        "categoricalfocalcrossentropy",
    )
)


def setting(model_values: dict[str, Any], output: str) -> Any:
    """Return what the saved file says for one output: its own entry, else the one for all (""), else None."""
    return model_values.get(output, model_values.get(""))


def places(artifacts: Artifacts) -> tuple[str, ...]:
    """Return where each labelled output's headline metric stands beside its baseline, see `standing`."""
    return tuple(found.place for found in standings(artifacts))


def standings(artifacts: Artifacts) -> tuple[Standing, ...]:
    """Return how each labelled output's headline metric stands beside its baseline."""
    heads = [headline(metric_values(output)) for output in outputs(artifacts)]
    return tuple(standing(head) for head in heads if head is not None)


def loss_kind(model: ModelFacts, output: str) -> str:
    """Return the loss of an output as letters only ("categoricalcrossentropy"), "" when the file names none."""
    name = setting(model.loss, output) or ""
    letters = re.sub("[^a-z]", "", name.lower())
    return {"bce": "binarycrossentropy", "cce": "categoricalcrossentropy"}.get(letters, letters)


def last_dimension(shape: str) -> int | None:
    """Return the last size in a shape written as text ("(None, 10)"), None when it is open or absent."""
    sizes = re.findall(r"None|\d+", shape)
    return int(sizes[-1]) if len(sizes) > 1 and sizes[-1] != "None" else None
