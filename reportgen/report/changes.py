"""What a report says of an earlier one: every number before and now, and whether the difference is more than chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reportgen.report.values import Number

Place = Literal["better", "worse", "same", "unclear", "changed"]
Level = Literal["better", "worse", "mixed", "same", "unclear", "unknown"]


@dataclass(frozen=True, slots=True)
class MetricChange:
    """One metric of one output before and now.

    `difference` is now - before with its 95% interval `low..high`, on `n` samples; `paired` says that both runs were
    compared sample by sample, `method` how. `place`: "same" (no difference at all), "unclear" (chance can explain it),
    "changed" (no direction is better).
    """

    name: str
    label: str
    output: str
    unit: str
    better: Literal["higher", "lower", "neither"]
    before: Number
    now: Number
    difference: Number
    low: Number
    high: Number
    n: int
    paired: bool
    method: str
    place: Place
    headline: bool = False


@dataclass(frozen=True, slots=True)
class SampleChange:
    """How many samples of one output changed sides, of `shared` that both reports hold with the same label.

    For classes "wrong" is a wrong answer. Elsewhere `newly_wrong` counts samples whose loss grew and `newly_right`
    those whose loss fell, and nothing is still wrong. `p` is of an exact McNemar (sign) test.
    """

    output: str
    by: Literal["answer", "loss"]
    shared: int
    newly_wrong: int
    newly_right: int
    still_wrong: int
    labels_changed: int
    p: Number


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the report `base`, for the first screen; the section "changes" has the evidence.

    `metrics` are the headline metrics; `notes` name in a few words what else differs.
    """

    base: str
    level: Level
    sentence: str
    metrics: tuple[MetricChange, ...]
    samples: tuple[SampleChange, ...]
    notes: tuple[str, ...] = ()
