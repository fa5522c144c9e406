"""Every metric of one output in a table: value, 95% interval, n, and the simple baseline beside it."""

from __future__ import annotations

from reportgen.analysis.metrics.value import MetricValue
from reportgen.analysis.standing import compare_with_baseline
from reportgen.report.blocks import CellMark, Table, TableColumn
from reportgen.report.values import number
from reportgen.sections.output_view import OutputView
from reportgen.sections.words import count, interval_text, join_words, value_text

COLUMNS = (
    TableColumn("Metric", help="What was measured"),
    TableColumn("Value", help="On all labelled samples of the batch"),
    TableColumn("95% interval", help="Where the value would lie for other samples of the same kind"),
    TableColumn("Samples", "int", help="Labelled samples the value stands on"),
    TableColumn("Baseline", help="The same metric for the simplest model there is, on the same samples"),
    TableColumn("Baseline model", help="What that simplest model does"),
)
MEANINGS = (
    TableColumn("Metric", help="What was measured"),
    TableColumn("Meaning", help="What the metric says"),
    TableColumn("Better", help="Which direction is better"),
    TableColumn("Interval by", help="How the interval was computed"),
)


def metric_tables(view: OutputView, metrics: tuple[MetricValue, ...]) -> tuple[Table, Table]:
    """Return all metrics of one output, with those marked that do not beat their baseline, and what each one means."""
    places = {name: place for place, name in enumerate(headline_order(view))}
    ordered = sorted(metrics, key=lambda metric: places.get(metric.name, len(places)))
    values = Table(
        view.id("metrics"),
        "All metrics",
        COLUMNS,
        tuple(_row(metric) for metric in ordered),
        reading=describe_standings(metrics),
        note=view.accumulator.exactness(),
        marks=tuple(mark for i, metric in enumerate(ordered) for mark in _marks(i, metric)),
    )
    meanings = tuple((m.label, m.help, m.better, m.interval) for m in ordered)
    return values, Table(view.id("meanings"), "What each metric means", MEANINGS, meanings, collapsed_after=3)


def headline_order(view: OutputView) -> tuple[str, ...]:
    """Return the names of the headline metrics of a task, the most telling first."""
    return tuple(getattr(view.accumulator, "headlines", ()))


def _row(metric: MetricValue) -> tuple[str | int | None, ...]:
    """Return the cells of one metric."""
    value = number(metric.value, metric.reason)
    low, high = number(metric.low), number(metric.high)
    return (
        metric.label,
        value_text(value, metric.unit),
        interval_text(low, high, metric.unit),
        metric.n,
        "none" if metric.baseline is None else value_text(number(metric.baseline), metric.unit),
        metric.baseline_name,
    )


def place_of(metric: MetricValue) -> str:
    """Return where a metric stands beside its baseline (see analysis.standing)."""
    return compare_with_baseline(
        metric.value, metric.low, metric.high, metric.baseline, better=metric.better, n=metric.n, unit=metric.unit
    ).place


def describe_standings(metrics: tuple[MetricValue, ...]) -> str:
    """Say in one sentence how many metrics beat their baseline, and name those that do not."""
    judged = [(metric, place) for metric in metrics if (place := place_of(metric)) not in ("no_baseline", "no_value")]
    if not judged:
        return "No metric has a simple baseline to stand against."
    short = [metric.label for metric, place in judged if place != "better"]
    total = count(len(judged), "metric")
    if not short:
        return f"{'The one' if len(judged) == 1 else f'All {total}'} with a baseline beat{'s' * (len(judged) == 1)} it."
    if len(short) == len(judged):
        return f"None of {total} with a baseline beats it beyond doubt."
    return (
        f"{len(judged) - len(short)} of {total} with a baseline beat it; not beyond doubt: {join_words(short, most=4)}."
    )


def _marks(row: int, metric: MetricValue) -> tuple[CellMark, ...]:
    """Return the mark of one metric's value."""
    place = place_of(metric)
    if place == "worse":
        return (CellMark(row, 1, "error", f"worse than the baseline ({metric.baseline_name})"),)
    if place == "equal":
        return (CellMark(row, 1, "warn", f"no better than the baseline ({metric.baseline_name})"),)
    if place == "unclear":
        return (CellMark(row, 1, "info", "too close to the baseline to tell on so few samples"),)
    return ()


def describe_metrics(metrics: tuple[MetricValue, ...], order: tuple[str, ...] = ()) -> str:
    """Say in one sentence where the headline metric stands beside its baseline; `order` names the first headline."""
    if not metrics:
        return "No metric applies to this output."
    places = {name: place for place, name in enumerate(order)}
    headlines = [metric for metric in metrics if metric.headline] or list(metrics[:1])
    first = min(headlines, key=lambda metric: places.get(metric.name, len(places)))
    value = number(first.value, first.reason)
    if not isinstance(value, (int, float)):
        return f"{first.label} could not be computed: {first.reason or 'no value'}."
    interval = interval_text(number(first.low), number(first.high), first.unit)
    said = f"{first.label} is {value_text(value, first.unit)} ({interval}) on {count(first.n, 'sample')}"
    if first.baseline is None:
        return f"{said}; there is no simple baseline to compare it with."
    base = f"the baseline's {value_text(number(first.baseline), first.unit)} ({first.baseline_name})"
    return {
        "better": f"{said}: better than {base}.",
        "worse": f"{said}: worse than {base}.",
        "equal": f"{said}: no better than {base}.",
        "no_room": f"{said}; {base} is already perfect, so this batch cannot show skill.",
        "unclear": f"{said}: too close to {base} to tell them apart on so few samples.",
    }.get(place_of(first), f"{said}; there is no simple baseline to compare it with.")
