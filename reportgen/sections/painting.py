"""Findings painted on the architecture graph: the card of every layer that a warned or failed check names is marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reportgen.report.blocks import Block, FlatBlock, Fold, GraphCard, GraphView, Level
from reportgen.report.types import Finding, Section
from reportgen.sections.words import join_words, shorten

PAINTED = ("warned", "failed")


def paint_findings(section: Section, findings: Sequence[Finding]) -> Section:
    """Return the section with the cards of its graphs marked; the worst level wins, `mark_text` names every finding.

    Call it before figures are drawn.
    """
    told = [finding for finding in findings if finding.outcome in PAINTED and finding.layers]
    if not told:
        return section
    flat = [inner for block in section.blocks for inner in (block.blocks if isinstance(block, Fold) else (block,))]
    drawn = {member for view in flat if isinstance(view, GraphView) for card in view.cards for member in card.members}
    return replace(section, blocks=tuple(_paint_block(block, told, drawn) for block in section.blocks))


def _paint_block(block: Block, findings: list[Finding], drawn: set[str]) -> Block:
    """Return a block with the graphs in it marked."""
    if isinstance(block, Fold):
        return replace(block, blocks=tuple(_paint(inner, findings, drawn) for inner in block.blocks))
    return _paint(block, findings, drawn)


def _paint(block: FlatBlock, findings: list[Finding], drawn: set[str]) -> FlatBlock:
    """Return a graph with marked cards; any other block as it is (Keras's own graph has no cards)."""
    if not isinstance(block, GraphView):
        return block
    return replace(block, cards=tuple(_paint_card(card, findings, drawn) for card in block.cards))


def _paint_card(card: GraphCard, findings: list[Finding], drawn: set[str]) -> GraphCard:
    """Return one card with the marks of the findings that name one of its members."""
    here = [finding for finding in findings if any(_stands_for(card, layer, drawn) for layer in finding.layers)]
    if not here:
        return card
    worst: Level = "error" if any(finding.outcome == "failed" for finding in here) else "warn"
    # A title speaks of all layers, and is too long for a card; the code stands beside the finding too.
    text = join_words([shorten(finding.code.replace("-", " "), 60) for finding in here], most=3)
    return replace(card, mark=worst, mark_text=text)


def _stands_for(card: GraphCard, layer: str, drawn: set[str]) -> bool:
    """Tell whether a layer is a card's; one that no graph draws is its card's that it lies inside of."""
    return layer in card.members or (
        layer not in drawn and any(layer.startswith(f"{member}/") for member in card.members)
    )
