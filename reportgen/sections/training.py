"""The training section: each metric's two curves in one plot, the learning rate, and the numbers behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np

from reportgen.analysis.curves import CurveFacts, PairFacts, SeriesFacts, analyse, thin
from reportgen.analysis.evidence import Array, Artifacts, Curve, History
from reportgen.report.blocks import Axis, Block, Card, Chart, ChartMark, Series, Text
from reportgen.report.types import HistorySeries, Section
from reportgen.report.values import Column
from reportgen.report.words import count, join_words, number_text, shorten
from reportgen.sections.context import Context
from reportgen.sections.readings import curve_name, is_noisy, read_learning_rate, read_pair, say, title
from reportgen.sections.training_numbers import glance, numbers_table

ID = "training"
TITLE = "Training"
DRAWN_POINTS = 1_000
STORED_POINTS = 5_000
CHARTS = 12
SEAMS = 6
DECADES = 2.0


def build(artifacts: Artifacts, context: Context) -> Section:
    """Build the section; without a history, or without an epoch in it, say so."""
    history = artifacts.history
    if history is None:
        return _empty(_why_no_history(artifacts))
    if not any(curve.values.size for curve in history.curves):
        notes = " ".join(history.notes)
        return _empty(
            Card("info", "The history holds no epoch", f"{shorten(history.source, 80)} was read. {notes}".strip())
        )
    facts = analyse(history)
    charts = [_pair_chart(history, facts, pair) for pair in facts.pairs[:CHARTS]]
    charts += [_rate_chart(history, facts, rate) for rate in facts.learning_rates[:2]]
    blocks: list[Block] = [glance(history, facts), *_unique_ids(charts), numbers_table(facts)]
    return Section(ID, TITLE, "shown", _summary(facts), (*blocks, *_notes(history, facts)))


def history_series(history: History | None) -> tuple[HistorySeries, ...]:
    """Return every curve for the Report: exact up to 5,000 points, else reduced to buckets that keep the extremes."""
    series = []
    for curve in history.curves if history else ():
        epochs, values = thin(curve.epochs, curve.values, STORED_POINTS)
        points = int(curve.values.size)
        columns = Column.pack(epochs, "<i8"), Column.pack(np.asarray(values, dtype=np.float64), "<f8")
        series.append(HistorySeries(curve.name, *columns, thinned=len(values) < points, points=points))
    return tuple(series)


def _empty(card: Card) -> Section:
    """Return the section that only says why there is nothing."""
    return Section(ID, TITLE, "empty", card.title, (card,))


def _why_no_history(artifacts: Artifacts) -> Card:
    """Say why there is no history: it could not be read, or none was given."""
    for problem in artifacts.problems:
        if problem.part == "history":
            return Card("error", "The history could not be read", problem.message, problem.fix)
    return Card(
        "info",
        "No training history",
        "The config names no history, so how the training went cannot be shown.",
        "Save it with the CSVLogger callback, or as JSON, and name the file under history: in the configuration.",
    )


def _summary(facts: CurveFacts) -> str:
    """Return one line: how long, and which epoch was best."""
    if facts.best is None:
        return f"{count(facts.epochs, 'epoch')}; no value is a finite number."
    name = curve_name(facts.main) if facts.main else say(facts.best_on)
    return (
        f"{count(facts.epochs, 'epoch')}; {name} was best at epoch {facts.best.epoch:,}, at "
        f"{number_text(facts.best.value)}."
    )


def _pair_chart(history: History, facts: CurveFacts, pair: PairFacts) -> Chart:
    """Draw one metric: training dashed, validation solid, with its epochs worth a mark."""
    train, validation = history.curve(pair.name), history.curve(f"val_{pair.name}")
    series, notes = [], []
    for curve, role, word in ((train, "train", "training"), (validation, "validation", "validation")):
        if curve is None:
            continue
        one, note = _series(curve, word, "train" if role == "train" else "validation")
        series.append(one)
        notes += [note] if note else []
    judged = validation or train
    noisy = judged is not None and is_noisy(judged.values)
    curves = [curve.values for curve in (train, validation) if curve is not None]
    return Chart(
        f"curve-{_slug(pair.name)}",
        title(pair.name),
        _epoch_axis(facts),
        Axis(say(pair.name), _scale(curves) if pair.is_loss else "linear"),
        tuple(series),
        read_pair(pair, facts.epochs, noisy=noisy),
        _marks(history, facts, pair),
        note=" ".join(notes),
    )


def _rate_chart(history: History, facts: CurveFacts, rate: SeriesFacts) -> Chart:
    """Draw the learning rate, on a log scale when it spans decades."""
    curve = history.curve(rate.name)
    assert curve is not None
    series, note = _series(curve, "learning rate", "first")
    return Chart(
        f"curve-{_slug(rate.name)}",
        title(rate.name),
        _epoch_axis(facts),
        Axis("learning rate", _scale([curve.values], decades=1.0)),
        (series,),
        read_learning_rate(rate),
        _seam_marks(history),
        note=note,
    )


def _series(curve: Curve, name: str, role: str) -> tuple[Series, str]:
    """Return one drawn curve, thinned to 1,000 points, and the sentence that says so."""
    epochs, values = thin(curve.epochs, curve.values, DRAWN_POINTS)
    points, shown = int(curve.values.size), len(values)
    drawn = Series(
        id=curve.name,
        name=name,
        x=Column.pack(epochs, "<i8"),
        y=Column.pack(np.asarray(values, dtype=np.float64), "<f8"),
        shape="points" if shown == 1 else "line",
        role="train" if role == "train" else "validation" if role == "validation" else "first",
    )
    if shown == points:
        return drawn, ""
    return drawn, f"Of {points:,} {name} points, {shown:,} are drawn: the smallest and largest of each stretch."


def _epoch_axis(facts: CurveFacts) -> Axis:
    """Return the x axis, with room around a single epoch."""
    if facts.epochs == 1 and facts.first_epoch is not None:
        return Axis("epoch", low=facts.first_epoch - 1.0, high=facts.first_epoch + 1.0, integer=True)
    return Axis("epoch", integer=True)


def _scale(curves: Iterable[Array], decades: float = DECADES) -> Literal["linear", "log"]:
    """Return "log" when all finite values are positive and span at least so many decades, else "linear"."""
    known = np.concatenate([values[np.isfinite(values)] for values in curves] or [np.empty(0)])
    if not known.size or known.min() <= 0:
        return "linear"
    return "log" if np.log10(known.max()) - np.log10(known.min()) >= decades else "linear"


def _marks(history: History, facts: CurveFacts, pair: PairFacts) -> tuple[ChartMark, ...]:
    """Mark the best, last and restored epoch (one mark where they coincide) and where a run was resumed."""
    named: dict[int, list[str]] = {}
    if pair.best is not None:
        named.setdefault(pair.best.epoch, []).append("best")
    if history.restored_epoch is not None:
        named.setdefault(history.restored_epoch, []).append("restored")
    if facts.last_epoch is not None and facts.epochs > 1:
        named.setdefault(facts.last_epoch, []).append("last")
    marks = [
        ChartMark(f"{join_words(words)}: epoch {epoch:,}", x=float(epoch)) for epoch, words in sorted(named.items())
    ]
    return (*marks, *_seam_marks(history))


def _seam_marks(history: History) -> tuple[ChartMark, ...]:
    """Mark where a resumed run goes on, at most six of them."""
    return tuple(ChartMark("resumed", x=float(epoch)) for epoch in history.seams[:SEAMS])


def _notes(history: History, facts: CurveFacts) -> list[Block]:
    """Say what was skipped, repaired, left out or never recorded."""
    notes = [*history.notes]
    if facts.nan or facts.inf:
        kinds = join_words([f"{n:,} {kind}" for n, kind in ((facts.nan, "NaN"), (facts.inf, "infinite")) if n])
        notes.append(f"Values that are not finite numbers: {kinds}. The curves have gaps there.")
    if facts.ragged:
        names = join_words([shorten(name, 40) for name in facts.ragged], most=5)
        notes.append(f"Shorter than the others: {names}.")
    if len(facts.pairs) > CHARTS:
        notes.append(f"The first {CHARTS} of {len(facts.pairs):,} metrics are drawn; the table has all.")
    if len(history.seams) > SEAMS:
        notes.append(f"The run was resumed {len(history.seams):,} times; the first {SEAMS} are marked.")
    return [Text(note) for note in notes]


def _slug(name: str) -> str:
    """Return a metric's name as an id: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "metric"


def _unique_ids(charts: list[Chart]) -> list[Chart]:
    """Return the charts, those whose id is taken under a numbered one."""
    seen: dict[str, int] = {}
    unique = []
    for chart in charts:
        seen[chart.id] = seen.get(chart.id, 0) + 1
        unique.append(chart if seen[chart.id] == 1 else replace(chart, id=f"{chart.id}-{seen[chart.id]}"))
    return unique
