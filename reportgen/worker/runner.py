"""Call the model on chunks: eagerly or as one compiled function, with or without a look at its layers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import Problem
from reportgen.worker.activations import LayerSums
from reportgen.worker.feed import Feed
from reportgen.worker.watch import to_numpy, watching

Array = NDArray[Any]


class Runner:
    """Calls one model in inference mode and adds what its layers give to `sums`, keyed like `layers`.

    `compiled` takes effect on TensorFlow; other backends run eagerly. One function serves chunks of any length.
    """

    def __init__(
        self, model: Any, feed: Feed, layers: Mapping[int, Any], sums: dict[int, LayerSums], *, compiled: bool
    ) -> None:
        import keras

        self.model = model
        self.feed = feed
        self.layers = layers
        self.sums = sums
        self.problems: list[Problem] = []
        self.logits: dict[str, Array | None] | list[Array | None] = []
        self._broken: set[int] = set()
        self._started = False
        self._n = 0
        self._rows: Array | None = None
        self._function = self._compile() if compiled and keras.backend.backend() == "tensorflow" else None

    def run(self, flat: list[Array], rows: Array | None = None) -> dict[str, Array] | list[Array]:
        """Run one chunk, looking at its layers on `rows` (None: all); return the outputs by key or in order.

        `logits` then holds, by the same keys or in the same order, what each output of scores (n, classes) was before
        its softmax or sigmoid, where Keras kept it: what its losses are computed from.
        """
        import keras

        n = len(flat[0])
        self._n, self._rows = n, rows
        if self.feed.fixed_batch is not None and n < self.feed.fixed_batch:
            flat = [pad(array, self.feed.fixed_batch) for array in flat]
        tensors = [keras.ops.convert_to_tensor(array) for array in flat]
        found, kept = self._run(tensors)
        outputs = _outputs(found, n)
        logits = [None if tensor is None else to_numpy(tensor)[:n] for tensor in kept]
        self.logits = dict(zip(sorted(outputs), logits, strict=True)) if isinstance(outputs, dict) else logits
        return outputs

    def _run(self, tensors: list[Any]) -> tuple[Any, list[Any]]:
        """Run the compiled function; a model that cannot be compiled is run eagerly from the first chunk on."""
        if self._function is None:
            return self._call(tensors)
        try:
            found: tuple[Any, list[Any]] = self._function(*tensors)
        except Exception:
            if self._started:
                raise
            # What the layers gave before it failed must not be counted twice.
            for key, old in list(self.sums.items()):
                self.sums[key] = LayerSums(old.path, old.activation, old.full, old.channels_first)
            self._function = None
            found = self._call(tensors)
        self._started = True
        return found

    def _call(self, tensors: list[Any]) -> tuple[Any, list[Any]]:
        """Call the model once while its layers are watched."""
        with watching(self.layers, self._look), no_gradients():
            outputs = self.model(self.feed.pack(tensors), training=False)
        return outputs, [_logits(tensor) for tensor in _flatten(outputs)]

    def _look(self, key: int, call: int, output: Array) -> None:
        """Add one layer's output; samples that only fill up a fixed batch are left out.

        What fails here ends one layer's statistics.
        """
        if key in self._broken:
            return
        try:
            self.sums[key].add(output[: self._n], call, self._rows)
        except Exception as error:
            self._broken.add(key)
            sums = self.sums[key]
            sums.samples = 0
            message = f"The statistics of layer {sums.path} could not be computed ({type(error).__name__})."
            self.problems.append(Problem("layers", message, "", str(error)[:2000]))

    def _compile(self) -> Any:
        """Return a TensorFlow function for chunks of any length."""
        import tensorflow as tf

        slots = self.feed.slots
        known = all(slot.shape is not None for slot in slots)
        signature = [tf.TensorSpec(slot.shape, slot.dtype) for slot in slots] if known else None
        layers = [self.model, *self.model._flatten_layers()]
        # Only code that is not Keras's own may need AutoGraph, which costs tracing time.
        own_code = any(not type(layer).__module__.startswith("keras.") for layer in layers)

        def step(*tensors: Any) -> Any:
            """Trace the model once."""
            return self._call(list(tensors))

        return tf.function(step, input_signature=signature, autograph=own_code, reduce_retracing=not known)


def no_gradients() -> Any:
    """Return a context in which torch records nothing; other backends record nothing anyway."""
    import keras

    if keras.backend.backend() != "torch":
        return contextlib.nullcontext()
    import torch

    return torch.no_grad()


def pad(array: Array, n: int) -> Array:
    """Repeat the last sample up to the batch size that the model insists on."""
    return np.concatenate([array, np.repeat(array[-1:], n - len(array), axis=0)])


def _outputs(outputs: Any, n: int) -> dict[str, Array] | list[Array]:
    """Return a model's outputs as arrays, by key or in order; nested structures are flattened."""
    if isinstance(outputs, Mapping) and all(
        not isinstance(value, Mapping | list | tuple) for value in outputs.values()
    ):
        return {str(key): to_numpy(value)[:n] for key, value in outputs.items()}
    return [to_numpy(value)[:n] for value in _flatten(outputs)]


def _logits(tensor: Any) -> Any:
    """Return what an output of shape (n, classes) was before its last activation, as Keras's losses use it, or None."""
    return getattr(tensor, "_keras_logits", None) if len(tensor.shape) == 2 else None


def _flatten(outputs: Any) -> list[Any]:
    """Return the tensors of a nested structure in order, those of mappings by key (Keras 3.0 has no `keras.tree`)."""
    if isinstance(outputs, Mapping):
        return [tensor for key in sorted(outputs) for tensor in _flatten(outputs[key])]
    if isinstance(outputs, list | tuple):
        return [tensor for part in outputs for tensor in _flatten(part)]
    return [outputs]
