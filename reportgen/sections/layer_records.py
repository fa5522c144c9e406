"""Every layer's numbers as the Report keeps them, and where a layer's row is found in the page."""

from __future__ import annotations

import math
from typing import Any

from reportgen.analysis.evidence import (
    ActivationFacts,
    Artifacts,
    GradientFacts,
    LayerFacts,
    WeightFacts,
    WorkerEvidence,
)
from reportgen.analysis.layers import compute_quantile
from reportgen.report.types import LayerRecord
from reportgen.report.values import Missing, Number, number

DIGITS = 7  # of float32; more would only be noise, and the file grows with every digit
QUANTILES = (("q01", 0.01), ("median", 0.5), ("q99", 0.99))


def layer_anchors(worker: WorkerEvidence | None) -> dict[str, str]:
    """Map layer paths, and names that are unique, to the anchors of their rows: `layer-<index in call order>`."""
    if worker is None:
        return {}
    paths = [layer.path for layer in worker.layers]
    names = [layer.name for layer in worker.layers]
    if not paths and worker.graph is not None:
        paths = list(dict.fromkeys(node.layer for node in worker.graph.nodes))
        names = paths
    anchors = {name: f"layer-{i}" for i, name in enumerate(names) if names.count(name) == 1}
    return anchors | {path: f"layer-{i}" for i, path in enumerate(paths)}


def layer_records(artifacts: Artifacts) -> tuple[LayerRecord, ...]:
    """Return one record a layer in call order; layers known from the graph alone carry their parameters only."""
    worker = artifacts.worker
    if worker is None:
        return ()
    if not worker.layers and worker.graph is not None:
        seen = {node.layer: node for node in reversed(worker.graph.nodes)}
        order = dict.fromkeys(node.layer for node in worker.graph.nodes)
        return tuple(LayerRecord(name, seen[name].type, {"parameters": seen[name].parameters}) for name in order)
    activations = {facts.layer: facts for facts in worker.activations}
    gradients = {facts.layer: facts for facts in worker.gradients}
    weights: dict[str, list[WeightFacts]] = {}
    for facts in worker.weights:
        weights.setdefault(facts.layer, []).append(facts)
    return tuple(
        LayerRecord(
            layer.path,
            layer.type,
            _structure(layer)
            | _activation_numbers(activations.get(layer.path) or activations.get(layer.name))
            | _weight_numbers(weights.get(layer.path) or weights.get(layer.name) or [])
            | _gradient_numbers(gradients.get(layer.path) or gradients.get(layer.name)),
        )
        for layer in worker.layers
    )


def _structure(layer: LayerFacts) -> dict[str, Number]:
    """Return what is known without running the model."""
    return {
        "parameters": layer.parameters,
        "trainable_parameters": layer.trainable_parameters,
        "macs": number(layer.macs, "not known for this layer type"),
        "activation_bytes": number(layer.activation_bytes, "the output shape is open"),
    }


def _activation_numbers(facts: ActivationFacts | None) -> dict[str, Number]:
    """Return the numbers of a layer's output, or none when it was not measured."""
    if facts is None:
        return {}
    numbers: dict[str, Any] = {
        "mean": facts.mean,
        "std": facts.std,
        "low": facts.low,
        "high": facts.high,
        "zeros": facts.zeros,
        "nan": facts.nan,
        "inf": facts.inf,
        "units": facts.units,
        "dead": facts.dead,
        "near_dead": facts.near_dead,
        "samples": facts.samples,
        "values": facts.values,
        "stride": facts.stride,
    }
    if facts.rank_positions and math.isfinite(facts.effective_rank):
        numbers |= {"effective_rank": facts.effective_rank, "rank_positions": facts.rank_positions}
    if math.isfinite(facts.saturated):
        numbers["saturated"] = facts.saturated
    numbers |= {name: value for name, value in quantiles_of(facts).items() if not isinstance(value, Missing)}
    return {f"activation.{name}": _short(value) for name, value in numbers.items()}


def quantiles_of(facts: ActivationFacts) -> dict[str, Number]:
    """Return the 1%, 50% and 99% quantiles read from the histogram, Missing when there is none."""
    try:
        return {
            name: number(compute_quantile(facts.histogram, q, facts.low, facts.high).value, "nothing was counted")
            for name, q in QUANTILES
        }
    except ValueError:
        return {name: Missing("no histogram") for name, _ in QUANTILES}


def _weight_numbers(weights: list[WeightFacts]) -> dict[str, Number]:
    """Return the numbers of all variables of a layer together, and norm, spread and largest of each."""
    if not weights:
        return {}
    numbers: dict[str, Any] = {
        "norm": math.sqrt(sum(w.norm**2 for w in weights)),
        "size": sum(w.size for w in weights),
        "zeros": sum(w.zeros for w in weights),
        "nan": sum(w.nan for w in weights),
        "inf": sum(w.inf for w in weights),
    }
    if any(weight.filters for weight in weights):
        numbers["filters"] = sum(weight.filters for weight in weights)
        numbers["duplicates"] = sum(weight.duplicates for weight in weights)
    known = [weight.fresh for weight in weights if weight.fresh is not None]
    if known:
        numbers["untouched"] = sum(fresh.untouched for fresh in known)
    for weight in weights:
        numbers[f"{weight.name}.norm"] = weight.norm
        numbers[f"{weight.name}.std"] = weight.std
        numbers[f"{weight.name}.largest"] = largest_weight(weight)
    return {f"weights.{name}": _short(value) for name, value in numbers.items()}


def _gradient_numbers(facts: GradientFacts | None) -> dict[str, Number]:
    """Return the numbers of a layer's gradient, or none where it has none."""
    if facts is None:
        return {}
    numbers: dict[str, Any] = {
        "norm": facts.norm,
        "ratio": facts.ratio,
        "samples": facts.samples,
        "nan": facts.nan,
        "inf": facts.inf,
    }
    if facts.sample_norms:
        numbers["sample_norm"] = facts.sample_norm
    return {f"gradient.{name}": _short(value) for name, value in numbers.items()}


def largest_weight(weight: WeightFacts) -> float:
    """Return the largest magnitude among the finite values of a variable; 0 when there are none."""
    return max((abs(end) for end in (weight.low, weight.high) if math.isfinite(end)), default=0.0)


def _short(value: Any) -> Number:
    """Return a number rounded to `DIGITS` significant digits; integers stay exact."""
    result = number(value)
    return float(f"{result:.{DIGITS}g}") if isinstance(result, float) else result
