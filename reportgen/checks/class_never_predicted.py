"""A class that has labels in the batch and not one prediction.

At least 20 labelled samples of the class: if the model found it in a mere 14% of them, missing all 20 would happen
in 5% of batches (0.86^20 = 0.05), so a class that is found now and then is not called "never". Silent when nearly
all predictions are one class; collapsed-predictions says that better. No published default; the bound is the
binomial one above.
"""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Artifacts, OutputEvidence
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import accumulator, class_counts, class_name, of_output, outputs
from reportgen.report.types import Evidence
from reportgen.report.words import count, join_words, percent, shorten

META = Meta(
    code="class-never-predicted",
    passed="Every class with enough samples is predicted at least once",
    failed="A class is never predicted",
    level="warn",
    needs=("labels",),
    causes=(
        "The class is rare in the training data, so that never saying it cost little",
        "The class was missing from the training data, or its index is shifted",
        "The class looks like another one that is far more frequent",
    ),
    fix="Count the class in the training data; weight it (class_weight in fit) or collect more of it, and check the "
    "order of the class names.",
    section="predictions",
    threshold=20,
    threshold_meaning="labelled samples that a class needs before its absence counts",
    source="own rule from the binomial distribution: 0.86^20 = 0.05",
)

COLLAPSED = 0.98


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Find the classes with at least `threshold` labels and no prediction."""
    bad: list[str] = []
    evidence: list[Evidence] = []
    judged = 0
    if not outputs(artifacts, "binary", "multiclass"):
        return Result(None, "Not applicable: no labelled output chooses among classes.")
    for output in outputs(artifacts, "binary", "multiclass"):
        true, predicted = class_counts(output)
        if predicted.sum() and predicted.max() >= COLLAPSED * predicted.sum():
            return Result(
                None,
                "Not judged: nearly all predictions are one class, so that the others are hardly ever predicted "
                "anyway.",
            )
        judged += int((true >= threshold).sum())
        for index in np.flatnonzero((true >= max(threshold, 1)) & (predicted == 0)):
            name = shorten(class_name(output, int(index)), 40)
            bad.append(
                f"{name}{of_output(artifacts, output)} "
                f"({count(int(true[index]), 'sample')}{_instead(output, int(index))})"
            )
            evidence.append(Evidence(f"predicted as {name}", 0, int(true[index]), "predictions"))
    if bad:
        return Result(True, f"Never predicted: {join_words(bad, most=5)}.", tuple(evidence[:10]))
    if not judged:
        return Result(None, f"Not applicable: no class has at least {threshold:.0f} labelled samples.")
    return Result(
        False,
        f"Each of the {count(judged, 'class')} with at least {threshold:.0f} labelled samples is predicted at least "
        "once.",
    )


def _instead(output: OutputEvidence, index: int) -> str:
    """Say what the samples of a class are mostly taken for; "" past 1,000 classes, where no matrix is kept."""
    matrix = accumulator(output).confusion
    if matrix is None:
        return ""
    row = np.asarray(matrix)[index]
    taken = int(row.argmax())
    return f", taken mostly for {shorten(class_name(output, taken), 40)}: {percent(row[taken] / row.sum())}"


CHECK = Check(META, run)
