"""The checks that read the training history: fired, not fired, not applicable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reportgen.analysis.evidence import Array, Curve, History
from reportgen.checks import CheckSetting, run_checks
from reportgen.checks.lookup import metric_values
from reportgen.report.types import Finding
from tests.evidence_builder import make_artifacts, make_history

E = np.arange(1, 31, dtype=np.float64)
GOOD = {"loss": 0.2 + 2 * np.exp(-E / 4), "val_loss": 0.3 + 2 * np.exp(-E / 4)}
RISING = {
    "loss": 2 * np.exp(-E / 8),
    "val_loss": 0.5 + 1.5 * np.exp(-E / 3) + 0.03 * np.maximum(E - 10, 0),
}


def history(curves: dict[str, Array], **facts: Any) -> History:
    return History(
        "history.csv",
        tuple(Curve(name, np.arange(1, len(y) + 1), np.asarray(y, dtype=np.float64)) for name, y in curves.items()),
        **facts,
    )


def finding(code: str, curves: dict[str, Array] | History, *, threshold: float | None = None, **knobs: Any) -> Finding:
    read = curves if isinstance(curves, History) else history(curves)
    settings = {code: CheckSetting(threshold=threshold)}
    findings = run_checks(make_artifacts(history=read, **knobs), settings)
    return next(f for f in findings if f.code == code)


# overfitting


def test_overfitting_fires_and_names_the_epoch_of_onset() -> None:
    found = finding("overfitting", RISING, worker=False)
    assert found.outcome == "warned" and abs(found.epochs[0] - 11) <= 3
    assert f"epoch {found.epochs[0]}" in found.text and "not recorded" in found.text


@pytest.mark.parametrize(("shift", "outcome"), [(0.0, "warned"), (-0.5, "passed")])
def test_overfitting_asks_the_batch_which_weights_were_kept(shift: float, outcome: str) -> None:
    # The batch's log loss lies near the end of validation, or (everything moved up) near its best.
    artifacts = make_artifacts(quality=0.9)
    assert artifacts.worker is not None
    loss = next(m.value for m in metric_values(artifacts.worker.outputs[0]) if m.name == "log_loss")
    curves = {**RISING, "val_loss": RISING["val_loss"] - RISING["val_loss"][-1] + loss * (1.05 if not shift else 2)}
    curves["val_loss"] = np.maximum(curves["val_loss"], 0.9 * loss if shift else 0.1 * loss)
    assert finding("overfitting", curves, quality=0.9).outcome == outcome


def test_a_small_rise_does_not_fire_where_the_best_weights_may_have_been_restored() -> None:
    small = {**RISING, "val_loss": 0.5 + 1.5 * np.exp(-E / 3) + 0.008 * np.maximum(E - 10, 0)}
    assert "early stopping may have restored" in finding("overfitting", small, worker=False).text
    assert finding("overfitting", history(small, restored_epoch=30), worker=False).outcome == "warned"


def test_overfitting_is_silent_on_a_converged_run() -> None:
    assert finding("overfitting", GOOD).outcome == "passed"


def test_overfitting_is_silent_when_training_got_worse_too() -> None:
    both = {"loss": RISING["val_loss"] - 0.1, "val_loss": RISING["val_loss"]}
    assert finding("overfitting", both).outcome == "passed"


def test_overfitting_is_silent_when_the_weights_from_before_the_rise_were_restored() -> None:
    found = finding("overfitting", history(RISING, restored_epoch=12))
    assert found.outcome == "passed" and "those of epoch 12, from before the rise" in found.text
    assert finding("overfitting", history(RISING, restored_epoch=30)).outcome == "warned"


def test_a_rise_below_the_threshold_is_stated_but_does_not_fire() -> None:
    found = finding("overfitting", RISING, threshold=5.0)
    assert found.outcome == "passed" and "which is little" in found.text


@pytest.mark.parametrize("seed", range(10))
def test_overfitting_is_silent_on_noisy_plateaus(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noisy = {name: y + rng.normal(0, 0.02, E.size) for name, y in GOOD.items()}
    assert finding("overfitting", noisy).outcome == "passed"


def test_overfitting_needs_validation_and_five_epochs() -> None:
    assert finding("overfitting", {"loss": GOOD["loss"]}).outcome == "not_applicable"
    short = {name: y[:3] for name, y in RISING.items()}
    assert "at least 5 epochs" in finding("overfitting", short).text


# still-improving


def test_still_improving_fires_on_a_straight_line_down() -> None:
    line = {"loss": 3 - 0.09 * E, "val_loss": 3.1 - 0.09 * E}
    found = finding("still-improving", line)
    assert found.outcome == "warned" and found.epochs == (30,)


def test_still_improving_is_silent_when_the_learning_rate_had_run_out() -> None:
    line = {"loss": 3 - 0.09 * E, "val_loss": 3.1 - 0.09 * E, "learning_rate": 1e-2 * 0.9**E}
    found = finding("still-improving", line)
    assert found.outcome == "passed" and "as planned" in found.text


def test_still_improving_is_silent_on_a_converged_run() -> None:
    assert finding("still-improving", GOOD).outcome == "passed"


def test_still_improving_needs_validation_and_enough_epochs() -> None:
    assert finding("still-improving", {"loss": 3 - 0.09 * E}).outcome == "not_applicable"
    assert "at least 8 epochs" in finding("still-improving", {n: y[:4] for n, y in GOOD.items()}).text


# diverging-loss


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_diverging_fires_on_a_loss_that_ends_without_a_number(bad: float) -> None:
    curve = np.where(E > 20, bad, GOOD["loss"])
    found = finding("diverging-loss", {"loss": curve})
    assert found.outcome == "warned" and found.epochs == (21,)


def test_diverging_fires_when_the_loss_was_never_a_number() -> None:
    found = finding("diverging-loss", {"loss": np.full(5, np.nan)})
    assert found.outcome == "warned" and found.epochs == (1,)


def test_diverging_fires_on_a_loss_that_climbs_above_its_start() -> None:
    found = finding("diverging-loss", {"loss": 0.5 + 0.002 * np.exp(E / 3)})
    assert found.outcome == "warned" and "went up again" in found.text


def test_diverging_is_silent_on_gaps_in_the_middle_and_on_one_spike() -> None:
    gap, spike = GOOD["loss"].copy(), GOOD["loss"].copy()
    gap[10], spike[20] = np.nan, 50.0
    assert finding("diverging-loss", {"loss": gap}).outcome == "passed"
    assert finding("diverging-loss", {"loss": spike}).outcome == "passed"


def test_diverging_is_silent_on_negative_losses_and_needs_a_loss() -> None:
    assert finding("diverging-loss", {"loss": -np.log(E)}).outcome == "passed"
    assert finding("diverging-loss", {"accuracy": E / 40}).outcome == "not_applicable"
    assert finding("diverging-loss", {"loss": np.array([1.0, 0.9])}).outcome == "not_applicable"


# oscillating-loss


def test_oscillating_fires_on_a_sawtooth() -> None:
    saw = 1.0 + 0.4 * (-1.0) ** E
    found = finding("oscillating-loss", {"loss": saw})
    assert found.outcome == "warned" and "100%" in found.text


@pytest.mark.parametrize("seed", range(5))
def test_oscillating_is_silent_on_ordinary_noise(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.02, E.size)
    assert finding("oscillating-loss", {"loss": np.abs(GOOD["loss"] + noise)}).outcome == "passed"


def test_oscillating_is_silent_on_a_wobble_close_to_zero() -> None:
    wobble = 2 * np.exp(-E / 2) + 0.001 * (2 + (-1.0) ** E)
    assert finding("oscillating-loss", {"loss": wobble}).outcome == "passed"


def test_oscillating_is_silent_on_warm_restarts() -> None:
    assert finding("oscillating-loss", {"loss": 1 + 0.5 * np.cos(E / 2)}).outcome == "passed"


def test_oscillating_needs_ten_epochs() -> None:
    assert finding("oscillating-loss", {"loss": GOOD["loss"][:8]}).outcome == "not_applicable"


# plateau and underfitting


def test_plateau_fires_only_when_the_model_is_poor_too() -> None:
    flat = {"loss": np.full(10, 2.3)}
    assert finding("plateau", flat, quality=0.0).outcome == "warned"
    assert finding("plateau", flat, quality=0.9).outcome == "passed"
    assert finding("plateau", GOOD, quality=0.0).outcome == "passed"


def test_the_way_down_to_an_even_guess_is_no_learning() -> None:
    down = {"loss": np.linspace(2.8, 2.29, 10)}
    found = finding("plateau", down, quality=0.0)
    assert found.outcome == "warned" and "less than the 2.303 of an even guess" in found.text
    assert finding("plateau", {"loss": np.linspace(2.8, 2.1, 10)}, quality=0.0).outcome == "passed"
    assert finding("plateau", {"loss": np.linspace(9.0, 2.29, 10)}, quality=0.0).outcome == "passed"
    # A penalty or class weights may keep the loss of a good model above a guess's.
    assert finding("plateau", down, quality=0.9).outcome == "passed"
    assert finding("plateau", {"loss": np.full(10, 2.32)}, quality=0.9).outcome == "warned"


def test_one_lucky_epoch_is_no_gain() -> None:
    lucky = np.array([1.0, 0.99, 0.9, 0.99, 0.98, 0.99, 0.98, 0.99])
    assert finding("plateau", {"loss": lucky}, quality=0.0).outcome == "warned"
    assert finding("plateau", {"loss": lucky[[0, 1, 3, 4, 5, 6, 2]]}, quality=0.0).outcome == "passed"


def test_plateau_needs_labels_and_a_positive_loss() -> None:
    assert finding("plateau", {"loss": np.full(10, 2.3)}, labels=False).outcome == "not_applicable"
    assert finding("plateau", {"loss": np.full(3, 2.3)}).outcome == "not_applicable"
    assert finding("plateau", {"loss": np.full(10, -1.0)}).outcome == "not_applicable"


def test_underfitting_fires_when_training_accuracy_stayed_at_the_baseline() -> None:
    poor = {"loss": np.linspace(2.5, 2.2, 10), "accuracy": np.linspace(0.10, 0.15, 10)}
    found = finding("underfitting", poor, quality=0.0)
    assert found.outcome == "warned" and "15.0%" in found.text


def test_underfitting_is_silent_when_training_went_well_and_only_the_batch_is_bad() -> None:
    good = {"loss": np.linspace(2.5, 0.2, 10), "accuracy": np.linspace(0.10, 0.95, 10)}
    assert finding("underfitting", good, quality=0.0).outcome == "passed"


def test_underfitting_is_silent_on_a_good_model_with_a_short_history() -> None:
    assert finding("underfitting", {"loss": np.linspace(0.21, 0.2, 10)}).outcome == "passed"


def test_underfitting_leaves_a_flat_loss_to_plateau() -> None:
    found = finding("underfitting", {"loss": np.full(10, 2.3)}, quality=0.0)
    assert found.outcome == "not_applicable" and "plateau" in found.text


def test_underfitting_falls_back_to_the_loss_without_an_accuracy() -> None:
    assert finding("underfitting", {"loss": np.linspace(2.5, 2.4, 10)}, quality=0.0).outcome == "warned"
    assert finding("underfitting", {"loss": np.linspace(2.5, 0.4, 10)}, quality=0.0).outcome == "passed"


# best-epoch-not-restored


def test_restored_epoch_far_from_the_best_fires() -> None:
    found = finding("best-epoch-not-restored", history(RISING, restored_epoch=30))
    assert found.outcome == "warned" and found.epochs[-1] == 30


def test_restored_best_epoch_passes_and_no_record_is_not_guessed() -> None:
    best = int(np.argmin(RISING["val_loss"])) + 1
    assert finding("best-epoch-not-restored", history(RISING, restored_epoch=best)).outcome == "passed"
    assert finding("best-epoch-not-restored", RISING).outcome == "not_applicable"


def test_restored_epoch_that_is_best_by_another_metric_passes() -> None:
    curves = RISING | {"accuracy": E / 31, "val_accuracy": E / 35}
    found = finding("best-epoch-not-restored", history(curves, restored_epoch=30))
    assert found.outcome == "passed" and "accuracy" in found.text
    tied = curves | {"val_accuracy": np.minimum(E / 35, 0.5)}  # a callback would have kept the first of the best
    assert finding("best-epoch-not-restored", history(tied, restored_epoch=30)).outcome == "warned"


def test_restored_epoch_outside_the_history_is_not_applicable() -> None:
    assert finding("best-epoch-not-restored", history(RISING, restored_epoch=99)).outcome == "not_applicable"


# history-and-batch-disagree


def test_history_and_batch_disagree_fires_on_a_broken_batch() -> None:
    promised = GOOD | {"accuracy": 1 - 0.5 / E, "val_accuracy": 0.97 - 0.5 / E}
    found = finding("history-and-batch-disagree", promised, quality=0.3)
    assert found.outcome == "warned" and "validation" in found.text


def test_history_and_batch_disagree_is_silent_on_an_ordinary_gap_and_on_a_better_batch() -> None:
    promised = GOOD | {"accuracy": 1 - 0.5 / E, "val_accuracy": 0.97 - 0.5 / E}
    assert finding("history-and-batch-disagree", promised, quality=0.9).outcome == "passed"
    modest = GOOD | {"accuracy": E / 60, "val_accuracy": E / 70}
    assert finding("history-and-batch-disagree", modest, quality=0.9).outcome == "passed"


def test_history_and_batch_disagree_takes_the_worst_epoch_that_may_have_been_saved() -> None:
    collapsed = np.where(E < 30, 0.97, 0.2)
    promised = GOOD | {"accuracy": E / 31, "val_accuracy": collapsed}
    assert finding("history-and-batch-disagree", promised, quality=0.3).outcome == "passed"


def test_history_and_batch_disagree_reads_each_output_by_its_name() -> None:
    promised = GOOD | {"val_output_accuracy": np.full(30, 0.98), "val_parity_accuracy": np.full(30, 0.5)}
    found = finding("history-and-batch-disagree", promised, quality=0.2, extra_outputs=(("parity", "binary"),))
    assert found.outcome == "warned" and "of output output" in found.text


def test_history_and_batch_disagree_needs_the_same_metric_and_enough_samples() -> None:
    assert finding("history-and-batch-disagree", GOOD).outcome == "not_applicable"
    promised = GOOD | {"val_accuracy": np.full(30, 0.98)}
    assert finding("history-and-batch-disagree", promised, n=20, quality=0.0).outcome == "not_applicable"


@pytest.mark.parametrize("kind", ["healthy", "overfitting", "improving", "diverging", "flat", "train_only"])
def test_no_training_check_breaks_on_any_kind_of_history(kind: str) -> None:
    for epochs in (1, 2, 5, 25):
        findings = run_checks(make_artifacts(history=make_history(kind, epochs)), {})
        assert not [f.text for f in findings if f.outcome == "error"]


@pytest.mark.parametrize("values", [[1e308, -1e308] * 6, [np.nan] * 12, [np.inf, 1.0] * 6, [0.0] * 12, [5e-324] * 12])
def test_no_training_check_breaks_on_extreme_values(values: list[float]) -> None:
    extreme = np.array(values)
    findings = run_checks(make_artifacts(history=history({"loss": extreme, "val_loss": extreme[::-1]})), {})
    assert not [(f.code, f.text) for f in findings if f.outcome == "error"]
