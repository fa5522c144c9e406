"""Statistics of layers' outputs: exact against NumPy, whatever the chunks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reportgen.analysis.layers import BINS, count_bins
from reportgen.worker.activations import LayerSums, count_magnitudes, reduce_positions, stride_of

RNG = np.random.default_rng(0)


def measure(output: np.ndarray, sizes=(1000,), **settings) -> object:
    """Return the facts of an output given in chunks."""
    sums = LayerSums("layer", settings.pop("activation", ""), settings.pop("full", True), **settings)
    start = 0
    while start < len(output):
        size = sizes[start % len(sizes)]
        sums.add(output[start : start + size])
        start += size
    return sums.result()


def test_full_statistics_equal_numpy() -> None:
    output = np.maximum(RNG.normal(size=(37, 9, 7, 5)), 0).astype(np.float32)
    output[..., 2] = 0
    facts = measure(output)
    assert (facts.tier, facts.stride, facts.samples, facts.values, facts.units) == ("full", 1, 37, output.size, 5)
    assert facts.mean == pytest.approx(output.mean(dtype=np.float64), rel=1e-6)
    assert facts.std == pytest.approx(output.std(dtype=np.float64), rel=1e-5)
    assert (facts.low, facts.high) == (0, output.max())
    assert facts.zeros == np.mean(output == 0)
    assert facts.dead == 1 and facts.unit_active[2] == 0 and facts.unit_active[0] == 1


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("sizes", [(1,), (5, 2), (37,)])
def test_statistics_do_not_depend_on_the_chunks(full: bool, sizes: tuple[int, ...]) -> None:
    output = RNG.normal(size=(37, 40, 30, 6)).astype(np.float32)
    whole, split = measure(output, full=full), measure(output, sizes, full=full)
    assert split.mean == pytest.approx(whole.mean, rel=1e-5, abs=1e-7)
    assert (split.values, split.low, split.high, split.zeros) == (whole.values, whole.low, whole.high, whole.zeros)
    np.testing.assert_array_equal(split.histogram, whole.histogram)
    np.testing.assert_array_equal(split.unit_active, whole.unit_active)


def test_the_strided_tier_says_on_how_many_values_it_stands() -> None:
    output = RNG.normal(size=(4, 64, 64, 8)).astype(np.float32)
    facts = measure(output, full=False)
    stride = stride_of(64 * 64, 8)
    some = output.reshape(4, -1, 8)[:, ::stride]
    assert (facts.tier, facts.stride, facts.values) == ("strided", stride, some.size)
    assert facts.mean == pytest.approx(some.mean(dtype=np.float64), rel=1e-5)


@pytest.mark.parametrize("shape", [(64 * 64, 8), (112 * 112, 64), (7 * 7, 2048), (1000, 3), (3, 5000), (2, 2000)])
def test_a_stride_meets_every_column(shape: tuple[int, int]) -> None:
    stride = stride_of(*shape)
    assert 1 <= stride <= shape[0]
    assert math.gcd(stride, shape[0]) == 1


@pytest.mark.parametrize("full", [True, False])
def test_nan_and_infinities_are_counted_exactly_even_between_the_looked_at_positions(full: bool) -> None:
    output = RNG.normal(size=(3, 50, 50, 4)).astype(np.float32)
    output[0, 1, 1, 0] = np.nan
    output[1, 2, 3, 1] = np.inf
    output[2, 0, 0, 2] = -np.inf
    facts = measure(output, full=full)
    assert (facts.nan, facts.inf) == (1, 2)
    assert math.isfinite(facts.mean) and math.isfinite(facts.std) and math.isfinite(facts.high)


def test_an_output_of_nothing_but_nan_has_no_numbers_and_no_dead_units() -> None:
    facts = measure(np.full((2, 3), np.nan, np.float32))
    assert facts.nan == 6 and math.isnan(facts.mean) and math.isnan(facts.low) and facts.dead == 0


def test_values_whose_sum_or_square_overflows_float32_are_still_finite() -> None:
    facts = measure(np.full((2, 10), 3e38, np.float32))
    assert (facts.nan, facts.inf) == (0, 0)
    assert facts.mean == pytest.approx(3e38, rel=1e-6)
    assert measure(np.full((2, 10), 1e25, np.float32)).mean == pytest.approx(1e25, rel=1e-6)


def test_a_constant_output_has_no_spread() -> None:
    assert measure(np.full((8, 100), 1000.1, np.float32)).std == 0.0


def test_a_unit_active_on_few_samples_is_near_dead() -> None:
    output = np.ones((300, 3), np.float32)
    output[:, 1] = 0
    output[5, 1] = 1
    output[:, 2] = 0
    facts = measure(output)
    assert (facts.dead, facts.near_dead) == (1, 1)


def test_saturation_is_counted_for_sigmoid_and_tanh_only() -> None:
    output = np.array([[0.001, 0.5, 0.999, 0.2]], np.float32)
    assert measure(output, activation="sigmoid").saturated == 0.5
    assert measure(output * 2 - 1, activation="tanh").saturated == 0.5
    assert math.isnan(measure(output, activation="relu").saturated)


def test_channels_first_units_are_channels() -> None:
    output = np.zeros((2, 3, 5, 5), np.float32)
    output[:, 1] = 1
    facts = measure(output, channels_first=True)
    assert facts.units == 3 and facts.unit_active.tolist() == [0, 1, 0]


def test_a_shared_layers_calls_do_not_count_its_samples_twice() -> None:
    sums = LayerSums("layer", "relu", True)
    for _ in range(2):
        sums.add(np.array([[1.0, 0.0]], np.float32), 0)
        sums.add(np.array([[0.0, 0.0]], np.float32), 1)
    facts = sums.result()
    assert facts.samples == 2 and facts.unit_active.tolist() == [1, 0] and facts.values == 8


@pytest.mark.parametrize("dtype", [np.float16, np.int32, np.bool_, np.float64])
def test_other_dtypes_are_measured_as_float32(dtype: type) -> None:
    assert measure(np.array([[0, 1], [1, 1]], dtype)).mean == 0.75


def test_nothing_seen_gives_no_facts() -> None:
    assert LayerSums("layer", "", True).result() is None
    assert measure(np.zeros((0, 4), np.float32)) is None


def test_the_fast_histogram_equals_the_reference() -> None:
    magnitudes = 10.0 ** RNG.uniform(-10, 10, 20_000) * RNG.choice([-1, 1], 20_000)
    values = np.concatenate([magnitudes, np.zeros(50), [-0.0, 1e30, -1e30]]).astype(np.float32)
    fast, slow = count_magnitudes(values), count_bins(values)
    assert fast.shape == (BINS,) and fast.sum() == len(values)
    # A value within rounding of an edge may land in the bin beside it.
    assert np.abs(np.cumsum(fast) - np.cumsum(slow)).max() <= 3


def test_only_the_chosen_rows_are_measured_but_nan_is_counted_in_all() -> None:
    output = RNG.normal(size=(6, 20, 3)).astype(np.float32)
    output[0, 0, 0] = np.nan
    sums = LayerSums("layer", "", True)
    sums.add(output, rows=np.array([1, 4]))
    sums.add(output[:2], rows=np.array([], dtype=int))
    facts = sums.result()
    assert (facts.samples, facts.values, facts.nan) == (2, 120, 2)
    assert facts.mean == pytest.approx(output[[1, 4]].mean(dtype=np.float64), rel=1e-5)


@pytest.mark.parametrize("shape", [(2, 12544, 3), (2, 7, 3), (1, 1, 1), (3, 64, 2048), (2, 48, 5)])
def test_largest_and_smallest_of_each_unit(shape: tuple[int, int, int]) -> None:
    values = RNG.normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(reduce_positions(values, np.maximum), values.max(axis=1))
    np.testing.assert_array_equal(reduce_positions(values, np.minimum), values.min(axis=1))


def test_the_rank_stands_on_a_bounded_choice_whatever_the_chunks() -> None:
    """At most 512 positions, the same for one chunk and for many; a collapsed layer has rank 1."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=(300, 30, 6)).astype(np.float32)
    whole, parts = LayerSums("a", "relu", True), LayerSums("a", "relu", True)
    whole.add(values)
    for start in range(0, 300, 70):
        parts.add(values[start : start + 70])
    one, many = whole.result(), parts.result()
    assert (one.rank_positions, one.effective_rank) == (512, pytest.approx(many.effective_rank, rel=1e-6))
    assert one.effective_rank > 5.5
    collapsed = LayerSums("b", "relu", True)
    collapsed.add(np.outer(rng.normal(size=400), np.ones(6)).astype(np.float32))
    assert collapsed.result().effective_rank == pytest.approx(1, abs=1e-2)
    assert collapsed.result().rank_positions == 400
