"""Labels that look wrong: the model is very sure of another class, or identical samples have different labels.

A suspicion, never a verdict. A label is suspicious when the model gives another class at least 99% (and at least what
it gives to samples of that class on average, as in confident learning), is nearly always right when it is that sure
(low end of the Wilson interval at least 90%, on at least 20 other samples; of this class 90% of at least 5), and by its
own probabilities expects less than half a mistake among as many answers as sure. Several labels at once are judged one
by one. Numbers: an error of 8 robust standard deviations that at most 1% of the samples reach. Tried on five outputs of
the examples' test sets with 3% of the labels changed, three times: 84 of 162 changed labels were found, and none of the
true ones was accused.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts, OutputEvidence
from reportgen.analysis.mistakes import find_twins, judge_mistakes
from reportgen.analysis.records import CLASSIFIERS
from reportgen.analysis.single_labels import is_suspicious
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import of_output, outputs
from reportgen.report.types import Evidence
from reportgen.report.words import count

META = Meta(
    code="label-suspects",
    passed="No label looks wrong",
    failed="Some labels look wrong",
    level="warn",
    needs=("labels",),
    causes=(
        "A labelling mistake: two classes mixed up, a row shifted, a unit confused",
        "The sample shows two classes at once, or too little to tell",
        "The model is too sure of itself (see miscalibrated)",
    ),
    fix="Look at the named samples. Correct the labels that are wrong, on the training data too, and evaluate again.",
    section="predictions",
    threshold=0.99,
    threshold_meaning="confidence in another class from which on a label is suspicious",
    source="Northcutt, Jiang and Chuang, Confident learning, JAIR 70 (2021); the stricter bounds are our own",
)


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Judge the mistakes of every labelled output."""
    found: list[str] = []
    evidence: list[Evidence] = []
    samples: list[str] = []
    judged = False
    for output in outputs(artifacts):
        records = output.records
        if not records.keys.size:
            continue
        probabilistic = output.scores in ("probabilities", "logits")
        conflicts = [group for group in find_twins(records) if group.conflict]
        mistakes = judge_mistakes(records, output.task, probabilistic, threshold)
        suspects = [item.row for item in mistakes if item.suspicious] + _single_suspects(output, threshold)
        judged = judged or (output.task in CLASSIFIERS and probabilistic) or output.task in ("regression", "timeseries")
        judged = judged or output.single_labels is not None
        where = of_output(artifacts, output)
        n = int(records.keys.size)
        if suspects:
            found.append(f"{count(len(suspects), 'label')}{where} {'is' if len(suspects) == 1 else 'are'} suspicious")
            evidence.append(Evidence(f"suspicious labels{where}", len(suspects), n, "predictions"))
        if conflicts:
            found.append(f"{count(len(conflicts), 'group')} of identical samples{where} with different labels")
            evidence.append(Evidence(f"groups with conflicting labels{where}", len(conflicts), n, "predictions"))
        rows = [*suspects, *(group.rows[0] for group in conflicts)]
        samples += [f"{int(records.keys[row]):016x}" for row in rows[:5]]
    if found:
        return Result(
            True,
            f"{'; '.join(found)}. It is a suspicion: look at them before blaming the model.",
            tuple(evidence),
            samples=tuple(dict.fromkeys(samples))[:10],
        )
    if not judged:
        return Result(
            None, "Not applicable: needs a classifier (or several labels) with probabilities, or numbers to predict."
        )
    return Result(False, "No label is contradicted by a very sure and reliable model, nor by an identical sample.")


def _single_suspects(output: OutputEvidence, threshold: float) -> list[int]:
    """Return the rows of the records of samples with a suspicious single label, one for each such label."""
    found = output.single_labels
    if found is None:
        return []
    rows = [row for row in range(len(found.labels)) if found.sure[row] >= threshold and is_suspicious(found, row)]
    places = {int(position): row for row, position in enumerate(output.records.positions.tolist())}
    return [places[int(found.positions[row])] for row in rows if int(found.positions[row]) in places]


CHECK = Check(META, run)
