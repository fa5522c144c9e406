"""What a section is built with besides the artifacts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from reportgen.analysis.evidence import Artifacts
from reportgen.report.blocks import AssetRef
from reportgen.report.types import Section

PictureKind = Literal["photo", "pixels", "maps"]


class DrawPicture(Protocol):
    """Turns an array of uint8 (h, w), (h, w, 3) or (h, w, 4) into a stored picture and returns its reference.

    "photo" is for thumbnails (WebP, may be shrunk), "pixels" for small pictures kept exact (PNG), "maps" for grey
    montages (8-bit palette PNG at native size).
    """

    def __call__(self, pixels: NDArray[Any], kind: PictureKind, alt: str) -> AssetRef:
        """Encode, store and return the reference."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The tools a section may use."""

    draw: DrawPicture


BuildSection = Callable[[Artifacts, Context], Section]
