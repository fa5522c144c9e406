"""The samples that two reports share, output by output: matched by the users' ids, else by their content."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.records import CLASSIFIERS
from reportgen.report.types import Report, SampleTable

Array = NDArray[Any]
MOST_CLASSES = 1_000_000  # of a report that names none
WORST_SHARE = 10  # an older report does not say how many of its records are there for their loss: at most a tenth


@dataclass(frozen=True, slots=True)
class Pairing:
    """One output's shared samples, in the order of `now`'s records; arrays are (n,), float64, NaN where unknown.

    `truth`, `before` and `after` of classifiers are indices into `names`, of others the records' numbers. `changed`
    tells samples whose label is not the same in both. `whole` says that both reports hold exactly these samples,
    `other_content` how many that are matched by id have another content, `renamed` that no class has its old name.
    """

    output: str
    task: str
    keys: Array
    ids: tuple[str, ...]
    names: tuple[str, ...]
    truth: Array
    before: Array
    after: Array
    loss_before: Array
    loss_after: Array
    sure_before: Array
    sure_after: Array
    changed: Array
    n_before: int
    n_after: int
    whole: bool
    by_id: bool
    other_content: int = 0
    renamed: bool = False

    @property
    def classes(self) -> bool:
        """Whether a sample has one answer that is right or wrong."""
        return self.task in CLASSIFIERS

    @property
    def judged(self) -> Array:
        """Samples with one label in both reports and an answer (a loss) in both."""
        known = (
            np.isfinite(self.truth) & np.isfinite(self.before) & np.isfinite(self.after)
            if self.classes
            else np.isfinite(self.loss_before) & np.isfinite(self.loss_after)
        )
        return np.asarray(known & ~self.changed)


def pair_outputs(base: Report, head: Report) -> tuple[Pairing, ...]:
    """Match the outputs of two reports by name (one output each: whatever they are called), then their samples."""
    return tuple(_pair(old, new) for old, new in _tables(base, head) if old.task == new.task)


def other_tasks(base: Report, head: Report) -> tuple[tuple[str, str, str], ...]:
    """Return the outputs that do another task than before, with both tasks: their numbers do not compare."""
    return tuple((new.output, old.task, new.task) for old, new in _tables(base, head) if old.task != new.task)


def _tables(base: Report, head: Report) -> list[tuple[SampleTable, SampleTable]]:
    """Return the tables of outputs that are in both reports."""
    before = {table.output: table for table in base.samples}
    if len(base.samples) == len(head.samples) == 1:
        before = {head.samples[0].output: base.samples[0]}
    return [(before[table.output], table) for table in head.samples if table.output in before]


def _pair(old: SampleTable, new: SampleTable) -> Pairing:
    """Match the samples of one output."""
    by_id = _unique(old.ids) and _unique(new.ids) and bool(set(old.ids) & set(new.ids))
    rows_old, rows_new = _match(_names(old, by_id), _names(new, by_id))
    classes = new.task in CLASSIFIERS
    names = _class_names(old, new) if classes else ()
    place = _places(old.class_names, names) if classes and old.class_names != names else None
    take = partial(_classes_of if classes else _take, new)
    take_old = partial(_classes_of, old, place=place) if classes else partial(_take, old)
    truth_old, truth = take_old("truth", rows_old), take("truth", rows_new)
    with np.errstate(invalid="ignore"):
        changed = np.isfinite(truth_old) & np.isfinite(truth) & ~np.isclose(truth_old, truth, rtol=1e-6, atol=0)
    shared = len(rows_new)
    return Pairing(
        output=new.output,
        task=new.task,
        keys=new.keys.to_numpy()[rows_new],
        ids=tuple(new.ids[row] for row in rows_new) if new.ids else (),
        names=names,
        truth=truth,
        before=take_old("prediction", rows_old),
        after=take("prediction", rows_new),
        loss_before=_take(old, "loss", rows_old),
        loss_after=_take(new, "loss", rows_new),
        sure_before=_take(old, "confidence", rows_old),
        sure_after=_take(new, "confidence", rows_new),
        changed=changed,
        n_before=old.n_total,
        n_after=new.n_total,
        whole=shared == old.n_total == new.n_total,
        by_id=by_id,
        other_content=int((old.keys.to_numpy()[rows_old] != new.keys.to_numpy()[rows_new]).sum()),
        renamed=classes
        and bool(old.class_names and new.class_names)
        and not set(old.class_names) & set(new.class_names),
    )


def _unique(ids: tuple[str, ...]) -> bool:
    """Tell whether every sample has an id of its own."""
    return bool(ids) and all(ids) and len(set(ids)) == len(ids)


def _names(table: SampleTable, by_id: bool) -> list[object]:
    """Return what each fair record is known by; "" where a record only stands for the worst of a larger batch."""
    if by_id and len(table.ids) == table.n_total:
        return list(table.ids)
    keys = table.keys.to_numpy()
    numbers = table.occurrences.to_numpy() if table.occurrences.length else np.zeros(len(keys), np.int64)
    known: list[object] = table.ids if by_id else list(zip(keys.tolist(), numbers.tolist(), strict=True))  # type: ignore[assignment]
    fair = set(np.argsort(keys, kind="stable")[: fair_records(table)].tolist())
    return [name if row in fair else "" for row, name in enumerate(known)]


def fair_records(table: SampleTable) -> int:
    """Return how many records, by smallest key, are no choice by loss: those may speak for the batch."""
    n = table.keys.length
    if n >= table.n_total:
        return n
    return table.fair or n - n // WORST_SHARE


def _match(old: list[object], new: list[object]) -> tuple[Array, Array]:
    """Return the rows of what has the same name in both, in the order of `new`."""
    rows = {name: row for row, name in enumerate(old) if name}
    pairs = [(rows[name], row) for row, name in enumerate(new) if name and name in rows]
    found = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _take(table: SampleTable, column: str, rows: Array) -> Array:
    """Return one column of some records as float64."""
    values = np.asarray(getattr(table, column).to_numpy(), dtype=np.float64)
    return values[rows] if values.size else np.full(len(rows), np.nan)


def _classes_of(table: SampleTable, column: str, rows: Array, place: Array | None = None) -> Array:
    """Return the class indices of some records, through `place` if given; NaN for what is no class of the report."""
    taken = _take(table, column, rows)
    known = np.isfinite(taken) & (taken >= 0) & (taken < (len(table.class_names) or MOST_CLASSES))
    found = np.where(known, np.floor(np.where(known, taken, 0)), np.nan)
    if place is None or not place.size:
        return found
    return np.where(known, place[np.where(known, taken, 0).astype(np.int64)], np.nan)


def _class_names(old: SampleTable, new: SampleTable) -> tuple[str, ...]:
    """Return the classes of `new`, then those that only `old` had."""
    known = set(new.class_names)
    return (*new.class_names, *(name for name in old.class_names if name not in known))


def _places(names: tuple[str, ...], all_names: tuple[str, ...]) -> Array:
    """Return where each class of `names` stands in `all_names`."""
    at = {name: index for index, name in reversed(list(enumerate(all_names)))}
    return np.asarray([at[name] for name in names], dtype=np.float64) if names else np.zeros(0)
