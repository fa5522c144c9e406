"""Samples that occur more than once in the batch, byte for byte: they count twice in every number.

Equal sample keys mean equal inputs (64-bit hashes: a chance collision among 20,000 records has odds of 1 in 10^11).
Fires when at least 5% of the recorded samples repeat an earlier one. A few repeats are normal in tables with few
distinct values, so a single pair does not fire. No published default (deepchecks' duplicate rule also tolerates a
set share).
"""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.report.types import Evidence
from reportgen.report.words import count, percent, share_text

META = Meta(
    code="duplicate-samples",
    passed="Hardly any sample occurs twice",
    failed="The batch holds many identical samples",
    level="warn",
    needs=("predictions",),
    causes=(
        "The batch was joined from overlapping files, or oversampled before it was split",
        "The data has so few distinct values that equal rows are natural",
    ),
    fix="Remove the repeats before evaluating (and check that none of them is in the training data), or confirm that "
    "they are natural.",
    section="predictions",
    threshold=0.05,
    threshold_meaning="share of the recorded samples that repeat an earlier one",
    source="own rule; equal inputs are found by their hash, not guessed",
)


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Count the records whose key occurred before."""
    records = artifacts.worker.outputs[0].records if artifacts.worker and artifacts.worker.outputs else None
    if records is None or records.keys.size < 2:
        return Result(None, "Not applicable: needs at least two samples.")
    n = int(records.keys.size)
    # Counted from the keys themselves: the records may be a part of the batch.
    keys, times = np.unique(records.keys, return_counts=True)
    repeats = int((times - 1).sum())
    said = f"{share_text(repeats, n, 'recorded sample')} repeat an earlier one"
    if not repeats or repeats < threshold * n:
        return Result(False, f"{said}." if repeats else f"No two of {count(n, 'recorded sample')} are identical.")
    order = np.lexsort((keys, -times))
    most = int(times.max())
    return Result(
        True,
        f"{said}, byte for byte; the most frequent one occurs {most:,} times. They count more than once in every "
        "number here.",
        (
            Evidence("identical to an earlier sample", percent(repeats / n), n, "predictions"),
            Evidence("copies of the most frequent sample", most, n, "predictions"),
        ),
        samples=tuple(f"{int(keys[i]):016x}" for i in order[:5] if times[i] > 1),
    )


CHECK = Check(META, run)
