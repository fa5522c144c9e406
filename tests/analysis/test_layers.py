"""Histogram bins, the quantiles read from them, and outliers among layers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.analysis import layers


def test_bins_are_ascending_by_value_and_meet_without_gaps() -> None:
    low, high = layers.bin_limits()
    assert low.shape == high.shape == (layers.BINS,)
    assert np.array_equal(high[:-1], low[1:])
    assert np.all(low < high)
    assert low[0] == -1e8 and high[-1] == 1e8


def test_zero_and_tiny_values_share_the_zero_bin() -> None:
    assert set(layers.bin_indices(np.array([0.0, -0.0, 9e-9, -9e-9, 5e-324]))) == {layers.ZERO_BIN}


def test_sign_separates_values_of_equal_magnitude() -> None:
    plus, minus = layers.bin_indices(np.array([0.5, -0.5]))
    assert plus - layers.ZERO_BIN == layers.ZERO_BIN - minus > 0


def test_magnitudes_beyond_the_range_are_counted_in_the_last_bins() -> None:
    histogram = layers.count_bins(np.array([1e8, 1e30, 1.7e308, -1e9]))
    assert histogram[-1] == 3 and histogram[0] == 1


def test_non_finite_values_are_not_counted() -> None:
    assert layers.count_bins(np.array([np.nan, np.inf, -np.inf, 1.0])).sum() == 1


def test_the_documented_in_graph_formula_gives_the_same_index_in_float32() -> None:
    values = np.random.default_rng(0).normal(size=50_000).astype(np.float32)
    k = np.floor(np.log(np.abs(values)) * np.float32(layers.SCALE) + np.float32(layers.OFFSET))
    index = layers.ZERO_BIN + np.sign(values) * (np.clip(k, -1, layers.MAGNITUDE_BINS - 1) + 1)
    assert np.mean(index.astype(int) == layers.bin_indices(values)) > 0.9999


@given(st.lists(st.floats(-1e7, 1e7), min_size=1, max_size=200), st.floats(0, 1))
def test_a_quantile_lies_within_its_stated_bounds(values: list[float], q: float) -> None:
    ordered = np.sort(np.array(values))
    exact = ordered[min(max(math.ceil(q * len(values)), 1), len(values)) - 1]
    found = layers.compute_quantile(layers.count_bins(ordered), q, float(ordered[0]), float(ordered[-1]))
    slack = 1e-9 * max(abs(exact), 1e-8)
    assert found.low - slack <= exact <= found.high + slack
    assert found.low <= found.value <= found.high
    if abs(exact) > 1e-8:
        ratio = found.value / exact
        assert 1 / layers.QUANTILE_FACTOR**2 <= ratio <= layers.QUANTILE_FACTOR**2


def test_the_middle_of_a_bin_is_off_by_at_most_the_stated_factor() -> None:
    values = np.abs(np.random.default_rng(1).lognormal(0, 4, 5001))
    exact = np.sort(values)[2500]
    found = layers.compute_quantile(layers.count_bins(values), 0.5)
    assert 1 / layers.QUANTILE_FACTOR <= found.value / exact <= layers.QUANTILE_FACTOR * 1.0001


@pytest.mark.parametrize("value", [9999999.999999998, 1e8, 1e-8, -1e-8, 0.1, 1e300])
def test_a_value_on_an_edge_is_its_own_quantile(value: float) -> None:
    found = layers.compute_quantile(layers.count_bins(np.array([value])), 0.5, value, value)
    assert (found.low, found.value, found.high) == (value, value, value)


def test_an_empty_histogram_has_no_quantile() -> None:
    assert math.isnan(layers.compute_quantile(np.zeros(layers.BINS, int), 0.5).value)


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_a_share_outside_zero_to_one_is_refused(q: float) -> None:
    with pytest.raises(ValueError):
        layers.compute_quantile(np.ones(layers.BINS, int), q)


def test_one_layer_far_from_the_others_is_marked_and_no_other() -> None:
    values = np.array([1.0, 1.1, 0.9, 1.05, 0.95, 40.0])
    assert layers.mark_outliers(values).tolist() == [False] * 5 + [True]


def test_a_single_different_value_among_equals_is_marked() -> None:
    assert layers.mark_outliers(np.array([2.0] * 30 + [9.0])).tolist() == [False] * 30 + [True]


def test_equal_values_few_values_and_missing_values_are_not_marked() -> None:
    assert not layers.mark_outliers(np.full(20, 3.0)).any()
    assert not layers.mark_outliers(np.array([1.0, 2.0, 1e9])).any()
    assert not layers.mark_outliers(np.array([1.0, 1.1, 0.9, 1.0, 1.05, np.nan, np.inf])).any()


def test_a_vanishing_norm_stands_out_as_much_as_an_exploding_one() -> None:
    norms = np.array([1.0, 1.3, 0.8, 1.1, 0.9, 1e-6, 1e6])
    assert layers.mark_scale_outliers(norms).tolist() == [False] * 5 + [True, True]


def test_the_effective_rank_is_that_of_the_singular_values() -> None:
    """Against NumPy's decomposition, for tall and wide matrices; independent units, one direction, nothing at all."""
    rng = np.random.default_rng(0)
    for shape in ((512, 20), (30, 200)):
        matrix = rng.normal(size=shape) @ np.diag(rng.random(shape[1]) ** 3) + 5
        values = np.linalg.svd(matrix - matrix.mean(axis=0), compute_uv=False)
        shares = values[values > 1e-7 * values.max()] / values[values > 1e-7 * values.max()].sum()
        assert layers.compute_effective_rank(matrix) == pytest.approx(
            np.exp(-(shares * np.log(shares)).sum()), rel=1e-4
        )
    assert layers.compute_effective_rank(rng.normal(size=(512, 8))) > 7.9
    assert layers.compute_effective_rank(np.outer(rng.normal(size=50), rng.normal(size=8)) + 3) == pytest.approx(
        1, abs=1e-3
    )
    assert math.isnan(layers.compute_effective_rank(np.full((10, 3), 2.0)))
