"""Image to image: the input itself as the simplest output there is, where it has the target's shape and range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MOST_ROWS = 256
MOST_TIMES = 16


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The input `key` as an output: as it is (`times` 1), or with every position repeated `times` along each axis."""

    key: str
    times: int

    def of(self, values: Array) -> NDArray[np.float64]:
        """Return a chunk of the input (n, ...) in the shape of the target."""
        grown = np.asarray(values)
        for axis in range(1, grown.ndim - 1) if self.times > 1 else ():
            grown = np.repeat(grown, self.times, axis=axis)
        return grown.astype(np.float64)


def find_unchanged(inputs: Mapping[str, Array], y: Array | None) -> Unchanged | None:
    """Return the first input that could stand for the output; None where there is none.

    It needs the target's shape, or for enlarging the same channels and one whole factor; values of the target's range
    (at most one whole range beyond it); and to differ from the target, unlike an autoencoder's.
    """
    if y is None or not len(y) or np.asarray(y).dtype.kind not in "fiu":
        return None
    target = np.asarray(y)[:MOST_ROWS].astype(np.float64)
    low, high = float(np.nanmin(target)), float(np.nanmax(target))
    for key, values in inputs.items():
        array = np.asarray(values)[:MOST_ROWS]
        times = _times(array.shape[1:], target.shape[1:]) if array.dtype.kind in "fiu" else 0
        if not times:
            continue
        found = Unchanged(key, times)
        same = found.of(array)
        if same.size != target.size or np.array_equal(same.reshape(target.shape), target):
            continue
        ends = np.nanquantile(same, [0.01, 0.99])
        if ends[0] >= 2 * low - high and ends[1] <= 2 * high - low and ends[1] > ends[0]:
            return found
    return None


def _times(given: tuple[int, ...], wanted: tuple[int, ...]) -> int:
    """Return how often each position of the input is to be repeated (1: as it is); 0 where the shapes do not fit."""
    if given in (wanted, (*wanted, 1)) or (*given, 1) == wanted:
        return 1
    if len(given) != len(wanted) or len(given) < 2 or given[-1] != wanted[-1]:
        return 0
    factors = {(w // g, w % g) for g, w in zip(given[:-1], wanted[:-1], strict=True) if g}
    if len(factors) != 1:
        return 0
    whole, rest = factors.pop()
    return whole if not rest and 2 <= whole <= MOST_TIMES else 0
