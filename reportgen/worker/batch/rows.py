"""Batches whose rows can be read from any place on: NPY, HDF5. One chunk is in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Array, Chunk, Source
from reportgen.worker.plan import BatchSpec


@dataclass(frozen=True, slots=True)
class Rows:
    """One array on disk: its shape with the samples first, its dtype by name, and how rows [start, stop) are read."""

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[int, int], Array]


def wanted_arrays(spec: BatchSpec) -> list[str]:
    """Return the names of all arrays that a plan needs, each once."""
    extra = (name for name in (spec.ids, spec.weights) if name)
    return list(dict.fromkeys([*spec.x.values(), *spec.y.values(), *extra]))


def source_of(spec: BatchSpec, rows: Mapping[str, Rows], name: str, notes: tuple[str, ...] = ()) -> Source:
    """Return the source over arrays by name. Raises InputRefused when they differ in length; `name` is the file's."""
    lengths = {array: part.shape[0] for array, part in rows.items()}
    if len(set(lengths.values())) > 1:
        raise InputRefused(f"{name}: the arrays differ in length: {lengths}; each needs one row a sample")
    n = next(iter(lengths.values()), 0)

    def read(size: int) -> Iterator[Chunk]:
        """Yield consecutive rows."""
        for start in range(0, n, size):
            stop = min(start + size, n)
            try:
                yield make_chunk(spec, {array: part.read(start, stop) for array, part in rows.items()})
            except (OSError, ValueError, EOFError) as error:
                text = f"{name}: rows {start} to {stop} cannot be read; the file is damaged, write it again"
                raise InputRefused(text, detail=str(error)) from error

    inputs = {key: rows[array] for key, array in spec.x.items()}
    shapes = {key: part.shape[1:] for key, part in inputs.items()}
    return Source(n, shapes, {key: part.dtype for key, part in inputs.items()}, read, notes)


def make_chunk(spec: BatchSpec, arrays: Mapping[str, Array]) -> Chunk:
    """Return the chunk that arrays by name make."""
    return Chunk(
        ids=as_ids(arrays[spec.ids]) if spec.ids else (),
        inputs={key: arrays[array] for key, array in spec.x.items()},
        targets={key: arrays[array] for key, array in spec.y.items()},
        weights=arrays[spec.weights].reshape(-1) if spec.weights else None,
    )


def as_ids(values: Array) -> tuple[str, ...]:
    """Return ids as texts."""
    return tuple(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for value in np.asarray(values).reshape(-1).tolist()
    )
