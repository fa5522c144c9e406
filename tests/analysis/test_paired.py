"""Is a difference between two runs more than chance: published figures, SciPy, and simulated runs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from reportgen.analysis.paired import (
    independent_change,
    mcnemar_exact,
    paired_means,
    paired_resamples,
    paired_shares,
)


def test_the_published_example_of_two_culture_media() -> None:
    """Armitage and Berry (1994), 50 specimens: 20 both, 12 and 2 one alone, 16 neither; p and Newcombe's interval."""
    assert mcnemar_exact(2, 12) == pytest.approx(0.0129, abs=5e-5)
    assert paired_shares(both=20, lost=2, won=12, neither=16) == pytest.approx((0.0562, 0.3292), abs=5e-5)


@pytest.mark.parametrize(("lost", "won"), [(0, 1), (5, 0), (3, 9), (40, 41), (300, 220), (9_000, 11_000)])
def test_mcnemar_is_the_two_sided_binomial_test(lost: int, won: int) -> None:
    expected = stats.binomtest(min(lost, won), lost + won, 0.5).pvalue
    assert mcnemar_exact(lost, won) == pytest.approx(expected, rel=1e-8, abs=1e-300)


def test_without_a_change_there_is_no_surprise_and_an_interval_around_0() -> None:
    assert mcnemar_exact(0, 0) == 1
    low, high = paired_shares(both=40, lost=0, won=0, neither=10)
    assert low == pytest.approx(-high) and 0.02 < high < 0.1
    assert np.isnan(paired_shares(0, 0, 0, 0)).all()


def test_swapping_the_runs_turns_the_interval_around() -> None:
    low, high = paired_shares(70, 4, 11, 15)
    assert paired_shares(70, 11, 4, 15) == pytest.approx((-high, -low))


def test_the_paired_interval_covers_the_true_change_in_95_of_100_runs() -> None:
    rng = np.random.default_rng(3)
    shares = np.array([0.75, 0.05, 0.1, 0.1])
    tables = rng.multinomial(200, shares, size=2_000)
    ends = np.array([paired_shares(*map(int, table)) for table in tables])
    covered = ((ends[:, 0] <= 0.05) & (0.05 <= ends[:, 1])).mean()
    assert 0.935 <= covered <= 0.975


def test_mean_changes_are_those_of_the_paired_t_test() -> None:
    rng = np.random.default_rng(4)
    before, after = rng.normal(size=50), rng.normal(0.3, size=50)
    found = stats.ttest_rel(after, before).confidence_interval()
    assert paired_means(before, after) == pytest.approx((float(np.mean(after - before)), found.low, found.high))
    assert np.isnan(paired_means(np.zeros(0), np.zeros(0))).all()


def test_independent_runs_are_compared_as_newcombe_does() -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), table II: 56/70 and 48/80, method 10: 0.0524 to 0.3339."""
    from reportgen.analysis.intervals import wilson_pair

    found = independent_change(48 / 80, wilson_pair(48, 80), 56 / 70, wilson_pair(56, 70))
    assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_resamples_keep_the_number_of_samples_and_repeat() -> None:
    drawn = paired_resamples(np.array([10, 0, 30]))
    assert drawn.shape == (1_000, 3) and (drawn.sum(axis=1) == 40).all() and not drawn[:, 1].any()
    assert np.array_equal(drawn, paired_resamples(np.array([10, 0, 30])))
