"""Calibration bins and their error, against scikit-learn and by hand."""

import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from reportgen.analysis import calibration


def bins(confidence, right):
    cell = calibration.bin_of(confidence) * 2 + right
    counts = np.bincount(cell, minlength=30).reshape(15, 2)
    return counts, np.bincount(cell, weights=confidence, minlength=30).reshape(15, 2)


def test_bins_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    confidence = rng.random(2_000)
    right = (rng.random(2_000) < confidence**2).astype(int)
    found = calibration.compute_reliability(*bins(confidence, right))
    share, mean = calibration_curve(right, confidence, n_bins=15)
    np.testing.assert_allclose(found.accuracy, share)
    np.testing.assert_allclose(found.confidence, mean)
    assert found.n.sum() == 2_000 and len(found.edges) == 16
    by_hand = np.abs(found.accuracy - found.confidence) @ found.n / 2_000
    assert found.ece == pytest.approx(by_hand)
    assert (found.low <= found.accuracy).all() and (found.accuracy <= found.high).all()


def test_the_interval_holds_the_true_error_and_ignores_the_bias_of_resampling():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(40):
        confidence = rng.uniform(0.5, 1.0, 600)
        right = (rng.random(600) < confidence - 0.1).astype(int)
        counts, sums = bins(confidence, right)
        low, high, method = calibration.ece_interval(counts, sums)
        value = calibration.compute_reliability(counts, sums).ece
        assert low <= value <= high
        hits += low <= 0.1 <= high
    assert hits >= 33 and "bias moved out" in method


def test_edges_and_emptiness():
    assert calibration.bin_of(np.asarray([0.0, 1.0, 1 / 15, 0.999])).tolist() == [0, 14, 1, 14]
    empty = calibration.compute_reliability(np.zeros((15, 2), int), np.zeros((15, 2)))
    assert math.isnan(empty.ece) and np.isnan(empty.accuracy).all()
    assert math.isnan(calibration.ece_interval(np.zeros((15, 2), int), np.zeros((15, 2)))[0])
