"""What is read from training histories: contrasting courses must not read the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from reportgen.analysis.curves import CurveFacts, analyse, thin
from reportgen.analysis.directions import choose_direction, is_learning_rate
from reportgen.analysis.evidence import Array, Curve, History
from reportgen.analysis.trend import compute_rank_trend, compute_slope, estimate_noise


def facts(**series: object) -> CurveFacts:
    curves = [
        Curve(name, np.arange(1, len(values) + 1), np.asarray(values, dtype=np.float64))  # type: ignore[arg-type]
        for name, values in series.items()
    ]
    return analyse(History("test", tuple(curves)))


def noise(seed: int, n: int, size: float) -> Array:
    return np.random.default_rng(seed).normal(0, size, n)


def falling(n: int, speed: float = 4.0, floor: float = 0.05) -> Array:
    return np.exp(-speed * np.arange(n) / n) + floor


def turning(n: int, at: float = 0.4, rise: float = 0.6) -> Array:
    share = np.arange(n) / n
    return np.exp(-5 * share) + 0.15 + rise * np.maximum(0, share - at)


# Pairs


def test_validation_curves_are_paired_with_their_training_curves_and_loss_comes_first() -> None:
    found = facts(accuracy=[0.5, 0.6], loss=[1, 0.9], val_accuracy=[0.4, 0.5], val_loss=[1.1, 1])
    assert [pair.name for pair in found.pairs] == ["loss", "accuracy"]
    assert all(pair.train and pair.validation for pair in found.pairs)


def test_nested_output_names_are_paired_by_output() -> None:
    found = facts(loss=[2, 1], digit_accuracy=[0.1, 0.2], val_digit_accuracy=[0.1, 0.2], parity_loss=[1, 1])
    assert [pair.name for pair in found.pairs] == ["loss", "digit_accuracy", "parity_loss"]
    pair = found.pair("digit_accuracy")
    assert pair and pair.validation and pair.validation.name == "val_digit_accuracy"
    assert found.pair("parity_loss").is_loss  # type: ignore[union-attr]


def test_a_validation_curve_without_its_training_curve_stands_alone() -> None:
    pair = facts(val_auc=[0.5, 0.7]).pairs[0]
    assert (pair.name, pair.train, pair.direction) == ("auc", None, "higher")
    assert math.isnan(pair.gap_last)


def test_the_learning_rate_is_no_metric() -> None:
    found = facts(loss=[1, 0.5], learning_rate=[1e-3, 1e-4])
    assert [one.name for one in found.learning_rates] == ["learning_rate"]
    assert [pair.name for pair in found.pairs] == ["loss"]


@pytest.mark.parametrize("name", ["lr", "learning_rate", "learning_rate_1", "adam_learning_rate", "LR"])
def test_learning_rate_names_are_recognised(name: str) -> None:
    assert is_learning_rate(name)


# Direction


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("loss", "lower"),
        ("val_loss", "lower"),
        ("mae", "lower"),
        ("out_mean_squared_error", "lower"),
        ("dice_loss", "lower"),
        ("sparse_categorical_crossentropy", "lower"),
        ("val_false_negatives", "lower"),
        ("perplexity", "lower"),
        ("sparse_categorical_accuracy", "higher"),
        ("auc_1", "higher"),
        ("f1_score", "higher"),
        ("top_k_categorical_accuracy", "higher"),
        ("mean_io_u", "higher"),
        ("r2_score", "higher"),
        ("cosine_similarity", "higher"),
        ("epoch_time", "neither"),
        ("my_metric", None),
    ],
)
def test_direction_is_read_from_the_name(name: str, way: str | None) -> None:
    assert choose_direction(name) == way


def test_an_unknown_name_takes_the_way_training_went_and_says_that_it_is_a_guess() -> None:
    up = facts(foo=np.linspace(0, 1, 20), val_foo=np.linspace(0, 0.8, 20)).pairs[0]
    down = facts(foo=np.linspace(1, 0, 20)).pairs[0]
    still = facts(foo=np.ones(20)).pairs[0]
    assert (up.direction, down.direction, still.direction) == ("higher", "lower", "neither")
    assert not (up.direction_known or down.direction_known or still.direction_known)


# Best epoch and gap


def test_the_best_epoch_is_that_of_the_lowest_validation_loss() -> None:
    found = facts(loss=[3, 2, 1, 0.5], val_loss=[3, 2.2, 2.5, 2.8], val_accuracy=[0.1, 0.2, 0.9, 0.3])
    assert (found.best_on, found.best.epoch, found.best_is_validation) == ("val_loss", 2, True)  # type: ignore[union-attr]
    assert found.pairs[0].gap_best == pytest.approx(0.2)
    assert found.pairs[0].gap_last == pytest.approx(2.3)


def test_without_val_loss_the_best_epoch_is_on_another_validation_metric() -> None:
    found = facts(loss=[3, 2, 1], accuracy=[0.1, 0.2, 0.3], val_accuracy=[0.1, 0.4, 0.3])
    assert (found.best_on, found.best.epoch) == ("val_accuracy", 2)  # type: ignore[union-attr]


def test_without_validation_the_best_epoch_is_on_training_and_says_so() -> None:
    found = facts(accuracy=[0.1, 0.9, 0.3], loss=[3, 1, 2])
    assert (found.best_on, found.best.epoch, found.best_is_validation) == ("loss", 2, False)  # type: ignore[union-attr]


def test_the_earliest_of_equally_good_epochs_is_the_best() -> None:
    assert facts(val_accuracy=[0.5, 0.8, 0.8, 0.7]).best.epoch == 2  # type: ignore[union-attr]


def test_a_positive_gap_means_that_validation_is_worse_whatever_the_direction() -> None:
    found = facts(loss=[1.0, 0.5], val_loss=[1.2, 0.8], accuracy=[0.5, 0.9], val_accuracy=[0.5, 0.8])
    assert found.pairs[0].gap_last == pytest.approx(0.3)
    assert found.pairs[1].gap_last == pytest.approx(0.1)


# Overfitting


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [12, 30, 100, 1000])
def test_validation_that_turns_while_training_improves_is_overfitting_with_its_onset(n: int, seed: int) -> None:
    found = facts(loss=falling(n) + noise(seed, n, 0.005), val_loss=turning(n) + noise(seed + 50, n, 0.01))
    assert found.overfitting is not None
    assert abs(found.overfitting.onset - 0.4 * n) <= max(2, 0.1 * n)
    true_rise = float(np.median(turning(n)[-max(3, n // 10) :]) - turning(n).min())
    assert found.overfitting.rise == pytest.approx(true_rise, abs=0.05)
    assert found.still_improving is False


@pytest.mark.parametrize("n", [12, 30, 100, 1000])
def test_a_noisy_plateau_is_rarely_overfitting(n: int) -> None:
    hits = 0
    for seed in range(100):
        validation = falling(n, 8, 0.2) + noise(seed + 100, n, 0.04)
        hits += facts(loss=falling(n) + noise(seed, n, 0.01), val_loss=validation).overfitting is not None
    assert hits <= 3


def test_curves_that_fall_together_are_neither_overfitting_nor_done() -> None:
    found = facts(loss=falling(40, 2), val_loss=falling(40, 2, 0.1) + noise(1, 40, 0.002))
    assert found.overfitting is None
    assert found.still_improving is True


def test_divergence_of_both_curves_is_not_overfitting() -> None:
    share = np.arange(40) / 40
    both = np.exp(-5 * share) + 0.2 + np.maximum(0, share - 0.4)
    assert facts(loss=both, val_loss=both + 0.1).overfitting is None


def test_a_spike_that_recovers_is_not_overfitting() -> None:
    validation = falling(40, 5, 0.2)
    validation[20:23] += 3
    assert facts(loss=falling(40), val_loss=validation).overfitting is None


def test_overfitting_of_a_score_is_seen_upside_down() -> None:
    train, validation = 1 - falling(60) * 0.5, 0.9 - turning(60) * 0.5
    assert facts(accuracy=train, val_accuracy=validation).overfitting is not None
    assert facts(accuracy=train, val_accuracy=train - 0.05).overfitting is None


def test_overfitting_needs_a_training_curve() -> None:
    assert facts(val_loss=turning(50)).overfitting is None


def test_scale_does_not_change_what_is_found() -> None:
    small = facts(loss=falling(50), val_loss=turning(50))
    large = facts(loss=falling(50) * 1e300, val_loss=turning(50) * 1e300)
    tiny = facts(loss=falling(50) * 1e-9, val_loss=turning(50) * 1e-9)
    assert small.overfitting and large.overfitting and tiny.overfitting
    assert small.overfitting.onset == large.overfitting.onset == tiny.overfitting.onset


# Still improving


def test_flat_noise_is_rarely_still_improving() -> None:
    hits = sum(bool(facts(val_loss=0.3 + noise(seed, 50, 0.03)).still_improving) for seed in range(200))
    assert hits <= 20


def test_improving_flat_and_worsening_ends_read_differently() -> None:
    n = 50
    courses = [
        facts(loss=values).pairs[0].trend.course
        for values in (np.linspace(2, 1, n), np.full(n, 0.5), np.linspace(1, 2, n))
    ]
    assert courses == ["improving", "flat", "worsening"]


def test_the_trend_keeps_the_sign_of_the_metric() -> None:
    pair = facts(accuracy=np.linspace(0.1, 0.9, 81)).pairs[0]
    assert pair.trend.course == "improving"
    assert pair.trend.slope == pytest.approx(0.01)
    assert pair.trend.change > 0


def test_too_few_epochs_cannot_tell() -> None:
    assert facts(loss=[3, 2, 1]).still_improving is None


def test_the_slope_ignores_one_wild_value() -> None:
    values = np.arange(11.0)
    values[5] = 1e6
    assert compute_slope(np.arange(11.0), values) == pytest.approx(1.0)


def test_the_noise_estimate_ignores_a_trend() -> None:
    estimate = estimate_noise(np.linspace(0, 100, 4000) + noise(3, 4000, 0.5))
    assert estimate == pytest.approx(0.5, rel=0.1)


def test_the_rank_trend_of_flat_noise_has_standard_deviation_one() -> None:
    spread = np.std([compute_rank_trend(noise(seed, 30, 1.0)) for seed in range(400)])
    assert 0.85 < spread < 1.1


def test_the_rank_trend_with_ties_is_kendalls() -> None:
    values = np.array([0.0, 0, 0, 0, 0, 0, 0, 1, 2])
    p = scipy.stats.kendalltau(np.arange(9), values, method="asymptotic", alternative="greater").pvalue
    sure = scipy.stats.norm.isf(p)  # SciPy has no correction for continuity
    assert compute_rank_trend(values) == pytest.approx(sure * (15 - 1) / 15)
    assert compute_rank_trend(np.ones(9)) == 0.0


# Bad histories


def test_no_epoch() -> None:
    empty = facts()
    assert (empty.epochs, empty.best, empty.main, empty.still_improving) == (0, None, None, None)
    nothing = facts(loss=[], val_loss=[])
    assert nothing.best is None and nothing.pairs[0].train.points == 0  # type: ignore[union-attr]


def test_one_epoch() -> None:
    found = facts(loss=[0.7], val_loss=[0.9])
    assert (found.epochs, found.best.epoch, found.overfitting) == (1, 1, None)  # type: ignore[union-attr]
    assert found.pairs[0].gap_last == pytest.approx(0.2)


def test_values_that_are_not_finite_are_counted_and_never_best() -> None:
    found = facts(loss=[1, np.nan, np.inf, -np.inf, 0.5], val_loss=[2, 1, -np.inf, np.nan, 1.5])
    assert (found.nan, found.inf) == (2, 3)
    assert found.best.epoch == 2  # type: ignore[union-attr]
    assert found.pairs[0].train.first_bad_epoch == 2  # type: ignore[union-attr]


def test_a_curve_that_is_all_nan_has_no_points() -> None:
    found = facts(loss=[np.nan] * 6, val_loss=[np.nan] * 6)
    assert found.best is None and found.main is None and found.nan == 12


def test_extreme_values_are_analysed_without_a_warning() -> None:
    with np.errstate(all="raise"):
        found = facts(loss=[1e308, -1e308] * 10, val_loss=[-1e308, 1e308] * 10)
    assert found.best is not None and found.best.value == -1e308


def test_ragged_curves_are_named() -> None:
    assert facts(loss=[3, 2, 1], val_loss=[3, 2]).ragged == ("val_loss",)


def test_a_million_epochs_are_analysed() -> None:
    n = 1_000_000
    found = facts(loss=falling(n), val_loss=turning(n))
    assert found.overfitting and abs(found.overfitting.onset - 0.4 * n) < 0.05 * n


# Thinning


def test_a_curve_at_the_limit_is_kept_exactly() -> None:
    epochs, values = np.arange(100), noise(0, 100, 1.0)
    assert np.array_equal(thin(epochs, values, 100)[1], values)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=400),
    st.integers(min_value=8, max_value=60),
)
def test_thinning_keeps_ends_extremes_order_and_the_limit(values: list[float], points: int) -> None:
    epochs, array = np.arange(1, len(values) + 1), np.array(values)
    kept_epochs, kept = thin(epochs, array, points)
    assert kept.size <= max(points, 0) or kept.size == len(values) <= points
    assert np.array_equal(array[kept_epochs - 1], kept, equal_nan=True)
    assert np.all(np.diff(kept_epochs) > 0)
    assert kept_epochs[0] == 1 and kept_epochs[-1] == len(values)
    finite = array[np.isfinite(array)]
    if finite.size:
        seen = kept[np.isfinite(kept)]
        assert seen.min() == finite.min() and seen.max() == finite.max()


def test_a_gap_stays_a_gap_after_thinning() -> None:
    values = np.ones(10_000)
    values[4000:4500] = np.nan
    kept_epochs, kept = thin(np.arange(10_000), values, 500)
    inside = (kept_epochs >= 4000) & (kept_epochs < 4500)
    assert inside.any() and np.isnan(kept[inside]).all()


def test_thinning_to_almost_nothing_is_refused() -> None:
    with pytest.raises(ValueError):
        thin(np.arange(3), np.ones(3), 3)
