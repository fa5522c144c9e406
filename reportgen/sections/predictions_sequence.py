"""Outputs that give a token or class to every step: texts with predictions, accuracy by step and by length."""

from __future__ import annotations

from functools import partial

import numpy as np

from reportgen.analysis.evidence import Array
from reportgen.analysis.metrics.classes import PerClass
from reportgen.analysis.metrics.sequence import ByLength, ByStep, score_steps, step_labels
from reportgen.analysis.metrics.value import SampleScores
from reportgen.report.blocks import Axis, Chart, FlatBlock, Series, Table, TableColumn
from reportgen.report.values import Column, number
from reportgen.sections.output_view import OutputView
from reportgen.sections.predictions_calibration import no_probabilities
from reportgen.sections.predictions_classes import class_table
from reportgen.sections.predictions_gallery import Outcome, Said, Style, describe_losses, gallery_blocks
from reportgen.sections.words import count, percent, share_text

SHOWN_STEPS = 40
MOST_TOKENS_LISTED = 200
MOST_PAIRS = 15


def build_sequence(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return what is particular to sequences."""
    blocks: list[FlatBlock] = list(
        gallery_blocks(view, say_steps, Style(describe=partial(describe_losses, name="loss a step")))
    )
    if view.labelled:
        steps: ByStep = view.accumulator.by_step()
        if len(steps.n) > 1:
            blocks.append(_step_chart(view, steps))
        blocks.append(_length_table(view, view.accumulator.by_length()))
        blocks += _pairs_table(view)
        per_class: PerClass = view.accumulator.per_class()
        if len(per_class.f1) <= MOST_TOKENS_LISTED:
            blocks.append(class_table(view, per_class))
    if not view.probabilistic:
        blocks.append(no_probabilities())
    return tuple(blocks)


def say_steps(view: OutputView, scores: SampleScores, row: int) -> Said:
    """Say the true and the answered tokens of one sequence; steps that do not count are left out."""
    kept = view.kept
    if kept is None:
        raise ValueError("no sample was kept")
    values = np.asarray(kept.predictions[view.output.name][row : row + 1])
    if view.kept_truth is None:
        _, answer, _, _ = score_steps(np.zeros(values.shape[:2], np.int64), values, view.output.scores)
        return Said("no label", tokens_text(view, answer[0]), "unknown")
    truth, known = step_labels(view.kept_truth[row : row + 1], values.shape)
    _, answer, _, _ = score_steps(truth, values, view.output.scores)
    if not known.any():
        return Said("no label", tokens_text(view, answer[0]), "unknown")
    said, true = answer[0][known[0]], truth[0][known[0]]
    wrong = int((said != true).sum())
    outcome: Outcome = "wrong" if wrong else "right"
    details: tuple[tuple[str, str], ...] = (("wrong", share_text(wrong, int(known.sum()), "step")),)
    if wrong:
        first = int(np.flatnonzero(said != true)[0])
        name = f"{view.class_name(int(true[first]))} called {view.class_name(int(said[first]))}"
        details = (*details, (f"first at step {first + 1}", name))
    return Said(tokens_text(view, true), tokens_text(view, said), outcome, details)


def tokens_text(view: OutputView, tokens: Array) -> str:
    """Write up to 40 tokens by name, or by number where they have none."""
    named = bool(view.output.class_names)
    shown = [view.class_name(int(token)) if named else str(int(token)) for token in tokens[:SHOWN_STEPS]]
    more = f" … {len(tokens) - SHOWN_STEPS:,} more" if len(tokens) > SHOWN_STEPS else ""
    return " ".join(shown) + more


def _step_chart(view: OutputView, steps: ByStep) -> Chart:
    """Return the accuracy at each position of the sequence with its interval."""
    used = np.flatnonzero(steps.n > 0)
    x = Column.pack(used + 1, "<i4")
    y, low, high = (Column.pack(values[used]) for values in (steps.accuracy, steps.low, steps.high))
    return Chart(
        view.id("by-step"),
        "Accuracy along the sequence",
        Axis("Step", integer=True),
        Axis("Share of right answers", low=0.0, high=1.0),
        (Series("accuracy", "Accuracy with 95% interval", x, y, "line", "first", low, high),),
        reading=describe_steps(steps),
        note="Past 1,024 steps the last point stands for all further ones." if len(steps.n) >= 1024 else "",
    )


def describe_steps(steps: ByStep) -> str:
    """Say in one sentence whether answers get better or worse from the first third of steps to the last."""
    used = np.flatnonzero(steps.n > 0)
    third = max(len(used) // 3, 1)
    if len(used) < 3:
        return "Too few steps to speak of a trend."
    sizes = [int(steps.n[part].sum()) for part in (used[:third], used[-third:])]
    first, last = float(steps.right[used[:third]].sum()) / sizes[0], float(steps.right[used[-third:]].sum()) / sizes[1]
    ends = f"{percent(first)} in the first third, {percent(last)} in the last"
    noise = 2 * (first * (1 - first) / sizes[0] + last * (1 - last) / sizes[1]) ** 0.5
    if last - first > max(noise, 0.02):
        return f"Answers get better along the sequence: {ends}."
    if first - last > max(noise, 0.02):
        return f"Answers get worse along the sequence: {ends}."
    return f"Answers are about as good everywhere: {ends}."


def _length_table(view: OutputView, lengths: ByLength) -> Table:
    """Return accuracy by the length of the sequence."""
    columns = (
        TableColumn("Labelled steps", help="Length of the sequences in this row"),
        TableColumn("Accuracy", "percent", help="Share of steps answered rightly"),
        TableColumn("Sequences", "int", help="How many sequences are this long"),
        TableColumn("Steps", "int", help="How many labelled steps they hold"),
    )
    rows = tuple(
        (
            f"{int(low)}" if low == high else f"{int(low):,} to {int(high):,}",
            number(float(accuracy)),
            int(sequences),
            int(steps),
        )
        for low, high, accuracy, sequences, steps in zip(
            lengths.low, lengths.high, lengths.accuracy, lengths.sequences, lengths.steps, strict=True
        )
    )
    return Table(view.id("by-length"), "Accuracy by length", columns, rows, reading=describe_lengths(lengths))


def describe_lengths(lengths: ByLength) -> str:
    """Say in one sentence whether long sequences fare worse than short ones."""
    if len(lengths.accuracy) < 2:
        return f"All {count(int(lengths.sequences.sum()), 'sequence')} are of about one length."
    short, long = float(lengths.accuracy[0]), float(lengths.accuracy[-1])
    ends = f"{percent(short)} of steps right in the shortest, {percent(long)} in the longest"
    if short - long > 0.05:
        return f"Long sequences fare worse: {ends}."
    if long - short > 0.05:
        return f"Long sequences fare better: {ends}."
    return f"Length makes little difference: {ends}."


def _pairs_table(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return the most confused tokens."""
    pairs = view.accumulator.confused_pairs(MOST_PAIRS)
    if not pairs:
        return ()
    rows = tuple((view.class_name(p.truth), view.class_name(p.prediction), p.count, p.share) for p in pairs)
    return (
        Table(
            view.id("pairs"),
            "Most confused tokens",
            (
                TableColumn("Label", help="Token in the labels"),
                TableColumn("Predicted", help="Token the model chose instead"),
                TableColumn("Steps", "int", help="How often this happened"),
                TableColumn("Share of the token", "percent", help="Of all steps with this label"),
            ),
            rows,
            reading=f"Most often {rows[0][0]} is called {rows[0][1]}: {count(pairs[0].count, 'step')}.",
            collapsed_after=10,
        ),
    )
