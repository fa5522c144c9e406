"""Whether the parts of a report fit together: columns of one length, rows as wide as their table, edges with ends.

Types alone do not say it. A file that is read back is checked, and so is each section before it enters a report: a
renderer may then rely on it.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from reportgen.analysis.graph import Graph
from reportgen.report import blocks as b
from reportgen.report.types import HistorySeries, Report, SampleTable, Section
from reportgen.report.values import Column

_HASH = re.compile(r"[0-9a-f]{64}")
_LONGEST_SIDE = 1_000_000


def check(report: Report) -> None:
    """Raise ValueError, naming the place, for the first part of `report` that does not fit."""
    for section in report.sections:
        check_section(section)
    for series in report.history:
        _check_parts(series, f"history {series.name[:60]}")
    for table in report.samples:
        _check_parts(table, f"samples of {table.output[:60]}")
    if report.graph is not None:
        _check_graph(report.graph)
    if report.theme is not None and report.theme.logo is not None:
        _check_reference(report.theme.logo, "theme: logo")


def check_section(section: Section) -> None:
    """Raise ValueError, naming the block, for the first block of `section` that does not fit."""
    for block in section.blocks:
        for inner in block.blocks if isinstance(block, b.Fold) else (block,):
            name = getattr(inner, "id", "") or inner.kind
            _check_parts(inner, f"section {section.id[:60]}: {name[:60]}")


def _check_parts(part: Any, place: str) -> None:
    """Check one block or record, its columns and its picture references."""
    for value in _walk(part):
        if isinstance(value, Column):
            _check_column(value, place)
        elif isinstance(value, b.AssetRef):
            _check_reference(value, place)
    for fits, what in _rules(part):
        if not fits:
            raise ValueError(f"{place}: {what}")


def references(section: Section) -> set[str]:
    """Return the SHA-256 of every asset that a section refers to."""
    return {part.sha256 for part in _walk(section) if isinstance(part, b.AssetRef)}


def _walk(value: Any) -> Iterator[Any]:
    """Yield every dataclass in `value`."""
    if isinstance(value, tuple):
        for item in value:
            if not isinstance(item, (str, int, float)):
                yield from _walk(item)
    elif dataclasses.is_dataclass(value):
        yield value
        for field in dataclasses.fields(value):
            yield from _walk(getattr(value, field.name))


def _check_column(column: Column, place: str) -> None:
    """Check that a column holds as many values as it says."""
    try:
        size = len(base64.b64decode(column.data, validate=True))
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"{place}: a column is not base64") from error
    if size != column.length * np.dtype(column.dtype).itemsize:
        raise ValueError(f"{place}: a column does not hold the {column.length} values that it says")


def _check_reference(reference: b.AssetRef, place: str) -> None:
    """Check that a picture is referred to by a hash, with a size."""
    if not _HASH.fullmatch(reference.sha256):
        raise ValueError(f"{place}: a picture is not named by its SHA-256")
    if not (0 < reference.width <= _LONGEST_SIDE and 0 < reference.height <= _LONGEST_SIDE):
        raise ValueError(f"{place}: a picture has no size")


def _rules(part: Any) -> list[tuple[bool, str]]:
    """Return what must hold for one block or record, each with the words for when it does not."""
    if isinstance(part, b.Table):
        return _table_rules(part)
    if isinstance(part, b.Chart):
        return [
            (all(c is None or c.length == s.x.length for c in (s.y, s.low, s.high)), f"series {s.id[:60]} is ragged")
            for s in part.series
        ]
    if isinstance(part, b.Matrix):
        size = len(part.rows) * len(part.columns)
        return [(part.counts.length == size, f"{part.counts.length} counts for {size} cells")]
    if isinstance(part, b.GraphView):
        known = {card.id for card in part.cards} | {group.id for group in part.groups} | ({""} if part.card else set())
        return [(all(end in known for edge in part.edges for end in edge), "an edge leads to a card that is not there")]
    if isinstance(part, HistorySeries):
        return [
            (part.epochs.length == part.values.length, "epochs and values differ in number"),
            (not part.epochs.length or part.epochs.dtype[1] in "iu", "epochs are no whole numbers"),
        ]
    if isinstance(part, SampleTable):
        return _sample_rules(part)
    return []


def _table_rules(table: b.Table) -> list[tuple[bool, str]]:
    """Return what must hold for a table."""
    width, height = len(table.columns), len(table.rows)
    return [
        (all(len(row) == width for row in table.rows), "a row is not as wide as the table"),
        (len(table.total) in (0, width), "the total is not as wide as the table"),
        (len(table.row_ids) in (0, height), "row_ids do not fit the rows"),
        (all(0 <= m.row < height and 0 <= m.column < width for m in table.marks), "a mark lies outside the table"),
    ]


def _sample_rules(table: SampleTable) -> list[tuple[bool, str]]:
    """Return what must hold for sample records: every column has one value a sample, or none at all."""
    n = table.keys.length
    lengths = [c.length for c in (table.occurrences, table.truth, table.prediction, table.confidence, table.loss)]
    return [
        (all(length in (0, n) for length in (*lengths, len(table.ids))), "columns differ in length"),
        (table.keys.dtype == "<u8", "keys are not 8 bytes each"),
    ]


def _check_graph(graph: Graph) -> None:
    """Check that nodes have ids of their own, and that edges and groups lead somewhere."""
    nodes = {node.id for node in graph.nodes}
    groups = {group.id for group in graph.groups}
    if len(nodes) != len(graph.nodes):
        raise ValueError("graph: two nodes have one id")
    ends = [end for edge in graph.edges for end in (edge.source, edge.target)] + [*graph.inputs, *graph.outputs]
    if any(end not in nodes for end in ends):
        raise ValueError("graph: an edge, input or output names a node that is not there")
    parents = [node.group for node in graph.nodes] + [group.parent for group in graph.groups]
    if any(parent is not None and parent not in groups for parent in parents):
        raise ValueError("graph: a node or group lies in a group that is not there")
