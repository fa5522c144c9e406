"""What accumulators are made of: sums and moments that merge, and can be written down and restored."""

from __future__ import annotations

from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals

Array = NDArray[Any]


class Part(Protocol):
    """One mergeable piece of an accumulator."""

    def merge(self, other: Self) -> None:
        """Add what `other` has seen."""
        ...

    def state(self) -> dict[str, Array]:
        """Return the arrays that restore this part."""
        ...

    def load(self, state: dict[str, Array]) -> None:
        """Take over a state; raises ValueError if it does not fit this part."""
        ...


@runtime_checkable
class Sketch(Protocol):
    """A part that keeps up to `exact` values as they are and counts more in bins."""

    exact: int

    @property
    def binned(self) -> bool:
        """Say whether values stand in bins."""
        ...


class Sum:
    """An array of sums: int64 counts, or float64."""

    def __init__(self, *shape: int, dtype: type = np.int64) -> None:
        self.values: Array = np.zeros(shape, dtype)

    def merge(self, other: Self) -> None:
        """Add the sums."""
        self.values = self.values + other.values

    def state(self) -> dict[str, Array]:
        """Return the sums."""
        return {"sum": self.values.copy()}

    def load(self, state: dict[str, Array]) -> None:
        """Take over sums of the same shape and type."""
        self.values = take(state, "sum", self.values.dtype, self.values.shape)


class Moments:
    """Number, mean and squared deviations of rows of numbers, by Chan's pairwise formulas, so that offsets do no harm.

    T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances" (1979). Every element has its own `n`, so NaN in one column does not cost the others their sample.
    """

    def __init__(self, *shape: int) -> None:
        self.n: Array = np.zeros(shape, np.int64)
        self.mean: Array = np.zeros(shape)
        self.squares: Array = np.zeros(shape)

    def add(self, values: Array) -> None:
        """Add rows (k, *shape); NaN elements are left out."""
        known = ~np.isnan(values)
        if not known.all():
            n = known.sum(axis=0)
            filled = np.where(known, values, 0.0)
            mean = filled.sum(axis=0) / np.maximum(n, 1)
            squares = (np.where(known, values - mean, 0.0) ** 2).sum(axis=0)
        elif len(values):
            n = np.full(self.n.shape, len(values), dtype=np.int64)
            mean = values.mean(axis=0)
            squares = ((values - mean) ** 2).sum(axis=0)
        else:
            return
        self._join(n, mean, squares)

    def merge(self, other: Self) -> None:
        """Add what `other` has seen."""
        self._join(other.n, other.mean, other.squares)

    def variance(self) -> Array:
        """Return the variance with divisor n; NaN where nothing was seen."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.n > 0, self.squares / self.n, np.nan)

    def state(self) -> dict[str, Array]:
        """Return number, mean and squares."""
        return {"n": self.n.copy(), "mean": self.mean.copy(), "squares": self.squares.copy()}

    def load(self, state: dict[str, Array]) -> None:
        """Take over moments of the same shape."""
        self.n = take(state, "n", np.int64, self.n.shape)
        self.mean = take(state, "mean", np.float64, self.mean.shape)
        self.squares = take(state, "squares", np.float64, self.squares.shape)

    def _join(self, n: Array, mean: Array, squares: Array) -> None:
        """Combine two sets of moments."""
        total = self.n + n
        share = n / np.maximum(total, 1)
        gap = mean - self.mean
        self.squares = self.squares + squares + gap * gap * self.n * share
        self.mean = self.mean + gap * share
        self.n = total


class Covariance:
    """Number, mean and co-moments of rows of `size` numbers (all known), by the same pairwise formulas.

    Memory: 8 x size^2 bytes.
    """

    def __init__(self, size: int) -> None:
        self.n: Array = np.zeros((), np.int64)
        self.mean: Array = np.zeros(size)
        self.comoments: Array = np.zeros((size, size))

    def add(self, rows: Array) -> None:
        """Add rows (k, size)."""
        if not len(rows):
            return
        values = rows.astype(np.float64)
        mean = values.mean(axis=0)
        centred = values - mean
        self._join(np.asarray(len(rows)), mean, centred.T @ centred)

    def merge(self, other: Self) -> None:
        """Add what `other` has seen."""
        self._join(other.n, other.mean, other.comoments)

    def ends(self, value: float, gradient: Array) -> tuple[float, float]:
        """Return a 95% interval of `value`, a smooth function of the means with this gradient (the delta method)."""
        n = int(self.n)
        spread = float(gradient @ self.comoments @ gradient)
        return intervals.mean_interval(value, max(spread, 0.0), n)

    def state(self) -> dict[str, Array]:
        """Return number, mean and co-moments."""
        return {"n": self.n.copy(), "mean": self.mean.copy(), "comoments": self.comoments.copy()}

    def load(self, state: dict[str, Array]) -> None:
        """Take over co-moments of the same size."""
        self.n = take(state, "n", np.int64, ())
        self.mean = take(state, "mean", np.float64, self.mean.shape)
        self.comoments = take(state, "comoments", np.float64, self.comoments.shape)

    def _join(self, n: Array, mean: Array, comoments: Array) -> None:
        """Combine two sets of co-moments."""
        total = self.n + n
        share = float(n) / max(int(total), 1)
        gap = mean - self.mean
        self.comoments = self.comoments + comoments + np.outer(gap, gap) * (int(self.n) * share)
        self.mean = self.mean + gap * share
        self.n = np.asarray(total, np.int64)


class Extremes:
    """The smallest and largest value seen, by column."""

    def __init__(self, *shape: int) -> None:
        self.low: Array = np.full(shape, np.inf)
        self.high: Array = np.full(shape, -np.inf)

    def add(self, values: Array) -> None:
        """Add rows (k, *shape); NaN is left out."""
        if len(values):
            self.low = np.fmin(self.low, np.fmin.reduce(values, axis=0))
            self.high = np.fmax(self.high, np.fmax.reduce(values, axis=0))

    def merge(self, other: Self) -> None:
        """Add what `other` has seen."""
        self.low, self.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)

    def state(self) -> dict[str, Array]:
        """Return both ends."""
        return {"low": np.array(self.low), "high": np.array(self.high)}

    def load(self, state: dict[str, Array]) -> None:
        """Take over ends of the same shape."""
        self.low = take(state, "low", np.float64, np.shape(self.low))
        self.high = take(state, "high", np.float64, np.shape(self.high))


def take(state: dict[str, Array], name: str, dtype: Any, shape: tuple[int | None, ...]) -> Array:
    """Return a copy of one array of a state, or raise ValueError if its dtype or shape (None: any) differ."""
    found = state.get(name)
    if found is None:
        raise ValueError(f"the state has no {name!r}")
    array = np.asarray(found)
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    if array.dtype != np.dtype(dtype) or not fits:
        raise ValueError(f"{name!r} should be {np.dtype(dtype)} {shape}, found {array.dtype} {array.shape}")
    return array.copy()
