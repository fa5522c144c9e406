"""Comparison -> the section "What changed": metrics, samples, findings, training, layers, and what was run on what."""

from __future__ import annotations

from reportgen.comparison import gallery as cards
from reportgen.comparison.curves import overlay
from reportgen.comparison.differences import Comparison, FindingChange
from reportgen.comparison.first_screen import structure_note
from reportgen.comparison.sample_changes import Sides
from reportgen.comparison.structure import NumberChange, Structure
from reportgen.comparison.wording import PLACES, chance_words, interval, sample_words, signed
from reportgen.report.blocks import Block, CellMark, Level, Table, TableColumn, Text
from reportgen.report.changes import Changes, MetricChange
from reportgen.report.types import Report, Section
from reportgen.report.words import count, join_words, lower, number_text, shorten, value_text

ID = "changes"
TITLE = "What changed"
MOST_OUTPUTS = 6
MOST_NUMBERS = 30
MOST_ROWS = 300  # of findings, layers, versions: a stranger's report may hold any number
MARKS: dict[str, Level] = {"better": "good", "worse": "warn"}
OUTCOMES = {
    "failed": "error",
    "warned": "warning",
    "passed": "passed",
    "not_applicable": "not applicable",
    "error": "could not be checked",
    "off": "switched off",
    "": "not run",
}


def build(comparison: Comparison, changes: Changes, base: Report, head: Report, own: cards.Own) -> Section:
    """Build the section; `own` are further cards of `head`."""
    blocks: list[Block] = [Text(f"Compared with {changes.base}.")]
    blocks += [_metric_table(comparison.metrics)] if comparison.metrics else []
    moved = [sides for sides in comparison.sides if len(sides.newly_wrong) or len(sides.newly_right)]
    for place, sides in enumerate(moved[:MOST_OUTPUTS]):
        of = shorten(sides.pairing.output, 40) if len(comparison.sides) > 1 else ""
        shown = cards.cards_of(base, head, own, sides.pairing.output)
        blocks += _sample_blocks(sides, shown, f"changes-{place + 1}" if len(moved) > 1 else "changes", of)
    if len(moved) > MOST_OUTPUTS:
        blocks.append(
            Text(f"Samples of {count(len(moved) - MOST_OUTPUTS, 'more output')} changed sides; not listed here.")
        )
    blocks += [_finding_table(comparison.findings)] if comparison.findings else []
    chart = None if comparison.other_tasks else overlay(base, head)  # the losses of two tasks do not compare
    blocks += [chart] if chart is not None else []
    blocks += _structure_blocks(comparison.structure)
    blocks.append(_origin_table(comparison))
    return Section(ID, TITLE, "shown", changes.sentence, tuple(blocks))


def _metric_table(metrics: tuple[MetricChange, ...]) -> Table:
    """Return every metric before and now, with those marked that moved beyond chance."""
    several = len({change.output for change in metrics}) > 1
    columns = (
        *((TableColumn("Output"),) if several else ()),
        TableColumn("Metric"),
        TableColumn("Before"),
        TableColumn("Now"),
        TableColumn("Difference", help="Now less before, on the samples of the next columns"),
        TableColumn("95% interval", help="Where the difference would lie for other samples of the same kind"),
        TableColumn("Samples", "int"),
        TableColumn("Means", help="Better or worse only where the whole interval lies on one side of 0"),
        TableColumn(
            "Interval by",
            help="Paired: sample by sample, on what both reports hold. Unpaired: from the intervals of both, as if "
            "each had samples of its own, which is wider than it need be on the same ones. A bootstrap draws 1,000 "
            "sets of samples (fewer in a large table), seed 0",
        ),
    )
    rows = tuple((*((shorten(change.output, 40),) if several else ()), *_metric_row(change)) for change in metrics)
    column = 6 + several
    marks = tuple(
        CellMark(row, column, MARKS[change.place], f"{PLACES[change.place].lower()} than before, beyond chance")
        for row, change in enumerate(metrics)
        if change.place in MARKS
    )
    note = (
        "Each interval is at 95% on its own: of twenty metrics that did not change, one would be expected to look as "
        "if it had."
    )
    return Table(
        "changes-metrics",
        "Metrics, before and now",
        columns,
        rows,
        _metric_reading(metrics),
        note,
        marks=marks,
        collapsed_after=15,
    )


def _metric_row(change: MetricChange) -> tuple[str | int, ...]:
    """Return the cells of one metric."""
    return (
        change.label,
        value_text(change.before, change.unit),
        value_text(change.now, change.unit),
        signed(change.difference, change.unit),
        interval(change),
        change.n,
        PLACES[change.place],
        change.method,
    )


def _metric_reading(metrics: tuple[MetricChange, ...]) -> str:
    """Count what got better and worse, and say what the samples can show."""
    names = {place: [change.label for change in metrics if change.place == place] for place in PLACES}
    said = [
        f"{len(names[place]):,} {PLACES[place].lower()} ({join_words(names[place], most=3)})"
        for place in ("worse", "better")
        if names[place]
    ]
    lead = (
        f"Of {count(len(metrics), 'metric')} beyond chance: {join_words(said)}."
        if said
        else (f"None of {count(len(metrics), 'metric')} differs beyond chance.")
    )
    return f"{lead} {_power(metrics)}".strip()


def _power(metrics: tuple[MetricChange, ...]) -> str:
    """Say how small a difference of the first metric these samples can show: half the width of its interval."""
    first = next(
        (
            change
            for change in metrics
            if change.paired and isinstance(change.low, float) and isinstance(change.high, float)
        ),
        None,
    )
    if first is None or first.place == "same":
        return ""
    half = (float(first.high) - float(first.low)) / 2  # type: ignore[arg-type]
    size = signed(half, first.unit).lstrip("+")
    return (
        f"On these samples a difference of less than about {size} in {lower(first.label)} cannot be told from chance."
    )


def _sample_blocks(sides: Sides, shown: cards.Cards, prefix: str, of: str) -> list[Block]:
    """Return the samples of one output that changed sides: cards and lists, the bad news first."""
    answer = sides.count.by == "answer"
    words = ("Newly wrong", "Newly right") if answer else ("Loss grew most", "Loss fell most")
    reading = f"{sample_words(sides.count)}. {chance_words(sides.count)}".strip()
    reading = reading[:1].upper() + reading[1:]
    still = f" {count(sides.count.still_wrong, 'sample')} wrong in both." if answer else ""
    blocks: list[Block] = []
    for name, rows, said in ((words[0], sides.newly_wrong, reading + still), (words[1], sides.newly_right, "")):
        if not len(rows):
            continue
        title = f"{name}, {of}" if of else name
        key = f"{prefix}-{name.split()[1]}"
        said = said or f"{count(len(rows), 'sample')} {'that were wrong' if answer else 'with a larger loss'} before."
        pictures = cards.gallery(sides, rows, shown, key, title, said)
        listed = cards.table(sides, rows, f"{key}-list", f"{title}: list", "" if pictures else said)
        blocks += [pictures, listed] if pictures is not None else [listed]
    if not len(sides.newly_wrong):
        blocks.insert(0, Text(reading + still))
    by_class = cards.class_table(sides, f"{prefix}-classes") if answer else None
    return [*blocks, by_class] if by_class is not None else blocks


def _finding_table(findings: tuple[FindingChange, ...]) -> Table:
    """Return what the checks found before and now."""
    columns = (
        TableColumn("Finding"),
        TableColumn("Check", "code"),
        TableColumn("Before"),
        TableColumn("Now"),
        TableColumn("Change"),
    )
    rows = tuple(
        (
            shorten(f.title, 120),
            shorten(f.code, 60),
            OUTCOMES.get(f.before, f.before),
            OUTCOMES.get(f.now, f.now),
            f.kind,
        )
        for f in findings[:MOST_ROWS]
    )
    kinds = [(kind, sum(f.kind == kind for f in findings)) for kind in ("new", "gone", "still there")]
    reading = f"{join_words([f'{n:,} {kind}' for kind, n in kinds if n])}."
    marks = tuple(
        CellMark(row, 4, "warn" if f.kind == "new" else "good", f.kind)
        for row, f in enumerate(findings[:MOST_ROWS])
        if f.kind != "still there"
    )
    return Table(
        "changes-findings", "Findings, before and now", columns, rows, reading, marks=marks, collapsed_after=15
    )


def _structure_blocks(structure: Structure) -> list[Block]:
    """Return what differs in the layers, and in their numbers."""
    if not structure.known:
        return [Text("The layers cannot be compared: one of the two reports lists none.")]
    first = (
        _layer_table(structure)
        if structure.layers
        else Text(f"Same architecture: {count(structure.compared, 'layer')}, {structure.parameters[1]:,} parameters.")
    )
    return [first, _number_table(structure.numbers)] if structure.numbers else [first]


def _layer_table(structure: Structure) -> Table:
    """Return the layers that are new, gone or changed."""
    columns = (TableColumn("Layer"), TableColumn("Change"), TableColumn("Before"), TableColumn("Now"))
    listed = structure.layers[:MOST_ROWS]
    rows = tuple((shorten(c.layer, 60), c.kind, shorten(c.before, 200), shorten(c.now, 200)) for c in listed)
    note = f"The first {MOST_ROWS} of {len(structure.layers):,}." if len(structure.layers) > MOST_ROWS else ""
    reading = f"{structure_note(structure)}; {count(structure.compared, 'layer')} in both."
    return Table("changes-layers", "Layers that differ", columns, rows, reading, note, collapsed_after=15)


def _number_table(numbers: tuple[NumberChange, ...]) -> Table:
    """Return the numbers of layers that moved, the largest ratio first."""
    columns = (
        TableColumn("Layer"),
        TableColumn("Number"),
        TableColumn("Before", "number"),
        TableColumn("Now", "number"),
        TableColumn("Now / before"),
    )
    listed = numbers[:MOST_NUMBERS]
    rows = tuple((shorten(c.layer, 60), c.what, c.before, c.now, _ratio(c.ratio)) for c in listed)
    note = f"The first {MOST_NUMBERS} of {len(numbers):,}." if len(numbers) > MOST_NUMBERS else ""
    first = listed[0]
    moved = f"{number_text(first.before)} → {number_text(first.now)}"
    reading = f"{first.what} of {shorten(first.layer, 60)} changed most: {moved}."
    title = "Layers whose numbers moved"
    return Table("changes-numbers", title, columns, rows, reading, note, collapsed_after=10)


def _ratio(ratio: float) -> str:
    """Write how many times as large a number is."""
    return "from 0" if ratio == float("inf") else "to 0" if ratio == 0 else f"× {number_text(ratio, 3)}"


def _origin_table(comparison: Comparison) -> Table:
    """Return what both reports were made from: all files, and packages whose version differs."""
    files = [origin for origin in comparison.origins if origin.before or origin.now]
    kept = [
        o
        for o in files
        if o.same is not True or o.what in ("Model", "Test batch", "History", "Configuration", "Commit")
    ][:MOST_ROWS]
    words = {True: "same", False: "differs", None: "not known"}
    columns = (TableColumn("What"), TableColumn("Before", "code"), TableColumn("Now", "code"), TableColumn("Compared"))
    rows = tuple((shorten(o.what, 60), shorten(o.before, 60), shorten(o.now, 60), words[o.same]) for o in kept)
    other = [o.what for o in kept if o.same is False]
    reading = f"Other than before: {join_words(other, most=5)}." if other else "Nothing is known to differ."
    return Table("changes-origins", "Made from", columns, rows, reading, "Files are compared by their SHA-256.")
