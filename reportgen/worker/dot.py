"""Keras's own graph (`model_to_dot`, the function behind `plot_model`) as DOT text that is safe and always the same.

Keras names nodes by memory address and puts layer names into HTML-like labels as they are. So layers carry plain names
while the graph is built; afterwards nodes get the neutral graph's ids, real names come back escaped, and each node
links to its row in the layer table.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.parsers import expat

from reportgen.worker.walk import Walk

TAGS = {"table", "tr", "td", "font", "b"}
ATTRIBUTES = {"border", "cellborder", "bgcolor", "cellpadding", "colspan", "point-size", "color"}
LONGEST_NAME = 80
TOKEN = re.compile(r"xlayer(\d+)x")
HEADER = """digraph model {
  graph [rankdir=TB, dpi=72, splines=spline, concentrate=true, bgcolor=transparent];
  node [shape=record, fontname="Helvetica", border=0, margin=0];
  edge [penwidth=2];
"""


def keras_dot(model: Any, walk: Walk) -> str:
    """Return the DOT of a functional or sequential model. Raises ImportError without pydot."""
    import keras

    with _plain_names(model) as names:
        graph = keras.utils.model_to_dot(
            model,
            show_shapes=True,
            show_layer_names=True,
            show_layer_activations=True,
            expand_nested=True,
            dpi=72,
            splines="spline",
        )
    places = {str(id(call.layer)): (call.id, index) for index, call in enumerate(walk.first_calls())}
    lines = [HEADER, *_write(graph, places, names, "  "), "}\n"]
    return "".join(lines)


@contextmanager
def _plain_names(model: Any) -> Iterator[list[str]]:
    """Give every layer and nested model a name of letters and digits while this lasts.

    Yield the real names by number.
    """
    owners: list[Any] = []
    _gather(model, owners, set())
    names = [owner.name for owner in owners]
    try:
        for number, owner in enumerate(owners):
            object.__setattr__(owner, "name", f"xlayer{number}x")
        yield names
    finally:
        for owner, name in zip(owners, names, strict=True):
            object.__setattr__(owner, "name", name)


def _gather(layer: Any, found: list[Any], seen: set[int]) -> None:
    """Collect a model, its layers and operations, and those of nested models."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    found.append(layer)
    for inner in (*getattr(layer, "layers", ()), *getattr(layer, "_operations", ())):
        _gather(inner, found, seen)


def _write(graph: Any, places: dict[str, tuple[str, int]], names: list[str], indent: str) -> Iterator[str]:
    """Yield the lines of a graph or cluster, in the order in which Keras made them."""
    for node in graph.get_node_list():
        key = node.get_name().strip('"')
        if key in places:
            identity, index = places[key]
            label = _label(str(node.get("label")), names)
            yield f'{indent}{identity} [label={label}, URL="#layer-{index}"];\n'
    for number, cluster in enumerate(graph.get_subgraph_list()):
        name = _real_name(str(cluster.get_label()).strip('"'), names)
        yield f"{indent}subgraph cluster_{len(indent) // 2}_{number}_{_first(cluster, places)} {{\n"
        yield f"{indent}  label={_quoted(name)}; labeljust=l; style=dashed;\n"
        yield from _write(cluster, places, names, f"{indent}  ")
        yield f"{indent}}}\n"
    for edge in graph.get_edge_list():
        source, target = (str(end).strip('"') for end in (edge.get_source(), edge.get_destination()))
        if source in places and target in places:
            yield f"{indent}{places[source][0]} -> {places[target][0]};\n"


def _first(cluster: Any, places: dict[str, tuple[str, int]]) -> str:
    """Return the id of a node inside, which makes the cluster's name unique and stable."""
    for node in cluster.get_node_list():
        if node.get_name().strip('"') in places:
            return places[node.get_name().strip('"')][0]
    return "_".join(_first(inner, places) for inner in cluster.get_subgraph_list()) or "empty"


def _label(label: str, names: list[str]) -> str:
    """Return an HTML-like label with the real names.

    One that holds anything but Keras's own markup becomes plain text.
    """
    if not (label.startswith("<") and label.endswith(">") and _is_plain_table(label[1:-1])):
        return _quoted(_real_name(re.sub(r"<[^<>]*>", " ", label).strip("<> "), names))
    return TOKEN.sub(lambda match: html.escape(safe_text(names[int(match[1])])), label)


def _is_plain_table(markup: str) -> bool:
    """Tell whether a label is well-formed and made of the tags and attributes that Keras uses, nothing else."""
    fine = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        """Look at one opening tag."""
        nonlocal fine
        fine = fine and tag in TAGS and set(attributes) <= ATTRIBUTES

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(markup, True)
    except expat.ExpatError:
        return False
    return fine


def _real_name(text: str, names: list[str]) -> str:
    """Put real names back into plain text."""
    return TOKEN.sub(lambda match: safe_text(names[int(match[1])]), text)


def safe_text(text: str, longest: int = LONGEST_NAME) -> str:
    """Return text fit for a drawing: control, bidi, surrogate and noncharacters become U+FFFD, long text is cut."""
    text = "".join("\ufffd" if _unfit(ord(character)) else character for character in text[: longest + 1])
    return f"{text[: longest - 1]}…" if len(text) > longest else text


def _unfit(code: int) -> bool:
    """Tell whether a code point cannot stand in XML or turns the text around it."""
    return (
        code < 0x20
        or 0x7F <= code < 0xA0
        or 0x200B <= code <= 0x200F
        or 0x2028 <= code <= 0x202E
        or 0x2060 <= code <= 0x206F
        or 0xD800 <= code < 0xE000
        or code in (0xFEFF, 0x061C)
        or code & 0xFFFE == 0xFFFE
    )


def _quoted(text: str) -> str:
    """Return text as a DOT string, in which nothing is an escape."""
    return '"' + safe_text(text, 1000).replace("\\", "\\\\").replace('"', '\\"') + '"'
