"""A model that is no better than the simplest possible guess: the majority class, the mean, the background.

Fires when the 95% interval of the headline metric lies on the wrong side of the baseline (worse), or when the
samples show that there is no difference worth having: not better at all on at least 30 samples, or even the good end
of the interval covers under 5% of the way to a perfect score (equal within noise). When the samples cannot tell, it
says so and does not fire. A classifier that is clearly better than its baseline by a metric that blind guessing
cannot win (balanced accuracy, Matthews correlation, ROC AUC, average precision, log loss) does not fire either:
training with class weights gives up accuracy on purpose to find a rare class. A training loss that ended 10% below
that of an even guess while validation never came 3% below it is told with it: learned by heart.

Source: comparing with a trivial predictor is standard practice (scikit-learn's DummyClassifier and DummyRegressor);
the interval comes with each metric (Wilson for shares, bootstrap otherwise).
"""

from __future__ import annotations

import math

import numpy as np

from reportgen.analysis.evidence import Artifacts, OutputEvidence
from reportgen.analysis.metrics.value import MetricValue
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.learning_rates import chance_loss
from reportgen.checks.lookup import curve, headline, metric_values, of_output, outputs, standing
from reportgen.report.types import Evidence
from reportgen.report.words import count, interval_text, join_words, number_text, value_text

META = Meta(
    code="worse-than-baseline",
    passed="Better than a simple baseline",
    failed="No better than a simple baseline",
    level="warn",
    needs=("labels",),
    causes=(
        "The batch is scaled or encoded differently from the training data",
        "Labels and predictions are in a different order of classes",
        "The model has not learned: training went wrong, or the wrong file was saved",
        "Training labels that do not belong to their inputs (shuffled, shifted): they can only be learned by heart",
    ),
    fix="Run the model on a few training samples: if it fails there too, training is at fault; if not, compare how "
    "the batch and the training data were prepared.",
    section="predictions",
    source="scikit-learn, DummyClassifier and DummyRegressor as the bar; Wilson or bootstrap intervals",
)

# Macro F1 is not among them: a random answer beats a constant one there.
LEARNED, NOTHING = 0.1, 0.03  # of an even guess's loss
FAIR = ("balanced_accuracy", "mcc", "roc_auc", "auc", "average_precision", "log_loss")


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Place every output's headline metric beside its baseline."""
    evidence: list[Evidence] = []
    bad, good, unsure = [], [], []
    for output in outputs(artifacts):
        values = metric_values(output)
        value = headline(values)
        if value is None or value.baseline is None:
            continue
        place = standing(value).place
        said = _describe(artifacts, output, value)
        if place in ("worse", "equal") and (rescue := _clearly_better_elsewhere(values, value)) is not None:
            good.append(
                f"{said}, but {_numbers(rescue)} is clearly better than its own baseline of {_baseline(rescue)}"
            )
        elif place in ("worse", "equal"):
            bad.append(f"{said}: {'worse than' if place == 'worse' else 'no better than'} the baseline")
            evidence += _evidence(value)
        elif place == "better":
            good.append(f"{said}: better")
        elif place == "unclear":
            unsure.append(f"{said}: too close to call on {count(value.n, 'sample')}")
        elif place == "no_room":
            unsure.append(f"{said}: the baseline is already perfect, as when all labels are alike")
    if bad:
        said, more = _by_heart(artifacts)
        return Result(True, f"{_sentence(bad)}.{said}", (*evidence, *more))
    if unsure:
        return Result(None, f"Cannot tell. {_sentence(unsure)}.")
    if good:
        return Result(False, f"{_sentence(good)}.")
    return Result(None, "Not applicable: no output has a headline metric with a simple baseline.")


def _by_heart(artifacts: Artifacts) -> tuple[str, tuple[Evidence, ...]]:
    """Say when training got below an even guess's loss and validation never did: nothing learned carries over."""
    chance = chance_loss(artifacts) if artifacts.history is not None else math.nan
    train, validation = (curve(artifacts, name) if chance == chance else None for name in ("loss", "val_loss"))
    if train is None or validation is None:
        return "", ()
    last, best = float(train.values[-1]), float(np.nanmin(validation.values, initial=math.inf))
    if not (last < (1 - LEARNED) * chance and chance * (1 - NOTHING) <= best < math.inf):
        return "", ()
    said = (
        f" While training, the loss on the training data fell to {number_text(last)}, below the {number_text(chance)} "
        f"of an even guess, and on the validation data it never did (best {number_text(best)}): what was learned holds "
        "for no new sample, as when labels do not belong to their inputs."
    )
    n = int(validation.values.size)
    return said, (Evidence("training loss at the end", last, n, "training"),
                  Evidence("best validation loss", best, n, "training"))  # fmt: skip


def _clearly_better_elsewhere(values: tuple[MetricValue, ...], head: MetricValue) -> MetricValue | None:
    """Return another metric of the output whose whole interval is on the good side of a baseline of its own."""
    fair = [v for v in values if v is not head and v.name in FAIR and v.interval != "none"]
    return next((v for v in fair if standing(v).place == "better"), None)


def _describe(artifacts: Artifacts, output: OutputEvidence, value: MetricValue) -> str:
    """Name the metric, its interval, n and the baseline."""
    numbers = _numbers(value, of_output(artifacts, output))
    return f"{numbers} on {count(value.n, 'sample')}, against {_baseline(value)}"


def _numbers(value: MetricValue, of: str = "") -> str:
    """Write a metric with its interval."""
    return (
        f"{value.label}{of} {value_text(value.value, value.unit)} ({interval_text(value.low, value.high, value.unit)})"
    )


def _baseline(value: MetricValue) -> str:
    """Write a metric's baseline with its name."""
    return f"{value_text(value.baseline, value.unit)}" + (f" for {value.baseline_name}" if value.baseline_name else "")


def _evidence(value: MetricValue) -> tuple[Evidence, ...]:
    """Return the two numbers that were compared."""
    return (
        Evidence(value.label, _numbers(value).removeprefix(f"{value.label} "), value.n, "predictions"),
        Evidence(f"{value.label} of the baseline", _baseline(value), value.n, "predictions"),
    )


def _sentence(parts: list[str]) -> str:
    """Join what was said of each output."""
    return join_words(parts) if len(parts) < 2 else "; ".join(parts)


CHECK = Check(META, run)
