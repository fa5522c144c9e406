"""Charts over depth: how the spread of activations and weights runs, and where units are dead."""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import ActivationFacts, Array, WorkerEvidence
from reportgen.report.blocks import Axis, Block, Chart, Series, Text
from reportgen.report.values import Column
from reportgen.sections.layer_statistics import name_layers, own_units
from reportgen.sections.words import count, number_text, share_text, shorten


def depth_charts(worker: WorkerEvidence) -> tuple[Block, ...]:
    """Return the charts over depth: spread of activations and weights, and the share of dead units."""
    facts = own_units(worker)
    if len(facts) < 2:
        return ()
    blocks: list[Block] = [_spread_chart(worker)]
    if any(row.dead or row.near_dead for row in facts):
        blocks.append(_dead_chart(facts))
    else:
        units = sum(row.units for row in facts)
        fewest = min(row.samples for row in facts)
        blocks.append(
            Text(f"None of the {count(units, 'unit')} looked at is dead or near-dead on {count(fewest, 'sample')}.")
        )
    return tuple(blocks)


def _spread_chart(worker: WorkerEvidence) -> Chart:
    """Return the chart of activation and kernel spread by depth on a log scale."""
    facts = worker.activations
    depth = np.arange(1, len(facts) + 1)
    spread = _for_log(np.array([row.std for row in facts]))
    place = {row.layer: i + 1 for i, row in enumerate(facts)}
    kernels = [w for w in worker.weights if w.layer in place and len(w.shape) > 1 and w.std > 0]
    series = [Series("activations", "Activations", Column.pack(depth, "<i4"), Column.pack(spread), "line", "first")]
    if kernels:
        x = Column.pack([place[w.layer] for w in kernels], "<i4")
        series.append(Series("weights", "Weights", x, Column.pack([w.std for w in kernels]), "points", "second"))
    flat = [row.layer for row in facts if not row.std > 0]
    return Chart(
        "layer-spread",
        "Spread over depth",
        Axis("Layer in call order", integer=True),
        Axis("Standard deviation", "log"),
        tuple(series),
        reading=describe_spread(facts),
        note=f"No point for {name_layers(flat)}: a spread of zero has no place on a log scale." if flat else "",
    )


def _for_log(values: Array) -> Array:
    """Return float64 values with NaN where a log scale has no place."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan).astype(np.float64)


def describe_spread(facts: tuple[ActivationFacts, ...]) -> str:
    """Say how the spread of activations runs from the first to the last layers: steady, falling or growing."""
    spreads = _for_log(np.array([row.std for row in facts[:-1] or facts]))
    known = np.flatnonzero(~np.isnan(spreads))
    if known.size < 2:
        return "Too few layers have a spread to speak of a trend."
    logs = np.log10(spreads[known])
    slope = float(np.polyfit(known, logs, 1)[0]) if known.size > 2 else float(logs[-1] - logs[0])
    change = slope * (int(known[-1]) - int(known[0])) if known.size > 2 else slope
    factor = number_text(10 ** abs(change), 2)
    first_last = "from the first to the last hidden layer"
    if change <= -1:
        return f"The signal fades: the trend of the spread falls {factor}-fold {first_last}."
    if change >= 1:
        return f"The signal grows: the trend of the spread rises {factor}-fold {first_last}."
    if abs(change) < 0.05:
        return f"The spread is level {first_last}."
    way = "falls" if change < 0 else "rises"
    return f"The spread stays within one order of magnitude: its trend {way} {factor}-fold {first_last}."


def _dead_chart(facts: tuple[ActivationFacts, ...]) -> Chart:
    """Return bars of the share of dead and near-dead units by depth."""
    depth = Column.pack(np.arange(1, len(facts) + 1), "<i4")
    units = np.array([max(row.units, 1) for row in facts], dtype=np.float64)
    dead = np.array([row.dead for row in facts]) / units
    near = np.array([row.near_dead for row in facts]) / units
    worst = facts[int(np.argmax(dead if dead.any() else near))]
    what = "dead" if dead.any() else "near-dead"
    number_of = worst.dead if dead.any() else worst.near_dead
    return Chart(
        "layer-dead",
        "Dead units over depth",
        Axis("Layer in call order", integer=True),
        Axis("Share of units", low=0.0, high=1.0),
        (
            Series("dead", "Dead", depth, Column.pack(dead), "bars", "wrong", width=0.8),
            Series("near-dead", "Near-dead", depth, Column.pack(near), "points", "muted"),
        ),
        reading=f"{shorten(worst.layer)} has the largest share: {share_text(number_of, worst.units, 'unit')} {what}.",
    )
