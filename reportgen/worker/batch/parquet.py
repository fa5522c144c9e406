"""Batches in a Parquet file, read with pyarrow in row batches (the extra `reportgen[tables]`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Array, Chunk, Source
from reportgen.worker.batch.rows import make_chunk, wanted_arrays
from reportgen.worker.batch.table import columns_of, is_flat, label_arrays, stack, to_indices
from reportgen.worker.plan import BatchSpec

MAX_GROUP = 4 * 2**30  # declared bytes of one row group: what may have to be unpacked at once
NEEDED = "Parquet is read with pyarrow, which this Python does not have; install it: pip install 'reportgen[tables]'"


def open_parquet(spec: BatchSpec) -> Source:
    """Open the file and look at its schema. Raises InputRefused."""
    path = Path(spec.path)
    wanted = list(dict.fromkeys(c for array in wanted_arrays(spec) for c in columns_of(spec, array)))
    file = open_file(path)
    first = _first_row(file, wanted, path.name)
    shapes, dtypes = {}, {}
    for key, name in spec.x.items():
        sample = stack(spec, name, first)
        shapes[key] = sample.shape[1:]
        dtypes[key] = "str" if sample.dtype.kind == "U" else sample.dtype.name
        if not is_flat(spec, name) and sample.ndim > 2:
            raise InputRefused(f"{path.name}: lists cannot be put side by side (batch.x); name one column")
    return Source(file.metadata.num_rows, shapes, dtypes, lambda size: _read(path, spec, wanted, size))


def open_file(path: Path) -> Any:
    """Return the opened file; raises InputRefused when it is none, or when pyarrow is missing."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise InputRefused(f"{path.name}: {NEEDED}") from None
    try:
        file = pq.ParquetFile(path, memory_map=False, pre_buffer=False, buffer_size=1 << 20)
    except (pa.ArrowException, OSError, ValueError) as error:
        text = f"{path.name}: the Parquet file is corrupt or was not finished; write it again"
        raise InputRefused(text, detail=str(error)) from None
    groups = [file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)]
    if max(groups, default=0) > MAX_GROUP:
        text = (
            f"one row group declares {max(groups):,} bytes, more than {MAX_GROUP:,}; write it with smaller row groups"
        )
        raise InputRefused(f"{path.name}: {text}")
    return file


def read_batches(file: Any, size: int, columns: list[str], name: str) -> Iterator[Any]:
    """Yield record batches of at most `size` rows; raises InputRefused for a file that turns out to be damaged."""
    try:
        yield from file.iter_batches(size, columns=columns, use_threads=False)
    except (OSError, ValueError) as error:
        raise InputRefused(f"{name}: the Parquet file is damaged; write it again", detail=str(error)) from None


def _first_row(file: Any, wanted: list[str], name: str) -> dict[str, Array]:
    """Return the first row of the columns (an empty one of the right kind where there is none)."""
    for batch in read_batches(file, 1, wanted, name):
        if batch.num_rows:
            return {column: to_array(batch.column(column), column) for column in wanted}
    empty = file.schema_arrow.empty_table().select(wanted)
    return {name: to_array(empty.column(name).combine_chunks(), name) for name in wanted}


def to_array(column: Any, name: str) -> Array:
    """Return an Arrow column as numbers, text, or rows of numbers (lists of one length); null becomes NaN or ""."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return np.array(["" if text is None else text for text in column.to_pylist()], dtype=str)
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
        return _lists(column, name)
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    if pa.types.is_decimal(kind):
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    raise InputRefused(f"column `{name}` holds {kind}; numbers, booleans, text or lists of numbers are needed")


def _lists(column: Any, name: str) -> Array:
    """Return a column of lists as (n, length, ...)."""
    rows = len(column)
    inner = to_array(column.flatten(), name)
    lengths = {len(item) for item in column} if rows else {0}
    if len(lengths) > 1 or column.null_count:
        raise InputRefused(f"column `{name}` holds lists of different lengths; pad them to one")
    return inner.reshape(rows, lengths.pop(), *inner.shape[1:])


def _read(path: Path, spec: BatchSpec, wanted: list[str], size: int) -> Iterator[Chunk]:
    """Yield chunks of at most `size` samples."""
    labels = label_arrays(spec)
    for batch in read_batches(open_file(path), size, wanted, path.name):
        columns = {name: to_array(batch.column(name), name) for name in wanted}
        arrays = {name: stack(spec, name, columns) for name in wanted_arrays(spec)}
        for name, classes in labels.items():
            if arrays[name].dtype.kind == "U":
                arrays[name] = to_indices(arrays[name], classes, path.name)
        if batch.num_rows:
            yield make_chunk(spec, arrays)
