"""Readers of test batches. Each yields the same `Chunk`; a source need not be readable twice.

A new format is one function `BatchSpec -> Source` and one line in `LOADERS`.
"""

from __future__ import annotations

from collections.abc import Callable

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Chunk, Source
from reportgen.worker.batch.csv_rows import open_csv
from reportgen.worker.batch.dataset import open_saved_dataset
from reportgen.worker.batch.function import open_function
from reportgen.worker.batch.hdf5 import open_hdf5
from reportgen.worker.batch.image_folder import open_images
from reportgen.worker.batch.npy import open_npy
from reportgen.worker.batch.npz import open_npz
from reportgen.worker.batch.parquet import open_parquet
from reportgen.worker.batch.tfrecord import open_tfrecord
from reportgen.worker.plan import BatchSpec

__all__ = ["LOADERS", "Chunk", "Source", "open_batch"]

LOADERS: dict[str, Callable[[BatchSpec], Source]] = {
    "npz": open_npz,
    "npy": open_npy,
    "hdf5": open_hdf5,
    "csv": open_csv,
    "parquet": open_parquet,
    "images": open_images,
    "tfrecord": open_tfrecord,
    "dataset": open_saved_dataset,
    "function": open_function,
}


def open_batch(spec: BatchSpec) -> Source:
    """Open a batch by its format; only headers are read. Raises InputRefused."""
    loader = LOADERS.get(spec.format)
    if loader is None:
        raise InputRefused(f"{spec.path}: batches of format {spec.format!r} cannot be read ({', '.join(LOADERS)} can)")
    return loader(spec)
