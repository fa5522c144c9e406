"""The same samples through the model as it predicts and as it trains; every weight is put back bit by bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics import score_samples
from reportgen.worker.feed import Feed
from reportgen.worker.labelled import Target
from reportgen.worker.ready import Ready, name_outputs, output_order
from reportgen.worker.runner import no_gradients
from reportgen.worker.watch import to_numpy

Array = NDArray[Any]
FORWARD_BYTES = 2048 * 2**20
LEAST_TOGETHER = 8  # fewer samples make batch statistics that say nothing


@dataclass(slots=True)
class LossSums:
    """Loss and accuracy (NaN for no classifier) by output in both modes; `why` the training mode was left out."""

    samples: int
    inference: dict[str, tuple[float, float]] = field(default_factory=dict)
    training: dict[str, tuple[float, float]] = field(default_factory=dict)
    why: str = ""


def run_modes(
    model: Any, feed: Feed, ready: Ready, targets: Mapping[str, Target], seed: int, sample_bytes: int
) -> LossSums:
    """Take the predictions of the pass, and run the same samples in training mode; batch statistics are a step's."""
    n = len(ready)
    size = feed.fixed_batch or max(1, min(n, FORWARD_BYTES // max(1, sample_bytes)))
    n = n - n % size if size > 1 and n % size == 1 else n
    n = n - n % size if feed.fixed_batch else n
    if not n:
        raise ValueError(f"the model takes {size} samples at a time, and fewer have labels")
    sums = LossSums(n)
    with no_gradients():
        sums.inference = _score(ready, targets, n, size, lambda start, stop: _predicted(ready, start, stop))
        if min(size, n) < LEAST_TOGETHER:
            sums.why = f"not computed: {min(size, n)} labelled samples a step are too few for batch statistics"
            return sums
        with unchanged(model, seed):
            names = output_order(model, ready)
            sums.training = _score(ready, targets, n, size, lambda *part: _train(model, feed, ready, names, *part))
    return sums


def _predicted(ready: Ready, start: int, stop: int) -> dict[str, Any]:
    """Return what the pass predicted for some samples."""
    import keras

    return {name: keras.ops.convert_to_tensor(values[start:stop]) for name, values in ready.predictions.items()}


def _train(model: Any, feed: Feed, ready: Ready, names: tuple[str, ...], start: int, stop: int) -> dict[str, Any]:
    """Return what the model gives in training mode."""
    import keras

    tensors = [keras.ops.convert_to_tensor(array[start:stop]) for array in ready.flat]
    return name_outputs(model(feed.pack(tensors), training=True), names)


def _score(
    ready: Ready, targets: Mapping[str, Target], n: int, size: int, call: Callable[[int, int], dict[str, Any]]
) -> dict[str, tuple[float, float]]:
    """Return mean loss and accuracy of every output over the first `n` samples, `size` at a time."""
    import keras

    losses: dict[str, float] = {loss.output: 0.0 for loss in ready.losses}
    right: dict[str, list[Array]] = {loss.output: [] for loss in ready.losses}
    for start in range(0, n, size):
        stop = min(start + size, n)
        outputs = call(start, stop)
        for loss in ready.losses:
            output, y = outputs[loss.output], ready.labels[loss.output][start:stop]
            value = float(to_numpy(keras.ops.cast(loss.compute(keras.ops.convert_to_tensor(y), output), "float32")))
            losses[loss.output] += value * (stop - start) / n
            right[loss.output].append(_hits(targets[loss.output], y, to_numpy(output)))
    return {name: (losses[name], _mean(np.concatenate(right[name]))) for name in losses}


def _hits(target: Target, y: Array, y_pred: Array) -> Array:
    """Return 1 or 0 a sample (a share for a class at each step); NaN where the task has no right and wrong."""
    if target.task not in ("binary", "multiclass", "sequence"):
        return np.full(len(y), np.nan)
    scores = score_samples(target.task, y, y_pred, target.scores)
    if target.task == "sequence":
        return np.asarray(scores.prediction, np.float64)
    return np.where(np.isfinite(scores.truth), scores.truth == scores.prediction, np.nan).astype(np.float64)


def _mean(values: Array) -> float:
    """Return the mean of the known values, NaN for none."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan


@contextmanager
def unchanged(model: Any, seed: int) -> Iterator[None]:
    """Put every variable back afterwards, whatever happens; random layers start from `seed` meanwhile.

    Training mode moves the statistics of normalisation layers and the states of random generators, and an author's
    own layer may move anything.
    """
    variables = list(model.variables)
    before = [np.array(to_numpy(variable.value), copy=True) for variable in variables]
    try:
        for index, variable in enumerate(variables):
            if str(variable.name).startswith("seed_generator_state"):
                state = np.arange(before[index].size, dtype=before[index].dtype) * 0 + (seed + index) % 2**31
                variable.assign(state.reshape(before[index].shape))
        yield
    finally:
        for variable, values in zip(variables, before, strict=True):
            if to_numpy(variable.value).tobytes() != values.tobytes():  # bits: NaN equals itself, -0 is not 0
                variable.assign(values)
