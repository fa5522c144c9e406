"""A training loss that ends as NaN or infinite, or ends far above where it had been.

Fires when the last recorded training loss is not a finite number, or when the end (median of the last tenth, at
least 3 epochs) is back at 80% of the first epoch's loss or more and at least twice the lowest one. Gaps in the middle
of a history do not count: loggers leave cells empty. Sources: UMLAUT (CHI 2021) and AutoTrainer (ICSE 2021) for NaN;
the factor 2 is a stricter form of SageMaker Debugger's LossNotDecreasing, which fires on a missing decrease alone.
"""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import curve
from reportgen.report.types import Evidence
from reportgen.report.words import count, number_text

META = Meta(
    code="diverging-loss",
    passed="The training loss did not diverge",
    failed="The training loss diverged",
    level="warn",
    needs=("history",),
    causes=(
        "The learning rate is too high",
        "The loss divides by zero or takes the logarithm of zero, or the training data holds NaN",
        "Gradients exploded (deep or recurrent network without clipping)",
    ),
    fix="Lower the learning rate (try a tenth) and clip the gradients (clipnorm=1.0); add the TerminateOnNaN callback.",
    section="training",
    threshold=2.0,
    threshold_meaning="final training loss, as a multiple of the lowest one",
    source="UMLAUT (CHI 2021), AutoTrainer (ICSE 2021): NaN loss; SageMaker Debugger, rule LossNotDecreasing, made "
    "stricter",
)

BACK = 0.8  # of the first loss: what training had gained is lost again


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the end of the training loss with its first and lowest value."""
    loss = curve(artifacts, "loss")
    if loss is None:
        return Result(None, "Not applicable: the history has no training loss.")
    values, epochs = loss.values, loss.epochs
    finite = np.isfinite(values)
    if not finite[-1]:
        start = int(epochs[np.flatnonzero(finite)[-1] + 1]) if finite.any() else int(epochs[0])
        kind = "NaN" if np.isnan(values[-1]) else "infinite"
        return Result(
            True,
            f"The training loss is not a finite number from epoch {start:,} to the last one, {int(epochs[-1]):,} "
            f"({kind} at the end).",
            (Evidence("training loss at the last epoch", kind, int(values.size), "training"),),
            epochs=(start,),
        )
    known, when = values[finite], epochs[finite]
    if known.size < 4:
        return Result(None, f"Not applicable: needs at least 4 epochs; the history has {known.size}.")
    end = float(np.median(known[-max(3, known.size // 10) :]))
    lowest = int(known.argmin())
    numbers = (
        f"{number_text(known[0])} at the start, {number_text(known[lowest])} at best (epoch {int(when[lowest]):,}), "
        f"{number_text(end)} at the end"
    )
    if known[lowest] <= 0 or end < BACK * known[0] or end < threshold * known[lowest]:
        return Result(False, f"The training loss was {numbers}, over {count(int(known.size), 'epoch')}.")
    return Result(
        True,
        f"The training loss went up again: {numbers}, over {count(int(known.size), 'epoch')}.",
        (
            Evidence("lowest training loss", float(known[lowest]), int(known.size), "training"),
            Evidence("training loss at the end", end, int(known.size), "training"),
        ),
        epochs=(int(when[lowest]),),
    )


CHECK = Check(META, run)
