"""Columns that say the same in every row: said once under the table instead, so that the rest has room."""

from __future__ import annotations

from dataclasses import replace

from reportgen.report.blocks import Table, TableColumn
from reportgen.report.values import Missing, Number
from reportgen.report.words import number_text, percent

EMPTY = (None, "")


def say_once(table: Table, optional: tuple[str, ...], row: str = "layer") -> Table:
    """Return the table without those of the `optional` columns (by title) that hold one value, named in its note.

    Empty cells do not count; a column with a mark or with but one value stays: it says something about one row.
    `row` is what a row stands for.
    """
    marked = {mark.column for mark in table.marks}
    same: dict[int, str] = {}
    for i, column in enumerate(table.columns if len(table.rows) > 1 else ()):
        held = [cells[i] for cells in table.rows if cells[i] not in EMPTY]
        values = set(held)
        if len(held) == 1 or any(isinstance(value, Missing) for value in held):
            continue
        if column.title in optional and i not in marked and len(values) <= 1:
            same[i] = " ".join((column.title, *(_written(column, value) for value in values)))
    if not same:
        return table
    kept = [i for i in range(len(table.columns)) if i not in same]
    return replace(
        table,
        columns=tuple(table.columns[i] for i in kept),
        rows=tuple(tuple(cells[i] for i in kept) for cells in table.rows),
        total=tuple(table.total[i] for i in kept) if table.total else (),
        marks=tuple(replace(mark, column=kept.index(mark.column)) for mark in table.marks),
        note=" ".join(part for part in (table.note, _sentence(table, same, row)) if part),
    )


def _written(column: TableColumn, value: str | Number | None) -> str:
    """Write the one value of a column."""
    if value is None or isinstance(value, str):
        return value or ""
    return percent(value) if column.format == "percent" else number_text(value)


def _sentence(table: Table, same: dict[int, str], row: str) -> str:
    """Say what the columns left out would have said."""
    absent = [text for i, text in same.items() if text == table.columns[i].title]
    said = [text for text in same.values() if text not in absent]
    parts = [f"The same for every {row} that has it: {', '.join(said)}."] if said else []
    return " ".join(parts + ([f"For no {row}: {', '.join(absent)}."] if absent else []))
