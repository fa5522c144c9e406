"""Confidence that does not come true: the model says 90% and is right far less, or more, often.

Fires when the model is surer than it is right: the expected calibration error (ECE, 15 bins) is at least 0.1, the
low end of its interval at least half of that, and the error leans to the sure side, on at least 200 labelled
samples; fewer would inflate the error by chance alone. A model that is less sure than it could be (label smoothing,
dropout, few epochs) fires from twice the threshold on only, since nobody is misled by it. Guo et al., "On
calibration of modern neural networks" (2017), measured 0.02 to 0.17 on trained image classifiers, so 0.1 is a strong
case, not a typical one.
"""

from __future__ import annotations

import numpy as np

from reportgen.analysis.calibration import Reliability
from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import accumulator, metric_values, of_output, outputs
from reportgen.report.types import Evidence
from reportgen.report.words import count, number_text

META = Meta(
    code="miscalibrated",
    passed="Confidence is roughly what it says",
    failed="The model's confidence cannot be taken at its word",
    level="warn",
    needs=("labels",),
    causes=(
        "Training went on after validation was best: the model became surer, not better",
        "Label smoothing, mixup or class weights, which change confidence on purpose",
        "The batch differs from the training data",
    ),
    fix="Fit a temperature on validation data (divide the logits by it), or do not show the confidence to users.",
    section="predictions",
    threshold=0.1,
    threshold_meaning="expected calibration error (mean gap between confidence and accuracy)",
    source="Guo et al., On calibration of modern neural networks (2017): 0.02 to 0.17 on trained classifiers",
)

FEWEST = 200


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare each classifier's expected calibration error with the threshold."""
    good: list[str] = []
    bad: list[str] = []
    evidence = []
    for output in outputs(artifacts, "binary", "multiclass"):
        value = next((v for v in metric_values(output) if v.name == "ece"), None)
        if value is None or value.n < FEWEST or not np.isfinite(value.value):
            continue
        numbers = f"{number_text(value.value, 2)} ({number_text(value.low, 2)} to {number_text(value.high, 2)})"
        said = f"{numbers} on {count(value.n, 'sample')}{of_output(artifacts, output)}"
        lean = _lean(accumulator(output).reliability())
        needed = threshold if lean > 0 else 2 * threshold
        low = value.low if np.isfinite(value.low) else value.value
        if value.value < needed or low < needed / 2:
            good.append(said)
            continue
        bad.append(f"{said}: the model is {'surer than it should be' if lean > 0 else 'less sure than it could be'}")
        evidence.append(Evidence("expected calibration error", value.value, value.n, "predictions"))
    if bad:
        return Result(True, f"Confidence and outcome are apart by {'; '.join(bad)}.", tuple(evidence))
    if good:
        return Result(False, f"Confidence and outcome are apart by {'; '.join(good)}.")
    return Result(None, f"Not applicable: needs probabilities and at least {FEWEST} labelled samples.")


def _lean(bins: Reliability) -> float:
    """Return the mean of confidence minus accuracy: positive when the model is surer than it is right."""
    used = bins.n > 0
    # Bins below one half count the other way round for a binary output, where they are confidence in "no".
    gaps = (bins.confidence[used] - bins.accuracy[used]) * np.where(bins.confidence[used] < 0.5, -1.0, 1.0)
    return float(np.average(gaps, weights=bins.n[used]))


CHECK = Check(META, run)
