"""Softmax or sigmoid twice: the last layer applies it, and the loss (from_logits=True) applies it again.

Read from the settings in the file, so one is enough. The model still learns, slowly and with flat probabilities.
Source: UMLAUT (CHI 2021), "softmax computed before a loss on logits".
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import expects_logits, last_layers, layer_anchor, loss_kind, setting
from reportgen.report.types import Evidence
from reportgen.report.words import shorten

META = Meta(
    code="softmax-on-logits-loss",
    passed="The loss and the last layer agree on logits",
    failed="Softmax or sigmoid is applied twice",
    level="warn",
    needs=("model",),
    causes=("from_logits=True in the loss although the last layer already gives probabilities",),
    fix="Set from_logits=False in the loss, or remove the activation of the last layer; then train again.",
    section="architecture",
    source="UMLAUT (CHI 2021); read from the saved settings",
)


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Look for a last layer with softmax or sigmoid under a loss that expects logits."""
    model = artifacts.worker.model if artifacts.worker else None
    known = [(name, layer) for name, layer in last_layers(artifacts) if model and loss_kind(model, name)]
    if model is None or not known:
        return Result(None, "Not applicable: the loss, or the layer that gives the output, is not known from the file.")
    bad = [
        (name, layer)
        for name, layer in known
        if expects_logits(model, name) and layer.activation in ("softmax", "sigmoid")
    ]
    if not bad:
        return Result(False, "No output is turned into probabilities twice.")
    name, layer = bad[0]
    return Result(
        True,
        f"The last layer {shorten(layer.path, 60)} ends in {layer.activation}, and the loss "
        f"{setting(model.loss, name)} has from_logits=True, so it applies it a second time.",
        tuple(
            Evidence(
                shorten(one.path, 60), f"{one.activation}, from_logits=True", None, layer_anchor(artifacts, one.path)
            )
            for _, one in bad
        ),
        tuple(one.path for _, one in bad),
    )


CHECK = Check(META, run)
