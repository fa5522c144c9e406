"""A training history as arrays, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric of the history. `epochs` int64 from 1, ascending; `values` float64, NaN or Inf as in the file."""

    name: str
    epochs: Array
    values: Array


@dataclass(frozen=True, slots=True)
class History:
    """The training history. Old names are translated (acc -> accuracy, lr -> learning_rate).

    `seams` are the epochs at which a resumed run continues; `restored_epoch` is the one whose weights were restored,
    when recorded; `notes` are sentences about what was skipped or repaired.
    """

    source: str
    curves: tuple[Curve, ...]
    seams: tuple[int, ...] = ()
    restored_epoch: int | None = None
    notes: tuple[str, ...] = ()

    def curve(self, name: str) -> Curve | None:
        """Return the curve called `name`, or None."""
        return next((curve for curve in self.curves if curve.name == name), None)
