"""Folding: a large architecture as a few dozen cards, each layer call in exactly one of them.

1. Runs such as convolution, normalisation, activation share a card (`folding_units`).
2. Where only one tensor (or few) passes, the graph is cut into segments; equal segments one after another are drawn
   once in a frame with their count. Equal means the same types, settings and wiring; names and shapes may differ.
3. Nested models are frames.
4. While there are more cards than wanted, the innermost frames and segments become one card each, the largest first and
   all of one size together, so that equal things look alike.
Time grows linearly with the graph (10,000 layers: about a second).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from reportgen.analysis.folding_cards import FoldedCard, FoldedGroup, describe, name_frame
from reportgen.analysis.folding_order import Run, find_runs, is_acyclic, order, split
from reportgen.analysis.folding_units import Links, Unit, fuse, link, make_unit, sign
from reportgen.analysis.graph import Graph, Group, Node

__all__ = ["FoldedCard", "FoldedGraph", "FoldedGroup", "fold"]

SMALL = 25
DEEPEST = 30


@dataclass(frozen=True, slots=True)
class FoldedGraph:
    """The cards in reading order, the edges between them, the frames around them, and what was folded, in words."""

    cards: tuple[FoldedCard, ...]
    edges: tuple[tuple[str, str], ...]
    groups: tuple[FoldedGroup, ...]
    note: str


@dataclass(slots=True)
class Box:
    """A card (no children) or what is around some: a segment, a nested model, or `repeat` equal stretches drawn once.

    `copies` are the nodes of each copy, in the same order, the drawn one first.
    """

    copies: list[tuple[Node, ...]]
    children: list[Box] = field(default_factory=list)
    group: Group | None = None
    repeat: int = 1

    def cards(self) -> int:
        """Return how many cards are drawn for it."""
        return sum(child.cards() for child in self.children) or 1


def fold(graph: Graph, max_cards: int = 60) -> FoldedGraph:
    """Return the graph as at most `max_cards` cards; up to 25 layers are kept as they are, one card each."""
    whole = len(graph.nodes) <= min(SMALL, max_cards)
    root = _Builder(graph, fused=not whole).build()
    if not whole:
        _shrink(root, max(max_cards, 1))
    return _flatten(graph, root)


class _Builder:
    """Builds the tree of boxes of one graph, level by level (a level is a nested model, or the whole)."""

    def __init__(self, graph: Graph, fused: bool) -> None:
        self._links = link(graph)
        self._fused = fused
        self._groups = {group.id: group for group in graph.groups}
        self._paths = {node.id: self._path(node.group) for node in graph.nodes}
        self._nodes = graph.nodes

    def _path(self, group: str | None) -> tuple[str, ...]:
        """Return the nested models around a node, outermost first."""
        path: list[str] = []
        while group in self._groups and group not in path and group is not None:
            path.append(group)
            group = self._groups[group].parent
        return tuple(reversed(path))[:DEEPEST]

    def build(self) -> Box:
        """Return the box of the whole graph."""
        root = Box([tuple(self._nodes)])
        root.children = self._level([(node,) for node in self._nodes], 0)
        return root

    def _level(self, rows: list[tuple[Node, ...]], depth: int) -> list[Box]:
        """Return the boxes of one level; each row is a node and its twins in the other copies."""
        twins = {row[0].id: row for row in rows}
        nodes = [row[0] for row in rows]
        units = self._units(nodes, depth)
        where = {node.id: i for i, unit in enumerate(units) for node in unit.nodes}
        sources, targets = _neighbours(units, where, self._links)
        if not is_acyclic(sources, targets) and any(unit.group for unit in units):
            units = fuse(nodes, self._links) if self._fused else [make_unit([node]) for node in nodes]
            where = {node.id: i for i, unit in enumerate(units) for node in unit.nodes}
            sources, targets = _neighbours(units, where, self._links)
        sequence = order(sources, targets)
        if not self._fused:
            return [self._box([units[i]], twins, depth) for i in sequence]
        segments = split(sequence, targets)
        signatures = _sign_segments(segments, units, sources)
        return [self._run(run, segments, units, twins, depth) for run in find_runs(signatures)]

    def _units(self, nodes: list[Node], depth: int) -> list[Unit]:
        """Return the units of a level: nested models whole, the other nodes alone or in runs."""
        inside: dict[str, list[Node]] = {}
        direct = []
        for node in nodes:
            path = self._paths[node.id]
            if len(path) > depth:
                inside.setdefault(path[depth], []).append(node)
            else:
                direct.append(node)
        units = fuse(direct, self._links) if self._fused else [make_unit([node]) for node in direct]
        return units + [self._nested(self._groups[name], members) for name, members in inside.items()]

    def _nested(self, group: Group, nodes: list[Node]) -> Unit:
        """Return a nested model as a unit, its nodes in an order that depends on its structure only."""
        place = {node.id: i for i, node in enumerate(nodes)}
        sources, targets = _neighbours([Unit((node,)) for node in nodes], place, self._links)
        sequence = order(sources, targets)
        rank = {item: at for at, item in enumerate(sequence)}
        wiring = tuple(tuple(rank[source] for source in sources[item]) for item in sequence)
        signature = (group.type, tuple(sign(nodes[item]) for item in sequence), wiring)
        return Unit(tuple(nodes[item] for item in sequence), group, signature)

    def _run(
        self, run: Run, segments: list[list[int]], units: list[Unit], twins: dict[str, tuple[Node, ...]], depth: int
    ) -> Box:
        """Return one segment, or a stretch of segments that repeats, as a box."""
        copies = [
            [units[i] for segment in segments[start : start + run.period] for i in segment]
            for start in range(run.start, run.start + run.period * run.count, run.period)
        ]
        rows = dict(twins)
        for stretch in zip(*copies, strict=True):
            for same in zip(*(unit.nodes for unit in stretch), strict=True):
                rows[same[0].id] = tuple(node for one in same for node in twins[one.id])
        return self._box(copies[0], rows, depth, run.count)

    def _box(self, units: list[Unit], rows: dict[str, tuple[Node, ...]], depth: int, repeat: int = 1) -> Box:
        """Return the box of one copy's units; `rows` holds each node's twins."""
        boxes = []
        for unit in units:
            own = [rows[node.id] for node in unit.nodes]
            box = Box(list(zip(*own, strict=True)), group=unit.group)
            box.children = self._level(own, depth + 1) if unit.group else []
            boxes.append(box)
        if len(boxes) == 1:
            if boxes[0].group and repeat > 1:
                return Box(boxes[0].copies, boxes, repeat=repeat)
            boxes[0].repeat = repeat
            return boxes[0]
        together = zip(*(box.copies for box in boxes), strict=True)
        return Box([tuple(node for part in copy for node in part) for copy in together], boxes, repeat=repeat)


def _neighbours(units: list[Unit], where: dict[str, int], links: Links) -> tuple[list[list[int]], list[list[int]]]:
    """Return which units feed which, each pair once, in the order of the edges."""
    sources: list[dict[int, None]] = [{} for _ in units]
    targets: list[dict[int, None]] = [{} for _ in units]
    for i, unit in enumerate(units):
        for node in unit.nodes:
            for source in links.sources[node.id]:
                j = where.get(source, i)
                if j != i:
                    sources[i][j] = None
                    targets[j][i] = None
    return [list(one) for one in sources], [list(one) for one in targets]


def _sign_segments(segments: list[list[int]], units: list[Unit], sources: list[list[int]]) -> list[Hashable]:
    """Return what makes two segments equal: their units, and which feeds which, from outside by how recent it is."""
    place = {item: at for at, item in enumerate(i for segment in segments for i in segment)}
    signatures: list[Hashable] = []
    for segment in segments:
        inside = {item: at for at, item in enumerate(segment)}
        outside = sorted({s for item in segment for s in sources[item] if s not in inside}, key=lambda s: -place[s])
        port = {source: -1 - rank for rank, source in enumerate(outside)}
        wiring = tuple(tuple(inside.get(s, port.get(s, 0)) for s in sources[item]) for item in segment)
        signatures.append((tuple(units[item].signature for item in segment), wiring))
    return signatures


def _shrink(root: Box, most: int) -> None:
    """Turn innermost boxes into cards until there are at most `most`; at last cut what is left into equal stretches."""
    while root.cards() > most:
        inner = _innermost(root)
        if not inner:
            break
        total = root.cards()
        for size in sorted({box.cards() for box in inner}, reverse=True):
            for box in inner:
                if box.children and box.cards() >= size:
                    total -= box.cards() - 1
                    box.children = []
            if total <= most:
                break
    if len(root.children) > most:
        step = -(-len(root.children) // most)
        parts = [root.children[i : i + step] for i in range(0, len(root.children), step)]
        root.children = [part[0] if len(part) == 1 else _join(part) for part in parts]


def _innermost(root: Box) -> list[Box]:
    """Return the boxes that hold cards only, the whole graph left out."""
    found, stack = [], list(root.children)
    while stack:
        box = stack.pop()
        if box.children and not any(child.children for child in box.children):
            found.append(box)
        stack += box.children
    return found


def _join(boxes: list[Box]) -> Box:
    """Return one card for several boxes in a row."""
    return Box([tuple(node for box in boxes for copy in box.copies for node in copy)])


def _flatten(graph: Graph, root: Box) -> FoldedGraph:
    """Return the tree as cards, frames and edges."""
    cards: list[FoldedCard] = []
    groups: list[FoldedGroup] = []
    card_of: dict[str, int] = {}
    copy_of: dict[str, dict[int, int]] = {node.id: {} for node in graph.nodes}  # frame -> which copy the node is in

    def visit(box: Box, frame: str | None) -> None:
        if box.repeat > 1:
            for at, copy in enumerate(box.copies):
                for node in copy:
                    copy_of[node.id][id(box)] = at * box.repeat // len(box.copies)
        if not box.children:
            card_of.update((node.id, len(cards)) for copy in box.copies for node in copy)
            cards.append(describe([list(copy) for copy in box.copies], frame, box.group))
            return
        if box.group is not None or box.repeat > 1:
            title = name_frame(box.copies, box.repeat, box.group)
            groups.append(FoldedGroup(f"f{len(groups)}", title, frame, box.repeat))
            frame = groups[-1].id
        for child in box.children:
            visit(child, frame)

    for child in root.children:
        visit(child, None)
    edges: dict[tuple[str, str], None] = {}
    for edge in graph.edges:
        if edge.source not in card_of or edge.target not in card_of:
            continue
        source, target = card_of[edge.source], card_of[edge.target]
        copies, others = copy_of[edge.source], copy_of[edge.target]
        # An edge from one copy to the next is not drawn: the count on the frame says it.
        if source != target and all(copies[frame] == others.get(frame, copies[frame]) for frame in copies):
            edges[cards[source].id, cards[target].id] = None
    return FoldedGraph(tuple(cards), tuple(edges), tuple(groups), _note(graph, cards))


def _note(graph: Graph, cards: list[FoldedCard]) -> str:
    """Say what was folded, or nothing when every layer has its card."""
    if len(cards) == len(graph.nodes):
        return ""
    return (
        f"{len(graph.nodes):,} layers on {len(cards):,} cards: layers that work as one share a card, and equal parts"
        " that follow one another are drawn once with their count."
    )
