"""Numbers that may be missing, and columns of numbers in a compact, exact form."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that could not be computed, and why. Stands wherever a number would be NaN or infinite."""

    missing: str


Number = int | float | Missing
# Metadata of a field that came after its form was first written: left out of the JSON while empty, so that older
# files stay what they are.
LATER = {"later": True}

DTYPES = ("<f8", "<f4", "<i8", "<i4", "<u8", "<u4", "<u2", "|u1")
Dtype = Literal["<f8", "<f4", "<i8", "<i4", "<u8", "<u4", "<u2", "|u1"]


def number(value: Any, reason: str = "") -> Number:
    """Return `value` as a plain int or float, or Missing with a reason when it is None or not finite."""
    if isinstance(value, Missing):
        return value
    if value is None:
        return Missing(reason or "not computed")
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return int(value)
    result = float(value)
    if math.isfinite(result):
        return result
    return Missing(reason or ("not a number" if math.isnan(result) else "infinite"))


@dataclass(frozen=True, slots=True)
class Column:
    """A one-dimensional array as base64 of its little-endian bytes: exact, compact, and comparable as text.

    Floats may be NaN or infinite here (a gap in a curve); every NaN has the same bits.
    """

    dtype: Dtype
    length: int
    data: str

    @classmethod
    def pack(cls, values: Any, dtype: Dtype = "<f8") -> Column:
        """Pack a sequence of numbers; raises ValueError if an integer does not fit `dtype`."""
        source = np.asarray(values).reshape(-1)
        array = source.astype(np.dtype(dtype))
        if array.dtype.kind == "f":
            array[np.isnan(array)] = np.nan
        elif source.size and not np.array_equal(array.astype(object), source.astype(object)):
            raise ValueError(f"values do not fit {dtype}")
        return cls(dtype, int(array.size), base64.b64encode(array.tobytes()).decode("ascii"))

    def to_numpy(self) -> NDArray[Any]:
        """Return the values; raises ValueError when the data does not have the stated length."""
        raw = base64.b64decode(self.data, validate=True)
        array = np.frombuffer(raw, dtype=np.dtype(self.dtype))
        if array.size != self.length:
            raise ValueError(f"column says {self.length} values and holds {array.size}")
        return array
