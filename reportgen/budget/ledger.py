"""What the budget took, counted: everything that is fewer than before becomes one row of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportgen.analysis.graph import Graph
from reportgen.report import blocks as b
from reportgen.report import types as t

_WHOLE = "pictures of samples in full detail"


def losses(before: Sequence[Any], now: Sequence[Any], limit: int) -> tuple[t.LedgerEntry, ...]:
    """Return one row for each kind of thing of which there is less `now` than `before`."""
    had, has = _count(before), _count(now)
    whole = _pictures(before)
    had[_WHOLE], has[_WHOLE] = len(whole), len(whole & _pictures(now))
    why = f"the byte budget of {size_words(limit)}"
    return tuple(
        t.LedgerEntry(what, f"{has.get(what, 0):,}", f"{n:,}", why) for what, n in had.items() if has.get(what, 0) < n
    )


def size_words(limit: int) -> str:
    """Write a limit as people do: 1.5 MiB, 900 KB."""
    if limit % (1024 * 1024 // 4) == 0:
        return f"{limit / 1024**2:g} MiB"
    return f"{limit / 1000:,.0f} KB" if limit < 1e6 else f"{limit / 1e6:.3g} MB"


def _pictures(parts: Sequence[Any]) -> set[str]:
    """Return the pictures of samples by their hash."""
    return {s.image.sha256 for part in parts if isinstance(part, b.Gallery) for s in part.samples if s.image}


def _count(parts: Sequence[Any]) -> dict[str, int]:
    """Add up what all parts hold, in the order in which the budget takes it."""
    sums: dict[str, int] = {}
    for part in parts:
        if part is not None:
            for what, n in _measure(part).items():
                sums[what] = sums.get(what, 0) + n
    return dict(sorted(sums.items()))


def _measure(part: Any) -> dict[str, int]:
    """Count what one part holds, under the words that the ledger uses."""
    if isinstance(part, b.Montage):
        return {"montages of layers": 1}
    if isinstance(part, b.Gallery):
        return {"samples shown": len(part.samples)}
    if isinstance(part, b.Chart):
        points = sum(series.x.length for series in part.series)
        return {"charts": 1, "figures drawn": int(part.figure is not None), "points of charts": points}
    if isinstance(part, b.Matrix):
        return {"confusion matrices": 1, "figures drawn": int(part.figure is not None)}
    if isinstance(part, b.GraphView):
        return {"graphs of the architecture": 1, "figures drawn": int(part.figure is not None)}
    if isinstance(part, b.Table):
        return {"rows of tables": len(part.rows)}
    if isinstance(part, b.Facts):
        return {"listed facts": len(part.items)}
    return _measure_data(part)


def _measure_data(part: Any) -> dict[str, int]:
    """Count what the records beside the sections hold."""
    if isinstance(part, t.SampleTable):
        return {
            "sample records": part.keys.length,
            "names of samples in the records": len(part.ids),
            "names of classes in the records": len(part.class_names),
        }
    if isinstance(part, t.HistorySeries):
        return {"points of the history in the data": part.values.length}
    if isinstance(part, t.LayerRecord):
        return {"numbers of layers in the data": len(part.numbers)}
    if isinstance(part, Graph):
        settings = sum(len(node.details) for node in part.nodes)
        return {"layers of the graph in the data": len(part.nodes), "settings of layers in the data": settings}
    if isinstance(part, t.Metric):
        return {"metrics": 1}
    if isinstance(part, t.Finding):
        lists = (part.evidence, part.causes, part.layers, part.samples, part.epochs)
        return {"findings": 1, "details of findings": sum(map(len, lists)), "letters of texts": len(part.text)}
    return {"letters of texts": len(getattr(part, "text", "") or "")}
