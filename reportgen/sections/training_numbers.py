"""The numbers of the training section: a short list on top, and every curve's first, last, lowest and highest value."""

from __future__ import annotations

from reportgen.analysis.curves import CurveFacts, PairFacts, SeriesFacts
from reportgen.analysis.evidence import History
from reportgen.report.blocks import CellMark, Fact, Facts, Table, TableColumn
from reportgen.report.values import Missing, Number, number
from reportgen.report.words import count, join_words, number_text
from reportgen.sections.readings import curve_name, say

COLUMNS = (
    TableColumn("Metric"),
    TableColumn("Curve"),
    TableColumn("First", "number", help="At the first epoch recorded"),
    TableColumn("Last", "number", help="At the last epoch with a finite value"),
    TableColumn("Lowest", "number"),
    TableColumn("at epoch", "int"),
    TableColumn("Highest", "number"),
    TableColumn("at epoch", "int"),
    TableColumn("Epochs", "int", help="Epochs for which the history has this curve"),
    TableColumn("Not finite", "int", help="Values that are NaN or infinite"),
    TableColumn("Gap at best", "number", help="How much worse validation is than training, at the metric's best epoch"),
    TableColumn("Gap at end", "number", help="The same at the last epoch"),
)
NO_GAP = "needs both curves at that epoch"


def glance(history: History, facts: CurveFacts) -> Facts:
    """Return the few facts that everyone looks for first."""
    items = [Fact("Epochs", facts.epochs, "int", "Distinct epochs in the history")]
    if facts.best is not None and facts.main is not None:
        items.append(Fact("Best epoch", facts.best.epoch, "int", f"Judged by the {curve_name(facts.main)}"))
        items.append(Fact(f"Best {curve_name(facts.main)}", facts.best.value, "number"))
    if facts.last_epoch is not None:
        items.append(Fact("Last epoch", facts.last_epoch, "int"))
    restored: str | int = history.restored_epoch if history.restored_epoch is not None else "not recorded"
    items.append(
        Fact("Weights restored from epoch", restored, "int" if restored != "not recorded" else "text", RESTORED_HELP)
    )
    if facts.main is not None:
        items.append(Fact("Generalisation gap", _gap_text(facts.main), help=GAP_HELP))
    if history.seams:
        words = [f"{epoch:,}" for epoch in history.seams]
        items.append(Fact("Resumed at epoch", join_words(words, most=6), help="Where a resumed run goes on"))
    return Facts("At a glance", tuple(items))


RESTORED_HELP = (
    "The epoch whose weights were put back at the end of training (EarlyStopping); histories seldom record it"
)
GAP_HELP = "How much worse the metric is on validation than on training data"


def _gap_text(pair: PairFacts) -> str:
    """Write the gap of the main metric at its best and its last epoch."""
    if pair.validation is None or pair.train is None:
        return (
            f"not known: there is no {'validation' if pair.validation is None else 'training'} curve of "
            f"{say(pair.name)}"
        )
    if pair.gap_best != pair.gap_best and pair.gap_last != pair.gap_last:
        return f"not known for {say(pair.name)}"
    best, last = (_worse(number(gap, "not known")) for gap in (pair.gap_best, pair.gap_last))
    return f"{best} at the best epoch, {last} at the end ({say(pair.name)})"


def _worse(gap: Number) -> str:
    """Write one gap: "0.08 worse"."""
    if isinstance(gap, Missing) or gap == 0:
        return "not known" if isinstance(gap, Missing) else "no difference"
    return f"{number_text(abs(gap), 3)} {'worse' if gap > 0 else 'better'}"


def numbers_table(facts: CurveFacts) -> Table:
    """Return one row a curve, the learning rates last."""
    rows: list[tuple[str | Number | None, ...]] = []
    marks: list[CellMark] = []
    for pair in facts.pairs:
        for series, word in ((pair.train, "training"), (pair.validation, "validation")):
            if series is None:
                continue
            judged = word == "validation" and pair.train is not None
            gaps = [number(gap, NO_GAP) for gap in (pair.gap_best, pair.gap_last)] if judged else [None, None]
            marks += _marks(len(rows), series)
            rows.append((say(pair.name), word, *_row(series), *gaps))
    for rate in facts.learning_rates:
        marks += _marks(len(rows), rate)
        rows.append((say(rate.name), "", *_row(rate), None, None))
    lost = facts.nan + facts.inf
    reading = f"{count(len(rows), 'curve')} over {count(facts.epochs, 'epoch')}; "
    reading += f"{count(lost, 'value')} not finite." if lost else "all values are finite numbers."
    return Table("training-numbers", "All curves in numbers", COLUMNS, tuple(rows), reading, marks=tuple(marks))


def _row(series: SeriesFacts) -> tuple[Number, ...]:
    """Return the numbers of one curve."""
    none = Missing("no finite value")
    first, last, low, high = (point or None for point in (series.first, series.last, series.low, series.high))
    return (
        first.value if first else none,
        last.value if last else none,
        low.value if low else none,
        low.epoch if low else none,
        high.value if high else none,
        high.epoch if high else none,
        series.points,
        series.nan + series.inf,
    )


def _marks(row: int, series: SeriesFacts) -> list[CellMark]:
    """Mark the count of values that are not finite."""
    if not series.nan + series.inf:
        return []
    text = f"{series.nan:,} NaN, {series.inf:,} infinite, the first at epoch {series.first_bad_epoch:,}"
    return [CellMark(row, 9, "warn", text)]
