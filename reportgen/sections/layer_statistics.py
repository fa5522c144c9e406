"""The table of what each layer puts out: moments, zeros, dead units, saturation, broken values."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from reportgen.analysis.evidence import ActivationFacts, WorkerEvidence
from reportgen.analysis.layers import QUANTILE_FACTOR, mark_scale_outliers
from reportgen.report.blocks import CellMark, Table, TableColumn
from reportgen.report.values import Number, number
from reportgen.sections.layer_records import quantiles_of
from reportgen.sections.same_columns import say_once
from reportgen.sections.words import count, join_words, number_text, ordinal, percent, share_text, shorten

SATURATED = 0.5  # half of the values at the flat ends: most of the gradient is gone
ERROR_PERCENT = round((QUANTILE_FACTOR - 1) * 100)

ACTIVATION_COLUMNS = (
    TableColumn("Layer", "code", help="Name of the layer, through nested models"),
    TableColumn("Type", help="Keras class of the layer"),
    TableColumn("Mean", "number", help="Average of all measured output values"),
    TableColumn("Spread", "number", help="Standard deviation of all measured output values"),
    TableColumn("Smallest", "number", help="Smallest finite output value"),
    TableColumn("Median", "number", help=f"Read from a histogram: within {ERROR_PERCENT}% of the true median"),
    TableColumn("Largest", "number", help="Largest finite output value"),
    TableColumn("Zeros", "percent", help="Share of output values that are exactly zero"),
    TableColumn("Units", "int", help="Number of channels or neurons"),
    TableColumn("Dead", "int", help="Units that were never active on any looked-at value"),
    TableColumn("Near-dead", "int", help="Units active on under 1% of the samples, dead ones not counted"),
    TableColumn("Saturated", "percent", help="Share of values at the flat ends of a sigmoid or tanh; empty for others"),
    TableColumn("NaN", "int", help="Values that are not a number, counted exactly"),
    TableColumn("Inf", "int", help="Infinite values, counted exactly"),
    TableColumn("Effective rank", "number", help="Directions that the units use: from 1 to their number"),
    TableColumn("Samples", "int", help="Samples that the numbers stand on"),
    TableColumn("Values", "int", help="Single values that the numbers stand on"),
    TableColumn("Measured", help="In full, or at every so many positions to bound the cost"),
)
_SPREAD, _DEAD, _NEAR_DEAD, _SATURATED, _NAN, _INF, _RANK = 3, 9, 10, 11, 12, 13, 14
COLLAPSED = 1.5  # directions: all units of the layer say one and the same thing
LEAST_UNITS = 8


ECHOES = ("Flatten", "Reshape", "Permute", "RepeatVector", "Identity", "InputLayer", "Concatenate", "ZeroPadding",
          "Cropping", "UpSampling", "MaxPooling", "AveragePooling", "GlobalMaxPooling", "GlobalAveragePooling",
          "Dropout", "SpatialDropout", "GaussianNoise", "GaussianDropout", "AlphaDropout")  # fmt: skip


def is_echo(type_: str) -> bool:
    """Say whether a layer only passes on the units of the layer before it, dead ones included."""
    return type_.rstrip("123D") in ECHOES


def layer_types(worker: WorkerEvidence) -> dict[str, str]:
    """Map layer paths and names to their types."""
    return {layer.name: layer.type for layer in worker.layers} | {layer.path: layer.type for layer in worker.layers}


def own_units(worker: WorkerEvidence) -> tuple[ActivationFacts, ...]:
    """Return the facts with dead units counted only where they arise, not again in layers that pass them on."""
    types = layer_types(worker)
    return tuple(
        replace(row, dead=0, near_dead=0) if is_echo(types.get(row.layer, "")) else row for row in worker.activations
    )


def measured_text(activations: tuple[ActivationFacts, ...]) -> str:
    """Say on how many samples and in which tiers the layer statistics stand."""
    if not activations:
        return ""
    samples = sorted({facts.samples for facts in activations})
    on = count(samples[-1], "sample") if len(samples) == 1 else f"{samples[0]:,} to {samples[-1]:,} samples"
    full = sum(facts.stride <= 1 for facts in activations)
    strides = sorted({facts.stride for facts in activations if facts.stride > 1})
    if not strides:
        return f"The numbers of {count(full, 'layer')} stand on every output value of {on}."
    every = join_words([ordinal(stride) for stride in strides])
    rest = count(len(activations) - full, "other layer")
    return (
        f"The numbers stand on {on}: {count(full, 'layer')} (activations, merges, recurrent, attention, last layers) "
        f"in full, {rest} on every {every} position to bound the cost; dead there means at no looked-at position."
    )


def activation_table(worker: WorkerEvidence) -> Table:
    """Return the statistics table, one row a measured layer in call order, with outliers marked."""
    types = layer_types(worker)
    facts = worker.activations
    rows = tuple(_activation_row(row, types.get(row.layer, "")) for row in facts)
    table = Table(
        "layer-statistics",
        "What each layer puts out",
        ACTIVATION_COLUMNS,
        rows,
        reading=describe_range(facts),
        note=(
            "Dead: never active on any looked-at value; marked where it arises, not in layers that only pass it on. "
            "Marked spreads are far from those of the other layers (modified z-score of logarithms > 3.5)."
        ),
        row_ids=tuple(f"layer-statistics-{i}" for i in range(len(facts))),
        marks=mark_activations(own_units(worker)),
    )
    return say_once(table, ("Saturated", "NaN", "Inf", "Samples", "Measured"))


def _activation_row(facts: ActivationFacts, type_: str) -> tuple[str | Number | None, ...]:
    """Return the cells of one layer."""
    return (
        facts.layer,
        type_,
        number(facts.mean, "no finite value"),
        number(facts.std, "no finite value"),
        number(facts.low, "no finite value"),
        quantiles_of(facts)["median"],
        number(facts.high, "no finite value"),
        number(facts.zeros, "no finite value"),
        facts.units,
        facts.dead,
        facts.near_dead,
        None if math.isnan(facts.saturated) else facts.saturated,
        facts.nan,
        facts.inf,
        round(facts.effective_rank, 1)
        if facts.rank_positions and facts.effective_rank == facts.effective_rank
        else None,
        facts.samples,
        facts.values,
        "in full" if facts.stride <= 1 else f"every {ordinal(facts.stride)}",
    )


def mark_activations(facts: tuple[ActivationFacts, ...]) -> tuple[CellMark, ...]:
    """Return the marks of the statistics table: NaN, Inf, dead units, saturation, and spreads unlike the others."""
    marks: list[CellMark] = []
    far = mark_scale_outliers(np.array([row.std for row in facts], dtype=np.float64))
    for i, row in enumerate(facts):
        if row.nan:
            marks.append(CellMark(i, _NAN, "error", f"{count(row.nan, 'value is', 'values are')} not a number"))
        if row.inf:
            marks.append(CellMark(i, _INF, "error", f"{count(row.inf, 'value is', 'values are')} infinite"))
        if row.dead:
            text = f"{share_text(row.dead, row.units, 'unit')} never active on {count(row.samples, 'sample')}"
            marks.append(CellMark(i, _DEAD, "warn", text))
        if row.near_dead:
            text = f"{share_text(row.near_dead, row.units, 'unit')} active on under 1% of the samples"
            marks.append(CellMark(i, _NEAR_DEAD, "info", text))
        if row.saturated > SATURATED:
            marks.append(CellMark(i, _SATURATED, "warn", "most values lie at the flat ends, where gradients vanish"))
        if row.units >= LEAST_UNITS and row.rank_positions >= LEAST_UNITS and row.effective_rank < COLLAPSED:
            text = f"{count(row.units, 'unit')} move along little more than one direction"
            marks.append(CellMark(i, _RANK, "warn", text))
        if row.std == 0:
            marks.append(CellMark(i, _SPREAD, "warn", "the layer puts out one and the same value"))
        elif far[i]:
            marks.append(CellMark(i, _SPREAD, "info", "far from the spread of the other layers"))
    return tuple(marks)


def describe_activations(facts: tuple[ActivationFacts, ...]) -> str:
    """Say in one sentence what stands out among the layers' outputs, the worst first."""
    if not facts:
        return "No layer was measured."
    broken = [row.layer for row in facts if row.nan or row.inf]
    if broken:
        first = f"the first in call order is {shorten(broken[0])}"
        return f"{_layers_that(broken, 'puts', 'put')} out NaN or infinite values; {first}."
    constant = [row.layer for row in facts if row.std == 0]
    if constant:
        which = name_layers(constant)
        return f"{_layers_that(constant, 'puts', 'put')} out one and the same value whatever the input: {which}."
    dead = [row for row in facts if row.dead]
    if dead:
        worst = max(dead, key=lambda row: row.dead / max(row.units, 1))
        return (
            f"{_layers_that([row.layer for row in dead], 'has', 'have')} dead units; most in {shorten(worst.layer)}, "
            f"with {share_text(worst.dead, worst.units, 'unit')} on {count(worst.samples, 'sample')}."
        )
    saturated = [row for row in facts if row.saturated > SATURATED]
    if saturated:
        worst = max(saturated, key=lambda row: row.saturated)
        return f"No dead units, but {percent(worst.saturated)} of the values of {shorten(worst.layer)} are saturated."
    return f"No dead units, NaN or saturation in {count(len(facts), 'layer')}."


def describe_range(facts: tuple[ActivationFacts, ...]) -> str:
    """Say in one sentence from where to where the spread of the layers' outputs runs."""
    spreads = [row for row in facts if row.std > 0]
    if not spreads:
        return "No layer's output varies."
    low, high = min(spreads, key=lambda row: row.std), max(spreads, key=lambda row: row.std)
    if low.std == high.std:
        return f"The spread is {number_text(low.std, 3)} in {count(len(spreads), 'layer')}."
    lowest = f"{number_text(low.std, 3)} ({shorten(low.layer, 40)})"
    return f"Spreads run from {lowest} to {number_text(high.std, 3)} ({shorten(high.layer, 40)})."


def _layers_that(names: list[str], one: str, many: str) -> str:
    """Return "1 layer puts" or "3 layers put"."""
    return f"{count(len(names), 'layer')} {one if len(names) == 1 else many}"


def name_layers(names: list[str]) -> str:
    """Return up to three layer names in a sentence."""
    return join_words([shorten(name, 40) for name in names], most=3)
