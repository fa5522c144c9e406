"""Batches of arrays with names: NPZ, NPY files in a folder, HDF5. Headers only are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.config_batch import Batch
from reportgen.errors import InputRefused
from reportgen.inputs.described import (
    BYTES_LIMIT,
    ArrayHeader,
    Described,
    check_ids,
    check_kind,
    check_lengths,
    describe_array,
    find_name,
)
from reportgen.inputs.ends import Ends
from reportgen.inputs.files import check_file, shown
from reportgen.inputs.hdf5 import Dataset, read_structure
from reportgen.inputs.hdf5_bytes import Corrupt
from reportgen.inputs.keras_zip import map_file
from reportgen.inputs.npz import read_npz_headers
from reportgen.worker.batch.npy import read_npy_header
from reportgen.worker.plan import BatchSpec

EXPANSION_LIMIT = 1000  # what HDF5's filters may unpack to; data that anyone measured stays far below
EXPANSION_FLOOR = 1 << 30
Names = dict[str, str]


def describe_npz(batch: Batch, ends: Ends, confine: Path | None) -> Described:
    """Describe an NPZ file."""
    return _describe(batch, ends, "npz", batch.path, lambda names: read_npz_headers(batch.path))


def describe_hdf5(batch: Batch, ends: Ends, confine: Path | None) -> Described:
    """Describe an HDF5 file."""
    return _describe(batch, ends, "hdf5", batch.path, lambda names: read_hdf5_headers(batch.path))


def describe_npy(batch: Batch, ends: Ends, confine: Path | None) -> Described:
    """Describe NPY files: `x`, `y`, `ids` name files in the folder, or beside the one that `path` names (then `x`)."""
    folder = batch.path if batch.path.is_dir() else batch.path.parent
    if not batch.path.is_dir():
        batch = batch.model_copy(update={"x": batch.x or {"": batch.path.name}})
    return _describe(batch, ends, "npy", folder, lambda names: {n: _npy_header(folder, n, confine) for n in names})


def _npy_header(folder: Path, name: str, confine: Path | None) -> ArrayHeader:
    """Return the header of one NPY file, which must lie in the folder."""
    path = folder / name
    if os.sep in name or name in ("", ".", ".."):
        raise InputRefused(f"{shown(folder)}: `{name[:80]}` is no file name; name the NPY files in this folder")
    if not path.exists():
        there = sorted(entry.name for entry in folder.iterdir() if entry.suffix == ".npy")
        find_name(there, name, "batch.x, y or ids", shown(folder), "NPY file")
    size = check_file(path, "the batch")
    if confine is not None and not path.resolve().is_relative_to(confine):
        raise InputRefused(f"{shown(path)}: the link leads outside {confine}, the folder of --confine")
    try:
        with path.open("rb") as file:
            shape, _, dtype = read_npy_header(file)
            stored = size - file.tell()
    except (OSError, ValueError, TypeError, EOFError) as error:
        said = (str(error).splitlines() or [""])[0][:120]
        raise InputRefused(f"{shown(path)}: not an NPY file ({said}); save it with np.save") from None
    declared = int(dtype.itemsize)
    for length in shape:
        declared *= int(length)
    header = ArrayHeader(name, tuple(int(length) for length in shape), dtype, stored, declared)
    if min(shape, default=0) < 0 or (not dtype.hasobject and declared != stored):
        text = f"declares {declared:,} bytes (shape {header.shape}) and holds {stored:,}"
        raise InputRefused(f"{shown(path)}: {text}; the file is corrupt or was not finished")
    return header


def read_hdf5_headers(path: Path) -> dict[str, ArrayHeader]:
    """Return the datasets of an HDF5 file by path; raises InputRefused for links and data that lead outside."""
    size = check_file(path, "the batch")
    name = shown(path)
    try:
        structure = read_structure(memoryview(map_file(path)))
    except Corrupt as error:
        raise InputRefused(f"{name}: corrupt HDF5 data ({error}); write it again") from None
    for link in structure.links:
        text = f"`{link.path}` has the {link.kind} link `{link.target}`: refused; write a file with the data itself"
        raise InputRefused(f"{name}: {text}")
    found = {}
    for dataset in structure.datasets:
        if dataset.outside:
            text = f"`{dataset.path}` keeps its data outside ({dataset.outside}): refused"
            raise InputRefused(f"{name}: {text}; write its data into this file")
        array = dataset.path.strip("/")
        found[array] = ArrayHeader(array, dataset.shape, _dtype(dataset), dataset.declared, dataset.declared)
    total = sum(header.declared for header in found.values())
    if total > EXPANSION_FLOOR and total > EXPANSION_LIMIT * size:
        raise InputRefused(f"{name}: its arrays declare {total:,} bytes and the file has {size:,}: refused as a bomb")
    return found


def _dtype(dataset: Dataset) -> np.dtype[Any]:
    """Return the NumPy type that stands for an HDF5 type of this class and size."""
    try:
        if dataset.kind in ("int", "float"):
            number: np.dtype[Any] = np.dtype(f"{dataset.kind[0]}{dataset.itemsize}")
            return number
    except TypeError:
        return np.dtype("V1")
    other: dict[str, Any] = {"text": "U1", "enum": "?", "compound": [("fields", "i1")], "time": "M8[s]"}
    found: np.dtype[Any] = np.dtype(other.get(dataset.kind, "O"))
    return found


def _describe(
    batch: Batch, ends: Ends, kind: str, path: Path, read: Callable[[list[str]], Mapping[str, ArrayHeader]]
) -> Described:
    """Check the arrays that the configuration names by their headers, and describe them."""
    name = shown(batch.path)
    x, y = _one_array(batch.x, "x"), _one_array(batch.y, "y")
    if not x:
        raise InputRefused(f"{name}: which array holds the inputs? Name it: batch.x")
    used = {f"batch.x{_of(key)}": array for key, array in x.items()}
    used |= {f"batch.y{_of(key)}": array for key, array in y.items()}
    extra = {"batch.ids": batch.ids} if batch.ids else {}
    arrays = read(list(dict.fromkeys([*used.values(), *extra.values()])))
    for key, array in {**used, **extra}.items():
        find_name(arrays, array, key, name)
    for key, array in used.items():
        check_kind(arrays[array], name, text_is_fine=takes_text(key, ends))
    if batch.ids:
        check_ids(arrays[batch.ids], name)
    headers = [arrays[array] for array in {**used, **extra}.values()]
    check_lengths(headers, name)
    total = sum(header.declared for header in {header.name: header for header in headers}.values())
    if kind != "npy" and total > BYTES_LIMIT:
        raise InputRefused(
            f"{name}: the arrays declare {total:,} bytes, more than {BYTES_LIMIT:,}; use a smaller batch"
        )
    parts = [describe_array("x", key, arrays[array]) for key, array in x.items()]
    parts += [describe_array("y", key, arrays[array]) for key, array in y.items()]
    # Whole numbers side by side may be one label a position (a sequence), not one-hot.
    flat = {key: arrays[array] for key, array in y.items() if len(arrays[array].shape) == 2}
    widths = {key: header.shape[1] for key, header in flat.items() if header.dtype.kind not in "iu"}
    spec = BatchSpec(str(path), kind, x, y, ids=batch.ids)
    return Described(spec, headers[0].shape[0], tuple(parts), widths)


def _one_array(given: Mapping[str, str | tuple[str, ...]], role: str) -> Names:
    """Return the array name for each input or output; a list of columns belongs to tables."""
    for value in given.values():
        if not isinstance(value, str):
            raise InputRefused(f"batch.{role}: a list of columns goes with CSV and Parquet files; name one array")
    return {key: str(value) for key, value in given.items()}


def _of(key: str) -> str:
    """Return `.key` for a named input or output, nothing for the only one."""
    return f".{key}" if key else ""


def takes_text(key: str, ends: Ends) -> bool:
    """Tell whether the array at `key` may hold text: an input that takes text, or one of which nothing is known."""
    part, _, name = key.removeprefix("batch.").partition(".")
    if part != "x":
        return False
    kinds = ends.inputs if name not in ends.inputs else {name: ends.inputs[name]}
    return not kinds or "string" in kinds.values()
