"""Walk a live model in call order: every call of every layer, through nested models, with the tensors between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reportgen.analysis.graph import Edge, Group


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one layer or operation. `node` is Keras's record of it; None in a model that was never connected."""

    id: str
    layer: Any
    path: str
    group: str | None
    node: Any


@dataclass(slots=True)
class Walk:
    """The calls of a model, the tensors between them and the nested models around them.

    `layers` maps id(layer) to its path, in the order of first calls. `connected` is False for subclassed models: then
    `calls` lists the tracked layers and there are no edges.
    """

    calls: list[Call] = field(default_factory=list)
    edges: dict[tuple[str, str], None] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    layers: dict[int, str] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    connected: bool = True

    def add(self, layer: Any, path: str, group: str | None, node: Any, sources: Iterable[str]) -> str:
        """Note one call and where its inputs come from; return its id."""
        if id(layer) not in self.layers:
            self.layers[id(layer)] = self._new_path(path)
        path = self.layers[id(layer)]
        call = Call(f"n{len(self.calls)}", layer, path, group, node)
        self.calls.append(call)
        for source in sources:
            self.edges[(source, call.id)] = None
        return call.id

    def _new_path(self, path: str) -> str:
        """Return a path that no other layer has."""
        candidate, number = path, 2
        while candidate in self.paths:
            candidate, number = f"{path} ({number})", number + 1
        self.paths.add(candidate)
        return candidate

    def edge_list(self) -> tuple[Edge, ...]:
        """Return the edges in the order in which they were found."""
        return tuple(Edge(source, target) for source, target in self.edges)

    def first_calls(self) -> list[Call]:
        """Return the first call of every layer."""
        seen: dict[int, Call] = {}
        for call in self.calls:
            seen.setdefault(id(call.layer), call)
        return list(seen.values())


def walk_model(model: Any) -> Walk:
    """Walk a functional or sequential model in call order; a subclassed one gives its tracked layers, unconnected."""
    walk = Walk()
    if is_nested(model):
        ends = _expand(walk, model, "", None, None)
        walk.outputs = list(dict.fromkeys(end for sources in ends for end in sources))
    else:
        walk.connected = False
        for layer, path in tracked_layers(model):
            walk.add(layer, path, None, None, ())
    return walk


def is_nested(layer: Any) -> bool:
    """Tell whether a layer is a model whose inside can be walked."""
    import keras

    if isinstance(layer, keras.Sequential):
        return bool(layer.layers)
    return isinstance(layer, keras.Model) and hasattr(layer, "_nodes_by_depth")


def tracked_layers(model: Any, prefix: str = "") -> Iterable[tuple[Any, str]]:
    """Yield the layers that a subclassed model holds, nested models opened, with their paths."""
    import keras

    for layer in getattr(model, "layers", []):
        path = f"{prefix}{layer.name}"
        if isinstance(layer, keras.Model) and getattr(layer, "layers", None):
            yield from tracked_layers(layer, f"{path}/")
        else:
            yield layer, path


def _expand(walk: Walk, model: Any, prefix: str, group: str | None, sources: list[list[str]] | None) -> list[list[str]]:
    """Add the inside of a model; return, for each of its flat outputs, the ids that it comes from."""
    import keras

    if isinstance(model, keras.Sequential):
        return _expand_sequential(walk, model, prefix, group, sources)
    return _expand_functional(walk, model, prefix, group, sources)


def _expand_sequential(
    walk: Walk, model: Any, prefix: str, group: str | None, sources: list[list[str]] | None
) -> list[list[str]]:
    """Add a chain of layers; like Keras's own graph, a Sequential shows no box for its input."""
    flow = sources or []
    for index, layer in enumerate(model.layers):
        if is_nested(layer):
            flow = _open(walk, layer, prefix, group, flow if sources is not None or index else None)
            continue
        node = layer._inbound_nodes[0] if getattr(layer, "_inbound_nodes", None) else None
        call = walk.add(layer, f"{prefix}{layer.name}", group, node, [end for ends in flow for end in ends])
        if index == 0 and group is None:
            walk.inputs.append(call)
        flow = [[call]] * max(1, len(getattr(node, "outputs", ())))
    return flow


def _expand_functional(
    walk: Walk, model: Any, prefix: str, group: str | None, sources: list[list[str]] | None
) -> list[list[str]]:
    """Add the nodes of a functional model in the order in which Keras runs them."""
    flow: dict[int, list[str]] = {}
    given = dict(zip((id(tensor) for tensor in model.inputs), sources or [], strict=False))
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            before = [flow.get(id(tensor), []) for tensor in node.input_tensors]
            if is_nested(node.operation):
                after = _open(walk, node.operation, prefix, group, before)
            else:
                ends = [end for part in before for end in part] or given.get(id(node.outputs[0]), [])
                call = walk.add(node.operation, f"{prefix}{node.operation.name}", group, node, ends)
                if node.is_input and group is None:
                    walk.inputs.append(call)
                after = [[call]] * len(node.outputs)
            flow.update((id(tensor), ends) for tensor, ends in zip(node.outputs, after, strict=False))
    return [flow.get(id(tensor), []) for tensor in model.outputs]


def _open(walk: Walk, model: Any, prefix: str, group: str | None, sources: list[list[str]] | None) -> list[list[str]]:
    """Add one call of a nested model as a group of its own."""
    inner = Group(f"g{len(walk.groups)}", model.name, type(model).__name__, group)
    walk.groups.append(inner)
    return _expand(walk, model, f"{prefix}{model.name}/", inner.id, sources)


def shapes_of(tensors: Any) -> list[tuple[int | None, ...]]:
    """Return the shapes of symbolic tensors."""
    return [tuple(tensor.shape) for tensor in tensors]
