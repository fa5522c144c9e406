"""Columns that say the same in every row are said once, under the table."""

from __future__ import annotations

import dataclasses

from reportgen.report.blocks import CellMark, Table, TableColumn
from reportgen.report.values import Missing
from reportgen.sections.same_columns import say_once

COLUMNS = (TableColumn("Layer"), TableColumn("NaN", "int"), TableColumn("Saturated", "percent"), TableColumn("Dead"))
TABLE = Table(
    "t", "T", COLUMNS, (("a", 0, None, 3), ("b", 0, None, 4)), note="First.", marks=(CellMark(1, 3, "warn", "dead"),)
)
OPTIONAL = ("NaN", "Saturated", "Dead")


def titles(table: Table) -> list[str]:
    """Return the headings of a table."""
    return [column.title for column in table.columns]


def test_what_all_rows_share_is_said_under_the_table_and_marks_keep_their_cell() -> None:
    table = say_once(dataclasses.replace(TABLE, total=("Total", None, None, 7)), OPTIONAL)
    assert (titles(table), table.rows, table.total) == (["Layer", "Dead"], (("a", 3), ("b", 4)), ("Total", 7))
    assert table.note == "First. The same for every layer that has it: NaN 0. For no layer: Saturated."
    assert table.rows[table.marks[0].row][table.marks[0].column] == 4


def test_columns_that_differ_are_marked_or_not_known_stay() -> None:
    assert titles(say_once(TABLE, ("Dead",))) == titles(TABLE)
    marked = dataclasses.replace(TABLE, marks=(CellMark(0, 1, "error", "not a number"),))
    assert "NaN" in titles(say_once(marked, OPTIONAL))
    one = dataclasses.replace(TABLE, rows=(("a", 0, 0.3, 3), ("b", 0, None, 4)))
    assert "Saturated" in titles(say_once(one, OPTIONAL)), "it says something about one layer"
    unknown = dataclasses.replace(TABLE, rows=(("a", Missing("no"), None, 3), ("b", Missing("no"), None, 4)))
    assert "NaN" in titles(say_once(unknown, OPTIONAL))
    assert say_once(dataclasses.replace(TABLE, rows=TABLE.rows[:1], marks=()), OPTIONAL).columns == COLUMNS
