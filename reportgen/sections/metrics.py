"""Every metric of every output as the Report keeps it: what could not be computed is Missing, with the reason."""

from __future__ import annotations

import math

from reportgen.analysis.evidence import Artifacts
from reportgen.analysis.metrics.value import MetricValue
from reportgen.analysis.standing import Standing, compare_with_baseline
from reportgen.checks.lookup import metric_values
from reportgen.report.types import Metric
from reportgen.report.values import Missing, Number, number


def metrics_of(artifacts: Artifacts) -> tuple[Metric, ...]:
    """Return all metrics of all outputs, in the order of the outputs."""
    found: list[Metric] = []
    for output in artifacts.worker.outputs if artifacts.worker else ():
        found += [_metric(output.name, value) for value in metric_values(output)]
    return tuple(found)


def _metric(output: str, value: MetricValue) -> Metric:
    """Turn one accumulator's result into the Report's form."""
    return Metric(
        name=value.name,
        label=value.label,
        output=output,
        value=number(value.value, value.reason or "could not be computed"),
        low=number(value.low, value.reason or "no interval"),
        high=number(value.high, value.reason or "no interval"),
        n=int(value.n),
        interval=value.interval,
        better="higher" if value.better == "higher" else "lower" if value.better == "lower" else "neither",
        unit=value.unit,
        baseline=None if value.baseline is None else number(value.baseline, "could not be computed"),
        baseline_name=value.baseline_name,
        headline=value.headline,
        help=value.help,
    )


def headlines(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """Return the first headline metric of each output: the one that stands for it."""
    first: dict[str, Metric] = {}
    for metric in metrics:
        if metric.headline:
            first.setdefault(metric.output, metric)
    return tuple(first.values())


def place_metric(metric: Metric) -> Standing:
    """Place a metric of the Report beside its baseline."""
    return compare_with_baseline(
        _float(metric.value),
        _float(metric.low),
        _float(metric.high),
        None if metric.baseline is None else _float(metric.baseline),
        better=metric.better,
        n=metric.n,
        unit=metric.unit,
    )


def _float(value: Number) -> float:
    """Return a number, NaN when it is missing."""
    return math.nan if isinstance(value, Missing) else float(value)
