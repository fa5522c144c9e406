"""Names and texts of thousands of characters: they stand in a report a dozen times, and would cost it its figures."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from reportgen.report import types as t

LONG = 2_000  # characters; no sentence of a report's own comes near
KEPT = 240
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
    row = t.LedgerEntry("letters of long names and texts", f"{kept:,}", f"{total:,}", why)
    changed: t.Report = dataclasses.replace(shorter, assets=report.assets, ledger=(*shorter.ledger, row))
    return changed


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
