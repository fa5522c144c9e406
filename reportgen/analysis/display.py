"""Hints of the user's for turning an input back into a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Display:
    """How one input becomes a picture again: times `std`, plus `mean` (one number, or one a channel of the last axis).

    Then `low` is drawn black and `high` white (both None: found from the batch); `bgr` says that the colours stand in
    that order.
    """

    low: float | None = None
    high: float | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    bgr: bool = False
