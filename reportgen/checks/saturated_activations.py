"""Hidden sigmoid or tanh layers whose outputs lie at the flat ends, where almost no gradient comes through.

Fires for a layer when at least 80% of its looked-at values are there: below 0.01 or above 0.99 for sigmoid, beyond
-0.99 or 0.99 for tanh. SageMaker Debugger's SaturatedActivation rule asks for 50% (`threshold_layer`) at ends that
are far flatter, hence the higher share here. Layers that give the model's outputs are left out (a sure classifier is
saturated), and so are recurrent layers, whose gates are meant to open and close, and narrow gates (under 4 units).
"""

from __future__ import annotations

import math

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import last_layers, layer_anchor, layers_by_path
from reportgen.report.types import Evidence
from reportgen.report.words import count, join_words, percent, shorten

META = Meta(
    code="saturated-activations",
    passed="No hidden layer is mostly saturated",
    failed="Hidden layers are stuck at the flat ends of their activation",
    level="warn",
    needs=("activations", "model"),
    causes=(
        "Inputs or weights so large that sigmoid or tanh is always at its end",
        "A learning rate that was too high early in training",
        "Inputs that were not brought to a common scale",
    ),
    fix="Normalise the inputs and add BatchNormalization before the layers named here, or replace their activation "
    "with ReLU.",
    section="layers",
    threshold=0.8,
    threshold_meaning="share of a layer's values at the flat ends of its sigmoid or tanh",
    source="SageMaker Debugger, rule SaturatedActivation (threshold_layer 50%, at flatter ends)",
)

BOUNDED = frozenset({"sigmoid", "tanh", "hard_sigmoid", "hard_tanh"})
FEWEST_SAMPLES = 32
FEWEST_UNITS = 4
PLAIN = ("Dense", "Conv", "Depthwise", "Separable", "Activation", "BatchNormalization")


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the share of saturated values of each hidden sigmoid or tanh layer with the threshold."""
    layers = layers_by_path(artifacts)
    final = {layer.path for _, layer in last_layers(artifacts)}
    hidden = []
    for fact in artifacts.worker.activations if artifacts.worker else ():
        layer = layers.get(fact.layer)
        if layer is None or layer.path in final or layer.activation not in BOUNDED or not layer.type.startswith(PLAIN):
            continue
        if math.isfinite(fact.saturated) and fact.units >= FEWEST_UNITS and fact.samples >= FEWEST_SAMPLES:
            hidden.append(fact)
    if not hidden or not final:
        return Result(
            None,
            "Not applicable: no hidden layer with sigmoid or tanh was looked at "
            f"(at least {FEWEST_UNITS} units, on at least {FEWEST_SAMPLES} samples).",
        )
    bad = [fact for fact in hidden if fact.saturated >= threshold]
    worst = max(fact.saturated for fact in hidden)
    if not bad:
        return Result(
            False,
            f"At most {percent(worst)} of a hidden layer's values are saturated, on "
            f"{count(hidden[0].samples, 'sample')} ({count(len(hidden), 'layer')} with sigmoid or tanh).",
        )
    said = [f"{shorten(fact.layer, 40)} ({percent(fact.saturated)})" for fact in bad]
    return Result(
        True,
        f"Of the outputs of {count(len(bad), 'hidden layer')}, {100 * threshold:g}% or more lie at the flat ends of "
        f"the activation, on {count(bad[0].samples, 'sample')}: {join_words(said, most=4)}.",
        tuple(
            Evidence(
                shorten(fact.layer, 60),
                f"{percent(fact.saturated)} of values saturated",
                fact.samples,
                layer_anchor(artifacts, fact.layer),
            )
            for fact in bad[:10]
        ),
        tuple(fact.layer for fact in bad),
    )


CHECK = Check(META, run)
