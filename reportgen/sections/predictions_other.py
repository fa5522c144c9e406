"""Outputs that no task fits: shape, ranges, and why there is no more."""

from __future__ import annotations

import numpy as np

from reportgen.analysis.metrics.value import SampleScores
from reportgen.report.blocks import Card, FlatBlock
from reportgen.sections.output_view import OutputView
from reportgen.sections.predictions_gallery import Said, gallery_blocks
from reportgen.sections.predictions_regression import values_text
from reportgen.sections.words import number_text, shape_text


def build_other(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return the ranges of an output that cannot be scored, with its samples."""
    return (why_no_more(view), *gallery_blocks(view, say_values))


def why_no_more(view: OutputView) -> Card:
    """Say why an output has no evaluation, and how to ask for one."""
    return Card(
        "info",
        "No evaluation for this output",
        f"Its shape ({shape_text(view.output.shape)} a sample) fits none of the tasks that are evaluated, so only its "
        "values are described.",
        "If it is one of them, say so in the configuration, for example task: regression.",
    )


def say_values(view: OutputView, scores: SampleScores, row: int) -> Said:
    """Say the range of what the model gave for one sample."""
    kept = view.kept
    if kept is None:
        raise ValueError("no sample was kept")
    values = np.asarray(kept.predictions[view.output.name][row], dtype=np.float64).reshape(-1)
    truth = "not compared" if view.labelled else "no label"
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Said(truth, "no finite value", "unknown")
    if values.size <= 4:
        return Said(truth, values_text(values), "unknown")
    ends = f"{number_text(float(finite.min()), 3)} to {number_text(float(finite.max()), 3)}"
    return Said(truth, f"{values.size:,} values, {ends}", "unknown")
