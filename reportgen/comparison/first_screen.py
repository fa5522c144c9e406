"""Comparison -> Changes: one sentence on what changed, and what else a reviewer must know, in a few words each."""

from __future__ import annotations

from reportgen.comparison.differences import Comparison
from reportgen.comparison.structure import Structure
from reportgen.comparison.wording import PLACES, base_words, metric_words, sample_words, signed
from reportgen.report.changes import Changes, Level, MetricChange
from reportgen.report.types import Report
from reportgen.report.words import count, join_words, lower, shorten

MOST_SAID = 3
STARTS: dict[Level, str] = {
    "better": "Better than before",
    "worse": "Worse than before",
    "mixed": "Better in one output, worse in another",
    "unclear": "No difference beyond chance",
    "same": "The same as before",
    "unknown": "Not comparable",
}
# Where only the metric that stands for an output did not move.
BUT_OTHERS: dict[Level, str] = {
    "unclear": "No difference beyond chance in the first metric, but in others",
    "same": "The same in the first metric, but not in others",
}


def make_changes(comparison: Comparison, base: Report, head: Report) -> Changes:
    """Return what the first screen says."""
    first = _first(comparison.metrics)
    level = _level(first)
    return Changes(
        base=base_words(base, head),
        level=level,
        sentence=_sentence(level, first, comparison),
        metrics=tuple(change for change in comparison.metrics if change.headline) or comparison.metrics[:MOST_SAID],
        samples=tuple(sides.count for sides in comparison.sides),
        notes=tuple(note for note in _notes(comparison, first) if note),
    )


def _first(metrics: tuple[MetricChange, ...]) -> list[MetricChange]:
    """Return the first headline metric of each output, else its first metric: the one that stands for it."""
    chosen: dict[str, MetricChange] = {}
    for change in sorted(metrics, key=lambda change: not change.headline):
        if change.better != "neither":
            chosen.setdefault(change.output, change)
    order = {change.output: index for index, change in reversed(list(enumerate(metrics)))}
    return sorted(chosen.values(), key=lambda change: order[change.output])


def _level(first: list[MetricChange]) -> Level:
    """Return how the whole is to be taken."""
    places = {change.place for change in first}
    if not places:
        return "unknown"
    if {"better", "worse"} <= places:
        return "mixed"
    for level in ("worse", "better", "unclear"):
        if level in places:
            return level
    return "same"


def _sentence(level: Level, first: list[MetricChange], comparison: Comparison) -> str:
    """Say what changed in the metric that stands for each output, and how many samples changed sides."""
    if not first:
        why = (
            "the model does another task now" if comparison.other_tasks else "the two reports have no metric in common"
        )
        return f"{STARTS[level]}: {why}."
    order = ("worse", "better", "unclear", "changed", "same")
    told = sorted(first, key=lambda change: order.index(change.place))
    start = STARTS[level]
    if level in ("same", "unclear") and _other_metrics(comparison.metrics, first):
        start = BUT_OTHERS[level]
    said = "; ".join(lower(metric_words(change, several=len(first) > 1)) for change in told[:MOST_SAID])
    more = f"; {count(len(told) - MOST_SAID, 'more output')} below" if len(told) > MOST_SAID else ""
    sides = [one.count for one in comparison.sides if one.count.shared]
    moved = f". {_capital(sample_words(sides[0]))}" if len(sides) == 1 else ""
    return f"{start}: {said}{more}{moved}."


def _capital(text: str) -> str:
    """Write the first letter large."""
    return text[:1].upper() + text[1:]


def _notes(comparison: Comparison, first: list[MetricChange]) -> list[str]:
    """Return short statements on what else differs, the most important first."""
    return [
        *_sample_notes(comparison),
        _other_metrics(comparison.metrics, first),
        _finding_note(comparison, "new", "new finding"),
        _finding_note(comparison, "gone", "finding is gone", "findings are gone"),
        structure_note(comparison.structure),
        _origin_note(comparison),
    ]


def _sample_notes(comparison: Comparison) -> list[str]:
    """Say where the two test sets are not the same."""
    notes = [
        f"The output {shorten(output, 40)} does another task: {before} before, {now} now"
        for output, before, now in comparison.other_tasks[:MOST_SAID]
    ]
    for sides in comparison.sides[:MOST_SAID]:
        pairing = sides.pairing
        of = f" of {shorten(pairing.output, 40)}" if len(comparison.sides) > 1 else ""
        shared = len(pairing.keys)
        if not shared:
            notes.append(f"The test batches{of} have no sample in common: differences may come from the samples")
        elif not pairing.whole:
            notes.append(
                f"{count(shared, 'sample')}{of} could be matched, of {pairing.n_before:,} before and "
                f"{pairing.n_after:,} now"
            )
        if pairing.other_content:
            notes.append(
                f"{count(pairing.other_content, 'sample')}{of} with the id of before and another content: "
                "a matching id counts as the same sample"
            )
        if pairing.renamed:
            notes.append(f"No class{of} has the name that it had before: labels and answers cannot be matched")
        elif sides.count.labels_changed:
            notes.append(f"{count(sides.count.labels_changed, 'sample')}{of} with another label than before")
    return notes


def _other_metrics(metrics: tuple[MetricChange, ...], first: list[MetricChange]) -> str:
    """Name other headline metrics that moved beyond chance; any paired one where the first of its output is not."""
    unpaired = {change.output for change in first if not change.paired}
    moved = [
        change
        for change in metrics
        if (change.headline or (change.paired and change.output in unpaired))
        and change not in first
        and change.place in ("better", "worse")
    ]
    several = len({change.output for change in metrics}) > 1
    said = [
        f"{lower(change.label)}{f' of {shorten(change.output, 40)}' if several else ''} "
        f"{PLACES[change.place].lower()} ({signed(change.difference, change.unit)})"
        for change in moved
    ]
    return f"Beyond chance: {join_words(said, most=MOST_SAID)}" if said else ""


def _finding_note(comparison: Comparison, kind: str, one: str, many: str = "") -> str:
    """Count the findings of one kind and name the first."""
    titles = [shorten(change.title, 60) for change in comparison.findings if change.kind == kind]
    return f"{count(len(titles), one, many)}: {join_words(titles, most=2)}" if titles else ""


def structure_note(structure: Structure) -> str:
    """Say what differs in the architecture."""
    if not structure.known:
        return ""
    kinds = [
        (kind, sum(change.kind == kind for change in structure.layers)) for kind in ("added", "removed", "changed")
    ]
    said = [f"{count(n, 'layer')} {kind}" for kind, n in kinds if n]
    before, now = structure.parameters
    size = f"; {before:,} → {now:,} parameters" if before != now else ""
    return f"{join_words(said)}{size}" if said else "Same architecture"


def _origin_note(comparison: Comparison) -> str:
    """Say whether it is the very same model or batch, and which packages have other versions."""
    same = {origin.what: origin.same for origin in comparison.origins}
    if same.get("Model") and same.get("Test batch"):
        return "Model file and test batch are the same files as before"
    if same.get("Model"):
        return "The model file is the same as before"
    return "" if same.get("Test batch") is not False else "The test batch is another file"
