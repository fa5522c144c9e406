"""Yes-or-no outputs: ROC, precision-recall, thresholds, scores by class, on top of what all classifiers show."""

from __future__ import annotations

import math

import numpy as np

from reportgen.analysis.metrics.curves import PrecisionRecall, RocCurve, ThresholdChoice, ThresholdTable
from reportgen.report.blocks import Axis, Card, CellMark, Chart, ChartMark, FlatBlock, Series, Table, TableColumn
from reportgen.report.values import Column, number
from reportgen.sections.output_view import OutputView
from reportgen.sections.predictions_calibration import confidence_blocks, counts_axis
from reportgen.sections.predictions_classes import confusion_blocks, say_class
from reportgen.sections.predictions_gallery import gallery_blocks
from reportgen.sections.predictions_ranks import gain_blocks
from reportgen.sections.words import count, number_text, percent

THRESHOLD_ROWS = 21
THRESHOLD_POINTS = 101


def build_binary(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return what is particular to yes-or-no outputs."""
    return (
        *gallery_blocks(view, say_class),
        *_curve_blocks(view),
        *confusion_blocks(view),
        *_threshold_blocks(view),
        _score_chart(view),
        *(gain_blocks(view) if view.labelled else ()),
        *confidence_blocks(view),
    )


def _curve_blocks(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return ROC and precision-recall curves, or why there are none."""
    if not view.labelled:
        return ()
    roc, precision_recall = view.accumulator.roc(), view.accumulator.precision_recall()
    if roc is None or precision_recall is None:
        text = "Only one class occurs in the labels, so there is no order to judge: ROC and precision-recall need both."
        return (Card("info", "No ROC or precision-recall curve", text),)
    return _roc_chart(view, roc), _precision_recall_chart(view, precision_recall)


def _roc_chart(view: OutputView, roc: RocCurve) -> Chart:
    """Return the ROC curve with the diagonal of a random order."""
    x, y = Column.pack(roc.false_positive_rate), Column.pack(roc.true_positive_rate)
    return Chart(
        view.id("roc"),
        "ROC curve",
        Axis("False positive rate", low=0.0, high=1.0),
        Axis("True positive rate (recall)", low=0.0, high=1.0),
        (Series("roc", view.class_name(1), x, y, "steps" if len(roc.thresholds) < 50 else "line", "first"),),
        reading=describe_roc(roc),
        diagonal=True,
        note=f"On {count(view.output.n_labelled, 'labelled sample')}; the line is a random order.",
    )


def describe_roc(roc: RocCurve) -> str:
    """Say in one sentence how well scores put positives above negatives."""
    area = number_text(roc.area, 3)
    if roc.area < 0.45:
        return f"The order is worse than random (area {area}): the classes may be swapped."
    if roc.area < 0.55:
        return f"The order is about random (area {area})."
    if roc.area == 1:
        return "Every positive sample scores above every negative one (area 1)."
    free = roc.true_positive_rate[roc.false_positive_rate <= 0.05]
    found = percent(float(free.max())) if free.size else "0%"
    return f"A positive scores above a negative in {percent(roc.area)} of pairs; at 5% false alarms {found} are found."


def _precision_recall_chart(view: OutputView, curve: PrecisionRecall) -> Chart:
    """Return the precision-recall curve with the share of positives as its baseline."""
    x, y = Column.pack(curve.recall), Column.pack(curve.precision)
    return Chart(
        view.id("precision-recall"),
        "Precision and recall",
        Axis("Recall", low=0.0, high=1.0),
        Axis("Precision", low=0.0, high=1.0),
        (Series("precision-recall", view.class_name(1), x, y, "line", "first"),),
        reading=describe_precision_recall(curve),
        marks=(ChartMark(f"positives {percent(curve.prevalence)}", y=curve.prevalence),),
    )


def describe_precision_recall(curve: PrecisionRecall) -> str:
    """Say in one sentence what precision costs in recall, against the share of positives."""
    average, base = number_text(curve.average_precision, 3), number_text(curve.prevalence, 3)
    if curve.average_precision <= curve.prevalence * 1.02:
        return f"Average precision {average} is no better than a random order ({base})."
    good = curve.recall[curve.precision >= 0.9]
    reach = (
        f"90% precision holds up to a recall of {percent(float(good.max()))}" if good.size else "90% is never reached"
    )
    return f"Average precision {average} against {base} for a random order; {reach}."


def _threshold_blocks(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return rates by threshold as chart and table, with the threshold in use and the one with the best F1."""
    best = view.accumulator.best_threshold() if view.labelled else None
    if best is None:
        return ()
    chosen = view.accumulator.chosen_threshold
    fine = view.accumulator.thresholds(THRESHOLD_POINTS)
    x = Column.pack(fine.thresholds)
    series = tuple(
        Series(name.lower(), name, x, Column.pack(values), "line", role)  # type: ignore[arg-type]
        for name, values, role in (
            ("Precision", fine.precision, "first"),
            ("Recall", fine.recall, "second"),
            ("F1", fine.f1, "third"),
        )
    )
    chart = Chart(
        view.id("thresholds"),
        "Rates by threshold",
        Axis(
            "Threshold on the probability" if view.probabilistic else "Threshold on the score",
            low=0.0 if view.probabilistic else None,
            high=1.0 if view.probabilistic else None,
        ),
        Axis("Rate", low=0.0, high=1.0),
        series,
        reading=describe_thresholds(chosen, best),
        marks=(ChartMark("in use", x=chosen.threshold), ChartMark("best F1", x=best.threshold)),
        note=f"In use: {chosen.rule}. Best F1: {best.rule}.",
    )
    return chart, threshold_table(view, view.accumulator.thresholds(THRESHOLD_ROWS), chosen)


def describe_thresholds(chosen: ThresholdChoice, best: ThresholdChoice) -> str:
    """Say in one sentence whether another threshold would do better."""
    if math.isnan(chosen.f1):
        return f"The best F1 is {percent(best.f1)}, at {number_text(best.threshold, 3)}."
    if best.f1 - chosen.f1 < 0.01:
        return (
            f"The threshold in use ({number_text(chosen.threshold, 3)}) is as good as any: F1 {percent(chosen.f1)}, "
            f"at best {percent(best.f1)}."
        )
    return (
        f"A threshold of {number_text(best.threshold, 3)} would raise F1 from {percent(chosen.f1)} to "
        f"{percent(best.f1)} on these samples; choose it on other data than it is judged on."
    )


THRESHOLD_COLUMNS = (
    TableColumn("Threshold", "number", help="A sample above it is called positive"),
    TableColumn("Precision", "percent", help="Of the samples called positive, the share that are"),
    TableColumn("Recall", "percent", help="Of the positive samples, the share that were found"),
    TableColumn("Specificity", "percent", help="Of the negative samples, the share called negative"),
    TableColumn("F1", "percent", help="Harmonic mean of precision and recall"),
    TableColumn("Accuracy", "percent", help="Share of right answers"),
    TableColumn("True positives", "int"),
    TableColumn("False positives", "int"),
    TableColumn("False negatives", "int"),
    TableColumn("True negatives", "int"),
)


def threshold_table(view: OutputView, table: ThresholdTable, chosen: ThresholdChoice) -> Table:
    """Return what each of a few thresholds would do; the one in use is marked."""
    rates = (table.precision, table.recall, table.specificity, table.f1, table.accuracy)
    counts = (table.true_positives, table.false_positives, table.false_negatives, table.true_negatives)
    rows = tuple(
        (
            number(round(float(table.thresholds[i]), 10)),
            *(number(float(rate[i]), "no sample to count") for rate in rates),
            *(int(column[i]) for column in counts),
        )
        for i in range(len(table.thresholds))
    )
    same = np.flatnonzero(np.isclose(table.thresholds, chosen.threshold))
    marks = tuple(CellMark(int(i), 0, "info", f"in use: {chosen.rule}") for i in same[:1])
    return Table(view.id("threshold-table"), "Thresholds", THRESHOLD_COLUMNS, rows, marks=marks, collapsed_after=11)


def _score_chart(view: OutputView) -> Chart:
    """Return counts of samples by score, the two classes side by side."""
    edges, counts = view.accumulator.score_histogram()
    width = float(edges[1] - edges[0])
    middle = (edges[:-1] + edges[1:]) / 2
    groups = (
        ("negative", f"Label {view.class_name(0)}", 0, "second"),
        ("positive", f"Label {view.class_name(1)}", 1, "first"),
        ("unlabelled", "No label", 2, "muted"),
    )
    used = [group for group in groups if counts[:, group[2]].any()]
    series = tuple(
        Series(
            id_,
            name,
            Column.pack(middle),
            Column.pack(counts[:, column]),
            "bars",
            role,  # type: ignore[arg-type]
            width=width,
        )
        for id_, name, column, role in used
    )
    what = f"Probability of {view.class_name(1)}" if view.probabilistic else "Score"
    return Chart(
        view.id("scores"),
        "Scores by class",
        Axis(what, low=float(edges[0]), high=float(edges[-1])),
        counts_axis(*(counts[:, column] for _, _, column, _ in used)),
        series,
        reading=describe_scores(counts),
        note=f"{count(len(middle), 'bin')}; the bars of a bin stand side by side.",
    )


def describe_scores(counts: np.ndarray) -> str:
    """Say in one sentence how far the scores of the two classes overlap."""
    negative, positive = counts[:, 0].astype(float), counts[:, 1].astype(float)
    if not counts.sum():
        return "No finite score to count."
    if not (negative.sum() and positive.sum()):
        used = int((counts.sum(axis=1) > 0).sum())
        return f"The scores fill {used} of {count(len(counts), 'bin')}."
    overlap = float(np.minimum(negative / negative.sum(), positive / positive.sum()).sum())
    if overlap == 0:
        return "The scores of the two classes do not overlap."
    how = "little" if overlap < 0.2 else "in part" if overlap < 0.6 else "mostly"
    return f"The scores of the two classes overlap {how}: {percent(overlap)} of their distributions is shared."
