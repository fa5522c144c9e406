"""The architecture: facts about the model as a whole, and the neutral graph."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from reportgen.analysis.evidence import ModelFacts
from reportgen.analysis.graph import Graph, Node
from reportgen.worker.layer_facts import activation_of, card_details, count_parameters, shape_text
from reportgen.worker.saved import CompileFacts, Saved, read_compile, read_seeds
from reportgen.worker.walk import Walk, is_nested

PACKAGES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch", "numpy": "numpy"}
SUBCLASSED = (
    "The model is subclassed: its layers are called from its own code, which could not be followed on empty samples."
)
UNCALLED = (
    "The model is subclassed: its layers are called from its own code, which is followed only where a batch is given."
)


def read_model(model: Any, saved: Saved | None, notes: tuple[str, ...] = ()) -> ModelFacts:
    """Return what the model and its file say.

    `saved` is None for a live model, whose compile settings are read from it.
    """
    import keras

    names = output_names(model)
    facts = read_compile(saved, names) if saved else read_live_compile(model, names)
    backend = keras.backend.backend()
    return ModelFacts(
        name=model.name,
        class_name=type(model).__name__,
        kind=kind_of(model),
        parameters=count_parameters(model),
        trainable_parameters=sum(_size(weight) for weight in model.trainable_weights),
        compiled=bool(facts.optimizer or facts.loss),
        optimizer=facts.optimizer,
        optimizer_settings=dict(facts.settings),
        loss=dict(facts.loss),
        metrics=dict(facts.metrics),
        from_logits=dict(facts.from_logits),
        keras_version=keras.__version__,
        backend=backend,
        backend_version=_version(PACKAGES.get(backend, backend)),
        saved_with=saved.keras_version if saved else "",
        saved_on=saved.date if saved else "",
        input_names=input_names(model),
        output_names=names,
        input_shapes=_symbolic_shapes(model, "inputs"),
        output_shapes=_symbolic_shapes(model, "outputs"),
        seeds=read_seeds(saved.config) if saved else {},
        notes=(*notes, *facts.notes),
    )


def add_ends(facts: ModelFacts, walk: Walk) -> ModelFacts:
    """Return the facts with what a trial call showed of a subclassed model's outputs."""
    if walk.connected or not walk.ends:
        return facts
    shapes = tuple(str(shape) for shape in walk.output_shapes)
    return replace(facts, output_shapes=shapes, ends=tuple(walk.layers.get(id(end), "") for end in walk.ends))


def _size(variable: Any) -> int:
    """Return the number of values of a variable."""
    size = 1
    for length in variable.shape:
        size *= int(length)
    return size


def _version(package: str) -> str:
    """Return an installed package's version without importing it, or ""."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def kind_of(model: Any) -> str:
    """Return Sequential, Functional or subclassed."""
    import keras

    if isinstance(model, keras.Sequential):
        return "Sequential"
    return "Functional" if is_nested(model) else "subclassed"


def read_live_compile(model: Any, names: tuple[str, ...]) -> CompileFacts:
    """Return the training settings of a live, compiled model."""
    if not getattr(model, "compiled", False):
        return CompileFacts()
    try:
        config = model.get_compile_config() or {}
    except (TypeError, ValueError, AttributeError):
        config = {"optimizer": {"class_name": type(model.optimizer).__name__, "config": {}}}
    return read_compile(Saved({}, config), names)


def input_names(model: Any) -> tuple[str, ...]:
    """Return the names by which a model's inputs are fed: dict keys, else the names of its input layers."""
    core = functional_core(model)
    if core is None:
        return ()
    struct = core._inputs_struct
    if isinstance(struct, dict):
        return tuple(str(key) for key in struct)
    return tuple(tensor.name for tensor in core.inputs)


def output_names(model: Any) -> tuple[str, ...]:
    """Return the names of a model's outputs: dict keys, else the names of the layers that give them."""
    core = functional_core(model)
    if core is None:
        return tuple(getattr(model, "output_names", None) or ())
    struct = core._outputs_struct
    if isinstance(struct, dict) and all(hasattr(tensor, "_keras_history") for tensor in struct.values()):
        return tuple(str(key) for key in struct)
    if core is not model:  # A Sequential's output is named after its last layer, however deep.
        return (model.layers[-1].name,)
    names, seen = [], {}  # type: list[str], dict[str, int]
    for name in core.output_names:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return tuple(names)


def functional_core(model: Any) -> Any:
    """Return the functional model inside (a built Sequential has one), or None for a subclassed or unbuilt one."""
    import keras

    core = getattr(model, "_functional", None) if isinstance(model, keras.Sequential) else model
    return core if core is not None and hasattr(core, "_nodes_by_depth") else None


def _symbolic_shapes(model: Any, side: str) -> tuple[str, ...]:
    """Return the shapes of a model's inputs or outputs as text, in the order of their names."""
    core = functional_core(model)
    if core is None:
        return ()
    struct = getattr(core, f"_{side}_struct")
    tensors = list(struct.values()) if isinstance(struct, dict) else getattr(core, side)
    return tuple(str(tuple(getattr(tensor, "shape", ()))) for tensor in tensors)


def read_graph(walk: Walk) -> Graph | None:
    """Return the neutral graph, or None for a subclassed model, which has none to read."""
    if not walk.connected:
        return None
    nodes = tuple(
        Node(
            id=call.id,
            layer=call.path,
            type=type(call.layer).__name__,
            shape=shape_text(call.shapes()[1]),
            parameters=count_parameters(call.layer),
            activation=activation_of(call.layer),
            group=call.group,
            details=card_details(call.layer),
        )
        for call in walk.calls
    )
    return Graph(nodes, walk.edge_list(), tuple(walk.groups), tuple(walk.inputs), tuple(walk.outputs))


def final_activation(model: Any, index: int, ends: Sequence[Any] = ()) -> str:
    """Return the activation that gives output `index`, looking through layers that only reshape; "" if unknown.

    `ends` are the layers that give the outputs of a subclassed model, as far as they are known.
    """
    core = functional_core(model)
    if core is None:
        return activation_of(ends[index]) if index < len(ends) and ends[index] is not None else ""
    if index >= len(core.outputs):
        return ""
    tensor = core.outputs[index]
    for _ in range(64):
        layer, node_index, tensor_index = tensor._keras_history
        inner = functional_core(layer)
        if inner is not None:
            tensor = inner.outputs[tensor_index]
            continue
        name = activation_of(layer)
        node = layer._inbound_nodes[node_index]
        if (name and name != "linear") or type(layer).__name__ not in SHAPE_ONLY or not node.input_tensors:
            return name
        tensor = node.input_tensors[0]
    return ""


SHAPE_ONLY = frozenset(
    {
        "Reshape",
        "Flatten",
        "Permute",
        "Dropout",
        "Identity",
        "Activation",
        "Cropping1D",
        "Cropping2D",
        "Squeeze",
        "ExpandDims",
        "Cast",
    }
)
