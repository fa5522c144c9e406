"""Range, spread and constant features of each input, added up over the whole batch as stored."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import InputFacts

Array = NDArray[Any]


class InputSums:
    """Running sums of one input. Text is counted, not measured."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.shape: tuple[int, ...] = ()
        self.dtype = ""
        self.count = self.nan = self.inf = 0
        self.total = self.squares = 0.0
        self.low, self.high = math.inf, -math.inf
        self._first: Array | None = None
        self._constant: Array | None = None

    def add(self, values: Array) -> None:
        """Add one chunk (n, ...)."""
        self.shape, self.dtype = values.shape[1:], values.dtype.name
        if values.dtype.kind in "US" or not values.size:
            return
        flat = values.reshape(-1)
        with np.errstate(all="ignore"):
            bad = values.dtype.kind == "f" and not np.isfinite(flat.sum(dtype=np.float64))
        if bad:
            self.nan += int(np.isnan(flat).sum())
            self.inf += int(np.isinf(flat).sum())
            flat = flat[np.isfinite(flat)]
        if flat.size:
            self.count += flat.size
            self.total += float(flat.sum(dtype=np.float64))
            self.squares += float(np.square(flat, dtype=np.float64).sum())
            self.low, self.high = min(self.low, float(flat.min())), max(self.high, float(flat.max()))
        self._compare(values)

    def _compare(self, values: Array) -> None:
        """Note which features still have one value only."""
        if self._first is None or self._constant is None:
            self._first = values[0].copy()
            self._constant = np.ones(self.shape, dtype=bool)
        if self._constant.any():
            self._constant &= (values == self._first).all(axis=0)

    def result(self) -> InputFacts:
        """Return the facts; NaN where there was no finite number."""
        known = self.count > 0
        mean = self.total / self.count if known else math.nan
        variance = self.squares / self.count - mean * mean if known else math.nan
        constant = 0 if self._constant is None else int(self._constant.sum())
        return InputFacts(
            name=self.name,
            shape=self.shape,
            dtype=self.dtype,
            low=self.low if known else math.nan,
            high=self.high if known else math.nan,
            mean=mean,
            std=0.0 if known and self.low == self.high else math.sqrt(max(0.0, variance)) if known else math.nan,
            nan=self.nan,
            inf=self.inf,
            constant_features=constant,
        )
