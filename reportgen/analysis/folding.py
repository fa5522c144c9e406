"""Folding: a large architecture as a few dozen cards, each layer call in exactly one of them.

1. Runs such as convolution, normalisation, activation share a card (`folding_units`).
2. Where only one tensor (or few) passes, the graph is cut into segments; equal segments one after another are drawn
   once in a frame with their count. Equal means the same types, settings and wiring; names and shapes may differ.
3. Nested models are frames.
4. While there are more cards than wanted, the innermost frames and segments become one card each, the largest first and
   all of one size together, so that equal things look alike; their insides are graphs of their own (`folding_flat`).
Time grows linearly with the graph (10,000 layers: about a second).
"""

from __future__ import annotations

from collections.abc import Hashable

from reportgen.analysis.folding_boxes import Box, shrink
from reportgen.analysis.folding_cards import FoldedCard, FoldedGroup
from reportgen.analysis.folding_flat import FoldedGraph, FoldedInside, flatten
from reportgen.analysis.folding_order import Run, find_runs, is_acyclic, order, split
from reportgen.analysis.folding_units import Links, Unit, fuse, link, make_unit, sign
from reportgen.analysis.graph import Graph, Group, Node

__all__ = ["FoldedCard", "FoldedGraph", "FoldedGroup", "FoldedInside", "fold"]

SMALL = 25
DEEPEST = 30


def fold(graph: Graph, max_cards: int = 60) -> FoldedGraph:
    """Return the graph as at most `max_cards` cards; up to 25 layers are kept as they are, one card each."""
    whole = len(graph.nodes) <= min(SMALL, max_cards)
    root = _Builder(graph, fused=not whole).build()
    if not whole:
        shrink(root, max(max_cards, 1))
    return flatten(graph, root)


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
