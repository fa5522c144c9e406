"""Units: the smallest boxes of a folded graph. A layer alone, a run of layers that belong together, or a nested model.

Runs are chains without a branch: a layer with weights or a merge, then what only adjusts its output (normalisation,
activation, dropout). In pre-activation networks (DenseNet, ResNet V2) the adjusting layers come first.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from reportgen.analysis.graph import Edge, Graph, Group, Node

PADDING = frozenset({"ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"})
DROPOUT = frozenset(
    {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout", "AlphaDropout"}
)
NORMALISING = frozenset(
    {"BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization", "RMSNormalization"}
)
ACTIVATING = frozenset(
    {"Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Relu", "Relu6", "LeakyRelu", "Sigmoid", "Tanh"}
) | frozenset({"Silu", "Gelu", "Elu", "Selu", "Softplus", "HardSigmoid", "HardSilu", "HardSwish", "LogSoftmax"})
ADJUSTING = DROPOUT | NORMALISING | ACTIVATING | {"GaussianNoise"}
MERGING = frozenset({"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"})
LONGEST_RUN = 6


@dataclass(slots=True)
class Unit:
    """One box: its nodes in order, and the nested model that it stands for, if any."""

    nodes: tuple[Node, ...]
    group: Group | None = None
    signature: Hashable = ()


@dataclass(slots=True)
class Links:
    """Who feeds whom, by node id, in the order of the edges; edges to unknown nodes and to oneself are left out."""

    sources: dict[str, list[str]] = field(default_factory=dict)
    targets: dict[str, list[str]] = field(default_factory=dict)


def link(graph: Graph) -> Links:
    """Return the links of a graph; an edge given twice counts once."""
    links = Links({node.id: [] for node in graph.nodes}, {node.id: [] for node in graph.nodes})
    seen: set[Edge] = set()
    for edge in graph.edges:
        known = edge.source in links.targets and edge.target in links.sources and edge.source != edge.target
        if known and edge not in seen:
            seen.add(edge)
            links.targets[edge.source].append(edge.target)
            links.sources[edge.target].append(edge.source)
    return links


def sign(node: Node) -> Hashable:
    """Return what makes two layers equal in a drawing: type and settings, never names, shapes or dropout rates."""
    return (node.type, node.activation, () if node.type in DROPOUT else node.details)


def fuse(nodes: list[Node], links: Links) -> list[Unit]:
    """Return the nodes of one level as units, every node in exactly one, in the order of their first node."""
    units: list[Unit] = []
    taken: set[str] = set()
    by_id = {node.id: node for node in nodes}
    for node in nodes:
        if node.id in taken or _follows_on(node, by_id, links, taken):
            continue
        chain = _chain_from(node, by_id, links, taken)
        taken.update(one.id for one in chain)
        units += [make_unit(run) for run in split_chain(chain)]
    units += [make_unit([node]) for node in nodes if node.id not in taken]
    return units


def make_unit(nodes: list[Node]) -> Unit:
    """Return a unit of one layer or one run."""
    return Unit(tuple(nodes), None, tuple(sign(node) for node in nodes))


def _follows_on(node: Node, by_id: dict[str, Node], links: Links, taken: set[str]) -> bool:
    """Return True when a node continues a chain that starts elsewhere."""
    sources = links.sources[node.id]
    return len(sources) == 1 and sources[0] in by_id and sources[0] not in taken and len(links.targets[sources[0]]) == 1


def _chain_from(node: Node, by_id: dict[str, Node], links: Links, taken: set[str]) -> list[Node]:
    """Return the chain that starts at a node and goes on while there is one way on and one way in."""
    chain, seen = [node], {node.id}
    while True:
        targets = links.targets[chain[-1].id]
        if len(targets) != 1 or len(links.sources[targets[0]]) != 1:
            return chain
        following = by_id.get(targets[0])
        if following is None or following.id in seen or following.id in taken:
            return chain
        chain.append(following)
        seen.add(following.id)


def split_chain(chain: list[Node]) -> list[list[Node]]:
    """Return a chain cut into runs."""
    kinds = ["pad" if n.type in PADDING else "adjust" if n.type in ADJUSTING else "head" for n in chain]
    first = next((kind for kind in kinds if kind != "pad"), "head")
    pre_activation = first == "adjust" and any(n.type not in ADJUSTING | PADDING for n in chain)
    runs: list[list[Node]] = []
    headed = False
    for node, kind in zip(chain, kinds, strict=True):
        starts = not runs or len(runs[-1]) >= LONGEST_RUN or runs[-1][-1].type == "InputLayer"
        starts = starts or (kind != "adjust" and headed) or (kind == "pad" and runs[-1][-1].type not in PADDING)
        # A merge keeps its activation only: what normalises its output belongs to what comes next.
        starts = starts or (headed and runs[-1][-1].type in MERGING and node.type not in ACTIVATING)
        starts = starts or (pre_activation and headed and node.type not in DROPOUT)
        if starts:
            runs.append([])
            headed = False
        runs[-1].append(node)
        headed = headed or kind == "head"
    return runs
