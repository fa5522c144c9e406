"""A history as NPZ: one array of numbers a metric."""

from __future__ import annotations

import io
import math
import zlib

import numpy as np

from reportgen.inputs.history_table import Table, Unreadable

SIZE_LIMIT = 256 << 20


def read_history_npz(data: bytes) -> Table:
    """Return the table of an NPZ history; object arrays are never unpickled. Raises Unreadable."""
    import zipfile

    table = Table()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            if sum(archive.getinfo(name).file_size for name in names) > SIZE_LIMIT:
                raise Unreadable(f"its arrays declare more than {SIZE_LIMIT:,} bytes")
            if not names:
                raise Unreadable("is a zip file without any array; save one: np.savez(path, **history.history)")
            for name in names:
                metric = name.removesuffix(".npy")
                if metric in table.columns:
                    raise Unreadable(f"the array `{metric}` stands twice; keep one")
                table.columns[metric] = _read(archive.read(name), metric)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, KeyError) as error:
        raise Unreadable(f"the NPZ file is corrupt ({str(error)[:100]}); save it again") from None
    epochs = table.columns.pop("epoch", None)
    table.epochs = epochs if epochs and all(len(v) == len(epochs) for v in table.columns.values()) else None
    return table


def _check_size(data: bytes, metric: str) -> None:
    """Refuse an array whose header claims more than there is, before as much is asked for. Raises ValueError too."""
    stream = io.BytesIO(data)
    read = np.lib.format.read_array_header_1_0
    if np.lib.format.read_magic(stream) != (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    claimed, stored = math.prod(map(int, shape)) * int(dtype.itemsize), len(data) - stream.tell()
    if not dtype.hasobject and claimed != stored:
        raise Unreadable(f"the array `{metric}` declares {claimed:,} bytes and holds {stored:,}; save it again")


def _read(data: bytes, metric: str) -> list[float]:
    """Return one array as a list of numbers."""
    try:
        _check_size(data, metric)
        values = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError) as error:
        if "pickle" in str(error):
            text = (
                f"the array `{metric}` holds Python objects (a pickle); save numbers: np.savez(path, **history.history)"
            )
            raise Unreadable(text) from None
        raise Unreadable(f"the array `{metric}` is damaged; save it again") from None
    if values.dtype.kind not in "biuf" or values.ndim > 1:
        raise Unreadable(f"the array `{metric}` holds {values.dtype} of shape {values.shape}, not one number an epoch")
    return [float(value) for value in np.atleast_1d(values)]
