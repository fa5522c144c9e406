"""Which samples are the same in two reports, and which of them changed sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reportgen.comparison import compare
from reportgen.comparison.pairing import fair_records, pair_outputs
from reportgen.comparison.sample_changes import Sides
from reportgen.report.types import Report
from reportgen.report.values import Column
from tests.comparison.two_reports import NAMES, report_of, scores_for

TRUTH = np.array([0, 1, 2, 3] * 25)


def wrong_at(*rows: int, truth: np.ndarray = TRUTH) -> np.ndarray:
    found = truth.copy()
    found[list(rows)] = (found[list(rows)] + 1) % 4
    return scores_for(found)


def sides(base: Report, head: Report) -> Sides:
    return compare(base, head).sides[0]


def test_newly_wrong_newly_right_and_still_wrong_are_counted() -> None:
    found = sides(report_of(TRUTH, wrong_at(1, 2, 3)), report_of(TRUTH, wrong_at(3, 4, 5, 6)))
    count = found.count
    assert (count.newly_wrong, count.newly_right, count.still_wrong, count.shared) == (3, 2, 1, 100)
    assert sorted(found.pairing.keys[found.newly_wrong]) == [4, 5, 6]
    assert sorted(found.pairing.keys[found.newly_right]) == [1, 2]


def test_the_order_of_the_samples_does_not_matter() -> None:
    order = np.random.default_rng(0).permutation(100)
    head = report_of(TRUTH[order], wrong_at(4)[order], keys=order)
    found = sides(report_of(TRUTH, wrong_at()), head)
    assert found.count.newly_wrong == 1 and found.pairing.keys[found.newly_wrong].tolist() == [4]


def test_ids_win_over_content_when_they_are_unique_in_both() -> None:
    """The same ids stand for other contents (a new preprocessing): matched all the same."""
    ids = [f"s{i}" for i in range(100)]
    base = report_of(TRUTH, wrong_at(), ids=ids)
    head = report_of(TRUTH, wrong_at(7), ids=ids, keys=np.arange(500, 600))
    found = sides(base, head)
    assert found.pairing.by_id and found.count.shared == 100 and found.count.newly_wrong == 1


def test_ids_that_repeat_are_not_matched_by() -> None:
    ids = ["same"] * 100
    found = sides(report_of(TRUTH, wrong_at(), ids=ids), report_of(TRUTH, wrong_at(7), ids=ids))
    assert not found.pairing.by_id and found.count.newly_wrong == 1


def test_copies_of_a_sample_are_told_apart_by_their_number() -> None:
    report = report_of(TRUTH[:2], wrong_at()[:2], keys=np.array([9, 9]))
    table = replace(report.samples[0], occurrences=Column.pack([0, 1], "|u1"))
    twice = replace(report, samples=(table,))
    assert sides(twice, twice).count.shared == 2


def test_a_sample_with_another_label_is_not_judged_but_counted() -> None:
    relabelled = TRUTH.copy()
    relabelled[:3] = (relabelled[:3] + 2) % 4
    count = sides(report_of(TRUTH, wrong_at()), report_of(relabelled, wrong_at())).count
    assert count.labels_changed == 3 and count.shared == 97 and count.newly_wrong == 0


def test_classes_in_another_order_are_matched_by_their_names() -> None:
    turned = 3 - TRUTH
    head = report_of(turned, scores_for(turned), names=NAMES[::-1])
    found = sides(report_of(TRUTH, wrong_at(5)), head)
    assert found.count.labels_changed == 0 and found.count.newly_right == 1 and found.count.newly_wrong == 0


def test_an_output_of_another_name_is_matched_when_it_is_the_only_one() -> None:
    head = report_of(TRUTH, wrong_at(5), output="species")
    assert sides(report_of(TRUTH, wrong_at()), head).count.newly_wrong == 1


def test_outputs_of_different_tasks_are_not_compared() -> None:
    values = np.zeros((100, 1))
    other = report_of(values, values, task="regression", scores="values", names=())
    assert pair_outputs(other, report_of(TRUTH, wrong_at())) == ()


def test_for_regression_a_grown_loss_is_newly_wrong() -> None:
    truth = np.arange(6.0)[:, None]
    base = report_of(truth, truth + 1, task="regression", scores="values", names=())
    head = report_of(
        truth, truth + np.array([0, 1, 2, 3, 4, 5.0])[:, None], task="regression", scores="values", names=()
    )
    found = sides(base, head)
    assert (found.count.by, found.count.newly_wrong, found.count.newly_right) == ("loss", 4, 1)
    assert found.pairing.keys[found.newly_wrong].tolist() == [5, 4, 3, 2]


def test_records_kept_for_their_loss_do_not_speak_for_the_batch() -> None:
    """Of 1,000 samples each report holds the 80 with the smallest keys, and 20 of its own worst ones."""
    keys = np.concatenate([np.arange(80), 500 + np.arange(20)])
    base = report_of(TRUTH, wrong_at(), keys=keys, total=1_000)
    head = report_of(TRUTH, wrong_at(*range(80, 100)), keys=keys, total=1_000)
    stated = [replace(r, samples=(replace(r.samples[0], fair=80),)) for r in (base, head)]
    assert sides(*stated).count.shared == 80 and sides(*stated).count.newly_wrong == 0
    assert fair_records(base.samples[0]) == 90  # a report that does not say


def test_labels_or_answers_that_are_missing_are_not_judged() -> None:
    truth = TRUTH.astype(float)
    truth[:10] = np.nan
    count = sides(report_of(TRUTH, wrong_at()), report_of(truth, wrong_at(0, 50))).count
    assert count.shared == 90 and count.newly_wrong == 1
