"""The neutral graph from a model's saved configuration alone, for models that cannot be loaded. Pure JSON, no Keras."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reportgen.analysis.graph import Edge, Graph, Group, Node

Config = dict[str, Any]
Source = tuple[str, int, int]  # layer name, which of its calls, which of its outputs
DEEPEST = 40
MOST_NODES = 20_000
DETAILS = {
    "units": "units",
    "filters": "filters",
    "kernel_size": "kernel",
    "pool_size": "pool",
    "rate": "rate",
    "num_heads": "heads",
    "output_dim": "size",
}
OWN_ACTIVATION = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "PReLU": "prelu", "ELU": "elu", "Softmax": "softmax"}


class NoGraph(ValueError):
    """The configuration holds no graph: a subclassed model, or not a model."""


@dataclass(slots=True)
class _Build:
    """The graph so far."""

    nodes: list[Node] = field(default_factory=list)
    edges: dict[tuple[str, str], None] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)

    def add(self, entry: Config, prefix: str, group: str | None, shape: Any, given: Any, sources: list[str]) -> str:
        """Add one call of a layer; return its id."""
        if len(self.nodes) >= MOST_NODES:
            raise NoGraph(f"the configuration has more than {MOST_NODES:,} layer calls")
        config = _settings(entry)
        node = Node(
            id=f"n{len(self.nodes)}",
            layer=f"{prefix}{_name(entry)}",
            type=str(entry.get("class_name", "")),
            shape=_shape_text(shape),
            parameters=count_parameters(entry, given),
            activation=_activation(entry),
            group=group,
            details=tuple(
                (label, _size_text(config[name])) for name, label in DETAILS.items() if config.get(name) is not None
            ),
        )
        self.nodes.append(node)
        self.edges.update(((source, node.id), None) for source in sources)
        return node.id


def graph_from_config(config: Config) -> Graph:
    """Return the graph of a functional or sequential configuration (Keras 2 and 3). Raises NoGraph."""
    build = _Build()
    try:
        outputs = _expand(build, config, "", None, None, 0)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise NoGraph(
            f"the configuration is not laid out as Keras lays it out ({type(error).__name__}: {error})"
        ) from error
    ends = tuple(dict.fromkeys(end for part in outputs for end in part))
    edges = tuple(Edge(source, target) for source, target in build.edges)
    return Graph(tuple(build.nodes), edges, tuple(build.groups), tuple(build.inputs), ends, source="config")


def _expand(
    build: _Build, entry: Config, prefix: str, group: str | None, sources: list[list[str]] | None, depth: int
) -> list[list[str]]:
    """Add the inside of a model; return the ids behind each of its outputs."""
    if depth > DEEPEST:
        raise NoGraph(f"models are nested more than {DEEPEST} deep")
    config = entry.get("config")
    layers = config if isinstance(config, list) else (config or {}).get("layers")
    if not isinstance(layers, list) or not layers:
        raise NoGraph("the model is subclassed: its configuration does not say how its layers are connected")
    if entry.get("class_name") == "Sequential":
        return _expand_sequential(build, layers, prefix, group, sources, depth)
    return _expand_functional(build, _settings(entry), layers, prefix, group, sources, depth)


def _expand_sequential(
    build: _Build, layers: list[Config], prefix: str, group: str | None, sources: list[list[str]] | None, depth: int
) -> list[list[str]]:
    """Add a chain of layers; like Keras's own graph, without a box for its input."""
    chain = [layer for layer in layers if layer.get("class_name") != "InputLayer"]
    flow = sources or []
    for index, layer in enumerate(chain):
        if _is_model(layer):
            flow = _open(build, layer, prefix, group, flow if sources or index else None, depth)
            continue
        after = _built_for(chain[index + 1]) if index + 1 < len(chain) else None
        given = _built_for(layer)
        shape = after or _output_of(layer, given)
        call = build.add(layer, prefix, group, shape, given, [end for part in flow for end in part])
        if index == 0 and group is None:
            build.inputs.append(call)
        flow = [[call]]
    return flow


def _expand_functional(
    build: _Build,
    config: Config,
    layers: list[Config],
    prefix: str,
    group: str | None,
    sources: list[list[str]] | None,
    depth: int,
) -> list[list[str]]:
    """Add every call whose inputs are known until none is left."""
    shapes = _shapes(layers)
    flow: dict[Source, list[str]] = {}
    waiting = [
        (layer, index, inbound)
        for layer in layers
        for index, inbound in enumerate(layer.get("inbound_nodes") or [None])
    ]
    given = dict(zip((source[0] for source in _sources(config.get("input_layers"))), sources or [], strict=False))
    while waiting:
        later = []
        for layer, index, inbound in waiting:
            wanted = list(_sources(inbound))
            if any(source not in flow for source in wanted):
                later.append((layer, index, inbound))
                continue
            before = [flow[source] for source in wanted]
            name = _name(layer)
            if _is_model(layer):
                after = _open(build, layer, prefix, group, before, depth)
            else:
                came = _built_for(layer) or (shapes.get(wanted[0]) if wanted else None)
                shape = (
                    shapes.get((name, index, 0))
                    or _settings(layer).get("batch_shape")
                    or _settings(layer).get("batch_input_shape")
                )
                ends = [end for part in before for end in part] or given.get(name, [])
                call = build.add(layer, prefix, group, shape or _output_of(layer, came), came, ends)
                if layer.get("class_name") == "InputLayer" and group is None:
                    build.inputs.append(call)
                after = [[call]] * 32
            flow.update(((name, index, place), ends) for place, ends in enumerate(after))
        if len(later) == len(waiting):
            raise NoGraph(f"the inputs of layer {_name(later[0][0])!r} come from nowhere")
        waiting = later
    return [flow.get(source, []) for source in _sources(config.get("output_layers"))]


def _open(
    build: _Build, entry: Config, prefix: str, group: str | None, sources: list[list[str]] | None, depth: int
) -> list[list[str]]:
    """Add one call of a nested model as a group."""
    inner = Group(f"g{len(build.groups)}", _name(entry), str(entry.get("class_name", "")), group)
    build.groups.append(inner)
    return _expand(build, entry, f"{prefix}{_name(entry)}/", inner.id, sources, depth + 1)


def _is_model(entry: Config) -> bool:
    """Tell whether an entry is a model with layers of its own."""
    return entry.get("class_name") in ("Sequential", "Functional", "Model") and isinstance(
        _settings(entry).get("layers"), list
    )


def _settings(entry: Config) -> Config:
    """Return an entry's settings."""
    config = entry.get("config")
    return config if isinstance(config, dict) else {}


def _name(entry: Config) -> str:
    """Return an entry's name."""
    return str(entry.get("name") or _settings(entry).get("name") or entry.get("class_name", ""))


def _sources(value: Any, depth: int = 0) -> Iterator[Source]:
    """Yield the tensors that a saved structure names: Keras 3's keras_history, Keras 2's [name, node, tensor, ...]."""
    if depth > DEEPEST or value is None:
        return
    if isinstance(value, dict):
        history = _settings(value).get("keras_history") if value.get("class_name") == "__keras_tensor__" else None
        if history:
            yield str(history[0]), int(history[1]), int(history[2])
        else:
            for item in value.values():
                yield from _sources(item, depth + 1)
    elif isinstance(value, list):
        if len(value) >= 3 and isinstance(value[0], str) and type(value[1]) is int and type(value[2]) is int:
            yield value[0], value[1], value[2]
            yield from _sources(value[3] if len(value) > 3 else None, depth + 1)
        else:
            for item in value:
                yield from _sources(item, depth + 1)


def _shapes(layers: list[Config]) -> dict[Source, Any]:
    """Return the shapes of all tensors that some layer takes in."""
    found: dict[Source, Any] = {}
    stack: list[Any] = [layer.get("inbound_nodes") for layer in layers]
    while stack:
        value = stack.pop()
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            config = _settings(value)
            name, node, tensor = config["keras_history"][:3]
            found[(str(name), int(node), int(tensor))] = config.get("shape")
        elif isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return found


def _built_for(entry: Config) -> Any:
    """Return the input shape that a layer was built for, if it is recorded."""
    shape = (entry.get("build_config") or {}).get("input_shape") or _settings(entry).get("batch_input_shape")
    return shape if isinstance(shape, list) and all(size is None or type(size) is int for size in shape) else None


def _output_of(entry: Config, given: Any) -> Any:
    """Return the output shape of a layer that only changes the last axis."""
    units = _settings(entry).get("units") if entry.get("class_name") == "Dense" else None
    return [*given[:-1], units] if given and units else None


def _shape_text(shape: Any) -> str:
    """Return a shape as the loaded model would give it."""
    return str(tuple(shape)) if isinstance(shape, list) else ""


def _size_text(value: Any) -> str:
    """Return a size as "3x3" or "0.5"."""
    return "x".join(str(part) for part in value)[:40] if isinstance(value, list) else str(value)[:40]


def _activation(entry: Config) -> str:
    """Return the activation's name."""
    activation = _settings(entry).get("activation")
    if isinstance(activation, dict):
        activation = (
            activation.get("config") if isinstance(activation.get("config"), str) else activation.get("class_name")
        )
    return OWN_ACTIVATION.get(str(entry.get("class_name")), str(activation or ""))[:100]


def count_parameters(entry: Config, given: Any) -> int:
    """Return the number of weights of the most usual layers; 0 where it cannot be told from the configuration."""
    config, kind = _settings(entry), str(entry.get("class_name", ""))
    if kind == "Embedding":
        return int(config.get("input_dim") or 0) * int(config.get("output_dim") or 0)
    last = given[-1] if given and isinstance(given[-1], int) else 0
    if not last:
        return 0
    bias = 1 if config.get("use_bias", True) else 0
    if kind == "Dense":
        return int(config["units"]) * (last + bias)
    if kind in ("Conv1D", "Conv2D", "Conv3D"):
        channels = given[1] if config.get("data_format") == "channels_first" else last
        return int(config["filters"]) * (
            math.prod(config["kernel_size"]) * channels // int(config.get("groups") or 1) + bias
        )
    if kind == "DepthwiseConv2D":
        return last * int(config.get("depth_multiplier") or 1) * (math.prod(config["kernel_size"]) + bias)
    if kind == "BatchNormalization":
        return last * (2 + bool(config.get("center", True)) + bool(config.get("scale", True)))
    if kind == "LayerNormalization":
        return last * (bool(config.get("center", True)) + bool(config.get("scale", True)))
    if kind in ("LSTM", "GRU", "SimpleRNN"):
        units, gates = int(config["units"]), {"LSTM": 4, "GRU": 3}.get(kind, 1)
        biases = 2 if kind == "GRU" and config.get("reset_after", True) else 1
        return gates * units * (last + units + bias * biases)
    return 0
