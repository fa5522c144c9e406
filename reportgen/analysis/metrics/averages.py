"""Averages over classes (macro, weighted, balanced, MCC) and their intervals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals

Array = NDArray[Any]
Cells = tuple[Array, Array, Array]

BOOTSTRAP_CELLS = 2_000

AVERAGES = {
    "balanced_accuracy": (
        "Balanced accuracy",
        "Mean recall over the classes that occur, each class counting the same.",
    ),
    "f1_macro": ("Macro F1", "Mean F1 over the classes that occur or are answered, each class counting the same."),
    "precision_macro": ("Macro precision", "Mean precision over the classes that occur or are answered."),
    "recall_macro": ("Macro recall", "Mean recall over the classes that occur or are answered."),
    "f1_weighted": ("Weighted F1", "Mean F1 weighted by how often each class occurs."),
    "precision_weighted": ("Weighted precision", "Mean precision weighted by how often each class occurs."),
    "recall_weighted": ("Weighted recall", "Mean recall weighted by how often each class occurs."),
    "mcc": ("Matthews correlation", "1 is perfect, 0 is no better than a constant answer, for unbalanced classes too."),
}


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


def average_intervals(cells: Cells) -> tuple[dict[str, tuple[float, float]], str]:
    """Return a 95% interval for each of `averages`, and the method: a bootstrap of the samples behind the cells.

    Past 2,000 cells (many classes) the averages are linearised in the cells' shares instead.
    """
    truth, prediction, counts = cells
    if not counts.size:
        return {}, "none"
    used, place = np.unique(np.concatenate([truth, prediction]), return_inverse=True)
    rows, columns = place[: len(truth)], place[len(truth) :]
    if counts.size > BOOTSTRAP_CELLS:
        return _linearised(rows, columns, counts, len(used)), "normal, linearised"
    by_row, by_column = _sum_by(rows, len(used)), _sum_by(columns, len(used))

    def sums(table: Array) -> tuple[Array, Array, Array]:
        """Return right, support and predicted of each table of cells."""
        return by_row(table * (rows == columns)), by_row(table), by_column(table)

    names: list[str] = []
    plain = np.asarray(list(averages(*(part[0] for part in sums(counts[None]))).values()))

    def statistic(drawn: Array) -> Array:
        """Return every average of every resample."""
        found = averages(*sums(drawn))
        names[:] = list(found)
        values = np.stack(list(found.values()), axis=1)
        return np.asarray(values - (np.median(values, axis=0) - plain))

    low, high, method = intervals.bootstrap_counts(counts, statistic)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(names)}, method + ", bias moved out"


def _linearised(rows: Array, columns: Array, counts: Array, size: int) -> dict[str, tuple[float, float]]:
    """Return normal intervals from how much one more sample in each cell would move each average (the delta method)."""
    n = int(counts.sum())
    same = rows == columns
    weights = (counts * same, counts, counts)
    right, support, predicted = (
        np.bincount(place, weights=weight, minlength=size)
        for place, weight in zip((rows, rows, columns), weights, strict=True)
    )
    values = averages(right, support, predicted)
    influence = _influences(rows, columns, same.astype(np.float64), right, support, predicted)
    ends = {}
    for name, moves in influence.items():
        middle = float((counts * moves).sum() / n)
        spread = float((counts * (moves - middle) ** 2).sum())
        ends[name] = intervals.mean_interval(float(values[name]), spread, n)
    return ends


def _influences(
    rows: Array, columns: Array, same: Array, right: Array, support: Array, predicted: Array
) -> dict[str, Array]:
    """Return, up to a constant, n times the change of each average by one more sample in each (row, column) cell."""
    n = support.sum()
    precision, recall, f1 = _share(right, predicted), _share(right, support), _share(2 * right, support + predicted)
    by_precision = _share(n * np.ones_like(support), predicted)
    by_recall = _share(n * np.ones_like(support), support)
    by_f1 = _share(n * np.ones_like(support), support + predicted)
    moved = {
        "precision": ((same - precision[columns]) * by_precision[columns], columns, precision),
        "recall": ((same - recall[rows]) * by_recall[rows], rows, recall),
    }
    f1_row, f1_column = (2 * same - f1[rows]) * by_f1[rows], -f1[columns] * by_f1[columns]
    occurring = int((support > 0).sum())
    result = {"accuracy": same, "balanced_accuracy": moved["recall"][0] / occurring}
    for name, (moves, place, rate) in moved.items():
        result[f"{name}_macro"] = moves / len(support)
        result[f"{name}_weighted"] = rate[rows] + moves * support[place] / n
    result["f1_macro"] = (f1_row + f1_column) / len(support)
    result["f1_weighted"] = f1[rows] + (f1_row * support[rows] + f1_column * support[columns]) / n
    result["mcc"] = _matthews_influence(rows, columns, same, right, support, predicted)
    return result


def _matthews_influence(
    rows: Array, columns: Array, same: Array, right: Array, support: Array, predicted: Array
) -> Array:
    """Return the same for MCC = (S - A) / sqrt((1 - P)(1 - T)), in shares of all samples."""
    n = support.sum()
    hits, chance = right.sum() / n, (support * predicted).sum() / n**2
    answers, truths = 1 - (predicted**2).sum() / n**2, 1 - (support**2).sum() / n**2
    if answers <= 0 or truths <= 0:
        return np.zeros(len(rows))
    root = math.sqrt(answers * truths)
    top = same - (predicted[rows] + support[columns]) / n
    by_answers = 2 * predicted[columns] / n * (hits - chance) / (2 * answers)
    by_truths = 2 * support[rows] / n * (hits - chance) / (2 * truths)
    return np.asarray((top + by_answers + by_truths) / root)


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
