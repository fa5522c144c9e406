"""The cause that a bad verdict ends with: what a tired reviewer would otherwise look for further down."""

from __future__ import annotations

from dataclasses import replace

from reportgen.report.types import Story, Verdict
from reportgen.report.words import lower

# The findings that say what a verdict says already: a story about them tells the verdict's cause.
SAID = {
    "broken-weights": ("non-finite-weights",),
    "collapsed": ("collapsed-predictions", "worse-than-baseline"),
    "worse-than-baseline": ("worse-than-baseline", "collapsed-predictions"),
    "equal-to-baseline": ("worse-than-baseline", "collapsed-predictions"),
    "better-by-class-only": ("plateau", "underfitting"),
}


def add_cause(verdict: Verdict, stories: tuple[Story, ...]) -> Verdict:
    """Return a bad verdict with the likely cause that a story names; any other as it is."""
    said = SAID.get(verdict.case, ())
    story = next((story for story in stories if set(said) & set(story.codes)), None)
    if story is None or story.codes[0] in said:
        return verdict
    return replace(verdict, sentence=f"{verdict.sentence} Likely cause: {lower(story.title)}.")
