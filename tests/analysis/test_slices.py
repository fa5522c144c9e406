"""Weak slices: tests against SciPy, planted slices found, noise not, and features gathered in bounded rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from reportgen.analysis.feature_facts import SliceSearch
from reportgen.analysis.feature_rows import Columns, FeatureRows, plan_columns
from reportgen.analysis.slices import ALPHA, find_slices, fisher_tail, welch_tail

NOTHING: Any = np.zeros((0, 0), "U1")


def search(errors: Any, numbers: Any, **more: Any) -> SliceSearch:
    errors, numbers = np.asarray(errors, float), np.asarray(numbers, float)
    texts = more.pop("texts", np.zeros((len(errors), 0), "U1"))
    names = [f"f{i}" for i in range(numbers.shape[1])]
    found = find_slices(errors, numbers, names, texts, [f"t{i}" for i in range(texts.shape[1])], **more)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("hits", "n", "all_hits", "total"), [(5, 20, 9, 200), (0, 10, 3, 50), (10, 10, 10, 40), (30, 100, 120, 900)]
)
def test_the_exact_tail_is_scipys(hits: int, n: int, all_hits: int, total: int) -> None:
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, total + 1)))])
    table = [[hits, n - hits], [all_hits - hits, total - n - all_hits + hits]]
    wanted = stats.fisher_exact(table, alternative="greater").pvalue
    assert fisher_tail(hits, n, all_hits, total, logs) == pytest.approx(wanted, rel=1e-9)


def test_the_tail_of_two_means_is_scipys() -> None:
    rng = np.random.default_rng(1)
    for shift in (-0.5, 0.0, 1.0, 4.0):
        inside, outside = rng.normal(shift, 2, 30), rng.normal(0, 1, 200)
        wanted = stats.ttest_ind(inside, outside, equal_var=False, alternative="greater").pvalue
        assert welch_tail(inside, outside) == pytest.approx(wanted, rel=1e-8, abs=1e-14)


def test_a_planted_range_is_found_with_its_n_and_rates() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(800, 6))
    bad = x[:, 3] > np.quantile(x[:, 3], 0.9)
    errors = (rng.random(800) < np.where(bad, 0.5, 0.05)).astype(float)
    found = search(errors, x)
    worst = found.slices[0]
    assert (worst.feature, worst.part) == ("f3", "highest tenth") and worst.chance < 1e-6
    inside = x[:, 3] >= worst.low
    assert worst.n == inside.sum() and worst.error == pytest.approx(errors[inside].mean())
    assert worst.rest == pytest.approx(errors[~inside].mean())
    assert worst.error_low > worst.rest, "the interval for all slices together should exclude the rest"
    assert found.tried == 36 and found.wrong


def test_a_planted_category_and_missing_values_are_found() -> None:
    rng = np.random.default_rng(3)
    texts = rng.choice(["red", "green", "blue"], (600, 1))
    numbers = rng.normal(size=(600, 1))
    numbers[::4] = np.nan
    size = rng.exponential(1, 600) + 2 * (texts[:, 0] == "red") + 4 * np.isnan(numbers[:, 0])
    found = search(size, numbers, texts=texts)
    assert [(s.feature, s.category) for s in found.slices[:2]] == [("f0", "missing"), ("t0", "red")]
    assert not found.wrong and all(s.chance < 0.001 for s in found.slices[:2])


def test_noise_is_called_weak_in_at_most_one_of_twenty_searches() -> None:
    alarms = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        found = search((rng.random(300) < 0.2).astype(float), rng.normal(size=(300, 20)))
        alarms += any(s.chance < ALPHA for s in found.slices)
    assert alarms <= 18, "the correction for the slices tried should hold the rate of false alarms at 5%"


def test_few_values_are_slices_of_their_own_and_small_slices_are_not_tried() -> None:
    flag = np.repeat([0.0, 1.0], [92, 8])
    found = search(np.tile([0.0, 1.0], 50), flag[:, None])
    assert found.fewest == 10 and found.tried == 0
    assert search(np.tile([0.0, 1.0], 50), np.repeat([0.0, 1.0], [80, 20])[:, None]).tried == 2


def test_errors_without_spread_and_few_samples_are_no_search() -> None:
    assert search(np.zeros(100), np.arange(100.0)[:, None]).slices == ()
    assert find_slices(np.ones(30), np.zeros((30, 1)), ["a"], np.zeros((30, 0), "U1"), []) is None
    unknown = search(np.r_[np.full(50, np.nan), np.zeros(25), np.ones(25)], np.arange(100.0)[:, None])
    assert unknown.n == 50


def test_lengths_are_shown_by_quarters() -> None:
    words = np.repeat(np.arange(1.0, 41.0), 10)
    errors = (np.arange(400) % 400 >= 300).astype(float)
    found = search(errors, words[:, None], lengths=(True,))
    assert [s.error for s in found.lengths] == [0, 0, 0, 1] and [s.high for s in found.lengths] == [10, 20, 30, 40]


# What is gathered of each sample


def test_inputs_become_numbers_texts_tokens_or_nothing() -> None:
    shapes = {"a": (3,), "b": (), "c": (40,), "d": (8, 8, 1), "e": (500,)}
    dtypes = {"a": "float32", "b": "str128", "c": "int32", "d": "float32", "e": "float32"}
    plans = plan_columns(shapes, dtypes, {"a": ("x", "y", "z")}, {}, tokens=True)
    assert [(p.key, p.kind) for p in plans] == [("a", "numbers"), ("b", "text"), ("c", "tokens")]
    assert plans[0].names == ("x", "y", "z")
    assert [p.kind for p in plan_columns({"c": (40,)}, {"c": "int32"}, {}, {}, tokens=False)] == ["numbers"]


def test_rows_are_bounded_and_do_not_depend_on_the_split() -> None:
    columns = (Columns("x", "numbers", ("a", "b")), Columns("t", "text", ("t",)))
    x, t = np.arange(1000.0).reshape(500, 2), np.array([f"word {i} of text" for i in range(500)])

    def gathered(step: int) -> FeatureRows:
        rows = FeatureRows(columns, seed=3, limit=60)
        for start in range(0, 500, step):
            part = slice(start, start + step)
            rows.add(np.arange(500)[part], {"x": x[part], "t": t[part]}, x[part, :1])
        return rows

    first, second = gathered(500), gathered(7)
    one, two = first.result(), second.result()
    assert one and two and len(one[0]) == 60 and first.rule() == "60 of 500 samples, drawn with seed 3"
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)
    assert first.names == ("a", "b", "words of t", "characters of t") and first.lengths == (False, False, True, True)
    assert (one[1][:, 2] == 4).all()


def test_texts_are_not_kept_where_content_is_hidden() -> None:
    rows = FeatureRows((Columns("t", "text", ("t",)),), named=False)
    rows.add(np.arange(2), {"t": np.array(["secret one", "b"])})
    held = rows.result()
    assert held and held[2].shape == (2, 0) and rows.text_names == ()


def test_redacted_columns_and_inputs_leave_neither_slices_nor_importance() -> None:
    from reportgen.analysis.feature_facts import Importance, ImportanceFacts, without_features

    rng = np.random.default_rng(0)
    found = search((rng.random(200) < 0.3).astype(float), rng.normal(size=(200, 3)))
    facts = ImportanceFacts(1.0, 10, 2, 60, tuple(Importance(name, 1, 0, 2) for name in ("f0", "age", "table[3]")))
    left, importance = without_features(found, facts, ("f0", "table"), False)
    assert left and importance and {s.feature for s in found.slices} > {s.feature for s in left.slices}
    assert "f0" not in {s.feature for s in left.slices} and left.tried == found.tried
    assert [item.feature for item in importance.features] == ["age"]
    assert without_features(found, facts, ("x",), True) == (None, None)
