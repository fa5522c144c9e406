"""Gradients over depth, and the loss as the model predicts and as it trains."""

from __future__ import annotations

import math

import numpy as np

from reportgen.analysis.evidence import Array, GradientFacts, LossFacts, WorkerEvidence
from reportgen.analysis.layers import mark_scale_outliers
from reportgen.report.blocks import Axis, Block, Card, CellMark, Chart, Fold, Series, Table, TableColumn, Text
from reportgen.report.values import Column, number
from reportgen.sections.words import count, number_text, percent, shorten

COLUMNS = (
    TableColumn("Layer", "code", help="Layer with trainable weights, in call order"),
    TableColumn("Depth", "int", help="How many layers with weights come before it"),
    TableColumn("Gradient", "number", help="Norm of the mean gradient of the loss over the samples"),
    TableColumn("One sample", "number", help="Root mean square norm of single samples' gradients"),
    TableColumn("Weights", "number", help="Norm of the same weights"),
    TableColumn("Ratio", "number", help="Gradient divided by weights: how far a step of learning rate 1 would move it"),
    TableColumn("NaN", "int", help="Gradient values that are not a number"),
    TableColumn("Inf", "int", help="Infinite gradient values"),
)
_RATIO, _NAN, _INF = 5, 6, 7
FAR = 10.0  # from one end to the other: above it the trend is worth a word


def gradient_blocks(worker: WorkerEvidence) -> tuple[Block, ...]:
    """Return the gradients over depth with the loss that they belong to, or why there are none."""
    missing = worker.not_computed.get("gradients", "")
    if not worker.gradients:
        said = (loss_text(worker.losses, worker.not_computed.get("training pass", "")),) if worker.losses else ()
        card = (Card("info", "No gradients", f"{missing[:1].upper()}{missing[1:]}."),) if missing else ()
        return (*(Text(text) for text in said if text), *card)
    blocks: list[Block] = [Text(loss_text(worker.losses, worker.not_computed.get("training pass", "")))]
    if len(worker.gradients) > 1:
        blocks.append(gradient_chart(worker.gradients))
    blocks.append(Fold("layer-gradients-fold", "Gradients by layer", (gradient_table(worker.gradients),)))
    return tuple(block for block in blocks if not isinstance(block, Text) or block.text)


def loss_text(losses: tuple[LossFacts, ...], missing: str) -> str:
    """Name the losses, where they come from, and what they are in both modes."""
    parts = []
    for one in losses:
        whose = "as saved with the model" if one.source == "file" else "the usual one; the file names none to use"
        of = f" of {shorten(one.output, 40)}" if len(losses) > 1 else ""
        said = f"Loss{of}: {one.loss.replace('_', ' ')} ({whose}), {number_text(one.inference, 3)}"
        said += f"{_accuracy(one.accuracy)} on {count(one.samples, 'labelled sample')} as the model predicts"
        if math.isfinite(one.training):
            said += f", {number_text(one.training, 3)}{_accuracy(one.training_accuracy)} in training mode"
        parts.append(f"{said}.")
    if any(math.isfinite(one.training) for one in losses):
        parts.append("Training mode means dropout and the batch's own statistics; no weight is changed by it.")
    elif missing and losses:
        parts.append(f"In training mode: {missing}.")
    return " ".join(parts)


def _accuracy(value: float) -> str:
    """Write an accuracy in brackets, where there is one."""
    return f" (accuracy {percent(value)})" if math.isfinite(value) else ""


def gradient_chart(facts: tuple[GradientFacts, ...]) -> Chart:
    """Return gradient norm, single samples' norm and gradient-to-weight ratio over depth, on one log scale."""
    depth = Column.pack(np.arange(1, len(facts) + 1), "<i4")
    norms, ratios = _positive([row.norm for row in facts]), _positive([row.ratio for row in facts])
    single = _positive([row.sample_norm for row in facts])
    series = [
        Series("gradient", "Gradient", depth, Column.pack(norms), "line", "first"),
        Series("ratio", "Gradient / weights", depth, Column.pack(ratios), "line", "second"),
    ]
    if np.isfinite(single).any():
        series.append(Series("single", "One sample's", depth, Column.pack(single), "points", "muted"))
    zero = [row.layer for row in facts if row.norm == 0]
    first = facts[0]
    note = f"On {count(first.samples, 'labelled sample')}"
    note += f" (points: {first.sample_norms} of them one by one, root mean square)" if first.sample_norms else ""
    note += ", at the saved weights, without penalties on them. Layers without trainable weights are left out."
    if zero:
        gone = ", ".join(shorten(name, 40) for name in zero[:3])
        note += f" No point where the gradient is exactly zero: {gone}{' …' if len(zero) > 3 else ''}."
    return Chart(
        "layer-gradients",
        "Gradient over depth",
        Axis("Layer with trainable weights, in call order", integer=True),
        Axis("L2 norm, and ratio of norms", "log"),
        tuple(series),
        reading=describe_gradients(facts),
        note=note,
    )


def _positive(values: list[float]) -> Array:
    """Return float64 values with NaN where a log scale has no place."""
    found = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(found) & (found > 0), found, np.nan)


def describe_gradients(facts: tuple[GradientFacts, ...]) -> str:
    """Say in one sentence how the gradient-to-weight ratio runs from the first to the last layers."""
    broken = [row.layer for row in facts if row.nan or row.inf]
    if broken:
        return f"The gradient of {shorten(broken[0])} holds NaN or infinite values: a training step would break it."
    zero = [row.layer for row in facts if row.norm == 0]
    if zero:
        has = "layer gets" if len(zero) == 1 else "layers get"
        return f"{len(zero)} {has} no gradient at all, the first is {shorten(zero[0])}: training cannot change them."
    ratios = _positive([row.ratio for row in facts])
    known = np.flatnonzero(np.isfinite(ratios))
    if known.size < 2:
        return "Too few layers have a gradient to speak of a trend."
    half = max(1, known.size // 2)
    early, late = float(np.median(ratios[known[:half]])), float(np.median(ratios[known[-half:]]))
    factor = max(early, late) / min(early, late)
    if factor < FAR:
        return (
            f"Relative to their weights, early and late layers get gradients of the same order "
            f"(medians {number_text(early, 2)} and {number_text(late, 2)})."
        )
    weaker, stronger = ("early", "late") if early < late else ("late", "early")
    return (
        f"Relative to their weights, {weaker} layers get gradients {number_text(factor, 2)} times weaker than "
        f"{stronger} ones (medians {number_text(early, 2)} and {number_text(late, 2)})."
    )


def gradient_table(facts: tuple[GradientFacts, ...]) -> Table:
    """Return the numbers of every layer, with outliers and broken values marked."""
    far = mark_scale_outliers(np.array([row.ratio for row in facts], dtype=np.float64))
    marks: list[CellMark] = []
    for i, row in enumerate(facts):
        if row.nan:
            marks.append(CellMark(i, _NAN, "error", f"{count(row.nan, 'value is', 'values are')} not a number"))
        if row.inf:
            marks.append(CellMark(i, _INF, "error", f"{count(row.inf, 'value is', 'values are')} infinite"))
        if far[i]:
            marks.append(CellMark(i, _RATIO, "info", "far from the other layers' ratios"))
    return Table(
        "layer-gradients-table",
        "Gradients by layer",
        COLUMNS,
        tuple(_row(row) for row in facts),
        reading=describe_gradients(facts),
        note="Marked ratios are far from those of the other layers (modified z-score of logarithms > 3.5).",
        marks=tuple(marks),
    )


def _row(row: GradientFacts) -> tuple[str | int | float | None, ...]:
    """Return the cells of one layer."""
    return (
        row.layer,
        row.depth,
        number(row.norm, "no finite value"),
        number(row.sample_norm, "not computed: it would cost much") if row.sample_norms else None,
        number(row.weight_norm, "no finite value"),
        number(row.ratio, "the weights are zero"),
        row.nan,
        row.inf,
    )  # type: ignore[return-value]
