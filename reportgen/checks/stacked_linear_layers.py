"""Two dense layers in a row with nothing between them that bends: together they can do no more than one.

Fires for Dense without activation that feeds only another Dense (Dropout or BatchNormalization between them changes
nothing: both are linear in use), when the first is at least as wide as the second. A narrower first layer is a
bottleneck, which people build on purpose (autoencoders, low-rank layers). Convolutions are left out: linear ones in a
row are common design (MobileNetV2).
Source: UMLAUT (CHI 2021), missing activation functions; NeuraLint (TOSEM 2021).
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.analysis.graph import Graph, Node
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import last_dimension, layer_anchor
from reportgen.report.types import Evidence
from reportgen.report.words import join_words, shorten

META = Meta(
    code="stacked-linear-layers",
    passed="No two dense layers in a row without an activation between them",
    failed="Two dense layers in a row act as one",
    level="warn",
    needs=("model",),
    causes=("The activation of a hidden layer was forgotten (Dense has none by default)",),
    fix="Give the first of the two an activation, for example activation='relu', and train again.",
    section="architecture",
    source="UMLAUT (CHI 2021), NeuraLint (TOSEM 2021); read from the architecture",
)

LINEAR = frozenset({"Dropout", "GaussianDropout", "AlphaDropout", "GaussianNoise", "BatchNormalization", "Identity"})


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Walk from every linear dense layer to what it feeds."""
    graph = artifacts.worker.graph if artifacts.worker else None
    if graph is None or not graph.flows:
        return Result(None, "Not applicable: the model has no graph to walk along.")
    pairs = [(node, after) for node in graph.nodes if (after := _next_dense(graph, node)) is not None]
    if not pairs:
        return Result(False, "No dense layer without activation feeds another one.")
    said = [f"{shorten(a.layer, 40)} into {shorten(b.layer, 40)}" for a, b in pairs]
    return Result(
        True,
        f"Without an activation between them, two dense layers do what one could: {join_words(said, most=3)}.",
        tuple(
            Evidence(
                shorten(a.layer, 60),
                f"no activation, feeds {shorten(b.layer, 60)}",
                None,
                layer_anchor(artifacts, a.layer),
            )
            for a, b in pairs[:10]
        ),
        tuple(dict.fromkeys(a.layer for a, _ in pairs)),
    )


def _next_dense(graph: Graph, node: Node) -> Node | None:
    """Return the dense layer that is all a linear, not narrower dense layer feeds; None when there is none."""
    if node.type != "Dense" or node.activation != "linear" or node.id in graph.outputs:
        return None
    nodes = {one.id: one for one in graph.nodes}
    here = node
    for _ in range(len(graph.nodes)):
        after = [edge.target for edge in graph.edges if edge.source == here.id]
        found = nodes.get(after[0]) if len(after) == 1 else None
        if found is None or (found.type != "Dense" and (not _keeps_linear(found) or found.id in graph.outputs)):
            return None
        if found.type == "Dense":
            wide, narrow = last_dimension(node.shape), last_dimension(found.shape)
            return found if wide is not None and narrow is not None and wide >= narrow else None
        here = found
    return None


def _keeps_linear(node: Node) -> bool:
    """Tell whether what a layer does while predicting is linear in each value by itself."""
    return node.type in LINEAR or (node.type == "Activation" and node.activation == "linear")


CHECK = Check(META, run)
