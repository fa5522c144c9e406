"""Charts of lines alone, drawn without matplotlib: for commands that must start fast, with the words of every chart."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from reportgen.figures import charts, ink
from reportgen.figures.chart_series import Drawn
from reportgen.figures.drawing import Drawing
from reportgen.figures.lettering import clean, escape, pixel
from reportgen.figures.scales import Scale, Values
from reportgen.report.blocks import AssetRef, Block, Chart
from reportgen.report.svg import sanitise
from reportgen.report.types import Asset, Section


def draw_line_charts(section: Section) -> tuple[Section, dict[str, Asset]]:
    """Draw every chart of a section, all of lines; returns it with the drawings by their SHA-256."""
    assets: dict[str, Asset] = {}
    blocks: list[Block] = []
    for block in section.blocks:
        if isinstance(block, Chart) and block.figure is None:
            chart, drawing = plot_lines(block)
            data = sanitise(drawing.data)
            name = hashlib.sha256(data).hexdigest()
            assets[name] = Asset(drawing.media_type, data)
            alt = f"{chart.title}. {chart.reading}"
            block = replace(chart, figure=AssetRef(name, drawing.width, drawing.height, alt))
        blocks.append(block)
    return replace(section, blocks=tuple(blocks)), assets


def plot_lines(block: Chart) -> tuple[Chart, Drawing]:
    """Draw a chart whose series are all lines; returns it with `frame` filled in, as `charts.plot_chart` does."""
    return charts.plot_chart(block, _draw)


def _draw(plan: charts.Plan) -> str:
    """Return the geometry as SVG elements: grid, series, marks."""
    return f"{_grid(plan)}{''.join(_line(plan, one) for one in plan.series)}{_marks(plan)}"


def _grid(plan: charts.Plan) -> str:
    """Return horizontal grid lines and the base line."""
    box = plan.layout
    span = f"H{pixel(box.right)}"
    lines = "".join(f"M{pixel(box.left)} {_down(plan, tick)}{span}" for tick in plan.y.ticks)
    foot = f"M{pixel(box.left)} {pixel(box.bottom)}{span}"
    return (
        f'<g data-part="grid"><path d="{lines}" fill="none" stroke="{ink.css("grid")}" stroke-width="0.8"/>'
        f'<path d="{foot}" fill="none" stroke="{ink.css("ink-soft")}"/></g>'
    )


def _line(plan: charts.Plan, one: Drawn) -> str:
    """Return one series: a path with a gap where a value is missing, a dot where no line reaches."""
    style = ink.STYLES[one.role]
    x, y = plan.x.place(one.x), plan.y.place(one.y)
    known = np.isfinite(x) & np.isfinite(y)
    across = _across(plan, x)
    down = plan.layout.bottom - _share(plan.y, y) * (plan.layout.bottom - plan.layout.top)
    parts = [
        f"{'L' if row and known[row - 1] else 'M'}{pixel(across[row])} {pixel(down[row])}"
        for row in np.flatnonzero(known)
    ]
    dots = "".join(
        f"M{pixel(across[row])} {pixel(down[row])}h.01" for row in np.flatnonzero(charts.find_lone_points(x, y))
    )
    colour = ink.css(style.colour)
    dash = f' stroke-dasharray="{" ".join(pixel(part * style.width) for part in style.dash)}"' if style.dash else ""
    pen = f'fill="none" stroke="{colour}" stroke-width="{style.width}"{dash} stroke-linejoin="round"'
    drawn = f'<path d="{"".join(parts)}" {pen}/>'
    dot = f'<path d="{dots}" fill="none" stroke="{colour}" stroke-width="6" stroke-linecap="round"/>' if dots else ""
    return f'<g data-series="{escape(clean(one.id))}">{drawn if parts else ""}{dot}</g>'


def _marks(plan: charts.Plan) -> str:
    """Return the lines of vertical marks."""
    places = [float(mark.x) for mark in plan.block.marks if mark.x is not None]
    at = [place for place in _across(plan, plan.x.place(np.asarray(places))) if np.isfinite(place)]
    if not at:
        return ""
    lines = "".join(f"M{pixel(place)} {pixel(plan.layout.top)}V{pixel(plan.layout.bottom)}" for place in at)
    pen = f'fill="none" stroke="{ink.css("ink-soft")}" stroke-dasharray="1.5 2.5"'
    return f'<g data-part="mark"><path d="{lines}" {pen}/></g>'


def _across(plan: charts.Plan, x: Values) -> Values:
    """Return the pixels across of positions on the x axis."""
    box = plan.layout
    return np.asarray(box.left + _share(plan.x, x) * (box.right - box.left))


def _down(plan: charts.Plan, tick: float) -> str:
    """Return the pixel down of a position on the y axis."""
    share = float(_share(plan.y, np.asarray([tick]))[0])
    return pixel(plan.layout.bottom - share * (plan.layout.bottom - plan.layout.top))


def _share(scale: Scale, positions: Values) -> Values:
    """Return how far along an axis positions lie, from 0 to 1."""
    return np.asarray((positions - scale.low) / (scale.high - scale.low))
