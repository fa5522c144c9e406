"""Classifiers: the samples, the confusion matrix, the classes, the most confused pairs."""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Array
from reportgen.analysis.metrics import as_probabilities
from reportgen.analysis.metrics.classes import ConfusedPair, ConfusionBlock, PerClass
from reportgen.analysis.metrics.value import SampleScores
from reportgen.report.blocks import CellMark, FlatBlock, Matrix, Table, TableColumn
from reportgen.report.values import Column, Number, number
from reportgen.sections.output_view import OutputView
from reportgen.sections.predictions_calibration import confidence_blocks
from reportgen.sections.predictions_gallery import Said, gallery_blocks
from reportgen.sections.predictions_ranks import class_roc
from reportgen.sections.words import count, interval_text, number_text, percent, share_text

MOST_DRAWN = 30
MOST_ROWS = 1000
MOST_PAIRS = 15
TOP = 3


def build_multiclass(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return what is particular to one-of-many outputs."""
    ranks = class_roc(view) if view.labelled else ()
    return (*gallery_blocks(view, say_class), *confusion_blocks(view), *ranks, *confidence_blocks(view))


def say_class(view: OutputView, scores: SampleScores, row: int) -> Said:
    """Say which class the label is and which the model chose, with the runners-up."""
    truth, prediction = float(scores.truth[row]), float(scores.prediction[row])
    known = truth == truth and prediction == prediction
    return Said(
        truth=view.class_name(truth) if truth == truth else "no label",
        prediction=view.class_name(prediction) if prediction == prediction else "no finite score",
        outcome="unknown" if not known else "right" if truth == prediction else "wrong",
        details=_runners_up(view, row),
    )


def _runners_up(view: OutputView, row: int) -> tuple[tuple[str, str], ...]:
    """Return the best classes after the first with their probabilities or scores."""
    kept = view.kept
    if kept is None or view.output.task != "multiclass":
        return ()
    values = np.asarray(kept.predictions[view.output.name][row : row + 1], dtype=np.float64)
    shares = as_probabilities(view.output.task, values, view.output.scores)
    flat = (values if shares is None else shares).reshape(-1)
    if not np.isfinite(flat).all():
        return ()
    best = np.argsort(-flat, kind="stable")[:TOP]
    write = percent if view.probabilistic else number_text
    shown = best[1:] if view.probabilistic else best
    return tuple((view.class_name(int(i)), write(float(flat[i]))) for i in shown)


def confusion_blocks(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return matrix, confused pairs and the table of classes; without labels how often each class was answered."""
    if not view.labelled:
        return (_answers_table(view),)
    accumulator = view.accumulator
    block = accumulator.block(MOST_DRAWN)
    pairs = accumulator.confused_pairs(MOST_PAIRS)
    blocks: list[FlatBlock] = [_matrix(view, block)]
    if pairs and accumulator.classes > 2:
        blocks.append(_pairs_table(view, pairs, block.all_mistakes))
    curves = accumulator.curves() if accumulator.classes > 2 else ()
    areas = np.asarray([table.area() for table in curves])
    blocks.append(class_table(view, accumulator.per_class(), areas))
    return tuple(blocks)


def _matrix(view: OutputView, block: ConfusionBlock) -> Matrix:
    """Return the confusion matrix, or past 30 classes its worst block."""
    names = tuple(view.class_name(label) for label in block.classes)
    total = view.accumulator.classes
    natural = list(block.classes) == sorted(block.classes)
    order = "Classes are in their own order." if natural else "Classes that are confused stand together."
    note = (
        order
        if block.whole
        else f"{len(names)} of {count(total, 'class')}: those of the most frequent mistakes, which hold "
        f"{share_text(block.mistakes, block.all_mistakes, 'mistake')}. {order}"
    )
    return Matrix(
        view.id("confusion"),
        "Confusion matrix" if block.whole else "Confusion matrix, worst part",
        "Label",
        "Predicted",
        names,
        names,
        Column.pack(block.counts, "<i8"),
        reading=describe_confusion(view, block),
        note=note,
    )


def describe_confusion(view: OutputView, block: ConfusionBlock) -> str:
    """Say in one sentence where the mistakes go."""
    if not block.all_mistakes:
        return f"All {count(view.output.n_labelled, 'labelled sample')} lie on the diagonal: no mistake was made."
    said = np.asarray(view.accumulator.predicted)
    if said.sum() and said.max() == said.sum():
        return (
            f"Every sample is called {view.class_name(int(said.argmax()))}: the model gives one answer to everything."
        )
    pair = view.accumulator.confused_pairs(1)[0]
    if pair.count == 1 and block.all_mistakes > 1:
        return f"{count(block.all_mistakes, 'mistake')}, no two of one kind: there is no pattern to see."
    if block.all_mistakes == 1:
        return f"The only mistake is {view.class_name(pair.truth)} called {view.class_name(pair.prediction)}."
    most = share_text(pair.count, block.all_mistakes, "mistake")
    return (
        f"The most frequent mistake is {view.class_name(pair.truth)} called {view.class_name(pair.prediction)}: {most}."
    )


PAIR_COLUMNS = (
    TableColumn("Label", help="Class in the labels"),
    TableColumn("Predicted", help="Class the model chose instead"),
    TableColumn("Samples", "int", help="How often this happened"),
    TableColumn("Share of the class", "percent", help="Of all samples with this label"),
    TableColumn("Share of mistakes", "percent", help="Of all mistakes of the model"),
)


def _pairs_table(view: OutputView, pairs: tuple[ConfusedPair, ...], mistakes: int) -> Table:
    """Return the most confused pairs."""
    rows = tuple(
        (view.class_name(p.truth), view.class_name(p.prediction), p.count, p.share, p.count / mistakes) for p in pairs
    )
    covered = sum(pair.count for pair in pairs)
    reading = f"These {count(len(pairs), 'pair')} hold {share_text(covered, mistakes, 'mistake')}."
    if pairs[0].count == 1:
        reading = f"No pair occurs twice among {mistakes:,} mistakes." if mistakes > 1 else "There is no other mistake."
    return Table(view.id("pairs"), "Most confused pairs", PAIR_COLUMNS, rows, reading=reading, collapsed_after=10)


CLASS_COLUMNS = (
    TableColumn("Class", help="Name of the class"),
    TableColumn("Precision", "percent", help="Of the samples called this class, the share that are"),
    TableColumn("95% interval", help="Wilson interval of the precision"),
    TableColumn("Recall", "percent", help="Of the samples of this class, the share that were found"),
    TableColumn("95% interval", help="Wilson interval of the recall"),
    TableColumn("F1", "percent", help="Harmonic mean of precision and recall"),
    TableColumn("Support", "int", help="Labelled samples of this class"),
    TableColumn("Answered", "int", help="How often the model chose this class"),
)


NO_AREAS: Array = np.zeros(0)
AREA_COLUMN = TableColumn(
    "ROC AUC", "number", help="Chance that a sample of the class scores higher for it than others"
)


def class_table(view: OutputView, per_class: PerClass, areas: Array = NO_AREAS) -> Table:
    """Return precision, recall, F1, support and, where there are `areas`, the ROC AUC of each class.

    Past 30 classes those that occur or are predicted, past 1,000 the worst by F1.
    """
    order = np.arange(len(per_class.f1))
    note = ""
    if len(order) > MOST_DRAWN:
        met = order[(per_class.support > 0) | (per_class.predicted > 0)]
        absent = len(order) - len(met)
        order = met[np.lexsort((met, np.nan_to_num(per_class.f1[met], nan=2.0)))][:MOST_ROWS]
        note = "Worst F1 first."
        if len(met) > MOST_ROWS:
            note = f"The {MOST_ROWS:,} classes with the worst F1 of {len(met):,}."
        if absent:
            note += f" Not listed: {count(absent, 'class')} neither in the labels nor predicted."
    marks = []
    for row, label in enumerate(order.tolist()):
        if per_class.support[label] and not per_class.predicted[label]:
            marks.append(CellMark(row, 7, "warn", "never predicted, though it occurs in the labels"))
        if not per_class.support[label]:
            marks.append(CellMark(row, 6, "info", "does not occur in the labels"))
    return Table(
        view.id("classes"),
        "Classes",
        (*CLASS_COLUMNS, AREA_COLUMN) if areas.size else CLASS_COLUMNS,
        tuple(_class_row(view, per_class, label, areas) for label in order.tolist()),
        reading=describe_classes(view, per_class),
        note=note,
        marks=tuple(marks),
    )


def _class_row(view: OutputView, per_class: PerClass, label: int, areas: Array) -> tuple[str | Number, ...]:
    """Return the cells of one class."""
    p = per_class
    area = (number(float(areas[label]), "all labels are alike"),) if areas.size else ()
    return (
        view.class_name(label),
        number(p.precision[label], "never predicted"),
        interval_text(number(p.precision_low[label]), number(p.precision_high[label]), "share"),
        number(p.recall[label], "not in the labels"),
        interval_text(number(p.recall_low[label]), number(p.recall_high[label]), "share"),
        number(p.f1[label], "neither in the labels nor predicted"),
        int(p.support[label]),
        int(p.predicted[label]),
        *area,
    )


def describe_classes(view: OutputView, per_class: PerClass) -> str:
    """Say in one sentence which classes are worst served."""
    silent = np.flatnonzero((per_class.support > 0) & (per_class.predicted == 0))
    if silent.size:
        which = ", ".join(view.class_name(int(label)) for label in silent[:3])
        more = f" and {silent.size - 3} more" if silent.size > 3 else ""
        are = "class is" if silent.size == 1 else "classes are"
        return f"{silent.size} {are} never predicted: {which}{more}."
    known = np.where(per_class.support > 0, per_class.recall, np.nan)
    if np.isnan(known).all():
        return "No class occurs in the labels."
    low, high = int(np.nanargmin(known)), int(np.nanargmax(known))
    if known[low] == known[high]:
        return f"Every class has a recall of {percent(known[low])}."
    return (
        f"Recall runs from {percent(known[low])} ({view.class_name(low)}, n = {int(per_class.support[low]):,}) "
        f"to {percent(known[high])} ({view.class_name(high)})."
    )


def _answers_table(view: OutputView) -> Table:
    """Return how often each class was answered, when there are no labels to judge by."""
    predicted = np.asarray(view.accumulator.predicted)
    order = np.lexsort((np.arange(len(predicted)), -predicted))[:MOST_ROWS]
    total = max(int(predicted.sum()), 1)
    rows = tuple((view.class_name(int(i)), int(predicted[i]), int(predicted[i]) / total) for i in order)
    top = int(order[0])
    return Table(
        view.id("answers"),
        "How often each class is predicted",
        (
            TableColumn("Class", help="Name of the class"),
            TableColumn("Predicted", "int", help="Samples for which the model chose it"),
            TableColumn("Share", "percent", help="Of all samples"),
        ),
        rows,
        reading=f"{view.class_name(top)} is predicted most: {share_text(int(predicted[top]), total, 'sample')}.",
        note="Without labels the answers cannot be judged.",
    )
