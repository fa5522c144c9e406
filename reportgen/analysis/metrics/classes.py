"""What follows from a table of (truth, prediction) counts: rates per class, confused pairs, an order, a worst block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals

Array = NDArray[Any]
Cells = tuple[Array, Array, Array]

CONSTANT = "always the most frequent class"
PRIOR = "always the class frequencies"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The simplest model there is: always answer `label`. `share` of the labelled samples it gets right."""

    name: str
    label: int
    share: float
    n: int


@dataclass(frozen=True, slots=True)
class PerClass:
    """One row a class (C,): rates in 0..1 with 95% Wilson intervals, NaN where a class never occurs or is answered.

    `support` counts samples of the class, `predicted` how often it was answered, `right` how often rightly. `f1` is 0
    when precision or recall is, NaN only for a class that neither occurs nor is answered.
    """

    precision: Array
    recall: Array
    f1: Array
    support: Array
    predicted: Array
    right: Array
    precision_low: Array
    precision_high: Array
    recall_low: Array
    recall_high: Array


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """`count` samples of class `truth` were called `prediction`: `share` of the `support` samples of `truth`."""

    truth: int
    prediction: int
    count: int
    support: int
    share: float


@dataclass(frozen=True, slots=True)
class ConfusionBlock:
    """A part of the confusion matrix: `counts` (k, k), rows the truth, for `classes` in the order to draw them.

    `mistakes` are in the block, of `all_mistakes` in the whole matrix; `whole` says that no class was left out.
    """

    classes: tuple[int, ...]
    counts: Array
    mistakes: int
    all_mistakes: int
    whole: bool


@dataclass(frozen=True, slots=True)
class ConfidenceHistogram:
    """Counts (bins,) of right, wrong and unlabelled answers by confidence; `edges` (bins + 1,)."""

    edges: Array
    right: Array
    wrong: Array
    unlabelled: Array


def compute_per_class(right: Array, support: Array, predicted: Array) -> PerClass:
    """Return the rates of each class from counts (C,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall = right / predicted, right / support
        f1 = 2 * right / (support + predicted)
    precision_ends, recall_ends = intervals.wilson(right, predicted), intervals.wilson(right, support)
    return PerClass(precision, recall, f1, support, predicted, right, *precision_ends, *recall_ends)


def confused_pairs(cells: Cells, support: Array, k: int) -> tuple[ConfusedPair, ...]:
    """Return the `k` most frequent mistakes, ties by class."""
    truth, prediction, counts = cells
    wrong = np.flatnonzero(truth != prediction)
    wrong = wrong[np.lexsort((prediction[wrong], truth[wrong], -counts[wrong]))][:k]
    rows = zip(truth[wrong].tolist(), prediction[wrong].tolist(), counts[wrong].tolist(), strict=True)
    return tuple(ConfusedPair(t, p, c, int(support[t]), c / int(support[t])) for t, p, c in rows)


def seriation(cells: Cells, classes: Iterable[int]) -> tuple[int, ...]:
    """Return `classes` in an order in which confused ones stand together.

    A greedy path cover: from the most to the least confused pair (mistakes both ways over the smaller of the two
    classes' samples), two chains of classes are joined when the pair are ends of both. Chains follow in the order of
    their lowest class, so that without mistakes the natural order stays.
    """
    wanted = list(classes)
    truth, prediction, counts = cells
    support = np.bincount(truth, weights=counts, minlength=max(wanted, default=0) + 1)
    inside = np.isin(truth, wanted) & np.isin(prediction, wanted) & (truth != prediction)
    both: dict[tuple[int, int], float] = {}
    for a, b, count in zip(truth[inside].tolist(), prediction[inside].tolist(), counts[inside].tolist(), strict=True):
        pair = (min(a, b), max(a, b))
        both[pair] = both.get(pair, 0.0) + count
    weight = {(a, b): count / max(1.0, _smaller(support, a, b)) for (a, b), count in both.items()}
    chains = {label: [label] for label in wanted}
    for a, b in sorted(weight, key=lambda pair: (-weight[pair], pair)):
        _join_chains(chains, a, b)
    unique = {id(chain): chain for chain in chains.values()}.values()
    ordered = sorted((chain if chain[0] <= chain[-1] else chain[::-1] for chain in unique), key=min)
    return tuple(label for chain in ordered for label in chain)


def worst_block(cells: Cells, classes: int, size: int) -> ConfusionBlock:
    """Return the whole matrix up to `size` classes, else the classes of the most frequent mistakes, well ordered."""
    truth, prediction, counts = cells
    wrong = np.flatnonzero(truth != prediction)
    chosen: dict[int, None] = {}
    if classes <= size:
        chosen = dict.fromkeys(range(classes))
    for index in wrong[np.lexsort((prediction[wrong], truth[wrong], -counts[wrong]))].tolist():
        pair = {int(truth[index]), int(prediction[index])}
        if len(chosen.keys() | pair) <= size:
            chosen |= dict.fromkeys(sorted(pair))
        if len(chosen) >= size:
            break
    order = seriation(cells, sorted(chosen))
    place = np.full(classes, -1)
    place[list(order)] = np.arange(len(order))
    inside = (place[truth] >= 0) & (place[prediction] >= 0)
    block = np.zeros((len(order), len(order)), np.int64)
    block[place[truth[inside]], place[prediction[inside]]] = counts[inside]
    mistakes = int(block.sum() - np.trace(block))
    return ConfusionBlock(order, block, mistakes, int(counts[wrong].sum()), len(order) == classes)


def majority(support: Array) -> Baseline | None:
    """Return the baseline that always answers the most frequent class, or None without labels."""
    n = int(support.sum())
    if n == 0:
        return None
    label = int(support.argmax())
    return Baseline(CONSTANT, label, int(support[label]) / n, n)


def _smaller(support: Array, a: int, b: int) -> float:
    """Return the number of samples of the rarer of two classes."""
    return float(min(support[a], support[b]))


def _join_chains(chains: dict[int, list[int]], a: int, b: int) -> None:
    """Join the chains of two classes if both are ends of different chains."""
    left, right = chains[a], chains[b]
    if left is right or a not in (left[0], left[-1]) or b not in (right[0], right[-1]):
        return
    left = left if left[-1] == a else left[::-1]
    right = right if right[0] == b else right[::-1]
    joined = left + right
    for label in joined:
        chains[label] = joined
