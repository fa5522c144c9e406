"""The table of weights: size, norm, spread, zeros, broken values."""

from __future__ import annotations

from reportgen.analysis.evidence import WeightFacts
from reportgen.report.blocks import CellMark, Table, TableColumn
from reportgen.report.values import Number, number
from reportgen.sections.layer_records import largest_weight
from reportgen.sections.layer_statistics import name_layers
from reportgen.sections.same_columns import say_once
from reportgen.sections.words import count, number_text, percent, shape_text, shorten

MOST_WEIGHT_ROWS = 400
_REPEATED, _FRESH = 12, 13

WEIGHT_COLUMNS = (
    TableColumn("Layer", "code", help="Name of the layer, through nested models"),
    TableColumn("Weight", "code", help="Name of the variable in the layer"),
    TableColumn("Shape", help="Dimensions of the variable"),
    TableColumn("Values", "int", help="How many numbers it holds"),
    TableColumn("Norm", "number", help="Square root of the sum of squares"),
    TableColumn("Mean", "number", help="Average value"),
    TableColumn("Spread", "number", help="Standard deviation of the values"),
    TableColumn("Zeros", "percent", help="Share of values that are exactly zero"),
    TableColumn("Largest", "number", help="Largest magnitude"),
    TableColumn("NaN", "int", help="Values that are not a number"),
    TableColumn("Inf", "int", help="Infinite values"),
    TableColumn("Trained", help="Whether training could change it"),
    TableColumn("Repeated", "int", help="Output units equal to an earlier one up to scale (cosine over 0.999)"),
    TableColumn("As initialised", help="Whether the values still look as the initializer makes them; empty: not known"),
)


def weight_table(weights: tuple[WeightFacts, ...]) -> Table:
    """Return the table of weights in call order; past `MOST_WEIGHT_ROWS` only the first and the broken ones."""
    kept = [w for i, w in enumerate(weights) if i < MOST_WEIGHT_ROWS or w.nan or w.inf]
    left = len(weights) - len(kept)
    marks: list[CellMark] = []
    for i, weight in enumerate(kept):
        if weight.nan:
            marks.append(CellMark(i, 9, "error", f"{count(weight.nan, 'value is', 'values are')} not a number"))
        if weight.inf:
            marks.append(CellMark(i, 10, "error", f"{count(weight.inf, 'value is', 'values are')} infinite"))
        if weight.duplicates:
            said = f"{weight.duplicates:,} of {count(weight.filters, 'unit')} repeat an earlier one"
            marks.append(CellMark(i, _REPEATED, "warn" if weight.duplicates > 0.1 * weight.filters else "info", said))
        if weight.fresh is not None and weight.fresh.untouched and weight.fresh.certain and len(weight.shape) > 1:
            marks.append(CellMark(i, _FRESH, "warn" if weight.trainable else "info", shorten(weight.fresh.how, 120)))
    table = Table(
        "layer-weights",
        "Weights",
        WEIGHT_COLUMNS,
        tuple(_weight_row(weight) for weight in kept),
        reading=describe_weights(weights),
        note=f"{count(left, 'more variable')} not in this table; their numbers are in the report's data."
        if left
        else "",
        marks=tuple(marks),
    )
    return say_once(table, ("NaN", "Inf", "Trained", "Repeated", "As initialised"), row="weight")


def _weight_row(weight: WeightFacts) -> tuple[str | Number | None, ...]:
    """Return the cells of one variable."""
    return (
        weight.layer,
        weight.name,
        shape_text(weight.shape),
        weight.size,
        number(weight.norm, "no finite value"),
        number(weight.mean, "no finite value"),
        number(weight.std, "no finite value"),
        weight.zeros / weight.size if weight.size else None,
        number(largest_weight(weight), "no finite value"),
        weight.nan,
        weight.inf,
        "yes" if weight.trainable else "no",
        weight.duplicates if weight.filters else None,
        fresh_text(weight),
    )


def fresh_text(weight: WeightFacts) -> str:
    """Say whether a weight still looks as its initializer made it, as far as that can be known."""
    if weight.fresh is None:
        return ""
    if not weight.fresh.untouched:
        return "no"
    return "yes" if weight.fresh.certain else "perhaps: too few values to tell"


def describe_weights(weights: tuple[WeightFacts, ...]) -> str:
    """Say in one sentence what stands out among the weights."""
    if not weights:
        return "The model has no weights."
    broken = [f"{w.layer} {w.name}" for w in weights if w.nan or w.inf]
    if broken:
        holds = "variable holds" if len(broken) == 1 else "variables hold"
        return f"{len(broken):,} {holds} NaN or infinite values: {name_layers(broken)}."
    total = sum(w.size for w in weights)
    zeros = [w for w in weights if len(w.shape) > 1 and w.size and w.zeros / w.size > 0.5]
    if zeros:
        worst = max(zeros, key=lambda w: w.zeros / w.size)
        share = percent(worst.zeros / worst.size)
        return f"All {count(total, 'value')} are finite; {shorten(worst.layer)} {worst.name} is mostly zeros ({share})."
    largest = max(weights, key=largest_weight)
    return (
        f"All {count(total, 'value')} are finite; the largest magnitude is {number_text(largest_weight(largest), 3)}, "
        f"in {shorten(largest.layer)} {largest.name}."
    )
