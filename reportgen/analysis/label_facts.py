"""What was found out about the single labels of a multilabel output. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class SingleLabels:
    """The surest disagreements with single labels, the surest first: one row each.

    `positions` are rows in the batch, `labels` columns of the output, `given` what the model says (1: has the label),
    `sure` its probability. `answers` (L, 2) counts answers at least 99% sure by label and by what they say, `right`
    those that agree with the batch. `doubt` (L, 2, bins) sums the probabilities that those answers are wrong, by size
    in half decades below 1%. `found` counts all sure disagreements, also those that are not kept.
    """

    positions: Array
    ids: tuple[str, ...]
    labels: Array
    given: Array
    sure: Array
    answers: Array
    right: Array
    doubt: Array
    found: int
