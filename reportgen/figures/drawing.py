"""A drawn figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drawing:
    """The bytes of one figure, its media type, and its size in CSS pixels."""

    media_type: str
    data: bytes
    width: int
    height: int
