"""What CSV and Parquet have in common: columns become arrays by name, texts of labels become class indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Array
from reportgen.worker.plan import BatchSpec


def columns_of(spec: BatchSpec, array: str) -> tuple[str, ...]:
    """Return the columns that stand for an array of the plan."""
    return spec.columns.get(array, (array,))


def is_flat(spec: BatchSpec, array: str) -> bool:
    """Tell whether an array is one column by its own name: one value a sample, not a row of one."""
    return columns_of(spec, array) == (array,)


def stack(spec: BatchSpec, array: str, columns: Mapping[str, Array]) -> Array:
    """Return one array (n,) or (n, columns) from columns by name; numbers take the widest type among them."""
    names = columns_of(spec, array)
    if is_flat(spec, array):
        return columns[array]
    return np.stack([columns[name] for name in names], axis=1)


def label_arrays(spec: BatchSpec) -> dict[str, tuple[str, ...]]:
    """Return the class names for each array that holds labels ("" of `classes` stands for all)."""
    return {array: spec.classes.get(key, spec.classes.get("", ())) for key, array in spec.y.items()}


def to_indices(texts: Array, names: Sequence[str], place: str) -> Array:
    """Return class indices for texts. Raises InputRefused for one that is not among the names."""
    known = {name: index for index, name in enumerate(names)}
    try:
        return np.array([known[text] for text in texts.tolist()], dtype=np.int64)
    except KeyError as error:
        listed = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        raise InputRefused(
            f"{place}: the label {str(error.args[0])[:60]!r} is none of the classes ({listed}); correct batch.classes"
        ) from None
