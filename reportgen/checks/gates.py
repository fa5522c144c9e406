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


def judge(metrics: tuple[Metric, ...], gates: Mapping[str, Bounds]) -> tuple[Gate, ...]:
    """Judge every gate in the config's order.

    A gate is named by a metric ("accuracy": of every output that has it, one Gate each) or by output and metric
    ("parity.accuracy"). `held` is None when there is no such metric or it has no value.
    """
    found: list[Gate] = []
    for name, bounds in gates.items():
        matches = [metric for metric in metrics if name in (metric.name, f"{metric.output}.{metric.name}")]
        found += [_judge_one(name, bounds, metric, len(matches) > 1) for metric in matches] or [
            _unknown(name, bounds, metrics)
        ]
    return tuple(found)


def _judge_one(name: str, bounds: Bounds, metric: Metric, several: bool) -> Gate:
    """Judge one gate on one metric."""
    expected = _expected(bounds)
    title = f"{metric.output}.{metric.name}" if several else name
    if isinstance(metric.value, Missing):
        return Gate(
            title, expected, metric.value, None, f"{title} has no value ({metric.value.missing}); {expected} required."
        )
    low, high = bounds.min, bounds.max
    held = (low is None or metric.value >= low) and (high is None or metric.value <= high)
    value = value_text(metric.value, metric.unit)
    # A share is also written as the config writes it: 94.96% is not at least 0.95.
    exact = f" ({metric.value:.6g})" if metric.unit == "share" else ""
    text = (
        f"{title} is {value}{exact} on {count(metric.n, 'sample')}; {expected} required: "
        f"{'held' if held else 'not held'}."
    )
    return Gate(title, expected, metric.value, held, text)


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
    return " and ".join(parts)
