"""Readers of test batches. Each yields the same `Chunk`; a source need not be readable twice.

A new format is one function `BatchSpec -> Source` and one line in `LOADERS`.
"""

from __future__ import annotations

from collections.abc import Callable

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Chunk, Source
from reportgen.worker.batch.npz import open_npz
from reportgen.worker.plan import BatchSpec

__all__ = ["LOADERS", "Chunk", "Source", "open_batch"]

LOADERS: dict[str, Callable[[BatchSpec], Source]] = {
    "npz": open_npz,
}


def open_batch(spec: BatchSpec) -> Source:
    """Open a batch by its format; only headers are read. Raises InputRefused."""
    loader = LOADERS.get(spec.format)
    if loader is None:
        raise InputRefused(f"{spec.path}: batches of format {spec.format!r} cannot be read ({', '.join(LOADERS)} can)")
    return loader(spec)
