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
DENSE = frozenset({"segmentation", "sequence"})  # a class at each position or step
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
        return np.concatenate(list(self._parts(flat)))

    def score(self, flat: list[Array], chosen: Array, rows: Array) -> Array:
        """Return the scores of prepared inputs; what is explained of each is `chosen[rows]`. No output is held."""
        places = range(0, len(rows), self.together)
        pairs = zip(places, self._parts(flat), strict=True)
        return np.concatenate([self.read(part, chosen[rows[at : at + self.together]]) for at, part in pairs])

    def _parts(self, flat: list[Array]) -> Iterator[Array]:
        """Yield the output for prepared inputs, step by step."""
        import keras

        for start in range(0, len(flat[0]), self.together):
            tensors = [keras.ops.convert_to_tensor(array[start : start + self.together]) for array in flat]
            with no_gradients():
                found = name_outputs(self.model(self.feed.pack(tensors), training=False), self.names)
            yield np.array(to_numpy(found[self.output]))

    def choose(self, predicted: Array) -> Array:
        """Return what is explained of each sample: its predicted class (1 or 0 for yes or no); 1 for numbers.

        Where there is a class at each position, (n, positions): the class where it is explained, -1 elsewhere.
        """
        if self.task in DENSE:
            rows = self._dense(predicted)
            choose = choose_region if self.task == "segmentation" else choose_step
            return np.stack([choose(row) for row in rows])
        if self.task not in CLASSES:
            return np.ones(len(predicted), np.int64)
        rows = self._probabilities(predicted)
        if self.task == "binary":
            return (rows > 0.5).astype(np.int64)
        return np.asarray(rows.argmax(axis=1), np.int64)

    def classes_of(self, chosen: Array) -> Array:
        """Return the class that is explained of each sample, 0 for numbers."""
        return np.asarray(chosen.reshape(len(chosen), -1).max(axis=1) * (self.task not in NUMBERS))

    def read(self, predicted: Array, chosen: Array) -> Array:
        """Return the score of each sample: the probability of what was chosen, or the mean of its numbers."""
        if self.task in DENSE:
            sample, position = np.nonzero(chosen >= 0)  # a vocabulary at every step would be too much to turn over
            some = predicted.reshape(len(predicted), chosen.shape[1], -1)[sample, position]
            picked = self._dense(some[:, None])[np.arange(len(some)), 0, chosen[sample, position]]
            return np.asarray(np.bincount(sample, picked, len(chosen)) / np.maximum((chosen >= 0).sum(axis=1), 1))
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

    def _dense(self, predicted: Array) -> Array:
        """Return probabilities (n, positions, classes) as float64; of a single score for no and yes."""
        found = np.asarray(as_probabilities(self.task, predicted, self.scores), np.float64)
        rows = found.reshape(len(found), -1, found.shape[-1])
        return np.concatenate([1 - rows, rows], axis=2) if rows.shape[2] == 1 else rows

    def differentiable(self, outputs: Any, chosen: Array) -> Any:
        """Return the same as a tensor, of raw outputs under `before_activation`: logits where there are such.

        A number's score is turned round where `chosen` is 0: what is explained is then why it is low.
        """
        import keras

        ops = keras.ops
        raw = ops.cast(name_outputs(outputs, self.names)[self.output], "float32")
        if self.task in DENSE:
            rows = ops.reshape(raw, (len(chosen), chosen.shape[1], -1))
            single = rows.shape[2] == 1
            index = np.zeros_like(chosen) if single else np.maximum(chosen, 0)
            picked = ops.take_along_axis(rows, ops.convert_to_tensor(index[..., None]), axis=2)[..., 0]
            turned = np.where(chosen == 0, -1, 1) if single else 1
            return ops.sum(picked * ops.convert_to_tensor((_shares(chosen) * turned).astype(np.float32)), axis=1)
        values = ops.reshape(raw, (len(chosen), -1))
        sign = ops.convert_to_tensor((2.0 * chosen - 1).astype(np.float32))
        if self.task not in CLASSES:
            return ops.mean(values, axis=1) * sign
        if self.task == "binary" and values.shape[1] == 1:
            return values[:, 0] * sign
        picked = np.eye(values.shape[1], dtype=np.float32)[chosen]
        return ops.sum(values * ops.convert_to_tensor(picked), axis=1)


def choose_region(rows: Array) -> Array:
    """Return the most present class but 0 of one sample (positions, classes) where it is predicted, -1 elsewhere."""
    answer = rows.argmax(axis=1)
    present = np.bincount(answer, minlength=rows.shape[1])
    present[0] = 0
    return np.where(answer == present.argmax(), answer, -1)


def choose_step(rows: Array) -> Array:
    """Return the class of one step of a sequence (steps, classes), -1 at all others.

    The surest one among those whose answer is not the sequence's most common; where all are the same, the surest.
    """
    answer, sure = rows.argmax(axis=1), rows.max(axis=1)
    other = answer != np.bincount(answer).argmax()
    step = int(np.where(other, sure, -1).argmax() if other.any() else sure.argmax())
    return np.where(np.arange(len(rows)) == step, answer, -1)


def _shares(chosen: Array) -> Array:
    """Return the weight of each position (n, positions): equal where one is explained, 0 elsewhere."""
    explained = chosen >= 0
    return np.asarray(explained / np.maximum(explained.sum(axis=1, keepdims=True), 1))


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
