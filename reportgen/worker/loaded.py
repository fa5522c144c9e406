"""What loading a model gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Loaded:
    """A live model and what had to be done to load it.

    `closed` says why its layers cannot be looked into ("" if they can); `parameters` are then all and the trainable.
    """

    model: Any
    notes: tuple[str, ...] = ()
    closed: str = ""
    parameters: tuple[int, int] = (0, 0)
