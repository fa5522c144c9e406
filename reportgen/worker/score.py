"""What a saliency map explains: one number a sample, taken from one output before and after its last activation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics import as_probabilities
from reportgen.worker.feed import Feed
from reportgen.worker.ready import name_outputs
from reportgen.worker.runner import no_gradients
from reportgen.worker.watch import to_numpy

Array = NDArray[Any]
CLASSES = frozenset({"binary", "multiclass", "multilabel"})
NUMBERS = frozenset({"regression", "timeseries"})
FLAT = frozenset({"softmax", "sigmoid"})


@dataclass(frozen=True, slots=True)
class Scored:
    """One output of one model: how it is called, and how a number a sample is read from it.

    `names` are the model's outputs in order, `task` and `scores` as in OutputEvidence. `step` are the samples at once
    where a backward pass follows, `together` where none does and no layer's output need be kept. `ends` are the layers
    whose outputs are the model's.
    """

    model: Any
    feed: Feed
    names: tuple[str, ...]
    output: str
    task: str
    scores: str
    step: int
    together: int
    ends: tuple[Any, ...] = ()

    def predict(self, flat: list[Array]) -> Array:
        """Return the output for prepared inputs, in steps."""
        import keras

        parts = []
        for start in range(0, len(flat[0]), self.together):
            tensors = [keras.ops.convert_to_tensor(array[start : start + self.together]) for array in flat]
            with no_gradients():
                found = name_outputs(self.model(self.feed.pack(tensors), training=False), self.names)
            parts.append(np.array(to_numpy(found[self.output])))
        return np.concatenate(parts)

    def choose(self, predicted: Array) -> Array:
        """Return what is explained of each sample: its predicted class (1 or 0 for yes or no); 1 for numbers."""
        if self.task not in CLASSES:
            return np.ones(len(predicted), np.int64)
        rows = self._probabilities(predicted)
        if self.task == "binary":
            return (rows > 0.5).astype(np.int64)
        return np.asarray(rows.argmax(axis=1), np.int64)

    def read(self, predicted: Array, chosen: Array) -> Array:
        """Return the score of each sample: the probability of what was chosen, or the mean of its numbers."""
        if self.task not in CLASSES:
            return np.asarray(predicted.reshape(len(predicted), -1).mean(axis=1), np.float64)
        rows = self._probabilities(predicted)
        if self.task == "binary":
            return np.where(chosen == 1, rows, 1 - rows)
        return rows[np.arange(len(rows)), chosen]

    def _probabilities(self, predicted: Array) -> Array:
        """Return probabilities as float64: (n,) of yes, or (n, classes)."""
        found = np.asarray(as_probabilities(self.task, predicted, self.scores), np.float64)
        rows = found.reshape(len(found), -1)
        return (rows[:, 0] if rows.shape[1] == 1 else rows[:, 1]) if self.task == "binary" else rows

    def differentiable(self, outputs: Any, chosen: Array) -> Any:
        """Return the same as a tensor, of raw outputs under `before_activation`: logits where there are such.

        A number's score is turned round where `chosen` is 0: what is explained is then why it is low.
        """
        import keras

        ops = keras.ops
        raw = name_outputs(outputs, self.names)[self.output]
        values = ops.cast(ops.reshape(raw, (len(chosen), -1)), "float32")
        sign = ops.convert_to_tensor((2.0 * chosen - 1).astype(np.float32))
        if self.task not in CLASSES:
            return ops.mean(values, axis=1) * sign
        if self.task == "binary" and values.shape[1] == 1:
            return values[:, 0] * sign
        picked = np.eye(values.shape[1], dtype=np.float32)[chosen]
        return ops.sum(values * ops.convert_to_tensor(picked), axis=1)


@contextmanager
def before_activation(ends: Iterable[Any]) -> Iterator[None]:
    """While this lasts, last layers give what they had before softmax or sigmoid, where gradients are not flat."""
    import keras

    changed: list[tuple[Any, str, Any]] = []
    try:
        for layer in ends:
            if getattr(getattr(layer, "activation", None), "__name__", "") in FLAT:
                changed.append((layer, "activation", layer.activation))
                object.__setattr__(layer, "activation", keras.activations.linear)
            elif type(layer) is keras.layers.Softmax:
                changed.append((layer, "call", vars(layer).get("call")))
                object.__setattr__(layer, "call", lambda inputs, *args, **kwargs: inputs)
        yield
    finally:
        for layer, name, old in reversed(changed):
            if old is None:
                vars(layer).pop(name, None)
            else:
                object.__setattr__(layer, name, old)
