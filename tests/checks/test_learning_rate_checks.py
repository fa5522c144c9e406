"""Checks of the learning rate, of the weights' epoch, and of training metrics beside penalties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reportgen.analysis.evidence import Artifacts, Curve, FreshFacts, History, WeightFacts
from reportgen.checks import run_checks
from reportgen.checks.lookup import metric_values
from reportgen.report.types import Finding
from tests.evidence_builder import make_artifacts

E = np.arange(1, 25, dtype=np.float64)
HEALTHY = 0.1 + 2.2 * np.exp(-E / 4)


def with_history(artifacts: Artifacts, **curves: Any) -> Artifacts:
    made = tuple(Curve(n, np.arange(1, len(y) + 1), np.asarray(y, dtype=np.float64)) for n, y in curves.items())
    return replace(artifacts, history=History("history.csv", made))


def with_rate(rate: str, optimizer: str = "Adam", quality: float = 0.9, **curves: Any) -> Artifacts:
    artifacts = make_artifacts(quality=quality, n=300)
    assert artifacts.worker is not None and artifacts.worker.model is not None
    model = replace(artifacts.worker.model, optimizer=optimizer, optimizer_settings={"learning_rate": rate})
    return with_history(replace(artifacts, worker=replace(artifacts.worker, model=model)), **curves)


def finding(code: str, artifacts: Artifacts) -> Finding:
    return next(f for f in run_checks(artifacts, {}) if f.code == code)


# learning-rate-too-high


JUMPING = 2.0 + 0.4 * (-1.0) ** E


def test_a_high_rate_with_a_jumping_loss_fires_and_names_both() -> None:
    found = finding("learning-rate-too-high", with_rate("0.5", loss=JUMPING))
    assert found.outcome == "warned" and "500 times the default of Adam" in found.text and "jumped" in found.text
    assert found.fix.startswith("Train again with learning_rate=0.001 (the default of Adam);")


def test_layers_as_initialised_tell_against_large_steps_where_nothing_else_speaks_for_them() -> None:
    """A loss that stays at an even guess has other causes; one that jumps has not."""
    facts = FreshFacts(True, True, 0.0, "")
    kernel = ("kernel", (8, 8), "float32", 64, 1.0, 0.0, 0.1, -1.0, 1.0, 0, 0, 0, True, "GlorotUniform")
    fresh = [WeightFacts(f"l{i}", *kernel, fresh=replace(facts, untouched=i > 1, certain=i > 1)) for i in range(4)]
    for loss, outcome in ((np.full(24, np.log(10)), "passed"), (JUMPING, "warned")):
        artifacts = with_rate("0.0101", loss=loss)
        artifacts = replace(artifacts, worker=replace(artifacts.worker, weights=tuple(fresh)))
        found = finding("learning-rate-too-high", artifacts)
        assert found.outcome == outcome and ("2 of 4 trainable layers" in found.text) == (outcome == "passed")


@pytest.mark.parametrize(
    ("rate", "loss", "outcome"),
    [
        ("0.5", HEALTHY, "passed"),  # a high rate that did no harm
        ("0.001", JUMPING, "passed"),  # a jumping loss has other causes too
        ("0.0099", JUMPING, "passed"),
        ("0.0101", JUMPING, "warned"),
        ("0.0101", np.full(24, np.log(10)), "warned"),  # no better than an even guess among ten classes
    ],
)
def test_the_rate_and_a_sign_are_both_needed(rate: str, loss: Any, outcome: str) -> None:
    assert finding("learning-rate-too-high", with_rate(rate, loss=loss)).outcome == outcome


def test_each_optimizer_has_its_own_default() -> None:
    assert finding("learning-rate-too-high", with_rate("0.05", "SGD", loss=JUMPING)).outcome == "passed"
    assert finding("learning-rate-too-high", with_rate("0.05", "Adam", loss=JUMPING)).outcome == "warned"


@pytest.mark.parametrize(
    "loss",
    [
        np.where(E < 13, 0.6 + 1.7 * np.exp(-E / 3), 0.1 + 0.3 * np.exp(13 - E)),  # falls at each step of a schedule
        2.3 * np.exp(-E) + 1e-3 * (1.6 + (-1.0) ** E),  # wobbles close to zero
    ],
)
def test_a_high_rate_whose_loss_only_falls_or_wobbles_near_zero_is_silent(loss: Any) -> None:
    assert finding("learning-rate-too-high", with_rate("0.1", "SGD", loss=loss)).outcome == "passed"


def test_one_late_jump_at_a_high_rate_is_a_sign() -> None:
    loss = HEALTHY.copy()
    loss[18] = 1.4
    assert finding("learning-rate-too-high", with_rate("0.1", "SGD", loss=loss)).outcome == "warned"


def test_the_rate_of_the_history_counts_more_than_the_last_one_in_the_file() -> None:
    scheduled = with_rate("0.00001", loss=JUMPING, learning_rate=0.5 * 0.9**E)
    assert finding("learning-rate-too-high", scheduled).outcome == "warned"


def test_without_a_rate_on_record_two_signs_are_needed_and_one_is_the_start() -> None:
    exploded = np.concatenate([[400.0], np.full(23, 2.31)])
    assert finding("learning-rate-too-high", with_rate("a schedule", loss=exploded)).outcome == "warned"
    assert finding("learning-rate-too-high", with_rate("a schedule", loss=JUMPING)).outcome == "passed"
    recovered = np.concatenate([[400.0], HEALTHY[1:]])
    assert finding("learning-rate-too-high", with_rate("a schedule", loss=recovered)).outcome == "passed"


# learning-rate-too-low


def test_an_even_creeping_loss_fires_and_a_converged_one_does_not() -> None:
    creeping = 2.3 - 0.02 * E
    assert finding("learning-rate-too-low", with_rate("0.001", loss=creeping)).outcome == "warned"
    assert finding("learning-rate-too-low", with_rate("0.001", loss=HEALTHY)).outcome == "passed"


@pytest.mark.parametrize(("rate", "outcome"), [("0.0001", "warned"), ("0.001", "passed")])
def test_a_low_rate_on_record_moves_the_bar(rate: str, outcome: str) -> None:
    halved = 2.3 - 0.05 * E  # 48% of the loss is left
    assert finding("learning-rate-too-low", with_rate(rate, loss=halved)).outcome == outcome


@pytest.mark.parametrize(
    ("rate", "quality", "outcome"), [("1e-6", 0.0, "warned"), ("1e-6", 0.9, "passed"), ("1e-3", 0.0, "passed")]
)
def test_a_loss_that_stands_still_is_blamed_on_a_low_rate_only_in_a_model_that_learned_nothing(
    rate: str, quality: float, outcome: str
) -> None:
    still = with_rate(rate, quality=quality, loss=np.full(24, 2.3))
    assert finding("learning-rate-too-low", still).outcome == outcome


def test_too_low_is_silent_where_validation_already_turned() -> None:
    creeping = 2.3 - 0.02 * E
    turned = with_rate("0.001", loss=creeping, val_loss=2.0 + 0.05 * E)
    assert finding("learning-rate-too-low", turned).outcome == "passed"


@pytest.mark.parametrize("code", ["learning-rate-too-high", "learning-rate-too-low"])
def test_short_histories_do_not_tell(code: str) -> None:
    assert finding(code, with_rate("0.5", loss=HEALTHY[:3])).outcome == "not_applicable"


# which epoch the weights are of


def at_epoch(epoch: int, *, off: float = 0.0) -> Artifacts:
    """Return a history in which exactly one epoch has the metrics that the batch gives (or misses them by `off`)."""
    artifacts = make_artifacts(quality=0.9, n=300)
    assert artifacts.worker is not None
    values = {m.name: m.value for m in metric_values(artifacts.worker.outputs[0])}
    loss, accuracy = values["log_loss"] * (1 - 0.004 * np.abs(E - 8)[::1]) + 0.02 * (E - 8) ** 2, 0.5 + 0 * E
    loss[epoch - 1], accuracy[epoch - 1] = values["log_loss"] + off, values["accuracy"]
    return with_history(artifacts, loss=HEALTHY, val_loss=loss, val_accuracy=accuracy)


def test_the_batch_tells_the_epoch_when_it_is_the_validation_data() -> None:
    found = finding("best-epoch-not-restored", at_epoch(8))
    assert found.outcome == "passed" and "epoch 8, as the batch shows" in found.text


def test_metrics_that_nearly_agree_are_no_evidence() -> None:
    assert finding("best-epoch-not-restored", at_epoch(8, off=0.01)).outcome == "not_applicable"


def test_a_batch_that_shows_a_late_epoch_is_a_finding() -> None:
    artifacts = at_epoch(20)
    assert artifacts.history is not None
    curves = {c.name: c.values.copy() for c in artifacts.history.curves}
    curves["val_loss"][4], curves["val_accuracy"][4] = 0.5 * curves["val_loss"][19], 0.99
    found = finding("best-epoch-not-restored", with_history(artifacts, **curves))
    assert found.outcome == "warned" and found.epochs == (5, 20)
    curves["val_accuracy"][4] = 0.1  # now epoch 20 is the very best by accuracy: someone may have watched that
    assert finding("best-epoch-not-restored", with_history(artifacts, **curves)).outcome == "passed"


# underfitting beside penalties


@pytest.mark.parametrize(("last", "outcome"), [(1.02, "warned"), (0.3, "passed")])
def test_a_loss_that_fell_by_its_penalties_alone_is_underfitting(last: float, outcome: str) -> None:
    artifacts = make_artifacts("reconstruction", quality=0.0)
    assert artifacts.worker is not None
    value = next(m for m in metric_values(artifacts.worker.outputs[0]) if m.name == "mse")
    assert value.baseline is not None
    falling = np.concatenate([np.linspace(600, 1, 23), [last * value.baseline]])
    found = finding("underfitting", with_history(artifacts, loss=falling))
    assert found.outcome == outcome
