"""Intervals against SciPy, and their coverage on simulated data."""

import math

import numpy as np
import pytest
from scipy import stats

from reportgen.analysis import intervals


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (0, 30), (30, 30), (7, 20), (950, 1_000), (1, 100_000)])
def test_wilson_equals_scipy(hits, n):
    expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert intervals.wilson_pair(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_nothing_is_unknown_and_arrays_work():
    assert all(math.isnan(end) for end in intervals.wilson_pair(0, 0))
    low, high = intervals.wilson(np.arange(5), np.full(5, 4))
    assert (low <= np.arange(5) / 4).all() and (high >= np.arange(5) / 4).all()
    assert low[0] == 0 and high[4] == 1


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 10, 29, 100, 5_000, 99_999, 10**6, 10**9])
def test_t_quantile_equals_scipy(freedom):
    assert intervals.t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=2e-5)
    assert intervals.t_quantile(freedom, 0.9) == pytest.approx(stats.t.ppf(0.9, freedom), rel=2e-5)


def test_mean_interval_equals_scipy():
    values = np.random.default_rng(0).normal(3, 2, 17)
    squares = ((values - values.mean()) ** 2).sum()
    expected = stats.t.interval(0.95, 16, values.mean(), stats.sem(values))
    assert intervals.mean_interval(values.mean(), squares, 17) == pytest.approx(expected)


@pytest.mark.parametrize(("squares", "n"), [(0.0, 0), (0.0, 1), (math.nan, 5), (math.inf, 5)])
def test_mean_interval_is_unknown_without_two_finite_samples(squares, n):
    assert all(math.isnan(end) for end in intervals.mean_interval(1.0, squares, n))


def test_bootstrap_of_counts_agrees_with_the_binomial():
    def share(drawn):
        return drawn[:, 0] / drawn.sum(axis=1)

    low, high, method = intervals.bootstrap_counts(np.asarray([300, 700]), share)
    expected = stats.binom.ppf([0.025, 0.975], 1_000, 0.3) / 1_000
    assert [float(low), float(high)] == pytest.approx(expected, abs=0.006)
    assert method == "bootstrap, 1,000 resamples, seed 0"
    again = intervals.bootstrap_counts(np.asarray([300, 700]), share)
    assert (low, high) == again[:2]
    assert intervals.bootstrap_counts(np.asarray([300, 700]), share, seed=1)[:2] != (low, high)


def test_bootstrap_of_rows_agrees_with_the_standard_error():
    rows = np.random.default_rng(1).normal(size=(500, 1))
    low, high, _ = intervals.bootstrap_rows(rows, lambda means: means[:, 0])
    half = 1.96 * rows.std() / math.sqrt(500)
    assert [float(low), float(high)] == pytest.approx([rows.mean() - half, rows.mean() + half], abs=0.012)


def test_a_large_table_gets_fewer_resamples_and_says_so():
    _, _, method = intervals.bootstrap_counts(np.ones(10_000, int), lambda drawn: drawn[:, 0], draws=10_000)
    assert "200 resamples" in method


def test_resamples_where_the_statistic_is_undefined_are_left_out():
    values = np.asarray([[1.0, math.nan], [2.0, math.nan], [math.nan, math.nan]])
    low, high = intervals.percentile_ends(values)
    assert 1.0 <= low[0] <= high[0] <= 2.0
    assert math.isnan(low[1]) and math.isnan(high[1])


def test_an_empty_table_has_no_interval():
    low, high, _ = intervals.bootstrap_counts(np.zeros(4, int), lambda drawn: drawn[:, 0] / drawn.sum(axis=1))
    assert math.isnan(low) and math.isnan(high)
