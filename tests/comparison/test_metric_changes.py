"""Metrics before and now: the difference is that of the two numbers, paired where it can be, and called by its size."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    precision_score,
    r2_score,
    recall_score,
    root_mean_squared_error,
)

from reportgen.comparison import compare, metric_changes
from reportgen.report.changes import MetricChange
from reportgen.report.types import Report
from reportgen.report.values import Missing
from tests.comparison.two_reports import report_of, scores_for

RNG = np.random.default_rng(11)
TRUTH = RNG.integers(0, 4, 400)


def answers(wrong: int, seed: int = 0, n: int = 400) -> np.ndarray:
    """Return answers of which the first `wrong` are wrong."""
    found = TRUTH[:n].copy()
    found[:wrong] = (found[:wrong] + 1 + np.random.default_rng(seed).integers(0, 3, wrong)) % 4
    return found


def changes(base: Report, head: Report) -> dict[str, MetricChange]:
    return {change.name: change for change in compare(base, head).metrics}


def test_accuracy_is_compared_sample_by_sample() -> None:
    found = changes(report_of(TRUTH, scores_for(answers(60))), report_of(TRUTH, scores_for(answers(20))))["accuracy"]
    assert found.paired and found.n == 400 and found.place == "better"
    assert found.difference == pytest.approx(0.1) and isinstance(found.low, float) and found.low > 0.06


def test_averages_over_classes_are_those_of_scikit_learn() -> None:
    before, now = answers(90, 1), answers(40, 2)
    found = changes(report_of(TRUTH, scores_for(before)), report_of(TRUTH, scores_for(now)))
    f1 = [f1_score(TRUTH, one, average="macro") for one in (before, now)]
    balanced = [balanced_accuracy_score(TRUTH, one) for one in (before, now)]
    assert found["f1_macro"].difference == pytest.approx(f1[1] - f1[0], abs=1e-6) and found["f1_macro"].paired
    assert found["balanced_accuracy"].difference == pytest.approx(balanced[1] - balanced[0], abs=1e-6)
    assert found["f1_macro"].low < f1[1] - f1[0] < found["f1_macro"].high


def test_log_loss_is_better_when_it_falls() -> None:
    found = changes(report_of(TRUTH, scores_for(TRUTH, 0.7)), report_of(TRUTH, scores_for(TRUTH, 0.9)))["log_loss"]
    assert found.paired and found.place == "better"
    assert found.difference == pytest.approx(np.log(0.7 / 0.9), rel=1e-5)


def test_the_same_predictions_are_the_same() -> None:
    report = report_of(TRUTH, scores_for(answers(30)))
    assert {change.place for change in changes(report, report).values()} == {"same"}


def test_a_few_samples_more_or_less_are_not_told_from_chance() -> None:
    found = changes(report_of(TRUTH, scores_for(answers(30))), report_of(TRUTH, scores_for(answers(34))))["accuracy"]
    assert found.place == "unclear" and found.difference == pytest.approx(-0.01)


def test_five_lost_and_none_won_is_not_enough_for_the_exact_test() -> None:
    """The interval alone would call it worse; McNemar's exact p is 0.0625."""
    found = changes(report_of(TRUTH, scores_for(answers(0))), report_of(TRUTH, scores_for(answers(5))))["accuracy"]
    assert isinstance(found.high, float) and found.place == "unclear"


@pytest.mark.parametrize(("lost", "place"), [(4, "unclear"), (12, "worse")])
def test_averages_are_no_surer_than_the_exact_test_on_a_handful_of_answers(lost: int, place: str) -> None:
    """Four of 400 answers changed, all to the worse: a bootstrap hardly draws none of them, yet chance does so in 12%."""
    found = changes(report_of(TRUTH, scores_for(answers(0))), report_of(TRUTH, scores_for(answers(lost))))
    assert found["f1_macro"].paired and isinstance(found["f1_macro"].high, float) and found["f1_macro"].high < 0
    assert found["f1_macro"].place == found["balanced_accuracy"].place == found["accuracy"].place == place


@pytest.mark.parametrize(("n", "place"), [(4, "unclear"), (8, "better")])
def test_a_handful_of_samples_never_shows_a_better_regression(n: int, place: str) -> None:
    """Each error is half of what it was; with four samples chance would have all of them fall in 12% of cases."""
    truth = np.linspace(0, 9, n)[:, None]
    base, head = (
        report_of(truth, truth + size * (1 + truth / 9), task="regression", scores="values", names=())
        for size in (0.4, 0.2)
    )
    found = changes(base, head)
    assert {found[name].place for name in ("mae", "rmse", "r2")} == {place}


def test_equal_accuracy_with_other_mistakes_is_not_called_the_same() -> None:
    one, other = TRUTH.copy(), TRUTH.copy()
    one[:5], other[10:15] = (one[:5] + 1) % 4, (other[10:15] + 1) % 4
    found = changes(report_of(TRUTH, scores_for(one)), report_of(TRUTH, scores_for(other)))["accuracy"]
    assert found.difference == 0 and found.place == "unclear"


def test_runs_on_other_samples_are_compared_by_their_intervals() -> None:
    base = report_of(TRUTH, scores_for(answers(120)))
    head = report_of(TRUTH, scores_for(answers(20)), keys=np.arange(10_000, 10_400))
    found = changes(base, head)["accuracy"]
    assert not found.paired and found.place == "better" and found.difference == pytest.approx(0.25)


def test_on_samples_partly_shared_the_difference_stands_on_those() -> None:
    """The first 200 samples are in both; before they were all right, now 50 of them are wrong."""
    base = report_of(TRUTH[:200], scores_for(TRUTH[:200]))
    head = report_of(TRUTH, scores_for(answers(50)))
    found = changes(base, head)["accuracy"]
    assert found.paired and found.n == 200 and found.difference == pytest.approx(-0.25)
    assert found.now == pytest.approx(0.875)


def test_regression_errors_are_compared_sample_by_sample() -> None:
    truth = RNG.normal(size=(300, 1))
    base_values, head_values = (truth + RNG.normal(0, size, truth.shape) for size in (1.0, 0.5))
    base, head = (
        report_of(truth, values, task="regression", scores="values", names=()) for values in (base_values, head_values)
    )
    found = changes(base, head)
    assert found["mae"].paired and found["mae"].place == "better" and found["mae"].n == 300
    assert found["r2"].paired and found["r2"].place == "better"
    for name, score in (("r2", r2_score), ("rmse", root_mean_squared_error)):
        expected = score(truth, head_values) - score(truth, base_values)
        assert found[name].difference == pytest.approx(expected, abs=1e-6)


def test_metrics_of_several_targets_are_not_taken_from_their_means() -> None:
    truth = RNG.normal(size=(200, 3))
    base, head = (
        report_of(truth, truth + RNG.normal(0, size, truth.shape), task="regression", scores="values", names=())
        for size in (1.0, 0.5)
    )
    found = changes(base, head)
    assert found["mae"].paired and not found["r2"].paired and not found["rmse"].paired


def test_rates_of_two_classes_are_compared_sample_by_sample() -> None:
    """Each difference is scikit-learn's; paired, the intervals are narrower than those of two test sets."""
    truth = TRUTH % 2
    noise = np.random.default_rng(4)
    before = np.where(noise.random(400) < 0.25, 1 - truth, truth)
    after = np.where((truth == 1) & (noise.random(400) < 0.3), 1, before)
    base, head = (
        report_of(truth, np.where(one, 0.8, 0.2)[:, None], task="binary", names=("no", "yes"))
        for one in (before, after)
    )
    found = changes(base, head)
    wanted = {
        "recall": recall_score,
        "specificity": partial(recall_score, pos_label=0),
        "precision": precision_score,
        "f1": f1_score,
    }
    for name, score in wanted.items():
        assert found[name].paired, name
        assert found[name].difference == pytest.approx(score(truth, after) - score(truth, before), abs=1e-6)
    assert found["recall"].place == "better" and found["specificity"].place == "same"
    assert found["recall"].n == (truth == 1).sum() and found["f1"].n == 400


def test_a_metric_without_a_value_or_in_one_report_alone_is_left_out() -> None:
    base, head = report_of(TRUTH, scores_for(TRUTH)), report_of(TRUTH, scores_for(TRUTH))
    metrics = tuple(
        replace(m, value=Missing("no")) if m.name == "accuracy" else m for m in base.metrics if m.name != "mcc"
    )
    found = changes(replace(base, metrics=metrics), head)
    assert "accuracy" not in found and "mcc" not in found and "f1_macro" in found


def test_a_metric_that_the_records_do_not_carry_is_not_paired() -> None:
    """The records say 0.9 and 0.95; the report says something else of all samples."""
    base, head = report_of(TRUTH, scores_for(answers(40))), report_of(TRUTH, scores_for(answers(20)))
    metrics = tuple(replace(m, value=0.2, low=0.19, high=0.21) if m.name == "accuracy" else m for m in base.metrics)
    found = changes(replace(base, metrics=metrics), head)["accuracy"]
    assert not found.paired and found.difference == pytest.approx(0.75)


def test_two_models_of_one_quality_are_rarely_called_different(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 100 pairs of equally good models, at most 8 are called better or worse (95% intervals, exact test)."""
    monkeypatch.setattr(metric_changes, "paired_resamples", lambda counts: counts[None])  # of other metrics
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(100):
        truth = rng.integers(0, 4, 200)
        pair = [np.where(rng.random(200) < 0.15, (truth + 1) % 4, truth) for _ in range(2)]
        found = changes(*(report_of(truth, scores_for(one)) for one in pair))["accuracy"]
        called += found.place in ("better", "worse")
    assert called <= 8


def test_an_output_that_does_another_task_is_not_compared() -> None:
    """Accuracy is in both, but of two classes in one and of four in the other."""
    two = TRUTH % 2
    binary = report_of(two, scores_for(two, classes=2)[:, 1:], task="binary", names=("no", "yes"))
    report = report_of(TRUTH, scores_for(TRUTH))
    assert compare(binary, report).metrics == () and compare(binary, report).other_tasks == (
        ("animal", "binary", "multiclass"),
    )


def test_dice_of_each_sample_is_paired_and_better_when_it_grows() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, (30, 8, 8))

    def masks(noise: float) -> np.ndarray:
        shown = np.where(rng.random(truth.shape) < noise, 1 - truth, truth)
        return np.eye(2)[shown]

    base, head = (report_of(truth, masks(noise), task="segmentation", names=("no", "yes")) for noise in (0.3, 0.05))
    found = changes(base, head)["dice_per_sample"]
    assert found.paired and found.place == "better" and found.n == 30
