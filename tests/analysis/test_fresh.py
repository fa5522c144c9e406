"""Weights as initialised, and repeated filters: own statistics against SciPy's, fresh draws against moved ones."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen.analysis.filters import count_duplicates
from reportgen.analysis.fresh import compare_with_fresh, ks_p_value, ks_statistic, law_of, spike_excess, would_show

SHAPES = [(3, 3, 16, 32), (128, 128), (300, 5)]


@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.1), (0.0, 0.2)])
def test_the_statistic_is_scipys(low: float, high: float) -> None:
    """Kolmogorov-Smirnov against SciPy for a fitting and a misfitting law."""
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(1).uniform(-0.1, 0.1, 500)
    law = law_of("RandomUniform", {"minval": low, "maxval": high}, (500,))
    expected = stats.kstest(values, stats.uniform(low, high - low).cdf)
    found = ks_statistic(values, law.cdf)
    assert found == pytest.approx(expected.statistic)
    assert ks_p_value(found, 500) == pytest.approx(expected.pvalue, abs=0.01)


@pytest.mark.parametrize("name", ["TruncatedNormal", "RandomNormal", "RandomUniform"])
def test_laws_are_scipys(name: str) -> None:
    """Distribution function, spread, kurtosis and density at the ends against SciPy."""
    stats = pytest.importorskip("scipy.stats")
    law = law_of(name, {"mean": 0.1, "stddev": 0.3, "minval": -1.0, "maxval": 3.0}, (9, 9))
    truth = {
        "TruncatedNormal": stats.truncnorm(-2, 2, loc=0.1, scale=0.3),
        "RandomNormal": stats.norm(0.1, 0.3),
        "RandomUniform": stats.uniform(-1, 4),
    }[name]
    x = np.linspace(-1.5, 3.5, 101)
    assert np.abs(law.cdf(x) - truth.cdf(x)).max() < 2e-7
    assert (law.mean, law.std) == pytest.approx((truth.mean(), truth.std()))
    assert law.kurtosis == pytest.approx(float(truth.stats("k")) + 3, abs=1e-6)
    if law.edge:
        assert law.edge == pytest.approx(truth.pdf(law.high - 1e-9), rel=1e-6)


def draw(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Draw fresh values by NumPy."""
    law, rng = law_of(name, {}, shape), np.random.default_rng(seed)
    if name.endswith("Uniform"):
        return rng.uniform(law.low, law.high, shape).astype(np.float32)
    values = rng.normal(law.mean, law.std, shape)
    while law.edge and (np.abs(values) > law.high).any():
        reach = law.high / 2
        values = np.where(np.abs(values) > law.high, rng.normal(0, reach, shape), values)
    return values.astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["GlorotUniform", "HeUniform", "RandomNormal"])
def test_fresh_values_are_untouched_and_moved_ones_are_not(name: str, shape: tuple[int, ...]) -> None:
    """Fresh draws fit (20 of 20), the same draws moved by 30% of their spread along one direction do not."""
    for seed in range(20):
        values = draw(name, shape, seed)
        assert compare_with_fresh(values, name, {}).untouched
        rng = np.random.default_rng(seed + 100)
        rows = values.reshape(-1, shape[-1])
        step = np.outer(rng.normal(size=len(rows)), rng.normal(size=shape[-1]))
        moved = (rows + 0.3 * values.std() * step).astype(np.float32).reshape(shape)
        facts = compare_with_fresh(moved, name, {})
        assert not (facts.untouched and facts.certain)
        # Without ends only a strong direction or a grown spread tells, which needs many values.
        if name != "RandomNormal" or values.size > 10_000:
            assert not facts.untouched, facts


def test_a_strong_direction_is_seen_where_the_spread_is_not() -> None:
    """One direction that adds 1% to the variance of 100,000 normal values."""
    law = law_of("RandomNormal", {"stddev": 0.05}, (400, 250))
    values = np.random.default_rng(3).normal(0, 0.05, (400, 250)).astype(np.float32)
    assert spike_excess(values, law) < 1
    one = np.outer(np.ones(400), np.random.default_rng(4).normal(size=250)) * 0.005
    assert not compare_with_fresh((values + one).astype(np.float32), "RandomNormal", {"stddev": 0.05}).untouched


def test_constants_orthogonal_and_identity_are_exact() -> None:
    """Zeros, ones, a constant, an orthogonal matrix and the identity; each moved by a little is touched."""
    rng = np.random.default_rng(5)
    square = np.linalg.qr(rng.normal(size=(16, 16)))[0].astype(np.float32)
    cases = [
        ("Zeros", np.zeros(8, np.float32), {}),
        ("Ones", np.ones(8, np.float32), {}),
        ("Constant", np.full(8, 0.1, np.float32), {"value": 0.1}),
        ("Orthogonal", square[:, :8], {}),
        ("Orthogonal", 2 * square[:8], {"gain": 2.0}),
        ("Identity", np.eye(4, 6, dtype=np.float32), {}),
    ]
    for name, values, settings in cases:
        facts = compare_with_fresh(values, name, settings)
        assert facts.untouched and facts.certain, name
        assert facts.distance == pytest.approx(0, abs=1e-6)
        moved = values + rng.normal(0, 0.01, values.shape).astype(np.float32)
        assert not compare_with_fresh(moved, name, settings).untouched, name


def test_few_values_are_never_certain() -> None:
    """Eight fresh values fit, but say nothing; an unknown initializer and broken weights say nothing at all."""
    facts = compare_with_fresh(np.linspace(-0.5, 0.5, 8, dtype=np.float32), "GlorotUniform", {})
    assert facts.untouched and not facts.certain
    assert not would_show(law_of("GlorotUniform", {}, (20, 20)), 400)
    assert would_show(law_of("GlorotUniform", {}, (40, 40)), 1600)
    assert compare_with_fresh(np.ones(4, np.float32), "OwnInitializer", {}) is None
    assert compare_with_fresh(np.array([1, np.nan], np.float32), "Zeros", {}) is None


@pytest.mark.parametrize("length", [9, 576])
def test_repeated_filters_are_counted_as_a_plain_loop_counts_them(length: int) -> None:
    """Repeats up to a positive scale count, opposite, nearly alike and zero filters do not."""
    rng = np.random.default_rng(6)
    filters = rng.normal(size=(20, length)).astype(np.float32)
    filters[5], filters[9], filters[10] = 3 * filters[2], filters[2], -filters[3]
    filters[11] = filters[12] = 0
    filters[13] = filters[14] + 0.1 * np.linalg.norm(filters[14]) * rng.normal(size=length) / np.sqrt(length)
    unit = filters / np.maximum(np.linalg.norm(filters, axis=1, keepdims=True), 1e-30)
    naive = sum(any(float(unit[i] @ unit[j]) > 0.999 for i in range(j)) for j in range(20))
    assert count_duplicates(filters) == naive == 2


def test_short_filters_have_no_directions_to_repeat() -> None:
    """In few dimensions chance alone makes neighbours."""
    assert count_duplicates(np.random.default_rng(7).normal(size=(500, 2)).astype(np.float32)) == 0
