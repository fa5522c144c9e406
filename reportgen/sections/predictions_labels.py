"""Outputs that give any number of labels to a sample: every label judged alone, and which go wrong together."""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Array
from reportgen.analysis.metrics import as_probabilities
from reportgen.analysis.metrics.multilabel import PerLabel
from reportgen.analysis.metrics.value import SampleScores
from reportgen.report.blocks import CellMark, FlatBlock, Matrix, Table, TableColumn
from reportgen.report.values import Column, Number, number
from reportgen.sections.output_view import OutputView
from reportgen.sections.predictions_calibration import no_probabilities
from reportgen.sections.predictions_gallery import Outcome, Said, Style, describe_losses, gallery_blocks
from reportgen.sections.predictions_ranks import label_curves
from reportgen.sections.words import count, join_words, number_text, percent, share_text

MOST_ROWS = 1000
MOST_PAIRS = 15
MOST_DRAWN = 30
SHOWN_LABELS = 6


def build_multilabel(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return what is particular to multilabel outputs."""
    blocks: list[FlatBlock] = list(gallery_blocks(view, say_labels, Style(describe=describe_losses)))
    if view.labelled:
        blocks.append(label_table(view, view.accumulator.per_label()))
        blocks += label_curves(view)
        blocks += _together_matrix(view)
        blocks += _swap_table(view)
    else:
        blocks.append(_given_table(view))
    if not view.probabilistic:
        blocks.append(no_probabilities())
    return tuple(blocks)


def say_labels(view: OutputView, scores: SampleScores, row: int) -> Said:
    """Say which labels a sample has and which the model gives; missed and false ones are named."""
    kept = view.kept
    if kept is None:
        raise ValueError("no sample was kept")
    said = np.asarray(kept.predictions[view.output.name][row : row + 1], dtype=np.float64)
    shares = as_probabilities(view.output.task, said, view.output.scores)
    flat = (said if shares is None else shares).reshape(-1)
    given = flat > (0.5 if view.probabilistic else 0.0)
    if view.kept_truth is None:
        return Said("no label", _label_names(view, given), "unknown")
    truth = np.asarray(view.kept_truth[row], dtype=np.float64).reshape(-1)
    known = (truth == 0) | (truth == 1)
    missed, false = known & (truth == 1) & ~given, known & (truth == 0) & given
    outcome: Outcome = "unknown" if not known.any() else "wrong" if missed.any() or false.any() else "right"
    details = tuple(
        (word, _label_names(view, part)) for word, part in (("missed", missed), ("false", false)) if part.any()
    )
    return Said(_label_names(view, truth == 1), _label_names(view, given), outcome, details)


def _label_names(view: OutputView, flags: Array) -> str:
    """Name the labels whose flag is set."""
    names = [view.class_name(int(i)) for i in np.flatnonzero(flags)]
    return join_words(names, most=SHOWN_LABELS) or "none"


COLUMNS = (
    TableColumn("Label", help="Name of the label"),
    TableColumn("Precision", "percent", help="Of the samples given this label, the share that have it"),
    TableColumn("Recall", "percent", help="Of the samples that have it, the share that were given it"),
    TableColumn("F1", "percent", help="Harmonic mean of precision and recall"),
    TableColumn("Average precision", "number", help="Area under the precision-recall curve"),
    TableColumn("ROC AUC", "number", help="Chance that a sample with the label scores above one without"),
    TableColumn("Support", "int", help="Samples that have the label"),
    TableColumn("Given", "int", help="Samples that were given the label"),
    TableColumn("Best threshold", "number", help="Threshold with the best F1 on these samples (optimistic)"),
    TableColumn("F1 there", "percent", help="F1 at the best threshold"),
)


def label_table(view: OutputView, labels: PerLabel) -> Table:
    """Return rates, ranks and thresholds of each label; past 1,000 labels the worst by F1."""
    order = np.arange(len(labels.f1))
    note = f"A label is given above a threshold of {view.accumulator.threshold:g}."
    if len(order) > MOST_ROWS:
        order = np.lexsort((order, np.nan_to_num(labels.f1, nan=2.0)))[:MOST_ROWS]
        note += f" The {MOST_ROWS:,} labels with the worst F1 of {len(labels.f1):,}."
    marks = tuple(
        CellMark(row, 7, "warn", "never given, though samples have it")
        for row, label in enumerate(order.tolist())
        if labels.support[label] and not labels.predicted[label]
    )
    return Table(
        view.id("labels"),
        "Labels",
        COLUMNS,
        tuple(_row(view, labels, int(label)) for label in order),
        reading=describe_labels(view, labels),
        note=note,
        marks=marks,
    )


def _row(view: OutputView, labels: PerLabel, label: int) -> tuple[str | Number, ...]:
    """Return the cells of one label."""
    return (
        view.class_name(label),
        number(labels.precision[label], "never given"),
        number(labels.recall[label], "no sample has it"),
        number(labels.f1[label], "neither given nor there"),
        number(labels.average_precision[label], "no sample has it"),
        number(labels.roc_auc[label], "all samples are alike"),
        int(labels.support[label]),
        int(labels.predicted[label]),
        number(labels.best_threshold[label], "all samples are alike"),
        number(labels.best_f1[label], "all samples are alike"),
    )


def describe_labels(view: OutputView, labels: PerLabel) -> str:
    """Say in one sentence which labels are worst served, and whether other thresholds would help."""
    silent = np.flatnonzero((labels.support > 0) & (labels.predicted == 0))
    if silent.size:
        names = join_words([view.class_name(int(label)) for label in silent], most=3)
        return f"{count(int(silent.size), 'label is', 'labels are')} never given: {names}."
    known = np.where(labels.support > 0, labels.f1, np.nan)
    if np.isnan(known).all():
        return "No sample has any label."
    low, high = int(np.nanargmin(known)), int(np.nanargmax(known))
    if known[low] == known[high]:
        return f"Every label that occurs has an F1 of {percent(known[low])}."
    ends = [f"{percent(known[label])} ({view.class_name(label)})" for label in (low, high)]
    said = f"F1 runs from {ends[0]} to {ends[1]}"
    gain = labels.best_f1[low] - labels.f1[low]
    if gain > 0.05:
        threshold = number_text(float(labels.best_threshold[low]), 3)
        return f"{said}; a threshold of {threshold} would lift the worst to {percent(labels.best_f1[low])} here."
    return f"{said}; no other threshold would do much better for the worst."


def _together_matrix(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return how often two labels are wrong on one sample (diagonal: one is wrong at all); past 30 the worst ones."""
    together = view.accumulator.mistakes_together()
    if together is None or not together.any() or len(together) < 2:
        return ()
    wrong = np.diag(together)
    worst = np.sort(np.lexsort((np.arange(len(wrong)), -wrong))[:MOST_DRAWN])
    names = tuple(view.class_name(int(label)) for label in worst)
    left = f" The {MOST_DRAWN} labels of {len(wrong):,} with the most mistakes." if len(wrong) > MOST_DRAWN else ""
    return (
        Matrix(
            view.id("together"),
            "Labels wrong on the same sample",
            "Wrong label",
            "Wrong with it",
            names,
            names,
            Column.pack(together[np.ix_(worst, worst)], "<i8"),
            reading=describe_together(view, together),
            note=f"On the diagonal: how often a label is wrong at all.{left}",
        ),
    )


def describe_together(view: OutputView, together: Array) -> str:
    """Say in one sentence which two labels go wrong together most, against what chance would give."""
    pairs = np.triu(together, 1)
    if not pairs.any():
        return "No two labels are ever wrong on the same sample."
    first, second = divmod(int(pairs.argmax()), len(pairs))
    both, n = int(pairs[first, second]), view.accumulator.n_labelled
    expected = float(together[first, first]) * float(together[second, second]) / max(n, 1)
    names = f"{view.class_name(first)} and {view.class_name(second)}"
    return (
        f"Most often {names} are wrong together: on {count(both, 'sample')}, where independent mistakes would meet on "
        f"{number_text(expected, 2)}."
    )


def _swap_table(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return the pairs of labels of which one is given where the other is right."""
    swaps = view.accumulator.swaps()
    if swaps is None or not swaps.any():
        return ()
    flat = np.asarray(swaps).reshape(-1)
    best = np.lexsort((np.arange(flat.size), -flat))[:MOST_PAIRS]
    best = best[flat[best] > 0]
    size = swaps.shape[1]
    rows = tuple((view.class_name(i // size), view.class_name(i % size), int(flat[i])) for i in best.tolist())
    missed, false, n = rows[0]
    return (
        Table(
            view.id("swaps"),
            "Missed while another was given",
            (
                TableColumn("Missed", help="Label that the sample has and the model did not give"),
                TableColumn("Given instead", help="Label that the model gave the same sample wrongly"),
                TableColumn("Samples", "int", help="How often both happened on one sample"),
            ),
            rows,
            reading=f"Most often {missed} is missed while {false} is given: {count(n, 'sample')}.",
            collapsed_after=10,
        ),
    )


def _given_table(view: OutputView) -> Table:
    """Return how often each label was given, when there are no labels to judge by."""
    given = np.asarray(view.accumulator.predicted)
    order = np.lexsort((np.arange(len(given)), -given))[:MOST_ROWS]
    n = view.output.n
    top = int(order[0])
    return Table(
        view.id("answers"),
        "How often each label is given",
        (
            TableColumn("Label", help="Name of the label"),
            TableColumn("Given", "int", help="Samples that were given it"),
            TableColumn("Share", "percent", help="Of all samples"),
        ),
        tuple((view.class_name(int(i)), int(given[i]), int(given[i]) / n if n else None) for i in order),
        reading=f"{view.class_name(top)} is given most: {share_text(int(given[top]), n, 'sample')}.",
        note="Without true labels the answers cannot be judged.",
    )
