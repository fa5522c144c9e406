"""What is known of each sample besides the output: feature values, categories, lengths of texts; bounded rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.keep import compute_lots

Array = NDArray[Any]

MOST_FEATURES = 200
MOST_ROWS = 20_000
LETTERS = 40


@dataclass(frozen=True, slots=True)
class Columns:
    """How one input becomes features. `kind` is "numbers", "text" or "tokens"; `names` has one a column."""

    key: str
    kind: str
    names: tuple[str, ...]


def plan_columns(
    shapes: Mapping[str, tuple[int, ...]],
    dtypes: Mapping[str, str],
    names: Mapping[str, Sequence[str]],
    titles: Mapping[str, str],
    tokens: bool,
) -> tuple[Columns, ...]:
    """Return the inputs that are features, texts or tokens; pictures, signals and rows past 200 features are none.

    `names` are given column names by key, `titles` the inputs' own names; `tokens` says that whole numbers in rows are
    tokens (the model embeds them).
    """
    plans = []
    several = len(shapes) > 1
    for key, shape in shapes.items():
        dtype = dtypes[key]
        title = titles.get(key) or key or "x"
        size = int(np.prod(shape)) if shape else 1
        if dtype.startswith(("str", "bytes")) and size == 1:
            plans.append(Columns(key, "text", (title if several else "text",)))
        elif (len(shape) > 1 and size > 1) or not dtype.startswith(("float", "int", "uint", "bool")):
            continue
        elif size > 1 and tokens and not dtype.startswith("float"):
            plans.append(Columns(key, "tokens", (title if several else "tokens",)))
        elif size <= MOST_FEATURES:
            given = tuple(names.get(key, ()))
            if len(given) != size:
                base = title if several else "x"
                given = (title,) if size == 1 else tuple(f"{base}[{i}]" for i in range(size))
            plans.append(Columns(key, "numbers", given))
    return tuple(plans)


class FeatureRows:
    """Feature values of at most 20,000 samples, a choice by the seed; independent of how the batch was split.

    Numbers are kept as float64, texts as their number of words and characters, and as categories where `named` allows
    their content to be kept. Memory: at most 64 MB.
    """

    def __init__(self, columns: Sequence[Columns], seed: int = 0, named: bool = True, limit: int = MOST_ROWS) -> None:
        self.columns = tuple(columns)
        self.seed = seed
        self.named = named
        self.limit = limit
        self.n = 0
        self._chunks: list[tuple[Array, ...]] = []
        self._held = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the numbers kept of each sample."""
        names: list[str] = []
        for column in self.columns:
            if column.kind == "numbers":
                names += column.names
            elif column.kind == "text":
                names += [f"words of {column.names[0]}", f"characters of {column.names[0]}"]
            else:
                names.append(
                    f"length in {column.names[0]}" if column.names == ("tokens",) else f"length of {column.names[0]}"
                )
        return tuple(names)

    @property
    def lengths(self) -> tuple[bool, ...]:
        """Which of the numbers are lengths."""
        flags: list[bool] = []
        for column in self.columns:
            flags += {"numbers": [False] * len(column.names), "text": [True, True], "tokens": [True]}[column.kind]
        return tuple(flags)

    @property
    def text_names(self) -> tuple[str, ...]:
        """The names of the texts that may serve as categories."""
        return tuple(column.names[0] for column in self.columns if column.kind == "text" and self.named)

    def add(self, positions: Array, inputs: Mapping[str, Array], *more: Array) -> None:
        """Add one chunk: rows in the batch, its inputs, and further columns (n, k) kept beside them."""
        n = len(positions)
        numbers, texts = [], []
        for column in self.columns:
            values = np.asarray(inputs[column.key])
            if column.kind == "numbers":
                numbers.append(values.reshape(n, -1).astype(np.float64))
            elif column.kind == "text":
                said = [_decode(value) for value in values.reshape(n).tolist()]
                numbers.append(np.asarray([[len(text.split()), len(text)] for text in said], np.float64).reshape(n, 2))
                texts.append(np.asarray([text[:LETTERS] for text in said], dtype=f"U{LETTERS}"))
            else:
                numbers.append((values.reshape(n, -1) != 0).sum(axis=1, keepdims=True).astype(np.float64))
        table = np.concatenate(numbers, axis=1) if numbers else np.zeros((n, 0))
        words = np.stack(texts, axis=1) if texts and self.named else np.zeros((n, 0), dtype=f"U{LETTERS}")
        self._chunks.append((np.asarray(positions, np.int64), table, words, *more))
        self.n += n
        self._held += n
        if self._held > 2 * self.limit:
            self._prune()

    def result(self) -> tuple[Array, ...] | None:
        """Return positions (k,), numbers (k, d), texts (k, t) and the further columns, by row in the batch."""
        self._prune()
        return self._chunks[0] if self._chunks else None

    def rule(self) -> str:
        """Say which samples were kept."""
        if self.n <= self.limit:
            return f"all {self.n:,} samples"
        return f"{self.limit:,} of {self.n:,} samples, drawn with seed {self.seed}"

    def _prune(self) -> None:
        """Keep the rows that drew the smallest lots."""
        if not self._chunks:
            return
        columns = [np.concatenate(parts) for parts in zip(*self._chunks, strict=True)]
        lots = compute_lots(columns[0], self.seed)
        rows = np.sort(np.lexsort((columns[0], lots))[: self.limit])
        rows = rows[np.argsort(columns[0][rows], kind="stable")]
        self._chunks = [tuple(column[rows] for column in columns)]
        self._held = len(rows)


def _decode(value: Any) -> str:
    """Return a stored text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
