"""Rectified units (ReLU) that are zero for every sample of the batch.

A few are normal. The rule fires for a layer when at least half of its units are dead, which is the default of
SageMaker Debugger's DeadRelu rule (`threshold_layer` 50%); AutoTrainer (ICSE 2021) uses 70% (gamma 0.7) on
gradients. Stricter than both on one point: "dead" means no activity at all, on at least 32 samples and at every
position, so that a unit that is merely rare is not called dead.
"""

from __future__ import annotations

from reportgen.analysis.evidence import ActivationFacts, Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import layer_anchor, layers_by_path
from reportgen.report.types import Evidence
from reportgen.report.words import count, share_text, shorten

META = Meta(
    code="dead-units",
    passed="No layer is mostly dead units",
    failed="Many units never fire",
    level="warn",
    needs=("activations",),
    causes=(
        "A learning rate so high that large steps pushed biases far below zero",
        "Inputs on another scale than the layer was initialised for",
        "More units than the task needs",
    ),
    fix="Lower the learning rate and train again; if units still die, use LeakyReLU or GELU there, or make the layer "
    "smaller.",
    section="layers",
    threshold=0.5,
    threshold_meaning="share of a layer's units that are zero on every sample",
    source="SageMaker Debugger, rule DeadRelu (threshold_layer 50%); AutoTrainer, gamma 0.7",
)

RECTIFIED = frozenset({"relu", "relu6", "hard_relu", "squared_relu", "relu_squared"})
FEWEST_SAMPLES = 32
FEWEST_UNITS = 4


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the share of dead units of each rectified layer with the threshold."""
    facts = [
        fact for fact in (artifacts.worker.activations if artifacts.worker else ()) if _is_rectified(artifacts, fact)
    ]
    if not facts:
        return Result(None, "Not applicable: no layer with a rectified activation (ReLU) was looked at in full.")
    samples = min(fact.samples for fact in facts)
    if samples < FEWEST_SAMPLES:
        return Result(
            None,
            f"Not applicable: needs at least {FEWEST_SAMPLES} samples to call a unit dead; the batch gave {samples}.",
        )
    bad = [fact for fact in facts if fact.units >= FEWEST_UNITS and fact.dead >= threshold * fact.units and fact.dead]
    if not bad:
        dead, units = sum(fact.dead for fact in facts), sum(fact.units for fact in facts)
        return Result(
            False,
            f"{share_text(dead, units, 'unit')} never fired on {count(samples, 'sample')}; no layer reaches "
            f"{100 * threshold:g}%.",
        )
    said = [f"{shorten(fact.layer, 40)}, {share_text(fact.dead, fact.units, 'unit')}" for fact in bad]
    more = f"; and {len(said) - 4:,} more" if len(said) > 4 else ""
    return Result(
        True,
        f"On {count(samples, 'sample')}, {100 * threshold:g}% or more of the units never fired in "
        f"{count(len(bad), 'layer')}: {'; '.join(said[:4])}{more}.",
        tuple(
            Evidence(
                shorten(fact.layer, 60),
                share_text(fact.dead, fact.units, "unit"),
                fact.samples,
                layer_anchor(artifacts, fact.layer),
            )
            for fact in bad[:10]
        ),
        tuple(fact.layer for fact in bad),
    )


def _is_rectified(artifacts: Artifacts, fact: ActivationFacts) -> bool:
    """Tell whether a layer ends in a ReLU and every position of its output was looked at."""
    layer = layers_by_path(artifacts).get(fact.layer)
    return fact.tier == "full" and layer is not None and (layer.activation in RECTIFIED or layer.type == "ReLU")


CHECK = Check(META, run)
