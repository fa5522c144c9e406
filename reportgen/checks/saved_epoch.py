"""Which epoch the weights in the file come from: by the record, or because the batch is the validation data.

When the batch gives, to four digits, the validation loss and the other validation metrics of one epoch of the history
and of no other, it is the same data and the weights are of that epoch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reportgen.analysis.evidence import Artifacts, OutputEvidence
from reportgen.checks.lookup import curve, loss_kind, metric_values, outputs

ALIKE = 1e-4  # relative; Keras averages in single precision
FEWEST = 20
# Names in a history, and the metric of ours that is the same number.
SAME = {
    "accuracy": ("accuracy", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy"),
    "mae": ("mae", "mean_absolute_error"),
}
SQUARED = frozenset({"mse", "meansquarederror"})
CROSS = frozenset({"binarycrossentropy", "categoricalcrossentropy", "sparsecategoricalcrossentropy"})


@dataclass(frozen=True, slots=True)
class SavedEpoch:
    """The epoch (from 1) and how it is known, as half a sentence."""

    epoch: int
    how: str


def find_saved_epoch(artifacts: Artifacts) -> SavedEpoch | None:
    """Return the epoch of the weights in the file, or None when nothing tells."""
    if artifacts.history is None:
        return None
    if artifacts.history.restored_epoch is not None:
        return SavedEpoch(artifacts.history.restored_epoch, "as the history records")
    found = outputs(artifacts)
    if len(found) != 1 or found[0].n_labelled < FEWEST:
        return None
    known = _comparable(artifacts, found[0])
    if len(known) < 2 or "val_loss" not in known:
        return None
    epochs: set[int] | None = None
    for name, value in known.items():
        one = curve(artifacts, name)
        if one is None:
            return None
        near = np.abs(one.values - value) <= ALIKE * max(abs(value), 1e-6)
        here = {int(epoch) for epoch in one.epochs[near]}
        epochs = here if epochs is None else epochs & here
    if epochs is None or len(epochs) != 1:
        return None
    return SavedEpoch(epochs.pop(), "as the batch shows, which gives that epoch's validation metrics to four digits")


def batch_loss(artifacts: Artifacts) -> float:
    """Return the loss of the model on the whole batch, where it is a metric of ours too; else NaN."""
    found = outputs(artifacts)
    return _loss(artifacts, found[0]) if len(found) == 1 else math.nan


def _comparable(artifacts: Artifacts, output: OutputEvidence) -> dict[str, float]:
    """Return validation curve -> value on the batch, for metrics that are defined alike."""
    values = {value.name: value.value for value in metric_values(output)}
    known = {}
    for name, aliases in SAME.items():
        for alias in aliases:
            if name in values and curve(artifacts, f"val_{alias}") is not None:
                known[f"val_{alias}"] = values[name]
    loss = _loss(artifacts, output)
    if math.isfinite(loss) and curve(artifacts, "val_loss") is not None:
        known["val_loss"] = loss
    return known


def loss_metric(artifacts: Artifacts, output: OutputEvidence) -> str:
    """Return the name of the metric of ours that is the loss in the file ("log_loss", "mse"), else ""."""
    model = artifacts.worker.model if artifacts.worker else None
    kind = loss_kind(model, output.name) if model else ""
    return "log_loss" if kind in CROSS else "mse" if kind in SQUARED else ""


def _loss(artifacts: Artifacts, output: OutputEvidence) -> float:
    """Return the loss on the batch where it is a metric of ours; else NaN."""
    name = loss_metric(artifacts, output)
    if name == "log_loss" and math.isfinite(output.cross_entropy):
        return output.cross_entropy
    values = {value.name: value.value for value in metric_values(output)}
    return values.get(name, values.get("rmse", math.nan) ** 2 if name == "mse" else math.nan)
