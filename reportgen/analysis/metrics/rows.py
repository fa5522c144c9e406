"""A bounded choice of rows of numbers, taken by a hash of their content: the same however the batch was split."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics.parts import take

Array = NDArray[Any]

LIMIT = 5_000


class RowSample:
    """Up to `limit` distinct rows of `width` numbers and how often each occurred; beyond, those with the smallest hash.

    Memory: 8 x (width + 2) bytes for at most twice `limit` rows plus one chunk.
    """

    def __init__(self, width: int, limit: int = LIMIT) -> None:
        self.limit = limit
        self.n = 0
        self._rows: Array = np.zeros((0, width))
        self._lots: Array = np.zeros(0, np.uint64)
        self._counts: Array = np.zeros(0, np.int64)

    @property
    def complete(self) -> bool:
        """Say whether every row seen is here."""
        return int(self._counts.sum()) == self.n

    def add(self, rows: Array) -> None:
        """Add rows (k, width)."""
        values = np.ascontiguousarray(rows, dtype=np.float64) + 0.0
        self.n += len(values)
        self._take(values, row_lots(values), np.ones(len(values), np.int64))

    def merge(self, other: Self) -> None:
        """Add what `other` holds."""
        self.n += other.n
        self._take(other._rows, other._lots, other._counts)

    def distinct(self) -> tuple[Array, Array]:
        """Return the distinct rows (k, width), in the order of their hash, and how often each occurred (k,)."""
        return self._rows, self._counts

    def expanded(self) -> Array:
        """Return the rows, each as often as it occurred."""
        return np.repeat(self._rows, self._counts, axis=0)

    def state(self) -> dict[str, Array]:
        """Return rows, counts and the number seen."""
        return {"rows": self._rows.copy(), "counts": self._counts.copy(), "n": np.asarray(self.n, np.int64)}

    def load(self, state: dict[str, Array]) -> None:
        """Take over rows; raises ValueError if they do not fit."""
        rows = take(state, "rows", np.float64, (None, self._rows.shape[1]))
        counts = take(state, "counts", np.int64, (None,))
        if len(rows) != len(counts) or len(rows) > self.limit or (counts < 1).any():
            raise ValueError("a state of rows does not fit together")
        self._rows, self._lots, self._counts = rows, row_lots(rows), counts
        self.n = int(take(state, "n", np.int64, ()))

    def _take(self, rows: Array, lots: Array, counts: Array) -> None:
        """Hold the rows with the smallest lots of what is held already and these."""
        if len(self._rows) == self.limit:
            near = lots <= self._lots[-1]
            rows, lots, counts = rows[near], lots[near], counts[near]
        every = np.concatenate([self._lots, lots])
        distinct, first, place = np.unique(every, return_index=True, return_inverse=True)
        totals = np.rint(np.bincount(place, weights=np.concatenate([self._counts, counts]), minlength=len(distinct)))
        kept = first[: self.limit]
        self._lots = distinct[: self.limit]
        self._rows = np.concatenate([self._rows, rows])[kept]
        self._counts = totals[: self.limit].astype(np.int64)


def row_lots(rows: Array) -> NDArray[np.uint64]:
    """Return a 64-bit hash of the content of each row."""
    bits = np.ascontiguousarray(rows, dtype=np.float64).view(np.uint64)
    lots = np.full(len(rows), 0x243F6A8885A308D3, np.uint64)
    with np.errstate(over="ignore"):
        for column in bits.T:
            lots = (lots ^ column) * np.uint64(0x9E3779B97F4A7C15)
            lots = (lots ^ (lots >> np.uint64(32))) * np.uint64(0xBF58476D1CE4E5B9)
            lots = lots ^ (lots >> np.uint64(29))
    return np.asarray(lots)
