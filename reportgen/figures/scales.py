"""One axis of a chart: which values it spans, where its ticks stand and what they read.

A scale places values at positions: log10 on a log axis, otherwise divided by a power of ten, so that +-1e308 and 1e-300
are as easy to draw as 0 and 1. Positions are what is drawn; `Frame` gets the limits back in data units.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reportgen.report.blocks import Axis

Values = NDArray[np.float64]
LARGE, SMALL = 1e100, 1e-100
PADDING = 0.05
STEPS = (1.0, 2.0, 2.5, 5.0)
NARROWEST = 1e-9  # of the values: a smaller span has no labels that differ
BAR_FOOT = 0.35  # decades: the smallest bar of a log axis is to be seen


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis ready to be drawn; `low` and `high` are positions, `exponent` the power of ten they are divided by."""

    log: bool
    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    exponent: int = 0

    def place(self, values: Values) -> Values:
        """Return the positions of values: NaN for what is not finite or has no place on a log axis."""
        with np.errstate(all="ignore"):
            positions = np.log10(values) if self.log else values / 10.0**self.exponent
        return np.where(np.isfinite(positions), positions, np.nan)

    def value(self, position: float) -> float:
        """Return the value at a position, at most the largest float, above zero on a log axis."""
        try:
            value = 10.0**position if self.log else position * 10.0**self.exponent
        except OverflowError:
            value = math.inf
        least = 5e-324 if self.log else -sys.float_info.max
        return min(max(value, least), sys.float_info.max)


def choose_scale(axis: Axis, values: Values, *, room: float, pad: float = PADDING, base: bool = False) -> Scale:
    """Return the scale of `axis` for finite and other values, with ticks for `room` px.

    `base` asks for zero to be in it (bars). A log axis without a positive value becomes linear.
    """
    finite = values[np.isfinite(values)]
    if axis.scale == "log" and (finite > 0).any():
        return _log_scale(axis, finite[finite > 0], room, pad, base)
    largest = float(np.max(np.abs(finite), initial=0.0))
    exponent = math.floor(math.log10(largest)) if largest > LARGE or 0 < largest < SMALL else 0
    exponent = max(exponent, -300)
    low, high = _limits(finite / 10.0**exponent, pad, base, axis.integer)
    low = low if axis.low is None else axis.low / 10.0**exponent
    high = high if axis.high is None else axis.high / 10.0**exponent
    if not high - low > NARROWEST * max(abs(low), abs(high)):
        low, high = (low - 0.5, low + 0.5) if abs(low) < 1e6 else (low - abs(low) * 0.1, low + abs(low) * 0.1)
    if axis.categories:
        return _category_scale(axis, low, high)
    ticks = _linear_ticks(low, high, room, axis.integer)
    return Scale(False, low, high, ticks, write_ticks(ticks, exponent), exponent)


def _limits(values: Values, pad: float, base: bool, integer: bool) -> tuple[float, float]:
    """Return linear limits with room at the ends, from zero where that costs little."""
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if base:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high == 0.0:
        return (-0.5, 0.5) if integer else (0.0, 1.0)
    if low == high:
        half = 0.5 if integer else abs(low) * 0.1
        return (low - half, high + half) if not base else (low, high + 1.0)
    span = high - low
    near_zero = base or (pad >= PADDING and not integer)
    bottom = 0.0 if near_zero and 0 <= low <= 0.35 * high else low - pad * span
    top = 0.0 if base and high == 0 else high + pad * span
    return bottom, top


def _linear_ticks(low: float, high: float, room: float, integer: bool) -> tuple[float, ...]:
    """Return round ticks inside the limits, about one every 45 px, at least two where round numbers allow it.

    The same as matplotlib's MaxNLocator, which commands that draw lines alone need not import (a test compares them).
    """
    bins = int(min(max(room / 45, 2), 8))
    least = (high - low) / bins
    decade = math.floor(math.log10(least))
    steps = sorted({step * 10.0**power for power in range(decade - 2, decade + 2) for step in STEPS})
    if integer:
        steps = [step for step in steps if step >= 1 and step == round(step)] or [1.0]
    slack = (high - low) * 1e-9
    first = next((i for i, step in enumerate(steps) if step >= least * (1 - 1e-9)), len(steps) - 1)
    inside: list[float] = []
    for step in reversed(steps[: first + 1]):
        start, end = math.ceil((low - slack) / step), math.floor((high + slack) / step)
        inside = [float(index * step) for index in range(start, end + 1)]
        if len(inside) >= 2:
            break
    if integer and not inside:
        return _linear_ticks(low, high, room, False)
    return tuple(0.0 if abs(tick) < slack else tick for tick in inside)


def _category_scale(axis: Axis, low: float, high: float) -> Scale:
    """Return a scale with one tick a category, at 0, 1, 2, ..."""
    last = len(axis.categories) - 1
    low, high = (-0.5 if axis.low is None else low), (last + 0.5 if axis.high is None else high)
    return Scale(False, low, high, tuple(float(i) for i in range(last + 1)), axis.categories)


def _log_scale(axis: Axis, values: Values, room: float, pad: float, base: bool) -> Scale:
    """Return a log scale: ticks at powers of ten, at 1-2-5 over few decades, at round numbers within one."""
    low, high = math.log10(float(values.min())), math.log10(float(values.max()))
    margin = pad * (high - low) if high > low else 0.5
    low = math.log10(axis.low) if axis.low and axis.low > 0 else low - (BAR_FOOT if base else margin)
    high = math.log10(axis.high) if axis.high and axis.high > 0 else high + margin
    if not high - low > NARROWEST * max(abs(low), abs(high)):
        low, high = low - 0.5, low + 0.5
    span, bins = high - low, max(room / 45, 2)
    if span > bins / 2.5:
        step = max(1, math.ceil(span / bins))
        ticks = [float(e) for e in range(math.ceil(low / step) * step, math.floor(high) + 1, step)]
    else:
        ticks = [e + math.log10(m) for e in range(math.floor(low), math.ceil(high)) for m in (1, 2, 5)]
    inside = tuple(tick for tick in ticks if low <= tick <= high)
    if len(inside) >= 2:
        return Scale(True, low, high, inside, tuple(write_power(tick) for tick in inside))
    decade = math.floor(low)
    even = [tick for tick in _linear_ticks(10.0 ** (low - decade), 10.0 ** (high - decade), room, False) if tick > 0]
    exponent = decade if abs(decade) > 4 else 0
    labels = write_ticks(tuple(tick * 10.0 ** (decade - exponent) for tick in even), exponent)
    return Scale(True, low, high, tuple(math.log10(tick) + decade for tick in even), labels)


def write_power(position: float) -> str:
    """Return the tick at a log position: 0.001 to 100,000 in full, else as 1e-7."""
    exponent = math.floor(position + 1e-9)
    lead = round(10.0 ** (position - exponent))
    if -4 < exponent < 6:
        return f"{lead * 10**exponent:,}" if exponent >= 0 else f"{lead * 10.0**exponent:.{-exponent}f}"
    return f"{lead}e{exponent}"


def write_ticks(ticks: tuple[float, ...], exponent: int) -> tuple[str, ...]:
    """Return tick labels, all with the same decimals; very large and very small ones as 2.5e9. The sign is U+2212."""
    if not ticks:
        return ()
    largest = max(abs(tick) for tick in ticks)
    step = min((b - a for a, b in pairwise(ticks)), default=largest or 1.0)
    shift = 0
    if largest and (exponent or largest >= 1e6 or largest < 1e-3):
        shift = math.floor(math.log10(largest) + 1e-9)
        shift -= shift % 3 if shift > 0 else 0
    decimals = next((d for d in range(12) if abs(round(step / 10.0**shift, d) / (step / 10.0**shift) - 1) < 1e-3), 12)
    texts = [f"{tick / 10.0**shift:,.{decimals}f}".replace("-", "\u2212") for tick in ticks]
    power = f"e{shift + exponent}" if shift + exponent else ""
    return tuple("0" if tick == 0 else text + power for tick, text in zip(ticks, texts, strict=True))
