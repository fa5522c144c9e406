"""Statistics of every weight, by NumPy, on all of its values; NaN and Inf are counted exactly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reportgen.analysis.evidence import Kernels, WeightFacts
from reportgen.analysis.filters import count_duplicates
from reportgen.worker.fresh_weights import compare_fresh, find_initializer, find_owner, output_axes
from reportgen.worker.walk import Walk, own_trainable, own_weights
from reportgen.worker.watch import to_numpy

MAX_KERNEL_VALUES = 2**20
# Variables whose output units can be compared; embeddings and recurrent kernels have none of their own.
KERNELS = frozenset({"kernel", "depthwise_kernel", "pointwise_kernel"})
GATED = frozenset({"LSTM", "LSTMCell", "GRU", "GRUCell"})


def read_weights(walk: Walk) -> tuple[WeightFacts, ...]:
    """Return one row a variable, in the order of the layers' first calls."""
    facts = []
    for call in walk.first_calls():
        trainable = {id(variable) for variable in own_trainable(call.layer)}
        for variable in own_weights(call.layer):
            facts.append(_measure(call.layer, call.path, variable, id(variable) in trainable))
    return tuple(facts)


def _measure(layer: Any, path: str, variable: Any, trainable: bool) -> WeightFacts:
    """Return the row of one variable."""
    values = _values(variable)
    numbers = summarise(values) if values.dtype.kind in "fiub" else dict(EMPTY)
    owner, short = find_owner(layer, variable)
    initializer = find_initializer(owner, short)
    units = output_units(owner, short, values)
    return WeightFacts(
        layer=path,
        name=_inner_name(layer, variable),
        shape=tuple(int(size) for size in values.shape),
        dtype=str(variable.dtype),
        size=int(values.size),
        trainable=trainable,
        initializer=type(initializer).__name__ if initializer is not None else "",
        filters=0 if units is None else len(units),
        duplicates=0 if units is None else count_duplicates(units),
        fresh=compare_fresh(owner, short, variable, values, initializer),
        **numbers,
    )


EMPTY: dict[str, Any] = {
    "norm": math.nan,
    "mean": math.nan,
    "std": math.nan,
    "low": math.nan,
    "high": math.nan,
    "zeros": 0,
    "nan": 0,
    "inf": 0,
}


def summarise(values: Any) -> dict[str, Any]:
    """Return norm, moments and extremes of the finite values, and exact counts of zeros, NaN and infinities."""
    flat = values.reshape(-1)
    if flat.size == 0:
        return dict(EMPTY)
    # A sum is finite only if every value is (or it overflows): the usual case needs no pass of its own.
    with np.errstate(all="ignore"):
        total = float(flat.sum(dtype=np.float64))
    nan = inf = 0
    zeros = int(flat.size - np.count_nonzero(flat))
    if not math.isfinite(total):
        nan, inf = int(np.isnan(flat).sum()), int(np.isinf(flat).sum())
        flat = flat[np.isfinite(flat)]
        if flat.size == 0:
            return {**EMPTY, "nan": nan, "inf": inf}
        total = float(flat.sum(dtype=np.float64))
    mean = total / flat.size
    squares = _sum_of_squares(flat)
    low, high = float(flat.min()), float(flat.max())
    # Around its first value, so that a large common offset does not drown the spread.
    variance = 0.0 if low == high else max(0.0, _sum_of_squares(flat, mean) / flat.size)
    return {
        "norm": math.sqrt(squares),
        "mean": mean,
        "std": math.sqrt(variance),
        "low": low,
        "high": high,
        "zeros": zeros,
        "nan": nan,
        "inf": inf,
    }


def _sum_of_squares(flat: Any, around: float = 0.0, block: int = 1 << 18) -> float:
    """Return the sum of (value - around) squared in float64, block by block to stay in cache."""
    total = 0.0
    for start in range(0, flat.size, block):
        part = flat[start : start + block].astype(np.float64)
        if around:
            part -= around
        total += float(np.dot(part, part))
    return total


def _inner_name(layer: Any, variable: Any) -> str:
    """Return a variable's name within its layer: "kernel", or "query/kernel" where several parts have one."""
    short = str(variable.name).rsplit("/", 1)[-1]
    alike = sum(str(other.name).rsplit("/", 1)[-1] == short for other in layer.weights)
    parts = [part for part in str(getattr(variable, "path", short)).split("/") if part != layer.name]
    return f"{parts[0]}/{short}" if alike > 1 and len(parts) > 1 else short


def output_units(owner: Any, short: str, values: Any) -> Any:
    """Return a kernel as (output units, weights of each), or None for what is no kernel or has no such units.

    Gates of a recurrent layer belong to their unit; a depthwise kernel has one unit an input channel and multiplier.
    """
    if values.ndim < 2 or values.dtype.kind != "f" or short not in KERNELS:
        return None
    kind, outer = type(owner).__name__, output_axes(owner, values.ndim)
    if outer:
        size = math.prod(values.shape[axis] for axis in outer)
        return np.moveaxis(values, outer, range(len(outer))).reshape(size, -1)
    if hasattr(owner, "equation"):
        return None
    if "Transpose" in kind:
        return np.moveaxis(values, -2, 0).reshape(values.shape[-2], -1)
    if short == "depthwise_kernel" or kind.startswith("Depthwise"):
        return np.moveaxis(values, (-2, -1), (0, 1)).reshape(values.shape[-2] * values.shape[-1], -1)
    units = getattr(owner, "units", None)
    if isinstance(units, int) and kind in GATED and values.shape[-1] % units == 0:
        return np.moveaxis(values.reshape(*values.shape[:-1], -1, units), -1, 0).reshape(units, -1)
    return np.moveaxis(values, -1, 0).reshape(values.shape[-1], -1)


def read_kernels(walk: Walk) -> Kernels | None:
    """Return the kernels of the first convolution as (height, width, in, out) float32.

    None without one (or a 3-D one).
    """
    for call in walk.first_calls():
        name = type(call.layer).__name__
        if name not in {"Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D"}:
            continue
        values = _values(_kernel_of(call.layer)).astype(np.float32)
        if values.ndim == 3:
            values = values[None]
        if values.size <= MAX_KERNEL_VALUES:
            return Kernels(call.path, values)
    return None


def _kernel_of(layer: Any) -> Any:
    """Return a convolution's first kernel."""
    return layer.depthwise_kernel if hasattr(layer, "depthwise_kernel") else layer.kernel


def _values(variable: Any) -> Any:
    """Return a variable's values, without a copy where the backend allows."""
    import keras

    return to_numpy(keras.ops.convert_to_tensor(variable))
