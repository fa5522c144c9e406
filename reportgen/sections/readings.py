"""One sentence under each training plot: what a tired reader should take from the curve. Pure functions."""

from __future__ import annotations

import math

import numpy as np

from reportgen.analysis.curves import PairFacts, Point, SeriesFacts
from reportgen.analysis.evidence import Array
from reportgen.analysis.trend import estimate_noise
from reportgen.report.words import count, number_text, percent, shorten

ABBREVIATIONS = {
    word: word.upper() for word in ("mae", "mse", "rmse", "msle", "mape", "auc", "lr", "f1", "psnr", "ssim")
} | {"iou": "IoU"}
NOISY = 0.15
# As in the check still-improving: an even decline brings 20% of the whole improvement in the last fifth.
MUCH = 0.1
FLAT = 0.01


def is_noisy(values: Array) -> bool:
    """Tell whether a curve's epoch-to-epoch noise is at least 15% of its whole range (10 finite values or more)."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if known.size < 10:
        return False
    scale = float(np.abs(known).max()) or 1.0
    known = known / scale
    reach = float(known.max() - known.min())
    return reach > 0 and estimate_noise(known) >= NOISY * reach


def read_pair(pair: PairFacts, epochs: int, *, noisy: bool = False) -> str:
    """Return the sentence under one metric's plot.

    `epochs` counts the distinct epochs of the history; `noisy` says that the judged curve jumps (see `is_noisy`).
    """
    judged = pair.judged
    if judged is None or judged.first is None or judged.last is None:
        return (
            f"No value of {say(pair.name)} is a finite number, over {count(epochs, 'epoch')}: there is nothing to read."
        )
    main = _main_clause(pair, judged, epochs, noisy)
    return f"{_capital(main)}{_company(pair)}{_gaps(pair)}."


def _main_clause(pair: PairFacts, judged: SeriesFacts, epochs: int, noisy: bool) -> str:
    """Choose what matters most about a curve and say it."""
    name = curve_name(pair)
    first, last = judged.first, judged.last
    assert first is not None and last is not None
    if epochs == 1 or judged.points == 1:
        return f"only one epoch was recorded, with {name} at {number_text(last.value)}: there is no course to read"
    broken = _broken_tail(pair)
    if broken:
        return broken
    if pair.direction == "neither" or pair.best is None:
        return (
            f"{name} went from {number_text(first.value)} to {number_text(last.value)} over {count(epochs, 'epoch')}; "
            "which way is better is not known from its name"
        )
    if pair.overfitting is not None:
        return (
            f"{name} was best around epoch {pair.overfitting.onset:,} and ended "
            f"{number_text(pair.overfitting.rise, 3)} worse "
            "while training went on improving: from there on the model was overfitted"
        )
    return _course(pair, name, first, last, epochs, noisy)


def _course(pair: PairFacts, name: str, first: Point, last: Point, epochs: int, noisy: bool) -> str:
    """Say how an ordinary curve ran and how it ended."""
    best = pair.best
    assert best is not None
    went = f"{name} went from {number_text(first.value)} to {number_text(last.value)} over {count(epochs, 'epoch')}"
    at_best = f"best at epoch {best.epoch:,} ({number_text(best.value)})"
    if pair.trend.course == "unknown":
        return f"{went}, {at_best}: too few epochs to tell a trend"
    if noisy:
        return (
            f"{name} jumps from epoch to epoch, so that its course is hard to read: {at_best}, "
            f"{number_text(last.value)} at the end"
        )
    window = f"over the last {count(pair.trend.window, 'epoch')}"
    if pair.trend.course == "improving":
        whole = abs(best.value - first.value)
        if abs(pair.trend.change) < MUCH * whole:
            return f"{went} and improved only a little {window}"
        return f"{went} and was still improving {window}: more epochs may help"
    if pair.trend.course == "worsening":
        return f"{went}, {at_best}, and was getting worse {window}"
    scale = max(abs(first.value), abs(best.value))
    if scale and abs(best.value - first.value) <= FLAT * scale:
        return (
            f"{name} stayed near {number_text(first.value)} for all {count(epochs, 'epoch')}: training changed "
            "nothing here"
        )
    if 2 * pair.trend.window > epochs:
        return f"{went}, {at_best}: too few epochs to tell a trend"
    return f"{went}, {at_best}, and was steady {window}"


def _broken_tail(pair: PairFacts) -> str:
    """Say from where on the training or validation curve has no finite values to its end; "" when it has."""
    for series, kind in ((pair.train, "training"), (pair.validation, "validation")):
        if series is None or series.first_bad_epoch is None or series.last is None:
            continue
        lost = series.nan + series.inf
        # All bad values lie behind the last finite one: the curve breaks off instead of having gaps.
        if series.first_bad_epoch > series.last.epoch:
            return (
                f"{kind} {say(pair.name)} breaks off after epoch {series.last.epoch:,} "
                f"({number_text(series.last.value)}): the last {count(lost, 'value')} are not finite numbers"
                if lost > 1
                else f"{kind} {say(pair.name)} breaks off after epoch {series.last.epoch:,} "
                f"({number_text(series.last.value)}): the last value is not a finite number"
            )
    return ""


def _company(pair: PairFacts) -> str:
    """Add how validation stands to training, or which of the two is absent."""
    if pair.validation is None:
        return "; without a validation curve it says nothing about new data"
    if pair.train is None:
        return "; there is no training curve beside it"
    if pair.overfitting is not None or _broken_tail(pair) or not math.isfinite(pair.gap_best) or pair.best is None:
        return ""
    size = number_text(abs(pair.gap_best), 3)
    if abs(pair.gap_best) <= FLAT * max(abs(pair.best.value), 1e-12):
        return "; training and validation are level at the best epoch"
    return f"; at the best epoch validation is {size} {'worse' if pair.gap_best > 0 else 'better'} than training"


def _gaps(pair: PairFacts) -> str:
    """Add how many values are missing from the drawn curves."""
    if _broken_tail(pair):
        return ""
    lost = sum(series.nan + series.inf for series in (pair.train, pair.validation) if series)
    if not lost:
        return ""
    return (
        f" ({count(lost, 'value')} "
        f"{'is not a finite number and leaves a gap' if lost == 1 else 'are not finite numbers and leave gaps'})"
    )


def read_learning_rate(rate: SeriesFacts) -> str:
    """Return the sentence under the learning rate's plot."""
    if rate.first is None or rate.last is None or rate.low is None or rate.high is None:
        return "The learning rate was recorded, but no value of it is a finite number."
    first, last = number_text(rate.first.value), number_text(rate.last.value)
    if rate.points == 1:
        return f"The learning rate was {first} in the only epoch recorded."
    if rate.low.value == rate.high.value:
        return f"The learning rate stayed at {first} throughout."
    if rate.high.value > max(rate.first.value, rate.last.value):
        return (
            f"The learning rate rose from {first} to {number_text(rate.high.value)} at epoch {rate.high.epoch:,} and "
            f"ended at {last}."
        )
    if rate.last.value < rate.first.value:
        share = percent(rate.last.value / rate.first.value) if rate.first.value > 0 else ""
        return f"The learning rate came down from {first} to {last}" + (
            f", to {share} of where it began." if share else "."
        )
    if rate.last.value > rate.first.value:
        return f"The learning rate went up from {first} to {last}."
    return (
        f"The learning rate moved between {number_text(rate.low.value)} and {number_text(rate.high.value)} and ended "
        f"where it began, at {last}."
    )


def say(name: str) -> str:
    """Write a metric's name as words: "sparse_top_k" -> "sparse top k", "mean_iou" -> "mean IoU"."""
    words = shorten(name.replace("_", " "), 60).split(" ")
    return " ".join(ABBREVIATIONS.get(word, word) for word in words)


def curve_name(pair: PairFacts) -> str:
    """Name the judged curve: "validation loss", or "training loss" when there is no other."""
    return f"{'validation' if pair.validation else 'training'} {say(pair.name)}"


def title(name: str) -> str:
    """Write a metric's name as a heading, with a capital."""
    return _capital(say(name))


def _capital(text: str) -> str:
    """Write the first letter large."""
    return text[:1].upper() + text[1:]
