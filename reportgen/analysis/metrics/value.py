"""What every accumulator's result is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One metric with its n, 95% interval and the simple baseline's value on the same samples.

    NaN means "could not be computed"; `reason` then says why. `better` is higher, lower or neither. `unit` is "share"
    for proportions in 0..1, "" otherwise. `interval` names the method ("Wilson", "bootstrap, 1,000 resamples, seed 0",
    "none").
    """

    name: str
    label: str
    value: float
    low: float
    high: float
    n: int
    interval: str
    better: str
    unit: str = ""
    baseline: float | None = None
    baseline_name: str = ""
    headline: bool = False
    help: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SampleScores:
    """Per-sample numbers of one chunk: float64 arrays of length n. NaN where unknown.

    `truth` and `prediction` are class indices for classifiers, else a per-sample scalar that stands for the sample
    (mean over targets; share of foreground; ...). `loss` is larger for worse samples.
    """

    truth: Array
    prediction: Array
    confidence: Array
    loss: Array


class Accumulator(Protocol):
    """A streaming sum over samples. Splitting the batch in any way gives the same result to 1e-9.

    `state` is a flat dict of arrays that crosses the process border; `from_state` restores an equal accumulator.
    """

    def update(self, y_true: Array | None, y_pred: Array, weights: Array | None = None) -> None:
        """Add one chunk. `y_true` is None for unlabelled chunks."""
        ...

    def merge(self, other: Self) -> None:
        """Add what `other` has seen."""
        ...

    def state(self) -> dict[str, Array]:
        """Return everything needed to restore this accumulator."""
        ...

    @classmethod
    def from_state(cls, state: dict[str, Array]) -> Self:
        """Restore an accumulator."""
        ...

    def result(self) -> tuple[MetricValue, ...]:
        """Return the metrics of what was seen so far."""
        ...
