"""What every history reader returns before it becomes a History: columns of raw values, and what was noticed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# A small file may name another metric in each row: then all of them over all rows would fill the memory.
MOST_CELLS = 20_000_000


@dataclass(slots=True)
class Table:
    """Metrics by name, one raw value an epoch (number, text, None).

    `epochs` are as the file counts them (None: not recorded).
    `seams` are row numbers (from 0) at which a resumed run continues, where the format itself says so.
    """

    columns: dict[str, list[Any]] = field(default_factory=dict)
    epochs: list[Any] | None = None
    seams: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts_from_zero: bool = False


class Unreadable(Exception):
    """The text is not what its format says; `line` is 0 where it does not apply."""

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


def table_from_rows(rows: list[dict[str, Any]]) -> Table:
    """Turn one mapping an epoch into columns; a metric that a row lacks is None there. Raises Unreadable."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(names) * len(rows) > MOST_CELLS:
        text = f"{len(names):,} metrics over {len(rows):,} epochs make more than {MOST_CELLS:,} numbers"
        raise Unreadable(f"{text}; keep the metrics that were watched")
    columns = {name: [row.get(name) for row in rows] for name in names}
    epoch = next((name for name in names if name.lower() == "epoch"), None)
    epochs = columns.pop(epoch) if epoch is not None else None
    return Table(columns, epochs, counts_from_zero=epochs is not None)
