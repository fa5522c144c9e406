"""Permutation importance: how much the loss rises when one feature is shuffled among the samples.

L. Breiman, "Random forests", Machine Learning 45 (2001). Features that carry the same information stand in for each
other, so that both may look unimportant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.feature_facts import Importance, ImportanceFacts
from reportgen.analysis.feature_rows import Columns

Array = NDArray[Any]
# Takes inputs by key, (k, ...) each, and for each row the sample it was made from; returns losses (k, outputs).
Losses = Callable[[dict[str, Array], Array], Array]

SAMPLES = 256
FEWEST_SAMPLES = 64
REPEATS = 4
FEWEST_REPEATS = 2
PREDICTIONS = 20_000
CALLS = 40
MACS = 2_000_000_000
STEP = 4_096


@dataclass(frozen=True, slots=True)
class Budget:
    """How many samples and shuffles a feature gets; 0 when the whole would cost too much, `why` then says so."""

    samples: int
    repeats: int
    why: str = ""


def plan_budget(features: int, n: int, macs: int, step: int = STEP) -> Budget:
    """Spread at most 20,000 predictions in 40 calls of `step` samples, and 2e9 multiply-accumulates, over the features.

    `macs` are those of one sample.
    """
    most = min(PREDICTIONS, CALLS * step, MACS // max(macs, 1))
    for repeats in (REPEATS, FEWEST_REPEATS):
        samples = min(n, SAMPLES, (most // max(features, 1) // repeats))
        if samples >= min(n, FEWEST_SAMPLES):
            return Budget(samples, repeats)
    needed = features * FEWEST_REPEATS * min(n, FEWEST_SAMPLES)
    return Budget(0, 0, f"{features:,} features need at least {needed:,} predictions; the budget is {most:,}")


def permute_features(
    inputs: Mapping[str, Array], columns: Sequence[Columns], losses: Losses, repeats: int, seed: int
) -> tuple[tuple[ImportanceFacts, ...], int]:
    """Return the importances for every output, and the number of predictions made.

    `inputs` are k samples by key. The same `repeats` shuffles serve every feature, so that they compare.
    """
    n = len(next(iter(inputs.values())))
    generator = np.random.default_rng(seed)
    orders = np.stack([generator.permutation(n) for _ in range(repeats)])
    base = losses(dict(inputs), np.arange(n))
    jobs = [(column, place) for column in columns for place in _places(column)]
    risen = np.zeros((len(jobs), *base.shape))
    rows_a_job = n * repeats
    together = max(1, STEP // rows_a_job)
    for start in range(0, len(jobs), together):
        part = jobs[start : start + together]
        origin = np.tile(np.arange(n), repeats * len(part))
        shuffled = {key: values[origin] for key, values in inputs.items()}
        for index, (column, place) in enumerate(part):
            rows = slice(index * rows_a_job, (index + 1) * rows_a_job)
            _shuffle(shuffled[column.key][rows], inputs[column.key], orders, place)
        found = losses(shuffled, origin).reshape(len(part), repeats, *base.shape)
        risen[start : start + together] = found.mean(axis=1) - base
    names = [name for column in columns for name in (column.names if column.kind == "numbers" else column.names[:1])]
    predictions = len(jobs) * rows_a_job + n
    facts = tuple(_facts(names, risen[:, :, i], base[:, i], repeats, predictions) for i in range(base.shape[1]))
    return facts, predictions


def _places(column: Columns) -> tuple[int | None, ...]:
    """Return which flat columns of an input are shuffled, one at a time; None stands for the whole input."""
    return tuple(range(len(column.names))) if column.kind == "numbers" else (None,)


def _shuffle(target: Array, source: Array, orders: Array, place: int | None) -> None:
    """Write the shuffled column into rows that are copies of the samples."""
    values = source[orders.reshape(-1)]
    if place is None:
        target[...] = values
    else:
        target.reshape(len(target), -1)[:, place] = values.reshape(len(values), -1)[:, place]


def _facts(names: Sequence[str], risen: Array, base: Array, repeats: int, predictions: int) -> ImportanceFacts:
    """Sum up one output: rises (features, samples) and the losses of the samples as they are."""
    known = np.isfinite(base) & np.isfinite(risen).all(axis=0)
    rows = []
    for name, row in zip(names, risen[:, known], strict=True):
        mean = float(row.mean()) if row.size else math.nan
        low, high = intervals.mean_interval(mean, float(((row - mean) ** 2).sum()), len(row))
        rows.append(Importance(name, mean, low, high))
    rows.sort(key=lambda item: (-item.rise, item.feature))
    loss = float(base[known].mean()) if known.any() else math.nan
    return ImportanceFacts(loss, int(known.sum()), repeats, predictions, tuple(rows))
