"""Every metric of every output as the Report keeps it: values that could not be computed are Missing, with the reason."""

from __future__ import annotations

import math

from reportgen.analysis.evidence import Artifacts
from reportgen.analysis.metrics.value import MetricValue
from reportgen.analysis.standing import Standing, compare_with_baseline
from reportgen.checks.lookup import metric_values
from reportgen.report.types import Metric
from reportgen.report.values import Missing, Number, number


def metrics_of(artifacts: Artifacts) -> tuple[Metric, ...]:
    """Return all metrics of all outputs, in the order of the outputs; only the first headline of an output is one."""
    found: list[Metric] = []
    for output in artifacts.worker.outputs if artifacts.worker else ():
        values = metric_values(output)
        first = next((value for value in values if value.headline), None)
        found += [_metric(output.name, value, value is first) for value in values]
    return tuple(found)


def _metric(output: str, value: MetricValue, headline: bool) -> Metric:
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
        headline=headline,
        help=value.help,
    )


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
