"""What templates need to know about tables and graphs beyond their own fields."""

from __future__ import annotations

import re

from reportgen.report.blocks import CellMark, GraphView, Level, Table
from reportgen.report.values import Missing

_ONE = r"[-+\u00b1\u2212]?[\d.,]+(e-?\d+)?%?"
_FIGURE = re.compile(rf"{_ONE}( to {_ONE})?( points)?")
_NO_FIGURE = ("", "none", "no interval")
_NUMBERS, _MOST_WORDS = re.compile(r"\d[\d.,]*"), 6
_ORDER: tuple[Level, ...] = ("error", "warn", "info", "good")


def marks_by_cell(table: Table) -> dict[tuple[int, int], CellMark]:
    """Return the mark of each marked cell; the first one wins."""
    found: dict[tuple[int, int], CellMark] = {}
    for mark in table.marks:
        found.setdefault((mark.row, mark.column), mark)
    return found


def column_forms(table: Table) -> list[str]:
    """Return how each column is written: its format, or "figures" for texts that are numbers, which stand right."""
    return [
        "figures" if i and column.format == "text" and _are_figures([row[i] for row in table.rows]) else column.format
        for i, column in enumerate(table.columns)
    ]


def _are_figures(cells: list[object]) -> bool:
    """Tell whether the texts of a column are numbers, shares or intervals ("none" and the like aside)."""
    texts = [cell for cell in cells if isinstance(cell, str) and cell not in _NO_FIGURE]
    return bool(texts) and all(_FIGURE.fullmatch(text) for text in texts)


def mark_words(table: Table) -> list[tuple[Level, str, int]]:
    """Return what the marks of a table say, each once with its count, gravest first.

    Where there is much to say, texts that differ only in their numbers are said once, by the first of them.
    """
    many = len({mark.text for mark in table.marks}) > _MOST_WORDS
    found: dict[tuple[Level, str], list[str]] = {}
    for mark in table.marks:
        found.setdefault((mark.level, _NUMBERS.sub("0", mark.text) if many else mark.text), []).append(mark.text)
    ordered = sorted(found.items(), key=lambda item: _ORDER.index(item[0][0]))
    return [(level, texts[0], len(texts)) for (level, _), texts in ordered]


def reasons(rows: tuple[tuple[object, ...], ...]) -> list[tuple[str, int]]:
    """Count the reasons of the missing cells of a table, most frequent first."""
    found: dict[str, int] = {}
    for row in rows:
        for cell in row:
            if isinstance(cell, Missing):
                found[cell.missing] = found.get(cell.missing, 0) + 1
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def flows(graph: GraphView) -> dict[str, list[str]]:
    """Return for each card the titles of the cards that its output goes to."""
    titles = {card.id: card.title for card in graph.cards}
    found: dict[str, list[str]] = {}
    for source, target in graph.edges:
        if target in titles:
            found.setdefault(source, []).append(titles[target])
    return found
