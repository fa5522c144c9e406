"""Batches in a tf.data dataset: a saved one, or one that a function returned. Needs TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Array, Chunk, Source
from reportgen.worker.batch.rows import as_ids
from reportgen.worker.plan import BatchSpec


def open_saved_dataset(spec: BatchSpec) -> Source:
    """Load a dataset that `dataset.save(path)` wrote. Raises InputRefused."""
    import tensorflow as tf

    name = Path(spec.path).name
    try:
        dataset = tf.data.Dataset.load(spec.path)
    except (tf.errors.OpError, ValueError, TypeError, OSError) as error:
        text = f"{name}: the saved dataset cannot be loaded; save it again with dataset.save('{name}')"
        raise InputRefused(text, detail=str(error)) from None
    return open_dataset(spec, dataset, name)


def open_dataset(spec: BatchSpec, dataset: Any, name: str) -> Source:
    """Return a source over a dataset of x, (x, y) or (x, y, weights); x and y may be mappings by name.

    Whether its elements are batches is told by the model's own input shape, else by an open first axis.
    """
    element = dataset.element_spec
    parts = element if isinstance(element, tuple) else (element,)
    inputs = _named(parts[0], spec.x)
    batched = all(_is_batched(part, spec.shapes.get(key) or _only(spec.shapes)) for key, part in inputs.items())
    shapes = {key: tuple(int(d or 0) for d in part.shape[batched:]) for key, part in inputs.items()}
    dtypes = {key: "str" if part.dtype.name == "string" else part.dtype.name for key, part in inputs.items()}
    count = int(dataset.cardinality())
    n = _count(dataset) if batched else count if count >= 0 else None

    def read(size: int) -> Iterator[Chunk]:
        """Yield chunks of at most `size` samples."""
        rows = dataset.unbatch() if batched else dataset
        for item in rows.batch(size).as_numpy_iterator():
            values = item if isinstance(item, tuple) else (item,)
            x = _pick(values[0], spec.x)
            ids = as_ids(values[0][spec.ids]) if spec.ids and isinstance(values[0], Mapping) else ()
            y = _pick(values[1], spec.y) if len(values) > 1 and values[1] is not None else {}
            weights = np.asarray(values[2]).reshape(-1) if len(values) > 2 else None
            yield Chunk(ids, {key: _plain(value) for key, value in x.items()}, _plain_all(y), weights)

    return Source(n, shapes, dtypes, read)


def _count(dataset: Any) -> int | None:
    """Return the samples of a batched dataset where its spec fixes them, else None."""
    count = int(dataset.cardinality())
    element = dataset.element_spec
    first = element[0] if isinstance(element, tuple) else element
    leading = next(iter(first.values())).shape[0] if isinstance(first, Mapping) else first.shape[0]
    return count * int(leading) if count >= 0 and leading is not None else None


def _only(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...] | None:
    """Return the model's shape when it has one input."""
    return next(iter(shapes.values())) if len(shapes) == 1 else None


def _is_batched(part: Any, shape: tuple[int, ...] | None) -> bool:
    """Tell whether a part of an element holds several samples."""
    rank = len(part.shape)
    if shape is not None and rank in (len(shape), len(shape) + 1):
        return rank == len(shape) + 1
    return rank > 0 and part.shape[0] is None


def _named(part: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a part of an element by the plan's keys."""
    if isinstance(part, Mapping):
        return _pick(part, names)
    if isinstance(part, tuple):
        return dict(zip(names or [""], part, strict=False))
    return {next(iter(names), ""): part}


def _pick(part: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the entries that the plan names; all of them when it names none."""
    if isinstance(part, Mapping):
        wanted = {key: name or key for key, name in names.items() if key or name} or {key: key for key in part}
        missing = [name for name in wanted.values() if name not in part]
        if missing:
            raise InputRefused(f"the dataset has no `{missing[0]}`; it has {', '.join(map(str, part))}")
        return {key: part[name] for key, name in wanted.items()}
    return _named(part, names)


def _plain(value: Any) -> Array:
    """Return numbers, or text from bytes."""
    array = np.asarray(value)
    if array.dtype.kind == "O":
        flat = [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in array.flat]
        return np.array(flat, dtype=str).reshape(array.shape)
    return array


def _plain_all(values: Mapping[str, Any]) -> dict[str, Array]:
    """Return every label array as numbers or text."""
    return {key: _plain(value) for key, value in values.items()}
