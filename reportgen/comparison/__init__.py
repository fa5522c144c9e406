"""Report x Report -> what changed: on the first screen, and in a section of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reportgen.comparison.differences import Comparison as Comparison
from reportgen.comparison.differences import compare as compare
from reportgen.comparison.first_screen import make_changes
from reportgen.comparison.gallery import Own as Own
from reportgen.comparison.section import ID, TITLE, build
from reportgen.report.coherence import references
from reportgen.report.json_text import settle_section
from reportgen.report.types import Asset, Report, Section

__all__ = ["ID", "TITLE", "Comparison", "Own", "compare", "with_changes", "with_section"]

NOTHING = Own()
Draw = Callable[[Section], tuple[Section, dict[str, Asset]]]


def with_changes(head: Report, base: Report, draw: Draw, own: Own = NOTHING, *, only_own: bool = False) -> Report:
    """Return `head` with what changed since `base`: the summary in `changes`, the evidence in the first section.

    `draw` draws the figures of the new section and returns them; `own` are cards of samples that `head` does not show
    but could. With `only_own` nothing of a sample that only `base`
    shows is taken over. A comparison that `head` already has is replaced.
    """
    plain = replace(head, changes=None, sections=tuple(section for section in head.sections if section.id != ID))
    comparison = compare(base, plain)
    changes = make_changes(comparison, base, plain)
    section, drawn = draw(build(comparison, changes, base, plain, own, only_own=only_own))
    section = settle_section(section)
    wanted = references(section)
    taken = {
        sha256: asset for source in (base.assets, own.assets) for sha256, asset in source.items() if sha256 in wanted
    }
    whole = replace(plain, changes=changes, assets={**taken, **drawn, **plain.assets})
    return with_section(whole, section)


def with_section(report: Report, section: Section) -> Report:
    """Return `report` with the section that says what changed, right after the summary."""
    at = next((i + 1 for i, other in enumerate(report.sections) if other.id == "summary"), 0)
    return replace(report, sections=(*report.sections[:at], section, *report.sections[at:]))
