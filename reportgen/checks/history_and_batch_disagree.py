"""Validation in the history promised far more than the batch gives.

Compares the validation accuracy of the history with the accuracy on the batch (and mean absolute error likewise).
Fires only when the batch is clearly worse than every epoch that the saved weights may come from (the best, the last
and the restored one): the good end of its 95% interval lies more than 15 percentage points below them, or the low
end of the error more than 50% above. Test data is often somewhat harder than validation data; such gaps are not
that. At least 30 samples. No published default; a usual cause is a batch that was prepared differently, which UMLAUT
(CHI 2021) looks for at the input.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts, OutputEvidence
from reportgen.analysis.metrics.value import MetricValue
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import curve, curve_facts, metric_values, of_output, outputs
from reportgen.report.types import Evidence
from reportgen.report.words import count, interval_text, value_text

META = Meta(
    code="history-and-batch-disagree",
    passed="The batch agrees with validation in the history",
    failed="The batch is far worse than validation promised",
    level="warn",
    needs=("history", "labels"),
    causes=(
        "The batch was prepared differently: other scaling, other order of channels or classes",
        "The model file is not from the run that the history records",
        "Validation data leaked into training, or the batch is from another source",
    ),
    fix="Evaluate the model on the validation data with this batch's code: if it scores what the history says, the "
    "batch is different data; if not, preparation or the file is at fault.",
    section="predictions",
    threshold=0.15,
    threshold_meaning="gap between validation in the history and the good end of the interval on the batch, as a share",
    source="own rule, from interval to point; UMLAUT (CHI 2021) for the usual cause",
)

FEWEST = 30
ERROR_FACTOR = 1.5
ACCURACIES = ("accuracy", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy")
# Keras's accuracy of an output with positions (masks, tokens) is the share of positions.
NAMES = {
    "accuracy": ACCURACIES,
    "pixel_accuracy": ACCURACIES,
    "token_accuracy": ACCURACIES,
    "mae": ("mae", "mean_absolute_error"),
}


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare each output's accuracy or error with its validation curve."""
    good: list[str] = []
    bad: list[str] = []
    evidence = []
    for output in outputs(artifacts):
        for value in metric_values(output):
            expected = _expected(artifacts, output, value) if value.n >= FEWEST else ()
            if not expected:
                continue
            nearest = min(expected) if value.better == "higher" else max(expected)
            said = (
                f"{value.label}{of_output(artifacts, output)} is {value_text(value.value, value.unit)} "
                f"({interval_text(value.low, value.high, value.unit)}) on {count(value.n, 'sample')} of the batch and "
                f"{value_text(nearest, value.unit)} in validation"
            )
            far = value.high < nearest - threshold if value.better == "higher" else value.low > ERROR_FACTOR * nearest
            (bad if far else good).append(said)
            if far:
                evidence.append(
                    Evidence(f"{value.label} on the batch", value_text(value.value, value.unit), value.n, "predictions")
                )
                evidence.append(
                    Evidence(f"{value.label} in validation", value_text(nearest, value.unit), None, "training")
                )
    if bad:
        return Result(True, f"{'; '.join(bad)}.", tuple(evidence))
    if good:
        return Result(False, f"{'; '.join(good)}.")
    return Result(
        None,
        "Not applicable: needs the same metric (accuracy or mean absolute error) in validation and on at least "
        f"{FEWEST} samples.",
    )


def _expected(artifacts: Artifacts, output: OutputEvidence, value: MetricValue) -> tuple[float, ...]:
    """Return validation's values at the epochs that the weights may come from; none when there are none."""
    several = artifacts.worker is not None and len(artifacts.worker.outputs) > 1
    for name in NAMES.get(value.name, ()):
        full = f"{output.name}_{name}" if several else name
        pair, validation = curve_facts(artifacts).pair(full), curve(artifacts, f"val_{full}")
        if pair is None or validation is None or pair.validation is None or pair.validation.last is None:
            continue
        epochs = {pair.validation.last.epoch, pair.best.epoch if pair.best else 0}
        main = curve_facts(artifacts).best
        epochs |= {main.epoch if main else 0, (artifacts.history.restored_epoch or 0) if artifacts.history else 0}
        values = [
            float(v) for e, v in zip(validation.epochs, validation.values, strict=True) if int(e) in epochs and v == v
        ]
        return tuple(values)
    return ()


CHECK = Check(META, run)
