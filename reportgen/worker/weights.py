"""Statistics of every weight, by NumPy, on all of its values; NaN and Inf are counted exactly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reportgen.analysis.evidence import Kernels, WeightFacts
from reportgen.worker.walk import Walk
from reportgen.worker.watch import to_numpy

MAX_KERNEL_VALUES = 2**20


def read_weights(walk: Walk) -> tuple[WeightFacts, ...]:
    """Return one row a variable, in the order of the layers' first calls."""
    facts = []
    for call in walk.first_calls():
        trainable = {id(variable) for variable in getattr(call.layer, "trainable_weights", ())}
        for variable in getattr(call.layer, "weights", ()):
            facts.append(_measure(call.layer, call.path, variable, id(variable) in trainable))
    return tuple(facts)


def _measure(layer: Any, path: str, variable: Any, trainable: bool) -> WeightFacts:
    """Return the row of one variable."""
    values = _values(variable)
    numbers = summarise(values) if values.dtype.kind in "fiub" else dict(EMPTY)
    return WeightFacts(
        layer=path,
        name=_inner_name(layer, variable),
        shape=tuple(int(size) for size in values.shape),
        dtype=str(variable.dtype),
        size=int(values.size),
        trainable=trainable,
        initializer=_initializer(layer, variable),
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


def _initializer(layer: Any, variable: Any) -> str:
    """Return the class name of the initializer of a weight, "" if unknown."""
    short = str(variable.name).rsplit("/", 1)[-1]
    names = (f"{short}_initializer", f"{short.removesuffix('_kernel')}_initializer")
    inner = getattr(layer, "forward_layer", None) or getattr(layer, "layer", None)
    owners = (layer, inner, getattr(layer, "cell", None), getattr(inner, "cell", None))
    found = (getattr(owner, name, None) for owner in owners for name in names)
    return next((type(initializer).__name__ for initializer in found if initializer is not None), "")


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
