"""Outputs that no task fits: shape, ranges, distribution, and why there is no more."""

from __future__ import annotations

import numpy as np

from reportgen.analysis.metrics.other import Distribution
from reportgen.analysis.metrics.value import SampleScores
from reportgen.report.blocks import Axis, Card, Chart, Fact, Facts, FlatBlock, Series
from reportgen.report.values import Column, number
from reportgen.sections.output_view import OutputView
from reportgen.sections.predictions_gallery import Said, gallery_blocks
from reportgen.sections.predictions_regression import values_text
from reportgen.sections.words import count, number_text, shape_text, share_text

QUANTILE_NAMES = ("1%", "5%", "25%", "50%", "75%", "95%", "99%")


def build_other(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return the distribution of an output that cannot be scored, with its samples."""
    found: Distribution = view.accumulator.distribution()
    return (why_no_more(view), distribution_facts(found), _chart(view, found), *gallery_blocks(view, say_values))


def why_no_more(view: OutputView) -> Card:
    """Say why an output has no evaluation, and how to ask for one."""
    return Card(
        "info",
        "No evaluation for this output",
        f"Its shape is {shape_text(view.output.shape)} a sample; {view.output.task_reason.rstrip('.')}. So there is "
        "nothing to hold it against, and only its values are described.",
        "If it is one of them, say so in the configuration, for example task: regression.",
    )


def distribution_facts(found: Distribution) -> Facts:
    """Return range, mean, spread and quantiles of all values."""
    none = "no finite value"
    items = [
        Fact("Values", found.values, "int", "Single values of all samples"),
        Fact("Smallest", number(found.low, none), "number"),
        Fact("Largest", number(found.high, none), "number"),
        Fact("Mean", number(found.mean, none), "number"),
        Fact("Spread", number(found.std, none), "number", "Standard deviation"),
        Fact(
            "Zeros", found.zeros / found.values if found.values else 0, "percent", "Share of values that are exactly 0"
        ),
        Fact("NaN", found.nan, "int", "Values that are not a number"),
        Fact("Inf", found.inf, "int", "Infinite values"),
    ]
    for name, value in zip(QUANTILE_NAMES, found.quantiles, strict=True):
        items.append(Fact(f"{name} quantile", number(float(value), none), "number"))
    if found.units:
        items.append(Fact("Constant numbers", found.constant_units, "int", f"Of {found.units:,} numbers a sample"))
    return Facts("Values of the output", tuple(items))


def _chart(view: OutputView, found: Distribution) -> Chart:
    """Return the histogram of values."""
    edges, heights = view.accumulator.histogram()
    middle, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
    return Chart(
        view.id("values"),
        "Distribution of values",
        Axis("Value"),
        Axis("Values", integer=True),
        (Series("values", "Values", Column.pack(middle), Column.pack(heights), "bars", "first", width=width),),
        reading=describe_distribution(found),
        note="At most 1,024 evenly spaced values of each sample are counted.",
    )


def describe_distribution(found: Distribution) -> str:
    """Say in one sentence whether values are broken, constant or spread."""
    broken = found.nan + found.inf
    if broken:
        return f"{share_text(broken, found.values, 'value')} are NaN or infinite."
    if not found.values:
        return "The output holds no values."
    if found.low == found.high:
        return f"Every value is {number_text(found.low)}, whatever the input."
    if found.constant_units:
        never = share_text(found.constant_units, found.units, "number")
        return f"{never} of the output never change from sample to sample."
    ends = f"{number_text(found.low, 3)} to {number_text(found.high, 3)}"
    return f"{count(found.values, 'value')} from {ends}, {number_text(found.mean, 3)} on average."


def say_values(view: OutputView, scores: SampleScores, row: int) -> Said:
    """Say the range of what the model gave for one sample."""
    kept = view.kept
    if kept is None:
        raise ValueError("no sample was kept")
    values = np.asarray(kept.predictions[view.output.name][row], dtype=np.float64).reshape(-1)
    truth = "not compared" if view.kept_truth is not None else "no label"
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Said(truth, "no finite value", "unknown")
    if values.size <= 4:
        return Said(truth, values_text(values), "unknown")
    ends = f"{number_text(float(finite.min()), 3)} to {number_text(float(finite.max()), 3)}"
    return Said(truth, f"{values.size:,} values, {ends}", "unknown")
