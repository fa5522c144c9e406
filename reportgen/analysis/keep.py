"""Keep the content of a few samples during the one pass over the batch: the worst by loss and a seeded choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import KeptSamples

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Held:
    """Some samples with everything known of them; every array has one row a sample."""

    positions: Array
    keys: Array
    ids: Array
    losses: Array
    lots: Array
    inputs: dict[str, Array]
    targets: dict[str, Array]
    predictions: dict[str, Array]

    def rows(self, index: Array) -> _Held:
        """Return copies of the given rows, so that no chunk is kept alive by a view of it."""
        return _Held(
            positions=self.positions[index],
            keys=self.keys[index],
            ids=self.ids[index],
            losses=self.losses[index],
            lots=self.lots[index],
            inputs={name: value[index] for name, value in self.inputs.items()},
            targets={name: value[index] for name, value in self.targets.items()},
            predictions={name: value[index] for name, value in self.predictions.items()},
        )

    def joined(self, other: _Held) -> _Held:
        """Return both, one after the other."""
        return _Held(
            positions=np.concatenate([self.positions, other.positions]),
            keys=np.concatenate([self.keys, other.keys]),
            ids=np.concatenate([self.ids, other.ids]),
            losses=np.concatenate([self.losses, other.losses]),
            lots=np.concatenate([self.lots, other.lots]),
            inputs=_join(self.inputs, other.inputs),
            targets=_join(self.targets, other.targets),
            predictions=_join(self.predictions, other.predictions),
        )


class KeepSet:
    """The `worst` and the `best` samples by loss, and `seeded` others chosen by a hash of the seed and their row.

    The choice does not depend on how the batch was split or in which order chunks came. Ties in loss go to the lower
    row; samples without a loss (NaN) are never among the worst or the best. Memory: the content of at most worst +
    best + seeded samples.
    """

    def __init__(self, *, worst: int = 24, seeded: int = 24, seed: int = 0, best: int = 0) -> None:
        self.worst = worst
        self.best = best
        self.seeded = seeded
        self.seed = seed
        self._held: _Held | None = None

    def offer(
        self,
        positions: Array,
        keys: Array,
        ids: Sequence[str],
        losses: Array,
        inputs: Mapping[str, Array],
        targets: Mapping[str, Array],
        predictions: Mapping[str, Array],
    ) -> None:
        """Look at one chunk: rows in the batch, keys, ids or none, losses (NaN: unknown), content (n, ...)."""
        n = len(positions)
        if n == 0:
            return
        rows = np.asarray(positions, dtype=np.int64)
        chunk = _Held(
            positions=rows,
            keys=np.asarray(keys, dtype=np.uint64),
            ids=np.asarray(list(ids) or [""] * n, dtype=object),
            losses=np.asarray(losses, dtype=np.float64),
            lots=compute_lots(rows, self.seed),
            inputs={name: np.asarray(value) for name, value in inputs.items()},
            targets={name: np.asarray(value) for name, value in targets.items()},
            predictions={name: np.asarray(value) for name, value in predictions.items()},
        )
        self._take(chunk.rows(self._chosen(chunk)))

    def merge(self, other: Self) -> None:
        """Add what `other` holds; both need the same sizes and seed."""
        if (self.worst, self.best, self.seeded, self.seed) != (other.worst, other.best, other.seeded, other.seed):
            raise ValueError("keep-sets with different sizes or seeds cannot be merged")
        if other._held is not None:
            self._take(other._held)

    def result(self) -> KeptSamples:
        """Return the kept samples in the order of their rows, each with the reason why it was kept."""
        held = self._held
        if held is None:
            nothing = np.zeros(0, dtype=np.int64)
            return KeptSamples(nothing, nothing.astype(np.uint64), (), (), {}, {}, {})
        order = np.argsort(held.positions, kind="stable")
        found = [(word, set(rows.tolist())) for word, rows in self._piles(held).items()]
        words = [[word for word, rows in found if row in rows] for row in order.tolist()]
        held = held.rows(order)
        return KeptSamples(
            positions=held.positions,
            keys=held.keys,
            ids=tuple(held.ids.tolist()) if any(held.ids) else (),
            reasons=tuple(",".join(said) for said in words),
            inputs=held.inputs,
            targets=held.targets,
            predictions=held.predictions,
        )

    def _take(self, chunk: _Held) -> None:
        """Hold the chosen of what is held already and `chunk`."""
        joined = chunk if self._held is None else self._held.joined(chunk)
        self._held = joined.rows(self._chosen(joined))

    def _chosen(self, held: _Held) -> Array:
        """Return the rows that are worth holding, ascending."""
        return np.unique(np.concatenate(list(self._piles(held).values()))).astype(np.int64)

    def _piles(self, held: _Held) -> dict[str, Array]:
        """Return the rows that are kept, by the reason."""
        return {"worst": self._worst(held), "best": self._best(held), "seeded": self._seeded(held)}

    def _worst(self, held: _Held) -> Array:
        """Return the rows of the largest losses."""
        order = np.lexsort((held.positions, -held.losses))[: self.worst]
        return order[~np.isnan(held.losses[order])]

    def _best(self, held: _Held) -> Array:
        """Return the rows of the smallest losses."""
        order = np.lexsort((held.positions, held.losses))[: self.best]
        return order[~np.isnan(held.losses[order])]

    def _seeded(self, held: _Held) -> Array:
        """Return the rows that drew the smallest lots."""
        return np.lexsort((held.positions, held.lots))[: self.seeded]


class MovedSet(KeepSet):
    """The samples whose loss moved most since an earlier run: `each` that grew ("worst"), `each` that fell ("fallen").

    `earlier` are the keys and losses of that run, and whether each sample's loss may grow (it was right) or fall (it
    was wrong). Otherwise as KeepSet.
    """

    def __init__(self, keys: Array, losses: Array, may_grow: Array, may_fall: Array, *, each: int = 12) -> None:
        super().__init__(worst=each, seeded=0, best=each)
        order = np.argsort(keys, kind="stable")
        self._keys, self._losses = np.asarray(keys, np.uint64)[order], np.asarray(losses, np.float64)[order]
        self._may_grow, self._may_fall = np.asarray(may_grow, bool)[order], np.asarray(may_fall, bool)[order]

    def _piles(self, held: _Held) -> dict[str, Array]:
        """Return the rows whose loss grew most, and fell most."""
        if not self._keys.size:
            return {"worst": np.zeros(0, np.int64)}
        place = np.minimum(np.searchsorted(self._keys, held.keys), self._keys.size - 1)
        known = self._keys[place] == held.keys
        change = np.where(known, held.losses - self._losses[place], np.nan)
        grown = np.where(self._may_grow[place] & (change > 0), change, np.nan)
        fallen = np.where(self._may_fall[place] & (change < 0), -change, np.nan)
        return {"worst": self._largest(held, grown, self.worst), "fallen": self._largest(held, fallen, self.best)}

    @staticmethod
    def _largest(held: _Held, amount: Array, most: int) -> Array:
        """Return the rows of the largest amounts that are known."""
        order = np.lexsort((held.positions, -np.nan_to_num(amount, nan=-np.inf)))[:most]
        return order[~np.isnan(amount[order])]


def compute_lots(positions: Array, seed: int) -> NDArray[np.uint64]:
    """Return one pseudo-random 64-bit number a row from the seed and the row alone (the finaliser of SplitMix64)."""
    with np.errstate(over="ignore"):
        mixed = np.asarray(positions).astype(np.uint64) + np.uint64(1)
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) ^ _mix(np.asarray([seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64))
        return np.asarray(_mix(mixed))


def _mix(values: Array) -> NDArray[np.uint64]:
    """Scramble 64-bit numbers one to one."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))


def _join(first: dict[str, Array], second: dict[str, Array]) -> dict[str, Array]:
    """Put arrays of one name one after the other; a name that only one side has is left out."""
    return {name: np.concatenate([first[name], second[name]]) for name in first if name in second}
