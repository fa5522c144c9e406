"""Quantiles of errors beside a normal distribution's, against SciPy and NumPy."""

import numpy as np
import pytest
from scipy import stats

from reportgen.analysis.normality import normal_quantiles


def counted(values):
    return np.unique(values, return_counts=True)


def test_quantiles_equal_scipys_and_numpys():
    values = np.random.default_rng(0).normal(3, 2, 150)
    found = normal_quantiles(*counted(values))
    shares = (np.arange(150) + 0.5) / 150
    np.testing.assert_allclose(found.normal, stats.norm.ppf(shares), atol=1e-9)
    np.testing.assert_allclose(found.seen, (np.sort(values) - values.mean()) / values.std(ddof=1))
    assert found.n == 150


@pytest.mark.parametrize(("draw", "tail"), [("normal", 2.33), ("standard_t", 2.9), ("uniform", 1.70)])
def test_tails_tell_distributions_apart(draw, tail):
    rng = np.random.default_rng(1)
    values = rng.standard_t(3, 50_000) if draw == "standard_t" else getattr(rng, draw)(size=50_000)
    found = normal_quantiles(*counted(values))
    assert len(found.seen) == 199 and (np.diff(found.seen) >= 0).all()
    assert [found.low, found.high] == pytest.approx([-tail, tail], rel=0.12)
    assert found.high == pytest.approx((np.quantile(values, 0.99) - values.mean()) / values.std(), rel=0.01)


def test_copies_count_as_often_as_they_occur_and_constants_have_no_quantiles():
    values, counts = np.asarray([0.0, 1.0, 5.0]), np.asarray([7, 2, 1])
    many, few = normal_quantiles(values, counts), normal_quantiles(*counted(np.repeat(values, counts)))
    np.testing.assert_allclose(many.seen, few.seen)
    assert normal_quantiles(np.asarray([2.0]), np.asarray([50])) is None
    assert normal_quantiles(np.asarray([1.0, 2.0]), np.asarray([1, 1])) is None
