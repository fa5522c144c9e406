"""Confidence and calibration: how sure the model is, and whether that can be trusted."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from reportgen.analysis.calibration import Reliability
from reportgen.analysis.evidence import Array
from reportgen.analysis.metrics.classes import ConfidenceHistogram
from reportgen.report.blocks import Axis, Card, Chart, FlatBlock, Series, Table, TableColumn
from reportgen.report.values import Column, number
from reportgen.sections.output_view import OutputView
from reportgen.sections.words import count, interval_text, number_text, percent, share_text

FEWEST = 100
Role = Literal["right", "wrong", "muted"]


def confidence_blocks(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return confidence and calibration; a card instead when the scores are no probabilities."""
    if not view.probabilistic:
        return (no_probabilities(),)
    histogram = view.accumulator.confidence_histogram()
    blocks: list[FlatBlock] = [] if histogram is None else [_confidence_chart(view, histogram)]
    reliability = view.accumulator.reliability()
    if reliability is not None:
        blocks += [_calibration_chart(view, reliability), _calibration_table(view, reliability)]
    return tuple(blocks)


def no_probabilities() -> Card:
    """Say that an output's numbers are scores, and what would make them probabilities."""
    return Card(
        "info",
        "Scores, not probabilities",
        "The numbers of this output are not probabilities (no softmax or sigmoid at the end, and the loss does not say "
        "from_logits), so they are shown as scores: no percentages, no confidence, no calibration.",
        "End the model with an activation, or compile its loss with from_logits=True and save it.",
    )


def _confidence_chart(view: OutputView, histogram: ConfidenceHistogram) -> Chart:
    """Return counts of right and wrong answers by confidence."""
    total = histogram.right + histogram.wrong + histogram.unlabelled
    first = int(np.flatnonzero(total)[0]) if total.any() else 0
    middle = ((histogram.edges[:-1] + histogram.edges[1:]) / 2)[first:]
    width = float(histogram.edges[1] - histogram.edges[0])
    groups: tuple[tuple[str, str, Array, Role], ...] = (
        ("right", "Right", histogram.right, "right"),
        ("wrong", "Wrong", histogram.wrong, "wrong"),
        ("unlabelled", "No label", histogram.unlabelled, "muted"),
    )
    used = [group for group in groups if group[2].any()]
    series = tuple(
        Series(
            id_,
            name,
            Column.pack(middle),
            Column.pack(values[first:]),
            "bars",
            role,
            width=width,
        )
        for id_, name, values, role in used
    )
    return Chart(
        view.id("confidence"),
        "Confidence",
        Axis("Probability of the predicted class", low=float(histogram.edges[first]), high=1.0),
        counts_axis(*(group[2] for group in used)),
        series,
        reading=describe_confidence(histogram),
        note=f"Bins of {width:g}, from the first one in use; the bars of a bin stand side by side.",
    )


def counts_axis(*counts: Array) -> Axis:
    """Return the axis of a histogram: logarithmic where the tallest bar would flatten the smallest out of sight."""
    every = np.concatenate([part[part > 0] for part in counts]) if counts else np.zeros(0)
    if every.size and every.max() >= 100 * every.min():
        return Axis("Samples (log scale)", "log")
    return Axis("Samples", integer=True)


def describe_confidence(histogram: ConfidenceHistogram) -> str:
    """Say in one sentence how sure the model is, and how often it is sure and wrong."""
    total = histogram.right + histogram.wrong + histogram.unlabelled
    if not total.sum():
        return "No finite prediction to count."
    sure = histogram.edges[:-1] >= 0.9 - 1e-9
    share = float(total[sure].sum() / total.sum())
    if not (histogram.right.sum() + histogram.wrong.sum()):
        return f"{percent(share)} of the {count(int(total.sum()), 'prediction')} have a confidence of 90% or more."
    wrong = int(histogram.wrong.sum())
    if not wrong:
        return f"No mistake at any confidence; {percent(share)} of the answers have a confidence of 90% or more."
    sure_and_wrong = int(histogram.wrong[sure].sum())
    said = f"{percent(share)} of the answers have a confidence of 90% or more"
    if not sure_and_wrong:
        return f"{said}; none of them is wrong."
    return (
        f"{said}; {share_text(sure_and_wrong, wrong, 'mistake')} {'is' if sure_and_wrong == 1 else 'are'} among them."
    )


def _calibration_chart(view: OutputView, reliability: Reliability) -> Chart:
    """Return how often each stated confidence came true, with its interval."""
    used = np.flatnonzero(reliability.n > 0)
    binary = view.output.task == "binary"
    r = reliability
    x, y, low, high = (Column.pack(values[used]) for values in (r.confidence, r.accuracy, r.low, r.high))
    series = Series("bins", "Bins with 95% interval", x, y, "points", "first", low, high)
    n = int(reliability.n.sum())
    return Chart(
        view.id("calibration"),
        "Calibration",
        Axis("Predicted probability" if binary else "Confidence", low=0.0, high=1.0),
        Axis("Share that is positive" if binary else "Share that is right", low=0.0, high=1.0),
        (series,),
        reading=describe_calibration(reliability, "predicted" if binary else "stated"),
        diagonal=True,
        note=f"{len(used)} of {len(r.n)} bins are in use, on {count(n, 'sample')}; the line is perfect calibration.",
    )


def describe_calibration(reliability: Reliability, verb: str = "stated") -> str:
    """Say in one sentence whether confidence can be trusted: too high, too low, right, or too few samples to tell."""
    n = int(reliability.n.sum())
    if n < FEWEST:
        return f"Only {count(n, 'sample')}: too few to judge calibration (at least {FEWEST} are needed)."
    used = reliability.n > 0
    weight = reliability.n[used] / n
    gap = float((weight * (reliability.confidence[used] - reliability.accuracy[used])).sum())
    ece = f"expected calibration error {number_text(reliability.ece, 3)}, n = {n:,}"
    outside = (reliability.confidence < reliability.low) | (reliability.confidence > reliability.high)
    off, bins_used = int((used & outside).sum()), int(used.sum())
    bins = f"{off} of {count(bins_used, 'used bin')} {'lies' if off == 1 else 'lie'} off the diagonal"
    if off <= chance_limit(bins_used):
        seen = "no bin lies off the diagonal" if not off else f"{bins}, as chance alone may do"
        return f"Confidence can be taken at its word: {seen} ({ece})."
    if gap > 0.02:
        return f"Too sure: the {verb} probability is {percent(gap)} too high on average; {bins} ({ece})."
    if gap < -0.02:
        return f"Not sure enough: the {verb} probability is {percent(-gap)} too low on average; {bins} ({ece})."
    return f"Right on average, but {bins} ({ece})."


def chance_limit(bins: int) -> int:
    """Return how many of `bins` 95% intervals may miss by chance: the 95% point of a binomial with p = 0.05."""
    seen = 0.0
    for k in range(bins + 1):
        seen += math.comb(bins, k) * 0.05**k * 0.95 ** (bins - k)
        if seen >= 0.95:
            return k
    return bins


def _calibration_table(view: OutputView, reliability: Reliability) -> Table:
    """Return the bins behind the calibration chart, each with its n and interval."""
    used = np.flatnonzero(reliability.n > 0).tolist()
    columns = (
        TableColumn("From", "percent", help="Lower edge of the bin"),
        TableColumn("To", "percent", help="Upper edge of the bin"),
        TableColumn("Mean probability", "percent", help="What the model said, on average"),
        TableColumn("Came true", "percent", help="How often it was so"),
        TableColumn("95% interval", help="Wilson interval"),
        TableColumn("Samples", "int", help="Samples in the bin"),
    )
    rows = tuple(
        (
            number(reliability.edges[i]),
            number(reliability.edges[i + 1]),
            number(reliability.confidence[i]),
            number(reliability.accuracy[i]),
            interval_text(number(reliability.low[i]), number(reliability.high[i]), "share"),
            int(reliability.n[i]),
        )
        for i in used
    )
    return Table(view.id("calibration-bins"), "Calibration bins", columns, rows, collapsed_after=5)
