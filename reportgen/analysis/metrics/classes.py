"""What follows from a table of (truth, prediction) counts: rates per class, confused pairs, an order, a worst block."""

from __future__ import annotations

import math
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


def averages(right: Array, support: Array, predicted: Array) -> dict[str, Array]:
    """Return accuracy, macro and weighted rates, balanced accuracy and MCC for tables of counts (..., C).

    Macro averages stand on the classes that occur as truth or as prediction, as scikit-learn's do; balanced accuracy on
    those that occur as truth. MCC after J. Gorodkin, "Comparing two K-category assignments" (2004), 0 when undefined.
    """
    right, support, predicted = (np.asarray(part, dtype=np.float64) for part in (right, support, predicted))
    precision, recall = _share(right, predicted), _share(right, support)
    f1 = _share(2 * right, support + predicted)
    present = ((support + predicted) > 0).sum(axis=-1)
    occurring = (support > 0).sum(axis=-1)
    n = support.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = {"accuracy": right.sum(axis=-1) / n, "balanced_accuracy": recall.sum(axis=-1) / occurring}
        for name, rate in (("precision", precision), ("recall", recall), ("f1", f1)):
            result[f"{name}_macro"] = rate.sum(axis=-1) / present
            result[f"{name}_weighted"] = (rate * support).sum(axis=-1) / n
        result["mcc"] = _matthews(right.sum(axis=-1), (support * predicted).sum(axis=-1), support, predicted, n)
    return result


def constant_answer(support: Array) -> dict[str, float]:
    """Return every one of `averages` for the model of the most frequent class; empty without labels."""
    if not support.sum():
        return {}
    label = int(support.argmax())
    right, predicted = np.zeros_like(support), np.zeros_like(support)
    right[label], predicted[label] = support[label], support.sum()
    return {name: float(value) for name, value in averages(right, support, predicted).items()}


def bootstrap_averages(cells: Cells) -> tuple[dict[str, tuple[float, float]], str]:
    """Return a 95% interval for each of `averages` by resampling the samples behind the cells, and the method."""
    truth, prediction, counts = cells
    if not counts.size:
        return {}, "none"
    used, place = np.unique(np.concatenate([truth, prediction]), return_inverse=True)
    rows, columns = place[: len(truth)], place[len(truth) :]
    by_row, by_column = _sum_by(rows, len(used)), _sum_by(columns, len(used))
    names: list[str] = []

    def statistic(drawn: Array) -> Array:
        """Return every average of every resample."""
        found = averages(by_row(drawn * (rows == columns)), by_row(drawn), by_column(drawn))
        names[:] = list(found)
        return np.stack(list(found.values()), axis=1)

    low, high, method = intervals.bootstrap_counts(counts, statistic)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(names)}, method


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


def _share(part: Array, whole: Array) -> Array:
    """Return part / whole, 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _matthews(right: Array, agreement: Array, support: Array, predicted: Array, n: Array) -> Array:
    """Return Matthews' correlation for several classes; 0 where one side is constant."""
    top = right * n - agreement
    bottom = (n**2 - (predicted**2).sum(axis=-1)) * (n**2 - (support**2).sum(axis=-1))
    return np.where(n > 0, np.divide(top, np.sqrt(bottom), out=np.zeros_like(top), where=bottom > 0), math.nan)


def _sum_by(groups: Array, size: int) -> Any:
    """Return a function that sums the columns of a (k, cells) array by group, into (k, size)."""
    order = np.argsort(groups, kind="stable")
    distinct, starts = np.unique(groups[order], return_index=True)

    def total(table: Array) -> Array:
        """Sum neighbouring columns of one group."""
        result = np.zeros((len(table), size), table.dtype)
        result[:, distinct] = np.add.reduceat(table[:, order], starts, axis=1)
        return result

    return total


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
