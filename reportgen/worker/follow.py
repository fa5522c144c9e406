"""The graph of somebody's own code: which layer's answer goes where, followed through one call on empty samples.

Between the layers there is code that only runs. So each model, and each layer that holds others, is called again with
its inner layers answering at once with numbers of no meaning. What an inner layer is handed unchanged from another is
an arrow between the two. What was made of answers in between is a box of its own, and where it comes from is found by
giving another answer in the place of each in turn: whatever changes depends on it. Such a call costs no layer's work.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from reportgen.analysis.graph import ORDERED, OWN_CODE, Edge, Graph, Group, Node
from reportgen.worker.batch import Source
from reportgen.worker.layer_facts import activation_of, card_details, shape_text
from reportgen.worker.replay import Origin, Step, Unclear, find_flow
from reportgen.worker.runner import no_gradients
from reportgen.worker.trial import Nothing, make_nothing, states_kept, tensors_in
from reportgen.worker.walk import Call, Walk, holds_layers, is_nested, own_weights, sublayers
from reportgen.worker.watch import calls_replaced

MOST_CALLS = 400  # of a loop in own code; beyond, each layer is drawn once
# Calls of layers that answer at once, in all parts together: some 0.25 ms each (a chain of 100 layers with shortcuts,
# 20,000 of them, took 5 s of CPU), so 3 s at most.
MOST_ANSWERS = 12_000


@dataclass(slots=True)
class _Drawing:
    """The graph so far. `answers` is how many more calls may be answered; `ordered` whether any part only has order."""

    rows: set[str]
    samples: int = 0
    nodes: list[Node] = field(default_factory=list)
    edges: dict[tuple[str, str], None] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    answers: int = field(default_factory=lambda: MOST_ANSWERS)
    ordered: bool = False

    def add(self, path: str, kind: str, made: list[Any], group: str | None, sources: list[str], layer: Any) -> str:
        """Add a box; return its id. `made` are its outputs or their shapes; `layer` is None for what is no layer."""
        known = (_count(layer), activation_of(layer), card_details(layer)) if layer is not None else (0, "", ())
        sizes = [tuple(getattr(one, "shape", one)) for one in made]
        shapes = [tuple(None if size is None else int(size) for size in one) for one in sizes]
        opened = [(None, *shape[1:]) if shape[:1] == (self.samples,) else shape for shape in shapes]
        node = Node(f"n{len(self.nodes)}", path, kind, shape_text(opened), known[0], known[1], group, known[2])
        self.nodes.append(node)
        self.edges.update(((source, node.id), None) for source in sources)
        return node.id

    def spend(self, answers: int) -> None:
        """Take so many answers from the budget. Raises Unclear when it does not hold them."""
        if answers > self.answers:
            raise Unclear("there are too many calls to follow them all")
        self.answers -= answers


def _count(layer: Any) -> int:
    """Return the parameters of a layer, without those of layers that are drawn inside it."""
    return sum(math.prod(weight.shape) for weight in own_weights(layer))


def follow_calls(walk: Walk, model: Any, source: Source) -> Graph | None:
    """Return the graph of a subclassed model; None when no call of a layer is seen on empty samples."""
    seen = [call for call in walk.calls if call.seen is not None]
    if not seen:
        return None
    drawing = _Drawing(set(walk.layers.values()))
    try:
        with states_kept(model), no_gradients():
            nothing = make_nothing(model, source)
            drawing.samples = nothing.samples
            root = _record(model, nothing, dict(_open_layers(walk, model, ""))) if len(seen) <= MOST_CALLS else None
            inputs = [_draw_input(drawing, *one) for one in zip(nothing.names, nothing.tensors, strict=True)]
            given = [[node] for node in inputs]
            ends = _draw_part(drawing, root, None, given) if root is not None else _draw_once(drawing, seen, given)
    except Exception:  # the author's own code, and no sample of the batch: the pass itself will tell what is wrong
        return None
    edges = tuple(Edge(*edge) for edge in drawing.edges)
    outputs = tuple(dict.fromkeys(node for end in ends for node in end))
    kind = "order" if drawing.ordered else "calls"
    return Graph(tuple(drawing.nodes), edges, tuple(drawing.groups), tuple(inputs), outputs, kind)


def _draw_input(drawing: _Drawing, name: str, tensor: Any) -> str:
    """Add the box of one input."""
    return drawing.add(name or "input", "InputLayer", [tensor], None, [], None)


def _open_layers(walk: Walk, layer: Any, prefix: str) -> Iterator[tuple[int, tuple[Any, str]]]:
    """Yield, by id, every layer that may be called inside a model or layer of somebody's own, with its path."""
    for inner in sublayers(layer):
        path = walk.layers.get(id(inner), f"{prefix}{inner.name}")
        yield id(inner), (inner, path)
        if _is_open(inner):
            yield from _open_layers(walk, inner, f"{path}/")


def _is_open(layer: Any) -> bool:
    """Tell whether the layers inside one are drawn: a nested model, or somebody's own code around others."""
    return is_nested(layer) or holds_layers(layer)


def _record(model: Any, nothing: Nothing, layers: dict[int, tuple[Any, str]]) -> Step:
    """Call the model once; return the tree of its calls."""
    root = Step(model, "", (nothing.packed,), {"training": False})
    going_on = [root]
    with calls_replaced((layer, partial(_watched, layer, path, going_on)) for layer, path in layers.values()):
        root.output = model(*root.args, **root.kwargs)
    return root


def _watched(layer: Any, path: str, going_on: list[Step], call: Callable[..., Any]) -> Callable[..., Any]:
    """Return `call`, noting each time under the innermost of the calls that are going on."""

    def called(*args: Any, **kwargs: Any) -> Any:
        """Call the layer."""
        step = Step(layer, path, args, kwargs)
        going_on[-1].inside.append(step)
        going_on.append(step)
        try:
            step.output = call(*args, **kwargs)
        finally:
            going_on.pop()
        return step.output

    return called


def _draw_part(drawing: _Drawing, step: Step, group: str | None, inputs: list[list[str]]) -> list[list[str]]:
    """Draw what is inside one call; return, for each of its outputs, the boxes that it comes from.

    `inputs` holds the same for each tensor that it is given.
    """
    try:
        flow = find_flow(step, drawing.spend)
    except Unclear:
        return _draw_in_order(drawing, step, group, inputs)
    outs: list[list[list[str]]] = []
    made: dict[int, str] = {}

    def place(origin: Origin) -> list[str]:
        """Return the boxes behind a tensor, with those of own code on the way."""
        kind, number, which = origin
        if kind == "given":
            return inputs[number] if number < len(inputs) else []
        if kind == "call":
            return outs[number][which]
        if number not in made:
            made[number] = _draw_own(drawing, step, group, sources_of(number), flow.made[number][1])
        return [made[number]]

    def sources_of(number: int) -> list[str]:
        """Return the boxes that something made by own code comes from."""
        return _union(_behind(origin, place, outs) for origin in flow.made[number][0])

    for child, given in zip(step.inside, flow.given, strict=True):
        outs.append(_draw_call(drawing, child, group, [place(origin) for origin in given]))
    if step.path in drawing.rows and (own_weights(step.layer) or any(end[0] == "made" for end in flow.ends)):
        sources = [sources_of(end[1]) if end[0] == "made" and end[1] not in made else place(end) for end in flow.ends]
        return [[_draw_end(drawing, step, group, _union(sources))]] * len(flow.ends)
    return [place(end) for end in flow.ends]


def _behind(origin: Origin, place: Callable[[Origin], list[str]], outs: list[list[list[str]]]) -> list[str]:
    """Return the boxes behind something that own code uses: all outputs of a call, for it was changed as a whole."""
    return _union(outs[origin[1]]) if origin[0] == "call" else place(origin)


def _draw_call(drawing: _Drawing, child: Step, group: str | None, given: list[list[str]]) -> list[list[str]]:
    """Draw one call: a box, or a frame with what is inside."""
    outputs = tensors_in(child.output)
    if not child.inside:
        made = drawing.add(child.path, type(child.layer).__name__, outputs, group, _union(given), child.layer)
        return [[made]] * len(outputs)
    frame = Group(f"g{len(drawing.groups)}", child.path.rsplit("/", 1)[-1], type(child.layer).__name__, group)
    drawing.groups.append(frame)
    return _draw_part(drawing, child, frame.id, given)


def _draw_own(drawing: _Drawing, step: Step, group: str | None, sources: list[str], shape: tuple[int, ...]) -> str:
    """Draw what own code makes between layers: where results meet, or what is done to one."""
    name = "join" if len(sources) > 1 else "step" if sources else "constant"
    return drawing.add(f"{step.path}/{name}" if step.path else name, OWN_CODE, [shape], group, sources, None)


def _draw_end(drawing: _Drawing, step: Step, group: str | None, sources: list[str]) -> str:
    """Draw a layer that holds others as the last box in its frame: what it makes of their answers, and its weights."""
    kind, outputs = type(step.layer).__name__, tensors_in(step.output)
    return drawing.add(step.path, kind, outputs, group, sources, step.layer)


def _draw_in_order(drawing: _Drawing, step: Step, group: str | None, inputs: list[list[str]]) -> list[list[str]]:
    """Draw the calls inside one as a chain, where what flows between them cannot be told; its frame says so."""
    drawing.ordered = True
    drawing.groups = [replace(one, name=f"{one.name} {ORDERED}") if one.id == group else one for one in drawing.groups]
    before = _union(inputs)
    for child in step.inside:
        before = _union(_draw_call(drawing, child, group, [before] * len(child.inputs()))) or before
    if step.path in drawing.rows:
        before = [_draw_end(drawing, step, group, before)]
    return [before] * len(tensors_in(step.output))


def _draw_once(drawing: _Drawing, calls: list[Call], inputs: list[list[str]]) -> list[list[str]]:
    """Draw each layer once, in the order of first calls, where there are too many calls to follow."""
    drawing.ordered = True
    before = _union(inputs)
    first: dict[int, Call] = {}
    for call in calls:
        first.setdefault(id(call.layer), call)
    for call in first.values():
        kind, shapes = type(call.layer).__name__, list(call.shapes()[1])
        before = [drawing.add(call.path, kind, shapes, None, before, call.layer)]
    return [before]


def _union(parts: Iterable[list[str]]) -> list[str]:
    """Return the boxes of all parts, each once."""
    return list(dict.fromkeys(node for part in parts for node in part))
