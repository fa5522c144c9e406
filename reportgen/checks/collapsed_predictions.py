"""Nearly all predictions are the same although the labels are not.

For classes: one class gets at least 98% of the predictions while at least 20% of the labels are others. For numbers:
the spread of the predictions is under 1% of the labels' (standard deviation). At least 30 labelled samples. A batch
that is itself nearly all one class does not fire. No published default exists; both numbers are far from what any
useful model gives: one that always says the majority class has 100%, a weak one rarely more than 95%.
"""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Artifacts, OutputEvidence
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import class_counts, class_name, of_output, outputs
from reportgen.report.types import Evidence
from reportgen.report.words import count, interval_text, number_text, percent, share_text, shorten

META = Meta(
    code="collapsed-predictions",
    passed="Predictions differ from sample to sample",
    failed="Nearly all predictions are the same",
    level="warn",
    needs=("labels",),
    causes=(
        "The batch is scaled differently from the training data (0 to 255 instead of 0 to 1, or not normalised)",
        "Training collapsed: learning rate too high, dead units, or weights that are not finite",
        "One class dominates the training data so much that guessing it was enough",
    ),
    fix="Check the range of the inputs against what training used; if they agree, lower the learning rate or weight "
    "the classes (class_weight in fit) and train again.",
    section="predictions",
    threshold=0.98,
    threshold_meaning="share of the predictions that fall on one class",
    source="own rule: a constant prediction has 100%; weak but working classifiers stay below 95%",
)

CLASSIFIERS = ("binary", "multiclass", "segmentation", "sequence")
FEWEST = 30
OTHER_LABELS = 0.2
FLAT_SPREAD = 0.01


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Look at how each output's predictions are spread."""
    results = [
        result
        for output in outputs(artifacts)
        if (result := _judge_classes(artifacts, output, threshold) or _judge_numbers(artifacts, output)) is not None
    ]
    if not results:
        return Result(
            None, f"Not applicable: needs an output with classes or numbers and at least {FEWEST} labelled samples."
        )
    fired = [result for result in results if result.fired]
    chosen = fired or results
    evidence = tuple(e for r in chosen for e in r.evidence) + (_input_ranges(artifacts) if fired else ())
    return Result(bool(fired), " ".join(r.text for r in chosen), evidence)


def _input_ranges(artifacts: Artifacts) -> tuple[Evidence, ...]:
    """Return the range of each input: the first thing to compare with training when predictions collapse."""
    worker = artifacts.worker
    if worker is None:
        return ()
    return tuple(
        Evidence(f"range of input {shorten(fact.name, 40)}", interval_text(fact.low, fact.high), worker.n_samples)
        for fact in worker.inputs[:5]
        if np.isfinite(fact.low) and np.isfinite(fact.high)
    )


def _judge_classes(artifacts: Artifacts, output: OutputEvidence, threshold: float) -> Result | None:
    """Compare the share of the most predicted class with the threshold; None for other tasks."""
    if output.task not in CLASSIFIERS or output.n_labelled < FEWEST:
        return None
    true, predicted = class_counts(output)
    total = int(predicted.sum())
    if not total:
        return None
    top = int(predicted.argmax())
    name = shorten(class_name(output, top), 40)
    unit = "sample" if total == output.n_labelled else "position"
    got = share_text(int(predicted[top]), total, unit)
    others = 1 - true[top] / total
    where = of_output(artifacts, output)
    if predicted[top] < threshold * total or others < OTHER_LABELS:
        return Result(
            False,
            f"The most predicted class{where} is {name}: {got}, and {percent(true[top] / total)} of the labels are "
            f"{name}.",
        )
    return Result(
        True,
        f"The prediction{where} is {name} for {got}, although {percent(others)} of the labels are other classes.",
        (
            Evidence(f"predicted as {name}", percent(predicted[top] / total), total, "predictions"),
            Evidence(f"labelled {name}", percent(true[top] / total), total, "predictions"),
        ),
    )


def _judge_numbers(artifacts: Artifacts, output: OutputEvidence) -> Result | None:
    """Compare the spread of predicted numbers with that of the labels; None for other tasks."""
    records = output.records
    known = np.isfinite(records.truth) & np.isfinite(records.prediction)
    n = int(known.sum())
    if output.task != "regression" or n < FEWEST:
        return None
    truth, said = float(np.std(records.truth[known])), float(np.std(records.prediction[known]))
    where = of_output(artifacts, output)
    if not truth or said >= FLAT_SPREAD * truth:
        return Result(
            False,
            f"The predictions{where} spread by {number_text(said)} (labels: {number_text(truth)}), on "
            f"{count(n, 'sample')}.",
        )
    middle = number_text(float(np.mean(records.prediction[known])))
    return Result(
        True,
        f"All predictions{where} are close to {middle}: they spread by {number_text(said)} and the labels by "
        f"{number_text(truth)} (standard deviations), on {count(n, 'sample')}.",
        (
            Evidence("spread of the predictions", said, n, "predictions"),
            Evidence("spread of the labels", truth, n, "predictions"),
        ),
    )


CHECK = Check(META, run)
