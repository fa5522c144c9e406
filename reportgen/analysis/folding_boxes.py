"""The tree of a folded graph: boxes in boxes, and how the innermost are shut while there are more cards than wanted."""

from __future__ import annotations

from dataclasses import dataclass, field

from reportgen.analysis.graph import Group, Node


@dataclass(slots=True)
class Box:
    """A card (no children, or shut) or what is around some: a segment, a nested model, or `repeat` equal stretches.

    `copies` are the nodes of each copy, in the same order, the drawn one first.
    """

    copies: list[tuple[Node, ...]]
    children: list[Box] = field(default_factory=list)
    group: Group | None = None
    repeat: int = 1
    shut: bool = False

    def is_card(self) -> bool:
        """Return True for what is drawn as one card."""
        return self.shut or not self.children

    def cards(self) -> int:
        """Return how many cards are drawn for it."""
        return 1 if self.is_card() else sum(child.cards() for child in self.children)


def shrink(root: Box, most: int) -> None:
    """Shut innermost boxes until there are at most `most` cards; at last cut what is left into equal stretches."""
    while root.cards() > most:
        inner = _innermost(root)
        if not inner:
            break
        total = root.cards()
        for size in sorted({box.cards() for box in inner}, reverse=True):
            for box in inner:
                if not box.shut and box.cards() >= size:
                    total -= box.cards() - 1
                    box.shut = True
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
        if box.is_card():
            continue
        if all(child.is_card() for child in box.children):
            found.append(box)
        stack += box.children
    return found


def _join(boxes: list[Box]) -> Box:
    """Return one card for several boxes in a row."""
    return Box([tuple(node for box in boxes for copy in box.copies for node in copy)], boxes, shut=True)
