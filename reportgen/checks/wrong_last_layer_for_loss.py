"""A last layer that cannot work with the loss. Only pairs that are wrong whatever the data:

- softmax over a single unit: the output is always 1;
- a categorical cross-entropy over a single unit: it is always 0;
- tanh, ReLU or another activation that is no probability under a cross-entropy with from_logits=False.

Pairs that work in their own way (sigmoid under a categorical cross-entropy, softmax under a binary one) do not fire.
Source: UMLAUT (CHI 2021) and NeuraLint (Nikanjam et al., TOSEM 2021), last layer and loss; the certain part of their
rules.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts, LayerFacts, ModelFacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import expects_logits, last_dimension, last_layers, layer_anchor, loss_kind, setting
from reportgen.report.types import Evidence
from reportgen.report.words import shorten

META = Meta(
    code="wrong-last-layer-for-loss",
    passed="The last layer suits the loss",
    failed="The last layer cannot work with this loss",
    level="warn",
    needs=("model",),
    causes=("The last layer or the loss was taken over from another task",),
    fix="Yes or no: one unit, sigmoid, binary_crossentropy. One of many: one unit a class, softmax, "
    "(sparse_)categorical_crossentropy. A number: no activation, mse or mae.",
    section="architecture",
    source="UMLAUT (CHI 2021), NeuraLint (TOSEM 2021); only pairs that are wrong whatever the data",
)

NO_PROBABILITY = frozenset(
    {"tanh", "relu", "relu6", "elu", "selu", "gelu", "silu", "swish", "leaky_relu", "softplus", "softsign", "mish"}
)


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Look for pairs of last layer and loss that cannot work."""
    model = artifacts.worker.model if artifacts.worker else None
    judged = [(name, layer) for name, layer in last_layers(artifacts) if model and loss_kind(model, name)]
    if model is None or not judged:
        return Result(None, "Not applicable: the loss, or the layer that gives the output, is not known from the file.")
    bad = [(layer, why) for name, layer in judged if (why := _why_wrong(model, name, layer))]
    if not bad:
        return Result(False, "No last layer contradicts its loss.")
    return Result(
        True,
        f"{shorten(bad[0][0].path, 60)}: {bad[0][1]}.",
        tuple(Evidence(shorten(one.path, 60), why, None, layer_anchor(artifacts, one.path)) for one, why in bad),
        tuple(one.path for one, _ in bad),
    )


def _why_wrong(model: ModelFacts, output: str, layer: LayerFacts) -> str:
    """Return why a last layer cannot work with its loss, "" when it can."""
    loss, name = loss_kind(model, output), setting(model.loss, output)
    units = last_dimension(layer.output_shape)
    if layer.activation == "softmax" and units == 1:
        return "softmax over a single unit is always 1, whatever the input"
    if loss.endswith("categoricalcrossentropy") and units == 1:
        return f"{name} over a single unit is always 0, so that nothing is learned"
    if loss.endswith("crossentropy") and layer.activation in NO_PROBABILITY and expects_logits(model, output) is False:
        return f"{layer.activation} does not give probabilities, which {name} expects"
    return ""


CHECK = Check(META, run)
