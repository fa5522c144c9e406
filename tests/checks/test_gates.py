"""Gates: bounds, names, several outputs, and metrics that are not there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reportgen.checks.gates import judge
from reportgen.report.types import Metric
from reportgen.report.values import Missing, Number


@dataclass(frozen=True)
class Bounds:
    min: float | None = None
    max: float | None = None
    max_drop: float | None = None


def metric(name: str, value: Number, output: str = "digit", unit: str = "share") -> Metric:
    return Metric(name, name.title(), output, value, value, value, 360, "Wilson", "higher", unit, headline=True)


def test_a_bound_is_inclusive() -> None:
    (gate,) = judge((metric("accuracy", 0.95),), {"accuracy": Bounds(min=0.95, max=0.95)})
    assert gate.held is True and gate.expected == "at least 0.95 and at most 0.95" and gate.found == 0.95


def test_a_value_that_rounds_to_the_bound_is_still_below_it_and_the_text_shows_why() -> None:
    (gate,) = judge((metric("accuracy", 0.94996),), {"accuracy": Bounds(min=0.95)})
    assert gate.held is False and "0.94996" in gate.text and "360 samples" in gate.text


def test_a_maximum() -> None:
    gates = judge((metric("log_loss", 0.4, unit=""),), {"log_loss": Bounds(max=0.3)})
    assert [gate.held for gate in gates] == [False] and "at most 0.3" in gates[0].text


def test_a_gate_holds_for_every_output_that_has_the_metric() -> None:
    metrics = (metric("accuracy", 0.99), metric("accuracy", 0.6, "parity"))
    gates = judge(metrics, {"accuracy": Bounds(min=0.9)})
    assert [(gate.metric, gate.held) for gate in gates] == [("digit.accuracy", True), ("parity.accuracy", False)]


def test_one_output_can_be_named() -> None:
    metrics = (metric("accuracy", 0.99), metric("accuracy", 0.6, "parity"))
    gates = judge(metrics, {"parity.accuracy": Bounds(min=0.5)})
    assert [(gate.metric, gate.held) for gate in gates] == [("parity.accuracy", True)]


def test_an_unknown_metric_cannot_be_judged_and_the_nearest_is_named() -> None:
    (gate,) = judge((metric("accuracy", 0.99),), {"acuracy": Bounds(min=0.9)})
    assert gate.held is None and isinstance(gate.found, Missing) and "there is accuracy" in gate.text


def test_without_any_metric_a_gate_cannot_be_judged() -> None:
    (gate,) = judge((), {"accuracy": Bounds(min=0.9)})
    assert gate.held is None and "no metric could be computed" in gate.text


def test_a_missing_value_cannot_be_judged_and_says_why() -> None:
    (gate,) = judge((metric("accuracy", Missing("no labels")),), {"accuracy": Bounds(min=0.9)})
    assert gate.held is None and "no labels" in gate.text


def test_a_drop_is_judged_by_the_direction_of_the_metric() -> None:
    before = (metric("accuracy", 0.95), replace(metric("log_loss", 0.2, unit=""), better="lower"))
    now = (metric("accuracy", 0.96), replace(metric("log_loss", 0.25, unit=""), better="lower"))
    gates = judge(now, {"accuracy": Bounds(max_drop=0.0), "log_loss": Bounds(max_drop=0.01)}, before)
    assert [gate.held for gate in gates] == [True, False]
    assert "at most 0.01 worse than before" in gates[1].expected and "0.2 before (0.05 worse)" in gates[1].text


def test_a_drop_of_just_the_bound_holds() -> None:
    (gate,) = judge((metric("accuracy", 0.94),), {"accuracy": Bounds(max_drop=0.01)}, (metric("accuracy", 0.95),))
    assert gate.held is True


def test_a_bound_that_is_broken_is_not_held_whatever_was_before() -> None:
    gates = {"accuracy": Bounds(min=0.9, max_drop=0.5)}
    (gate,) = judge((metric("accuracy", 0.8),), gates, (metric("accuracy", 0.7),))
    assert gate.held is False


def test_a_drop_from_an_unknown_value_cannot_be_judged() -> None:
    gates = {"accuracy": Bounds(max_drop=0.1)}
    (missing,) = judge((metric("accuracy", 0.8),), gates, (metric("accuracy", Missing("no labels")),))
    (absent,) = judge((metric("accuracy", 0.8),), gates, ())
    assert missing.held is None and absent.held is None and "not known in the earlier report" in absent.text
