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
from reportgen.report.values import Missing

__all__ = ["ID", "TITLE", "Comparison", "Own", "compare", "with_changes", "with_section"]

NOTHING = Own()
Draw = Callable[[Section], tuple[Section, dict[str, Asset]]]


def with_changes(head: Report, base: Report, draw: Draw, own: Own = NOTHING) -> Report:
    """Return `head` with what changed since `base`: the summary in `changes`, the evidence in the first section.

    `draw` draws the figures of the new section and returns them; `own` are cards of samples that `head` does not show
    but could. Nothing that `head` hides is taken over from `base`. A comparison that `head` already has is replaced,
    and that of `base` with a still earlier report plays no part.
    """
    plain, base = _bare(head), _bare(_without_hidden(base, head))
    comparison = compare(base, plain)
    changes = make_changes(comparison, base, plain)
    section, drawn = draw(build(comparison, changes, base, plain, own))
    section = settle_section(section)
    wanted = references(section)
    taken = {
        sha256: asset for source in (base.assets, own.assets) for sha256, asset in source.items() if sha256 in wanted
    }
    whole = replace(plain, changes=changes, assets={**taken, **drawn, **plain.assets})
    return with_section(whole, section)


def _bare(report: Report) -> Report:
    """Return a report without its own comparison."""
    return replace(report, changes=None, sections=tuple(section for section in report.sections if section.id != ID))


def _without_hidden(base: Report, head: Report) -> Report:
    """Return `base` without what `head` hides of itself: the content of samples, the commit.

    Where a report shows the content of no sample, an older one does not say whether it was to be hidden. Names of
    classes are no content of a sample: every report shows them.
    """
    facts = head.provenance
    if facts.git_commit == Missing("redacted"):
        base = replace(base, provenance=replace(base.provenance, git_commit=facts.git_commit))
    shows_all = facts.privacy == "show" or (not facts.privacy and facts.samples_shown > 0)
    return base if shows_all else replace(base, sections=())


def with_section(report: Report, section: Section) -> Report:
    """Return `report` with the section that says what changed, right after the summary."""
    at = next((i + 1 for i, other in enumerate(report.sections) if other.id == "summary"), 0)
    return replace(report, sections=(*report.sections[:at], section, *report.sections[at:]))
