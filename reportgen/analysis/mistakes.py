"""Mistakes told apart: where the model is wrong, where the label is suspicious, and samples that occur twice.

A suspicion, never a verdict. For classifiers it follows confident learning (C. G. Northcutt, L. Jiang and I. L. Chuang,
"Confident learning: estimating uncertainty in dataset labels", JAIR 70, 2021): the model gives another class at least
the probability that it gives to samples of that class on average. Here it must also be very sure; it must be right
nearly always when it is very sure, of this class too; and by its own probabilities it must expect less than half a
mistake among all answers as sure: with thousands of answers at 99.8%, a few that are wrong speak against nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.evidence import RecordArrays
from reportgen.analysis.records import CLASSIFIERS

Array = NDArray[Any]

SURE = 0.99
NEARLY_ALWAYS = 0.9
FEWEST = 20
FEWEST_ALIKE = 5
EXPECTED = 0.5
FAR = 8.0
RARE = 0.01


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong answer: its row in the records, whether the label is suspicious, and why (or why not)."""

    row: int
    suspicious: bool
    why: str


@dataclass(frozen=True, slots=True)
class Twins:
    """Rows of the records with identical inputs; `conflict` says that their labels differ."""

    rows: tuple[int, ...]
    conflict: bool


def find_twins(records: RecordArrays) -> tuple[Twins, ...]:
    """Return the groups of identical inputs, those with conflicting labels first, then the largest."""
    whole = len(records.labels) == len(records.keys)
    order = np.lexsort((records.positions, records.keys))
    keys = records.keys[order]
    found = []
    for rows in np.split(order, np.flatnonzero(keys[1:] != keys[:-1]) + 1):
        if len(rows) < 2:
            continue
        labels = records.labels[rows] if whole else records.truth[rows]
        labels = labels[labels != 0] if whole else labels[~np.isnan(labels)]
        found.append(Twins(tuple(rows.tolist()), bool(labels.size and (labels != labels[0]).any())))
    return tuple(sorted(found, key=lambda twins: (not twins.conflict, -len(twins.rows), twins.rows)))


def judge_mistakes(records: RecordArrays, task: str, probabilistic: bool, sure: float = SURE) -> tuple[Mistake, ...]:
    """Return all mistakes of a classifier or far misses of a single number; suspicious labels first, then by loss.

    `probabilistic` says that confidences are probabilities; else only conflicting twins make a label suspicious.
    """
    twins = {row: group.rows for group in find_twins(records) if group.conflict for row in group.rows}
    if task in CLASSIFIERS:
        found = _judge_classes(records, probabilistic, sure, twins)
    elif task in ("regression", "timeseries"):
        found = _judge_numbers(records, twins)
    else:
        return ()
    loss = np.nan_to_num(records.loss.astype(np.float64), nan=-np.inf)
    return tuple(sorted(found, key=lambda m: (not m.suspicious, -loss[m.row], int(records.positions[m.row]))))


def _judge_classes(
    records: RecordArrays, probabilistic: bool, sure: float, twins: dict[int, tuple[int, ...]]
) -> list[Mistake]:
    """Judge every wrong answer of a classifier."""
    truth, said = records.truth, records.prediction
    known = np.isfinite(truth) & np.isfinite(said)
    wrong = np.flatnonzero(known & (truth != said))
    confidence = records.confidence.astype(np.float64)
    own = np.exp(-records.loss.astype(np.float64))  # the probability of the label: the loss is the log loss
    levels = {
        float(answer): _find_level(known, truth, said, confidence, own, sure, answer)
        for answer in np.unique(said[wrong])
    }
    expected = _expected_mistakes(confidence, known)
    found = []
    for row in wrong.tolist():
        if row in twins and _outvoted(truth, twins[row], row):
            found.append(Mistake(row, True, "an identical input has another label, and the model agrees with it"))
        elif not probabilistic or not np.isfinite(confidence[row]):
            found.append(Mistake(row, False, "without probabilities the model cannot be called sure"))
        else:
            level = levels[float(said[row])]
            found.append(_judge_sure(row, float(confidence[row]), float(expected[row]), level))
    return found


def _expected_mistakes(confidence: Array, known: Array) -> Array:
    """Return how many mistakes the model itself expects among the answers that are at least as sure as each."""
    doubts = np.sort(1 - confidence[known & np.isfinite(confidence)])
    total = np.concatenate([[0.0], np.cumsum(doubts)])
    return np.asarray(total[np.searchsorted(doubts, np.nan_to_num(1 - confidence, nan=1.0), side="right")])


@dataclass(frozen=True, slots=True)
class _Level:
    """From which confidence an answer is sure; how many are as sure and right, of all answers and of this one."""

    bar: float
    alike: int
    right: int
    same: int
    same_right: int


def _find_level(
    known: Array, truth: Array, said: Array, confidence: Array, own: Array, sure: float, answer: float
) -> _Level:
    """Return the level of one answer."""
    of_class = own[known & (truth == answer)]
    bar = max(sure, float(of_class.mean()) if of_class.size else 1.0)
    alike, right = known & (confidence >= bar), truth == said
    same = alike & (said == answer)
    return _Level(bar, *(int(part.sum()) for part in (alike, alike & right, same, same & right)))


def _judge_sure(row: int, confidence: float, expected: float, level: _Level) -> Mistake:
    """Judge one wrong answer by how sure the model is, and how often it is right when it is as sure."""
    if confidence < level.bar:
        return Mistake(row, False, f"the model is not sure enough ({confidence:.1%})")
    others, right, at = level.alike - 1, level.right, f"{level.bar:.1%} or more"
    low = intervals.wilson_pair(right, others)[0] if others else 0.0
    if others < FEWEST or low < NEARLY_ALWAYS:
        return Mistake(row, False, f"as sure ({at}) and right: only {right:,} of {others:,} other answers")
    same = level.same - 1
    if same < FEWEST_ALIKE or level.same_right < NEARLY_ALWAYS * same:
        return Mistake(row, False, f"as sure ({at}) of this class and right: only {level.same_right:,} of {same:,}")
    if expected >= EXPECTED:
        text = f"among as many answers as sure, the model itself expects {expected:.1f} mistakes"
        return Mistake(row, False, text)
    return Mistake(row, True, f"{confidence:.1%} sure; of {others:,} others at {at}, {right:,} are right")


def _outvoted(truth: Array, rows: tuple[int, ...], row: int) -> bool:
    """Say whether an identical sample has another label."""
    return any(truth[other] != truth[row] and not np.isnan(truth[other]) for other in rows if other != row)


def _judge_numbers(records: RecordArrays, twins: dict[int, tuple[int, ...]]) -> list[Mistake]:
    """Judge misses that lie far from all others: more than 8 robust standard deviations, on at most 1% of samples."""
    error = records.prediction - records.truth
    known = np.isfinite(error)
    found = [
        Mistake(row, True, "an identical input has another label")
        for row in twins
        if known[row] and _outvoted(records.truth, twins[row], row)
    ]
    if known.sum() < 5 * FEWEST:
        return found
    middle = float(np.median(error[known]))
    spread = 1.4826 * float(np.median(np.abs(error[known] - middle)))
    if not spread > 0:
        return found
    far = np.abs(error - middle) / spread
    rows = np.flatnonzero(known & (far > FAR))
    seldom = len(rows) <= max(1, RARE * int(known.sum()))
    for row in rows.tolist():
        if row not in twins:
            words = f"off by {far[row]:.0f} times the usual spread"
            found.append(Mistake(row, seldom, words if seldom else f"{words}, but {len(rows):,} samples are"))
    return found
