"""Predictions: what the model said about the batch, output by output, in the terms of its task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reportgen.analysis.evidence import Artifacts, OutputEvidence
from reportgen.report.blocks import Block, Card, FlatBlock, Fold, Gallery, Text
from reportgen.report.types import Section
from reportgen.sections.context import Context
from reportgen.sections.output_view import OutputView, make_view
from reportgen.sections.phrases import task_text
from reportgen.sections.predictions_binary import build_binary
from reportgen.sections.predictions_classes import build_multiclass
from reportgen.sections.predictions_forecast import build_timeseries
from reportgen.sections.predictions_labels import build_multilabel
from reportgen.sections.predictions_masks import build_segmentation
from reportgen.sections.predictions_metrics import describe_metrics, headline_order, metric_tables
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


# Evidence that is opened when wanted: task -> (id, title, beginnings of the ids of its blocks). With several outputs
# each output is a fold itself, and folds hold no folds.
FOLDS: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "binary": (
        ("threshold-details", "Thresholds in numbers, gain and lift", ("threshold-table", "gain", "lift")),
        ("confidence-details", "Confidence, and calibration in numbers", ("confidence", "calibration-bins")),
    ),
    "multiclass": (
        ("class-ranks", "ROC of each class against the rest", ("roc",)),
        ("calibration-details", "Calibration in numbers", ("calibration-bins",)),
    ),
    "multilabel": (("label-ranks", "Precision and recall, label by label", ("precision-recall",)),),
    "regression": (("error-details", "How errors are spread", ("errors-", "normal-")),),
    "timeseries": (
        ("step-details", "Errors of the first and of the last step", ("predicted-true-", "residuals-", "errors-")),
    ),
}


def build(artifacts: Artifacts, context: Context) -> Section:
    """Return the section: one part an output; or why there are no predictions."""
    worker = artifacts.worker
    if worker is None or not worker.outputs:
        return Section("predictions", TITLE, "empty", "The model was not run on any sample.", (_why_empty(artifacts),))
    parts = [_output_blocks(artifacts, context, place) for place in range(len(worker.outputs))]
    if len(parts) == 1:
        said, blocks = parts[0]
        return Section("predictions", TITLE, "shown", said, fold_details(worker.outputs[0].task, blocks))
    folds = tuple(
        Fold(f"predictions-{i + 1}", f"Output {shorten(output.name)} ({output.task})", blocks, open=i == 0)
        for i, (output, (_, blocks)) in enumerate(zip(worker.outputs, parts, strict=True))
    )
    summary = " ".join(f"{shorten(o.name)}: {said}" for o, (said, _) in zip(worker.outputs, parts, strict=True))
    return Section("predictions", TITLE, "shown", summary, folds)


def moved_galleries(artifacts: Artifacts, context: Context) -> tuple[Gallery, ...]:
    """Return cards of the samples that moved most since the earlier run, as the galleries of this section show them."""
    worker = artifacts.worker
    if worker is None or worker.moved is None:
        return ()
    section = build(replace(artifacts, worker=replace(worker, kept=worker.moved)), context)
    found = [inner for block in section.blocks for inner in (block.blocks if isinstance(block, Fold) else (block,))]
    return tuple(block for block in found if isinstance(block, Gallery))


def fold_details(task: str, blocks: tuple[FlatBlock, ...]) -> tuple[Block, ...]:
    """Put the blocks that belong to a fold of the task into it, where the first of them stands."""
    groups = {id_: [b for b in blocks if _belongs(b, starts)] for id_, _, starts in FOLDS.get(task, ())}
    titles = {id_: title for id_, title, _ in FOLDS.get(task, ())}
    found: list[Block] = []
    for block in blocks:
        own = next((id_ for id_, inside in groups.items() if any(block is one for one in inside)), None)
        if own is None:
            found.append(block)
        elif block is groups[own][-1]:
            found.append(Fold(f"predictions-{own}", titles[own], tuple(groups[own])))
    return tuple(found)


def _belongs(block: FlatBlock, starts: tuple[str, ...]) -> bool:
    """Say whether a block's id, after the section's own part, begins with one of `starts`."""
    name = getattr(block, "id", "").removeprefix("predictions-")
    return any(name == start or (start.endswith("-") and name.startswith(start)) for start in starts)


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
    if output.task == "other":
        said = f"Described, not judged: {output.task_reason.rstrip('.') or 'no task was recognised'}."
    scored = bool(metrics) and (view.labelled or output.task == "other")
    head: tuple[FlatBlock, ...] = metric_tables(view, metrics) if scored else (_no_labels(output),)
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
    task = task_text(output.task, output.task_reason.rstrip("."))
    return f"Output {shorten(output.name)} (shape {shape}), task {task}. Its numbers are {kind}."


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
