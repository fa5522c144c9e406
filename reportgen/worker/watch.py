"""Look at layers' outputs while a model runs: what is needed is reduced at once, so no activation outlives its layer.

Works for any model that calls its layers (functional, nested, subclassed), eagerly or while a graph is traced, on any
Keras backend: the reductions are `keras.ops`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

# Layers whose output is looked at in full; of all others a fixed stride of positions.
FULL = frozenset(
    """Activation ReLU LeakyReLU PReLU ELU Softmax Add Subtract Multiply Average Maximum Minimum Concatenate Dot LSTM GRU
    SimpleRNN Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D RNN MultiHeadAttention GroupedQueryAttention Attention
    AdditiveAttention""".split()
)
# About how many values a sample are looked at in the strided tier, and for histograms in both.
STRIDED_VALUES = 2048

Look = Callable[[Any], Any]


@contextmanager
def watching(layers: Mapping[int, Any], looks: Mapping[int, Look], seen: Callable[[int, Any], None]) -> Iterator[None]:
    """While this lasts, every call of layer `layers[key]` reports `looks[key](output)` to `seen(key, ...)`.

    The layers' `call` is replaced on the instance and restored afterwards, whatever happens.
    """
    before: list[tuple[Any, str, Any]] = []
    try:
        for key, layer in layers.items():
            name = "quantized_call" if getattr(layer, "quantization_mode", None) else "call"
            before.append((layer, name, vars(layer).get(name)))
            object.__setattr__(layer, name, _reporting(getattr(layer, name), key, looks[key], seen))
        yield
    finally:
        for layer, name, old in reversed(before):
            if old is None:
                vars(layer).pop(name, None)
            else:
                object.__setattr__(layer, name, old)


def _reporting(call: Callable[..., Any], key: int, look: Look, seen: Callable[[int, Any], None]) -> Callable[..., Any]:
    """Return `call` with a look at what it returns."""

    def reporting(*args: Any, **kwargs: Any) -> Any:
        """Call the layer, report, return its output unchanged."""
        output = call(*args, **kwargs)
        value = first_tensor(output)
        if value is not None:
            seen(key, look(value))
        return output

    return reporting


def first_tensor(output: Any) -> Any:
    """Return the tensor that stands for a layer's output: the first of several; None for text or nothing."""
    for _ in range(8):
        if isinstance(output, dict):
            output = next(iter(output.values()), None)
        elif isinstance(output, list | tuple):
            output = output[0] if output else None
        else:
            break
    dtype = str(getattr(output, "dtype", ""))
    numeric = any(word in dtype for word in ("float", "int", "bool"))
    shape = getattr(output, "shape", None)
    return output if numeric and shape is not None and len(shape) >= 1 else None


def make_look(layer: Any, full: bool, exact: bool) -> Look:
    """Return the function that reduces one layer's output.

    It gives a dict of tensors, samples first: `some` (s, p, c), the values at a stride of positions; `total` (s,), the sum
    over all positions, finite exactly when they all are; `positions` (s,), how many there are; and with `full`, over all
    positions: `squares`, `low`, `high`, `zeros` (s,) and `peak` (s, c), the largest magnitude of each unit. With `exact`
    (eagerly only), outputs that hold NaN or Inf are summed over their finite values, and `nan`, `inf`, `finite` (s,) added.
    """
    first = getattr(layer, "data_format", None) == "channels_first"

    def look(value: Any) -> dict[str, Any]:
        """Reduce one output."""
        from keras import ops

        value = _channels_last(ops.cast(value, "float32"), first)
        stride = stride_of(tuple(value.shape))
        # Summed by position first: short sums keep float32 accurate.
        found = {"some": value[:, ::stride] if stride > 1 else value, "total": ops.sum(ops.sum(value, axis=1), axis=1)}
        found["positions"] = ops.full_like(found["total"], ops.cast(ops.shape(value)[1], "float32"))
        if full:
            found |= _reduce_all(value)
        if exact and not _all_finite(found):
            found |= sum_finite(np.asarray(ops.convert_to_numpy(value)), full)
        return found

    return look


def _reduce_all(value: Any) -> dict[str, Any]:
    """Return the sums over every position that only the full tier has."""
    from keras import ops

    top, bottom = ops.max(value, axis=1), ops.min(value, axis=1)
    return {
        "squares": ops.sum(ops.sum(ops.square(value), axis=1), axis=1),
        "zeros": ops.sum(ops.cast(ops.equal(value, 0.0), "float32"), axis=(1, 2)),
        "high": ops.max(top, axis=1),
        "low": ops.min(bottom, axis=1),
        "peak": ops.maximum(ops.abs(top), ops.abs(bottom)),
    }


def _all_finite(found: Mapping[str, Any]) -> bool:
    """Tell whether the sums show that every value was finite."""
    from keras import ops

    return all(
        bool(np.isfinite(ops.convert_to_numpy(found[name])).all()) for name in ("total", "squares") if name in found
    )


def sum_finite(value: Any, full: bool) -> dict[str, Any]:
    """Return the same sums of a (s, p, c) array over its finite values, with exact counts of the others."""
    finite = np.isfinite(value)
    clean = np.where(finite, value, 0.0).astype(np.float64)
    axes = (1, 2)
    found = {
        "nan": np.isnan(value).sum(axis=axes),
        "inf": np.isinf(value).sum(axis=axes),
        "finite": finite.sum(axis=axes),
        "total": clean.sum(axis=axes),
    }
    if full:
        found |= {
            "squares": np.square(clean).sum(axis=axes),
            "zeros": (value == 0).sum(axis=axes),
            "low": value.min(axis=axes, where=finite, initial=np.inf),
            "high": value.max(axis=axes, where=finite, initial=-np.inf),
            "peak": np.abs(value).max(axis=1, initial=0.0),
        }
    return found


def _channels_last(value: Any, first: bool) -> Any:
    """Return an output as (samples, positions, units)."""
    from keras import ops

    rank = len(value.shape)
    if rank == 1:
        return ops.reshape(value, (-1, 1, 1))
    if rank == 2:
        return ops.expand_dims(value, 1)
    if first:
        value = ops.transpose(value, (0, *range(2, rank), 1))
    if rank == 3:
        return value
    units = value.shape[-1]
    return ops.reshape(value, (ops.shape(value)[0], -1, units if units is not None else ops.shape(value)[-1]))


def stride_of(shape: tuple[int | None, ...]) -> int:
    """Return the stride over positions for an output (samples, positions, units): 1 where all of it is few enough.

    Even strides over image rows of even length would always meet the same columns, so a larger stride is odd and shares
    no factor with the number of positions.
    """
    positions, units = shape[1], shape[2]
    if positions is None or units is None or positions * units <= STRIDED_VALUES:
        return 1
    stride = min(math.ceil(positions * units / STRIDED_VALUES), max(1, positions // 4))
    while stride > 1 and math.gcd(stride, positions) > 1:
        stride += 1
    return stride
