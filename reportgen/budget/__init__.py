"""The byte budget: a report that would be too large is reduced, the least important parts first, and says so.

What is cut first is what DESIGN section 7 spends last: montages, samples, curves, graph and layers, sample records, and
only then metrics and findings; before all that, names of thousands of characters are shortened. The verdict is never
touched. Everything that went is one row of the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reportgen.budget.items import Items, Redraw
from reportgen.budget.ledger import losses, size_words
from reportgen.budget.names import shorten_names
from reportgen.budget.sizes import frame_bytes
from reportgen.report.types import Report

DEFAULT_BYTES = 1536 * 1024
LEAST_BYTES = 200 * 1024
HARD_LIMIT = 20 * 1024 * 1024
LEVELS = 5
# What is cut, in this order: each part first to its share of what the page's frame leaves, and only where that is not
# enough to nothing.
SHARES = {
    "montages": 0.08,
    "samples": 0.20,
    "curves": 0.16,
    "graph": 0.10,
    "layers": 0.10,
    "records": 0.16,
    "metrics": 0.12,
    "rest": 0.08,
}
ATTEMPTS = 3
_SURE = 0.8  # an estimate below this share of the budget needs no proof
_CAREFUL = 0.96
_FULL = 0.9  # a page that uses less of the budget is made once more


def fit(
    report: Report, limit: int, render: Callable[[Report], str], redraw: Redraw | None = None, *, named: int = 0
) -> Report:
    """Return `report`, reduced until its page has at most `limit` bytes; what was reduced is added to the ledger.

    The size is estimated from the data; only a report near the limit or above it is rendered, at most three times:
    one that leaves a tenth of the budget unused is made once more, with more in it.
    `redraw` draws the figure of a chart with fewer points; `named` is the budget as readers are told it. The same
    report gives the same result.
    """
    items = Items(report, redraw)  # taking its measure is much of the work: done once where it can be
    size = frame_bytes(report) + items.total()
    if size <= limit * _SURE:
        return report
    measured: Items | None = items
    if size > limit:
        whole, report = report, shorten_names(report, f"the byte budget of {size_words(named or limit)}")
        measured = measured if report is whole else None
    target, best = float(limit), None
    for attempt in range(ATTEMPTS):
        reduced = reduce_to(report, int(target), named or limit, redraw, measured, exact=attempt < ATTEMPTS - 1)
        measured = None
        size = len(render(reduced).encode("utf-8", "replace"))
        if size <= limit:
            if best is not None or attempt or size >= limit * _FULL:
                return reduced
            best = reduced  # the estimate was too high: there is room for more
        elif best is not None:
            return best
        # What the estimate was off by is off by as much again; the last attempt leaves room.
        target *= (limit / size) * (_CAREFUL if attempt else 0.99)
    return reduce_to(report, 0, named or limit, redraw)


def estimate(report: Report) -> int:
    """Return about how many bytes the page of `report` will have."""
    return frame_bytes(report) + Items(report).total()


def reduce_to(
    report: Report,
    target: int,
    limit: int,
    redraw: Redraw | None = None,
    measured: Items | None = None,
    *,
    exact: bool = True,
) -> Report:
    """Return `report` cut to about `target` bytes by estimate; the ledger names the budget of `limit` bytes.

    `measured` are the parts of `report` where they are already measured; they are cut in place. A step can take more
    than was asked for; with `exact`, what still fits is put back, the most important first.
    """
    items = measured or Items(report, redraw)
    frame = frame_bytes(report)
    for share in (True, False):
        for part, most in SHARES.items():
            excess = frame + items.total() - target
            if excess <= 0:
                items.put_back(reversed(SHARES) if exact else (), int(-excess))
                return _closed(report, items, limit)
            room = items.part_bytes(part) - excess
            items.cut(part, int(max(room, most * (target - frame) if share else 0)), LEVELS)
    return _closed(report, items, limit)


def _closed(report: Report, items: Items, limit: int) -> Report:
    """Put the parts together again and list what went."""
    if not items.changed:
        return report
    ledger = (*report.ledger, *losses(items.before, items.now, limit))
    return replace(items.report(size_words(limit)), ledger=ledger)
