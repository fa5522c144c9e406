"""Labelled samples made ready for model and losses, and the loss of a call on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.worker.architecture import output_names
from reportgen.worker.feed import Feed
from reportgen.worker.labelled import Labelled
from reportgen.worker.losses import NoLoss, OutputLoss, choose_loss, fit_labels, usable_rows

Array = NDArray[Any]
# Total loss from the model's raw outputs and the labels by output.
Total = Callable[[Any, Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Ready:
    """Samples as model and losses take them: flat inputs, labels and predictions by output, one loss an output."""

    flat: list[Array]
    labels: dict[str, Array]
    predictions: dict[str, Array]
    losses: tuple[OutputLoss, ...]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.flat[0])

    def part(self, start: int, stop: int) -> tuple[list[Array], dict[str, Array]]:
        """Return some of the samples."""
        return [a[start:stop] for a in self.flat], {name: y[start:stop] for name, y in self.labels.items()}


def make_ready(model: Any, feed: Feed, held: Labelled, config: Mapping[str, Any]) -> Ready:
    """Choose the losses and shape the labels; samples without a usable label are left out. Raises NoLoss."""
    names = tuple(held.targets)
    if not len(held) or not names:
        raise NoLoss("it needs labels in the batch")
    losses, labels, good = [], {}, np.ones(len(held), dtype=bool)
    for name, target in held.targets.items():
        loss = choose_loss(config, names, name, target.task, target.scores, target.shape)
        y = held.labels[name]
        several = target.shape[-1] if target.shape and target.shape[-1] > 1 else 0
        index = y.dtype.kind in "biuf" and y.shape[1:] != target.shape and bool(several)
        good &= usable_rows(y, several if index else 0)
        losses.append(loss)
        labels[name] = np.where(good.reshape(-1, *[1] * (y.ndim - 1)), y, 0) if y.dtype.kind in "biuf" else y
    if not good.any():
        raise NoLoss("no sample has a usable label")
    shaped = {loss.output: fit_labels(loss.name, labels[loss.output][good], held.targets[loss.output].shape)
              for loss in losses}  # fmt: skip
    flat = [array[good] for array in feed.convert(held.inputs)]
    predictions = {name: values[good] for name, values in held.predictions.items()}
    return Ready(flat, shaped, predictions, tuple(losses))


def name_outputs(outputs: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return a model's raw outputs by name, in the order in which the pass met them."""
    if isinstance(outputs, Mapping):
        return {str(key): value for key, value in outputs.items()}
    listed = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    return dict(zip(names, listed, strict=False))


def total_of(losses: Sequence[OutputLoss], names: Sequence[str]) -> Total:
    """Return the function that adds up the losses of all outputs that have labels."""

    def total(outputs: Any, labels: Mapping[str, Any]) -> Any:
        """Return the weighted sum as a scalar float32 tensor."""
        import keras

        found = name_outputs(outputs, names)
        parts = [
            loss.weight * keras.ops.cast(loss.compute(labels[loss.output], found[loss.output]), "float32")
            for loss in losses
        ]
        return sum(parts[1:], parts[0])

    return total


def output_order(model: Any, ready: Ready) -> tuple[str, ...]:
    """Return the outputs' names in the model's order, as the pass gave them."""
    declared = output_names(model)
    known = [loss.output for loss in ready.losses]
    if set(known) <= set(declared):
        return declared
    return tuple(known) if len(known) > 1 else (known[0],)
