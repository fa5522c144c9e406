"""Batches that a function of the user's returns (`module:function`, by --trust=code): arrays or a tf.data dataset."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Source
from reportgen.worker.batch.dataset import open_dataset
from reportgen.worker.batch.memory import open_arrays
from reportgen.worker.plan import BatchSpec


def open_function(spec: BatchSpec) -> Source:
    """Call the function and open what it returns. Raises InputRefused, with what went wrong in it as the detail.

    It may return (x, y), (x, y, ids) or {"x": ..., "y": ..., "ids": ...}, x and y being arrays or mappings by name; or
    a tf.data dataset of (x, y).
    """
    module, _, name = spec.path.partition(":")
    if spec.root and spec.root not in sys.path:
        sys.path.insert(0, spec.root)
    try:
        found = getattr(importlib.import_module(module), name)()
    except Exception as error:  # the user's own function may raise anything
        said = (str(error).strip().splitlines() or [""])[0][:200]
        raise InputRefused(f"{spec.path} failed: {type(error).__name__}: {said}", detail=str(error)) from error
    if hasattr(found, "element_spec"):
        return open_dataset(spec, found, spec.path)
    x, y, ids = _parts(found, spec.path)
    return open_arrays(_named(x, spec.x), _named(y, spec.y) if y is not None else {}, ids)


def _parts(found: Any, name: str) -> tuple[Any, Any, Any]:
    """Tell inputs, labels and ids apart."""
    if isinstance(found, Mapping) and "x" in found:
        return found["x"], found.get("y"), [] if found.get("ids") is None else found["ids"]
    if isinstance(found, tuple) and 1 <= len(found) <= 3:
        return found[0], found[1] if len(found) > 1 else None, found[2] if len(found) > 2 else []
    if isinstance(found, np.ndarray):
        return found, None, []
    text = (
        f"returned a {type(found).__name__}; return (x, y), (x, y, ids), a mapping with x and y, or a tf.data dataset"
    )
    raise InputRefused(f"{name} {text}")


def _named(values: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """Return arrays by the plan's keys: those that it names, else as the function names them."""
    if not isinstance(values, Mapping):
        return {next(iter(names), ""): np.asarray(values)}
    chosen = {key: name or key for key, name in names.items() if key or name} or {key: key for key in values}
    missing = [name for name in chosen.values() if name not in values]
    if missing:
        raise InputRefused(f"the function returned no `{missing[0]}`; it returned {', '.join(map(str, values))}")
    return {key: np.asarray(values[name]) for key, name in chosen.items()}
