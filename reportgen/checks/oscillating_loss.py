"""A training loss that jumps up and down from epoch to epoch.

Looks at the last three quarters of the epochs, at least 10. Fires when the loss changes direction in at least a third
of the steps (pure noise does in two thirds), and the typical step (median) is at least 4% both of the loss itself and
of all that training gained. Still stricter than AutoTrainer's oscillating loss (changes of zeta 0.03 in eta 20% of the
steps): losses that are averages over an epoch always wobble a little, and a loss close to zero wobbles by large shares
of itself.
"""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import curve
from reportgen.report.types import Evidence
from reportgen.report.words import count, number_text, percent

META = Meta(
    code="oscillating-loss",
    passed="The training loss is steady",
    failed="The training loss jumps up and down",
    level="warn",
    needs=("history",),
    causes=(
        "The learning rate is too high",
        "The batches are too small, or not shuffled",
    ),
    fix="Lower the learning rate (try a third), or use larger, shuffled batches.",
    section="training",
    threshold=0.04,
    threshold_meaning="typical step from epoch to epoch, as a share of the loss and of all that training gained",
    source="AutoTrainer (ICSE 2021), oscillating loss (zeta 0.03, eta 0.2), made stricter",
)

FEWEST_EPOCHS = 10
TURNS = 1 / 3


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the typical step and the share of turns of the training loss with the thresholds."""
    loss = curve(artifacts, "loss")
    values = loss.values[np.isfinite(loss.values)] if loss is not None else np.empty(0)
    if values.size < FEWEST_EPOCHS or values.min() <= 0:
        return Result(None, f"Not applicable: needs a positive training loss over at least {FEWEST_EPOCHS} epochs.")
    late = values[values.size // 4 :]
    steps = np.diff(late)
    turns = float(np.mean(steps[1:] * steps[:-1] < 0))
    step, level = float(np.median(np.abs(steps))), float(np.median(late))
    gained = float(values[0] - np.median(late[-max(3, late.size // 4) :]))
    said = (
        f"Over the last {count(int(late.size), 'epoch')} the training loss changed direction in {percent(turns)} of "
        f"the steps; the typical step is {number_text(step, 3)}, at a loss of {number_text(level, 3)}"
    )
    if turns < TURNS or step < threshold * level or step < threshold * gained:
        return Result(False, f"{said}.")
    return Result(
        True,
        f"{said}: that is {percent(step / level)} of the loss at every step.",
        (
            Evidence("steps that change direction", percent(turns), int(late.size), "training"),
            Evidence("typical step", step, int(late.size), "training"),
        ),
    )


CHECK = Check(META, run)
