"""What the training history says: pairs of curves, best epoch, gap, overfitting, whether it still improves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from reportgen.analysis.directions import Direction, choose_direction, is_learning_rate
from reportgen.analysis.evidence import Array, Curve, History
from reportgen.analysis.trend import Trend, Turn, find_turn, judge_trend

VALIDATION = "val_"
# The smallest relative change that counts: losses move by orders of magnitude, scores near 1 by little.
SMALLEST_CHANGE = {"loss": 0.01, "other": 0.003}
SMALLEST_TURN = {"loss": 0.05, "other": 0.01}
UNKNOWN_TREND = Trend("unknown", math.nan, math.nan, 0)


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a curve and its epoch (counted from 1)."""

    epoch: int
    value: float


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """One curve in numbers. The points are over finite values; None when there is no finite value.

    `nan` and `inf` count what was not finite; `first_bad_epoch` is the first such epoch.
    """

    name: str
    points: int
    first: Point | None
    last: Point | None
    low: Point | None
    high: Point | None
    nan: int = 0
    inf: int = 0
    first_bad_epoch: int | None = None


@dataclass(frozen=True, slots=True)
class Overfitting:
    """Validation turned at `onset` (epoch) while training went on improving.

    `rise` is how much worse validation is at the end than at its smoothed best (in the metric's unit, positive).
    """

    onset: int
    rise: float


@dataclass(frozen=True, slots=True)
class PairFacts:
    """One metric: its training and validation curve, either of which may be absent.

    `name` is the metric without "val_". `best` is the best point of the judged curve (validation, else training; the
    earliest of equals). `gap_*` is how much worse validation is than training at that epoch (positive: worse, in the
    metric's unit; NaN when one is absent or not finite there). `trend` is that of the judged curve, `overfitting` needs
    both. `direction_known` is False when it was read from the training curve's course instead of the name.
    """

    name: str
    train: SeriesFacts | None
    validation: SeriesFacts | None
    direction: Direction
    direction_known: bool
    best: Point | None
    gap_best: float
    gap_last: float
    trend: Trend
    train_trend: Trend
    overfitting: Overfitting | None

    @property
    def is_loss(self) -> bool:
        """Return True for the loss, or the loss of one output."""
        return self.name == "loss" or self.name.endswith("_loss")

    @property
    def judged(self) -> SeriesFacts | None:
        """Return the curve that counts: validation, else training."""
        return self.validation or self.train


@dataclass(frozen=True, slots=True)
class CurveFacts:
    """The whole history in numbers.

    `pairs` are in the order of the history, the loss first. `epochs` counts distinct epochs. `best` is on `best_on`:
    val_loss if it is there, else the validation curve of the first metric that has one, else the training loss or first
    metric (`best_is_validation` is False then). `main` is the pair that `best_on` belongs to.
    """

    epochs: int
    first_epoch: int | None
    last_epoch: int | None
    pairs: tuple[PairFacts, ...]
    learning_rates: tuple[SeriesFacts, ...]
    best_on: str
    best: Point | None
    best_is_validation: bool
    main: PairFacts | None
    nan: int
    inf: int
    ragged: tuple[str, ...] = ()

    @property
    def overfitting(self) -> Overfitting | None:
        """Return the main pair's overfitting, if any."""
        return self.main.overfitting if self.main else None

    @property
    def still_improving(self) -> bool | None:
        """Return whether the main curve still improves at the end; None: too short to tell."""
        if self.main is None or self.main.trend.course == "unknown":
            return None
        return self.main.trend.course == "improving"

    def pair(self, name: str) -> PairFacts | None:
        """Return the pair called `name` (without "val_"), or None."""
        return next((pair for pair in self.pairs if pair.name == name), None)


def analyse(history: History) -> CurveFacts:
    """Return the facts of a history; works for no epoch, one epoch, gaps and values up to 1e308."""
    metrics = [curve for curve in history.curves if not is_learning_rate(curve.name)]
    with np.errstate(all="ignore"):
        pairs = tuple(_analyse_pair(name, metrics) for name in pair_names(metrics))
        rates = tuple(describe_series(curve) for curve in history.curves if is_learning_rate(curve.name))
    epochs = sorted({int(epoch) for curve in history.curves for epoch in curve.epochs})
    main = choose_main(pairs)
    series = [one for pair in pairs for one in (pair.train, pair.validation) if one] + list(rates)
    longest = max((one.points for one in series), default=0)
    return CurveFacts(
        epochs=len(epochs),
        first_epoch=epochs[0] if epochs else None,
        last_epoch=epochs[-1] if epochs else None,
        pairs=pairs,
        learning_rates=rates,
        best_on=main.judged.name if main and main.judged else "",
        best=main.best if main else None,
        best_is_validation=bool(main and main.validation),
        main=main,
        nan=sum(one.nan for one in series),
        inf=sum(one.inf for one in series),
        ragged=tuple(one.name for one in series if one.points < longest),
    )


def pair_names(curves: list[Curve]) -> list[str]:
    """Return each metric's name once, without "val_", in the order of the history but the loss first."""
    names = list(dict.fromkeys(curve.name.removeprefix(VALIDATION) for curve in curves))
    return sorted(names, key=lambda name: name != "loss")


def choose_main(pairs: tuple[PairFacts, ...]) -> PairFacts | None:
    """Return the pair that the best epoch is read from; see `CurveFacts`."""
    judged = [pair for pair in pairs if pair.best is not None]
    validated = [pair for pair in judged if pair.validation]
    losses = [pair for pair in judged if pair.name == "loss"]
    both = [pair for pair in losses if pair.validation]
    return next(iter(both or validated or losses or judged), None)


def describe_series(curve: Curve) -> SeriesFacts:
    """Return one curve's first, last, smallest and largest finite values, and what was not finite."""
    values = np.asarray(curve.values, dtype=np.float64)
    bad = ~np.isfinite(values)
    kept = np.flatnonzero(~bad)
    nan = int(np.isnan(values).sum())
    first_bad = int(curve.epochs[np.argmax(bad)]) if bad.any() else None
    if not kept.size:
        return SeriesFacts(curve.name, int(values.size), None, None, None, None, nan, int(bad.sum()) - nan, first_bad)
    low, high = kept[np.argmin(values[kept])], kept[np.argmax(values[kept])]
    first, last, least, most = (Point(int(curve.epochs[i]), float(values[i])) for i in (kept[0], kept[-1], low, high))
    return SeriesFacts(curve.name, int(values.size), first, last, least, most, nan, int(bad.sum()) - nan, first_bad)


def _analyse_pair(name: str, curves: list[Curve]) -> PairFacts:
    """Return the facts of one metric."""
    by_name = {curve.name: curve for curve in curves}
    train, validation = by_name.get(name), by_name.get(VALIDATION + name)
    judged = validation or train
    assert judged is not None
    direction, known = decide_direction(name, train or judged)
    facts = [describe_series(curve) if curve else None for curve in (train, validation)]
    judged_facts = facts[1] or facts[0]
    best = None
    if judged_facts is not None:
        best = judged_facts.high if direction == "higher" else judged_facts.low if direction == "lower" else None
    size = "loss" if name == "loss" or name.endswith("_loss") else "other"
    last = judged_facts.last if judged_facts else None
    return PairFacts(
        name=name,
        train=facts[0],
        validation=facts[1],
        direction=direction,
        direction_known=known,
        best=best,
        gap_best=_gap(train, validation, direction, best),
        gap_last=_gap(train, validation, direction, last),
        trend=_trend(judged, direction, SMALLEST_CHANGE[size]),
        train_trend=_trend(train, direction, SMALLEST_CHANGE[size]) if train else UNKNOWN_TREND,
        overfitting=_overfitting(train, validation, direction, SMALLEST_TURN[size]),
    )


def decide_direction(name: str, curve: Curve) -> tuple[Direction, bool]:
    """Return the way a metric gets better and whether the name says so; else training's own course tells."""
    known = choose_direction(name)
    if known is not None:
        return known, True
    values = curve.values[np.isfinite(curve.values)]
    part = max(1, values.size // 5)
    start, end = (float(np.median(values[:part])), float(np.median(values[-part:]))) if values.size > 1 else (0.0, 0.0)
    if start == end:
        return "neither", False
    return ("higher" if end > start else "lower"), False


def _gap(train: Curve | None, validation: Curve | None, direction: Direction, at: Point | None) -> float:
    """Return how much worse validation is than training at one epoch (positive: worse), NaN if it cannot be told."""
    if train is None or validation is None or at is None or direction == "neither":
        return math.nan
    pair = [curve.values[curve.epochs == at.epoch] for curve in (train, validation)]
    if not all(values.size and np.isfinite(values[-1]) for values in pair):
        return math.nan
    difference = float(pair[1][-1] - pair[0][-1])
    return -difference if direction == "higher" else difference


def _oriented(curve: Curve, direction: Direction) -> tuple[Array, Array]:
    """Return the epochs and values of the finite points, signed so that lower is better."""
    finite = np.isfinite(curve.values)
    sign = -1.0 if direction == "higher" else 1.0
    return curve.epochs[finite], sign * np.asarray(curve.values[finite], dtype=np.float64)


def _trend(curve: Curve, direction: Direction, smallest: float) -> Trend:
    """Return how a curve ended, its slope and change in the metric's own sign."""
    if direction == "neither":
        return UNKNOWN_TREND
    trend = judge_trend(*_oriented(curve, direction), smallest)
    if direction == "lower":
        return trend
    return Trend(trend.course, -trend.slope, -trend.change, trend.window)


def _overfitting(
    train: Curve | None, validation: Curve | None, direction: Direction, smallest: float
) -> Overfitting | None:
    """Return where validation turned, from the epochs at which both curves are finite."""
    if train is None or validation is None or direction == "neither":
        return None
    (epochs_t, t), (epochs_v, v) = _oriented(train, direction), _oriented(validation, direction)
    epochs, at_t, at_v = np.intersect1d(epochs_t, epochs_v, return_indices=True)
    turn: Turn | None = find_turn(t[at_t], v[at_v], smallest) if epochs.size else None
    return Overfitting(int(epochs[turn.onset]), turn.rise) if turn else None


def thin(epochs: Array, values: Array, points: int) -> tuple[Array, Array]:
    """Return at most `points` points of a curve that show its extremes: exact at or under the limit.

    Equal buckets keep their smallest and largest finite value, and one that is not finite (a gap stays a gap); the
    first and last point are kept. Raises ValueError for fewer than 8 points.
    """
    if points < 8:
        raise ValueError("thin needs at least 8 points")
    if len(values) <= points:
        return epochs, values
    finite = np.isfinite(values)
    per_bucket = 2 if finite.all() else 3
    edges = np.linspace(1, len(values) - 1, (points - 2) // per_bucket + 1).astype(np.int64)
    keep = {0, len(values) - 1}
    for start, stop in pairwise(edges):
        inside = np.arange(start, stop)
        kept = inside[finite[start:stop]]
        if kept.size:
            keep.update((int(kept[np.argmin(values[kept])]), int(kept[np.argmax(values[kept])])))
        if kept.size < inside.size:
            keep.add(int(inside[np.argmin(finite[start:stop])]))
    chosen = np.array(sorted(keep))
    return epochs[chosen], values[chosen]
