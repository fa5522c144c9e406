"""The batch lies on another scale than the model's own input layer was made for. Only hard evidence:

- a Rescaling layer at the input that divides by about 255 (or 127.5), on a batch that is already within -1..1 or
  0..1;
- a Normalization or BatchNormalization layer at the input whose stored mean and variance are those of data with a
  spread at least 20 times larger, or smaller, than the batch's.

A model without such a layer does not say what it expects: not applicable. Source: UMLAUT (CHI 2021), input not
normalised; the factor 20 is far from any ordinary difference between data sets and far below the usual mistake, 255.
"""

from __future__ import annotations

import math

from reportgen.analysis.evidence import Artifacts, InputFacts, WorkerEvidence
from reportgen.analysis.graph import Graph, Node
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import layer_anchor
from reportgen.report.types import Evidence
from reportgen.report.words import count, interval_text, number_text, shorten

META = Meta(
    code="input-range-mismatch",
    passed="The batch lies on the scale that the input layer expects",
    failed="The batch lies on another scale than the model expects",
    level="warn",
    needs=("inputs", "model"),
    causes=(
        "The batch was scaled (or left unscaled) differently from the training data",
        "The input is scaled twice: before the model and in it",
    ),
    fix="Give the batch as the training data was given: most often by leaving out the division by 255 before the "
    "model.",
    section="predictions",
    threshold=20,
    threshold_meaning="factor between the spread of the batch and the spread stored in the input layer",
    source="UMLAUT (CHI 2021), input not normalised; only where the model itself says what it expects",
)

DIVISORS = (255.0, 127.5)
STORED = {"Normalization": ("mean", "variance"), "BatchNormalization": ("moving_mean", "moving_variance")}
FEWEST = 10


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare each input with what the layer right behind it was made for."""
    worker = artifacts.worker
    if worker is None or worker.graph is None or not worker.graph.flows or worker.n_samples < FEWEST:
        return Result(None, f"Not applicable: needs the graph of the model and at least {FEWEST} samples.")
    told = [
        (fact, node, why)
        for fact in worker.inputs
        for node in _first_layers(worker.graph, worker, fact)
        if (why := _judge(worker, fact, node, threshold)) is not None
    ]
    if not told:
        return Result(None, "Not applicable: no layer at the input says on which scale it expects its values.")
    bad = [(fact, node, why) for fact, node, why in told if why]
    if not bad:
        return Result(False, f"The input layers expect what the batch gives, on {count(worker.n_samples, 'sample')}.")
    fact, node, why = bad[0]
    return Result(
        True,
        f"Input {shorten(fact.name, 40)} holds values of {interval_text(fact.low, fact.high)} on "
        f"{count(worker.n_samples, 'sample')}; {why}.",
        (
            Evidence(
                f"range of input {shorten(fact.name, 40)}",
                interval_text(fact.low, fact.high),
                worker.n_samples,
                "predictions",
            ),
            Evidence(f"expected by {shorten(node.layer, 40)}", why, None, layer_anchor(artifacts, node.layer)),
        ),
        (node.layer,),
    )


def _first_layers(graph: Graph, worker: WorkerEvidence, fact: InputFacts) -> list[Node]:
    """Return the layers fed by one input."""
    nodes = {node.id: node for node in graph.nodes}
    sources = {
        node.id
        for node in graph.nodes
        if node.type == "InputLayer" and (node.layer == fact.name or len(worker.inputs) == 1)
    }
    fed = [nodes[edge.target] for edge in graph.edges if edge.source in sources and edge.target in nodes]
    # A Sequential graph may start with its first layer instead of an InputLayer.
    starts = (
        [nodes[i] for i in graph.inputs if i in nodes and nodes[i].type != "InputLayer"]
        if len(worker.inputs) == 1
        else []
    )
    return list({node.id: node for node in [*fed, *starts]}.values())


def _judge(worker: WorkerEvidence, fact: InputFacts, node: Node, threshold: float) -> str | None:
    """Return why the input does not suit the layer, "" when it does, None when the layer does not say."""
    if not (math.isfinite(fact.low) and math.isfinite(fact.high) and math.isfinite(fact.std)):
        return None
    if node.type == "Rescaling":
        return _judge_rescaling(worker, fact, node)
    return _judge_stored(worker, fact, node, threshold) if node.type in STORED else None


def _judge_rescaling(worker: WorkerEvidence, fact: InputFacts, node: Node) -> str | None:
    """Compare the range that a Rescaling layer gets with the divisor that it applies, both measured on the batch."""
    out = next((one for one in worker.activations if one.layer.split("/")[-1] == node.layer.split("/")[-1]), None)
    if out is None or not out.std > 0 or not fact.std > 0:
        return None
    divisor = fact.std / out.std
    if not any(abs(divisor / usual - 1) < 0.05 for usual in DIVISORS):
        return None
    small = max(abs(fact.low), abs(fact.high)) <= 1.0
    return f"{shorten(node.layer, 40)} divides them by {divisor:.4g} once more, as if they reached 255" if small else ""


def _judge_stored(worker: WorkerEvidence, fact: InputFacts, node: Node, threshold: float) -> str | None:
    """Compare the spread of the batch with the one that follows from the stored means and variances of the features."""
    weights = {w.name.split("/")[-1]: w for w in worker.weights if w.layer.split("/")[-1] == node.layer.split("/")[-1]}
    mean, variance = (weights.get(name) for name in STORED[node.type])
    if mean is None or variance is None or not variance.mean > 0 or not fact.std > 0:
        return None
    # Over all features at once: the mean of their variances plus the variance of their means.
    stored = math.sqrt(variance.mean + mean.std**2)
    factor = max(fact.std / stored, stored / fact.std)
    if factor < threshold:
        return ""
    return (
        f"{shorten(node.layer, 40)} was made on data with a spread of {number_text(stored, 3)} (standard deviation), "
        f"and the batch has {number_text(fact.std, 3)}"
    )


CHECK = Check(META, run)
