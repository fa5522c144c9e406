"""Ids of the page: safe, unique, the same on every run, and never raw text from an input."""

from __future__ import annotations

import hashlib
import re

from reportgen.report.blocks import Fold
from reportgen.report.types import Report, Section

_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,79}")
_OWN = "rg-"


def safe_id(raw: str) -> str:
    """Return `raw` if it may stand as an id, else a short readable stem with a hash of the whole."""
    if _SAFE.fullmatch(raw) and not raw.lower().startswith(_OWN):
        return raw
    stem = re.sub(r"[^a-z0-9]+", "-", raw[:200].lower()).strip("-")[:40]
    digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"x-{stem}-{digest}".replace("--", "-")


class Anchors:
    """Hands out each id once, in page order, and knows which anchors exist so that no link is dead."""

    def __init__(self, report: Report) -> None:
        self._known = {raw: safe_id(raw) for raw in _raw_anchors(report)}
        self._used: dict[str, int] = {}

    def take(self, raw: str) -> str:
        """Return the id to write for `raw`: its own the first time, a numbered one after that."""
        wanted = safe_id(raw)
        while True:
            count = self._used.get(wanted, 0)
            self._used[wanted] = count + 1
            if not count:
                return wanted
            wanted = f"{wanted}-{count + 1}"

    def find(self, raw: str) -> str:
        """Return the id that a link to `raw` leads to, or "" when the page has no such place."""
        return self._known.get(raw.removeprefix("#"), "")


def _raw_anchors(report: Report) -> list[str]:
    """List every anchor of the report."""
    found = [f"finding-{finding.code}" for finding in report.findings]
    for section in report.sections:
        found += _section_anchors(section)
    return [raw for raw in found if raw]


def _section_anchors(section: Section) -> list[str]:
    """List the anchors of one section: itself, its blocks, rows and samples."""
    found = [section.id]
    for block in section.blocks:
        for part in (block, *block.blocks) if isinstance(block, Fold) else (block,):
            found.append(getattr(part, "id", ""))
            found += getattr(part, "row_ids", ())
            found += [f"sample-{sample.key}" for sample in getattr(part, "samples", ())]
    return found
