"""Outputs that are numbers: predicted against true, residuals, error quantiles, worst samples."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from reportgen.analysis.evidence import Array
from reportgen.analysis.metrics.regression import Points, Targets
from reportgen.analysis.metrics.regression_sums import SPREAD_TARGETS
from reportgen.analysis.metrics.value import SampleScores
from reportgen.checks.lookup import recall
from reportgen.report.blocks import Axis, Chart, ChartMark, FlatBlock, Series
from reportgen.report.values import Column
from reportgen.sections.output_view import OutputView
from reportgen.sections.predictions_gallery import Said, Style, describe_losses, gallery_blocks
from reportgen.sections.predictions_normal import normal_chart
from reportgen.sections.predictions_targets import by_target_chart, name_target, target_table
from reportgen.sections.words import count, number_text, percent

MOST_TARGETS_DRAWN = 4
MOST_POINTS = 800
BINS = 30
SHOWN_VALUES = 4


def build_regression(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return what is particular to outputs that are numbers."""
    gallery = gallery_blocks(view, say_numbers, Style(describe=partial(describe_losses, name="mean absolute error")))
    if not view.labelled:
        return (*gallery, *prediction_charts(view))
    targets: Targets = view.accumulator.by_target()
    blocks: list[FlatBlock] = [*gallery]
    drawn = worst_targets(targets, MOST_TARGETS_DRAWN)
    for target in drawn:
        blocks += target_charts(view, targets, target)
    if len(targets.n) <= SPREAD_TARGETS:
        blocks += normal_chart(view, worst_targets(targets, 1)[0])
    blocks.append(target_table(view, targets))
    if len(targets.n) >= 5:
        blocks.append(by_target_chart(view, targets))
    return tuple(blocks)


def target_charts(view: OutputView, targets: Targets, target: int) -> tuple[Chart, ...]:
    """Return predicted against true, errors against prediction, and the errors of one target."""
    points: Points | None = recall("points", view.output, lambda _: view.accumulator.points())
    charts: tuple[Chart, ...] = ()
    if points is not None and len(points.truth):
        charts = (_scatter(view, targets, points, target), _residuals(view, points, target))
    return (*charts, _error_chart(view, targets, target)) if len(targets.n) <= 16 else charts


def worst_targets(targets: Targets, most: int) -> list[int]:
    """Return all targets up to `most`, else those with the worst R2, in their own order."""
    if len(targets.n) <= most:
        return list(range(len(targets.n)))
    rank = np.nan_to_num(targets.r2, nan=np.inf)
    return sorted(int(i) for i in np.argsort(rank, kind="stable")[:most])


def say_numbers(view: OutputView, scores: SampleScores, row: int) -> Said:
    """Say the true and the predicted numbers of one sample and the error between them."""
    kept = view.kept
    if kept is None:
        raise ValueError("no sample was kept")
    said = np.asarray(kept.predictions[view.output.name][row], dtype=np.float64).reshape(-1)
    if view.kept_truth is None:
        return Said("no label", values_text(said), "unknown")
    truth = np.asarray(view.kept_truth[row], dtype=np.float64).reshape(-1)
    details: tuple[tuple[str, str], ...] = ()
    if truth.size == said.size:
        error = said - truth
        worst = int(np.argmax(np.nan_to_num(np.abs(error), nan=-1.0)))
        what = "error" if error.size == 1 else f"largest error (target {worst + 1})"
        details = ((what, number_text(float(error[worst]))),)
    return Said(values_text(truth), values_text(said), "unknown", details)


def values_text(values: Array) -> str:
    """Write up to four numbers; the rest is counted."""
    shown = ", ".join(number_text(float(value)) for value in values[:SHOWN_VALUES])
    return f"{shown} … {values.size - SHOWN_VALUES:,} more" if values.size > SHOWN_VALUES else shown


def _scatter(view: OutputView, targets: Targets, points: Points, target: int) -> Chart:
    """Return predicted against true with the diagonal."""
    truth, said = points.truth[:MOST_POINTS, target], points.prediction[:MOST_POINTS, target]
    ends = [v for v in (float(np.nanmin([truth, said])), float(np.nanmax([truth, said]))) if math.isfinite(v)]
    low, high = (ends[0], ends[1]) if len(ends) == 2 and ends[0] < ends[1] else (None, None)
    return Chart(
        view.id(f"predicted-true-{target + 1}"),
        f"Predicted against true{name_target(view, target)}",
        Axis("True value", low=low, high=high),
        Axis("Predicted value", low=low, high=high),
        (Series("samples", "Samples", _pack(truth), _pack(said), "points", "first"),),
        reading=describe_scatter(targets, target),
        diagonal=True,
        note=_drawn(points, len(truth)),
    )


def _drawn(points: Points, drawn: int) -> str:
    """Say which samples the points are."""
    kept = f"{drawn:,} points drawn from " if drawn < len(points.truth) else ""
    return f"{kept}{points.rule}; the line is a perfect prediction." if kept else f"Points are {points.rule}."


def _pack(values: Array) -> Column:
    """Pack values for drawing: float32 is finer than any screen."""
    with np.errstate(over="ignore"):
        return Column.pack(values.astype(np.float32), "<f4")


def describe_scatter(targets: Targets, target: int) -> str:
    """Say in one sentence how much of the truth is explained and whether the model aims too high or too low."""
    r2, bias, rmse = (float(values[target]) for values in (targets.r2, targets.bias, targets.rmse))
    if math.isnan(r2):
        return f"The true values do not vary; the typical error is {number_text(rmse, 3)}."
    if r2 <= 0:
        first = f"No better than always saying the mean (R2 {number_text(r2, 3)})"
    elif r2 < 0.5:
        first = f"A weak relation: {percent(r2)} of the variance is explained"
    elif r2 < 0.9:
        first = f"A clear relation: {percent(r2)} of the variance is explained"
    else:
        first = f"A close relation: {percent(r2)} of the variance is explained"
    standard_error = float(targets.spread[target]) / math.sqrt(max(int(targets.n[target]), 1))
    if abs(bias) > 3 * standard_error and abs(bias) > 0.05 * rmse:
        return f"{first}; predictions are {number_text(abs(bias), 3)} too {'high' if bias > 0 else 'low'} on average."
    return f"{first}; on average neither too high nor too low."


def _residuals(view: OutputView, points: Points, target: int) -> Chart:
    """Return the error of each prediction against the prediction."""
    truth, said = points.truth[:MOST_POINTS, target], points.prediction[:MOST_POINTS, target]
    return Chart(
        view.id(f"residuals-{target + 1}"),
        f"Errors against prediction{name_target(view, target)}",
        Axis("Predicted value"),
        Axis("Prediction minus truth"),
        (Series("samples", "Samples", _pack(said), _pack(said - truth), "points", "first"),),
        reading=describe_residuals(points.prediction[:, target], points.truth[:, target]),
        marks=(ChartMark("no error", y=0.0),),
        note=_drawn(points, len(truth)).replace("; the line is a perfect prediction", ""),
    )


def describe_residuals(said: Array, truth: Array) -> str:
    """Say in one sentence whether errors grow or shrink with the prediction, comparing its lowest and highest third."""
    known = np.isfinite(said) & np.isfinite(truth)
    said, error = said[known], (said - truth)[known]
    if said.size < 30:
        return f"{count(int(said.size), 'point')}: too few to speak of a pattern."
    order = np.argsort(said, kind="stable")
    third = said.size // 3
    low, high = (float(np.sqrt(np.mean(error[part] ** 2))) for part in (order[:third], order[-third:]))
    ends = f"typically {number_text(low, 3)} in the lowest third of predictions, {number_text(high, 3)} in the highest"
    if high > 1.5 * low:
        return f"Errors grow with the prediction: {ends}."
    if low > 1.5 * high:
        return f"Errors shrink as the prediction grows: {ends}."
    return f"Errors are about the same over the whole range: {ends}."


def _error_chart(view: OutputView, targets: Targets, target: int) -> Chart:
    """Return the histogram of errors."""
    values, counts = view.accumulator.error_table(target)
    middle, heights, width = histogram_of(values, counts)
    return Chart(
        view.id(f"errors-{target + 1}"),
        f"Errors{name_target(view, target)}",
        Axis("Prediction minus truth"),
        Axis("Samples", integer=True),
        (Series("errors", "Samples", Column.pack(middle), Column.pack(heights), "bars", "first", width=width),),
        reading=describe_errors(targets.quantiles[target]),
        marks=(ChartMark("no error", x=0.0),),
    )


def histogram_of(values: Array, counts: Array, bins: int = BINS) -> tuple[Array, Array, float]:
    """Return the middle of each bin, its count, and the bin width, from distinct values and their counts."""
    if not len(values):
        return np.zeros(0), np.zeros(0), 1.0
    low, high = float(values[0]), float(values[-1])
    if not high > low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, bins + 1)
    heights, _ = np.histogram(values, bins=edges, weights=counts.astype(np.float64))
    return (edges[:-1] + edges[1:]) / 2, heights, float(edges[1] - edges[0])


def describe_errors(quantiles: Array) -> str:
    """Say in one sentence between which ends half, and nine tenths, of the errors lie."""
    if np.isnan(quantiles).any():
        return "No quantiles are kept for so many targets."
    _, q05, q25, middle, q75, q95, _ = (number_text(float(q), 3) for q in quantiles)
    lean = ""
    width = float(quantiles[4] - quantiles[2])
    if width > 0 and abs(float(quantiles[3])) > 0.25 * width:
        lean = f"; the middle one is {middle}, so the model aims {'high' if quantiles[3] > 0 else 'low'}"
    return f"Half of the errors lie between {q25} and {q75}, 90% between {q05} and {q95}{lean}."


def prediction_charts(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return histograms of the predictions alone, when there are no labels."""
    if view.accumulator.targets > 16:
        return ()
    charts = []
    for target in range(min(view.accumulator.targets, MOST_TARGETS_DRAWN)):
        values, counts = view.accumulator.prediction_table(target)
        middle, heights, width = histogram_of(values, counts)
        charts.append(
            Chart(
                view.id(f"values-{target + 1}"),
                f"Predictions{name_target(view, target)}",
                Axis("Predicted value"),
                Axis("Samples", integer=True),
                (Series("values", "Samples", Column.pack(middle), Column.pack(heights), "bars", "first", width=width),),
                reading=describe_values(values, counts),
            )
        )
    return tuple(charts)


def describe_values(values: Array, counts: Array) -> str:
    """Say in one sentence over which range predictions spread, or that they are all alike."""
    total = int(counts.sum())
    if not total:
        return "No finite prediction."
    if len(values) == 1:
        return f"All {count(total, 'prediction')} are {number_text(float(values[0]))}."
    mean = float((values * counts).sum() / total)
    ends = f"{number_text(float(values[0]), 3)} to {number_text(float(values[-1]), 3)}"
    return f"{count(total, 'prediction')} from {ends}, {number_text(mean, 3)} on average."
