"""A batch that is already in memory: the Python API and the callback have one at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Array, Chunk, Source


def open_arrays(inputs: Mapping[str, Array], targets: Mapping[str, Array], ids: Sequence[str] = ()) -> Source:
    """Return a source over arrays with one row a sample. Raises InputRefused when they differ in length."""
    arrays = {name: np.asarray(values) for name, values in inputs.items()}
    labels = {name: np.asarray(values) for name, values in targets.items()}
    lengths = {f"x {name}".strip(): len(values) for name, values in arrays.items()}
    lengths |= {f"y {name}".strip(): len(values) for name, values in labels.items()}
    lengths |= {"ids": len(ids)} if len(ids) else {}
    if len(set(lengths.values())) > 1:
        raise InputRefused(f"the arrays differ in length: {lengths}; each needs one row a sample")
    n = next(iter(lengths.values()), 0)
    names = tuple(str(name) for name in ids)

    def read(size: int) -> Iterator[Chunk]:
        """Yield consecutive rows."""
        for start in range(0, n, size):
            rows = slice(start, start + size)
            x = {name: values[rows] for name, values in arrays.items()}
            yield Chunk(names[rows], x, {name: values[rows] for name, values in labels.items()})

    shapes = {name: tuple(values.shape[1:]) for name, values in arrays.items()}
    return Source(n, shapes, {name: values.dtype.name for name, values in arrays.items()}, read)
