"""Where a metric stands beside its simple baseline: better, equal, worse, or too close to call on so few samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Place = Literal["better", "equal", "worse", "unclear", "no_room", "no_baseline", "no_value"]

# Below this many samples a small difference says nothing either way (interval formulas are rough there too).
FEWEST = 30


@dataclass(frozen=True, slots=True)
class Standing:
    """The place, and `gain`: the share of the way from the baseline to a perfect score (NaN where none is known)."""

    place: Place
    gain: float


def compare_with_baseline(
    value: float,
    low: float,
    high: float,
    baseline: float | None,
    *,
    better: str,
    n: int,
    unit: str = "",
    margin: float = 0.05,
) -> Standing:
    """Place a metric with its 95% interval `low..high` on `n` samples beside its baseline.

    "better" and "worse" need the whole interval on one side. "equal" is said only when the samples are able to show it:
    at least 30, and either no better at all, or even the good end of the interval covers under `margin` of the way to a
    perfect score. All else is "unclear". "no_room": the baseline is already perfect, as when all labels are alike.
    """
    if not math.isfinite(value):
        return Standing("no_value", math.nan)
    if baseline is None or not math.isfinite(baseline) or better not in ("higher", "lower"):
        return Standing("no_baseline", math.nan)
    perfect = _perfect_score(better, unit, max(value, high if math.isfinite(high) else value, baseline))
    if perfect is not None and math.isclose(baseline, perfect, abs_tol=1e-12):
        return Standing("no_room", math.nan)
    gain = math.nan if perfect is None else (value - baseline) / (perfect - baseline)
    worst, best = (low, high) if better == "higher" else (-high, -low)
    bar, got = (baseline, value) if better == "higher" else (-baseline, -value)
    if not (math.isfinite(worst) and math.isfinite(best)):
        return Standing(_place_without_interval(got, bar, gain, n), gain)
    if worst > bar:
        return Standing("better", gain)
    if best < bar:
        return Standing("worse", gain)
    at_most = (best - bar) / abs(perfect - baseline) if perfect is not None else math.inf
    return Standing("equal" if n >= FEWEST and (got <= bar or at_most < margin) else "unclear", gain)


def _perfect_score(better: str, unit: str, largest: float) -> float | None:
    """Return the best possible score where it is known: 0 for errors, 1 for shares and scores that stay within 1."""
    if better == "lower":
        return 0.0
    return 1.0 if unit == "share" or largest <= 1 else None


def _place_without_interval(got: float, bar: float, gain: float, n: int) -> Place:
    """Place a metric that has no interval: only large differences on enough samples count."""
    if n < FEWEST or math.isnan(gain):
        return "unclear"
    if abs(gain) >= 0.1:
        return "better" if got > bar else "worse"
    return "equal" if got <= bar else "unclear"
