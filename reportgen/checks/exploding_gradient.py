"""Gradients that are not finite, or that grow from layer to layer on their way back to the input.

Looked at are the saved weights: the gradient of the loss on labelled samples, each layer's relative to the norm of the
weights that it would move. Fires when a gradient is NaN or infinite. Else only for a model that is no better than its
simple baseline on the batch (AutoTrainer, ICSE 2021, likewise looks only at models that did not converge): when the
layers nearest the input have more than 70 times the relative gradient of those nearest the output (AutoTrainer's beta
3) and the rise goes on over depth, when in a typical layer the gradient of a typical sample is as large as the weights,
so that one plain step would replace them, or when the training loss was once more than 1,000 times that of an even
guess and a typical layer's weights have a norm over 1,000 (a penalty makes losses as large, but weights small): after
such a step no unit may fire, so that no gradient is left to be seen. No better means by its headline metric, or by a
cross-entropy above that of an even guess; a training loss that ended below that says the model did learn. SageMaker
Debugger's ExplodingTensor asks for NaN or infinity only.
"""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Artifacts, GradientFacts
from reportgen.checks import plateau
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.depth_trend import SURE, compute_trend, relative
from reportgen.checks.learning_rates import chance_loss
from reportgen.checks.lookup import broken_weights, curve, layer_anchor
from reportgen.checks.vanishing_gradient import describe, evidence_of
from reportgen.report.types import Evidence
from reportgen.report.words import count, join_words, number_text, shorten

META = Meta(
    code="exploding-gradient",
    passed="No gradient is out of bounds",
    failed="The gradient explodes",
    level="warn",
    needs=("gradients",),
    causes=(
        "Initial weights that are too large for the depth",
        "Inputs or targets that were not brought to a common scale",
        "A deep or recurrent network without normalisation or gradient clipping",
        "A learning rate so high that training left the region where the loss is smooth",
    ),
    fix="Bring inputs and targets to mean 0 and spread 1, clip the gradients (clipnorm=1.0 in the optimizer), use the "
    "default initializers, and train again with a tenth of the learning rate.",
    section="layers",
    threshold=70,
    threshold_meaning="relative gradient of the layers nearest the input, as a multiple of those nearest the output",
    source="AutoTrainer (ICSE 2021), beta 3 = 70 between first and last layer; SageMaker Debugger, rule "
    "ExplodingTensor (NaN or infinity)",
)

THROWN_OUT = 1000  # times an even guess's loss; norm of a layer's weights
LEARNED = 0.05  # of an even guess's loss
WHOLE = 1.0  # a gradient as large as the weights themselves


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Look for gradients that are not finite, grow over depth, or are larger than the weights."""
    facts = artifacts.worker.gradients if artifacts.worker else ()
    if any(fact.nan or fact.inf for fact in facts):
        return _not_finite(artifacts, facts)
    if not _is_poor(artifacts):
        return Result(
            False,
            f"All gradients are finite in {count(len(facts), 'layer')}, and the model learned: it is better than a "
            "simple guess on the batch, or was on its training data.",
        )
    trend = compute_trend(artifacts)
    if trend is not None and trend.ratio > threshold and trend.rank < -SURE:
        return Result(True, f"{describe(trend)}.", evidence_of(artifacts, trend), (trend.first.layer,))
    if (thrown := _find_worst_loss(artifacts)) is not None:
        return thrown
    sizes = {fact.layer: relative(fact) for fact in facts if fact.weight_norm > 0}
    if not sizes:
        return Result(None, "Not applicable: no layer has both weights and a gradient.")
    typical = float(np.median(list(sizes.values())))
    samples = max(fact.samples for fact in facts)
    said = (
        f"In a typical layer the gradient of a sample is {number_text(typical, 2)} times the weights, on "
        f"{count(samples, 'labelled sample')}"
    )
    if typical < WHOLE:
        return Result(False, f"{said}.")
    large = sorted(sizes, key=lambda name: -sizes[name])
    return Result(
        True,
        f"{said}: one plain step would replace them.",
        tuple(
            Evidence(
                f"gradient relative to weights, {shorten(name, 40)}",
                sizes[name],
                samples,
                layer_anchor(artifacts, name),
            )
            for name in large[:5]
        ),
        tuple(name for name in large if sizes[name] >= WHOLE),
    )


def _not_finite(artifacts: Artifacts, facts: tuple[GradientFacts, ...]) -> Result:
    """Name the layers whose gradient holds NaN or infinite values."""
    broken = [fact for fact in facts if fact.nan or fact.inf]
    names = join_words([shorten(fact.layer, 40) for fact in broken], most=3)
    weights = broken_weights(artifacts)
    own = [fact for fact in broken if fact.layer not in weights]
    follows = "" if own else ". Their weights are not finite either: of those no gradient can be"
    return Result(
        True,
        f"The gradient is not a finite number in {count(len(broken), 'layer')} of {len(facts):,}: {names}{follows}.",
        tuple(
            Evidence(
                shorten(fact.layer, 60),
                f"{fact.nan:,} NaN, {fact.inf:,} infinite",
                fact.samples,
                layer_anchor(artifacts, fact.layer),
            )
            for fact in (own or broken[:1])[:10]
        ),
        tuple(fact.layer for fact in broken),
    )


def _find_worst_loss(artifacts: Artifacts) -> Result | None:
    """Return the finding when a training loss on record tells of an explosion, whatever is left of its gradients."""
    chance, history = chance_loss(artifacts), curve(artifacts, "loss") if artifacts.history is not None else None
    facts = artifacts.worker.gradients if artifacts.worker else ()
    if history is None or not np.nanmax(history.values, initial=0.0) > THROWN_OUT * chance:
        return None
    norm = float(np.median([fact.weight_norm for fact in facts]))
    if not norm > THROWN_OUT:
        return None
    worst = int(np.nanargmax(history.values))
    epoch, value = int(history.epochs[worst]), float(history.values[worst])
    return Result(
        True,
        f"The training loss was {number_text(value, 2)} in epoch {epoch:,} (an even guess has {number_text(chance)}), "
        f"and the weights of a typical layer have a norm of {number_text(norm, 2)}.",
        (
            Evidence(f"training loss in epoch {epoch:,}", value, None, "training"),
            Evidence("norm of the weights, typical layer", norm, len(facts), "layers"),
        ),
        epochs=(epoch,),
    )


def _is_poor(artifacts: Artifacts) -> bool:
    """Tell whether the model is no better than a guess, by its headline metric or by its loss.

    One whose training loss ended below an even guess did learn: it fails on the batch for another reason.
    """
    losses = artifacts.worker.losses if artifacts.worker else ()
    chance, history = chance_loss(artifacts), curve(artifacts, "loss") if artifacts.history is not None else None
    if history is not None and float(history.values[-1]) < (1 - LEARNED) * chance:
        return False
    return plateau.is_poor(artifacts) or any(not loss.inference <= chance for loss in losses if chance == chance)


CHECK = Check(META, run)
