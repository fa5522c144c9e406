"""Report -> canonical JSON, for machines and for comparing."""

from __future__ import annotations

from reportgen.report.json_text import to_json
from reportgen.report.types import Report


def render(report: Report, assets: bool = True) -> str:
    """Return the canonical JSON with a line end; `assets=False` names pictures and leaves their bytes out."""
    return to_json(report, assets=assets) + "\n"
