"""Call the model on chunks: eagerly or as one compiled function, with or without a look at its layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.worker.feed import Feed
from reportgen.worker.watch import make_look, watching

Array = NDArray[Any]
Seen = list[tuple[int, dict[str, Array]]]


class Runner:
    """Calls one model in inference mode. `watch` maps keys to (layer, full tier); TensorFlow can be compiled, once."""

    def __init__(self, model: Any, feed: Feed, watch: Mapping[int, tuple[Any, bool]], *, compiled: bool) -> None:
        import keras

        self.model = model
        self.feed = feed
        self.watch = watch
        self.compiled = compiled and keras.backend.backend() == "tensorflow"
        self._keys: list[int] = []
        self._function = self._compile() if self.compiled else None

    def run(self, flat: list[Array]) -> tuple[dict[str, Array] | list[Array], Seen]:
        """Run one chunk; return outputs by key or in order, and what was seen, one entry a layer call in call order."""
        n = len(flat[0])
        if self.feed.fixed_batch is not None and n < self.feed.fixed_batch:
            flat = [_pad(array, self.feed.fixed_batch) for array in flat]
        if self._function is None:
            outputs, seen = self._call(_tensors(flat), exact=True)
            keys = [key for key, _ in seen]
            values = [value for _, value in seen]
        else:
            outputs, values = self._function(*_tensors(flat))
            keys = self._keys
        found = [
            (key, {name: to_numpy(part)[:n] for name, part in value.items()})
            for key, value in zip(keys, values, strict=True)
        ]
        if self._function is not None and any(_not_finite(value) for _, value in found):
            # The compiled function only notices NaN and Inf; this chunk is counted again, exactly.
            _, again = self._call(_tensors(flat), exact=True)
            found = [(key, {name: to_numpy(part)[:n] for name, part in value.items()}) for key, value in again]
        return _outputs(outputs, n), found

    def _call(self, tensors: list[Any], exact: bool) -> tuple[Any, list[tuple[int, dict[str, Any]]]]:
        """Call the model once and gather what its layers show."""
        seen: list[tuple[int, dict[str, Any]]] = []
        layers = {key: layer for key, (layer, _) in self.watch.items()}
        looks = {key: make_look(layer, full, exact) for key, (layer, full) in self.watch.items()}
        with watching(layers, looks, lambda key, value: seen.append((key, value))), _no_gradients():
            outputs = self.model(self.feed.pack(tensors), training=False)
        return outputs, seen

    def _compile(self) -> Any:
        """Return a TensorFlow function for chunks of any length."""
        import tensorflow as tf

        def step(*tensors: Any) -> Any:
            """Trace the model once; the keys seen while tracing name the values of every later run."""
            outputs, seen = self._call(list(tensors), exact=False)
            self._keys = [key for key, _ in seen]
            return outputs, [value for _, value in seen]

        own_code = any(
            not type(layer).__module__.startswith("keras.") for layer in [self.model, *self.model._flatten_layers()]
        )
        signature = [
            tf.TensorSpec((slot.shape[0], *slot.shape[1:]), slot.dtype)
            for slot in self.feed.slots
            if slot.shape is not None
        ]
        known = len(signature) == len(self.feed.slots)
        # Only code that is not Keras's own may need AutoGraph, which costs tracing time.
        return tf.function(
            step, input_signature=signature if known else None, autograph=own_code, reduce_retracing=not known
        )


def _no_gradients() -> Any:
    """Return a context in which torch records nothing; other backends record nothing anyway."""
    import contextlib

    import keras

    if keras.backend.backend() != "torch":
        return contextlib.nullcontext()
    import torch

    return torch.no_grad()


def _tensors(flat: list[Array]) -> list[Any]:
    """Return arrays as the backend's tensors."""
    import keras

    return [keras.ops.convert_to_tensor(array) for array in flat]


def _pad(array: Array, n: int) -> Array:
    """Repeat the last sample up to the batch size that the model insists on."""
    return np.concatenate([array, np.repeat(array[-1:], n - len(array), axis=0)])


def _not_finite(value: dict[str, Array]) -> bool:
    """Tell whether the sums of one layer show NaN, Inf or an overflow."""
    return not all(np.isfinite(value[name]).all() for name in ("total", "squares") if name in value)


def _outputs(outputs: Any, n: int) -> dict[str, Array] | list[Array]:
    """Return a model's outputs as arrays, by key or in order; nested structures are flattened."""
    import keras

    if isinstance(outputs, Mapping) and all(
        not isinstance(value, Mapping | list | tuple) for value in outputs.values()
    ):
        return {str(key): to_numpy(value)[:n] for key, value in outputs.items()}
    return [to_numpy(value)[:n] for value in keras.tree.flatten(outputs)]


def to_numpy(value: Any) -> Array:
    """Return a tensor as a NumPy array; 16-bit floats that NumPy does not know become float32."""
    if isinstance(value, np.ndarray):
        return value
    import keras

    array = np.asarray(keras.ops.convert_to_numpy(value))
    return array if array.dtype.kind in "biufSUO" else array.astype(np.float32)
