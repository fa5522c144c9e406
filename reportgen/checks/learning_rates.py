"""The learning rate that is on record, and how it compares with the default of its optimizer in Keras."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.lookup import curve_facts, last_dimension, loss_kind

# keras.optimizers, default of the argument learning_rate.
DEFAULTS = {"sgd": 0.01}
USUAL = 0.001  # of Adam, AdamW, Nadam, Adamax, RMSprop, Adagrad, Adadelta, Ftrl, Lion, Lamb


@dataclass(frozen=True, slots=True)
class Rate:
    """The largest learning rate on record, the last one, and both as multiples of the optimizer's default."""

    largest: float
    last: float
    optimizer: str
    default: float

    @property
    def times(self) -> float:
        """The largest rate as a multiple of the default."""
        return self.largest / self.default


def find_rate(artifacts: Artifacts) -> Rate | None:
    """Return the learning rate from the history, else from the optimizer's settings in the file; None if unknown."""
    model = artifacts.worker.model if artifacts.worker else None
    optimizer = model.optimizer if model else ""
    rates = [rate for rate in curve_facts(artifacts).learning_rates if rate.high and rate.last]
    if rates and rates[0].high and rates[0].last:
        largest, last = rates[0].high.value, rates[0].last.value
    else:
        largest = last = _number(model.optimizer_settings.get("learning_rate", "") if model else "")
    if not (optimizer and math.isfinite(largest) and largest > 0):
        return None
    return Rate(largest, last, optimizer, DEFAULTS.get(optimizer.lower(), USUAL))


def _number(text: str) -> float:
    """Return a setting as a number; NaN for a schedule or anything else."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def chance_loss(artifacts: Artifacts) -> float:
    """Return the cross-entropy of an even guess among the classes; NaN unless the one output has such a loss."""
    worker = artifacts.worker
    model = worker.model if worker else None
    if worker is None or model is None or len(model.output_shapes) != 1:
        return math.nan
    kind = loss_kind(model, model.output_names[0] if model.output_names else "")
    classes = last_dimension(model.output_shapes[0])
    if kind == "binarycrossentropy":
        return math.log(2)
    return math.log(classes) if kind.endswith("categoricalcrossentropy") and classes and classes > 1 else math.nan


def count_turns(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return the share of steps at which a curve changes direction."""
    steps = np.diff(values)
    return float(np.mean(steps[1:] * steps[:-1] < 0)) if steps.size > 1 else 0.0


def compute_tau(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return Kendall's tau of a curve over its epochs: -1 when it always falls, 0 without a trend, 1 when it rises."""
    i, j = np.triu_indices(values.size, 1)
    return float(np.sign(values[j] - values[i]).mean()) if values.size > 1 else 0.0
