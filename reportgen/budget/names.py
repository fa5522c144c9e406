"""Names and texts of thousands of characters: they stand in a report a dozen times, and would cost it its figures.

They are shortened wherever they stand; report.json has a list of what they were.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from reportgen.report import types as t

LONG = 2_000  # characters; no sentence of a report's own comes near
KEPT = 240
MOST_WHOLE = 4 * 1024 * 1024  # characters of whole texts in report.json, the shorter ones first
_KEEP_WHOLE = frozenset(("dot", "data", "sha256"))  # drawings and bytes: the parts that hold them are cut as such


def shorten_names(report: t.Report, why: str) -> t.Report:
    """Return the report with its long names and texts shortened, the same everywhere, and a row of the ledger.

    Different texts stay different: what is cut off is stood for by its length and the start of its hash.
    """
    shortener = _Shortener()
    shorter = shortener.walk(dataclasses.replace(report, assets={}))
    if not shortener.found:
        return report
    total = sum(map(len, shortener.found))
    kept = sum(map(len, shortener.found.values()))
    whole = _whole_texts(shortener.found)
    where = "" if len(whole) == len(shortener.found) else f" {len(whole):,} of {len(shortener.found):,}"
    why = f"{why}; report.json lists{where or ' them'} whole"
    row = t.LedgerEntry("letters of long names and texts", f"{kept:,}", f"{total:,}", why)
    changed: t.Report = dataclasses.replace(
        shorter, assets=report.assets, ledger=(*shorter.ledger, row), long_texts=whole
    )
    return changed


def _whole_texts(found: dict[str, str]) -> tuple[t.LongText, ...]:
    """Return the long texts that report.json has room for, in the order in which they stand in the report."""
    room, kept = MOST_WHOLE, set()
    for text in sorted(found, key=lambda text: (len(text), text)):
        room -= len(text)
        if room < 0:
            break
        kept.add(text)
    return tuple(t.LongText(shown, whole) for whole, shown in found.items() if whole in kept)


class _Shortener:
    """Rebuilds a tree of dataclasses, tuples and mappings; `found` maps long texts to what stands for them."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def walk(self, value: Any) -> Any:
        """Return `value` with its long texts shortened; the very same object where there is none."""
        if isinstance(value, str):
            return self._short(value) if len(value) > LONG else value
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            changes = {}
            for field in dataclasses.fields(value):
                old = getattr(value, field.name)
                new = old if field.name in _KEEP_WHOLE else self.walk(old)
                if new is not old:
                    changes[field.name] = new
            return dataclasses.replace(value, **changes) if changes else value
        if isinstance(value, tuple):
            items = tuple(item if type(item) is str and len(item) <= LONG else self.walk(item) for item in value)
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        if isinstance(value, dict):
            return {self.walk(key): self.walk(item) for key, item in value.items()}
        return value

    def _short(self, text: str) -> str:
        """Return what stands for a long text."""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        self.found[text] = f"{text[:KEPT]}… ({len(text):,} characters, {digest})"
        return self.found[text]
