"""Gradients that shrink from layer to layer on their way back to the input, so that layers hardly learn.

Looked at are the saved weights: the gradient of the loss on labelled samples, each layer's relative to the norm of the
weights that it would move. Fires when the weakest stretch of layers has less than a twentieth of the relative gradient
of the layers nearest the output and the fall between them goes on over depth (Mann-Kendall). AutoTrainer's beta 1 (ICSE
2021) is 0.001 between the gradients of first and last layer; relative to the weights, which shrink with them, the fall
is smaller, so that the bound here is wider; it was chosen on models of the fault benchmark. A converged model has small
gradients everywhere and no such trend; its gradients are taken sample by sample, because their mean cancels out.
AutoTrainer's second bound (beta 2, 0.0001 absolute) and SageMaker Debugger's VanishingGradient (0.0000001 absolute)
depend on the scale of the loss and are not used.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.depth_trend import FEWEST_LAYERS, SURE, DepthTrend, compute_trend, relative
from reportgen.checks.lookup import layer_anchor
from reportgen.report.types import Evidence
from reportgen.report.words import count, number_text, shorten

META = Meta(
    code="vanishing-gradient",
    passed="Gradients reach the first layers",
    failed="The gradient vanishes on its way to the first layers",
    level="warn",
    needs=("gradients",),
    causes=(
        "Many layers with sigmoid or tanh in a row",
        "Initial weights that are too small for the depth",
        "No shortcut connections or normalisation in a deep or recurrent network",
        "Dead or saturated layers in between that let nothing through",
    ),
    fix="Use ReLU or GELU with the initializer he_normal, add BatchNormalization or shortcuts (Add) between the "
    "layers, and train again.",
    section="layers",
    threshold=0.05,
    threshold_meaning="relative gradient of the weakest layers, as a share of those nearest the output",
    source="AutoTrainer (ICSE 2021), beta 1 = 0.001 between first and last layer; here relative to weights and with a "
    "trend test, so that a converged model stays silent",
)


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the relative gradients of the weakest layers and of those nearest the output."""
    trend = compute_trend(artifacts, weakest=True)
    if trend is None:
        return Result(None, f"Not applicable: needs at least {FEWEST_LAYERS} layers with a finite gradient to compare.")
    said = describe(trend)
    if trend.ratio >= threshold or trend.rank < SURE:
        return Result(False, f"{said}.")
    weak = tuple(f for f in trend.layers if relative(f) < 10 * threshold * relative(trend.last))
    return Result(
        True,
        f"{said}: {count(len(weak), 'layer')} hardly learned anything from the loss.",
        evidence_of(artifacts, trend),
        tuple(fact.layer for fact in weak) or (trend.first.layer,),
    )


def describe(trend: DepthTrend) -> str:
    """Say what was compared, with the numbers."""
    near = "nearest the input (from" if trend.first is trend.layers[0] else "in between (from"
    return (
        f"Relative to their weights, the layers {near} {shorten(trend.first.layer, 40)}) get "
        f"{number_text(trend.ratio, 2)} times the gradient of those nearest the output (to "
        f"{shorten(trend.last.layer, 40)}), over {count(len(trend.layers), 'layer')} on "
        f"{count(trend.first.samples, 'labelled sample')}"
    )


def evidence_of(artifacts: Artifacts, trend: DepthTrend) -> tuple[Evidence, ...]:
    """Return the relative gradient at both ends."""
    return tuple(
        Evidence(
            f"gradient relative to weights, {shorten(fact.layer, 40)}",
            relative(fact),
            fact.samples,
            layer_anchor(artifacts, fact.layer),
        )
        for fact in (trend.first, trend.last)
    )


CHECK = Check(META, run)
