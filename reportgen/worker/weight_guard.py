"""Stop a model file while it is built, when it asks for weights that it does not hold: before they take memory.

The preflight reads what a config declares; what a layer really needs is known only to Keras, while it is built. A file
of 12 KB can ask for gigabytes by the shape of an input, or by layers that declare no size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reportgen.analysis.evidence import Problem

FLOOR = 64 << 20  # below this, nothing is a danger
SPARE = 16  # how far weights may exceed the file (quantised and packed ones take fewer bytes)
BYTES = 4


class TooLarge(BaseException):
    """A layer asks for too much. No Exception: Keras turns every one of them into one of its own."""

    def __init__(self, layer: str, wanted: int) -> None:
        super().__init__(layer)
        self.layer, self.wanted = layer, wanted

    def problem(self, path: Path, held: int) -> Problem:
        """Say what was refused."""
        text = f"{path.name}: its layers ask for more than {self.wanted:,} bytes of weights (layer `{self.layer}`)"
        return Problem("load", f"{text} and the file has {held:,}: refused.", "Save the whole model again.")


@contextmanager
def weights_within(held: int) -> Iterator[None]:
    """While this lasts, layers may ask for no more weights than a file of `held` bytes can hold; raises TooLarge."""
    import keras

    limit, total = max(FLOOR, SPARE * held), 0
    whole = keras.layers.Layer.add_weight

    def counted(layer: Any, *args: Any, **settings: Any) -> Any:
        """Count a weight before it is made."""
        nonlocal total
        shape = settings.get("shape") if settings.get("shape") is not None else args[0] if args else ()
        total += BYTES * _count(shape)
        if total > limit:
            raise TooLarge(str(getattr(layer, "name", "")), total)
        return whole(layer, *args, **settings)

    keras.layers.Layer.add_weight = counted
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = whole


def _count(shape: Any) -> int:
    """Return how many numbers a shape holds; 0 for one that is none, which Keras refuses itself."""
    try:
        return math.prod(int(size) for size in shape)
    except (TypeError, ValueError):
        return int(shape) if isinstance(shape, int) else 0
