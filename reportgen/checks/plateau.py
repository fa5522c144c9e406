"""A training loss that hardly moved: the model is what it was after its first epoch.

Fires when, over at least 5 epochs, the best training loss is less than 5% below the first one, and on the batch the
model is no better than its simple baseline or came less than a tenth of the way from there to a perfect score, so that
a model that was trained further from a good start does not fire. Sources: SageMaker Debugger's LossNotDecreasing (0.1%
over 10 steps) and AutoTrainer's slow convergence (delta 0.01). Noise alone brings the best of some epochs 2 or 3% below
the first, so that 5% are asked for here; the look at the batch is what keeps this from firing on a model that has
learned something.
"""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import curve, places, standings
from reportgen.report.types import Evidence
from reportgen.report.words import count, number_text, percent

META = Meta(
    code="plateau",
    passed="The training loss came down",
    failed="The training loss hardly came down",
    level="warn",
    needs=("history", "labels"),
    causes=(
        "The learning rate is far too low, or so high that the first steps destroyed the start",
        "The layers are frozen, or the activations are dead or saturated so that no gradient comes through",
        "Labels that have nothing to do with the inputs (shuffled, shifted)",
    ),
    fix="Try ten times and a tenth of the learning rate, and check that the model can learn 20 samples by heart.",
    section="training",
    threshold=0.05,
    threshold_meaning="share of the first training loss that must have been gained at best",
    source="SageMaker Debugger, rule LossNotDecreasing (0.1% over 10 steps); AutoTrainer, delta 0.01",
)

FEWEST_EPOCHS = 5
HARDLY = 0.1


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the best training loss with the first one."""
    gain = compute_gain(artifacts)
    if gain is None:
        return Result(None, f"Not applicable: needs a positive training loss over at least {FEWEST_EPOCHS} epochs.")
    share, first, best, epochs = gain
    said = (
        f"The training loss went from {number_text(first)} to {number_text(best)} at best, over "
        f"{count(epochs, 'epoch')}"
    )
    if share >= threshold:
        return Result(False, f"{said} ({percent(share)} less).")
    if not (is_poor(artifacts) or _is_hardly_better(artifacts)):
        return Result(
            False, f"{said}, but the batch does not show a poor model: it may have started from trained weights."
        )
    return Result(
        True,
        f"{said}: {percent(max(share, 0.0))} less, which is next to nothing, and on the batch the model is hardly "
        "better than its baseline, or not at all.",
        (
            Evidence("first training loss", first, epochs, "training"),
            Evidence("best training loss", best, epochs, "training"),
        ),
    )


def compute_gain(artifacts: Artifacts) -> tuple[float, float, float, int] | None:
    """Return (share gained, first, best, epochs) of the training loss; None when too short or not positive."""
    loss = curve(artifacts, "loss")
    values = loss.values[np.isfinite(loss.values)] if loss is not None else np.empty(0)
    if values.size < FEWEST_EPOCHS or values[0] <= 0 or values.min() < 0:
        return None
    first, best = float(values[0]), float(values.min())
    return (first - best) / first, first, best, int(values.size)


def is_poor(artifacts: Artifacts) -> bool:
    """Tell whether every output that can be judged is worse than, or equal to, its simple baseline."""
    found = places(artifacts)
    return bool(found) and all(place in ("worse", "equal") for place in found)


def _is_hardly_better(artifacts: Artifacts) -> bool:
    """Tell whether every output that can be judged came less than a tenth of the way to a perfect score."""
    found = standings(artifacts)
    return bool(found) and all(one.gain < HARDLY for one in found)


CHECK = Check(META, run)
