"""Permutation importance: against scikit-learn's on the same model, the budget, and several outputs."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen.analysis.feature_rows import Columns
from reportgen.analysis.importance import MACS, PREDICTIONS, permute_features, plan_budget

WEIGHTS = np.array([3.0, -1.0, 0.0, 0.5])
COLUMNS = (Columns("x", "numbers", ("a", "b", "c", "d")),)


def data(n: int = 256) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4))
    return x, x @ WEIGHTS + rng.normal(0, 0.1, n)


def test_the_rise_of_the_loss_is_scikit_learns() -> None:
    from sklearn.inspection import permutation_importance
    from sklearn.linear_model import LinearRegression

    x, y = data()
    model = LinearRegression().fit(x, y)
    (found,), predictions = permute_features(
        {"x": x}, COLUMNS, lambda rows, origin: ((model.predict(rows["x"]) - y[origin]) ** 2)[:, None], 40, 0
    )
    theirs = permutation_importance(model, x, y, scoring="neg_mean_squared_error", n_repeats=200, random_state=1)
    ours = {item.feature: item.rise for item in found.features}
    # Two sets of random shuffles: they agree within the noise of 40 and 200 of them.
    for name, wanted in zip("abcd", theirs.importances_mean, strict=True):
        assert ours[name] == pytest.approx(wanted, rel=0.05, abs=1e-3)
    assert [item.feature for item in found.features] == ["a", "b", "d", "c"]
    assert predictions == 4 * 40 * 256 + 256


def test_a_feature_that_is_not_used_costs_nothing_and_its_interval_holds_zero() -> None:
    x, y = data()
    (found,), _ = permute_features({"x": x}, COLUMNS, lambda r, o: np.abs(r["x"] @ WEIGHTS - y[o])[:, None], 4, 0)
    last = found.features[-1]
    assert last.feature == "c" and last.rise == 0 and last.low <= 0 <= last.high
    assert found.features[0].low > 0


def test_rows_are_matched_with_their_labels_in_every_step() -> None:
    x, _ = data(50)
    sizes = []

    def losses(rows: dict[str, np.ndarray], origin: np.ndarray) -> np.ndarray:
        sizes.append(len(origin))
        kept = rows["x"][:, 2] == x[origin, 2]  # the unshuffled column must still belong to its sample
        changed = (rows["x"] != x[origin]).sum(axis=1) <= 1
        return np.stack([(~changed).astype(float), kept.astype(float)], axis=1)

    facts, _ = permute_features({"x": x}, COLUMNS, losses, 2, 0)
    assert all(item.rise == 0 for item in facts[0].features), "more than one column was shuffled at a time"
    assert len(facts) == 2 and sum(sizes) == 50 + 4 * 2 * 50


def test_the_budget_bounds_predictions_calls_and_arithmetic() -> None:
    assert (plan_budget(10, 1000, 1000).samples, plan_budget(10, 1000, 1000).repeats) == (256, 4)
    for features in (1, 30, 100, 150):
        budget = plan_budget(features, 100_000, 1000)
        assert budget.samples * budget.repeats * features <= PREDICTIONS
    heavy = plan_budget(30, 1000, MACS // 100)
    assert heavy.samples == 0 and "30 features need at least 3,840 predictions; the budget is 100" in heavy.why
    assert plan_budget(30, 1000, 0, step=1).samples == 0


def test_few_samples_are_all_used() -> None:
    assert plan_budget(10, 20, 0).samples == 20
