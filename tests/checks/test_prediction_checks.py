"""The checks that read predictions, labels and the batch: fired, not fired, not applicable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reportgen.analysis.evidence import Artifacts, Curve, History
from reportgen.checks import run_checks
from reportgen.report.types import Finding
from tests.evidence_builder import make_artifacts

Arrays = tuple[np.ndarray, np.ndarray]


def finding(code: str, artifacts: Artifacts) -> Finding:
    return next(f for f in run_checks(artifacts, {}) if f.code == code)


def sure(truth: np.ndarray, said: np.ndarray, classes: int, confidence: float = 0.9) -> Arrays:
    """Return (truth, scores) of a classifier that says `said`, always this sure."""
    scores = np.full((len(truth), classes), (1 - confidence) / (classes - 1))
    scores[np.arange(len(truth)), said] = confidence
    return truth, scores


def classifier(truth: np.ndarray, said: np.ndarray, classes: int, confidence: float = 0.9) -> Artifacts:
    return make_artifacts(arrays=sure(truth, said, classes, confidence), classes=classes)


def right_in(share: float, n: int, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and answers of which `share` are right."""
    truth = np.arange(n) % classes
    lots = np.random.default_rng(0).permutation(n)
    return truth, np.where(lots < round(share * n), truth, (truth + 1 + lots % (classes - 1)) % classes)


# worse-than-baseline


@pytest.mark.parametrize(("validation", "told"), [(2.28, True), (1.9, False)])
def test_what_was_learned_by_heart_is_told(validation: float, told: bool) -> None:
    """Labels that do not belong to their inputs: training gets below an even guess (2.30), validation never."""
    truth, said = right_in(0.25, 400)
    epochs = np.arange(1, 11)
    curves = (Curve("loss", epochs, np.linspace(2.4, 0.7, 10)), Curve("val_loss", epochs, np.full(10, validation)))
    found = finding("worse-than-baseline", replace(classifier(truth, said, 4), history=History("", curves)))
    assert found.outcome == "warned" and ("labels do not belong to their inputs" in found.text) == told
    assert (("best validation loss", validation) in [(e.label, e.value) for e in found.evidence]) == told


def test_worse_and_equal_are_told_apart() -> None:
    truth, said = right_in(0.05, 400)
    worse = finding("worse-than-baseline", classifier(truth, said, 4))
    assert worse.outcome == "warned" and "worse than the baseline" in worse.text
    equal = finding("worse-than-baseline", classifier(truth, np.zeros_like(truth), 4))
    assert equal.outcome == "warned" and "no better than the baseline" in equal.text
    assert "400 samples" in equal.text and "25.0%" in equal.text


def test_a_large_batch_shows_that_a_tiny_lead_is_no_lead() -> None:
    truth = np.where(np.arange(20_000) % 2 == 0, 0, 1)
    said = np.where(np.random.default_rng(1).random(20_000) < 0.505, truth, 1 - truth)
    assert finding("worse-than-baseline", classifier(truth, said, 2)).outcome == "warned"


def test_a_small_batch_that_cannot_tell_does_not_fire() -> None:
    truth, said = right_in(0.4, 20)
    found = finding("worse-than-baseline", classifier(truth, said, 4))
    assert found.outcome == "not_applicable" and "too close to call on 20 samples" in found.text


def test_a_model_that_finds_the_rare_class_at_the_price_of_accuracy_does_not_fire() -> None:
    truth = np.where(np.arange(1000) % 50 == 0, 1, 0)
    said = np.where((truth == 1) | (np.arange(1000) % 12 == 1), 1, 0)
    found = finding("worse-than-baseline", classifier(truth, said, 2))
    assert found.outcome == "passed" and "clearly better than its own baseline" in found.text


def test_random_answers_are_not_saved_by_macro_f1() -> None:
    rng = np.random.default_rng(2)
    truth, said = rng.integers(0, 10, 2000), rng.integers(0, 10, 2000)
    assert finding("worse-than-baseline", classifier(truth, said, 10)).outcome == "warned"


def test_labels_that_are_all_alike_cannot_be_judged() -> None:
    same = np.zeros(100, int)
    found = finding("worse-than-baseline", classifier(same, same, 3))
    assert found.outcome == "not_applicable" and "all labels are alike" in found.text


def test_regression_is_held_against_the_mean() -> None:
    good = make_artifacts("regression", classes=1)
    bad = make_artifacts("regression", classes=1, quality=-2.0)
    assert finding("worse-than-baseline", good).outcome == "passed"
    assert finding("worse-than-baseline", bad).outcome == "warned"


def test_without_labels_the_baseline_is_not_applicable() -> None:
    assert "needs a test batch with labels" in finding("worse-than-baseline", make_artifacts(labels=False)).text


# collapsed-predictions and class-never-predicted


def test_collapsed_predictions_fires_and_shows_the_range_of_the_input() -> None:
    truth = np.arange(200) % 4
    found = finding("collapsed-predictions", classifier(truth, np.full(200, 2), 4))
    assert found.outcome == "warned" and "class 2" in found.text
    assert any(e.label == "range of input input" for e in found.evidence)


def test_collapsed_predictions_is_silent_when_the_labels_are_one_class_too() -> None:
    truth = np.where(np.arange(200) % 20 == 0, 1, 0)
    assert finding("collapsed-predictions", classifier(truth, np.zeros(200, int), 4)).outcome == "passed"


def test_collapsed_predictions_is_silent_on_a_lopsided_but_working_model() -> None:
    truth = np.arange(200) % 4
    said = np.where(np.arange(200) % 10 == 0, truth, 2)
    assert finding("collapsed-predictions", classifier(truth, said, 4)).outcome == "passed"


def test_collapsed_predictions_needs_thirty_labels() -> None:
    truth = np.arange(20) % 4
    assert finding("collapsed-predictions", classifier(truth, np.full(20, 2), 4)).outcome == "not_applicable"
    assert finding("collapsed-predictions", make_artifacts(labels=False)).outcome == "not_applicable"


def test_collapsed_regression_and_segmentation() -> None:
    truth = np.random.default_rng(0).normal(150, 70, (200, 1))
    flat = truth * 0 + 150 + np.random.default_rng(1).normal(0, 0.1, truth.shape)
    found = finding("collapsed-predictions", make_artifacts("regression", arrays=(truth, flat), classes=1))
    assert found.outcome == "warned" and "close to 150" in found.text
    masks = np.zeros((40, 8, 8), int)
    masks[:, 2:6, 2:7] = 1
    background = np.stack([np.full(masks.shape, 0.9), np.full(masks.shape, 0.1)], axis=-1)
    segmented = make_artifacts("segmentation", arrays=(masks, background), classes=2)
    assert finding("collapsed-predictions", segmented).outcome == "warned"


def test_class_never_predicted_fires_and_says_what_it_is_taken_for() -> None:
    truth = np.arange(400) % 4
    said = np.where(truth == 3, 1, truth)
    found = finding("class-never-predicted", classifier(truth, said, 4))
    assert found.outcome == "warned" and "class 3" in found.text and "taken mostly for class 1: 100%" in found.text


def test_class_never_predicted_is_silent_on_few_samples_and_on_one_hit() -> None:
    truth = np.where(np.arange(400) < 12, 3, np.arange(400) % 3)
    few = finding("class-never-predicted", classifier(truth, np.where(truth == 3, 1, truth), 4))
    assert few.outcome == "passed"
    truth = np.arange(400) % 4
    said = np.where((truth == 3) & (np.arange(400) > 3), 1, truth)
    assert finding("class-never-predicted", classifier(truth, said, 4)).outcome == "passed"


def test_class_never_predicted_leaves_a_collapse_to_the_other_check() -> None:
    truth = np.arange(400) % 4
    assert finding("class-never-predicted", classifier(truth, np.zeros(400, int), 4)).outcome == "not_applicable"


def test_class_never_predicted_needs_a_class_with_twenty_labels() -> None:
    truth = np.arange(40) % 4
    assert finding("class-never-predicted", classifier(truth, truth, 4)).outcome == "not_applicable"


# miscalibrated


def test_miscalibrated_fires_on_a_model_that_is_too_sure() -> None:
    truth, said = right_in(0.6, 600)
    found = finding("miscalibrated", classifier(truth, said, 4, confidence=0.97))
    assert found.outcome == "warned" and "surer than it should be" in found.text


def test_miscalibrated_is_silent_on_honest_and_on_modest_models() -> None:
    truth, said = right_in(0.9, 600)
    assert finding("miscalibrated", classifier(truth, said, 4, confidence=0.9)).outcome == "passed"
    assert finding("miscalibrated", classifier(truth, said, 4, confidence=0.75)).outcome == "passed"


def test_miscalibrated_needs_probabilities_and_two_hundred_labels() -> None:
    truth, said = right_in(0.6, 150)
    assert finding("miscalibrated", classifier(truth, said, 4, confidence=0.97)).outcome == "not_applicable"
    truth, said = right_in(0.6, 600)
    scores = make_artifacts(arrays=sure(truth, said, 4, 0.97), classes=4, scores="scores")
    assert finding("miscalibrated", scores).outcome == "not_applicable"


def test_a_binary_model_that_is_too_sure_both_ways_is_called_so() -> None:
    truth = (np.arange(800) % 2).reshape(-1, 1)
    lots = np.random.default_rng(0).random(truth.shape)
    said = np.where(lots < 0.65, truth, 1 - truth)
    scores = np.where(said == 1, 0.98, 0.02)
    found = finding("miscalibrated", make_artifacts("binary", arrays=(truth, scores), classes=2))
    assert found.outcome == "warned" and "surer than it should be" in found.text


# too-few-samples-to-tell


@pytest.mark.parametrize(("n", "share", "outcome"), [(30, 0.8, "warned"), (60, 0.5, "warned"), (200, 0.8, "passed")])
def test_too_few_samples_follows_the_interval(n: int, share: float, outcome: str) -> None:
    truth, said = right_in(share, n)
    assert finding("too-few-samples-to-tell", classifier(truth, said, 4)).outcome == outcome


def test_too_few_samples_for_means_counts_samples() -> None:
    assert finding("too-few-samples-to-tell", make_artifacts("regression", classes=1, n=20)).outcome == "warned"
    assert finding("too-few-samples-to-tell", make_artifacts("regression", classes=1, n=100)).outcome == "passed"
    assert finding("too-few-samples-to-tell", make_artifacts(labels=False)).outcome == "not_applicable"


# duplicate-samples


def with_repeats(repeats: int, n: int = 200) -> Artifacts:
    artifacts = make_artifacts(n=n)
    assert artifacts.worker is not None
    output = artifacts.worker.outputs[0]
    keys = output.records.keys.copy()
    keys[1 : repeats + 1] = keys[0]
    twice = replace(output, records=replace(output.records, keys=keys))
    return replace(artifacts, worker=replace(artifacts.worker, outputs=(twice,)))


def test_duplicates_fire_from_the_threshold_on_and_name_the_most_frequent() -> None:
    artifacts = with_repeats(20)
    found = finding("duplicate-samples", artifacts)
    assert artifacts.worker is not None
    key = int(artifacts.worker.outputs[0].records.keys[0])
    assert found.outcome == "warned" and found.samples == (f"{key:016x}",) and "occurs 21 times" in found.text


def test_a_few_duplicates_are_stated_but_do_not_fire() -> None:
    assert "2 of 200" in finding("duplicate-samples", with_repeats(2)).text
    assert finding("duplicate-samples", with_repeats(2)).outcome == "passed"
    assert finding("duplicate-samples", with_repeats(0)).outcome == "passed"


def test_one_sample_cannot_have_duplicates() -> None:
    assert finding("duplicate-samples", make_artifacts(n=1)).outcome == "not_applicable"


# constant-input-features


def with_constants(constant: int, shape: tuple[int, ...] = (30,), n: int = 200) -> Artifacts:
    artifacts = make_artifacts(n=n)
    assert artifacts.worker is not None
    facts = replace(artifacts.worker.inputs[0], shape=shape, constant_features=constant)
    return replace(artifacts, worker=replace(artifacts.worker, inputs=(facts,)))


def test_constant_features_fire_when_half_of_a_table_never_changes() -> None:
    assert finding("constant-input-features", with_constants(15)).outcome == "warned"
    few = finding("constant-input-features", with_constants(3))
    assert few.outcome == "passed" and "3 of 30 features" in few.text


def test_constant_features_leave_out_pictures_and_tiny_batches() -> None:
    assert finding("constant-input-features", with_constants(60, (8, 8, 1))).outcome == "not_applicable"
    assert finding("constant-input-features", with_constants(30, n=10)).outcome == "not_applicable"


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("task", ["multiclass", "binary", "regression", "segmentation", "multilabel", "sequence"])
def test_no_prediction_check_breaks_on_tiny_batches(task: str, n: int) -> None:
    findings = run_checks(make_artifacts(task, n=n, classes=1 if task == "regression" else 3), {})
    assert not [(f.code, f.text) for f in findings if f.outcome == "error"]


# label-suspects


def test_changed_labels_are_suspicious_where_a_sure_model_is_reliable() -> None:
    truth, said = right_in(1.0, 400)
    labels = truth.copy()
    labels[[7, 8]] = (labels[[7, 8]] + 1) % 4
    found = finding("label-suspects", classifier(labels, said, 4, 0.999))
    assert found.outcome == "warned" and "2 labels are suspicious" in found.text and "suspicion" in found.text
    assert len(found.samples) == 2


def test_mistakes_of_a_hesitant_or_of_an_unreliable_model_accuse_no_label() -> None:
    truth, said = right_in(0.97, 400)
    assert finding("label-suspects", classifier(truth, said, 4, 0.9)).outcome == "passed"
    truth, said = right_in(0.7, 400)
    assert finding("label-suspects", classifier(truth, said, 4, 0.999)).outcome == "passed"


def test_identical_samples_with_different_labels_are_reported() -> None:
    made = classifier(*right_in(1.0, 400), 4)
    assert made.worker is not None
    output = made.worker.outputs[0]
    keys = output.records.keys.copy()
    keys[[10, 11]] = keys[10]
    records = replace(output.records, keys=keys)
    found = finding(
        "label-suspects", replace(made, worker=replace(made.worker, outputs=(replace(output, records=records),)))
    )
    assert found.outcome == "warned" and "1 group of identical samples with different labels" in found.text


def test_scores_that_are_no_probabilities_have_no_suspects_to_judge() -> None:
    found = finding("label-suspects", make_artifacts(scores="scores", n=200))
    assert found.outcome == "not_applicable"


# imbalance-hides-failure


def rare(found_share: float, n: int = 2000, each: int = 25) -> tuple[np.ndarray, np.ndarray]:
    """Return labels with one rare class in two, found in this share of its cases; all others are right."""
    truth = np.where(np.arange(n) % each == 0, 1, 0)
    places = np.flatnonzero(truth)
    said = truth.copy()
    said[places[round(found_share * len(places)) :]] = 0
    return truth, said


def test_a_rare_class_that_is_mostly_missed_behind_a_high_accuracy_fires() -> None:
    found = finding("class-imbalance-hides-failure", classifier(*rare(0.2), 2))
    assert found.outcome == "warned" and "20.0% of its cases" in found.text and "96.8% of all answers" in found.text


def test_a_rare_class_that_is_mostly_found_passes() -> None:
    assert finding("class-imbalance-hides-failure", classifier(*rare(0.8), 2)).outcome == "passed"


def test_a_handful_of_rare_samples_is_too_few_to_judge() -> None:
    found = finding("class-imbalance-hides-failure", classifier(*rare(0.2, n=400, each=40), 2))
    assert found.outcome == "not_applicable"


def test_balanced_classes_have_no_rare_one() -> None:
    assert finding("class-imbalance-hides-failure", classifier(*right_in(0.9, 400), 4)).outcome == "not_applicable"


def test_a_low_accuracy_hides_nothing() -> None:
    truth, said = rare(0.2)
    said[::3] = 1 - said[::3]
    assert finding("class-imbalance-hides-failure", classifier(truth, said, 2)).outcome != "warned"
