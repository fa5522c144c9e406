"""A batch too small for its own headline number.

Fires when the 95% interval of a headline share (accuracy and the like) reaches more than 10 percentage points to one
side, which takes fewer than about 100 samples at 50% and 40 at 90%; or, for other metrics, when there are fewer than
30 samples. Source: the Wilson interval itself; 30 is the customary bound below which intervals for means are rough.
"""

from __future__ import annotations

import math

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import headline, metric_values, of_output, outputs
from reportgen.report.types import Evidence
from reportgen.report.words import count, interval_text, value_text

META = Meta(
    code="too-few-samples-to-tell",
    passed="Enough samples for the headline number",
    failed="Too few samples for the headline number",
    level="warn",
    needs=("labels",),
    causes=("The batch is a small part of the test data", "There is little test data"),
    fix="Evaluate on more samples: four times as many halve the interval.",
    section="predictions",
    threshold=0.1,
    threshold_meaning="how far the 95% interval of a share may reach to one side",
    source="Wilson (1927) intervals; at least 30 samples for means",
)

FEWEST = 30


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the reach of each headline interval with the threshold."""
    good: list[str] = []
    bad: list[str] = []
    evidence = []
    for output in outputs(artifacts):
        value = headline(metric_values(output))
        if value is None or not math.isfinite(value.value):
            continue
        said = (
            f"{value.label}{of_output(artifacts, output)} {value_text(value.value, value.unit)} on "
            f"{count(value.n, 'sample')}"
        )
        reach = max(value.high - value.value, value.value - value.low)
        if value.unit == "share" and math.isfinite(reach):
            said += f" could be {interval_text(value.low, value.high, value.unit)}"
            few = reach > threshold
        else:
            few = value.n < FEWEST
        (bad if few else good).append(said)
        if few:
            evidence.append(Evidence(value.label, f"{value_text(value.value, value.unit)}", value.n, "predictions"))
    if bad:
        return Result(True, f"{'; '.join(bad)}: too wide to decide on.", tuple(evidence))
    if good:
        return Result(False, f"{'; '.join(good)}: enough to decide on.")
    return Result(None, "Not applicable: no output has a headline metric that could be computed.")


CHECK = Check(META, run)
