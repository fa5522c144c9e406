"""Outputs that are several numbers: errors and their quantiles by target, and along the steps of a forecast."""

from __future__ import annotations

from typing import Literal

import numpy as np

from reportgen.analysis.evidence import Array
from reportgen.analysis.metrics.regression import Targets
from reportgen.report.blocks import Axis, Chart, Series, Table, TableColumn
from reportgen.report.values import Column, Number, number
from reportgen.sections.output_view import OutputView
from reportgen.sections.same_columns import say_once
from reportgen.sections.words import number_text, percent

MOST_TARGETS_LISTED = 256
QUANTILE_NAMES = ("1%", "5%", "25%", "50%", "75%", "95%", "99%")


def name_target(view: OutputView, target: int) -> str:
    """Name a target in a title, or nothing when there is only one."""
    names = view.output.class_names
    if view.accumulator.targets == 1:
        return ""
    return f", {names[target]}" if target < len(names) else f", target {target + 1}"


TARGET_COLUMNS = (
    TableColumn("Target", help="Number of the predicted value"),
    TableColumn("Samples", "int", help="Samples with a known truth"),
    TableColumn("MAE", "number", help="Mean absolute error"),
    TableColumn("RMSE", "number", help="Root of the mean squared error"),
    TableColumn("R2", "number", help="Share of the variance explained; 0 is always the mean, 1 is perfect"),
    TableColumn("Bias", "number", help="Mean of prediction minus truth"),
    TableColumn("Spread", "number", help="Standard deviation of the errors"),
    *(TableColumn(f"Error at {name}", "number", help=f"{name} of the errors are lower") for name in QUANTILE_NAMES),
)


def target_table(view: OutputView, targets: Targets) -> Table:
    """Return errors and their quantiles, one row a target."""
    shown = min(len(targets.n), MOST_TARGETS_LISTED)
    rows: list[tuple[str | Number | None, ...]] = []
    for i in range(shown):
        name = name_target(view, i).removeprefix(", ") or "the output"
        numbers = (targets.mae, targets.rmse, targets.r2, targets.bias, targets.spread)
        cells = tuple(number(float(values[i]), "cannot be computed on these samples") for values in numbers)
        quantiles = tuple(number(float(q), "not kept for so many targets") for q in targets.quantiles[i])
        rows.append((name, int(targets.n[i]), *cells, *quantiles))
    note = f"The first {shown} of {len(targets.n):,} targets." if shown < len(targets.n) else ""
    table = Table(view.id("targets"), "Errors", TARGET_COLUMNS, tuple(rows), describe_targets(view, targets), note)
    return say_once(table, ("Samples",), row="target")


def describe_targets(view: OutputView, targets: Targets) -> str:
    """Say in one sentence which target is predicted best and worst; with one, how large its errors are."""
    if len(targets.n) == 1:
        bias, spread = number_text(float(targets.bias[0]), 3), number_text(float(targets.spread[0]), 3)
        return f"Errors have a bias of {bias} and, apart from it, a spread of {spread}."
    if np.isnan(targets.mae).all():
        return "No target has a known truth."
    low, high = int(np.nanargmin(targets.mae)), int(np.nanargmax(targets.mae))
    smallest, largest = number_text(float(targets.mae[low]), 3), number_text(float(targets.mae[high]), 3)
    first, last = (name_target(view, target).removeprefix(", ") for target in (low, high))
    return f"The mean absolute error runs from {smallest} ({first}) to {largest} ({last})."


def by_target_chart(view: OutputView, targets: Targets) -> Chart:
    """Return the error of every target beside what its own mean would err; along the targets if they are steps."""
    steps = len(view.output.shape) > 1
    x = Column.pack(np.arange(1, len(targets.n) + 1), "<i4")
    shape: Literal["line", "points"] = "line" if steps else "points"
    naive = Series("spread", "Standard deviation of the truth", x, Column.pack(targets.truth_std), shape, "muted")
    return Chart(
        view.id("by-target"),
        "Error by step" if steps else "Error by target",
        Axis("Step" if steps else "Target", integer=True),
        Axis("Error", low=0.0),
        (Series("rmse", "RMSE", x, Column.pack(targets.rmse), shape, "first"), naive),
        reading=describe_horizon(targets.rmse) if steps else describe_shares(view, targets),
        note="Where the error is above the standard deviation of the truth, a target's own mean would do better.",
    )


def describe_shares(view: OutputView, targets: Targets) -> str:
    """Say in one sentence which target is predicted worst and best for how much it varies."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(targets.truth_std > 0, targets.rmse / targets.truth_std, np.nan)
    if np.isnan(share).all():
        return "No target varies."
    low, high = int(np.nanargmin(share)), int(np.nanargmax(share))
    best, worst = (name_target(view, target).removeprefix(", ") for target in (low, high))
    return (
        f"For how much they vary, {worst} is predicted worst (error {percent(share[high])} of its standard deviation) "
        f"and {best} best ({percent(share[low])})."
    )


def describe_horizon(errors: Array) -> str:
    """Say in one sentence whether the error grows from the first to the last target."""
    known = errors[np.isfinite(errors)]
    if known.size < 3:
        return "Too few targets with a known truth to speak of a trend."
    part = max(known.size // 3, 1)
    first, last = float(known[:part].mean()), float(known[-part:].mean())
    ends = f"{number_text(first, 3)} in the first third of targets, {number_text(last, 3)} in the last"
    if last > 1.2 * first:
        return f"The error grows along the targets: {ends}."
    if first > 1.2 * last:
        return f"The error shrinks along the targets: {ends}."
    return f"The error is about level along the targets: {ends}."
