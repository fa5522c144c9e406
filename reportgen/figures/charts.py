"""Charts: curves, points and bars over two axes. matplotlib draws the geometry, `chart_labels` the words.

Only matplotlib's object interface is used, without pyplot and without text: no font is looked up, no layout is solved.
The same block gives the same bytes.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reportgen.figures import ink
from reportgen.figures.chart_labels import Layout, choose_layout, write_labels
from reportgen.figures.chart_series import Drawn, bar_slots, read_series
from reportgen.figures.drawing import Drawing
from reportgen.figures.lettering import clean, escape, open_svg
from reportgen.figures.scales import Scale, Values, choose_scale
from reportgen.report.blocks import Axis, Chart, Frame

# matplotlib warns on stderr when it cannot keep its font cache; nothing here needs a font.
logging.getLogger("matplotlib").setLevel(logging.ERROR)

POINT_SIZE = {"round": 5.4, "square": 4.8, "cross": 3.0}
NUMBER = re.compile(r"-?\d+\.\d{3,}")


@dataclass(frozen=True, slots=True)
class Plan:
    """A chart ready to be drawn: its series as arrays, its scales and where everything stands."""

    block: Chart
    series: tuple[Drawn, ...]
    x: Scale
    y: Scale
    layout: Layout


def plot_chart(block: Chart, draw: Callable[[Plan], str] | None = None) -> tuple[Chart, Drawing]:
    """Draw a chart; returns it with `frame` filled in (and a log axis without positive values made linear).

    `draw` makes the geometry; left out: matplotlib.
    """
    series = tuple(read_series(one) for one in block.series)
    plan = _plan(block, series)
    layout = plan.layout
    words = write_labels(plan.block, series, layout, plan.x, plan.y)
    svg = f"{open_svg(layout.width, layout.height)}{(draw or _draw)(plan)}{words}</svg>"
    drawing = Drawing("image/svg+xml", svg.encode("utf-8"), layout.width, layout.height)
    return replace(plan.block, frame=_frame(plan)), drawing


def _plan(block: Chart, series: tuple[Drawn, ...]) -> Plan:
    """Choose scales and layout; ticks depend on the room, the room on the longest tick label."""
    xs = np.concatenate([np.empty(0), *[_x_extent(one) for one in series], _marks(block, "x")])
    ys = np.concatenate([np.empty(0), *[one.extent for one in series], _marks(block, "y")])
    bars = any(one.shape == "bars" for one in series)
    only_lines = not bars and not block.diagonal and any(one.shape in ("line", "steps") for one in series)
    if block.diagonal and block.x.scale == block.y.scale:
        xs = ys = np.concatenate([xs, ys])
    y = choose_scale(block.y, ys, room=380 if block.diagonal else 230, base=bars)
    x = choose_scale(block.x, xs, room=480, pad=0.02 if only_lines or bars else 0.05)
    block = replace(block, x=_honest(block.x, x), y=_honest(block.y, y))
    return Plan(block, series, x, y, choose_layout(block, series, x, y))


def _honest(axis: Axis, scale: Scale) -> Axis:
    """Return the axis as it was drawn."""
    return axis if (axis.scale == "log") == scale.log else replace(axis, scale="linear")


def _x_extent(one: Drawn) -> Values:
    """Return the x values that must be in view: bars reach half a width to either side."""
    if one.shape != "bars" or not one.x.size:
        return one.x
    half = one.bar_width() / 2
    return np.concatenate([one.x - half, one.x + half])


def _marks(block: Chart, axis: str) -> Values:
    """Return where the marks stand on one axis."""
    places = [getattr(mark, axis) for mark in block.marks]
    return np.array([float(place) for place in places if place is not None])


def _frame(plan: Plan) -> Frame:
    """Return the transform from data to figure pixels."""
    box, x, y = plan.layout, plan.x, plan.y
    return Frame(
        left=box.left,
        top=box.top,
        right=box.right,
        bottom=box.bottom,
        x_low=x.value(x.low),
        x_high=x.value(x.high),
        y_low=y.value(y.low),
        y_high=y.value(y.high),
    )


def _draw(plan: Plan) -> str:
    """Return the geometry as SVG elements: grid, series and lines of marks."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    box = plan.layout
    # The salt names clip paths: one chart's ids differ from another's, and are the same in every run.
    salt = ascii(plan.block.id)
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": salt, "text.parse_math": False, "path.simplify": False}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(box.width / 72, box.height / 72), dpi=72, frameon=False)
        canvas = FigureCanvasSVG(figure)
        across, down = box.right - box.left, box.bottom - box.top
        place = (box.left / box.width, 1 - box.bottom / box.height, across / box.width, down / box.height)
        axes = figure.add_axes(place, frameon=False)
        axes.set_axis_off()
        axes.set_autoscale_on(False)
        axes.set_xlim(plan.x.low, plan.x.high)
        axes.set_ylim(plan.y.low, plan.y.high)
        _draw_grid(axes, plan)
        for index, one in enumerate(plan.series):
            _draw_series(axes, plan, index, one)
        _draw_marks(axes, plan)
        file = io.StringIO()
        canvas.print_svg(file, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return _compact(file.getvalue(), [one.id for one in plan.series])


def _draw_grid(axes: Any, plan: Plan) -> None:
    """Draw horizontal grid lines, vertical ones where both axes are read alike, the base line and the diagonal."""
    for tick in plan.y.ticks if not plan.block.y.categories else ():
        axes.axhline(tick, color=ink.stand_in("grid"), linewidth=0.8, zorder=0.5, gid="grid")
    if plan.block.diagonal or plan.x.log:
        for tick in plan.x.ticks:
            axes.axvline(tick, color=ink.stand_in("grid"), linewidth=0.8, zorder=0.5, gid="grid")
    heights = {plan.y.low} | ({0.0} if not plan.y.log and plan.y.low < 0 < plan.y.high else set())
    for height in sorted(heights):
        axes.axhline(height, color=ink.stand_in("ink-soft"), linewidth=1.0, zorder=2.5, gid="grid", clip_on=False)
    if plan.block.diagonal:
        ends = max(plan.x.low, plan.y.low), min(plan.x.high, plan.y.high)
        axes.plot(ends, ends, color=ink.stand_in("ink-soft"), linewidth=1, dashes=(2, 3), zorder=0.6, gid="grid")


def _draw_series(axes: Any, plan: Plan, index: int, one: Drawn) -> None:
    """Draw one series with its intervals; what is not finite leaves a gap."""
    style = ink.STYLES[one.role]
    colour, gid = ink.stand_in(style.colour), f"series-{index}"
    x, y = plan.x.place(one.x), plan.y.place(one.y)
    if one.low is not None and one.high is not None:
        _draw_interval(axes, plan, gid, one, x)
    if one.shape == "bars":
        _draw_bars(axes, plan, index, one)
    elif one.shape == "points":
        _draw_points(axes, gid, style, x, y)
    else:
        steps = "steps-post" if one.shape == "steps" else "default"
        line = {"color": colour, "linewidth": style.width, "drawstyle": steps, "gid": gid}
        dashes = {"dashes": style.dash} if style.dash else {}
        axes.plot(x, y, solid_joinstyle="round", dash_joinstyle="round", **line, **dashes)
        alone = find_lone_points(x, y)
        _draw_points(axes, gid, style, x[alone], y[alone], larger=1.35)


def find_lone_points(x: Values, y: Values) -> Any:
    """Return True for points that no line reaches because both neighbours are missing: they get a marker."""
    known = np.isfinite(x) & np.isfinite(y)
    beside = np.zeros(known.size + 2, dtype=bool)
    beside[1:-1] = known
    return known & ~beside[:-2] & ~beside[2:]


def _draw_points(axes: Any, gid: str, style: ink.Style, x: Values, y: Values, larger: float = 1.0) -> None:
    """Draw points as one path: dots are lines without length under round or square caps, crosses two short lines."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return
    at = axes.transData.transform(np.column_stack([x[known], y[known]]))
    at = at[(at >= axes.bbox.min - 0.5).all(axis=1) & (at <= axes.bbox.max + 0.5).all(axis=1)]
    if not len(at):
        return
    size = POINT_SIZE[style.point] * larger
    arms = ((-size, -size, size, size), (-size, size, size, -size)) if style.point == "cross" else ((0, 0, 0.01, 0),)
    ends = np.concatenate([at[:, None, :] + np.array(arm).reshape(1, 2, 2) for arm in arms]).reshape(-1, 2)
    codes = np.tile([Path.MOVETO, Path.LINETO], len(ends) // 2)
    patch = PathPatch(
        Path(ends, codes),
        transform=None,
        facecolor="none",
        edgecolor=ink.stand_in(style.colour),
        linewidth=1.8 if style.point == "cross" else size,
        capstyle="projecting" if style.point == "square" else "round",
        gid=gid,
        alpha=None if len(at) < 200 else 0.55,
        zorder=2.6,
        clip_on=False,  # a dot on the edge of the data area stays whole
    )
    axes.add_patch(patch)


def _draw_bars(axes: Any, plan: Plan, index: int, one: Drawn) -> None:
    """Draw bars from zero (from the bottom of a log axis) as one path; series on the same x stand side by side."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    style = ink.STYLES[one.role]
    slot, slots = bar_slots(plan.series)[index]
    width = one.bar_width()
    left = plan.x.place(one.x - width / 2 + width * slot / slots)
    right = plan.x.place(one.x - width / 2 + width * (slot + 1) / slots)
    top = plan.y.place(one.y)
    known = np.isfinite(left) & np.isfinite(right) & np.isfinite(top)
    if not known.any():
        return
    base = np.full(int(known.sum()), max(0.0, plan.y.low) if not plan.y.log else plan.y.low)
    left, right, top = left[known], right[known], top[known]
    corners = np.stack([left, base, left, top, right, top, right, base, left, base], axis=1).reshape(-1, 2)
    codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], len(left))
    hollow = style.bar in ("hollow", "dashed")
    colour = ink.stand_in(style.colour)
    fill = matplotlib_colour(colour, {"hollow": 0.16, "dashed": 0.0, "pale": 0.45}.get(style.bar, 0.88))
    edge = {"edgecolor": colour if hollow else "none", "linewidth": 1.3 if hollow else 0.0}
    dash = {"linestyle": (0, (3, 2))} if style.bar == "dashed" else {}
    axes.add_patch(PathPatch(Path(corners, codes), facecolor=fill, gid=f"series-{index}", **edge, **dash))


def matplotlib_colour(colour: str, alpha: float) -> tuple[str, float]:
    """Return a stand-in colour with an opacity, as matplotlib takes it."""
    return colour, alpha


def _draw_interval(axes: Any, plan: Plan, gid: str, one: Drawn, x: Values) -> None:
    """Draw 95% intervals: a band around a line, an error bar on points and bars."""
    assert one.low is not None and one.high is not None
    colour = ink.stand_in(ink.STYLES[one.role].colour)
    low, high = plan.y.place(one.low), plan.y.place(one.high)
    if one.shape in ("line", "steps"):
        step = "post" if one.shape == "steps" else None
        known = np.isfinite(low) & np.isfinite(high)
        band = axes.fill_between(x, low, high, where=known, step=step)
        from matplotlib.patches import PathPatch

        # Redrawn as patches: matplotlib writes collections as <use> of a definition, which no page needs.
        for path in band.get_paths():
            axes.add_patch(PathPatch(path, facecolor=matplotlib_colour(colour, 0.15), linewidth=0, gid=gid))
        band.remove()
        return
    if one.shape == "bars":
        colour = ink.stand_in("ink")
        slot, slots = bar_slots(plan.series)[int(gid.removeprefix("series-"))]
        x = plan.x.place(one.x + one.bar_width() * ((slot + 0.5) / slots - 0.5))
    cap = (plan.x.high - plan.x.low) * 3 / (plan.layout.right - plan.layout.left)
    parts = [x, low, x, high, x - cap, low, x + cap, low, x - cap, high, x + cap, high]
    lines = np.stack(parts, axis=1)[np.isfinite(low) & np.isfinite(high) & np.isfinite(x)].reshape(-1, 2, 2)
    broken = np.concatenate([lines, np.full((len(lines), 1, 2), np.nan)], axis=1).reshape(-1, 2)
    axes.plot(broken[:, 0], broken[:, 1], color=colour, linewidth=1.2, alpha=0.8, gid=gid, zorder=2.4)


def _draw_marks(axes: Any, plan: Plan) -> None:
    """Draw the lines of marks; their words stand outside the data area."""
    style = {"color": ink.stand_in("ink-soft"), "linewidth": 1.0, "dashes": (1.5, 2.5), "gid": "mark"}
    for x in plan.x.place(_marks(plan.block, "x")):
        if np.isfinite(x):
            axes.axvline(x, **style)
    for y in plan.y.place(_marks(plan.block, "y")):
        if np.isfinite(y):
            axes.axhline(y, **style)


def _compact(svg: str, series: list[str]) -> str:
    """Return what matplotlib drew without prolog, metadata and unused ids, colours as variables, series by their id."""
    body = svg[svg.index('<g id="figure_1"') : svg.rindex("</svg>")]
    body = ink.replace_stand_ins(body)
    body = NUMBER.sub(lambda match: f"{float(match.group()):.2f}".rstrip("0").rstrip("."), body)
    body = re.sub(
        r'<g id="series-(\d+)">', lambda m: f'<g data-series="{escape(clean(series[int(m.group(1))]))}">', body
    )
    body = body.replace('<g id="mark">', '<g data-part="mark">').replace('<g id="grid">', '<g data-part="grid">')
    body = re.sub(r'<g id="[^"]*">', "<g>", body)
    body = re.sub(r"\s*\n\s*", "\n", body).replace(" \n", " ")
    return re.sub(r">\s+<", "><", body).replace("\n", " ").strip()
