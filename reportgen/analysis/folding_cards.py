"""What stands on a card of a folded graph, and how frames are named."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import takewhile

from reportgen.analysis.folding_units import ADJUSTING, PADDING
from reportgen.analysis.graph import Group, Node

SHORT = {"BatchNormalization": "BatchNorm", "LayerNormalization": "LayerNorm", "GroupNormalization": "GroupNorm"}
UNITS = {"filters": "filters", "units": "units", "kernel": "", "rate": "rate", "heads": "heads"}
MOST_TYPES = 4


@dataclass(frozen=True, slots=True)
class FoldedCard:
    """One card: `nodes` are the ids of the layer calls it stands for, `members` their layers' names, each once.

    `repeat` is the number of equal copies that the card stands for; `type` joins the layer types with " + ".
    """

    id: str
    title: str
    type: str
    lines: tuple[str, ...]
    repeat: int
    members: tuple[str, ...]
    nodes: tuple[str, ...]
    group: str | None
    parameters: int


@dataclass(frozen=True, slots=True)
class FoldedGroup:
    """A frame around cards: a nested model, or a part that stands `repeat` times one after another."""

    id: str
    title: str
    parent: str | None
    repeat: int = 1


def describe(copies: list[list[Node]], frame: str | None, group: Group | None) -> FoldedCard:
    """Return the card of one box; `copies` are its nodes in each copy, the drawn one first."""
    drawn = copies[0]
    every = [node for copy in copies for node in copy]
    run = is_run(drawn)
    title = find_head(drawn).layer if run else name_part(drawn, group)
    kind = " + ".join(name_type(node) for node in drawn) if run else _count_types(drawn, group)
    parameters = _add_parameters(every)
    return FoldedCard(
        id=drawn[0].id,
        title=title,
        type=kind,
        lines=_lines(drawn, copies, run, parameters),
        repeat=len(copies),
        members=tuple(dict.fromkeys(node.layer for node in every)),
        nodes=tuple(node.id for node in every),
        group=frame,
        parameters=parameters,
    )


def name_type(node: Node) -> str:
    """Return a layer's type in a word; an Activation layer is called by its function."""
    if node.type == "Activation" and node.activation:
        return node.activation
    return SHORT.get(node.type, node.type)


def is_run(nodes: list[Node]) -> bool:
    """Return True for a layer alone or with what adjusts it; False for a part with several layers of weight."""
    return sum(node.type not in ADJUSTING | PADDING for node in nodes) <= 1


def find_head(nodes: list[Node]) -> Node:
    """Return the layer that a run is named after: the one that does the work."""
    return next((node for node in nodes if node.type not in ADJUSTING | PADDING), nodes[0])


def name_part(nodes: list[Node], group: Group | None = None) -> str:
    """Return the name of a part: the nested model's, what its layers' names have in common, or how many they are."""
    if group is not None:
        return group.name
    names = [node.layer for node in nodes]
    common = re.sub(r"[\W_]+$", "", _common_start(min(names), max(names)))
    whole_word = all(len(name) == len(common) or not name[len(common)].isalnum() for name in names)
    if len(common) >= 3 and not whole_word:
        common = re.sub(r"[\W_]*[^\W_]*$", "", common)
    return common if len(common) >= 3 else f"{names[0]} to {names[-1]}"


def _common_start(first: str, last: str) -> str:
    """Return what two names start with; of a sorted list, the first and last decide for all."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(pair[0] for pair in same)


def name_frame(copies: list[tuple[Node, ...]], repeat: int, group: Group | None) -> str:
    """Return the title of a frame: how many copies, from which to which."""
    if repeat == 1:
        return name_part(list(copies[0]), group)
    per_frame = copies[:: len(copies) // repeat]
    first, last = name_part(list(per_frame[0])), name_part(list(per_frame[-1]))
    if first == last or " to " in first or " to " in last:
        return f"\u00d7 {repeat}"
    return f"\u00d7 {repeat}  {first} to {last}"


def _count_types(nodes: list[Node], group: Group | None) -> str:
    """Return what a part is made of: its most frequent types with their counts."""
    counts = Counter(SHORT.get(node.type, node.type) for node in nodes).most_common()
    shown = ", ".join(f"{n} {kind}" for kind, n in counts[:MOST_TYPES])
    more = f" and {sum(n for _, n in counts[MOST_TYPES:])} more" if len(counts) > MOST_TYPES else ""
    return f"{group.type if group else 'Part'} of {len(nodes):,} layers: {shown}{more}"


def _add_parameters(nodes: list[Node]) -> int:
    """Return the parameters of the layers; one that is called twice counts once."""
    return sum({node.layer: node.parameters for node in nodes}.values())


def _lines(drawn: list[Node], copies: list[list[Node]], run: bool, parameters: int) -> tuple[str, ...]:
    """Return the lines under a card's title: settings, output shape, parameters."""
    lines = []
    if run:
        head = find_head(drawn)
        words = [_setting(label, value) for label, value in head.details]
        words += [head.activation] if head.activation and head.type not in ADJUSTING | {"Activation"} else []
        lines.append(" \u00b7 ".join(word for word in words if word and word != "linear"))
    shapes = list(dict.fromkeys(write_shape(copy[-1].shape) for copy in copies))
    lines.append(shapes[0] if len(shapes) == 1 else f"{shapes[0]} to {shapes[-1]}")
    if parameters:
        lines.append(f"{parameters:,} parameter{'s' if parameters != 1 else ''}")
    return tuple(line for line in lines if line)


def _setting(label: str, value: str) -> str:
    """Return one setting in few words: "32 filters", "3x3", "strides 2x2"."""
    if label in UNITS and label != "rate":
        unit = UNITS[label]
        return f"{value} {unit[:-1] if value == '1' else unit}".strip()
    return f"{label} {value}"


def write_shape(shape: str) -> str:
    """Return a shape without its batch: "(None, 28, 28, 32)" as "28 x 28 x 32" with multiplication signs."""
    parts = [part.strip() for part in shape.strip("()").split(",") if part.strip()]
    if len(parts) < 2 or parts[0] != "None" or "(" in shape[1:]:
        return shape
    return " \u00d7 ".join("?" if part == "None" else part for part in parts[1:])
