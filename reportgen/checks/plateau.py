"""A training loss that hardly moved: the model is what it was after its first epoch.

Fires when, over at least 5 epochs, the best training loss is less than 5% below the first one, and on the batch the
model is no better than its simple baseline or came less than a tenth of the way from there to a perfect score, so that
a model that was trained further from a good start does not fire. Random weights start a little above the loss of an
even guess; the way down to that guess is no learning and is not counted. Sources: SageMaker Debugger's
LossNotDecreasing (0.1% over 10 steps) and AutoTrainer's slow convergence (delta 0.01). Noise alone brings the best of
some epochs 2 or 3% below the first, so that 5% are asked for here, of the best median of three epochs in a row or of
the last one; the look at the batch is what keeps this from firing on a model that has learned something. A loss that
started above an even guess's and stayed there needs no such look: those weights were not trained before.
"""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.learning_rates import chance_loss
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
NEAR = 1.5  # first losses up to that many times an even guess's are what random weights give


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the best training loss with the first one."""
    gain = compute_gain(artifacts)
    if gain is None:
        return Result(None, f"Not applicable: needs a positive training loss over at least {FEWEST_EPOCHS} epochs.")
    whole, first, best, epochs = gain
    said = (
        f"The training loss went from {number_text(first)} to {number_text(best)} at best, over "
        f"{count(epochs, 'epoch')}"
    )
    chance, share, beside = chance_loss(artifacts), whole, ""
    if chance < first <= NEAR * chance:
        share, beside = (chance - best) / chance, f" than the {number_text(chance)} of an even guess"
    if share >= threshold:
        return Result(False, f"{said} ({percent(share)} less{beside}).")
    poor = is_hardly_better(artifacts)
    if not poor and not (beside and whole < threshold):
        return Result(
            False,
            f"{said}, but the batch does not show a poor model: it may have started from trained weights, or its loss "
            "holds penalties.",
        )
    return Result(
        True,
        f"{said}: {percent(max(share, 0.0))} less{beside}, which is next to nothing"
        + (", and on the batch the model is hardly better than its baseline, or not at all." if poor else "."),
        (
            Evidence("first training loss", first, epochs, "training"),
            Evidence("best training loss", best, epochs, "training"),
        ),
    )


def compute_gain(artifacts: Artifacts) -> tuple[float, float, float, int] | None:
    """Return (share gained, first, best, epochs) of the training loss; None when too short or not positive.

    The best is the lowest median of three epochs in a row, or the last value.
    """
    loss = curve(artifacts, "loss")
    values = loss.values[np.isfinite(loss.values)] if loss is not None else np.empty(0)
    if values.size < FEWEST_EPOCHS or values[0] <= 0 or values.min() < 0:
        return None
    # One lucky epoch is no gain: medians of three in a row, and the end as it is.
    medians = np.median(np.lib.stride_tricks.sliding_window_view(values, 3), axis=1)
    first, best = float(values[0]), float(min(medians.min(), values[-1]))
    return (first - best) / first, first, best, int(values.size)


def is_poor(artifacts: Artifacts) -> bool:
    """Tell whether every output that can be judged is worse than, or equal to, its simple baseline."""
    found = places(artifacts)
    return bool(found) and all(place in ("worse", "equal") for place in found)


def is_hardly_better(artifacts: Artifacts) -> bool:
    """Tell whether every output that can be judged is poor, or came less than a tenth of the way to a perfect score."""
    found = standings(artifacts)
    return is_poor(artifacts) or (bool(found) and all(one.gain < HARDLY for one in found))


CHECK = Check(META, run)
