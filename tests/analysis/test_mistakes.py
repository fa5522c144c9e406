"""Mistakes told apart: suspicious labels, wrong models, identical samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from reportgen.analysis.evidence import RecordArrays
from reportgen.analysis.mistakes import find_twins, judge_mistakes


def records(truth: Any, said: Any, confidence: Any, keys: Any = None, classes: int = 4) -> RecordArrays:
    """Return records of a classifier that gives the rest of its probability to the other classes alike."""
    truth, said, confidence = (np.asarray(part, np.float64) for part in (truth, said, confidence))
    n = len(truth)
    own = np.where(truth == said, confidence, (1 - confidence) / (classes - 1))
    return RecordArrays(
        keys=np.arange(n, dtype=np.uint64) if keys is None else np.asarray(keys, np.uint64),
        occurrences=np.zeros(n, np.uint32),
        positions=np.arange(n),
        truth=truth,
        prediction=said,
        confidence=confidence.astype(np.float32),
        loss=-np.log(own).astype(np.float32),
        ids=(),
        rule=f"all {n} samples",
    )


def reliable(n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, answers and confidences of a model that is always right and 99.9% sure."""
    truth = np.arange(n) % 4
    return truth, truth.copy(), np.full(n, 0.999)


def test_a_changed_label_is_found_where_a_reliable_model_is_sure() -> None:
    truth, said, confidence = reliable()
    truth[7] = 2
    (found,) = judge_mistakes(records(truth, said, confidence), "multiclass", True)
    assert found.row == 7 and found.suspicious and "399 others" in found.why


def test_a_hesitant_mistake_is_the_models() -> None:
    truth, said, confidence = reliable()
    said[7], confidence[7] = 2, 0.8
    (found,) = judge_mistakes(records(truth, said, confidence), "multiclass", True)
    assert not found.suspicious and "not sure enough (80.0%)" in found.why


def test_an_overconfident_model_accuses_no_label() -> None:
    truth, said, _ = reliable()
    said[::5] = (said[::5] + 1) % 4
    found = judge_mistakes(records(truth, said, np.full(400, 0.999)), "multiclass", True)
    assert len(found) == 80 and not any(item.suspicious for item in found)
    assert "only 320 of 399" in found[0].why


def test_too_few_other_sure_answers_accuse_no_label() -> None:
    truth, said, confidence = reliable(16)
    truth[3] = 0
    assert not judge_mistakes(records(truth, said, confidence), "multiclass", True)[0].suspicious


def test_scores_that_are_no_probabilities_accuse_no_label() -> None:
    truth, said, confidence = reliable()
    truth[7] = 2
    (found,) = judge_mistakes(records(truth, said, confidence), "multiclass", False)
    assert not found.suspicious and "without probabilities" in found.why


def test_identical_samples_with_other_labels_conflict_even_without_probabilities() -> None:
    truth, said, confidence = reliable(40)
    keys = np.arange(40)
    keys[[5, 9, 13]] = 5
    truth[[5, 9, 13]] = [1, 1, 2]
    made = records(truth, said, confidence, keys)
    (group,) = find_twins(made)
    assert group.rows == (5, 9, 13) and group.conflict
    (found,) = judge_mistakes(made, "multiclass", False)
    assert found.row == 13 and found.suspicious and "identical" in found.why


def test_identical_samples_with_one_label_do_not_conflict_and_unknown_labels_do_not_count() -> None:
    made = records([0.0, np.nan, 0.0, 1.0], [0, 0, 0, 1], [0.9] * 4, [3, 3, 3, 4])
    (group,) = find_twins(made)
    assert group.rows == (0, 1, 2) and not group.conflict


def test_a_single_far_miss_of_a_number_is_suspicious_and_heavy_tails_are_not() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 10, 500)
    said = truth + rng.normal(0, 1, 500)
    truth[42] += 60
    (found,) = judge_mistakes(records(truth, said, np.full(500, 0.5)), "regression", False)
    assert found.row == 42 and found.suspicious and "times the usual spread" in found.why
    heavy = truth + rng.standard_t(1, 500)
    many = judge_mistakes(records(truth, heavy, np.full(500, 0.5)), "regression", False)
    assert len(many) > 5 and not any(item.suspicious for item in many)


def test_suspicious_labels_come_first_and_then_the_largest_loss() -> None:
    truth, said, confidence = reliable()
    truth[7] = 2
    said[[20, 21]] = (said[[20, 21]] + 1) % 4
    confidence[[20, 21]] = [0.6, 0.9]
    assert [item.row for item in judge_mistakes(records(truth, said, confidence), "multiclass", True)] == [7, 21, 20]


def test_no_record_is_no_mistake() -> None:
    empty = records([], [], [])
    assert judge_mistakes(empty, "multiclass", True) == () and find_twins(empty) == ()


def test_whole_labels_tell_conflicts_that_a_count_of_labels_hides() -> None:
    made = records([2, 2, 1, 1], [2, 2, 1, 1], [0.9] * 4, keys=[5, 5, 6, 6])
    assert not any(group.conflict for group in find_twins(made))
    made = replace(made, labels=np.asarray([11, 12, 13, 13], np.uint64))
    assert {group.rows: group.conflict for group in find_twins(made)} == {(0, 1): True, (2, 3): False}


def test_a_rare_class_is_not_accused_where_the_model_expects_to_miss_some() -> None:
    truth = (np.arange(20_000) % 500 == 0).astype(float)
    found = judge_mistakes(records(truth, np.zeros(20_000), np.full(20_000, 0.998), classes=2), "binary", True)
    assert len(found) == 40 and not any(item.suspicious for item in found)
    # The bar of the class (99.6% on average) is not reached here, nor would 40 expected mistakes allow it.
    sure = np.where(np.arange(20_000) % 2, 0.9985, 0.9999)
    found = judge_mistakes(records(truth, np.zeros(20_000), sure, classes=2), "binary", True)
    assert "the model itself expects" in found[0].why and not any(item.suspicious for item in found)


def test_a_class_that_is_seldom_given_rightly_accuses_no_label() -> None:
    truth, said, confidence = reliable()
    said = said.copy()
    said[:12], truth[:12] = 9, 1
    truth[6:12] = 9
    found = judge_mistakes(records(truth, said, confidence, classes=10), "multiclass", True)
    assert len(found) == 6 and not any(item.suspicious for item in found)
