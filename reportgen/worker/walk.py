"""Walk a live model in call order: every call of every layer, through nested models, with the tensors between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from reportgen.analysis.graph import Edge, Group

Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a trial call showed of one call inside somebody's own code: shapes, batch axis first and open, and dtypes.

    `source` is where its first input came from unchanged: the index of a model input, or a layer; None if unknown.
    """

    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    dtypes: tuple[str, ...]
    source: Any = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one layer or operation.

    `node` is Keras's record of it; None inside own code, of which `seen` tells what a trial call showed.
    """

    id: str
    layer: Any
    path: str
    group: str | None
    node: Any
    seen: Seen | None = None

    def shapes(self) -> tuple[list[Shape], list[Shape]]:
        """Return the shapes of inputs and outputs, batch axis first; empty lists where they are not known."""
        if self.node is not None:
            return shapes_of(self.node.input_tensors), shapes_of(self.node.outputs)
        return (list(self.seen.inputs), list(self.seen.outputs)) if self.seen is not None else ([], [])

    def output_shape(self) -> Shape:
        """Return the shape of the first output; () where it is not known."""
        return next(iter(self.shapes()[1]), ())


@dataclass(slots=True)
class Walk:
    """The calls of a model, the tensors between them and the nested models around them.

    `layers` maps id(layer) to its path. `inside` lists, for layers of somebody's own code, by id(layer), the calls of
    the layers that they hold: these are no nodes of the graph. `connected` is False for subclassed models: then `calls`
    lists the tracked layers and there are no edges. `ends` holds, for each output of a model whose inside a trial call
    showed, the layer that gives it (None: no layer), and `output_shapes` their shapes.
    """

    calls: list[Call] = field(default_factory=list)
    edges: dict[tuple[str, str], None] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    layers: dict[int, str] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    inside: dict[int, list[Call]] = field(default_factory=dict)
    ends: list[Any] = field(default_factory=list)
    output_shapes: list[Shape] = field(default_factory=list)
    connected: bool = True

    def add(self, layer: Any, path: str, group: str | None, node: Any, sources: Iterable[str]) -> str:
        """Note one call and where its inputs come from; return its id."""
        if id(layer) not in self.layers:
            self.layers[id(layer)] = self._new_path(path)
            if self.connected and holds_layers(layer):
                self.inside[id(layer)] = list(self._open_own(layer, path))
        path = self.layers[id(layer)]
        call = Call(f"n{len(self.calls)}", layer, path, group, node)
        self.calls.append(call)
        for source in sources:
            self.edges[(source, call.id)] = None
        return call.id

    def _open_own(self, layer: Any, path: str) -> Iterator[Call]:
        """Yield the layers inside one of somebody's own code that no other one holds, with new paths."""
        for inner, inner_path in tracked_layers(layer, f"{path}/"):
            if id(inner) not in self.layers:
                self.layers[id(inner)] = self._new_path(inner_path)
                yield Call("", inner, self.layers[id(inner)], None, None)

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

    def every_call(self) -> list[Call]:
        """Return all calls, those inside a layer of somebody's own code before its own, as their outputs come to be."""
        opened: set[int] = set()
        found = []
        for call in self.calls:
            if id(call.layer) not in opened:
                found += self.inside.get(id(call.layer), [])
            opened.add(id(call.layer))
            found.append(call)
        return found

    def first_calls(self) -> list[Call]:
        """Return the first call of every layer."""
        seen: dict[int, Call] = {}
        for call in self.every_call():
            seen.setdefault(id(call.layer), call)
        return list(seen.values())

    def end_layers(self) -> set[int]:
        """Return the ids of the layers whose output is one of the model's."""
        outputs = set(self.outputs)
        return {id(call.layer) for call in self.calls if call.id in outputs} | {id(end) for end in self.ends}


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


def holds_layers(layer: Any) -> bool:
    """Tell whether a layer is somebody's own code around other layers, which then have rows of their own."""
    own = not type(layer).__module__.startswith("keras.") and not is_nested(layer)
    return own and hasattr(layer, "_flatten_layers") and bool(sublayers(layer))


def sublayers(layer: Any) -> list[Any]:
    """Return the layers that a layer or model holds, without those that these hold in turn."""
    found = layer.layers if is_nested(layer) else layer._flatten_layers(include_self=False, recursive=False)
    return [inner for inner in found if type(inner).__name__ != "InputLayer"]


def tracked_layers(layer: Any, prefix: str = "", seen: set[int] | None = None) -> Iterator[tuple[Any, str]]:
    """Yield the layers that a subclassed model or layer holds, with their paths.

    Nested models are opened; layers of somebody's own code come after what they hold, as their outputs do.
    """
    seen = set() if seen is None else seen
    for inner in sublayers(layer):
        if id(inner) in seen:  # two may share one
            continue
        seen.add(id(inner))
        path = f"{prefix}{inner.name}"
        if is_nested(inner) or holds_layers(inner):
            yield from tracked_layers(inner, f"{path}/", seen)
        if not is_nested(inner):
            yield inner, path


def own_weights(layer: Any) -> list[Any]:
    """Return the weights of a layer, without those of layers that have rows of their own."""
    weights = list(getattr(layer, "weights", ()))
    if not holds_layers(layer):
        return weights
    inner = {id(weight) for part in sublayers(layer) for weight in part.weights}
    return [weight for weight in weights if id(weight) not in inner]


def own_trainable(layer: Any) -> list[Any]:
    """Return those of a layer's own weights that training changes."""
    trainable = {id(weight) for weight in getattr(layer, "trainable_weights", ())}
    return [weight for weight in own_weights(layer) if id(weight) in trainable]


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


def shapes_of(tensors: Any) -> list[Shape]:
    """Return the shapes of symbolic tensors."""
    return [tuple(tensor.shape) for tensor in tensors]
