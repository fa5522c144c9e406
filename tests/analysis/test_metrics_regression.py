"""Regression metrics against scikit-learn and SciPy."""

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from reportgen.analysis.metrics import make_accumulator, score_samples
from reportgen.analysis.metrics.rows import RowSample


def made(y, p, shape=None):
    accumulator = make_accumulator("regression", shape=shape or p.shape[1:], classes=0, scores="values")
    accumulator.update(y, p)
    return accumulator


def by_name(accumulator):
    return {metric.name: metric for metric in accumulator.result()}


def data(seed, n=300, targets=1, offset=5.0):
    rng = np.random.default_rng(seed)
    y = rng.normal(offset, 2, (n, targets))
    return y, y * 0.8 + rng.normal(0.5, 0.7, (n, targets))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("targets", [1, 4, 30])
def test_regression_equals_scikit_learn(seed, targets):
    y, p = data(seed, targets=targets)
    found = by_name(made(y, p))
    expected = {
        "r2": sk.r2_score(y, p),
        "mae": sk.mean_absolute_error(y, p),
        "rmse": math.sqrt(sk.mean_squared_error(y, p)),
        "mape": sk.mean_absolute_percentage_error(y, p),
        "bias": (p - y).mean(),
    }
    if targets == 1:
        expected["median_ae"] = sk.median_absolute_error(y, p)
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, rel=1e-9), name
        if found[name].headline or targets == 1:
            assert found[name].low < value < found[name].high, name
    assert found["rmse"].value ** 2 == pytest.approx(
        np.mean(made(y, p).by_target().bias ** 2) + found["error_std"].value ** 2
    )


def test_each_target_has_its_own_row():
    y, p = data(1, targets=3)
    table = made(y, p).by_target()
    np.testing.assert_allclose(table.r2, sk.r2_score(y, p, multioutput="raw_values"))
    np.testing.assert_allclose(table.mae, sk.mean_absolute_error(y, p, multioutput="raw_values"))
    np.testing.assert_allclose(table.correlation, [np.corrcoef(y[:, i], p[:, i])[0, 1] for i in range(3)])
    np.testing.assert_allclose(table.spread, (p - y).std(axis=0))
    shares = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    np.testing.assert_allclose(table.quantiles, np.quantile(p - y, shares, axis=0).T)


def test_a_forecast_has_one_target_a_step():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(200, 12, 1))
    p = y + rng.normal(size=(200, 12, 1)) * np.arange(1, 13)[None, :, None]
    table = made(y, p).by_target()
    np.testing.assert_allclose(table.rmse, np.sqrt(((p - y) ** 2).mean(axis=(0, 2))))
    assert (np.diff(table.rmse) > 0).sum() >= 9
    assert by_name(made(y[..., 0], p))["mae"].value == by_name(made(y, p))["mae"].value


def test_baselines_are_the_mean_and_the_median():
    y, p = data(2)
    found = by_name(made(y, p))
    assert found["mae"].baseline == pytest.approx(np.abs(y - np.median(y)).mean())
    assert found["rmse"].baseline == pytest.approx(y.std())
    assert found["r2"].baseline == 0
    wide_y, wide_p = data(2, targets=20)
    wide = by_name(made(wide_y, wide_p))["mae"]
    assert wide.baseline == pytest.approx(np.abs(wide_y - np.median(wide_y, axis=0)).mean())


def test_a_large_offset_does_not_cost_precision():
    y, p = data(3)
    shifted = by_name(made(y + 1e8, p + 1e8))
    for name, metric in by_name(made(y, p)).items():
        if name != "mape":
            assert shifted[name].value == pytest.approx(metric.value, rel=1e-6), name


def test_a_constant_truth_has_no_r2_and_says_so():
    found = by_name(made(np.full(9, 3.0), np.arange(9.0)[:, None]))
    assert math.isnan(found["r2"].value) and "do not vary" in found["r2"].reason
    assert found["mae"].value == pytest.approx(np.abs(np.arange(9) - 3).mean())


def test_zeros_in_the_truth_leave_mape_undefined_with_the_reason():
    y, p = data(4)
    y[:3] = 0
    found = by_name(made(y, p))["mape"]
    assert math.isnan(found.value) and found.reason == "3 true values are 0"


def test_unknown_truths_and_broken_predictions_are_left_out_and_counted():
    y, p = data(5, targets=2)
    holes, broken = y.copy(), p.copy()
    holes[:10, 0] = math.nan
    holes[10:15] = math.inf
    broken[15:19, 1] = math.nan
    accumulator = made(holes, broken)
    table = accumulator.by_target()
    assert accumulator.n == 300 and accumulator.n_labelled == 291
    assert table.n.tolist() == [281, 291]
    assert table.mae[0] == pytest.approx(np.abs(p - y)[19:, 0].mean())
    notes = " ".join(accumulator.notes())
    assert (
        "5 of 300 labels are NaN or Inf" in notes and "10 single true values" in notes and "4 of 300 predict" in notes
    )


def test_the_interval_of_r2_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    y, p = data(9, n=60_000)
    truth = sk.r2_score(y, p)
    inside = sum(
        metric.low <= truth <= metric.high
        for metric in (by_name(made(y[rows], p[rows]))["r2"] for rows in (rng.choice(60_000, 120) for _ in range(60)))
    )
    assert inside >= 50


def test_past_the_bootstrap_the_linearised_interval_agrees():
    y, p = data(6, n=12_000)
    metric = by_name(made(y, p))["r2"]
    assert metric.interval == "normal, linearised"
    rng = np.random.default_rng(0)
    values = [sk.r2_score(y[rows], p[rows]) for rows in (rng.integers(0, 12_000, 12_000) for _ in range(300))]
    assert [metric.low, metric.high] == pytest.approx(np.percentile(values, [2.5, 97.5]), abs=3e-3)
    points = made(y, p).points()
    assert len(points.truth) == 5_000 and points.rule == "5,000 of 12,000 samples, chosen by a hash of their values"


def test_points_are_true_pairs_with_their_counts():
    y = np.asarray([1.0, 1.0, 2.0, 2.0])
    p = np.asarray([[1.5], [1.5], [1.5], [3.0]])
    points = made(y, p).points()
    found = {(t, q): c for t, q, c in zip(points.truth[:, 0], points.prediction[:, 0], points.counts, strict=True)}
    assert found == {(1.0, 1.5): 2, (2.0, 1.5): 1, (2.0, 3.0): 1}
    assert points.rule == "all 4 samples"


def test_kept_rows_are_a_fair_choice():
    values = np.arange(50_000.0)[:, None]
    sample = RowSample(1, limit=2_000)
    for part in np.array_split(values, 9):
        sample.add(part)
    rows, counts = sample.distinct()
    assert len(rows) == 2_000 and counts.sum() == 2_000 and not sample.complete
    assert abs(rows.mean() - 25_000) < 1_300
    assert np.histogram(rows, 10, (0, 50_000))[0].min() > 140


def test_without_labels_the_predictions_are_still_described():
    _, p = data(7)
    accumulator = made(None, p)
    values, counts = accumulator.prediction_table()
    np.testing.assert_array_equal(values, np.sort(p[:, 0]))
    assert counts.sum() == 300 and accumulator.n_labelled == 0


def test_sample_scores_stand_for_all_targets():
    y, p = data(8, targets=3)
    y[0, 1] = math.nan
    found = score_samples("regression", y, p, "values")
    assert found.loss[1] == pytest.approx(np.abs(p - y)[1].mean())
    assert found.loss[0] == pytest.approx(np.abs(p - y)[0, [0, 2]].mean())
    assert np.isnan(found.confidence).all()


@pytest.mark.parametrize("shape", [(300, 2), (150,), (1, 300)])
def test_labels_of_another_shape_are_refused(shape):
    _, p = data(1)
    with pytest.raises(ValueError, match="labels have shape"):
        made(np.zeros(shape), p)
