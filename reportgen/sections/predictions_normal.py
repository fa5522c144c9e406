"""Errors of a number beside a normal distribution: a normal Q-Q plot."""

from __future__ import annotations

from reportgen.analysis.normality import NormalQuantiles, normal_quantiles
from reportgen.report.blocks import Axis, Chart, FlatBlock, Series
from reportgen.report.values import Column
from reportgen.sections.output_view import OutputView
from reportgen.sections.predictions_targets import name_target
from reportgen.sections.words import count, number_text

EXPECTED = 2.326  # a normal distribution's 99% quantile
FEWEST = 50


def normal_chart(view: OutputView, target: int) -> tuple[FlatBlock, ...]:
    """Return the quantiles of one target's errors beside a normal's; nothing where they do not vary."""
    found = normal_quantiles(*view.accumulator.error_table(target))
    if found is None:
        return ()
    drawn = "" if found.n == len(found.seen) else f"{len(found.seen)} quantiles of "
    return (
        Chart(
            view.id(f"normal-{target + 1}"),
            f"Errors beside a normal distribution{name_target(view, target)}",
            Axis("Normal quantile (standard deviations)"),
            Axis("Error (standard deviations)"),
            (
                Series(
                    "quantiles",
                    "Quantiles",
                    Column.pack(found.normal),
                    Column.pack(found.seen),
                    "points",
                    "first",
                ),
            ),
            reading=describe_normality(found),
            diagonal=True,
            note=f"Normal Q-Q plot: {drawn}{count(found.n, 'error')}; on the line, errors are spread as normal ones.",
        ),
    )


def describe_normality(found: NormalQuantiles) -> str:
    """Say in one sentence how the tails of errors compare with a normal distribution's."""
    if found.n < FEWEST:
        return f"{count(found.n, 'error')}: too few to judge their tails."
    low, high = -found.low / EXPECTED, found.high / EXPECTED
    ends = (
        f"the lowest 1% lie below {number_text(found.low, 3)} standard deviations, the highest above "
        f"{number_text(found.high, 3)} (normal: -2.33 and 2.33)"
    )
    if low > 1.15 and high > 1.15:
        return f"Large errors are more frequent than a normal distribution would have them: {ends}."
    if high > 1.15 * max(low, 1):
        return f"Predictions that are far too high are more frequent than normal: {ends}."
    if low > 1.15 * max(high, 1):
        return f"Predictions that are far too low are more frequent than normal: {ends}."
    if low < 0.85 and high < 0.85:
        return f"Errors end sooner than a normal distribution: {ends}."
    return f"Errors are spread about as a normal distribution would spread them: {ends}."
