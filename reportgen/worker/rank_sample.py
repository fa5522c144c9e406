"""A bounded choice of positions of one layer's output, for its effective rank."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.keep import compute_lots
from reportgen.analysis.layers import compute_effective_rank

Array = NDArray[Any]
MOST_POSITIONS = 512
EACH = 8  # positions of one sample at most: those of one sample resemble each other
MOST_UNITS = 256


@lru_cache(maxsize=8)
def _lots_of(seen: int, n: int) -> Array:
    """Return the lots of `n` samples after `seen` others: all layers ask for those of one chunk."""
    return compute_lots(np.arange(seen, seen + n), 0)


@lru_cache(maxsize=256)
def _spread(size: int, count: int) -> Array:
    """Return `count` evenly spaced places from 0 to `size` - 1."""
    return np.linspace(0, size - 1, count).astype(np.int64)


class RankSample:
    """Holds up to 512 positions of up to 256 units: of samples drawn by lot, evenly spaced within each."""

    def __init__(self) -> None:
        self._seen = 0
        self._lots = np.zeros(0, np.uint64)
        self._rows: Array | None = None

    def add(self, values: Array) -> None:
        """Offer finite outputs (samples, positions, units)."""
        n, positions, units = values.shape
        each = min(positions, EACH)
        lots = _lots_of(self._seen, n)
        self._seen += n
        most = MOST_POSITIONS // each
        full = len(self._lots) >= most
        chosen = np.flatnonzero(lots < self._lots.max()) if full else np.arange(n)
        chosen = chosen[np.argsort(lots[chosen], kind="stable")[:most]]
        if not chosen.size:
            return
        rows = values[chosen[:, None], _spread(positions, each)]
        if units > MOST_UNITS:
            rows = rows[..., _spread(units, MOST_UNITS)]
        if self._rows is not None and self._rows.shape[1:] != rows.shape[1:]:
            return  # an output of open length: the first one's positions stay
        lots, rows = lots[chosen], rows.astype(np.float32)
        if self._rows is not None:
            lots, rows = np.concatenate([self._lots, lots]), np.concatenate([self._rows, rows])
        kept = np.argsort(lots, kind="stable")[:most]
        self._lots, self._rows = lots[kept], rows[kept]

    def result(self) -> tuple[float, int]:
        """Return the effective rank (NaN without variation) and on how many positions it stands."""
        if self._rows is None:
            return float("nan"), 0
        matrix = self._rows.reshape(-1, self._rows.shape[-1])
        return compute_effective_rank(matrix), len(matrix)
