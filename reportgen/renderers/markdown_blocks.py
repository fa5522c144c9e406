"""One Markdown function for each kind of block: its numbers and its reading, never a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reportgen.renderers import page_figures
from reportgen.renderers.markdown_text import code, plain, prose, table, value
from reportgen.report import blocks as b

ROWS = 12
COLUMNS = 10
_SIGNS = {"info": "Note", "good": "Good", "warn": "Warning", "error": "Error"}


def text_block(block: b.Text) -> str:
    """Return a paragraph."""
    return prose(block.text)


def card_block(block: b.Card) -> str:
    """Return a note as a quotation, with what to do."""
    fix = f" **Fix:** {prose(block.fix)}" if block.fix else ""
    return f"> **{_SIGNS[block.level]}: {plain(block.title)}.** {prose(block.text)}{fix}"


def facts_block(block: b.Facts) -> str:
    """Return labelled values as a list."""
    shown = block.items[: 2 * ROWS]
    lines = [f"- {plain(fact.label)}: {value(fact.value, fact.format)}" for fact in shown]
    return _titled(block.title, "\n".join(lines), _left_out(len(shown), len(block.items), "values"))


def table_block(block: b.Table) -> str:
    """Return the first rows of a table, its total, and what its marks say."""
    columns = block.columns[:COLUMNS]
    rows = [[value(c, col.format) for c, col in zip(row, columns, strict=False)] for row in block.rows[:ROWS]]
    if block.total:
        rows.append([_bold(value(c, col.format)) for c, col in zip(block.total, columns, strict=False)])
    headings = [plain(f"{column.title} ({column.unit})" if column.unit else column.title) for column in columns]
    marks = [f"- **{_SIGNS[mark.level]}:** {plain(mark.text)}" for mark in block.marks[:ROWS]]
    notes = (
        _left_out(min(ROWS, len(block.rows)), len(block.rows), "rows"),
        _left_out(len(columns), len(block.columns), "columns"),
    )
    body = table(headings, rows) if headings else ""
    return _titled(block.title, body, "\n".join(marks), *notes, prose(block.reading), prose(block.note))


def chart_block(block: b.Chart) -> str:
    """Return each series by its first, lowest, highest and last value, and the marks."""
    rows = [[plain(series.name), *_extremes(series)] for series in block.series[:ROWS]]
    headings = ("Series", "Points", "First", "Lowest", "Highest", "Last")
    marks = [
        f"- {plain(mark.label)}: {plain(axis.label)} {value(at)}"
        for mark in block.marks[:ROWS]
        for axis, at in ((block.x, mark.x), (block.y, mark.y))
        if at is not None
    ]
    left = _left_out(len(rows), len(block.series), "series")
    body = table(headings, rows)
    return _titled(block.title, prose(block.reading), body, "\n".join(marks), left, prose(block.note))


def matrix_block(block: b.Matrix) -> str:
    """Return the cells off the diagonal that hold the most."""
    pairs = page_figures.matrix_pairs(block)
    rows = [[plain(cell) for cell in row] for row in pairs.rows[:ROWS]]
    body = table(map(plain, pairs.headings), rows) if rows else ""
    left = _left_out(len(rows), pairs.of, "cells off the diagonal")
    return _titled(block.title, prose(block.reading), body, left, prose(block.note))


def graph_block(block: b.GraphView) -> str:
    """Return the cards as a list, in order."""
    lines = [
        f"- {plain(card.title)} ({plain(card.type)}{f', {card.repeat} times' if card.repeat > 1 else ''})"
        f"{': ' + plain('; '.join(card.lines)) if card.lines else ''}"
        f"{' **' + plain(card.mark_text) + '**' if card.mark_text else ''}"
        for card in block.cards[: 2 * ROWS]
    ]
    left = _left_out(len(lines), len(block.cards), "cards")
    return _titled(block.title, prose(block.reading), "\n".join(lines), left, prose(block.note))


def gallery_block(block: b.Gallery) -> str:
    """Return the samples as a table: id, truth, prediction, confidence, loss."""
    rows = [
        [
            code(sample.label),
            plain(sample.truth),
            plain(sample.prediction),
            sample.outcome,
            value(sample.confidence),
            value(sample.loss),
        ]
        for sample in block.samples[:ROWS]
    ]
    headings = ("Sample", "Truth", "Prediction", "Outcome", "Confidence", "Loss")
    left = _left_out(len(rows), len(block.samples), "samples")
    body = table(headings, rows) if rows else ""
    colours = ", ".join(f"{plain(item.name)} {plain(item.word)}" for item in block.legend)
    legend = f"Colours: {colours}." if colours else ""
    return _titled(block.title, f"Shown: {prose(block.rule)}.", legend, body, left, prose(block.reading))


def montage_block(block: b.Montage) -> str:
    """Return what the tiles are and what they span."""
    size = f"{block.shown} of {block.tiles} tiles of {block.tile_width} x {block.tile_height} px"
    span = f"Lowest {value(block.low)}, highest {value(block.high)}; {plain(block.scaling)}."
    return _titled(block.title, f"Layer {code(block.layer)}: {size}. {span}", prose(block.reading))


def unknown_block(block: b.Unknown) -> str:
    """Return a line that names the kind."""
    return f"> **{plain(block.title or 'A block')}**: kind {code(block.original)}, written by a newer reportgen."


def fold_block(block: b.Fold) -> str:
    """Return the blocks of a fold, one after the other."""
    return _titled(block.title, *(block_markdown(inner) for inner in block.blocks))


BLOCK_MARKDOWN: dict[type, Callable[[Any], str]] = {
    b.Text: text_block,
    b.Card: card_block,
    b.Facts: facts_block,
    b.Table: table_block,
    b.Chart: chart_block,
    b.Matrix: matrix_block,
    b.GraphView: graph_block,
    b.Gallery: gallery_block,
    b.Montage: montage_block,
    b.Unknown: unknown_block,
    b.Fold: fold_block,
}


def block_markdown(block: b.Block) -> str:
    """Return one block as Markdown."""
    return BLOCK_MARKDOWN[type(block)](block)


def _titled(title: str, *parts: str) -> str:
    """Return a bold title and the parts that are not empty, apart from one another."""
    return "\n\n".join(part for part in (f"**{plain(title)}**", *parts) if part)


def _bold(cell: str) -> str:
    """Return a cell in bold, if there is anything in it."""
    return f"**{cell}**" if cell else ""


def _left_out(shown: int, of: int, what: str) -> str:
    """Say how much is not shown, or nothing when all is."""
    return f"{of - shown:,} more {what} in the report." if of > shown else ""


def _extremes(series: b.Series) -> list[str]:
    """Return number of points, first, lowest, highest and last value."""
    values = np.asarray(series.y.to_numpy(), dtype=np.float64)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return [str(values.size), "", "", "", ""]
    return [str(values.size), *(value(float(x)) for x in (finite[0], finite.min(), finite.max(), finite[-1]))]
