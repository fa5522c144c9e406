"""How values are spread, exactly below a size and in fixed-error bins beyond it, whatever the order they came in."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics.parts import take

Array = NDArray[Any]

EXACT = 100_000
BUFFER = 65_536
DROPPED_BITS = 13
RELATIVE_ERROR = 2.0**-10


class Spread:
    """The values of up to `groups` groups (say: negatives, positives, unlabelled), for ranks, quantiles and curves.

    Up to `exact` values are kept as they are. Beyond, values are counted in bins whose width is 0.1% of the value
    (float32 with its last 13 bits cut); with `logit`, bins are 0.1% of the log-odds, so that probabilities near 0 and 1
    stay apart. Which of the two holds depends on the number of values alone, so any split of a batch gives the same
    result. Memory: 9 bytes a value until `exact`, then 8 x (1 + groups) bytes for each bin in use, of which there are
    some 20,000 to 60,000 in practice and 520,000 at most.
    """

    def __init__(self, groups: int = 1, *, logit: bool = False, exact: int = EXACT) -> None:
        self.groups = groups
        self.logit = logit
        self.exact = exact
        self.n = 0
        self._values: list[Array] = []
        self._marks: list[Array] = []
        self._buffered = 0
        self._keys: Array = np.zeros(0, np.int64)
        self._counts: Array = np.zeros((0, groups), np.int64)

    @property
    def binned(self) -> bool:
        """Say whether values stand in bins rather than exactly."""
        return self.n > self.exact

    def add(self, values: Array, marks: Array | int = 0) -> None:
        """Add values (k,), none of them NaN, each with the number of its group."""
        flat = np.array(values, dtype=np.float64).reshape(-1)
        self._values.append(flat)
        self._marks.append(np.broadcast_to(np.asarray(marks, np.uint8), flat.shape).copy())
        self.n += flat.size
        self._buffered += flat.size
        if self.binned and self._buffered > BUFFER:
            self._fold()

    def merge(self, other: Self) -> None:
        """Add what `other` has seen."""
        self._values += other._values
        self._marks += other._marks
        self._buffered += other._buffered
        self.n += other.n
        self._count(other._keys, other._counts)
        if self.binned and self._buffered > BUFFER:
            self._fold()

    def table(self) -> tuple[Array, Array]:
        """Return the distinct values, ascending (K,), and how often each group has them (K, groups)."""
        if self.binned:
            self._fold()
            return from_keys(self._keys, self.logit), self._counts
        values, marks = self._raw()
        return _tally(values, _one_each(marks, self.groups))

    def quantiles(self, shares: Array) -> Array:
        """Return quantiles over all groups with linear interpolation, as numpy.quantile does; NaN when empty."""
        values, counts = self.table()
        return weighted_quantiles(values, counts.sum(axis=1), shares)

    def state(self) -> dict[str, Array]:
        """Return the values, or the bins."""
        if self.binned:
            self._fold()
        values, marks = self._raw()
        return {"values": values, "marks": marks, "keys": self._keys.copy(), "counts": self._counts.copy()}

    def load(self, state: dict[str, Array]) -> None:
        """Take over a state; raises ValueError if it is not one."""
        values, marks = take(state, "values", np.float64, (None,)), take(state, "marks", np.uint8, (None,))
        keys, counts = take(state, "keys", np.int64, (None,)), take(state, "counts", np.int64, (None, self.groups))
        if len(values) != len(marks) or len(keys) != len(counts) or (marks >= self.groups).any() or (counts < 0).any():
            raise ValueError("a state of values does not fit together")
        self._values, self._marks, self._buffered = [values], [marks], values.size
        self._keys, self._counts = keys, counts
        self.n = int(values.size + counts.sum())

    def _raw(self) -> tuple[Array, Array]:
        """Return the values that are not in bins."""
        if not self._values:
            return np.zeros(0), np.zeros(0, np.uint8)
        return np.concatenate(self._values), np.concatenate(self._marks)

    def _fold(self) -> None:
        """Move the values that wait into bins."""
        values, marks = self._raw()
        self._values, self._marks, self._buffered = [], [], 0
        if values.size:
            self._count(to_keys(values, self.logit), _one_each(marks, self.groups))

    def _count(self, keys: Array, counts: Array) -> None:
        """Add counts by key, one row a key."""
        if keys.size:
            merged = np.concatenate([self._keys, keys]), np.concatenate([self._counts, counts])
            self._keys, self._counts = _tally(*merged)


def to_keys(values: Array, logit: bool = False) -> Array:
    """Return whole numbers that keep the order of `values`, the same for values within 0.1% of each other."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        spread = np.log(values) - np.log1p(-values) if logit else values
        limit = float(np.finfo(np.float32).max)
        bits = np.clip(spread, -limit, limit).astype(np.float32).view(np.int32).astype(np.int64)
    return np.asarray(np.where(bits < 0, -(bits & 0x7FFFFFFF), bits) >> DROPPED_BITS)


def from_keys(keys: Array, logit: bool = False) -> Array:
    """Return a value in the middle of each key's bin."""
    bits = (keys << DROPPED_BITS) + (1 << (DROPPED_BITS - 1))
    bits = np.where(keys == 0, 0, np.clip(bits, -0x7F7FFFFF, 0x7F7FFFFF))
    spread = np.where(bits < 0, -1.0, 1.0) * np.abs(bits).astype(np.int32).view(np.float32).astype(np.float64)
    if not logit:
        return np.asarray(spread)
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-spread)))


def weighted_quantiles(values: Array, counts: Array, shares: Array) -> Array:
    """Return quantiles of ascending `values` that occur `counts` times, with linear interpolation; NaN when empty."""
    wanted = np.asarray(shares, dtype=np.float64)
    ends = np.cumsum(counts)
    if not len(ends) or ends[-1] == 0:
        return np.full(wanted.shape, np.nan)
    place = wanted * (ends[-1] - 1)
    below = values[np.searchsorted(ends, np.floor(place), side="right")]
    above = values[np.searchsorted(ends, np.ceil(place), side="right")]
    return np.asarray(below + (above - below) * (place - np.floor(place)))


def _one_each(marks: Array, groups: int) -> Array:
    """Return one row a value that counts it in its group."""
    return np.asarray(marks[:, None] == np.arange(groups)[None, :]).astype(np.int64)


def _tally(values: Array, counts: Array) -> tuple[Array, Array]:
    """Return the distinct values, ascending, and the sum of their rows of counts."""
    distinct, place = np.unique(values, return_inverse=True)
    totals = [np.bincount(place, weights=column, minlength=len(distinct)) for column in counts.T]
    return distinct, np.rint(np.stack(totals, axis=1)).astype(np.int64).reshape(len(distinct), counts.shape[1])
