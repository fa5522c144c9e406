"""A bounded, seeded choice of labelled samples, held during the pass for gradients and the training-mode pass."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import LayerFacts
from reportgen.analysis.keep import KeepSet
from reportgen.worker.batch import Chunk
from reportgen.worker.budget import extra_macs
from reportgen.worker.outputs import OutputPass
from reportgen.worker.plan import AUTO, Plan

Array = NDArray[Any]
USUAL = 64
LEAST = 4  # fewer say little about a mean
BACKWARD = 3
MOST_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Target:
    """What is known of one output: its task, what its scores are, a sample's shape."""

    task: str
    scores: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Samples as stored, by the batch's key; labels and predictions of each output.

    `why_fewer` is "" at the usual number.
    """

    inputs: dict[str, Array]
    labels: dict[str, Array]
    predictions: dict[str, Array]
    targets: dict[str, Target]
    why_fewer: str

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(next(iter(self.inputs.values()), ()))


class LabelledSamples:
    """Gathers the choice chunk by chunk; nothing where the plan wants none."""

    def __init__(self, plan: Plan, layers: Sequence[LayerFacts], sample_bytes: int, n: int | None) -> None:
        macs = sum(layer.macs or 0 for layer in layers)
        self.limit, self.why_fewer = choose_count(plan.gradients, macs, sample_bytes, n)
        # Not the lots of the shown samples: their worst ones must not be among these more often than others.
        self._held = KeepSet(worst=0, seeded=self.limit, seed=plan.seed + 2)

    def add(
        self,
        chunk: Chunk,
        positions: Array,
        keys: Array,
        scores: Mapping[str, tuple[OutputPass, Any, Array | None]],
        predicted: Mapping[str, Array],
    ) -> None:
        """Offer one chunk with the labels and predictions of each output."""
        labels = {name: y for name, (_, _, y) in scores.items() if y is not None}
        if self.limit and labels:
            self._held.offer(positions, keys, (), np.full(len(chunk), np.nan), chunk.inputs, labels, predicted)

    def result(self, outputs: Mapping[str, OutputPass]) -> Labelled:
        """Return what is held."""
        held = self._held.result()
        known = {name: y for name, y in held.targets.items() if name in outputs}
        targets = {
            name: Target(outputs[name].choice.task, outputs[name].choice.scores, outputs[name].shape) for name in known
        }
        return Labelled(held.inputs, known, held.predictions, targets, self.why_fewer)


def choose_count(wanted: int, macs: int, sample_bytes: int, n: int | None = None) -> tuple[int, str]:
    """Return how many of `n` samples to hold, and why fewer than usual (or none); a wish is taken as it is."""
    if wanted != AUTO:
        return wanted, ""
    affordable = extra_macs(macs, n) // max(1, BACKWARD * macs)
    fits = MOST_BYTES // max(1, sample_bytes)
    count = min(USUAL, affordable, fits)
    why = "forward and backward cost much for this model" if affordable <= fits else "a sample is large"
    return int(count) if count >= LEAST else 0, "" if count == USUAL else why


def size_of(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return the bytes of one sample's inputs as float32."""
    return sum(4 * math.prod(shape) for shape in shapes.values())
