"""How many bytes each part takes in the page: its data exactly, its HTML by what its template writes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from reportgen.analysis.graph import Graph
from reportgen.report import blocks as b
from reportgen.report import types as t
from reportgen.report.plain import to_plain
from reportgen.report.values import Missing

CODE_BYTES = 44_000  # style, script and the frame of the page
_MOST_ROWS = 30  # of the table of numbers beside a figure
_MOST_CELLS = 16
_SPOKEN = 60  # the frame of a mark or of a value that is missing: its reason stands there for the mouse and for the ear


def data_bytes(part: Any) -> int:
    """Return the bytes of one part as JSON inside the page, where <, > and & take six each."""
    text = json.dumps(to_plain(part), ensure_ascii=False, separators=(",", ":"))
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return size + 5 * (text.count("<") + text.count(">") + text.count("&"))


def picture_bytes(asset: t.Asset) -> int:
    """Return the bytes of one asset where it stands in the page."""
    return len(asset.data) + 130 if asset.media_type == "image/svg+xml" else -(-len(asset.data) // 3) * 4 + 230


def part_bytes(part: Any) -> int:
    """Return the bytes of one block, record or finding in the page, without its pictures."""
    data = data_bytes(part)
    return data + _html_bytes(part, data)


def _html_bytes(part: Any, data: int) -> int:
    """Return what the templates write for one part whose data has `data` bytes."""
    if isinstance(part, b.Table):
        spoken = [cell.missing for row in part.rows for cell in row if isinstance(cell, Missing)]
        spoken += [mark.text for mark in part.marks]
        cells = len(part.rows) * (22 + 17 * len(part.columns)) + sum(_SPOKEN + len(text) for text in spoken)
        return 700 + len(part.columns) * 130 + cells + data // 2
    if isinstance(part, b.Chart):
        longest = max((series.x.length for series in part.series), default=0)
        rows = min(_MOST_ROWS, longest)
        return 1_000 + rows * (45 + 22 * len(part.series)) + len(part.reading)
    if isinstance(part, b.Matrix):
        small = max(len(part.rows), len(part.columns)) <= _MOST_CELLS
        cells = len(part.rows) * len(part.columns)
        return 1_200 + (cells * 45 if small else min(cells, _MOST_ROWS) * 150) + len(part.reading)
    if isinstance(part, b.GraphView):
        return 900 + len(part.cards) * 130 + (0 if part.figure else len(part.dot))
    if isinstance(part, b.Gallery):
        return 800 + len(part.samples) * 460 + data * 3 // 4
    if isinstance(part, b.Montage):
        return 450 + len(part.reading) + len(part.scaling)
    if isinstance(part, b.Facts):
        return 150 + len(part.items) * 70 + data
    if isinstance(part, t.Metric):
        return 700 if not part.headline else 1_500
    if isinstance(part, (t.Finding, t.Gate)):
        return 500 + data
    if isinstance(part, (t.HistorySeries, t.SampleTable, t.LayerRecord, Graph)):
        return 0
    return 200 + data


def references(part: Any) -> Iterator[b.AssetRef]:
    """Yield every picture that a block refers to."""
    if isinstance(part, (b.Chart, b.Matrix, b.GraphView)) and part.figure is not None:
        yield part.figure
    elif isinstance(part, b.Montage) and part.image is not None:
        yield part.image
    elif isinstance(part, b.Gallery):
        yield from (sample.image for sample in part.samples if sample.image is not None)


def frame_bytes(report: t.Report) -> int:
    """Return what stands in every page: code, outline, title, verdict, provenance, ledger and facts of the run."""
    rest = {
        f.name: getattr(report, f.name)
        for f in dataclasses.fields(report)
        if f.name in {"title", "verdict", "provenance", "run", "ledger", "gates"}
    }
    summaries = sum(len(section.summary) + len(section.title) for section in report.sections)
    return CODE_BYTES + 3 * data_bytes(rest) + 2 * summaries + 1_200 * len(report.sections) + 900 * len(report.gates)
