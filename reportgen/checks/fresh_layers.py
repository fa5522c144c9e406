"""Layers whose weights are still what their initializer made: what two checks look at."""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts, WeightFacts


def fresh_layers(artifacts: Artifacts, *, trainable: bool) -> dict[str, WeightFacts]:
    """Return the layers (path -> telling weight) that are certainly as initialised, trainable or frozen.

    A layer counts by its matrices: zero biases and gains of one often stay in trained models, behind a
    BatchNormalization for example. Layers without matrices (normalisations) are not judged.
    """
    by_layer: dict[str, list[WeightFacts]] = {}
    for weight in artifacts.worker.weights if artifacts.worker else ():
        if not weight.name.endswith(("moving_mean", "moving_variance")) and "seed" not in weight.name:
            by_layer.setdefault(weight.layer, []).append(weight)
    found = {}
    for layer, weights in by_layer.items():
        telling = [weight for weight in weights if len(weight.shape) >= 2 and weight.size > 1]
        if telling and all(_is_fresh(weight) and weight.trainable is trainable for weight in telling):
            found[layer] = max(telling, key=lambda weight: weight.size)
    return found


def judged_layers(artifacts: Artifacts, *, trainable: bool) -> int:
    """Count the layers with matrices that are all trainable (or all frozen) and could be compared with fresh ones."""
    by_layer: dict[str, list[WeightFacts]] = {}
    for weight in artifacts.worker.weights if artifacts.worker else ():
        if len(weight.shape) >= 2 and weight.size > 1:
            by_layer.setdefault(weight.layer, []).append(weight)
    return sum(
        all(weight.fresh is not None and weight.trainable is trainable for weight in weights)
        for weights in by_layer.values()
    )


def _is_fresh(weight: WeightFacts) -> bool:
    """Tell whether a weight is as initialised beyond doubt."""
    return weight.fresh is not None and weight.fresh.untouched and weight.fresh.certain
