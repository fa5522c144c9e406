"""Outputs that give a class to every position: panels of input, truth, answer and difference; overlap by class."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from reportgen.analysis.colour_words import name_colour
from reportgen.analysis.evidence import Array
from reportgen.analysis.images import (
    SIGNAL_WIDTH,
    Pixels,
    class_colours,
    paint_classes,
    paint_difference,
    to_picture,
)
from reportgen.analysis.metrics.segmentation import (
    MistakePlaces,
    PerRegion,
    answers,
    position_labels,
    region_counts,
    sample_dice,
)
from reportgen.analysis.metrics.value import SampleScores
from reportgen.analysis.mosaics import enlarge
from reportgen.report.blocks import CellMark, ClassColour, FlatBlock, Gallery, Matrix, Table, TableColumn, Text
from reportgen.report.values import Column, Number, number
from reportgen.sections.display import as_displayed
from reportgen.sections.output_view import OutputView
from reportgen.sections.predictions_classes import MOST_DRAWN
from reportgen.sections.predictions_gallery import Outcome, Said, Style, describe_losses, gallery_blocks
from reportgen.sections.samples import Content, draw_panes, input_scales, shrink_pane
from reportgen.sections.words import percent, share_text

PANEL_SIDE = 64
WRONG_BELOW = 2 / 3
MOST_PANEL_SIDE = 96
MOST_CARDS = 20  # a card holds four pictures
STRIP_HEIGHT = 14
MOST_COLOURS = 16
LEGEND = (
    "Four panels, row by row: input, truth, prediction, difference (red: wrong, light: right, dark: both class 0). "
    "Marked wrong below a Dice of 67%, an IoU of one half."
)
LEGEND_UNLABELLED = "Two panels: input, prediction."


def build_segmentation(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return what is particular to segmentation."""
    blocks: list[FlatBlock] = [
        replace(block, legend=class_legend(view)) if isinstance(block, Gallery) and _pictured(block) else block
        for block in gallery_blocks(view, say_regions, _style(view))
    ]
    if not view.labelled:
        return (*blocks, _shares_table(view))
    blocks.append(region_table(view, view.accumulator.per_class()))
    blocks.append(Text(describe_places(view.accumulator.mistake_places())))
    blocks.append(_position_matrix(view))
    return tuple(blocks)


def _pictured(gallery: Gallery) -> bool:
    """Say whether any sample of a gallery is shown as a picture."""
    return any(card.image for card in gallery.samples)


def class_legend(view: OutputView) -> tuple[ClassColour, ...]:
    """Return the colours of the classes, with many those that fill most positions; class 0 is always among them."""
    classes = view.accumulator.classes
    filled = np.zeros(classes)
    filled += np.asarray(view.accumulator.predicted)
    if view.labelled:
        filled += np.asarray(view.accumulator.per_class().support)
    filled[0] = np.inf
    most = np.sort(np.argsort(-filled, kind="stable")[:MOST_COLOURS])
    return tuple(
        ClassColour(view.class_name(label), (r << 16) + (g << 8) + b, name_colour(r, g, b))
        for label, (r, g, b) in zip(most.tolist(), class_colours(classes)[most].tolist(), strict=True)
    )


def _maps(view: OutputView, row: int) -> tuple[Array, Array | None, Array | None]:
    """Return the answer of one kept sample, its truth, and which positions have a label."""
    kept = view.kept
    if kept is None:
        raise ValueError("no sample was kept")
    answer, _ = answers(kept.predictions[view.output.name][row : row + 1], view.output.scores)
    if view.kept_truth is None:
        return answer[0], None, None
    truth, known = position_labels(view.kept_truth[row : row + 1], answer.shape, view.accumulator.classes)
    return answer[0], truth[0], known[0]


def say_regions(view: OutputView, scores: SampleScores, row: int) -> Said:
    """Say how much of a sample is foreground, in truth and in the answer, and how well they overlap."""
    answer, truth, known = _maps(view, row)
    said = f"{percent(float((answer > 0).mean()))} foreground"
    if truth is None or known is None or not known.any():
        return Said("no label", said, "unknown")
    wrong = int((known & (truth != answer)).sum())
    classes = view.accumulator.classes
    dice = float(sample_dice(*region_counts(truth[None], known[None], answer[None], classes))[0])
    outcome: Outcome = "wrong" if dice < WRONG_BELOW else "right"
    front = f"{percent(float((known & (truth > 0)).sum() / known.sum()))} foreground"
    details = (("Dice", percent(dice)), ("wrong", share_text(wrong, int(known.sum()))))
    return Said(front, f"{said}, Dice {percent(dice)}", outcome, details)


def show_panels(view: OutputView, row: int, alt: str) -> Content:
    """Show input, truth, answer and difference side by side, as far as privacy allows."""
    kept = view.kept
    if kept is None or view.artifacts.privacy not in ("show", "blur"):
        return Content()
    answer, truth, known = _maps(view, row)
    panes: list[Pixels] = []
    for name, values in kept.inputs.items():
        picture = to_picture(as_displayed(view.artifacts, name, values[row]), input_scales(view.artifacts).get(name))
        if picture is not None:
            panes.append(picture.pixels)
            break
    classes = view.accumulator.classes
    if truth is not None and known is not None:
        panes.append(paint_classes(_flat_map(truth), classes))
    panes.append(paint_classes(_flat_map(answer), classes))
    if truth is not None and known is not None:
        ignored = np.where(known, truth, answer)
        panes.append(paint_difference(_flat_map(ignored), _flat_map(answer)))
    strips = answer.ndim == 1
    if not strips:
        panes = [enlarge(shrink_pane(pane, MOST_PANEL_SIDE), PANEL_SIDE) for pane in panes]
    said = f"{alt}; input, truth, prediction, difference" if truth is not None else alt
    return Content(draw_panes(panes, view.artifacts.privacy, view.context, said, stacked=strips))


def _flat_map(labels: Array) -> Array:
    """Return class indices as a picture: a signal as a strip as wide as it is drawn, a volume by its middle slice."""
    if labels.ndim == 1:
        place = (np.arange(SIGNAL_WIDTH) + 0.5) * len(labels) / SIGNAL_WIDTH
        return np.repeat(labels[None, place.astype(np.int64)], STRIP_HEIGHT, axis=0)
    while labels.ndim > 2:
        labels = labels[labels.shape[0] // 2]
    return labels


COLUMNS = (
    TableColumn("Class", help="Name of the class"),
    TableColumn("IoU", "percent", help="Overlap of truth and answer over their union"),
    TableColumn("Dice", "percent", help="Twice the overlap over the sum of truth and answer"),
    TableColumn("Precision", "percent", help="Of the positions given this class, the share that have it"),
    TableColumn("Recall", "percent", help="Of the positions of this class, the share that were found"),
    TableColumn("Positions", "int", help="Labelled positions of this class"),
    TableColumn("Answered", "int", help="Positions that were given this class"),
    TableColumn("Samples", "int", help="Samples whose truth has this class"),
)


def region_table(view: OutputView, regions: PerRegion) -> Table:
    """Return the overlap of each class."""
    rows: list[tuple[str | Number, ...]] = []
    marks = []
    for label in range(len(regions.iou)):
        rates = (regions.iou, regions.dice, regions.precision, regions.recall)
        cells = tuple(number(float(rate[label]), "in neither truth nor answer") for rate in rates)
        counts = (int(regions.support[label]), int(regions.predicted[label]), int(regions.samples[label]))
        rows.append((view.class_name(label), *cells, *counts))
        if regions.support[label] and not regions.predicted[label]:
            marks.append(CellMark(label, 6, "warn", "never predicted, though it occurs in the truth"))
    return Table(
        view.id("regions"),
        "Overlap by class",
        COLUMNS,
        tuple(rows),
        reading=describe_regions(view, regions),
        marks=tuple(marks),
    )


def describe_regions(view: OutputView, regions: PerRegion) -> str:
    """Say in one sentence which class overlaps worst and best; class 0 is named as background."""
    known = np.where(regions.support > 0, regions.iou, np.nan)
    if np.isnan(known).all():
        return "No labelled position."
    silent = np.flatnonzero((regions.support > 0) & (regions.predicted == 0))
    if silent.size:
        first = view.class_name(int(silent[0]))
        more = f" and {silent.size - 1} more" if silent.size > 1 else ""
        return f"{first}{more} never predicted at any position."
    low, high = int(np.nanargmin(known)), int(np.nanargmax(known))
    if low == high or known[low] == known[high]:
        return f"Every class that occurs has an IoU of {percent(known[low])}."
    share = percent(float(regions.support[low] / regions.support.sum()))
    return (
        f"IoU runs from {percent(known[low])} ({view.class_name(low)}, {share} of the positions) "
        f"to {percent(known[high])} ({view.class_name(high)})."
    )


def describe_places(places: MistakePlaces) -> str:
    """Say in one sentence whether mistakes are outlines slightly off or whole regions."""
    if not places.wrong:
        return "No labelled position is wrong."
    share = places.boundary / places.wrong
    near = share_text(places.boundary, places.wrong, "wrong position")
    if share >= 0.8:
        return f"Mistakes are mostly outlines drawn slightly off: {near} lie within 2 positions of a true boundary."
    if share <= 0.4:
        return f"Mistakes are mostly whole regions missed or invented: only {near} lie near a true boundary."
    return f"Mistakes are both outlines and regions: {near} lie near a true boundary."


def _position_matrix(view: OutputView) -> Matrix:
    """Return the confusion of positions, or past 30 classes its worst block."""
    block = view.accumulator.block(MOST_DRAWN)
    names = tuple(view.class_name(label) for label in block.classes)
    pairs = view.accumulator.confused_pairs(1)
    reading = "No labelled position is wrong."
    if pairs:
        most = share_text(pairs[0].count, block.all_mistakes, "wrong position")
        truth, said = view.class_name(pairs[0].truth), view.class_name(pairs[0].prediction)
        reading = f"Most often {truth} is called {said}: {most}."
    total = view.accumulator.classes
    left = "" if block.whole else f"{len(names)} of {total} classes: those of the most frequent mistakes."
    return Matrix(
        view.id("confusion"),
        "Confusion of positions",
        "Label",
        "Predicted",
        names,
        names,
        Column.pack(block.counts, "<i8"),
        reading=reading,
        note=left,
    )


def _shares_table(view: OutputView) -> Table:
    """Return how many positions were given each class, when there are no labels to judge by."""
    given = np.asarray(view.accumulator.predicted)
    total = int(given.sum())
    rows = tuple((view.class_name(i), int(n), int(n) / total if total else None) for i, n in enumerate(given))
    top = int(given.argmax())
    return Table(
        view.id("answers"),
        "How many positions are given each class",
        (
            TableColumn("Class", help="Name of the class"),
            TableColumn("Positions", "int", help="Positions given this class"),
            TableColumn("Share", "percent", help="Of all positions"),
        ),
        rows,
        reading=f"{view.class_name(top)} fills most: {share_text(int(given[top]), total, 'position')}.",
    )


def _style(view: OutputView) -> Style:
    """Return how samples of this task are shown."""
    legend = LEGEND if view.kept_truth is not None else LEGEND_UNLABELLED
    return Style(show_panels, legend, partial(describe_losses, name="loss (1 - Dice)"), MOST_CARDS)
