"""A bad verdict names the cause that a story tells; without one, or when it is the cause itself, it stays as it is."""

from __future__ import annotations

import pytest

from reportgen.report.types import Story, Verdict
from reportgen.sections.verdict_cause import add_cause


def told(*codes: str) -> Story:
    return Story("A unit in many never fires", "", "", "", codes)


LITTLE = Verdict("better-by-class-only", "caution", "Hardly better.")
COLLAPSED = Verdict("collapsed", "bad", "One answer to everything.")


def test_a_bad_verdict_ends_with_the_cause() -> None:
    verdict = add_cause(COLLAPSED, (told("dead-units", "plateau", "collapsed-predictions"),))
    assert verdict.sentence == "One answer to everything. Likely cause: a unit in many never fires."
    assert (verdict.case, verdict.level) == ("collapsed", "bad")


@pytest.mark.parametrize(
    "stories",
    [(), (told("collapsed-predictions", "underfitting"),), (told("overfitting", "miscalibrated"),)],
    ids=["no story", "the story is the verdict", "a story about something else"],
)
def test_a_verdict_without_a_cause_stays_as_it_is(stories: tuple[Story, ...]) -> None:
    assert add_cause(COLLAPSED, stories) == COLLAPSED


def test_a_good_verdict_needs_no_cause() -> None:
    good = Verdict("better-with-warnings", "caution", "Fine.")
    assert add_cause(good, (told("dead-units", "collapsed-predictions"),)) == good


def test_a_model_that_learned_little_is_told_with_why() -> None:
    assert add_cause(LITTLE, (told("learning-rate-too-low", "plateau"),)).sentence.endswith(
        "Likely cause: a unit in many never fires."
    )
