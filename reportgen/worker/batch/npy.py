"""Batches of NPY files in one folder: rows are read from where they stand, so any size takes one chunk's memory."""

from __future__ import annotations

import math
import tokenize
from pathlib import Path
from typing import IO, Any

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Array, Source, check_letters
from reportgen.worker.batch.rows import Rows, source_of, wanted_arrays
from reportgen.worker.plan import BatchSpec

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def open_npy(spec: BatchSpec) -> Source:
    """Read the headers of the files that the plan names, below `spec.path`. Raises InputRefused."""
    folder = Path(spec.path)
    return source_of(spec, {name: _open(folder / name) for name in wanted_arrays(spec)}, folder.name)


def read_npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, Fortran order and dtype of an NPY file, versions 1.0 and 2.0; raises ValueError."""
    read = _HEADERS.get(np.lib.format.read_magic(file))
    if read is None:
        raise ValueError("of an unknown version")
    try:
        return read(file)
    except (TypeError, SyntaxError, RecursionError, EOFError, tokenize.TokenError) as error:
        raise ValueError("its header cannot be read") from error


def _open(path: Path) -> Rows:
    """Return the rows of one file."""
    try:
        with path.open("rb") as file:
            shape, fortran, dtype = read_npy_header(file)
            start = file.tell()
    except (OSError, ValueError) as error:
        raise InputRefused(f"{path.name}: not a readable NPY file; save it with np.save", detail=str(error)) from error
    if dtype.hasobject or dtype.kind not in "biufUS" or not shape:
        raise InputRefused(
            f"{path.name}: holds {dtype} of shape {shape}; numbers or text, one row a sample, are needed"
        )
    if fortran and len(shape) > 1:
        return Rows(shape, dtype.name, lambda first, last: _read_columns(path, start, shape, dtype, first, last))
    return Rows(shape, dtype.name, lambda first, last: _read_rows(path, start, shape, dtype, first, last))


def _read_rows(path: Path, header: int, shape: tuple[int, ...], dtype: np.dtype[Any], first: int, last: int) -> Array:
    """Return rows of a C-ordered file. Read, not mapped: mapped pages would count as this process's memory."""
    size = math.prod(shape[1:])
    with path.open("rb") as file:
        file.seek(header + first * size * dtype.itemsize)
        data = file.read((last - first) * size * dtype.itemsize)
    rows = np.frombuffer(data, dtype).reshape(last - first, *shape[1:])
    check_letters(rows, path.name)
    return rows


def _read_columns(
    path: Path, header: int, shape: tuple[int, ...], dtype: np.dtype[Any], first: int, last: int
) -> Array:
    """Return rows of a Fortran-ordered file, gathered through a mapping that is given up right away."""
    mapped = np.memmap(path, dtype, "r", header, shape, order="F")
    rows = np.array(mapped[first:last], order="C")
    check_letters(rows, path.name)
    return rows
