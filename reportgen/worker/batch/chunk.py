"""What every reader yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
LAST_LETTER = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some consecutive samples, as stored. Arrays have one row a sample.

    `inputs` and `targets` are keyed as in the plan's `x` and `y` ("" for the only one); `targets` is empty and
    `weights` None when there are none. `ids` is empty or has one text a sample.
    """

    ids: tuple[str, ...]
    inputs: dict[str, Array]
    targets: dict[str, Array]
    weights: Array | None = None

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True, slots=True)
class Source:
    """An opened batch. `n` is the number of samples, None where the format does not say.

    `shapes` and `dtypes` describe each input without the batch axis. `read(size)` yields chunks of at most `size`
    samples, once. `notes` are sentences about what was repaired.
    """

    n: int | None
    shapes: dict[str, tuple[int, ...]]
    dtypes: dict[str, str]
    read: Callable[[int], Iterator[Chunk]]
    notes: tuple[str, ...] = field(default=())


def check_letters(array: Array, what: str) -> None:
    """Raise ValueError for text whose stored numbers are no letters: Python cannot even make a string of them."""
    if array.dtype.kind == "U" and array.size and array.dtype.itemsize:
        stored = np.dtype(np.uint32).newbyteorder(array.dtype.byteorder)
        if int(np.frombuffer(array.tobytes(), stored).max()) > LAST_LETTER:
            raise ValueError(f"{what} holds text that is none")
