"""A good overall number that hides a class the model fails on, because that class is rare.

Fires when the overall accuracy is at least 80%, a class with at least 20 labelled samples makes up less than half of
its fair share (1 / number of classes), and the 95% interval of its recall lies wholly below 50%: more of its samples
are missed than found, and chance does not explain it. Segmentation: accuracy of positions at least 80%, and the IoU of
such a class below 30%. A class that is never predicted is told by class-never-predicted. The bounds are our own; that
accuracy misleads under imbalance is common knowledge (see scikit-learn on balanced accuracy).
"""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Artifacts, OutputEvidence
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import accumulator, class_name, of_output, outputs
from reportgen.report.types import Evidence
from reportgen.report.words import count, join_words, percent, shorten

META = Meta(
    code="class-imbalance-hides-failure",
    passed="No rare class fails behind a good overall number",
    failed="A good overall number hides a failing rare class",
    level="warn",
    needs=("labels",),
    causes=(
        "The class is rare in the training data, so that missing it costs little loss",
        "The threshold or the loss weighs all samples alike, whatever they cost",
    ),
    fix="Judge by balanced accuracy or macro F1, not by accuracy; weight the class in training (class_weight in fit), "
    "collect more of it, or move the threshold.",
    section="predictions",
    threshold=0.5,
    threshold_meaning="recall below which a class counts as failing (its whole 95% interval)",
    source="own rule; balanced accuracy as in scikit-learn",
)

GOOD = 0.8
FEWEST = 20
LOW_IOU = 0.3


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Look for rare classes with a low recall behind a high accuracy."""
    bad: list[str] = []
    evidence: list[Evidence] = []
    judged = 0
    for output in outputs(artifacts, "binary", "multiclass", "segmentation"):
        table = accumulator(output).per_class()
        support = np.asarray(table.support, dtype=np.float64)
        if support.sum() <= 0:
            continue
        recall = np.nan_to_num(np.asarray(table.recall, dtype=np.float64))
        accuracy = float((recall * support).sum() / support.sum())
        rare = support < support.sum() / len(support) / 2
        rare &= (table.samples if output.task == "segmentation" else support) >= FEWEST
        judged += int(rare.sum())
        if accuracy < GOOD:
            continue
        for index in np.flatnonzero(rare & _failing(output, table, threshold) & (np.asarray(table.predicted) > 0)):
            name = shorten(class_name(output, int(index)), 40)
            share = percent(support[index] / support.sum())
            bad.append(
                f"{name}{of_output(artifacts, output)} ({share} of the labels) is found in {percent(recall[index])} of "
                f"its cases while {percent(accuracy)} of all answers are right"
            )
            evidence.append(Evidence(f"recall of {name}", percent(recall[index]), int(support[index]), "predictions"))
    if bad:
        return Result(True, f"{join_words(bad, most=3)}.", tuple(evidence[:10]))
    if not judged:
        return Result(None, "Not applicable: no rare class with enough labels among the classes of any output.")
    return Result(False, f"None of {count(judged, 'rare class')} with enough labels is mostly missed.")


def _failing(output: OutputEvidence, table: object, threshold: float) -> np.ndarray:
    """Tell which classes are mostly missed."""
    if output.task == "segmentation":
        return np.nan_to_num(np.asarray(table.iou), nan=1.0) < LOW_IOU  # type: ignore[attr-defined]
    return np.nan_to_num(np.asarray(table.recall_high), nan=1.0) < threshold  # type: ignore[attr-defined]


CHECK = Check(META, run)
