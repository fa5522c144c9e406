"""Keep one fixed-size record a sample: all of them up to a limit, beyond it a choice that two reports share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import RecordArrays
from reportgen.analysis.metrics.value import SampleScores

Array = NDArray[Any]

LIMIT = 20_000
CLASSIFIERS = ("binary", "multiclass")  # tasks whose records hold one answer, which is right or wrong
WORST = 200
COLUMNS = ("keys", "positions", "truth", "prediction", "confidence", "loss", "labels")
DTYPES = ("<u8", "<i8", "<f8", "<f8", "<f4", "<f4", "<u8")


class RecordKeeper:
    """Sample records of one output.

    Up to `limit` samples all are kept; beyond, the `limit` with the smallest keys (two reports on one batch keep the
    same) and the 200 with the largest loss. The result does not depend on how the batch was split or in which order its
    chunks came. Memory: 56 bytes and the id for at most 2 x (limit + 200) samples plus one chunk.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        if limit < 1:
            raise ValueError("the limit of sample records must be at least 1")
        self.limit = limit
        self.n = 0
        self._chunks: list[tuple[Array, ...]] = []
        self._held = 0

    def add(
        self,
        keys: Array,
        positions: Array,
        scores: SampleScores,
        ids: Sequence[str] = (),
        labels: Array | None = None,
    ) -> None:
        """Add one chunk: uint64 keys, int64 rows in the batch, per-sample scores, user ids (or none).

        `labels` is a uint64 hash of each sample's whole label, where the scores' truth is not all of it.
        """
        n = len(keys)
        names = np.asarray([str(name) for name in ids] or [""] * n, dtype=object)
        hashes = np.zeros(n, np.uint64) if labels is None else labels
        values = (keys, positions, scores.truth, scores.prediction, scores.confidence, scores.loss, hashes)
        with np.errstate(over="ignore"):
            columns = [np.asarray(value).astype(dtype) for value, dtype in zip(values, DTYPES, strict=True)]
        if any(len(column) != n for column in (*columns, names)):
            raise ValueError("sample records need one value a sample in every column")
        self._chunks.append((*columns, names))
        self.n += n
        self._held += n
        if self._held > 2 * (self.limit + WORST):
            self._prune()

    def merge(self, other: Self) -> None:
        """Add what `other` holds; both need the same limit."""
        if self.limit != other.limit:
            raise ValueError("sample records with different limits cannot be merged")
        self._chunks += other._chunks
        self.n += other.n
        self._held += other._held
        self._prune()

    def result(self) -> RecordArrays:
        """Return the kept records in the order of their keys; equal keys are numbered by their row in the batch.

        Beyond the limit, copies of one sample among the worst are numbered among those that were kept.
        """
        self._prune()
        if not self._chunks:
            self.add(np.zeros(0, np.uint64), np.zeros(0, np.int64), _no_scores())
        keys, positions, truth, prediction, confidence, loss, labels, names = self._chunks[0]
        return RecordArrays(
            keys=keys,
            occurrences=_occurrences(keys),
            positions=positions,
            truth=truth,
            prediction=prediction,
            confidence=confidence,
            loss=loss,
            ids=tuple(names.tolist()) if any(names) else (),
            rule=self._rule(),
            labels=labels if labels.any() else labels[:0],
        )

    def _rule(self) -> str:
        """Say which samples were kept."""
        if self.n <= self.limit:
            return f"all {self.n:,} samples"
        return f"the {self.limit:,} samples of {self.n:,} with the smallest keys, and the {WORST} with the largest loss"

    def _prune(self) -> None:
        """Bring what is held into one sorted chunk of at most `limit` + 200 records."""
        if not self._chunks:
            return
        columns = [np.concatenate(parts) for parts in zip(*self._chunks, strict=True)]
        keys, positions, loss = columns[0], columns[1], columns[5]
        order = np.lexsort((positions, keys))
        if self.n > self.limit:
            chosen = np.zeros(len(keys), dtype=bool)
            chosen[order[: self.limit]] = True
            worst = np.lexsort((positions, -loss))[:WORST]
            chosen[worst[~np.isnan(loss[worst])]] = True
            order = order[chosen[order]]
        self._chunks = [tuple(column[order] for column in columns)]
        self._held = len(order)


def _occurrences(keys: Array) -> NDArray[np.uint32]:
    """Number equal neighbours 0, 1, 2, ... in a sorted array of keys."""
    rows = np.arange(len(keys))
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return (rows - np.maximum.accumulate(np.where(first, rows, 0))).astype("<u4")


def _no_scores() -> SampleScores:
    """Return the scores of no sample at all."""
    empty = np.zeros(0)
    return SampleScores(empty, empty, empty, empty)
