"""The words of a chart and where they stand: axes, ticks, legend or labels at the curves' ends, marks.

Nothing stands on the data. Names of curves stand at their ends, right of the data area; where that cannot be (points,
bars, ends apart from the edge, more than four) they stand in a legend above it. Labels of vertical marks stand in rows
above the data area, labels of horizontal ones right of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from reportgen.figures import ink
from reportgen.figures.chart_series import Drawn
from reportgen.figures.lettering import clean, measure, pixel, shorten, write_text
from reportgen.figures.scales import Scale
from reportgen.report.blocks import Chart

WIDTH, HEIGHT, SQUARE = 640, 320, 440
SIZE, SMALL = 12.5, 11.5
ROW, LINE = 18.0, 15.0
LONGEST_END, LONGEST_LEGEND, MOST_MARK_ROWS, MOST_LEGEND_ROWS = 120.0, 190.0, 3, 4
SWATCH = 24.0


@dataclass(frozen=True, slots=True)
class Label:
    """One piece of text: where it stands and what it says when it is not shortened."""

    x: float
    y: float
    text: str
    full: str
    anchor: str = ""
    turn: float = 0.0
    role: str = ""
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes in figure pixels: the data area and the labels around it."""

    width: int
    height: int
    left: float
    top: float
    right: float
    bottom: float
    legend: tuple[Label, ...] = ()
    ends: tuple[Label, ...] = ()
    marks: tuple[Label, ...] = ()
    x_ticks: tuple[Label, ...] = field(default=())


def choose_layout(block: Chart, series: tuple[Drawn, ...], x: Scale, y: Scale) -> Layout:
    """Return the data area and every label's place."""
    width, height = (SQUARE + 60, SQUARE) if block.diagonal else (WIDTH, HEIGHT)
    direct = _can_label_ends(series, x, y)
    ends = [clean(one.name) for one in series] if direct else []
    sides = [clean(mark.label) for mark in block.marks if mark.y is not None and mark.x is None]
    widest = max((measure(name, SIZE) for name in ends + sides), default=0.0)
    right = width - (min(widest, LONGEST_END) + 14 if widest else 14.0)
    ticks = [shorten(clean(label), 110, SMALL) for label in y.labels]
    left = max([measure(label, SMALL) for label in ticks], default=0.0) + 14
    legend, rows = ((), 0) if direct else _place_legend(series, left, right, ROW + 4 if block.y.label else 4)
    top = 10 + (ROW if block.y.label else 0) + rows * ROW
    if block.diagonal:
        right = min(right, left + height - top - 20 - (ROW + 4 if block.x.label else 6))
    marks, mark_rows = _place_marks(block, x, left, right, top)
    top += mark_rows * LINE + (4 if mark_rows else 0)
    x_ticks, depth = _place_x_ticks(x, block.x.categories != (), left, right)
    bottom = height - depth - (ROW + 4 if block.x.label else 6)
    layout = Layout(width, height, left, top, right, bottom, legend, (), marks, x_ticks)
    return _with_ends(layout, block, series if direct else (), y)


def _can_label_ends(series: tuple[Drawn, ...], x: Scale, y: Scale) -> bool:
    """Return True for two to four curves that all end near the right edge, not all in one point."""
    if not 2 <= len(series) <= 4 or any(one.shape not in ("line", "steps") for one in series):
        return False
    ends = [_end(one, x, y) for one in series]
    if any(end is None for end in ends):
        return False
    places = [end for end in ends if end is not None]
    edge = x.low + 0.9 * (x.high - x.low)
    return all(place[0] >= edge for place in places) and len({round(place[1], 12) for place in places}) == len(places)


def _end(one: Drawn, x: Scale, y: Scale) -> tuple[float, float] | None:
    """Return the position of a curve's last known point."""
    at_x, at_y = x.place(one.x), y.place(one.y)
    known = np.flatnonzero(np.isfinite(at_x) & np.isfinite(at_y))
    return (float(at_x[known[-1]]), float(at_y[known[-1]])) if known.size else None


def _place_legend(series: tuple[Drawn, ...], left: float, right: float, top: float) -> tuple[tuple[Label, ...], int]:
    """Return the legend's entries in rows, and the number of rows; one series needs none."""
    if len(series) < 2:
        return (), 0
    labels: list[Label] = []
    x, row = left, 0
    for index, one in enumerate(series):
        full = clean(one.name)
        text = shorten(full, LONGEST_LEGEND, SIZE)
        need = SWATCH + 7 + measure(text, SIZE) + 18
        if x > left and x + need > right + 14:
            x, row = left, row + 1
        if row == MOST_LEGEND_ROWS - 1 and index < len(series) - 1 and x + 2 * need > right:
            labels.append(Label(x, top + row * ROW + 12, f"and {len(series) - index} more", ""))
            break
        labels.append(Label(x, top + row * ROW + 12, text, full, role=one.role, shape=one.shape))
        x += need
    return tuple(labels), row + 1


def _place_marks(block: Chart, x: Scale, left: float, right: float, top: float) -> tuple[tuple[Label, ...], int]:
    """Return labels of vertical marks, each near its line, in as few rows as keep them apart."""
    rows: list[float] = []
    labels: list[Label] = []
    marks = [(float(x.place(np.array([mark.x]))[0]), mark.label) for mark in block.marks if mark.x is not None]
    for place, name in sorted(mark for mark in marks if np.isfinite(mark[0])):
        full = clean(name)
        text = shorten(full, (right - left) / 2, SMALL)
        half = measure(text, SMALL) / 2
        at = left + (place - x.low) / (x.high - x.low) * (right - left)
        centre = max(left + half - 4, min(at, right - half + 4))
        row = next((i for i, end in enumerate(rows) if end + 10 <= centre - half), len(rows))
        if row >= MOST_MARK_ROWS:
            continue  # the line is drawn, its words are in the data
        rows[row : row + 1] = [centre + half]
        labels.append(Label(centre, top + 10 + row * LINE, text, full, "middle"))
    return tuple(labels), len(rows)


def _place_x_ticks(x: Scale, names: bool, left: float, right: float) -> tuple[tuple[Label, ...], float]:
    """Return tick labels under the axis and how deep they reach; long names are turned, too many are thinned."""
    slot = (right - left) / max(len(x.ticks), 1)
    places = [left + (tick - x.low) / (x.high - x.low) * (right - left) for tick in x.ticks]
    full = [clean(label) for label in x.labels]
    widest = max((measure(label, SMALL) for label in full), default=0.0)
    if not names or widest <= slot - 6:
        return tuple(Label(p, 16, t, t, "middle") for p, t in zip(places, full, strict=True)), 20.0
    every = max(1, int(np.ceil(14 / slot)))
    kept = [
        (place, shorten(text, min(110.0, (place - 2) / 0.71), SMALL), text)
        for place, text in list(zip(places, full, strict=True))[::every]
    ]
    depth = 0.71 * max(measure(text, SMALL) for _, text, _ in kept) + 16
    return tuple(Label(place + 3, 14, text, whole, "end", -45) for place, text, whole in kept), depth


def _with_ends(layout: Layout, block: Chart, series: tuple[Drawn, ...], y: Scale) -> Layout:
    """Return the layout with labels right of the data area, moved apart so that none covers another."""
    down, span = layout.bottom - layout.top, y.high - y.low
    wanted: list[tuple[float, str, str]] = []
    for one in series:
        at = y.place(one.y)
        wanted.append((float(at[np.isfinite(at)][-1]), clean(one.name), one.role))
    for mark in block.marks:
        if mark.y is not None and mark.x is None:
            wanted.append((float(y.place(np.array([mark.y]))[0]), clean(mark.label), ""))
    wanted = sorted(one for one in wanted if np.isfinite(one[0]))
    places = _spread(
        [layout.bottom - (place - y.low) / span * down for place, _, _ in wanted], layout.top, layout.bottom
    )
    room = layout.width - layout.right - 10
    ends = tuple(
        Label(layout.right + 8, place + 4, shorten(name, room, SIZE), name, role=role)
        for place, (_, name, role) in zip(places, wanted, strict=True)
    )
    return Layout(
        layout.width,
        layout.height,
        layout.left,
        layout.top,
        layout.right,
        layout.bottom,
        layout.legend,
        ends,
        layout.marks,
        layout.x_ticks,
    )


def _spread(places: list[float], top: float, bottom: float) -> list[float]:
    """Return heights (lowest value first, so descending) at least one line apart, near to the wanted ones."""
    result: list[float] = []
    for place in places:
        place = min(max(place, top), bottom)
        result.append(place if not result else min(place, result[-1] - LINE))
    for i in range(len(result)):  # pushed over the top: press the stack down again
        floor = top + (len(result) - 1 - i) * LINE
        result[i] = max(result[i], floor)
    return result


def write_labels(block: Chart, series: tuple[Drawn, ...], layout: Layout, x: Scale, y: Scale) -> str:
    """Return every word of the chart as SVG text."""
    soft, dark = ink.css("ink-soft"), ink.css("ink")
    parts = []
    for tick, label in zip(y.ticks, y.labels, strict=True):
        at = layout.bottom - (tick - y.low) / (y.high - y.low) * (layout.bottom - layout.top)
        text = shorten(clean(label), 110, SMALL)
        parts.append(write_text(layout.left - 7, at + 4, text, fill=soft, size=SMALL, anchor="end", full=clean(label)))
    for one in layout.x_ticks:
        parts.append(_write(one, soft, SMALL, layout.bottom))
    if block.y.label:
        text = shorten(clean(block.y.label), layout.width - 24, SIZE, middle=False)
        parts.append(write_text(4, 14, text, fill=soft, size=SIZE, full=clean(block.y.label)))
    if block.x.label:
        text = shorten(clean(block.x.label), layout.width - 40, SIZE, middle=False)
        middle = (layout.left + layout.right) / 2
        parts.append(write_text(middle, layout.height - 6, text, fill=soft, size=SIZE, anchor="middle"))
    parts += [_write(one, dark, SMALL) for one in layout.marks]
    parts += [_write(one, ink.css(ink.STYLES[one.role].colour) if one.role else soft, SIZE) for one in layout.ends]
    for one in layout.legend:
        parts.append(_swatch(one))
        parts.append(
            write_text(one.x + (SWATCH + 7 if one.role else 0), one.y, one.text, fill=dark, size=SIZE, full=one.full)
        )
    if not any(np.isfinite(one.y).any() for one in series):
        middle, centre = (layout.left + layout.right) / 2, (layout.top + layout.bottom) / 2
        parts.append(write_text(middle, centre, "No finite value to draw", fill=soft, size=SIZE, anchor="middle"))
    return "".join(parts)


def _write(one: Label, fill: str, size: float, below: float = 0.0) -> str:
    """Return one label as SVG text."""
    return write_text(
        one.x, one.y + below, one.text, fill=fill, size=size, anchor=one.anchor, turn=one.turn, full=one.full
    )


def _swatch(one: Label) -> str:
    """Return the sample of a series' line, points or bars beside its name."""
    if not one.role:
        return ""
    style = ink.STYLES[one.role]
    colour, y, middle = ink.css(style.colour), one.y - 4, one.x + SWATCH / 2
    if one.shape == "bars":
        opacity = {"hollow": 0.16, "dashed": 0.0, "pale": 0.45}.get(style.bar, 0.88)
        stroke = f' stroke="{colour}" stroke-width="1.3"' if style.bar in ("hollow", "dashed") else ""
        dash = ' stroke-dasharray="3 2"' if style.bar == "dashed" else ""
        return (
            f'<rect x="{pixel(one.x + 6)}" y="{pixel(y - 5)}" width="13" height="10" fill="{colour}"'
            f' fill-opacity="{opacity}"{stroke}{dash}/>'
        )
    if one.shape == "points":
        return _point_swatch(style.point, colour, middle, y)
    dash = f' stroke-dasharray="{" ".join(pixel(part * style.width) for part in style.dash)}"' if style.dash else ""
    return (
        f'<path d="M{pixel(one.x)} {pixel(y)}h{pixel(SWATCH)}" fill="none" stroke="{colour}"'
        f' stroke-width="{style.width}"{dash}/>'
    )


def _point_swatch(point: str, colour: str, x: float, y: float) -> str:
    """Return one point of a series in the shape that its points have."""
    if point == "cross":
        path = f"M{pixel(x - 3)} {pixel(y - 3)}l6 6m-6 0l6 -6"
        return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-linecap="round"/>'
    if point == "square":
        return f'<rect x="{pixel(x - 2.7)}" y="{pixel(y - 2.7)}" width="5.4" height="5.4" fill="{colour}"/>'
    return f'<circle cx="{pixel(x)}" cy="{pixel(y)}" r="2.8" fill="{colour}"/>'
