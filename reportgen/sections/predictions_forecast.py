"""Forecasts: over the truth, along the batch, error by step ahead beside naive forecasts, worst windows first."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np

from reportgen.analysis.evidence import Array
from reportgen.analysis.forecast import as_steps
from reportgen.analysis.metrics.timeseries import Horizon
from reportgen.report.blocks import Axis, Chart, ChartMark, FlatBlock, Series
from reportgen.report.values import Column
from reportgen.sections.output_view import OutputView
from reportgen.sections.predictions_gallery import Style, describe_losses, gallery_blocks
from reportgen.sections.predictions_regression import prediction_charts, say_numbers, target_charts
from reportgen.sections.predictions_targets import target_table
from reportgen.sections.samples import kept_name
from reportgen.sections.words import count, number_text, percent

DRAWN = 2
MOST_POINTS = 1_000
MOST_CARDS = 16


def build_timeseries(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return what is particular to forecasts."""
    style = Style(describe=partial(describe_losses, name="mean absolute error"), most=MOST_CARDS)
    gallery = gallery_blocks(view, say_numbers, style)
    if not view.labelled:
        return (*window_charts(view), *gallery, *prediction_charts(view))
    horizon: Horizon = view.accumulator.by_horizon()
    blocks: list[FlatBlock] = list(window_charts(view))
    if len(horizon.n) > 1:
        blocks.append(horizon_chart(view, horizon))
    blocks += along_chart(view)
    blocks += gallery
    targets = view.accumulator.by_target()
    drawn = [0] if len(targets.n) == 1 else [0, len(targets.n) - 1]
    for target in drawn:
        blocks += target_charts(view, targets, target)
    blocks.append(target_table(view, targets))
    return tuple(blocks)


def window_charts(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return window, forecast and truth of the worst kept samples and of seeded ones, as far as privacy allows."""
    kept = view.kept
    if kept is None or view.artifacts.privacy != "show":
        return ()
    worst = [i for i, reason in enumerate(kept.reasons) if "worst" in reason]
    if view.kept_truth is not None:
        error = np.abs(_flat(kept.predictions[view.output.name]) - _flat(view.kept_truth)).mean(axis=1)
        worst.sort(key=lambda i: (-np.nan_to_num(error[i], nan=-1.0), i))
    worst = _apart(worst, kept.positions, as_steps(kept.predictions[view.output.name][:1]).shape[1])
    seeded = [i for i, reason in enumerate(kept.reasons) if "seeded" in reason and i not in worst[:DRAWN]]
    rows = [(i, "one of the worst") for i in worst[:DRAWN]] + [(i, "drawn by the seed") for i in seeded[:DRAWN]]
    return tuple(_window_chart(view, place, row, why) for place, (row, why) in enumerate(rows))


def _apart(rows: list[int], positions: Array, steps: int) -> list[int]:
    """Leave out windows that overlap a worse one: neighbours would show the same mistake again."""
    chosen: list[int] = []
    for row in rows:
        if all(abs(int(positions[row]) - int(positions[other])) >= steps for other in chosen):
            chosen.append(row)
    return chosen


def _flat(values: Array) -> Array:
    """Return values as float64 rows."""
    return np.asarray(values, np.float64).reshape(len(values), -1)


def _window_chart(view: OutputView, place: int, row: int, why: str) -> Chart:
    """Return one window with what followed and what was forecast; the first variable of several."""
    kept = view.kept
    if kept is None:
        raise ValueError("no sample was kept")
    said = as_steps(kept.predictions[view.output.name][row : row + 1])[0, :, 0]
    x = Column.pack(np.arange(1, len(said) + 1), "<i4")
    shape: Literal["line", "points"] = "line" if len(said) > 1 else "points"
    series = []
    past = _past_of(view, row)
    if past is not None:
        x_past = Column.pack(np.arange(1 - len(past), 1), "<i4")
        series.append(Series("input", "Input window", x_past, Column.pack(past), "line", "muted"))
    reading = f"Forecast of {count(len(said), 'step')}, from {number_text(said[0], 3)} to {number_text(said[-1], 3)}."
    if view.kept_truth is not None:
        truth = as_steps(view.kept_truth[row : row + 1])[0, :, 0]
        series.append(Series("truth", "Truth", x, Column.pack(truth), shape, "second"))
        reading = describe_window(said, truth, past)
    series.append(Series("forecast", "Forecast", x, Column.pack(said), shape, "first"))
    name = kept_name(kept, row, view.artifacts.privacy)
    return Chart(
        view.id(f"window-{place + 1}"),
        f"Forecast, {name} ({why})",
        Axis("Steps ahead", integer=True),
        Axis("Value"),
        tuple(series),
        reading=reading,
        marks=(ChartMark("forecast starts", x=0.5),) if past is not None else (),
        note="Of several variables the first." if as_steps(kept.predictions[view.output.name][:1]).shape[2] > 1 else "",
    )


def _past_of(view: OutputView, row: int) -> Array | None:
    """Return the input window of a kept sample, its first column; None when no input is a window of numbers."""
    for values in view.kept.inputs.values() if view.kept else ():
        array = np.asarray(values)
        if array.ndim in (2, 3) and array.shape[1] > 1 and array.dtype.kind in "fiu":
            return as_steps(array[row : row + 1])[0, :, 0]
    return None


def describe_window(said: Array, truth: Array, past: Array | None) -> str:
    """Say in one sentence how far a forecast is off, beside what repeating the last value would give."""
    error = float(np.abs(said - truth).mean())
    if past is None or not np.isfinite(past[-1]):
        return f"Off by {number_text(error, 3)} on average."
    naive = float(np.abs(past[-1] - truth).mean())
    return (
        f"Off by {number_text(error, 3)} on average; repeating the last value would be off by {number_text(naive, 3)}."
    )


ROLES = ("second", "muted")


def horizon_chart(view: OutputView, horizon: Horizon) -> Chart:
    """Return the mean absolute error by step ahead, beside the naive forecasts."""
    x = Column.pack(np.arange(1, len(horizon.n) + 1), "<i4")
    low, high = Column.pack(np.maximum(horizon.low, 0)), Column.pack(horizon.high)
    series = [Series("mae", "Model, with 95% interval", x, Column.pack(horizon.mae), "line", "first", low, high)]
    for index, (name, errors) in enumerate(horizon.naive.items()):
        series.append(
            Series(f"naive-{index + 1}", f"Naive: {name}", x, Column.pack(errors), "line", ROLES[index])  # type: ignore[arg-type]
        )
    return Chart(
        view.id("by-horizon"),
        "Error by steps ahead",
        Axis("Steps ahead", integer=True),
        Axis("Mean absolute error", low=0.0),
        tuple(series),
        reading=describe_horizon(horizon),
        note="Naive forecasts are made from the same windows." if horizon.naive else "",
    )


def describe_horizon(horizon: Horizon) -> str:
    """Say in one sentence how the error grows with the horizon and from where on a naive forecast is as good."""
    first, last = number_text(float(horizon.mae[0]), 3), number_text(float(horizon.mae[-1]), 3)
    said = f"The error goes from {first} one step ahead to {last} at {count(len(horizon.n), 'step')}"
    if not horizon.naive:
        return f"{said}; there is no naive forecast to compare with."
    best = np.min(np.stack(list(horizon.naive.values())), axis=0)
    ahead = horizon.mae < best
    if ahead.all():
        return f"{said}, below every naive forecast at every step."
    if not ahead.any():
        return f"{said}, nowhere below the best naive forecast."
    return f"{said}; it is below the best naive forecast at {int(ahead.sum())} of {count(len(ahead), 'step')}."


def along_chart(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return forecast and truth along the batch, in the order of its rows (means over the steps ahead)."""
    records = view.output.records
    order = np.argsort(records.positions, kind="stable")
    known = np.isfinite(records.truth[order]) & np.isfinite(records.prediction[order])
    order = order[known][:MOST_POINTS]
    if len(order) < 3:
        return ()
    x = Column.pack(records.positions[order], "<i8")
    truth, said = records.truth[order], records.prediction[order]
    what = "" if view.accumulator.targets == 1 else ", mean over the steps ahead"
    cut = f"The first {len(order):,} of {view.output.n:,} windows." if len(order) < view.output.n_labelled else ""
    return (
        Chart(
            view.id("along"),
            f"Forecasts over truth along the batch{what}",
            Axis("Row of the batch", integer=True),
            Axis("Value"),
            (
                Series("truth", "Truth", x, Column.pack(truth), "line", "second"),
                Series("forecast", "Forecast", x, Column.pack(said), "line", "first"),
            ),
            reading=describe_along(truth, said),
            note=cut,
        ),
    )


def describe_along(truth: Array, said: Array) -> str:
    """Say in one sentence how closely forecasts follow the truth, and whether they move as much."""
    if not truth.std() > 0:
        return "The truth does not vary."
    if not said.std() > 0:
        return "The forecast is the same for every window."
    together = float(np.corrcoef(truth, said)[0, 1])
    swing = float(said.std() / truth.std())
    return f"Correlation {number_text(together, 3)}; forecasts vary {percent(swing)} as much as the truth."
