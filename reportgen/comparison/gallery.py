"""The samples that changed sides, as cards: what each report already shows of them, and both answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.comparison.sample_changes import Sides
from reportgen.report.blocks import Fold, Gallery, SampleCard, Table, TableColumn
from reportgen.report.types import Asset, Report
from reportgen.report.values import Number, number
from reportgen.report.words import count, number_text, percent, shorten

MOST_CARDS = 12
MOST_ROWS = 50
COLUMNS = {
    "answer": (
        TableColumn("Sample", help="The user's id, else the first digits of the key made from its content"),
        TableColumn("Truth"),
        TableColumn("Before", help="What the earlier model answered, and how sure it was"),
        TableColumn("Now", help="What this model answers, and how sure it is"),
        TableColumn("Loss before", "number"),
        TableColumn("Loss now", "number"),
    ),
    "loss": (
        TableColumn("Sample", help="The user's id, else the first digits of the key made from its content"),
        TableColumn("Loss before", "number"),
        TableColumn("Loss now", "number"),
        TableColumn("Change", "number"),
    ),
}


@dataclass(frozen=True, slots=True)
class Cards:
    """The cards of one output in both reports, by sample key in hex."""

    before: dict[str, SampleCard]
    now: dict[str, SampleCard]


@dataclass(frozen=True, slots=True)
class Own:
    """Cards of samples that a report does not show but could, and their pictures among others."""

    galleries: tuple[Gallery, ...] = ()
    assets: dict[str, Asset] = field(default_factory=dict)


def cards_of(base: Report, head: Report, own: Own, output: str) -> Cards:
    """Collect the cards that the galleries of two reports show of one output."""
    single = len(base.samples) == 1
    return Cards(
        _cards(_galleries(base), "" if single else output), _cards((*_galleries(head), *own.galleries), output)
    )


def _galleries(report: Report) -> tuple[Gallery, ...]:
    """Return every gallery of a report, those in folds too."""
    blocks = [block for section in report.sections for block in section.blocks]
    flat = [part for block in blocks for part in (block.blocks if isinstance(block, Fold) else (block,))]
    return tuple(part for part in flat if isinstance(part, Gallery))


def _cards(galleries: tuple[Gallery, ...], output: str) -> dict[str, SampleCard]:
    """Return the first card of every sample in the galleries of an output ("": of any)."""
    found: dict[str, SampleCard] = {}
    for gallery in galleries:
        if output in ("", gallery.output):
            for card in gallery.samples:
                found.setdefault(card.key, card)
    return found


def gallery(sides: Sides, rows: NDArray[Any], cards: Cards, id_: str, title: str, reading: str) -> Gallery | None:
    """Return the cards of the first rows that changed sides; None where neither report shows any of them."""
    pairs = (_both(sides, int(row), cards) for row in rows)
    chosen = list(islice((pair for pair in pairs if pair), MOST_CARDS))
    widest = max(map(len, chosen), default=1)
    shown = tuple(card for pair in chosen[: MOST_CARDS // widest] for card in pair)
    if not shown:
        return None
    rule = f"{len({card.key for card in shown}):,} of {len(rows):,}, the largest change of the loss first."
    return Gallery(id_, title, "", rule, shown, reading)


def _both(sides: Sides, row: int, cards: Cards) -> list[SampleCard]:
    """Return a sample's card with both answers; two cards where the answer is a picture that differs."""
    key = f"{int(sides.pairing.keys[row]):016x}"
    before, now = cards.before.get(key), cards.now.get(key)
    if before is not None:  # its row in an earlier batch may be another sample's in this one
        before = replace(before, label=now.label if now is not None else _sample(sides, row))
    if sides.count.by == "answer":
        card = now or before
        return [_with_answers(sides, row, card)] if card is not None else []
    if now is None:
        return []
    was, is_ = (number_text(float(loss[row])) for loss in (sides.pairing.loss_before, sides.pairing.loss_after))
    if before is None or before.image is None or before.image == now.image:
        said = f"{now.prediction}, before: {before.prediction}" if before is not None else now.prediction
        return [replace(now, prediction=f"{said}; loss {was} → {is_}", loss=None)]
    pair = ((before, "before", was), (now, "now", is_))
    return [replace(card, prediction=f"{when}: {card.prediction}; loss {loss}", loss=None) for card, when, loss in pair]


def _with_answers(sides: Sides, row: int, card: SampleCard) -> SampleCard:
    """Return a card that says both answers; right or wrong is that of now."""
    pairing = sides.pairing
    right = pairing.after[row] == pairing.truth[row]
    return replace(
        card,
        truth=_name(sides, pairing.truth[row]),
        prediction=f"{_name(sides, pairing.after[row])}, before: {_name(sides, pairing.before[row])}",
        outcome="right" if right else "wrong",
        confidence=_number(pairing.sure_after[row]),
        loss=_number(pairing.loss_after[row]),
    )


def table(sides: Sides, rows: NDArray[Any], id_: str, title: str, reading: str) -> Table:
    """List the rows that changed sides, at most 50."""
    listed = [int(row) for row in rows[:MOST_ROWS]]
    note = f"The first {MOST_ROWS} of {len(rows):,}." if len(rows) > MOST_ROWS else ""
    by = sides.count.by
    make = _answer_row if by == "answer" else _loss_row
    return Table(id_, title, COLUMNS[by], tuple(make(sides, row) for row in listed), reading, note, collapsed_after=10)


def _answer_row(sides: Sides, row: int) -> tuple[str | Number | None, ...]:
    """Return the cells of one sample with an answer."""
    pairing = sides.pairing
    return (
        _sample(sides, row),
        _name(sides, pairing.truth[row]),
        _answer(sides, pairing.before[row], pairing.sure_before[row]),
        _answer(sides, pairing.after[row], pairing.sure_after[row]),
        _number(pairing.loss_before[row]),
        _number(pairing.loss_after[row]),
    )


def _loss_row(sides: Sides, row: int) -> tuple[str | Number | None, ...]:
    """Return the cells of one sample with a loss alone."""
    before, now = float(sides.pairing.loss_before[row]), float(sides.pairing.loss_after[row])
    return (_sample(sides, row), _number(before), _number(now), _number(now - before))


def _sample(sides: Sides, row: int) -> str:
    """Name one sample."""
    pairing = sides.pairing
    named = pairing.ids[row] if row < len(pairing.ids) else ""
    return shorten(named, 60, keep="end") or f"{int(pairing.keys[row]):016x}"[:8]


def _answer(sides: Sides, index: float, sure: float) -> str:
    """Write an answer and how sure the model was of it."""
    name = _name(sides, index)
    return f"{name} ({percent(float(sure))})" if np.isfinite(sure) else name


def _name(sides: Sides, index: float) -> str:
    """Return the name of a class, else its number."""
    names = sides.pairing.names
    if not np.isfinite(index):
        return "not known"
    return shorten(names[int(index)], 60) if 0 <= index < len(names) else f"class {int(index)}"


def _number(value: float) -> Number:
    """Return a number with six digits."""
    return number(float(f"{float(value):.6g}") if np.isfinite(value) else value, "not known")


def class_table(sides: Sides, id_: str) -> Table | None:
    """Count by true class how many samples changed sides; None for fewer than three classes."""
    pairing = sides.pairing
    if len(pairing.names) < 3:
        return None
    judged = pairing.truth[pairing.judged].astype(np.int64)
    size = max(len(pairing.names), int(judged.max(initial=0)) + 1)
    shared = np.bincount(judged, minlength=size)
    lost, won = (
        np.bincount(pairing.truth[rows].astype(np.int64), minlength=size)
        for rows in (sides.newly_wrong, sides.newly_right)
    )
    moved = np.flatnonzero(lost + won)
    if not moved.size:
        return None
    order = sorted(moved.tolist(), key=lambda index: (won[index] - lost[index], index))
    columns = (
        TableColumn("True class"),
        TableColumn("Shared samples", "int"),
        TableColumn("Newly wrong", "int"),
        TableColumn("Newly right", "int"),
        TableColumn("Difference", "int", help="Right answers gained (or lost) in this class"),
    )
    rows = tuple(
        (_name(sides, index), int(shared[index]), int(lost[index]), int(won[index]), int(won[index] - lost[index]))
        for index in order
    )
    worst = order[0]
    lead = (
        f"Class {_name(sides, worst)} lost the most: {int(lost[worst] - won[worst]):,} fewer right."
        if won[worst] < lost[worst]
        else "No class has fewer right answers than before."
    )
    return Table(
        id_,
        "By class",
        columns,
        rows,
        f"{lead} {count(size - len(order), 'class')} did not change." if len(order) < size else lead,
        collapsed_after=15,
    )
