"""Predictions: what the model said about the batch, output by output, in the terms of its task."""

from __future__ import annotations

from collections.abc import Callable

from reportgen.analysis.evidence import Artifacts, OutputEvidence
from reportgen.report.blocks import Card, FlatBlock, Fold, Text
from reportgen.report.types import Section
from reportgen.sections.context import Context
from reportgen.sections.output_view import OutputView, make_view
from reportgen.sections.predictions_binary import build_binary
from reportgen.sections.predictions_classes import build_multiclass
from reportgen.sections.predictions_forecast import build_timeseries
from reportgen.sections.predictions_labels import build_multilabel
from reportgen.sections.predictions_masks import build_segmentation
from reportgen.sections.predictions_metrics import describe_metrics, headline_order, metric_table
from reportgen.sections.predictions_mistakes import mistake_blocks
from reportgen.sections.predictions_other import build_other
from reportgen.sections.predictions_pictures import build_reconstruction
from reportgen.sections.predictions_regression import build_regression
from reportgen.sections.predictions_sequence import build_sequence
from reportgen.sections.predictions_slices import feature_blocks
from reportgen.sections.words import count, shape_text, shorten

TITLE = "Predictions"
BUILDERS: dict[str, Callable[[OutputView], tuple[FlatBlock, ...]]] = {
    "multiclass": build_multiclass,
    "binary": build_binary,
    "regression": build_regression,
    "multilabel": build_multilabel,
    "segmentation": build_segmentation,
    "reconstruction": build_reconstruction,
    "sequence": build_sequence,
    "timeseries": build_timeseries,
    "other": build_other,
}
SCORE_WORDS = {
    "probabilities": "probabilities",
    "logits": "logits, turned into probabilities because the loss says from_logits",
    "scores": "scores that are no probabilities",
    "values": "plain values",
}


def build(artifacts: Artifacts, context: Context) -> Section:
    """Return the section: one part an output; or why there are no predictions."""
    worker = artifacts.worker
    if worker is None or not worker.outputs:
        return Section("predictions", TITLE, "empty", "The model was not run on any sample.", (_why_empty(artifacts),))
    parts = [_output_blocks(artifacts, context, place) for place in range(len(worker.outputs))]
    if len(parts) == 1:
        return Section("predictions", TITLE, "shown", parts[0][0], parts[0][1])
    folds = tuple(
        Fold(f"predictions-{i + 1}", f"Output {shorten(output.name)} ({output.task})", blocks, open=i == 0)
        for i, (output, (_, blocks)) in enumerate(zip(worker.outputs, parts, strict=True))
    )
    summary = " ".join(f"{shorten(o.name)}: {said}" for o, (said, _) in zip(worker.outputs, parts, strict=True))
    return Section("predictions", TITLE, "shown", summary, folds)


def _output_blocks(artifacts: Artifacts, context: Context, place: int) -> tuple[str, tuple[FlatBlock, ...]]:
    """Return the summary and the blocks of one output; evidence that cannot be read becomes a card."""
    output = artifacts.worker.outputs[place] if artifacts.worker else None
    if output is None:
        return "", ()
    intro = Text(describe_task(output))
    if output.task not in BUILDERS:
        return "", (intro, Card("warn", "Nothing to show", f"There is no page for the task {shorten(output.task)}."))
    try:
        view = make_view(artifacts, context, place)
        metrics = tuple(view.accumulator.result())
    except (ValueError, KeyError) as error:
        text = f"The numbers of output {shorten(output.name)} could not be read: {shorten(str(error), 200)}."
        return text, (intro, Card("error", "Numbers unreadable", text))
    notes = tuple(Text(note) for note in dict.fromkeys((*view.accumulator.notes(), *output.notes)))
    said = describe_metrics(metrics, headline_order(view)) if view.labelled else describe_unlabelled(output)
    scored = bool(metrics) and (view.labelled or output.task == "other")
    head: tuple[FlatBlock, ...] = (metric_table(view, metrics),) if scored else (_no_labels(output),)
    return said, (intro, *notes, *head, *_task_blocks(view))


def _task_blocks(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return what is particular to the task; samples that do not fit it cost their part, never the metrics."""
    try:
        return (*BUILDERS[view.output.task](view), *mistake_blocks(view), *feature_blocks(view))
    except ValueError as error:
        text = f"The rest of output {shorten(view.output.name)} could not be shown: {shorten(str(error), 200)}."
        return (Card("error", "Samples do not fit", text, "Check the shapes of labels and predictions."),)


def describe_task(output: OutputEvidence) -> str:
    """Say what the output is taken for, why, and what its numbers are."""
    shape = shape_text(output.shape)
    kind = SCORE_WORDS.get(output.scores, output.scores)
    reason = f": {output.task_reason.rstrip('.')}" if output.task_reason else ""
    return f"Output {shorten(output.name)} (shape {shape}), task {output.task}{reason}. Its numbers are {kind}."


def describe_unlabelled(output: OutputEvidence) -> str:
    """Say that an output cannot be judged."""
    return f"Predictions of {count(output.n, 'sample')} without labels: nothing to judge them by."


def _no_labels(output: OutputEvidence) -> Card:
    """Say why there are no metrics."""
    return Card(
        "info",
        "No metrics",
        describe_unlabelled(output),
        "Name the labels in the configuration (batch: {y: ...}) to have metrics.",
    )


def _why_empty(artifacts: Artifacts) -> Card:
    """Say why there are no predictions."""
    problems = (*artifacts.problems, *(artifacts.worker.problems if artifacts.worker else ()))
    found = next((p for p in problems if p.part in ("predict", "batch", "load", "worker")), None)
    if found:
        return Card("warn", "No predictions", found.message, found.fix)
    text = "Predictions need a model that can be loaded and a test batch to run it on."
    return Card("info", "No predictions", text, "Name a batch in the configuration: batch: {path: test.npz}.")
