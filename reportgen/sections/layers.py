"""Layers: what the model's layers put out for this batch, and the state of their weights."""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts, WorkerEvidence
from reportgen.report.blocks import Block, Card, Fold, Text
from reportgen.report.types import Section
from reportgen.sections.context import Context
from reportgen.sections.layer_answers import answer_blocks
from reportgen.sections.layer_depth import depth_charts
from reportgen.sections.layer_gradients import gradient_blocks
from reportgen.sections.layer_maps import kernel_blocks, montage_blocks
from reportgen.sections.layer_saliency import saliency_blocks
from reportgen.sections.layer_statistics import activation_table, describe_activations, measured_text, own_units
from reportgen.sections.layer_weights import describe_weights, weight_table

TITLE = "Layers"


def build(artifacts: Artifacts, context: Context) -> Section:
    """Return the section: statistics over depth, montages, kernels, weights; or why there is nothing."""
    worker = artifacts.worker
    if worker is None or not (worker.activations or worker.weights or worker.maps or worker.kernels):
        return Section("layers", TITLE, "empty", "No layer could be looked at.", (_why_empty(artifacts),))
    blocks: list[Block] = [
        *_statistics(worker),
        *gradient_blocks(worker),
        *saliency_blocks(artifacts, context),
        *montage_blocks(artifacts, context),
        *answer_blocks(artifacts, context),
        *kernel_blocks(artifacts, context),
    ]
    if worker.weights:
        blocks.append(Fold("layer-weights-fold", "Weights", (weight_table(worker.weights),)))
    return Section("layers", TITLE, "shown", summarise(worker), tuple(blocks))


def summarise(worker: WorkerEvidence) -> str:
    """Return the section's summary: what stands out in the outputs, else in the weights."""
    if worker.activations:
        return describe_activations(own_units(worker))
    return describe_weights(worker.weights) if worker.weights else "Feature maps without statistics."


def _statistics(worker: WorkerEvidence) -> tuple[Block, ...]:
    """Return the statistics of the layers' outputs, or why there are none."""
    if not worker.activations:
        found = next((p for p in worker.problems if p.part in ("layers", "predict")), None)
        if found:
            return (Card("warn", "No activation statistics", found.message, found.fix),)
        return (
            Card("info", "No activation statistics", "They need a test batch and a model that could be run on it."),
        )
    return (Text(measured_text(worker.activations)), *depth_charts(worker), activation_table(worker))


def _why_empty(artifacts: Artifacts) -> Card:
    """Say why no layer could be looked at."""
    if artifacts.made_elsewhere:
        return Card("info", "No layers", "The predictions were read from a file; no model was given.")
    problems = (*artifacts.problems, *(artifacts.worker.problems if artifacts.worker else ()))
    if problems:
        return Card("warn", "No layer statistics", problems[0].message, problems[0].fix)
    return Card(
        "info",
        "No layer statistics",
        "Layer statistics need a model that can be loaded and a test batch to run it on.",
        "Name a batch in the configuration: batch: {path: test.npz}.",
    )
