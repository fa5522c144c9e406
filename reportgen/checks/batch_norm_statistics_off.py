"""BatchNormalization whose stored means and variances are not those of the data: good in training, bad in use.

While training, BatchNormalization uses the mean and variance of each batch; when predicting, the moving averages in
the file. The labelled samples are run both ways. Fires when the model is far better with the statistics of the
batches: at least 10 percentage points of accuracy (and beyond what so few samples could show by chance), or a loss
that is at most two thirds. Dropout can only work the other way round, so it cannot be the reason. No published rule;
the Keras documentation of BatchNormalization describes the two modes.
"""

from __future__ import annotations

import math

from reportgen.analysis.evidence import Artifacts, LossFacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import layer_anchor
from reportgen.report.types import Evidence
from reportgen.report.words import count, join_words, number_text, percent, shorten

META = Meta(
    code="batch-norm-statistics-off",
    passed="BatchNormalization works alike in training and in use",
    failed="The stored statistics of BatchNormalization do not fit the data",
    level="warn",
    needs=("training pass",),
    causes=(
        "A momentum close to 1 (0.999) with too few steps for the moving averages to catch up",
        "Batches that are tiny, or sorted by class, so that their statistics are not those of the data",
        "The batch is scaled differently from the training data",
        "Averaged or copied weights whose statistics were not computed again",
    ),
    fix="Set momentum=0.9 and train for longer with shuffled batches of at least 16, or run the training data through "
    "the model once in training mode with a learning rate of 0.",
    section="layers",
    threshold=0.1,
    threshold_meaning="accuracy in training mode minus accuracy in use",
    source="own rule on two passes over the same samples; Keras documentation of BatchNormalization for the cause",
)

FEWEST = 30
LOSS_FACTOR = 1.5


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare each output as the model trains with the same output as it predicts."""
    worker = artifacts.worker
    norms = [layer.path for layer in (worker.layers if worker else ()) if layer.type == "BatchNormalization"]
    if worker is None or not norms:
        return Result(None, "Not applicable: the model has no BatchNormalization layer.")
    judged = [loss for loss in worker.losses if math.isfinite(loss.training) and loss.samples >= FEWEST]
    if not judged:
        return Result(None, f"Not applicable: needs at least {FEWEST} labelled samples with a finite loss.")
    bad = [loss for loss in judged if _is_off(loss, threshold)]
    chosen = bad or judged
    said = join_words([_describe(loss) for loss in chosen], most=3)
    said = said[:1].upper() + said[1:]
    if not bad:
        return Result(False, f"{said}.")
    return Result(
        True,
        f"{said}: with the statistics of the batch the model is far better than with those in the file "
        f"({count(len(norms), 'BatchNormalization layer')}).",
        (
            *(e for loss in bad for e in _evidence(loss)),
            Evidence("first BatchNormalization", shorten(norms[0], 60), None, layer_anchor(artifacts, norms[0])),
        ),
        tuple(norms),
    )


def _is_off(loss: LossFacts, threshold: float) -> bool:
    """Tell whether an output is far worse in use than in training mode."""
    gap = loss.training_accuracy - loss.accuracy
    if math.isfinite(gap):
        # Twice the standard error of a share at its widest: both passes see the same samples.
        return gap >= max(threshold, 1.0 / math.sqrt(loss.samples))
    return not math.isfinite(loss.inference) or loss.inference >= LOSS_FACTOR * max(loss.training, 1e-9)


def _describe(loss: LossFacts) -> str:
    """Say both numbers of one output."""
    if math.isfinite(loss.accuracy) and math.isfinite(loss.training_accuracy):
        pair = f"accuracy {percent(loss.accuracy)} in use and {percent(loss.training_accuracy)} in training mode"
    else:
        pair = f"{loss.loss} {number_text(loss.inference)} in use and {number_text(loss.training)} in training mode"
    return f"{pair}, on {count(loss.samples, 'labelled sample')}"


def _evidence(loss: LossFacts) -> tuple[Evidence, ...]:
    """Return both losses of one output."""
    return (
        Evidence(f"{loss.loss} in use", loss.inference, loss.samples, "layers"),
        Evidence(f"{loss.loss} in training mode", loss.training, loss.samples, "layers"),
    )


CHECK = Check(META, run)
