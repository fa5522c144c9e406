"""Random reports for property tests: every block type, hostile text, odd numbers, parts that fit together."""

from __future__ import annotations

import hashlib
import types as python_types
import typing
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from reportgen.analysis.graph import Edge, Graph, Group, Node
from reportgen.report import blocks as b
from reportgen.report import types as t
from reportgen.report.svg import sanitise
from reportgen.report.values import Column, Missing
from tests.sample_report import make_png

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    'data-asset="' + "0" * 64 + '" src="data:image/png;base64,AAAA"',
    '<script type="application/json" id="report-data">',
    "\u2028\u2029\u202e\u200b\ufeff\x00\x1b\x7f\x85\ufffe",
    "\ud800 lone",
    "\\u003c/script\\u003e",
    "{{ 7*7 }}{% x %}",
    "漢字 🎉 é",
    "",
)
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8))
safe_texts = texts.map(lambda text: text.encode("utf-8", "replace").decode("utf-8"))
floats = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.0, -0.0, 5e-324, 1e22, 0.1, 1e308])
)
integers = st.one_of(st.integers(-5, 5), st.sampled_from([2**53 + 1, -(2**63), 2**64 + 3, 10**30]))
missing = st.builds(Missing, texts)
pixels = st.integers(1, 3).map(lambda n: np.arange(n * n, dtype=np.uint8).reshape(n, n))
words = st.text("abc<&\u00e9", max_size=5).map(lambda w: w.replace("&", "&amp;").replace("<", "&lt;"))


def _drawing(word: str) -> bytes:
    return sanitise(f'<svg xmlns="http://www.w3.org/2000/svg"><g id="g"/><text>{word}</text></svg>'.encode())


assets = st.lists(
    st.one_of(
        pixels.map(lambda p: t.Asset("image/png", make_png(p))),
        words.map(lambda w: t.Asset("image/svg+xml", _drawing(w))),
        words.map(lambda w: t.Asset("image/svg+xml", f"<svg><script>{w}</script></svg>".encode())),
    ),
    max_size=4,
).map(lambda items: {hashlib.sha256(item.data).hexdigest(): item for item in items})


def column(size: int, dtype: str = "<f8") -> st.SearchStrategy[Column]:
    """Return columns of one size, with NaN and infinity among floats."""
    kinds = {"f": st.floats(width=32), "i": st.integers(-9, 9), "u": st.integers(0, 9)}
    values = st.lists(kinds[dtype[1]], min_size=size, max_size=size)
    return values.map(lambda items: Column.pack(np.array(items, dtype=dtype), dtype))  # type: ignore[arg-type]


references = st.builds(b.AssetRef, st.just("ab" * 32), st.integers(1, 99), st.integers(1, 99), texts)


@st.composite
def tables(draw: st.DrawFn) -> b.Table:
    width, height = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    cell = st.one_of(texts, floats, integers, missing, st.none())
    row = st.tuples(*[cell] * width)
    return b.Table(
        draw(texts),
        draw(texts),
        tuple(draw(of(b.TableColumn)) for _ in range(width)),
        tuple(draw(row) for _ in range(height)),
        draw(texts),
        row_ids=tuple(draw(texts) for _ in range(draw(st.sampled_from([0, height])))),
        marks=(b.CellMark(0, 0, "warn", draw(texts)),) if width and height else (),
        total=draw(row) if draw(st.booleans()) else (),
    )


@st.composite
def charts(draw: st.DrawFn) -> b.Chart:
    series = []
    for _ in range(draw(st.integers(0, 2))):
        size = draw(st.integers(0, 3))
        optional = st.one_of(st.none(), column(size))
        series.append(
            b.Series(
                draw(texts),
                draw(texts),
                draw(column(size, "<i4")),
                draw(column(size)),
                low=draw(optional),
                high=draw(optional),
                width=draw(st.one_of(st.none(), floats)),
            )
        )
    marks = st.lists(of(b.ChartMark), max_size=2).map(tuple)
    frame = draw(st.one_of(st.none(), of(b.Frame)))
    reference = draw(st.one_of(st.none(), references))
    axes = draw(of(b.Axis)), draw(of(b.Axis))
    return b.Chart(
        draw(texts), draw(texts), *axes, tuple(series), draw(texts), draw(marks), frame=frame, figure=reference
    )


@st.composite
def matrices(draw: st.DrawFn) -> b.Matrix:
    names = tuple(draw(st.lists(texts, max_size=3)))
    counts = draw(column(len(names) ** 2, "<i8"))
    return b.Matrix(draw(texts), draw(texts), draw(texts), draw(texts), names, names, counts, draw(texts))


@st.composite
def graph_views(draw: st.DrawFn) -> b.GraphView:
    cards = tuple(draw(st.lists(of(b.GraphCard), max_size=3)))
    edges = tuple((card.id, cards[0].id) for card in cards)
    return b.GraphView(draw(texts), draw(texts), cards, edges, (), draw(texts), dot=draw(texts))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    n = draw(st.integers(0, 3))
    nodes = tuple(
        Node(f"n{i}", draw(texts), draw(texts), draw(texts), draw(integers), group="g" if i else None) for i in range(n)
    )
    edges = tuple(Edge(f"n{i}", f"n{i + 1}") for i in range(n - 1))
    return Graph(nodes, edges, (Group("g", draw(texts), draw(texts)),), source=draw(texts))


@st.composite
def histories(draw: st.DrawFn) -> t.HistorySeries:
    size = draw(st.integers(0, 4))
    return t.HistorySeries(draw(texts), draw(column(size, "<i4")), draw(column(size)), draw(st.booleans()), size)


@st.composite
def sample_tables(draw: st.DrawFn) -> t.SampleTable:
    n = draw(st.integers(0, 3))
    ids = tuple(draw(texts) for _ in range(n))
    columns = (column(n, "<i4"), column(n, "<i4"), column(n, "<f4"), column(n, "<f4"))
    keys, occurrences = draw(column(n, "<u8")), draw(column(n, "<u4"))
    return t.SampleTable(draw(texts), draw(texts), n, draw(texts), keys, occurrences, ids, *(draw(c) for c in columns))


SPECIAL: dict[Any, Any] = {
    b.Table: tables,
    b.Chart: charts,
    b.Matrix: matrices,
    b.GraphView: graph_views,
    Graph: graphs,
    t.HistorySeries: histories,
    t.SampleTable: sample_tables,
    b.AssetRef: lambda: references,
    str: lambda: texts,
    int: lambda: integers,
    float: lambda: floats,
    bool: st.booleans,
    type(None): st.none,
}


@cache
def of(kind: Any) -> st.SearchStrategy[Any]:
    """Return values of one type, built from its annotations."""
    if kind in SPECIAL:
        return SPECIAL[kind]()
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return of(arguments[0])
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin in (typing.Union, python_types.UnionType):
        return st.one_of(*(of(argument) for argument in arguments))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(st.deferred(lambda: of(arguments[0])), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(of(argument) for argument in arguments))
    if origin is dict:
        return st.dictionaries(safe_texts, of(arguments[1]), max_size=2)
    assert is_dataclass(kind), kind
    if kind is t.Theme:
        return st.builds(t.Theme, st.sampled_from(["", "#0b6e4f"]), st.one_of(st.none(), references))
    hints = typing.get_type_hints(kind, include_extras=True)
    values = {field.name: of(hints[field.name]) for field in fields(kind) if field.name != "kind"}
    return st.builds(kind, **values)


@st.composite
def reports(draw: st.DrawFn) -> t.Report:
    """Return whole reports."""
    hints = typing.get_type_hints(t.Report, include_extras=True)
    values = {name: draw(of(hint)) for name, hint in hints.items() if name not in ("assets", "schema_version")}
    return t.Report(**values, assets=draw(assets))
