"""What differs in the layers and in their numbers; layers are matched by name, then by place."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.analysis.graph import Graph, Node
from reportgen.report.types import LayerRecord, Report
from reportgen.report.values import Missing

# Numbers of a layer that are compared: what they are called, and the relative change from which on they are listed.
NUMBERS = (
    ("weights.norm", "Norm of the weights", 0.1),
    ("activation.dead", "Dead units", 0.0),
    ("activation.saturated", "Saturated share", 0.1),
    ("activation.std", "Spread of the output", 0.25),
    ("gradient.norm", "Norm of the gradient", 0.5),
)


@dataclass(frozen=True, slots=True)
class LayerChange:
    """One layer that is new, gone or changed: `before` and `now` say in words what it is ("" where it is not there)."""

    kind: str
    layer: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class NumberChange:
    """One number of one layer before and now; `ratio` is now / before (inf from 0)."""

    layer: str
    what: str
    before: float
    now: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Structure:
    """What differs between two models. `compared` counts layers in both; `known` is False without any layer."""

    known: bool
    compared: int
    layers: tuple[LayerChange, ...]
    numbers: tuple[NumberChange, ...]
    parameters: tuple[int, int]


def compare_structure(base: Report, head: Report) -> Structure:
    """Compare the layers of two reports."""
    old, new = _described(base), _described(head)
    pairs = _match(old, new)
    changes = _changes(old, new, pairs)
    records_old, records_new = ({record.name: record for record in report.layers} for report in (base, head))
    numbers = [
        change
        for before, now in pairs
        if before in records_old and now in records_new
        for change in _numbers(records_old[before], records_new[now])
    ]
    numbers.sort(key=lambda change: -max(change.ratio, 1 / change.ratio if change.ratio else float("inf")))
    return Structure(
        known=bool(old and new),
        compared=len(pairs),
        layers=tuple(changes),
        numbers=tuple(numbers),
        parameters=(_parameters(base), _parameters(head)),
    )


def _described(report: Report) -> dict[str, str]:
    """Return every layer's type, settings, shape and parameters in words, by name, in call order."""
    if report.graph is not None:
        return _nodes(report.graph)
    return {record.name: _record_words(record) for record in report.layers}


def _nodes(graph: Graph) -> dict[str, str]:
    """Describe the layers of a graph; one that is called several times by its first call."""
    found: dict[str, str] = {}
    for node in graph.nodes:
        found.setdefault(node.layer, _node_words(node))
    return found


def _node_words(node: Node) -> str:
    """Describe one layer."""
    settings = [f"{name} {value}" for name, value in node.details]
    activation = [node.activation] if node.activation and node.activation != "linear" else []
    size = f"{node.parameters:,} parameters" if node.parameters else ""
    words = [*settings, *activation, f"output {node.shape}" if node.shape else "", size]
    return f"{node.type}: {', '.join(word for word in words if word)}"


def _record_words(record: LayerRecord) -> str:
    """Describe one layer of which only the numbers are known."""
    parameters = record.numbers.get("parameters")
    return record.type if not isinstance(parameters, int) else f"{record.type}: {parameters:,} parameters"


def _match(old: dict[str, str], new: dict[str, str]) -> list[tuple[str, str]]:
    """Pair the layers of two models: those of one name and type, then those alike in words, in order.

    Keras numbers unnamed layers on: "dense_3" becomes "dense_7".
    """
    pairs = {name: name for name in new if name in old and _type(old[name]) == _type(new[name])}
    left: dict[str, list[str]] = {}
    for name, words in old.items():
        if name not in pairs:
            left.setdefault(words, []).append(name)
    alike = {words: iter(names) for words, names in left.items()}
    for name, words in new.items():
        if name not in pairs and (found := next(alike.get(words, iter(())), None)) is not None:
            pairs[name] = found
    return [(pairs[name], name) for name in new if name in pairs]


def _type(words: str) -> str:
    """Return the type in a layer's description."""
    return words.partition(":")[0]


def _changes(old: dict[str, str], new: dict[str, str], pairs: list[tuple[str, str]]) -> list[LayerChange]:
    """List layers that are new or changed, in the order of the new model, then those that are gone."""
    before = {now: name for name, now in pairs}
    found = []
    for name, words in new.items():
        if name not in before:
            found.append(LayerChange("added", name, "", words))
        elif old[before[name]] != words:
            found.append(LayerChange("changed", name, old[before[name]], words))
    kept = {name for name, _ in pairs}
    return found + [LayerChange("removed", name, words, "") for name, words in old.items() if name not in kept]


def _numbers(old: LayerRecord, new: LayerRecord) -> list[NumberChange]:
    """Return the numbers of one layer that moved by more than their limit."""
    found = []
    for key, what, limit in NUMBERS:
        before, now = old.numbers.get(key), new.numbers.get(key)
        if before is None or now is None or isinstance(before, Missing) or isinstance(now, Missing) or before == now:
            continue
        ratio = now / before if before else float("inf")
        if before == 0 or now == 0 or ratio <= 0 or max(ratio, 1 / ratio) > 1 + limit:
            found.append(NumberChange(new.name, what, float(before), float(now), abs(ratio)))
    return found


def _parameters(report: Report) -> int:
    """Return the number of parameters of all layers."""
    counts = [record.numbers.get("parameters", 0) for record in report.layers]
    return sum(int(value) for value in counts if not isinstance(value, Missing))
