"""One card of the architecture graph: what it says, how large that is, how it looks; and the frames around cards."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reportgen.figures import ink
from reportgen.figures.lettering import clean, escape, measure, pixel, shorten, write_text
from reportgen.report.blocks import GraphCard, GraphGroup, GraphView

TITLE, SMALL = 13.0, 11.0
NARROWEST, WIDEST = 206.0, 236.0  # narrower cards would need more lines
LEFT, RIGHT, TOP, BOTTOM, LINE = 14.0, 10.0, 20.0, 9.0, 15.0
FRAME_ROW = 20.0
SEPARATOR = " \u00b7 "
MOST_LINES = 5
SYMBOLS = {"error": "wrong", "warn": "warn", "good": "right", "info": "link"}

# What a type is for, by a word in it or by how it starts; the stripe's colour says it again, never alone.
KINDS = (
    ("part of|model of|functional|sequential", "link"),
    ("^input", "ink"),
    ("embedding|attention|lstm|gru|rnn|bidirectional", "right"),
    ("conv", "first"),
    ("dense", "third"),
    ("pool|^flatten|^reshape|^permute", "ink-soft"),
    ("^add$|^concatenate|^multiply|^average|^subtract|^maximum|^minimum|^dot", "second"),
)


@dataclass(frozen=True, slots=True)
class Sketch:
    """A card with its text cut into lines that fit, and its size in px."""

    card: GraphCard
    title: str
    lines: tuple[str, ...]
    mark: str
    badge: str
    width: float
    height: float


def sketch_cards(block: GraphView) -> dict[str, Sketch]:
    """Return every card's sketch by id; all are equally wide, so that columns stand straight."""
    frames = {group.id: group for group in block.groups}
    texts = {card.id: _texts(card, frames.get(card.group or "")) for card in block.cards}
    widest = max((_natural_width(*texts[card.id]) for card in block.cards), default=NARROWEST)
    width = round(min(max(widest, NARROWEST), WIDEST))
    return {card.id: _sketch(card, *texts[card.id], width) for card in block.cards}


def _texts(card: GraphCard, frame: GraphGroup | None) -> tuple[str, list[str], str]:
    """Return a card's title, its lines before they are cut, and its badge; the frame's count is not said again."""
    said = re.match("\u00d7 ([0-9]+)", frame.title) if frame else None
    badge = f"\u00d7 {card.repeat:,}" if card.repeat > 1 and not (said and int(said[1]) == card.repeat) else ""
    kind = SEPARATOR.join(clean(part) for part in card.type.split(" + "))
    return clean(card.title), [kind, *(clean(line) for line in card.lines)], badge


def _natural_width(title: str, lines: list[str], badge: str) -> float:
    """Return the width at which the title, the type and single facts need no cut."""
    words = max((measure(line, SMALL) for line in lines), default=0.0)
    head = measure(title, TITLE, bold=True) + (measure(badge, SMALL, bold=True) + 16 if badge else 0)
    return max(words, head) + LEFT + RIGHT


def _sketch(card: GraphCard, title: str, lines: list[str], badge: str, width: float) -> Sketch:
    """Return the sketch of one card at a width."""
    room = width - LEFT - RIGHT
    head = room - (measure(badge, SMALL, bold=True) + 16 if badge else 0)
    kind, *facts = [line for line in lines if line] or [""]
    fitted = [part for line in (kind, *_join_short(facts, room)) for part in _wrap(line, room)]
    fitted = [shorten(line, room, SMALL, middle=False) for line in fitted[:MOST_LINES] if line]
    mark = shorten(clean(card.mark_text), room - 15, SMALL, bold=True, middle=False) if card.mark else ""
    height = TOP + BOTTOM + LINE * (len(fitted) + (1 if card.mark else 0))
    return Sketch(card, shorten(title, head, TITLE, bold=True), tuple(fitted), mark, badge, width, height)


def _join_short(lines: list[str], room: float) -> list[str]:
    """Return lines with neighbours joined where both fit in one."""
    joined: list[str] = []
    for line in lines:
        if joined and measure(joined[-1] + SEPARATOR + line, SMALL) <= room:
            joined[-1] += SEPARATOR + line
        else:
            joined.append(line)
    return joined


def _wrap(line: str, room: float) -> list[str]:
    """Return a line broken at its dots and commas, then at spaces, where it is too long."""
    result: list[str] = []
    for part in re.split("(?<= \u00b7 )|(?<=, )|(?<= )(?=and )", line):
        if result and measure((result[-1] + part).rstrip(" \u00b7"), SMALL) <= room:
            result[-1] += part
        else:
            result.append(part)
    return [part.strip().removesuffix("\u00b7").strip() for part in result]


def draw_card(sketch: Sketch, x: float, y: float) -> str:
    """Return a card as SVG, centred at (x, y): a link when it has a target."""
    card = sketch.card
    left, top = x - sketch.width / 2, y - sketch.height / 2
    colour = ink.css(SYMBOLS[card.mark]) if card.mark else ink.css("grid")
    box = f'x="{pixel(left)}" y="{pixel(top)}" width="{pixel(sketch.width)}" height="{pixel(sketch.height)}" rx="6"'
    parts = [f"<title>{escape(_tooltip(card))}</title>"]
    if sketch.badge:  # the edge of the sheets beneath it
        parts.append(
            f'<path d="M{pixel(left + 6)} {pixel(top + sketch.height + 3.5)}H{pixel(left + sketch.width - 2)}'
            f'q5.5 0 5.5 -5.5V{pixel(top + 6)}" fill="none" stroke="{ink.css("muted")}"/>'
        )
    thick = ' stroke-width="1.8"' if card.mark else ""
    parts.append(f'<rect {box} fill="{ink.css("surface")}" stroke="{colour}"{thick}/>')
    stripe = f"M{pixel(left + 6)} {pixel(top + 8)}V{pixel(top + sketch.height - 8)}"
    parts.append(
        f'<path d="{stripe}" stroke="{ink.css(choose_colour(card.type))}" stroke-width="3" stroke-linecap="round"/>'
    )
    parts += _words(sketch, left, top)
    inside = "".join(parts)
    data = f'data-card="{escape(clean(card.id))}"'
    if not card.target:
        return f"<g {data}>{inside}</g>"
    label = escape(f"{sketch.title}: {clean(card.type)}")
    return f'<a href="#{escape(clean(card.target))}" {data} aria-label="{label}">{inside}</a>'


def _words(sketch: Sketch, left: float, top: float) -> list[str]:
    """Return the text of a card, its badge and its mark."""
    dark, soft = ink.css("ink"), ink.css("ink-soft")
    parts = [write_text(left + LEFT, top + TOP - 1, sketch.title, fill=dark, size=TITLE, bold=True)]
    y = top + TOP
    for i, line in enumerate(sketch.lines):
        y += LINE
        parts.append(write_text(left + LEFT, y, line, fill=dark if i == 0 else soft, size=SMALL))
    if sketch.card.mark:
        y += LINE
        parts.append(draw_symbol(sketch.card.mark, left + LEFT + 4, y - 4))
        fill = ink.css(SYMBOLS[sketch.card.mark])
        parts.append(write_text(left + LEFT + 13, y, sketch.mark, fill=fill, size=SMALL, bold=True))
    if sketch.badge:
        right = left + sketch.width - RIGHT
        parts.append(
            write_text(right, top + TOP - 1, sketch.badge, fill=ink.css("link"), size=SMALL, anchor="end", bold=True)
        )
    return parts


def draw_symbol(mark: str, x: float, y: float) -> str:
    """Return a level's shape around (x, y): octagon for an error, triangle for a warning, circle for good and info."""
    colour = ink.css(SYMBOLS[mark])
    points: tuple[tuple[float, float], ...]
    if mark == "error":
        points = ((-2, -5), (2, -5), (5, -2), (5, 2), (2, 5), (-2, 5), (-5, 2), (-5, -2))
    elif mark == "warn":
        points = ((0, -5), (5.4, 4.4), (-5.4, 4.4))
    else:
        return f'<circle cx="{pixel(x)}" cy="{pixel(y)}" r="4.5" fill="{colour}"/>'
    corners = "L".join(f"{pixel(x + dx)} {pixel(y + dy)}" for dx, dy in points)
    return f'<path d="M{corners}Z" fill="{colour}"/>'


def choose_colour(kind: str) -> str:
    """Return the stripe's colour of a layer type, or of the first type of a run that has one."""
    words = kind.lower().split(" + ")
    return next((colour for pattern, colour in KINDS if any(re.search(pattern, word) for word in words)), "muted")


def _tooltip(card: GraphCard) -> str:
    """Return what a card stands for, in full: title, type, lines, members."""
    members = [clean(name) for name in card.members[:12]]
    more = f" and {len(card.members) - 12:,} more" if len(card.members) > 12 else ""
    lines = [clean(card.title), clean(card.type), *(clean(line) for line in card.lines)]
    if card.mark_text:
        lines.append(clean(card.mark_text))
    if len(card.members) > 1:
        lines.append(f"{len(card.members):,} layers: {', '.join(members)}{more}")
    return "\n".join(lines)


def frame_width(group: GraphGroup) -> float:
    """Return the room that a frame's title needs."""
    return min(measure(clean(group.title), SMALL, bold=True) + 12, WIDEST)


def draw_frame(group: GraphGroup, x: float, y: float, width: float, height: float, nested: int) -> str:
    """Return a frame; frames inside frames alternate their ground."""
    ground = ink.css("surface" if nested % 2 else "raised")
    box = f'x="{pixel(x)}" y="{pixel(y)}" width="{pixel(width)}" height="{pixel(height)}" rx="9"'
    edge = f'stroke="{ink.css("muted")}" stroke-dasharray="4 3"'
    return f'<rect {box} fill="{ground}" {edge} data-group="{escape(clean(group.id))}"/>'


def draw_frame_title(group: GraphGroup, x: float, y: float, width: float, nested: int) -> str:
    """Return a frame's title over the edges, with a rim in the colour of the frame's ground."""
    title = clean(group.title)
    text = shorten(title, width - 24, SMALL, bold=True)
    ground = ink.css("surface" if nested % 2 else "raised")
    data = f'data-group="{escape(clean(group.id))}"'
    rim = f'<g paint-order="stroke" stroke="{ground}" stroke-width="5" stroke-linejoin="round" {data}>'
    return rim + write_text(x + 12, y + 18, text, fill=ink.css("ink"), size=SMALL, bold=True, full=title) + "</g>"
