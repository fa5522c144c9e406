"""Recurrent layers over long sequences: TensorFlow steps through them in compiled code, and their steps are counted.

Called eagerly, TensorFlow runs the loop over time in Python. (Measured: one LSTM of 32 units over 2,000 steps takes
11 s of CPU a call, 15 s with gradients; compiled 0.05 s and 0.4 s, after 0.2 s and 0.9 s for the first call.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from reportgen.worker.walk import Call, Walk
from reportgen.worker.watch import calls_replaced

STEP_VALUES = 10  # gates and states that one step keeps, of each unit
LONG = 50  # steps; of shorter sequences tracing costs more than it saves
# Steps one after another, forward and backward, that gradients of single samples may take: some 4 s.
MOST_SINGLE_STEPS = 12_000
# What one step of one sample costs beside its multiplications, in multiplications: measured on LSTM and GRU of 16 to 32
# units over 2,000 steps, with gradients, 1.6 to 2 us.
STEP_MACS = 8_000


@contextmanager
def compiled_loops(model: Any) -> Iterator[None]:
    """While this lasts, Keras's own recurrent layers of a model run long sequences compiled, on TensorFlow."""
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    layers = [layer for layer in model._flatten_layers() if _takes_steps(layer)]
    with calls_replaced((layer, partial(_compiled_when_long, layer)) for layer in layers):
        yield


def _takes_steps(layer: Any) -> bool:
    """Tell whether a layer is a recurrent one of Keras's own that may be traced as it stands."""
    import keras

    if not isinstance(layer, keras.layers.RNN) or layer.stateful or layer.unroll:
        return False
    return all(type(part).__module__.startswith("keras.") for part in layer._flatten_layers())


def _compiled_when_long(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return `call` as one that is compiled for long sequences, unless it is being traced already."""
    import tensorflow as tf

    compiled: list[Any] = [tf.function(call, autograph=False, reduce_retracing=True)]

    def run(sequences: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the layer."""
        if not compiled or tf.inside_function() or (sequences.shape[1] or 0) < LONG:
            return call(sequences, *args, **kwargs)
        try:
            return compiled[0](sequences, *args, **kwargs)
        except (TypeError, ValueError, NotImplementedError, tf.errors.OpError):
            compiled.clear()  # what cannot be traced runs eagerly from here on
            if hasattr(layer, "_maybe_reset_dropout_masks"):  # else the mask of the trace would stay
                layer._maybe_reset_dropout_masks(layer.cell)
            return call(sequences, *args, **kwargs)

    return run


def longest_of(shapes: Iterable[tuple[int, ...]]) -> int:
    """Return the largest first size of samples' shapes: the length of the longest sequence."""
    return max((shape[0] for shape in shapes if shape), default=0)


def count_steps(walk: Walk, longest: int) -> int:
    """Return how many steps one after another a call of the model takes in its recurrent layers.

    Where a layer's sequences have no declared length, it is `longest`.
    """
    return sum(steps_of(call, longest) for call in walk.every_call())


def steps_of(call: Call, longest: int) -> int:
    """Return the steps of one call; those of both directions one after another."""
    import keras

    both = isinstance(call.layer, keras.layers.Bidirectional)
    if not both and not isinstance(call.layer, keras.layers.RNN):
        return 0
    shape = next(iter(call.shapes()[0]), ())
    length = shape[1] if len(shape) > 1 and shape[1] is not None else longest
    return int(length) * (1 + both)


def count_loop_bytes(walk: Walk, longest: int) -> int:
    """Return the bytes that recurrent layers keep of one sample between its forward and its backward steps."""
    total = 0
    for call in walk.every_call():
        steps, shapes = steps_of(call, longest), call.shapes()[1]
        if steps and shapes:
            states = shapes[0][2 if getattr(call.layer, "return_sequences", False) else 1 :]
            total += steps * math.prod(size or 1 for size in states) * STEP_VALUES * 4
    return total


def count_singles(most: int, steps: int) -> int:
    """Return how many of `most` samples may have a gradient of their own, where each takes so many steps."""
    return max(1, min(most, MOST_SINGLE_STEPS // max(1, steps)))
