"""A model that is poor on its own training data too, although training moved.

Fires when every judged output is no better than its simple baseline on the batch, or came less than a tenth of the way
from there to a perfect score, and training itself ended poor: where the history has the training accuracy or error, it
gained less than 10% of the way from that baseline to perfect; else the training loss fell by less than 10%. A model
that does well in training and badly on the batch is not underfitted and does not fire here. AutoTrainer (ICSE 2021)
likewise looks for training problems only where the training accuracy stayed low (Theta 0.6); the bar here is the
baseline instead of a fixed accuracy, so that hard tasks with many classes do not fire.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.analysis.metrics.value import MetricValue
from reportgen.checks import plateau
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import curve, curve_facts, metric_values, outputs, places
from reportgen.checks.saved_epoch import loss_metric
from reportgen.report.types import Evidence
from reportgen.report.words import count, number_text, percent, value_text

META = Meta(
    code="underfitting",
    passed="Training got somewhere",
    failed="The model did not learn its own training data",
    level="warn",
    needs=("history", "labels"),
    causes=(
        "The model is too small, or too strongly regularised (dropout, weight decay)",
        "Too few epochs, or a learning rate that is too low or too high",
        "Inputs or labels are broken in the training data",
    ),
    fix="Check that the model can learn 20 samples by heart; if not, look for broken data or frozen layers, else "
    "train longer or use a larger model.",
    section="training",
    threshold=0.1,
    threshold_meaning="share of the way from the baseline to a perfect score that training must have gained",
    source="AutoTrainer (ICSE 2021): problems are sought where training accuracy stays low (Theta 0.6); bar replaced "
    "by the baseline",
)

NAMES = {
    "accuracy": ("accuracy", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy"),
    "mse": ("mse", "mean_squared_error"),
    "mae": ("mae", "mean_absolute_error"),
}
FEWEST_EPOCHS = 3
NOT_MOVED = 0.01  # share of the training loss: below, there was no training to judge


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare what training reached with the baseline, for models that are poor on the batch."""
    facts = curve_facts(artifacts)
    if facts.epochs < FEWEST_EPOCHS:
        return Result(None, f"Not applicable: needs at least {FEWEST_EPOCHS} epochs; the history has {facts.epochs}.")
    if not plateau.is_hardly_better(artifacts):
        if "better" in places(artifacts):
            return Result(
                False, "On the batch the model is clearly better than its simple baseline, so it learned something."
            )
        return Result(None, "Not judged: the batch does not show whether the model is better than its simple baseline.")
    gain = plateau.compute_gain(artifacts)
    if gain is not None and gain[0] < NOT_MOVED:
        return Result(None, "Not judged: the training loss never moved at all, see plateau.")
    reached = _metric_gain(artifacts)
    if reached is not None:
        share, last, value, name = reached
        said = (
            f"The training {name} ended at {value_text(last, value.unit)}; {value.baseline_name or 'a simple guess'} "
            f"reaches {value_text(value.baseline, value.unit)} on the batch"
        )
        evidence = (Evidence(f"last training {name}", value_text(last, value.unit), facts.epochs, "training"),)
    elif gain is not None:
        share = gain[0]
        said = f"The training loss fell from {number_text(gain[1])} to {number_text(gain[2])} only ({percent(share)})"
        evidence = (Evidence("gain in training loss", percent(share), facts.epochs, "training"),)
    else:
        return Result(
            None,
            "Not applicable: the history has neither a training metric with a baseline nor a positive training loss.",
        )
    if share >= threshold:
        return Result(False, f"{said}: training itself got somewhere, over {count(facts.epochs, 'epoch')}.")
    return Result(
        True,
        f"{said}, over {count(facts.epochs, 'epoch')}, and on the batch the model is hardly better than its baseline, "
        "or not at all.",
        evidence,
    )


def _metric_gain(artifacts: Artifacts) -> tuple[float, float, MetricValue, str] | None:
    """Return (share of the way gained, last training value, our metric, its name in the history) for one output.

    Penalties are part of the training loss, but not of these metrics.
    """
    judged = outputs(artifacts)
    for value in metric_values(judged[0]) if len(judged) == 1 else ():
        perfect = 1.0 if value.better == "higher" else 0.0
        names = NAMES.get(value.name, ()) + (("loss",) if value.name == loss_metric(artifacts, judged[0]) else ())
        if value.baseline is None or value.baseline == perfect:
            continue
        for name in names:
            found = curve(artifacts, name)
            if found is not None and found.values[-1] == found.values[-1]:
                last = float(found.values[-1])
                return (last - value.baseline) / (perfect - value.baseline), last, value, name.replace("_", " ")
    return None


CHECK = Check(META, run)
