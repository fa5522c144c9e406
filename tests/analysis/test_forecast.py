"""Forecasts: whether labels continue the window, seasons, naive forecasts, and the metrics beside them."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen.analysis.forecast import Link, find_link, find_season, naive_forecasts, naive_steps
from reportgen.analysis.metrics import make_accumulator
from reportgen.analysis.metrics.timeseries import Timeseries
from reportgen.analysis.tasks import choose_task


def series(n: int = 300, period: int = 12) -> np.ndarray:
    rng = np.random.default_rng(0)
    return 20 + 5 * np.sin(2 * np.pi * np.arange(n) / period) + rng.normal(0, 0.5, n)


def windows(values: np.ndarray, length: int, steps: int, stride: int = 1) -> tuple[np.ndarray, np.ndarray]:
    whole = np.lib.stride_tricks.sliding_window_view(values, length + steps)[::stride].astype("float32")
    return whole[:, :length].copy(), whole[:, length:].copy()


@pytest.mark.parametrize("stride", [1, 3, 24])
@pytest.mark.parametrize("shuffled", [False, True])
def test_windows_of_one_series_prove_that_labels_continue_them(stride: int, shuffled: bool) -> None:
    x, y = windows(series(), 24, 6, stride)
    if shuffled:
        order = np.random.default_rng(1).permutation(len(x))
        x, y = x[order], y[order]
    link, why = find_link({"": x[..., None]}, y, declared=False)
    assert link is not None and why == "" and link.proven and link.columns == (0,) and link.season == 12


def test_the_column_that_is_forecast_is_found_among_several() -> None:
    x, y = windows(series(), 24, 6)
    other = np.random.default_rng(2).normal(size=len(series()))
    x2, _ = windows(other, 24, 6)
    link, _ = find_link({"w": np.stack([x2, x], axis=2)}, y, declared=False)
    assert link is not None and link.columns == (1,)
    both, _ = find_link({"w": np.stack([x2, x], axis=2)}, np.stack([windows(other, 24, 6)[1], y], axis=2), False)
    assert both is not None and both.columns == (0, 1)


def test_a_target_that_does_not_continue_the_window_is_refused_even_if_declared() -> None:
    x, y = windows(series(), 24, 6)
    link, why = find_link({"": x}, y * 2 + 1, declared=True)
    assert link is None and "not the next values" in why


def test_windows_that_share_nothing_are_believed_only_if_declared_and_alike() -> None:
    x, y = windows(series(2000), 24, 6, 61)
    assert find_link({"": x}, y, declared=False) == (None, "no two windows of the batch overlap or follow each other")
    link, _ = find_link({"": x}, y, declared=True)
    assert link is not None and not link.proven
    link, why = find_link({"": x}, y + 500, declared=True)
    assert link is None and "different ranges" in why


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.zeros((20, 8), "float32"), np.arange(20) % 3),
        (np.zeros((20, 8, 8, 1), "float32"), np.zeros((20, 4), "float32")),
        (np.array(["a text"] * 20), np.zeros(20)),
        (np.zeros((20, 8), "float32"), np.array(["cat"] * 20)),
        (np.zeros((20, 8), "float32"), None),
        (np.zeros((20, 8), "float32"), np.zeros((20, 4), "float32")),
    ],
    ids=["classes", "pictures", "text", "text labels", "no labels", "constant"],
)
def test_what_is_no_window_has_no_link(x: np.ndarray, y: np.ndarray | None) -> None:
    link, why = find_link({"": x}, y, declared=False)
    assert link is None and why


def test_seasons_are_found_and_noise_and_trends_have_none() -> None:
    for period in (4, 7, 12):
        assert find_season(windows(series(400, period), 36, 1)[0].astype(float)) == period
    assert find_season(np.random.default_rng(0).normal(size=(100, 36))) == 0
    assert find_season(np.cumsum(np.ones((50, 36)), axis=1)) == 0


def test_naive_forecasts_repeat_the_last_value_and_the_last_season() -> None:
    window = np.arange(10.0)[None]
    last, seasonal = naive_forecasts(window, Link("", (0,), 4, True, ""), 6)
    assert last[0, :, 0].tolist() == [9] * 6
    assert seasonal is not None and seasonal[0, :, 0].tolist() == [6, 7, 8, 9, 6, 7]
    assert naive_forecasts(window, Link("", (0,), 0, True, ""), 6)[1] is None


def made(truth: np.ndarray, said: np.ndarray, last: np.ndarray, seasonal: np.ndarray | None, season: int) -> Timeseries:
    accumulator = make_accumulator("timeseries", shape=said.shape[1:], classes=0, scores="values")
    assert isinstance(accumulator, Timeseries)
    accumulator.update(truth, said)
    accumulator.add_naive(truth, said, last, seasonal, season)
    return accumulator


def test_metrics_stand_beside_the_stronger_naive_forecast() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(10, 2, (200, 5))
    said, last = truth + rng.normal(0, 0.5, (200, 5)), truth + rng.normal(0, 2, (200, 5))
    seasonal = truth + rng.normal(0, 1, (200, 5))
    found = {m.name: m for m in made(truth, said, last, seasonal, 12).result()}
    naive = np.abs(seasonal - truth).mean()
    assert found["mae"].value == pytest.approx(np.abs(said - truth).mean(), rel=1e-12)
    assert found["mae"].baseline == pytest.approx(naive, rel=1e-12)
    assert found["mae"].baseline_name == "naive: value one season (12 steps) ago"
    assert found["rmse"].baseline == pytest.approx(np.sqrt(((seasonal - truth) ** 2).mean()), rel=1e-12)
    assert found["skill"].value == pytest.approx(1 - np.abs(said - truth).mean() / naive, rel=1e-12)
    assert found["skill"].low < found["skill"].value < found["skill"].high
    assert found["smape"].value == pytest.approx((2 * np.abs(said - truth) / (np.abs(said) + np.abs(truth))).mean())
    assert all(np.isfinite([m.low, m.high]).all() for m in found.values() if m.headline)


def test_the_error_by_horizon_is_the_mean_of_its_step() -> None:
    rng = np.random.default_rng(4)
    truth, said, last = (rng.normal(size=(90, 4, 2)) for _ in range(3))
    horizon = made(truth, said, last, None, 0).by_horizon()
    np.testing.assert_allclose(horizon.mae, np.abs(said - truth).mean(axis=(0, 2)))
    np.testing.assert_allclose(horizon.naive["last value"], np.abs(last - truth).mean(axis=(0, 2)))
    assert list(horizon.naive) == ["last value"] and horizon.n.tolist() == [180] * 4


def test_without_a_naive_forecast_the_skill_says_why() -> None:
    accumulator = make_accumulator("timeseries", shape=(3,), classes=0, scores="values")
    accumulator.update(np.ones((20, 3)) * np.arange(20)[:, None], np.ones((20, 3)))
    found = {m.name: m for m in accumulator.result()}
    assert np.isnan(found["skill"].value) and "no naive forecast" in found["skill"].reason
    assert found["mae"].baseline_name == "always the median"


def test_the_skills_interval_covers_the_true_skill_in_most_samples() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        truth = rng.normal(size=(60, 3))
        said, last = truth + rng.normal(0, 1, truth.shape), truth + rng.normal(0, 2, truth.shape)
        skill = next(m for m in made(truth, said, last, None, 0).result() if m.name == "skill")
        hits += skill.low <= 0.5 <= skill.high
    assert hits >= 180


def test_numbers_that_continue_their_window_are_a_forecast() -> None:
    y, p = np.random.default_rng(0).normal(size=(2, 20, 6))
    how = "where windows overlap, the labels are the next values of the input"
    found = choose_task("auto", (6,), "linear", "mse", None, y, p, 0, how)
    assert found.task == "timeseries" and how in found.reason and found.scores == "values"
    assert choose_task("regression", (6,), "linear", "mse", None, y, p, 0, how).task == "regression"
    assert choose_task("timeseries", (6,), "linear", "mse", None, y, p, 0).task == "timeseries"
    classes = choose_task("auto", (3,), "softmax", "", None, np.arange(20) % 3, np.full((20, 3), 1 / 3), 0, how)
    assert classes.task == "multiclass"


@pytest.mark.parametrize("season", [0, 12])
def test_mase_is_the_error_over_that_of_one_naive_step_inside_the_windows(season: int) -> None:
    x, y = windows(series(), 24, 6)
    p = y + np.random.default_rng(3).normal(0, 0.3, y.shape)
    link = Link("x", (0,), season, True, "")
    steps = naive_steps(x[..., None], link)
    lag = season or 1
    np.testing.assert_allclose(steps, [np.abs(row[lag:] - row[:-lag]).mean() for row in x], rtol=1e-6)
    accumulator = make_accumulator("timeseries", shape=(6,), classes=0, scores="values")
    accumulator.update(y, p)
    accumulator.add_steps(y, p, steps)
    found = {metric.name: metric for metric in accumulator.result()}["mase"]
    assert found.value == pytest.approx(np.abs(p - y).mean() / steps.mean())
    assert found.low < found.value < found.high and found.n == len(x)
    assert np.isnan(naive_steps(x[:, :1], link)).all(), "a window of one step has no step to judge"
