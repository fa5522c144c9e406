"""What the sections themselves left out to keep the page bounded, as rows of the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from reportgen.analysis.graph import Graph
from reportgen.report.blocks import Block, Fold, GraphView, Matrix, Montage
from reportgen.report.types import LedgerEntry, Section
from reportgen.sections.words import count


def section_ledger(sections: Sequence[Section], graph: Graph | None) -> tuple[LedgerEntry, ...]:
    """List maps not drawn, folded layers and classes left out of confusion matrices, read from the finished blocks."""
    blocks: list[Block] = []
    for section in sections:
        for block in section.blocks:
            blocks += block.blocks if isinstance(block, Fold) else (block,)
    return (*_montages(blocks), *_graphs(blocks, graph), *_matrices(blocks))


def _montages(blocks: list[Block]) -> tuple[LedgerEntry, ...]:
    """Return one row for all feature maps that are not drawn."""
    cut = [block for block in blocks if isinstance(block, Montage) and block.shown < block.tiles]
    if not cut:
        return ()
    kept, of = sum(block.shown for block in cut), sum(block.tiles for block in cut)
    what = f"tiles of {count(len(cut), 'montage')}"
    return (
        LedgerEntry(what, f"{kept:,}", f"{of:,}", "the first channels are drawn; pictures share a budget of pixels"),
    )


def _graphs(blocks: list[Block], graph: Graph | None) -> tuple[LedgerEntry, ...]:
    """Return a row for a graph whose layers were folded, and for a full graph that was left out."""
    views = [block for block in blocks if isinstance(block, GraphView) and not block.card]
    nodes = len(graph.nodes) if graph else 0
    rows = []
    for view in views:
        if view.cards and len(view.cards) < nodes:
            cards = count(len(view.cards), "card")
            rows.append(LedgerEntry("architecture graph", cards, count(nodes, "layer"), "equal parts are folded"))
    if views and nodes and not any(view.dot for view in views):
        rows.append(
            LedgerEntry("full graph (Keras plot_model)", "0", "1", "not drawn by Keras, or too large for the page")
        )
    return tuple(rows)


def _matrices(blocks: list[Block]) -> tuple[LedgerEntry, ...]:
    """Return a row for each confusion matrix that shows its worst part only."""
    cut = [block for block in blocks if isinstance(block, Matrix) and " of " in block.note.split(":")[0]]
    return tuple(
        LedgerEntry(
            block.title, count(len(block.rows), "class"), block.note.split(":")[0], "a larger one is unreadable"
        )
        for block in cut
    )
