"""Mistakes worth a reviewer's time: model wrong or label suspicious; identical samples, and conflicts among them."""

from __future__ import annotations

import numpy as np

from reportgen.analysis.label_facts import SingleLabels
from reportgen.analysis.mistakes import Mistake, Twins, find_twins, judge_mistakes
from reportgen.analysis.records import CLASSIFIERS
from reportgen.analysis.single_labels import count_others, is_suspicious
from reportgen.report.blocks import CellMark, FlatBlock, Table, TableColumn, Text
from reportgen.report.values import number
from reportgen.sections.output_view import OutputView
from reportgen.sections.samples import name_of_position, record_name
from reportgen.sections.words import count, join_words, number_text

MOST_MISTAKES = 30
MOST_TWINS = 30
SHOWN_NAMES = 4


def mistake_blocks(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return the table of mistakes and that of identical samples, where there are any."""
    blocks: list[FlatBlock] = []
    mistakes = judge_mistakes(view.output.records, view.output.task, view.probabilistic) if view.labelled else ()
    if mistakes:
        blocks.append(mistake_table(view, mistakes))
    if view.labelled and view.output.task in NOT_JUDGED:
        blocks.append(Text(NOT_JUDGED[view.output.task]))
    if view.output.single_labels is not None and view.output.single_labels.found:
        blocks.append(single_label_table(view, view.output.single_labels))
    twins = find_twins(view.output.records)
    if twins:
        blocks.append(twin_table(view, twins))
    return tuple(blocks)


ONE_PIECE = (
    "they hang together with their neighbours, so that a confident disagreement over a whole region would be counted "
    "as thousands of independent ones. Look at the worst samples instead."
)
NOT_JUDGED = {
    "segmentation": f"Labels of single positions are not judged as suspicious: {ONE_PIECE}",
    "sequence": f"Labels of single steps are not judged as suspicious: {ONE_PIECE}",
}
CLASS_RULE = (
    "A label is called suspicious only where the model is at least 99% sure of another class, nearly always right when "
    "it is that sure (of this class too), and expects less than half a mistake among as many answers as sure; or where "
    "an identical sample has another label."
)
NUMBER_RULE = (
    "A value is called suspicious only where its error is 8 times the usual spread and hardly any other is, or where "
    "an identical sample has another value."
)
COLUMNS = (
    TableColumn("Sample", help="The sample's id, or its row in the batch"),
    TableColumn("Label", help="What the batch says"),
    TableColumn("Predicted", help="What the model says"),
    TableColumn("Confidence", "percent", help="The probability that the model gives its answer"),
    TableColumn("Loss", "number", help="Larger is worse"),
    TableColumn("Judged", help="A suspicion, not a verdict: look at the sample"),
    TableColumn("Why"),
)


def mistake_table(view: OutputView, mistakes: tuple[Mistake, ...]) -> Table:
    """Return the worst mistakes, those with a suspicious label first."""
    records = view.output.records
    classes = view.output.task in CLASSIFIERS
    write = view.class_name if classes else number_text
    shown = mistakes[:MOST_MISTAKES]
    rows = tuple(
        (
            record_name(records, item.row, view.artifacts.privacy),
            write(float(records.truth[item.row])),
            write(float(records.prediction[item.row])),
            number(float(records.confidence[item.row]), "no probabilities") if view.probabilistic else None,
            number(float(records.loss[item.row])),
            "label suspicious" if item.suspicious else "model wrong",
            item.why,
        )
        for item in shown
    )
    marks = tuple(
        CellMark(row, 5, "warn", "look at this label before blaming the model")
        for row, item in enumerate(shown)
        if item.suspicious
    )
    left = f"The first {len(shown)} of {count(len(mistakes), 'mistake')}. " if len(shown) < len(mistakes) else ""
    return Table(
        view.id("mistakes"),
        "Mistakes: model or label?" if classes else "Far misses: model or label?",
        COLUMNS,
        rows,
        reading=describe_mistakes(mistakes),
        note=left + (CLASS_RULE if classes else NUMBER_RULE),
        marks=marks,
        collapsed_after=10,
    )


def describe_mistakes(mistakes: tuple[Mistake, ...]) -> str:
    """Say in one sentence how many labels are suspicious."""
    bad = sum(item.suspicious for item in mistakes)
    total = count(len(mistakes), "mistake")
    if not bad:
        return f"{total}, no label among them looks suspicious: the model is wrong."
    return f"{bad:,} of {total} may be the label's fault: look at these first. It is a suspicion, not a verdict."


SINGLE_COLUMNS = (
    TableColumn("Sample", help="The sample's id, or its row in the batch"),
    TableColumn("Label", help="The label that is disputed"),
    TableColumn("In the batch", help="Whether the batch says that the sample has it"),
    TableColumn("Model", help="Whether the model says that the sample has it"),
    TableColumn("Confidence", "percent", help="The probability that the model gives its answer"),
    TableColumn("Judged", help="A suspicion, not a verdict: look at the sample"),
    TableColumn("Why"),
)


def single_label_table(view: OutputView, found: SingleLabels) -> Table:
    """Return the single labels that the model is very sure are wrong, the suspicious ones first."""
    judged = [(is_suspicious(found, row), row) for row in range(len(found.labels))]
    judged.sort(key=lambda item: not item[0])
    shown = judged[:MOST_MISTAKES]
    rows = []
    for suspicious, row in shown:
        right, others = count_others(found, row)
        given = int(found.given[row])
        name = name_of_position(view.artifacts, int(found.positions[row]))
        rows.append(
            (
                name,
                view.class_name(float(found.labels[row])),
                "no" if given else "yes",
                "yes" if given else "no",
                number(float(found.sure[row])),
                "label suspicious" if suspicious else "model wrong",
                f"of {others:,} other answers as sure, {right:,} are right",
            )
        )
    bad = sum(suspicious for suspicious, _ in judged)
    total = count(found.found, "single label")
    left = f" The surest {len(found.labels):,} were judged." if found.found > len(found.labels) else ""
    reading = f"The model is at least 99% sure that {total} {'is' if found.found == 1 else 'are'} wrong; "
    reading += f"{bad:,} may be the label's fault." if bad else "it errs too often when it is that sure to accuse any."
    return Table(
        view.id("single-labels"),
        "Single labels: model or label?",
        SINGLE_COLUMNS,
        tuple(rows),
        reading=reading,
        note="Each label is judged alone, and having it apart from not having it. It is called suspicious only where "
        f"the model is nearly always right when it is that sure of this label.{left}",
        marks=tuple(CellMark(i, 5, "warn", "look at this label before blaming the model") for i in range(min(bad, 30))),
        collapsed_after=10,
    )


TWIN_COLUMNS = (
    TableColumn("Samples", help="Samples with identical inputs"),
    TableColumn("Copies", "int", help="How many there are"),
    TableColumn("Labels", help="Their labels"),
    TableColumn("Predicted", help="What the model says to all of them"),
    TableColumn("Judged"),
)


def twin_table(view: OutputView, twins: tuple[Twins, ...]) -> Table:
    """Return groups of identical samples, conflicting labels first."""
    records = view.output.records
    write = view.class_name if view.output.task in CLASSIFIERS else number_text
    whole = len(records.labels) == len(records.keys)
    shown = twins[:MOST_TWINS]
    rows = []
    for group in shown:
        names = [record_name(records, row, view.artifacts.privacy) for row in group.rows]
        labels = np.unique(records.truth[list(group.rows)])
        said = float(records.prediction[group.rows[0]])
        words = join_words([write(float(label)) if label == label else "no label" for label in labels], most=4)
        judged = "conflicting labels: at most one is right" if group.conflict else "counted more than once"
        answer = write(said) if said == said else ""
        if whole:
            different = len(np.unique(records.labels[list(group.rows)]))
            words, answer = "all the same" if different == 1 else f"{different} different ones", "see the samples"
        rows.append((join_words(names, most=SHOWN_NAMES), len(group.rows), words, answer, judged))
    marks = tuple(
        CellMark(i, 4, "warn", "identical inputs, different labels") for i, g in enumerate(shown) if g.conflict
    )
    left = f" The first {len(shown)} of {len(twins):,} groups." if len(shown) < len(twins) else ""
    return Table(
        view.id("twins"),
        "Identical samples",
        TWIN_COLUMNS,
        tuple(rows),
        reading=describe_twins(twins),
        note=f"Identical byte for byte, among {records.rule}.{left}",
        marks=marks,
        collapsed_after=5,
    )


def describe_twins(twins: tuple[Twins, ...]) -> str:
    """Say in one sentence how many samples are copies and how many groups disagree about the label."""
    copies = sum(len(group.rows) - 1 for group in twins)
    conflicts = sum(group.conflict for group in twins)
    said = f"{count(copies, 'sample')} repeat{'s' if copies == 1 else ''} an earlier one"
    if not conflicts:
        return f"{said}; labels of identical samples agree."
    return f"{said}; in {count(conflicts, 'group')} identical samples have different labels."
