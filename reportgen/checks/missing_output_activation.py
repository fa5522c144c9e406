"""Raw scores go into a cross-entropy that expects probabilities: no softmax or sigmoid, and from_logits=False.

Read from the settings in the file, so one is enough: the loss clips everything outside 0..1, where no gradient is
left. Source: UMLAUT (CHI 2021), missing activation before a loss on probabilities.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import CROSS_ENTROPIES, expects_logits, last_layers, layer_anchor, loss_kind, setting
from reportgen.report.types import Evidence
from reportgen.report.words import shorten

META = Meta(
    code="missing-output-activation",
    passed="The loss gets what it expects",
    failed="The loss expects probabilities and gets raw scores",
    level="warn",
    needs=("model",),
    causes=("The last layer has no softmax or sigmoid, and the loss has from_logits=False (the default)",),
    fix="Set from_logits=True in the loss, or give the last layer softmax (one of many) or sigmoid (yes or no); then "
    "train again.",
    section="architecture",
    source="UMLAUT (CHI 2021); read from the saved settings",
)


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Look for a linear last layer under a cross-entropy on probabilities."""
    model = artifacts.worker.model if artifacts.worker else None
    judged = [
        (name, layer)
        for name, layer in last_layers(artifacts)
        if model and loss_kind(model, name) in CROSS_ENTROPIES and expects_logits(model, name) is not None
    ]
    if model is None or not judged:
        return Result(
            None,
            "Not applicable: no output has a cross-entropy loss whose settings and last layer are known from the file.",
        )
    bad = [(name, one) for name, one in judged if not expects_logits(model, name) and one.activation == "linear"]
    if not bad:
        return Result(False, "Every cross-entropy loss gets probabilities, or is told that it gets logits.")
    name, layer = bad[0]
    return Result(
        True,
        f"The last layer {shorten(layer.path, 60)} has no activation, and the loss {setting(model.loss, name)} has "
        "from_logits=False: it takes raw scores for probabilities and clips them to 0..1.",
        tuple(
            Evidence(shorten(one.path, 60), "no activation, from_logits=False", None, layer_anchor(artifacts, one.path))
            for _, one in bad
        ),
        tuple(one.path for _, one in bad),
    )


CHECK = Check(META, run)
