"""Findings that share a cause are one story; contrasting cases tell the causes apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reportgen.checks import CHECKS, CODES
from reportgen.checks.stories import CAUSES, order_findings, tell_stories
from reportgen.report.types import Evidence, Finding

SECTIONS = {check.meta.code: check.meta.section for check in CHECKS}


def findings(*codes: str, passed: tuple[str, ...] = (), **more: tuple[str, ...]) -> tuple[Finding, ...]:
    """Return findings that warned, and some that passed; `layers` go to all of them."""
    warned = [
        Finding(
            code,
            f"Title of {code}",
            "warned",
            "warn",
            "text",
            (Evidence("number", 1.0, 5, f"at-{code}"),),
            fix=f"Fix {code}.",
            section=SECTIONS[code],
            layers=more.get("layers", ()),
        )
        for code in codes
    ]
    return (*warned, *(Finding(code, "fine", "passed", "warn", "", section=SECTIONS[code]) for code in passed))


def told(*codes: str, **more: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [story.codes for story in tell_stories(findings(*codes, **more))]


def test_every_code_in_the_table_is_a_check_and_no_cause_leads_to_itself() -> None:
    for cause in CAUSES:
        assert {cause.code, *cause.leads_to} <= set(CODES)
        assert cause.code not in cause.leads_to
    assert len({cause.code for cause in CAUSES}) == len(CAUSES)


def test_a_cause_further_up_is_never_told_as_the_effect_of_one_further_down_that_it_leads_to() -> None:
    place = {cause.code: i for i, cause in enumerate(CAUSES)}
    for cause in CAUSES:
        back = [code for code in cause.leads_to if code in place and cause.code in CAUSES[place[code]].leads_to]
        assert all(place[code] > place[cause.code] for code in back), (cause.code, back)


def test_dead_units_are_blamed_on_the_learning_rate_only_when_it_was_too_high() -> None:
    with_rate = told("dead-units", "collapsed-predictions", "learning-rate-too-high")
    assert with_rate == [("learning-rate-too-high", "dead-units", "collapsed-predictions")]
    assert told("dead-units", "collapsed-predictions") == [("dead-units", "collapsed-predictions")]


def test_what_follows_from_an_effect_is_part_of_the_story() -> None:
    """Copies come of dead units, and these of the learning rate; what shows most is named first."""
    story = told("learning-rate-too-high", "duplicate-filters", "dead-units", "miscalibrated", "collapsed-predictions")
    assert story == [
        ("learning-rate-too-high", "dead-units", "collapsed-predictions", "miscalibrated", "duplicate-filters")
    ]
    assert told("learning-rate-too-high", "duplicate-filters") == []


def test_a_batch_on_the_wrong_scale_comes_before_everything_that_it_explains() -> None:
    story = told("saturated-activations", "worse-than-baseline", "input-range-mismatch", "history-and-batch-disagree")
    assert story[0][0] == "input-range-mismatch" and len(story) == 1 and len(story[0]) == 4


def test_the_wrong_end_of_a_model_comes_before_what_training_made_of_it() -> None:
    assert told("missing-output-activation", "plateau", "diverging-loss")[0][0] == "missing-output-activation"
    assert told("plateau", "diverging-loss") == [("diverging-loss", "plateau")]


def test_two_unrelated_causes_are_two_stories_in_the_order_of_the_table() -> None:
    stories = told("overfitting", "miscalibrated", "frozen-layer-untrained", "untrained-layer")
    assert stories == [("frozen-layer-untrained", "untrained-layer"), ("overfitting", "miscalibrated")]


@pytest.mark.parametrize(
    "codes", [("overfitting",), ("duplicate-samples", "dead-units"), ("overfitting", "plateau"), ()]
)
def test_findings_without_a_common_cause_make_no_story(codes: tuple[str, ...]) -> None:
    assert told(*codes) == []


def test_what_passed_is_part_of_no_story() -> None:
    assert tell_stories(findings("dead-units", passed=("collapsed-predictions", "vanishing-gradient"))) == ()


def test_each_finding_is_told_once() -> None:
    codes = [code for story in tell_stories(findings(*CODES)) for code in story.codes]
    assert len(codes) == len(set(codes)) > 20


def test_a_story_shows_each_side_once_and_says_what_to_do_first() -> None:
    chosen = ("learning-rate-too-high", "diverging-loss", "dead-units", "collapsed-predictions")
    story = tell_stories(findings(*chosen, layers=("conv1", "conv2", "conv3")))[0]
    assert [place.label for place in story.places] == ["the curve", "the layers", "the samples"]
    assert story.places[0].anchor == "at-learning-rate-too-high"
    assert story.places[1].value == "conv1, conv2 and 1 more" and story.first == "Fix learning-rate-too-high."
    assert "3 other findings" in story.then and story.text.startswith("text Steps that are too large")


def test_findings_stand_in_the_order_of_their_stories_and_the_others_keep_theirs() -> None:
    given = findings("duplicate-samples", "untrained-layer", "dead-units", passed=("plateau", "overfitting"))
    ordered = [finding.code for finding in order_findings(given, tell_stories(given))]
    assert ordered == ["dead-units", "untrained-layer", "duplicate-samples", "plateau", "overfitting"]
    assert order_findings(given, ()) == given


def test_dead_units_of_layers_that_never_trained_are_blamed_on_the_start() -> None:
    """A lower learning rate does not wake units that never fired: the first step is another one."""
    from_start = tell_stories(findings("dead-units", "untrained-layer", "plateau", layers=("hidden_0",)))[0]
    assert "bias_initializer" in from_start.first and "from the start on" in from_start.text
    dead = findings("dead-units", "plateau", layers=("hidden_0",))
    elsewhere = findings("untrained-layer", layers=("hidden_7",))
    assert tell_stories((*dead, *elsewhere))[0].first == "Fix dead-units."


def test_stale_batch_normalisation_explains_a_validation_loss_that_was_still_falling() -> None:
    assert told("batch-norm-statistics-off", "still-improving") == [("batch-norm-statistics-off", "still-improving")]


def test_a_curve_is_told_by_where_it_began_and_where_it_went() -> None:
    plateau = replace(
        findings("plateau")[0], evidence=(Evidence("first", 2.5, 5, "training"), Evidence("best", 2.4, 5, "training"))
    )
    story = tell_stories((*findings("dead-units"), plateau))[0]
    assert [place.value for place in story.places if place.label == "the curve"] == ["first: 2.5, best: 2.4"]


def test_a_gradient_of_exactly_zero_is_stopped_not_worn_down() -> None:
    found = findings("vanishing-gradient", "untrained-layer", layers=("hidden_0",))
    assert tell_stories(found)[0].first == "Fix vanishing-gradient."
    stopped = replace(found[0], evidence=(Evidence("gradient", 0.0, 64, "layers"),))
    story = tell_stories((stopped, found[1]))[0]
    assert "stop_gradient" in story.first and "No gradient at all arrives there" in story.text
