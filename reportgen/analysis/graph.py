"""The neutral architecture graph: layers as nodes, tensors as edges, nested models as groups."""

from __future__ import annotations

from dataclasses import dataclass

OWN_CODE = "own code"  # the type of a node that is no layer: what a subclassed model does between its layers
ORDERED = "(order of calls)"  # ends the name of a group in which edges are no data


@dataclass(frozen=True, slots=True)
class Node:
    """One call of one layer. `id` is stable ("n0", "n1", ... in call order); a shared layer has several nodes.

    `shape` is the output shape as text, batch first as "None"; `details` are the few settings worth a line in a card
    (("filters", "32"), ("kernel", "3x3"), ...). `group` is the nested model that it lies in, if any.
    """

    id: str
    layer: str
    type: str
    shape: str
    parameters: int
    activation: str = ""
    group: str | None = None
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """A tensor that flows from one node to another."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Group:
    """A nested model: its nodes lie in it; `parent` is the group around it."""

    id: str
    name: str
    type: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """The whole graph.

    `source` says where it was read: "model", as loaded; "config", when it could not be loaded; "calls", followed
    through a call of a subclassed model; "order", where of some part of such a model only the order of calls is known.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    source: str = "model"

    @property
    def flows(self) -> bool:
        """Whether every arrow is data that flows; else some only say what is called after what."""
        return self.source != "order"
