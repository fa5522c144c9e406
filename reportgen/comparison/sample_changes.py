"""Which shared samples changed sides between two reports: newly wrong, newly right, still wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.paired import mcnemar_exact
from reportgen.comparison.pairing import Pairing
from reportgen.report.changes import SampleChange
from reportgen.report.values import Missing

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Sides:
    """The rows of a pairing that changed sides, those that matter most first; `count` is what the page says of them."""

    pairing: Pairing
    count: SampleChange
    newly_wrong: Array
    newly_right: Array


def compute_sides(pairing: Pairing) -> Sides:
    """Compare the shared samples of one output; see SampleChange for what "wrong" means."""
    judged = pairing.judged
    if pairing.classes:
        was, now = pairing.before == pairing.truth, pairing.after == pairing.truth
        wrong, right, still = judged & was & ~now, judged & ~was & now, int((judged & ~was & ~now).sum())
    else:
        wrong = judged & (pairing.loss_after > pairing.loss_before)
        right, still = judged & (pairing.loss_after < pairing.loss_before), 0
    n, lost, won = int(judged.sum()), int(wrong.sum()), int(right.sum())
    count = SampleChange(
        output=pairing.output,
        by="answer" if pairing.classes else "loss",
        shared=n,
        newly_wrong=lost,
        newly_right=won,
        still_wrong=still,
        labels_changed=int(pairing.changed.sum()),
        p=float(f"{mcnemar_exact(lost, won):.6g}") if n else Missing("no sample in common has one label in both"),
    )
    return Sides(pairing, count, _ordered(pairing, wrong), _ordered(pairing, right))


def _ordered(pairing: Pairing, chosen: Array) -> Array:
    """Return the chosen rows, the largest change of the loss first; by key where no loss is known."""
    rows = np.flatnonzero(chosen)
    with np.errstate(invalid="ignore"):
        moved = np.abs(pairing.loss_after[rows] - pairing.loss_before[rows])
    return rows[np.lexsort((pairing.keys[rows], -np.nan_to_num(moved, nan=-1.0, posinf=np.inf)))]
