"""What was found out about the features of an output's samples: weak slices, importances. Plain data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace


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


def without_features(
    search: SliceSearch | None, importance: ImportanceFacts | None, names: Collection[str], everything: bool
) -> tuple[SliceSearch | None, ImportanceFacts | None]:
    """Return both without the features and inputs called `names` (or without any, if `everything` is to go).

    What remains still counts the slices that were tried on the others, so that its chances hold.
    """
    if everything:
        return None, None
    if search is not None:
        slices, lengths = (
            tuple(found for found in part if not _is_of(found.feature, names))
            for part in (search.slices, search.lengths)
        )
        search = replace(search, slices=slices, lengths=lengths)
    if importance is not None:
        kept = tuple(item for item in importance.features if not _is_of(item.feature, names))
        importance = replace(importance, features=kept)
    return search, importance


def _is_of(feature: str, names: Collection[str]) -> bool:
    """Say whether a feature is one of these columns, or stands for one of these inputs."""
    return feature in names or any(feature.startswith(f"{name}[") or feature.endswith(f" of {name}") for name in names)
