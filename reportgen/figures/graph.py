"""The architecture graph: cards and frames laid out by Graphviz, drawn here.

Graphviz gets boxes of a known size under made-up names ("c0", "c1", ...) and gives positions back: no word of a model
reaches DOT. Words are written into the SVG afterwards, escaped, every card a link to its row in the layer table.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from reportgen.figures import ink
from reportgen.figures.drawing import Drawing
from reportgen.figures.engines import draw_dot
from reportgen.figures.full_graph import theme_full_graph
from reportgen.figures.graph_card import (
    FRAME_ROW,
    Sketch,
    draw_card,
    draw_frame,
    draw_frame_title,
    frame_width,
    sketch_cards,
)
from reportgen.figures.lettering import open_svg, pixel
from reportgen.report.blocks import GraphGroup, GraphView

MARGIN = 8.0
STEEP, LOOSE = "12", "1"
OUTSIDE = ""
IN, OUT = "in", "out"  # where what is inside a card is joined to the rest

Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where everything stands, in px from the top left: card centres, edge curves, frames as (x, y, width, height).

    The curves come in the order of the block's edges; `out` is where edges leave the inside of a card.
    """

    width: float
    height: float
    cards: dict[str, tuple[float, float]]
    edges: tuple[Curve, ...]
    frames: dict[str, tuple[float, float, float, float]]
    out: tuple[float, float] | None = None


def plot_graph(block: GraphView) -> tuple[GraphView, Drawing | None]:
    """Draw a graph; without an engine the block comes back with the reason in its note, and no drawing."""
    if block.dot:
        data, reason = draw_dot(block.dot, "svg")
        drawing = theme_full_graph(data) if data is not None else None
        return (block, drawing) if drawing else (_explain(block, reason or "its drawing could not be read"), None)
    if not block.cards:
        return block, None
    sketches = sketch_cards(block)
    data, reason = draw_dot(write_dot(block, sketches), "json0")
    placed = read_layout(data, block) if data is not None else None
    if placed is None:
        return _explain(block, reason or "its layout could not be read"), None
    svg = _draw(block, sketches, placed)
    return block, Drawing("image/svg+xml", svg.encode("utf-8"), round(placed.width), round(placed.height))


def _explain(block: GraphView, reason: str) -> GraphView:
    """Return the block with a note that says why there is no drawing."""
    note = f"Not drawn ({reason}). The list below and the layer table say the same."
    return replace(block, note=f"{block.note} {note}".strip())


def write_dot(block: GraphView, sketches: dict[str, Sketch]) -> str:
    """Return the DOT of the cards: sizes and links under plain names, frames as clusters."""
    import graphviz

    names = {card.id: f"c{i}" for i, card in enumerate(block.cards)}
    graph = graphviz.Digraph(
        graph_attr={"splines": "spline", "dpi": "72", "rankdir": "TB", "nodesep": "0.25", "ranksep": "0.32"},
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
        edge_attr={"arrowhead": "none"},
    )
    _write_level(graph, block, sketches, names, None, set())
    rank = _rank(block)
    if block.card:
        graph.attr("node", shape="point", width="0.02")
    for source, target in drawn_edges(block):
        # The trunk runs straight down, what skips a card goes around it.
        steep = rank.get(target, 0) - rank.get(source, -1) == 1
        graph.edge(names.get(source, IN), names.get(target, OUT), weight=STEEP if steep else LOOSE)
    return str(graph.source)


def drawn_edges(block: GraphView) -> list[tuple[str, str]]:
    """Return the edges that are drawn: between cards and, inside a card, from and to the outside."""
    ends = {card.id for card in block.cards} | ({OUTSIDE} if block.card else set())
    return [edge for edge in block.edges if ends.issuperset(edge) and edge != (OUTSIDE, OUTSIDE)]


def _rank(block: GraphView) -> dict[str, int]:
    """Return how many cards lead to each card at most; cards stand in reading order, an edge back counts nothing."""
    place = {card.id: i for i, card in enumerate(block.cards)}
    into: dict[str, list[str]] = {card.id: [] for card in block.cards}
    for source, target in block.edges:
        if place.get(source, len(place)) < place.get(target, -1):
            into[target].append(source)
    rank: dict[str, int] = {}
    for card in block.cards:
        rank[card.id] = 1 + max((rank[source] for source in into[card.id]), default=-1)
    return rank


def _write_level(
    graph: Any, block: GraphView, sketches: dict[str, Sketch], names: dict[str, str], frame: str | None, above: set[str]
) -> None:
    """Write the cards of one frame and the frames in it; a frame that is not known counts as none."""
    known = {group.id for group in block.groups}
    for card in block.cards:
        if (card.group if card.group in known else None) == frame:
            sketch = sketches[card.id]
            graph.node(names[card.id], width=f"{sketch.width / 72:.4f}", height=f"{sketch.height / 72:.4f}")
    for index, group in enumerate(block.groups):
        if (group.parent if group.parent in known else None) != frame or group.id in above or group.id == frame:
            continue
        size = f'FIXEDSIZE="TRUE" WIDTH="{frame_width(group):.0f}" HEIGHT="{FRAME_ROW:.0f}"'
        room = f'<<TABLE BORDER="0" {size}><TR><TD></TD></TR></TABLE>>'
        with graph.subgraph(name=f"cluster_{index}") as inner:
            inner.attr(label=room, labeljust="l", margin="10")
            _write_level(inner, block, sketches, names, group.id, above | {group.id})


def read_layout(data: bytes, block: GraphView) -> Placed | None:
    """Return positions from Graphviz's JSON, or None when it is not what was asked for."""
    try:
        layout = json.loads(data)
        _, _, width, height = (float(part) for part in layout["bb"].split(","))
        cards: dict[str, tuple[float, float]] = {}
        ports: dict[str, tuple[float, float]] = {}
        frames: dict[str, tuple[float, float, float, float]] = {}
        for item in layout.get("objects", []):
            if not item["name"].startswith("cluster_"):
                x, y = (float(part) for part in item["pos"].split(","))
                known, name = (ports, item["name"]) if item["name"] in (IN, OUT) else (cards, _card(item, block))
                known[name] = (x + MARGIN, height - y + MARGIN)
            elif "bb" in item:  # a frame around nothing is not laid out
                x0, y0, x1, y1 = (float(part) for part in item["bb"].split(","))
                frames[block.groups[int(item["name"][8:])].id] = (x0 + MARGIN, height - y1 + MARGIN, x1 - x0, y1 - y0)
        curves = _read_curves(layout, block, height)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
    if len(cards) != len(block.cards):
        return None
    return _centred(
        Placed(width + 2 * MARGIN, height + 2 * MARGIN, cards, curves, frames, ports.get(OUT)), ports.get(IN)
    )


def _card(item: dict[str, Any], block: GraphView) -> str:
    """Return the id of the card that Graphviz knows as c0, c1, ..."""
    return block.cards[int(item["name"][1:])].id


def _centred(placed: Placed, port: tuple[float, float] | None) -> Placed:
    """Return the inside of a card with room at one side, so that what comes in comes in at the middle."""
    if port is None:
        return placed
    left = max(0.0, placed.width - 2 * port[0])
    return replace(
        placed,
        width=placed.width + left + max(0.0, 2 * port[0] - placed.width),
        cards={name: (x + left, y) for name, (x, y) in placed.cards.items()},
        edges=tuple(tuple((x + left, y) for x, y in curve) for curve in placed.edges),
        frames={name: (x + left, y, width, height) for name, (x, y, width, height) in placed.frames.items()},
        out=placed.out and (placed.out[0] + left, placed.out[1]),
    )


def _read_curves(layout: dict[str, Any], block: GraphView, height: float) -> tuple[Curve, ...]:
    """Return the curves of the edges in the order of the block's edges; one that was not laid out is empty."""
    names = {item["_gvid"]: item["name"] for item in layout.get("objects", [])}
    ends = {IN: OUTSIDE, OUT: OUTSIDE, **{f"c{i}": card.id for i, card in enumerate(block.cards)}}
    found = {
        (ends[names[item["tail"]]], ends[names[item["head"]]]): _read_curve(item["pos"], height)
        for item in layout.get("edges", [])
    }
    return tuple(found.get(edge, ()) for edge in drawn_edges(block))


def _read_curve(text: str, height: float) -> Curve:
    """Return the points of an edge: a start and then three for each Bezier piece."""
    points = []
    for part in text.split():
        if part[0] not in "es":
            x, y = (float(number) for number in part.split(","))
            points.append((x + MARGIN, height - y + MARGIN))
    return tuple(points)


def _draw(block: GraphView, sketches: dict[str, Sketch], placed: Placed) -> str:
    """Return the SVG: frames, then edges, then cards."""
    groups = [group for group in block.groups if group.id in placed.frames]
    # A name for the whole, so that paper can show it in pieces.
    parts = [open_svg(round(placed.width), round(placed.height)), '<g id="all">']
    parts += [draw_frame(group, *placed.frames[group.id], nested=_depth(group, block)) for group in groups]
    parts.append(f'<g fill="none" stroke="{ink.css("muted")}" stroke-width="1.3" data-part="edges">')
    parts.append(f'<path d="{"".join(_write_curve(curve) for curve in placed.edges)}{_write_way_out(placed)}"/></g>')
    heads = (_write_head(curve) for curve, (_, target) in zip(placed.edges, drawn_edges(block), strict=True) if target)
    parts.append(f'<path d="{"".join(heads)}" fill="{ink.css("muted")}" data-part="heads"/>')
    for group in groups:
        x, y, width, _ = placed.frames[group.id]
        parts.append(draw_frame_title(group, x, y, width, _depth(group, block)))
    parts += [draw_card(sketches[card.id], *placed.cards[card.id]) for card in block.cards]
    return "".join([*parts, "</g></svg>"])


def _depth(group: GraphGroup, block: GraphView) -> int:
    """Return how many frames are around a frame."""
    parents, depth = {one.id: one.parent for one in block.groups}, 0
    at = group.parent
    while at in parents and depth < len(parents):
        at, depth = parents[at], depth + 1
    return depth


def _write_curve(points: Curve) -> str:
    """Return an edge as path data."""
    if len(points) < 4:
        return ""
    rest = " ".join(f"{pixel(x)} {pixel(y)}" for x, y in points[1:])
    return f"M{pixel(points[0][0])} {pixel(points[0][1])}C{rest}"


def _write_way_out(placed: Placed) -> str:
    """Return the line from where edges leave the inside of a card to the middle of its lower edge."""
    if placed.out is None:
        return ""
    (x, y), middle, end = placed.out, placed.width / 2, placed.height
    points = (pixel(part) for part in (x, y, x, y + 8, middle, end - 8, middle, end))
    return "M{} {}C{} {} {} {} {} {}".format(*points)


def _write_head(points: Curve) -> str:
    """Return the arrow head at an edge's end as path data."""
    if len(points) < 4:
        return ""
    (x, y), (from_x, from_y) = points[-1], points[-2]
    length = ((x - from_x) ** 2 + (y - from_y) ** 2) ** 0.5 or 1.0
    along_x, along_y = (x - from_x) / length, (y - from_y) / length
    back_x, back_y = x - along_x * 7, y - along_y * 7
    corners = [
        (x, y),
        (back_x - along_y * 3.2, back_y + along_x * 3.2),
        (back_x + along_y * 3.2, back_y - along_x * 3.2),
    ]
    return "M" + "L".join(f"{pixel(at_x)} {pixel(at_y)}" for at_x, at_y in corners) + "Z"
