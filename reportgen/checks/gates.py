"""Gates: what the config requires of a metric, and whether it held. A gate that cannot be judged has not held."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Protocol

from reportgen.report.types import Gate, Metric
from reportgen.report.values import Missing
from reportgen.report.words import count, join_words, shorten, value_text


class Bounds(Protocol):
    """What one metric must hold; None where nothing is required."""

    @property
    def min(self) -> float | None:
        """The metric may not be below this."""
        ...

    @property
    def max(self) -> float | None:
        """The metric may not be above this."""
        ...

    @property
    def max_drop(self) -> float | None:
        """The metric may not be worse than in the earlier report by more than this."""
        ...


def judge(
    metrics: tuple[Metric, ...], gates: Mapping[str, Bounds], before: tuple[Metric, ...] = ()
) -> tuple[Gate, ...]:
    """Judge every gate in the config's order; `before` are the metrics of the earlier report.

    A gate is named by a metric ("accuracy": of every output that has it, one Gate each) or by output and metric
    ("parity.accuracy"). `held` is None when there is no such metric or it has no value.
    """
    found: list[Gate] = []
    for name, bounds in gates.items():
        matches = [metric for metric in metrics if name in (metric.name, f"{metric.output}.{metric.name}")]
        found += [_judge_one(name, bounds, metric, len(matches) > 1, before) for metric in matches] or [
            _unknown(name, bounds, metrics)
        ]
    return tuple(found)


def _judge_one(name: str, bounds: Bounds, metric: Metric, several: bool, before: tuple[Metric, ...]) -> Gate:
    """Judge one gate on one metric."""
    expected = _expected(bounds)
    title = f"{metric.output}.{metric.name}" if several else name
    if isinstance(metric.value, Missing):
        return Gate(
            title, expected, metric.value, None, f"{title} has no value ({metric.value.missing}); {expected} required."
        )
    low, high = bounds.min, bounds.max
    held: bool | None = (low is None or metric.value >= low) and (high is None or metric.value <= high)
    drop, why = _judge_drop(bounds.max_drop, metric, before)
    held = drop if held else held
    value = value_text(metric.value, metric.unit)
    # A share is also written as the config writes it: 94.96% is not at least 0.95.
    exact = f" ({metric.value:.6g})" if metric.unit == "share" else ""
    result = {True: "held", False: "not held", None: "cannot be judged"}[held]
    text = f"{title} is {value}{exact} on {count(metric.n, 'sample')}{why}; {expected} required: {result}."
    return Gate(title, expected, metric.value, held, text)


def _judge_drop(most: float | None, metric: Metric, before: tuple[Metric, ...]) -> tuple[bool | None, str]:
    """Say whether a metric is worse than before by at most `most`, and by how much, in words."""
    if most is None:
        return True, ""
    outputs = {other.output for other in before}
    old = next((m for m in before if m.name == metric.name and (m.output == metric.output or len(outputs) == 1)), None)
    if old is None or isinstance(old.value, Missing) or isinstance(metric.value, Missing):
        return None, ", not known in the earlier report"
    drop = (
        float(old.value) - float(metric.value) if metric.better == "higher" else float(metric.value) - float(old.value)
    )
    if metric.better == "neither":
        drop = abs(drop)
    # 0.95 - 0.94 is a little more than 0.01 in binary numbers.
    return drop <= most + 1e-9, f", {value_text(old.value, metric.unit)} before ({drop:.6g} worse)" if drop > 0 else (
        f", {value_text(old.value, metric.unit)} before"
    )


def _unknown(name: str, bounds: Bounds, metrics: tuple[Metric, ...]) -> Gate:
    """Return the gate for a metric that the report does not have, with the nearest names that it has."""
    names = list(dict.fromkeys([*(m.name for m in metrics), *(f"{m.output}.{m.name}" for m in metrics)]))
    near = difflib.get_close_matches(name, names, n=3) or [metric.name for metric in metrics if metric.headline][:3]
    reason = f"no metric called {shorten(name, 60)}" if metrics else "no metric could be computed"
    hint = f"; there is {join_words(near)}" if near else ""
    return Gate(name, _expected(bounds), Missing(reason), None, f"Cannot be judged: {reason}{hint}.")


def _expected(bounds: Bounds) -> str:
    """Write what is required."""
    parts = []
    if bounds.min is not None:
        parts.append(f"at least {bounds.min:g}")
    if bounds.max is not None:
        parts.append(f"at most {bounds.max:g}")
    if bounds.max_drop is not None:
        parts.append(f"at most {bounds.max_drop:g} worse than before")
    return " and ".join(parts)
