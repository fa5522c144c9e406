"""Where errors gather: the weakest slices of the features, errors by length of text, what shuffling a feature costs."""

from __future__ import annotations

import math

from reportgen.analysis.feature_facts import ImportanceFacts, Slice, SliceSearch
from reportgen.analysis.slices import ALPHA
from reportgen.report.blocks import Axis, CellMark, Chart, ChartMark, FlatBlock, Series, Table, TableColumn
from reportgen.report.values import Column, number
from reportgen.sections.output_view import OutputView
from reportgen.sections.words import count, interval_text, number_text, percent, shorten, value_text

MOST_SLICES = 10
MOST_FEATURES = 100


def feature_blocks(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return what is known of the features of an output's samples; nothing for pictures and signals."""
    blocks: list[FlatBlock] = []
    search, importance = view.output.slices, view.output.importance
    if search is not None:
        if len(search.lengths) > 1:
            blocks.append(length_chart(view, search))
        if search.tried:
            blocks.append(slice_table(view, search))
    if importance is not None and importance.features:
        blocks.append(importance_table(view, importance))
    return tuple(blocks)


SLICE_COLUMNS = (
    TableColumn("Slice", help="Samples whose feature lies in this range (ends included) or has this value"),
    TableColumn("Samples", "int", help="Samples in the slice with a known error"),
    TableColumn("Error", help="Mean error of these samples"),
    TableColumn("Interval", help="95% for all slices tried together"),
    TableColumn("Elsewhere", help="Mean error of all other samples"),
    TableColumn("Chance", "number", help="Probability of so bad a slice by chance, times the number of slices tried"),
    TableColumn("Part", help="Which part of the feature's values this is"),
)


def slice_table(view: OutputView, search: SliceSearch) -> Table:
    """Return the weakest slices; those beyond chance are marked."""
    unit = _unit(search)
    shown = search.slices[:MOST_SLICES]
    rows = tuple(
        (
            slice_name(found, view.artifacts.privacy == "show"),
            found.n,
            value_text(found.error, unit),
            interval_text(max(found.error_low, 0.0), found.error_high, unit),
            value_text(found.rest, unit),
            found.chance,
            found.part,
        )
        for found in shown
    )
    marks = tuple(
        CellMark(row, 2, "warn", "worse than elsewhere, beyond chance")
        for row, found in enumerate(shown)
        if found.chance < ALPHA
    )
    return Table(
        view.id("slices"),
        "Weakest slices",
        SLICE_COLUMNS,
        rows,
        reading=describe_slices(view, search),
        note=f"Error: {search.measure}, on {search.rule}. Tried: ranges and values of one feature at a time, "
        f"{count(search.tried, 'slice')} of at least {count(search.fewest, 'sample')}; chance is multiplied by "
        "this number (Bonferroni).",
        marks=marks,
        collapsed_after=5,
    )


def describe_slices(view: OutputView, search: SliceSearch) -> str:
    """Say in one sentence whether any slice is worse beyond chance."""
    unit = _unit(search)
    beyond = [found for found in search.slices if found.chance < ALPHA]
    if not search.slices:
        return f"No slice is worse than the rest: {count(search.tried, 'slice')} tried."
    first = (beyond or list(search.slices))[0]
    name = slice_name(first, view.artifacts.privacy == "show")
    numbers = f"{value_text(first.error, unit)} against {value_text(first.rest, unit)} elsewhere"
    if not beyond:
        return (
            f"No slice is worse beyond chance, after correction for {count(search.tried, 'slice')} tried; the least "
            f"likely one is {name}: {numbers}."
        )
    more = f", and {count(len(beyond) - 1, 'other slice')}" if len(beyond) > 1 else ""
    return f"Worse than elsewhere, beyond chance: {name} ({numbers}, n = {first.n:,}){more}."


def slice_name(found: Slice, values: bool) -> str:
    """Name a slice; without its values where they may not be shown."""
    name = shorten(found.feature, 40)
    if found.part == "missing":
        return f"{name} missing"
    if not values:
        return f"{name}, {found.part}"
    if found.category:
        return f"{name} is {shorten(found.category, 30)}"
    low, high = number_text(found.low), number_text(found.high)
    return f"{name} = {low}" if found.low == found.high else f"{name} from {low} to {high}"


def _unit(search: SliceSearch) -> str:
    """Return the unit of the errors."""
    return "share" if search.wrong else ""


def length_chart(view: OutputView, search: SliceSearch) -> Chart:
    """Return the error of short and long texts with plain 95% intervals."""
    parts = search.lengths
    middles = [(part.low + part.high) / 2 for part in parts]
    name = parts[0].feature
    axis = f"Error ({search.measure})"
    return Chart(
        view.id("error-by-length"),
        f"Error by {name}",
        Axis(name[:1].upper() + name[1:], low=0.0),
        Axis(axis[:1].upper() + axis[1:], low=0.0),
        (
            Series(
                "error",
                "Error with 95% interval",
                Column.pack(middles),
                Column.pack([part.error for part in parts]),
                "line",
                "first",
                Column.pack([max(part.error_low, 0.0) for part in parts]),
                Column.pack([part.error_high for part in parts]),
            ),
        ),
        reading=describe_lengths(search),
        marks=(ChartMark("all samples", y=search.error),),
        note="Each point stands for about a quarter of the samples, drawn at the middle of its lengths.",
    )


def describe_lengths(search: SliceSearch) -> str:
    """Say in one sentence whether long texts fare worse than short ones."""
    unit = _unit(search)
    short, long = search.lengths[0], search.lengths[-1]
    ends = (
        f"{value_text(short.error, unit)} up to {number_text(short.high)}, {value_text(long.error, unit)} from "
        f"{number_text(long.low)} on"
    )
    if long.error_low > short.error_high:
        return f"Errors grow with the {long.feature}: {ends}."
    if short.error_low > long.error_high:
        return f"Errors shrink with the {long.feature}: {ends}."
    return f"No clear difference by {long.feature}: {ends}; the intervals overlap."


IMPORTANCE_COLUMNS = (
    TableColumn("Feature", help="Name of the feature"),
    TableColumn("Rise of the loss", "number", help="Mean loss with this feature shuffled, minus the mean loss"),
    TableColumn("95% interval", help="Student's t over samples"),
    TableColumn("Of the loss", "percent", help="The rise as a share of the loss as it is"),
)


def importance_table(view: OutputView, facts: ImportanceFacts) -> Table:
    """Return the features by what shuffling them costs."""
    shown = facts.features[:MOST_FEATURES]
    rows = tuple(
        (
            shorten(item.feature, 60),
            number(item.rise),
            interval_text(number(item.low), number(item.high), ""),
            number(item.rise / facts.loss if facts.loss > 0 else math.nan, "the loss is 0"),
        )
        for item in shown
    )
    left = f" The first {len(shown)} of {len(facts.features):,} features." if len(shown) < len(facts.features) else ""
    return Table(
        view.id("importance"),
        "Permutation importance",
        IMPORTANCE_COLUMNS,
        rows,
        reading=describe_importance(facts),
        note=f"Each feature shuffled {facts.repeats} times on {count(facts.samples, 'sample')} (seed "
        f"{view.artifacts.seed}), {facts.predictions:,} predictions in all; the loss as it is: "
        f"{number_text(facts.loss, 3)}. Features that say the same stand in for each other and look unimportant.{left}",
        collapsed_after=10,
    )


def describe_importance(facts: ImportanceFacts) -> str:
    """Say in one sentence which feature the model leans on most, and how many it does not need."""
    first = facts.features[0]
    if not first.rise > 0 or not first.low > 0:
        return "Shuffling no single feature raises the loss beyond doubt: the model needs none of them alone."
    features = count(len(facts.features), "feature")
    clear = sum(1 for item in facts.features if item.low > 0)
    share = f" ({percent(first.rise / facts.loss)} of it)" if facts.loss > 0 else ""
    return (
        f"The model leans most on {shorten(first.feature, 40)}: shuffling it raises the loss by "
        f"{number_text(first.rise, 3)}{share}; {clear} of {features} raise it beyond doubt."
    )
