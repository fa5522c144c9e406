"""Frozen layers whose weights are random: someone froze a layer that held nothing worth keeping.

Freezing is for layers that come from another training. A frozen layer whose matrices are still as their initializer
made them (compared as in untrained-layer) computes random features. Layers frozen on purpose with constant values
(identity, fixed filters) do not fire: only random initializers count. No published rule.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.fresh_layers import fresh_layers, judged_layers
from reportgen.checks.lookup import layer_anchor
from reportgen.report.types import Evidence
from reportgen.report.words import count, join_words, shorten

META = Meta(
    code="frozen-layer-untrained",
    passed="Frozen layers hold trained weights",
    failed="Frozen layers hold random weights",
    level="warn",
    needs=("weights",),
    causes=(
        "The pretrained weights were not loaded (weights=None), or loading skipped this layer by name",
        "Too many layers were frozen: new ones too, not only those of the pretrained model",
    ),
    fix="Load the pretrained weights before freezing, or leave the layer trainable; then train again.",
    section="layers",
    source="own comparison with the initializer, as in untrained-layer",
)

FIXED = frozenset({"Zeros", "Ones", "Constant", "Identity", "IdentityInitializer"})


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Look for frozen layers that are as a random initializer made them."""
    judged = judged_layers(artifacts, trainable=False)
    if not judged:
        return Result(None, "Not applicable: no frozen layer has weights whose initializer is known.")
    found = {
        layer: weight
        for layer, weight in fresh_layers(artifacts, trainable=False).items()
        if weight.initializer not in FIXED
    }
    if not found:
        return Result(False, f"None of {count(judged, 'frozen layer')} holds random weights.")
    names = join_words([shorten(layer, 40) for layer in found], most=4)
    return Result(
        True,
        f"{len(found):,} of {count(judged, 'frozen layer')} {'holds' if len(found) == 1 else 'hold'} weights as "
        f"initialised: {names}. What comes after works on random features.",
        tuple(
            Evidence(
                f"{shorten(layer, 40)}: {shorten(weight.name, 40)}",
                f"frozen, as {weight.initializer or 'its initializer'} makes it",
                weight.size,
                layer_anchor(artifacts, layer),
            )
            for layer, weight in list(found.items())[:10]
        ),
        tuple(found),
    )


CHECK = Check(META, run)
