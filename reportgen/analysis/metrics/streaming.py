"""The base of every accumulator: it counts what was seen and left out, merges its parts, and writes itself down."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.metrics.parts import Part, Sketch, Sum, take
from reportgen.analysis.metrics.value import MetricValue

Array = NDArray[Any]
P = TypeVar("P", bound=Part)

SCORES = ("probabilities", "logits", "scores", "values")
NO_VARIATION = "Wilson on the samples: all alike"
NO_LABELS = "no labels that can be used"
NO_NUMBERS = "the predictions are not numbers (NaN or Inf)"
NOT_PROBABILITIES = "the model's scores are not probabilities"
SEEN = ("n", "labelled", "bad_labels", "bad_scores", "weighted")


class Streaming:
    """Parts that merge, and the numbers of samples seen, labelled, and left out.

    `shape` is the output's shape without the batch (None: any length). Sample weights are accepted and ignored: every
    sample counts once, and `notes()` says so.
    """

    task: ClassVar[str] = ""
    headlines: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, shape: tuple[int | None, ...] = (), classes: int = 0, scores: str = "values") -> None:
        if scores not in SCORES:
            raise ValueError(f"scores should be one of {', '.join(SCORES)}, found {scores!r}")
        self.shape = tuple(shape)
        self.classes = classes
        self.scores = scores
        self._parts: dict[str, Part] = {}
        self._seen = self._part("seen", Sum(len(SEEN)))
        self._build()

    def _build(self) -> None:
        """Make the parts; called once, when the settings are known."""

    def _part(self, name: str, part: P) -> P:
        """Register a part under a name."""
        self._parts[name] = part
        return part

    def _count(self, **counts: int) -> None:
        """Add to the numbers of samples seen."""
        for name, value in counts.items():
            self._seen.values[SEEN.index(name)] += value

    @property
    def n(self) -> int:
        """Number of samples seen."""
        return int(self._seen.values[0])

    @property
    def n_labelled(self) -> int:
        """Number of samples with a usable label and usable scores: the n of the metrics."""
        return int(self._seen.values[1])

    def notes(self) -> tuple[str, ...]:
        """Return one sentence for each kind of sample that was left out, and why."""
        n, _, bad_labels, bad_scores, weighted = (int(value) for value in self._seen.values)
        notes = []
        if bad_labels:
            notes.append(
                f"{bad_labels:,} of {n:,} labels {self._bad_label_words()}; these samples are not in the metrics."
            )
        if bad_scores:
            notes.append(f"{bad_scores:,} of {n:,} predictions hold NaN or Inf; these samples are not in the metrics.")
        if weighted:
            notes.append("Sample weights were given; the metrics count every sample once.")
        return tuple(notes)

    def exactness(self) -> str:
        """Say that curves, ranks and quantiles are exact, and up to which size; "" where they are not, or are none.

        Where values stand in bins, `notes` says so with the error.
        """
        sketches = [part for part in self._parts.values() if isinstance(part, Sketch)]
        if not sketches or not self.n or any(part.binned for part in sketches):
            return ""
        limit = min(part.exact for part in sketches)
        return f"Curves, ranks and quantiles are exact here; beyond {limit:,} values they stand on narrow bins."

    def _nothing_usable(self) -> str:
        """Say why no sample counts: predictions that are no numbers are the model's fault, not the labels'."""
        n, _, _, bad_scores, _ = self._seen.values
        return NO_NUMBERS if n and bad_scores == n else NO_LABELS

    def _bad_label_words(self) -> str:
        """Say what was wrong with labels that could not be used."""
        return "are missing or not finite"

    @property
    def probabilistic(self) -> bool:
        """Say whether the scores are, or can be turned into, probabilities."""
        return self.scores in ("probabilities", "logits")

    @property
    def predicted(self) -> Array:
        """How often each class was answered, labelled or not; empty for tasks without classes."""
        return np.zeros(0, np.int64)

    def update(self, y_true: Array | None, y_pred: Array, weights: Array | None = None) -> None:
        """Add one chunk; raises ValueError when labels or predictions do not fit the output."""
        raise NotImplementedError

    def result(self) -> tuple[MetricValue, ...]:
        """Return the metrics of what was seen so far."""
        return ()

    def _metric(
        self,
        name: str,
        label: str,
        value: float,
        ends: tuple[float, float] | None,
        interval: str,
        *,
        better: str = "higher",
        unit: str = "",
        baseline: float | None = None,
        baseline_name: str = "",
        help: str = "",
        reason: str = "",
        n: int | None = None,
    ) -> MetricValue:
        """Return one metric; when its value is NaN, with the reason and without an interval."""
        missing = math.isnan(value)
        count = self.n_labelled if n is None else n
        low, high = (math.nan, math.nan) if missing or ends is None else ends
        known = not math.isnan(low)
        if unit == "share" and known:
            low, high = max(0.0, low), min(1.0, high)
            if high - low < 1e-6 and value in (0.0, 1.0) and count:
                (low, high), interval = intervals.wilson_pair(value * count, count), NO_VARIATION
        why = reason or (NOT_PROBABILITIES if self.n_labelled else self._nothing_usable())
        return MetricValue(
            name=name,
            label=label,
            value=value,
            low=low,
            high=high,
            n=count,
            interval=interval if known else "none",
            better=better,
            unit=unit,
            baseline=baseline,
            baseline_name=baseline_name if baseline is not None else "",
            headline=name in self.headlines,
            help=help,
            reason=why if missing else "",
        )

    def merge(self, other: Self) -> None:
        """Add what `other` has seen; raises ValueError when it was made for another output."""
        if self._settings().tolist() != other._settings().tolist():
            raise ValueError("accumulators with different settings cannot be merged")
        for name, part in self._parts.items():
            part.merge(other._parts[name])

    def state(self) -> dict[str, Array]:
        """Return a flat dict of arrays that restores this accumulator."""
        state = {"settings": self._settings()}
        for name, part in self._parts.items():
            state |= {f"{name}.{key}": value for key, value in part.state().items()}
        return state

    @classmethod
    def from_state(cls, state: dict[str, Array]) -> Self:
        """Restore an accumulator; raises ValueError if the arrays are not a state of this kind."""
        scores, classes, *shape = (int(value) for value in take(state, "settings", np.int64, (None,)))
        if not 0 <= scores < len(SCORES) or not 0 <= classes <= 10_000_000:
            raise ValueError("the state's settings are out of range")
        sizes = tuple(None if size < 0 else size for size in shape)
        restored = cls(shape=sizes, classes=classes, scores=SCORES[scores])
        for name, part in restored._parts.items():
            start = f"{name}."
            part.load({key[len(start) :]: value for key, value in state.items() if key.startswith(start)})
        return restored

    def _settings(self) -> Array:
        """Return what this accumulator was made with, as numbers."""
        shape = [-1 if size is None else size for size in self.shape]
        return np.asarray([SCORES.index(self.scores), self.classes, *shape], dtype=np.int64)
