"""What was found out about the features of an output's samples: weak slices, importances. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """Samples whose `feature` lies in low..high (ends included), or is `category` (then the ends are NaN).

    `part` says which part of the feature's values it is. `error` is its mean error with its interval, `rest` that of
    all other samples, `chance` the corrected probability of so bad a slice by chance (1: none).
    """

    feature: str
    part: str
    low: float
    high: float
    category: str
    n: int
    error: float
    error_low: float
    error_high: float
    rest: float
    chance: float


@dataclass(frozen=True, slots=True)
class SliceSearch:
    """What the search for weak slices tried and found; the least likely ones first, at most 12.

    `wrong` says that errors are 0 or 1, so that means are shares; `measure` names them. `lengths` are the quarters of
    the first length (of a text, of tokens) with plain 95% intervals.
    """

    measure: str
    wrong: bool
    rule: str
    n: int
    error: float
    features: int
    tried: int
    fewest: int
    slices: tuple[Slice, ...]
    lengths: tuple[Slice, ...] = ()


@dataclass(frozen=True, slots=True)
class Importance:
    """The mean rise of the loss when `feature` is shuffled, with its 95% interval over samples (Student's t)."""

    feature: str
    rise: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ImportanceFacts:
    """Importances of all features of one output, the largest first, on `samples` samples and `repeats` shuffles."""

    loss: float
    samples: int
    repeats: int
    predictions: int
    features: tuple[Importance, ...]
