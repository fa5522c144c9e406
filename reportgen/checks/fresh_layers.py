"""Layers whose weights are still what their initializer made: what two checks look at."""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts, GradientFacts, WeightFacts


def fresh_layers(artifacts: Artifacts, *, trainable: bool) -> dict[str, WeightFacts]:
    """Return the layers (path -> telling weight) that are as initialised beyond doubt, trainable or frozen.

    A layer counts by its matrices: zero biases and gains of one alone often stay in trained models. Where the matrices
    look fresh but are too small to be sure, biases that are exactly as they began, or a gradient of exactly zero, are.
    Layers without matrices (normalisations) are not judged.
    """
    blocked = {fact.layer for fact in (artifacts.worker.gradients if artifacts.worker else ()) if _is_blocked(fact)}
    found = {}
    for layer, weights in _weights_by_layer(artifacts).items():
        matrices = [weight for weight in weights if _is_matrix(weight)]
        if not matrices or not all(_is_fresh(w) and w.trainable is trainable for w in matrices):
            continue
        vectors = [weight for weight in weights if not _is_matrix(weight)]
        sure = all(w.fresh is not None and w.fresh.certain for w in matrices)
        untouched = bool(vectors) and all(_is_fresh(w) and w.fresh is not None and w.fresh.certain for w in vectors)
        if sure or untouched or (trainable and layer in blocked):
            found[layer] = max(matrices, key=lambda weight: weight.size)
    return found


def _weights_by_layer(artifacts: Artifacts) -> dict[str, list[WeightFacts]]:
    """Return the weights that training moves, by layer."""
    by_layer: dict[str, list[WeightFacts]] = {}
    for weight in artifacts.worker.weights if artifacts.worker else ():
        if not weight.name.endswith(("moving_mean", "moving_variance")) and "seed" not in weight.name:
            by_layer.setdefault(weight.layer, []).append(weight)
    return by_layer


def _is_matrix(weight: WeightFacts) -> bool:
    """Tell whether a weight is a matrix or kernel of some size."""
    return len(weight.shape) >= 2 and weight.size > 1


def _is_fresh(weight: WeightFacts) -> bool:
    """Tell whether nothing tells a weight from a fresh one."""
    return weight.fresh is not None and weight.fresh.untouched


def _is_blocked(fact: GradientFacts) -> bool:
    """Tell whether a layer gets a gradient of exactly zero."""
    return fact.norm == 0 and fact.weight_norm > 0 and not (fact.nan or fact.inf)


def judged_layers(artifacts: Artifacts, *, trainable: bool) -> int:
    """Count the layers with matrices that are all trainable (or all frozen) and could be compared with fresh ones."""
    layers = ([w for w in weights if _is_matrix(w)] for weights in _weights_by_layer(artifacts).values())
    return sum(
        bool(matrices) and all(w.fresh is not None and w.trainable is trainable for w in matrices)
        for matrices in layers
    )
