"""Batches in an HDF5 file, read in slices with h5py. Nothing outside the file is followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Array, Source
from reportgen.worker.batch.rows import Rows, source_of, wanted_arrays
from reportgen.worker.plan import BatchSpec

MAX_CHUNK = 512 * 2**20  # HDF5 unpacks whole chunks


def open_hdf5(spec: BatchSpec) -> Source:
    """Open the datasets that the plan names. Raises InputRefused."""
    try:
        import h5py
    except ImportError:
        text = "this Python has no h5py, which reads HDF5; install it (pip install h5py), or save the batch as NPZ"
        raise InputRefused(f"{Path(spec.path).name}: {text}") from None
    name = Path(spec.path).name
    try:
        file = h5py.File(spec.path, "r")
        rows = {array: _open(h5py, file, array, name) for array in wanted_arrays(spec)}
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise InputRefused(f"{name}: not a readable HDF5 file; write it again", detail=str(error)) from error
    return source_of(spec, rows, name)


def _open(h5py: Any, file: Any, array: str, name: str) -> Rows:
    """Return the rows of one dataset."""
    place = file
    for part in array.strip("/").split("/"):
        link = place.get(part, getlink=True) if isinstance(place, h5py.Group) else None
        if not isinstance(link, h5py.HardLink):
            raise InputRefused(f"{name}: there is no dataset `{array}` in the file itself")
        place = place[part]
    if not isinstance(place, h5py.Dataset) or place.external or place.is_virtual:
        raise InputRefused(f"{name}: `{array}` is no dataset with data of its own")
    if place.chunks and int(np.prod(place.chunks, dtype=np.int64)) * place.dtype.itemsize > MAX_CHUNK:
        raise InputRefused(
            f"{name}: `{array}` is stored in chunks of more than {MAX_CHUNK >> 20} MiB; use smaller ones"
        )
    if h5py.check_string_dtype(place.dtype) is not None:
        return Rows(place.shape, "str", lambda first, last: _texts(place, first, last))
    if place.dtype.kind not in "biuf":
        raise InputRefused(f"{name}: `{array}` holds {place.dtype}; numbers, booleans or text are needed")
    return Rows(place.shape, place.dtype.name, lambda first, last: np.asarray(place[first:last]))


def _texts(dataset: Any, first: int, last: int) -> Array:
    """Return rows of text."""
    values = dataset[first:last]
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8", "replace")
    flat = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values.flat]
    return np.array(flat, dtype=str).reshape(values.shape)
