"""The tree of a folded graph as cards, frames and edges; what is inside a shut card is such a graph again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reportgen.analysis.folding_boxes import Box, shrink
from reportgen.analysis.folding_cards import FoldedCard, FoldedGroup, describe, name_frame
from reportgen.analysis.graph import OWN_CODE, Graph

OUTSIDE = ""  # the end of an edge that leaves or enters the inside of a card
MOST_INSIDE = 24
MOST_INSIDES = 24
MOST_CARDS_INSIDE = 120


@dataclass(frozen=True, slots=True)
class FoldedInside:
    """What a shut card holds: `parent` is the place of the card's graph among the insides, -1 for the graph itself.

    Of equal copies the first is drawn. An edge from or to `OUTSIDE` goes on outside of the card.
    """

    parent: int
    card: FoldedCard
    graph: FoldedGraph


@dataclass(frozen=True, slots=True)
class FoldedGraph:
    """The cards in reading order, the edges between them, the frames around them, and what was folded, in words."""

    cards: tuple[FoldedCard, ...]
    edges: tuple[tuple[str, str], ...]
    groups: tuple[FoldedGroup, ...]
    note: str
    insides: tuple[FoldedInside, ...] = ()


def flatten(graph: Graph, root: Box) -> FoldedGraph:
    """Return the tree as a graph of cards, with the insides of its shut cards, breadth first, while they are few."""
    whole, shut = _flatten(graph, root.children, frozenset(node.id for node in graph.nodes))
    insides: list[FoldedInside] = []
    waiting = [(-1, card, box) for card, box in shut]
    cards = 0
    while waiting:
        parent, card, box = waiting.pop(0)
        inner = Box(box.copies, list(box.children))
        shrink(inner, MOST_INSIDE)
        drawn, deeper = _flatten(graph, inner.children, frozenset(node.id for node in box.copies[0]))
        cards += len(drawn.cards)
        if len(insides) == MOST_INSIDES or cards > MOST_CARDS_INSIDE:
            break
        waiting += [(len(insides), below, inside) for below, inside in deeper]
        insides.append(FoldedInside(parent, card, drawn))
    return replace(whole, insides=tuple(insides), note=_note(graph, whole.cards))


def _flatten(graph: Graph, boxes: list[Box], nodes: frozenset[str]) -> tuple[FoldedGraph, list[tuple[FoldedCard, Box]]]:
    """Return what `boxes` are drawn as, of their copies those among `nodes`; and which cards are shut boxes."""
    cards: list[FoldedCard] = []
    groups: list[FoldedGroup] = []
    shut: list[tuple[FoldedCard, Box]] = []
    card_of: dict[str, int] = {}
    copy_of: dict[str, dict[int, int]] = {node: {} for node in nodes}  # frame -> which copy the node is in

    def visit(box: Box, frame: str | None) -> None:
        copies = [copy for copy in box.copies if copy and copy[0].id in nodes]
        if box.repeat > 1:
            for at, copy in enumerate(copies):
                for node in copy:
                    copy_of[node.id][id(box)] = at * box.repeat // len(copies)
        if box.is_card():
            card_of.update((node.id, len(cards)) for copy in copies for node in copy)
            cards.append(describe([list(copy) for copy in copies], frame, box.group))
            shut.extend([(cards[-1], box)] if box.children else [])
            return
        if box.group is not None or box.repeat > 1:
            title = name_frame(copies, box.repeat, box.group)
            groups.append(FoldedGroup(f"f{len(groups)}", title, frame, box.repeat))
            frame = groups[-1].id
        for child in box.children:
            visit(child, frame)

    for box in boxes:
        visit(box, None)
    edges = _edges(graph, cards, card_of, copy_of)
    return FoldedGraph(tuple(cards), edges, tuple(groups), ""), shut


def _edges(
    graph: Graph, cards: list[FoldedCard], card_of: dict[str, int], copy_of: dict[str, dict[int, int]]
) -> tuple[tuple[str, str], ...]:
    """Return the edges between cards, each once; one end may be outside."""
    edges: dict[tuple[str, str], None] = {}
    known = {node.id for node in graph.nodes}
    for edge in graph.edges:
        source, target = card_of.get(edge.source), card_of.get(edge.target)
        if (source is None and target is None) or edge.source not in known or edge.target not in known:
            continue
        if source is None or target is None:
            ends = (cards[i].id if i is not None else OUTSIDE for i in (source, target))
            edges[next(ends), next(ends)] = None
            continue
        copies, others = copy_of[edge.source], copy_of[edge.target]
        # An edge from one copy to the next is not drawn: the count on the frame says it.
        if source != target and all(copies[frame] == others.get(frame, copies[frame]) for frame in copies):
            edges[cards[source].id, cards[target].id] = None
    return tuple(edges)


def _note(graph: Graph, cards: tuple[FoldedCard, ...]) -> str:
    """Say what was folded, or nothing when every layer has its card."""
    if len(cards) == len(graph.nodes):
        return ""
    layers = sum(node.type != OWN_CODE for node in graph.nodes)
    return (
        f"{layers:,} layers on {len(cards):,} cards: layers that work as one share a card, and equal parts"
        " that follow one another are drawn once with their count."
    )
