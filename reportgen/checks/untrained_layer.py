"""Trainable layers whose weights are still as their initializer made them: training never reached them.

The values of each matrix are compared with what the initializer in the file makes: the constants exactly (zeros,
ones), random ones by their bounds, moments, distribution and largest singular value, and orthogonality for recurrent
weights. A layer fires only when all its matrices pass as fresh and trained ones could hardly do so; biases and gains
alone do not count. SageMaker Debugger's UnchangedTensor and UMLAUT (CHI 2021) watch the same while training runs.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.fresh_layers import fresh_layers, judged_layers
from reportgen.checks.lookup import layer_anchor
from reportgen.report.types import Evidence
from reportgen.report.words import count, join_words, shorten

META = Meta(
    code="untrained-layer",
    passed="Every trainable layer was trained",
    failed="Some trainable layers were never trained",
    level="warn",
    needs=("weights",),
    causes=(
        "The layer was frozen while training and set trainable afterwards, or after compile()",
        "No gradient reaches it: stop_gradient, dead units behind it, or its output is not used by the loss",
        "The model was saved before training, or weights were loaded that do not include this layer",
        "A learning rate so low that the weights did not move",
    ),
    fix="Set layer.trainable before compile(), check that the layer's output reaches the loss, and compare its weights "
    "before and after one epoch.",
    section="layers",
    source="own comparison with the initializer; SageMaker Debugger, rule UnchangedTensor, for the idea",
)

NOT_TRAINED = "Give the file that was saved after fit(); if this is it, look at whether fit() trained this very model."


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Look for trainable layers that are as initialised."""
    judged = judged_layers(artifacts, trainable=True)
    if not judged:
        return Result(None, "Not applicable: no trainable layer has weights whose initializer is known.")
    found = fresh_layers(artifacts, trainable=True)
    if not found:
        return Result(False, f"None of {count(judged, 'trainable layer')} is as its initializer made it.")
    whole = len(found) == judged
    names = join_words([shorten(layer, 40) for layer in found], most=4)
    share = f"{len(found):,} of {count(judged, 'trainable layer')}"
    rest = "; no training shows in this file" if whole and judged > 1 else f": {names}"
    return Result(
        True,
        f"{share} {'is' if len(found) == 1 else 'are'} still as initialised{rest}.",
        tuple(
            Evidence(
                f"{shorten(layer, 40)}: {shorten(weight.name, 40)}",
                f"as {weight.initializer or 'its initializer'} makes it",
                weight.size,
                layer_anchor(artifacts, layer),
            )
            for layer, weight in list(found.items())[: 3 if whole else 10]
        ),
        tuple(found),
        fix=NOT_TRAINED if whole else "",
    )


CHECK = Check(META, run)
