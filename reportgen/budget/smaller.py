"""One part, made smaller step by step: level 1 costs a reader least, level 5 most. None means that the part goes.

A part that a level does not touch is returned as it is (the very same object).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from reportgen.analysis.curves import thin
from reportgen.analysis.graph import Graph
from reportgen.budget.pictures import shrink_pictures
from reportgen.report import blocks as b
from reportgen.report import types as t
from reportgen.report.values import Column

Assets = dict[str, t.Asset]
CARDS = {2: 24, 3: 12, 4: 6}
ROWS = {1: 300, 2: 100, 3: 30, 4: 10}
POINTS = {1: 400, 2: 120}
HISTORY = {1: 1_000, 2: 100, 3: 40, 4: 20}
RECORDS = {1: 8_000, 2: 3_000, 3: 1_000, 4: 300, 5: 60}
NUMBERS = {2: 8, 3: 3}
FIRST_SERIES = 12
FIRST_METRICS = 60
LONG = {2: 2_000, 4: 600, 5: 300}


def smaller(part: Any, level: int, assets: Assets, rank: int) -> Any:
    """Return `part` as it is at `level`, adding new pictures to `assets`; `rank` is its place in its part."""
    if isinstance(part, b.Montage):
        return None
    if isinstance(part, b.Gallery):
        return _gallery(part, level, assets)
    if isinstance(part, b.Chart):
        return _chart(part, level)
    if isinstance(part, b.Table):
        return _table(part, level)
    if isinstance(part, b.Matrix):
        return None if level >= 3 else part
    if isinstance(part, b.GraphView):
        return None if part.dot or not part.cards or level >= 5 else part
    if isinstance(part, t.SampleTable):
        return _records(part, level)
    if isinstance(part, t.HistorySeries):
        return _history(part, level, rank)
    if isinstance(part, t.LayerRecord):
        return _layer(part, level)
    if isinstance(part, Graph):
        return _graph(part, level)
    if isinstance(part, t.Metric):
        return part if level < 4 or part.headline or rank < FIRST_METRICS else None
    if isinstance(part, t.Finding):
        return _finding(part, level)
    return _words(part, level)


def _gallery(gallery: b.Gallery, level: int, assets: Assets) -> b.Gallery | None:
    """Shrink the pictures; then show fewer samples, from the end, where the seeded ones stand after the worst."""
    if level == 1:
        return shrink_pictures(gallery, assets)
    if level not in CARDS:
        return None
    most = CARDS[level]
    if len(gallery.samples) <= most:
        return gallery
    return replace(gallery, samples=gallery.samples[:most], rule=f"{gallery.rule} Of these the first {most} are shown.")


def _chart(chart: b.Chart, level: int) -> b.Chart | None:
    """Thin lines and clouds of points; then leave charts out."""
    if level not in POINTS:
        return None
    series = tuple(_thin(one, POINTS[level]) for one in chart.series)
    return chart if series == chart.series else replace(chart, series=series)


def _thin(series: b.Series, points: int) -> b.Series:
    """Return a series of at most `points` points: of lines the extremes stay, of clouds every n-th."""
    if series.shape == "bars" or series.x.length <= points:
        return series
    y = np.asarray(series.y.to_numpy(), dtype=np.float64)
    rows = np.arange(y.size)
    kept = rows[:: -(-y.size // points)] if series.shape == "points" else thin(rows, y, points)[0]
    return replace(
        series,
        x=_take(series.x, kept),
        y=_take(series.y, kept),
        low=series.low and _take(series.low, kept),
        high=series.high and _take(series.high, kept),
    )


def _take(column: Column, rows: Any) -> Column:
    """Return some rows of a column; an empty one stays empty."""
    return Column.pack(column.to_numpy()[rows], column.dtype) if column.length else column


def _table(table: b.Table, level: int) -> b.Table | None:
    """Keep the rows that are marked and the first others, and say so."""
    if level not in ROWS:
        return None
    most = ROWS[level]
    if len(table.rows) <= most:
        return table
    marked = list(dict.fromkeys(mark.row for mark in table.marks))[: most // 2]
    others = [row for row in range(len(table.rows)) if row not in set(marked)][: most - len(marked)]
    kept = sorted([*marked, *others])
    moved = {row: i for i, row in enumerate(kept)}
    first = table.note.partition("Shown here: ")[0].strip()
    return replace(
        table,
        rows=tuple(table.rows[row] for row in kept),
        row_ids=tuple(table.row_ids[row] for row in kept) if table.row_ids else (),
        marks=tuple(replace(m, row=moved[m.row]) for m in table.marks if m.row in moved),
        note=f"{first} Shown here: {most:,} rows, those with a mark first.".strip(),
    )


def _records(table: t.SampleTable, level: int) -> t.SampleTable:
    """Keep the records with the smallest keys, so that two reports on one batch keep the same, and the worst."""
    n, most = table.keys.length, RECORDS[level]
    if n <= most and level < 5:
        return table
    keys = table.keys.to_numpy()
    chosen = np.zeros(n, dtype=bool)
    chosen[np.argsort(keys, kind="stable")[: most - most // 10]] = True
    if table.loss.length:
        loss = np.asarray(table.loss.to_numpy(), dtype=np.float64)
        order = np.argsort(np.where(np.isnan(loss), np.inf, -loss), kind="stable")[: most // 10]
        chosen[order[~np.isnan(loss[order])]] = True
    rows = np.flatnonzero(chosen)
    columns: dict[str, Any] = {name: _take(getattr(table, name), rows) for name in _COLUMNS}
    return replace(
        table,
        **columns,
        ids=tuple(table.ids[i] for i in rows) if table.ids and level < 5 else (),
        class_names=table.class_names if level < 5 else (),
        fair=min(most - most // 10, table.fair or n),
        rule=f"the {len(rows):,} samples of {table.n_total:,} with the smallest keys or the largest loss",
    )


_COLUMNS = ("keys", "occurrences", "truth", "prediction", "confidence", "loss")


def _history(series: t.HistorySeries, level: int, rank: int) -> t.HistorySeries | None:
    """Thin a curve to its extremes; at the end only the first curves stay."""
    if level not in HISTORY:
        return series if rank < FIRST_SERIES else None
    if series.values.length <= HISTORY[level]:
        return series
    values = np.asarray(series.values.to_numpy(), dtype=np.float64)
    epochs, kept = thin(series.epochs.to_numpy(), values, HISTORY[level])
    packed = Column.pack(epochs, series.epochs.dtype), Column.pack(kept, series.values.dtype)
    return replace(series, epochs=packed[0], values=packed[1], thinned=True, points=series.points or len(values))


def _layer(layer: t.LayerRecord, level: int) -> t.LayerRecord | None:
    """Keep the first numbers of a layer, its parameters before all, then none."""
    if level >= 5:
        return None
    most = NUMBERS.get(level, 1 if level > 3 else len(layer.numbers))
    if len(layer.numbers) <= most:
        return layer
    return replace(layer, numbers=dict(list(layer.numbers.items())[:most]))


def _graph(graph: Graph, level: int) -> Graph | None:
    """Leave the settings of the layers out, then the whole graph from the data (its drawing is another part)."""
    if level >= 3:
        return None
    if level < 2 or not any(node.details for node in graph.nodes):
        return graph
    return replace(graph, nodes=tuple(replace(node, details=()) for node in graph.nodes))


def _finding(finding: t.Finding, level: int) -> t.Finding | None:
    """Shorten what asks for nothing first; what failed stays, with its first evidence."""
    quiet = finding.outcome in ("passed", "not_applicable", "off")
    if quiet and level >= 4:
        return None
    most = 0 if quiet else {1: 40, 2: 10}.get(level, 3)
    lists = ("evidence", "causes", "layers", "samples", "epochs")
    if level >= 3:
        finding = _words(finding, level)
    if all(len(getattr(finding, name)) <= most for name in lists):
        return finding
    return replace(finding, **{name: getattr(finding, name)[:most] for name in lists})


def _words(part: Any, level: int) -> Any:
    """Shorten long texts and long lists of facts."""
    if level not in LONG:
        return part
    most = LONG[level]
    changes: dict[str, Any] = {}
    for name in ("text", "fix", "title", "dot"):
        text = getattr(part, name, "")
        if isinstance(text, str) and len(text) > most:
            changes[name] = f"{text[: most - 1]}…"
    if isinstance(part, b.Facts) and len(part.items) > most // 10:
        changes["items"] = part.items[: most // 10]
    return replace(part, **changes) if changes else part
