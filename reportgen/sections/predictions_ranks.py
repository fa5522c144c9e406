"""How well scores rank samples: ROC by class, precision and recall by label, what the best-scored samples hold."""

from __future__ import annotations

import math

import numpy as np

from reportgen.analysis.evidence import Array
from reportgen.analysis.intervals import wilson_pair
from reportgen.analysis.metrics.curves import ScoreTable
from reportgen.report.blocks import Axis, Chart, FlatBlock, Series, Table, TableColumn
from reportgen.report.values import Column, number
from reportgen.sections.output_view import OutputView
from reportgen.sections.words import count, interval_text, number_text, percent

DRAWN = 3
GRID = 101
TOPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75)
FEWEST_TOP = 10
ROLES = ("first", "second", "third")


def class_roc(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return the ROC curves of the classes that are ranked worst, each against the rest; none past 30 classes."""
    tables = [(label, table) for label, table in enumerate(view.accumulator.curves()) if table.two_classes]
    if not tables:
        return ()
    tables.sort(key=lambda item: (item[1].area(), item[0]))
    rates = np.linspace(0.0, 1.0, GRID)
    series = tuple(
        Series(
            f"class-{label}",
            f"{view.class_name(label)} (area {number_text(table.area(), 4)})",
            Column.pack(rates),
            Column.pack(_found_at(table, rates)),
            "line",
            role,  # type: ignore[arg-type]
        )
        for (label, table), role in zip(tables[:DRAWN], ROLES, strict=False)
    )
    left = f"The {DRAWN} classes of {len(tables)} that are ranked worst. " if len(tables) > DRAWN else ""
    return (
        Chart(
            view.id("roc"),
            "ROC by class, each against the rest",
            Axis("False positive rate", low=0.0, high=1.0),
            Axis("True positive rate (recall)", low=0.0, high=1.0),
            series,
            reading=describe_areas(view, tables),
            diagonal=True,
            note=f"{left}On {count(view.output.n_labelled, 'labelled sample')}; the line is a random order.",
        ),
    )


def _found_at(table: ScoreTable, rates: Array) -> Array:
    """Return the best true positive rate at each false positive rate."""
    false = np.concatenate([[0], np.cumsum(table.negative[::-1])])
    true = np.concatenate([[0], np.cumsum(table.positive[::-1])])
    place = np.searchsorted(false, np.floor(rates * table.negatives + 1e-9), side="right") - 1
    return np.asarray(true[place] / table.positives)


def describe_areas(view: OutputView, tables: list[tuple[int, ScoreTable]]) -> str:
    """Say in one sentence which classes are told from the rest worst and best; `tables` rise by area."""
    (low, worst), (high, best) = tables[0], tables[-1]
    first, last = number_text(worst.area(), 4), number_text(best.area(), 4)
    ends = f"{first} ({view.class_name(low)})"
    if len(tables) == 1:
        return f"The area under the curve is {ends}."
    if first == last:
        return f"Every class has an area of {last}."
    return f"The area under the curve runs from {ends} to {last} ({view.class_name(high)})."


def label_curves(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return precision and recall of the labels that are ranked worst."""
    precision = np.asarray(view.accumulator.per_label().average_precision)
    worst = [int(i) for i in np.argsort(precision, kind="stable") if not math.isnan(precision[i])]
    if not worst:
        return ()
    series = []
    for label, role in zip(worst[:DRAWN], ROLES, strict=False):
        curve = view.accumulator.curve(label).precision_recall()
        name = f"{view.class_name(label)} ({percent(curve.prevalence)} of samples)"
        series.append(
            Series(
                f"label-{label}",
                name,
                Column.pack(curve.recall),
                Column.pack(curve.precision),
                "line",
                role,  # type: ignore[arg-type]
            )
        )
    left = f"The {DRAWN} labels of {len(worst)} with the lowest average precision. " if len(worst) > DRAWN else ""
    ends = [f"{number_text(float(precision[i]), 3)} ({view.class_name(i)})" for i in (worst[0], worst[-1])]
    reading = f"Average precision runs from {ends[0]} to {ends[1]}." if len(worst) > 1 else f"It is {ends[0]}."
    return (
        Chart(
            view.id("precision-recall"),
            "Precision and recall by label",
            Axis("Recall", low=0.0, high=1.0),
            Axis("Precision", low=0.0, high=1.0),
            tuple(series),
            reading=reading,
            note=f"{left}A random order would have the share of samples with the label as precision.",
        ),
    )


def gain_blocks(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return which share of the positives the best-scored samples hold: a curve, and a table with the lift."""
    table: ScoreTable = view.accumulator.score_table()
    n = table.positives + table.negatives
    if not table.two_classes:
        return ()
    shares = np.linspace(0.0, 1.0, GRID)
    best = np.minimum(shares * n / table.positives, 1.0)
    name = view.class_name(1)
    chart = Chart(
        view.id("gain"),
        "Cumulative gain",
        Axis("Share of samples, best-scored first", low=0.0, high=1.0),
        Axis("Share of the positives among them", low=0.0, high=1.0),
        (
            Series("gain", name, Column.pack(shares), Column.pack(table.gain(shares)), "line", "first"),
            Series("perfect", "A perfect order", Column.pack(shares), Column.pack(best), "line", "muted"),
        ),
        reading=describe_gain(table, name),
        diagonal=True,
        note=f"On {count(n, 'labelled sample')}, {table.positives:,} of them positive; the straight line is a random "
        "order. Equal scores count as in a random order.",
    )
    tops = [round(top * n) for top in TOPS if top * n >= FEWEST_TOP]
    return (chart, _lift_table(view, table, tops)) if tops else (chart,)


LIFT_COLUMNS = (
    TableColumn("Best-scored", "percent", help="The samples with the highest scores, as a share of all"),
    TableColumn("Samples", "int", help="How many they are"),
    TableColumn("Positives", "number", help="How many of them are positive; a cut through equal scores takes a part"),
    TableColumn("Gain", "percent", help="Their positives as a share of all positives"),
    TableColumn("95% interval", help="Wilson interval of the gain"),
    TableColumn("Lift", "number", help="Their share of positives over that of all samples: 1 is a random choice"),
)


def _lift_table(view: OutputView, table: ScoreTable, tops: list[int]) -> Table:
    """Return gain and lift of the best-scored `tops` samples."""
    n = table.positives + table.negatives
    rows = []
    for top, gain in zip(tops, table.gain(np.asarray(tops) / n).tolist(), strict=True):
        low, high = wilson_pair(gain * table.positives, table.positives)
        ends = interval_text(number(low), number(high), "share")
        rows.append((top / n, top, round(gain * table.positives, 1), gain, ends, gain * n / top))
    return Table(
        view.id("lift"),
        "Gain and lift",
        LIFT_COLUMNS,
        tuple(rows),
        reading=f"At most, the lift can be {number_text(n / table.positives, 3)}: then only positives are chosen.",
    )


def describe_gain(table: ScoreTable, name: str) -> str:
    """Say in one sentence what the best-scored tenth of the samples holds."""
    gain = float(table.gain(np.asarray([0.1]))[0])
    lift = gain / 0.1
    if lift < 1.05:
        return f"The best-scored 10% of the samples hold {percent(gain)} of {name}: no more than a random choice."
    most = min(1.0, 0.1 * (table.positives + table.negatives) / table.positives)
    full = "; no order could hold more" if gain > most - 1e-9 else ""
    return (
        f"The best-scored 10% of the samples hold {percent(gain)} of {name}, {number_text(lift, 3)} times what a "
        f"random choice would{full}."
    )
