"""How differences are written: signed, in points where the metric is a share, and what they mean in a word."""

from __future__ import annotations

from reportgen.report.changes import MetricChange, SampleChange
from reportgen.report.types import Report
from reportgen.report.values import Missing, Number
from reportgen.report.words import count, number_text, percent, shorten, value_text

ROUNDING = 1e-4  # records are float32
PLACES = {
    "better": "Better",
    "worse": "Worse",
    "same": "The same",
    "unclear": "Cannot tell",
    "changed": "Changed",
}


def signed(value: Number, unit: str, *, points: bool = True) -> str:
    """Write a difference: +1.7 points of a share, -0.031 of anything else."""
    if isinstance(value, Missing):
        return "not known"
    size = abs(value)
    mark = "+" if value > 0 else "−" if value < 0 else "±"
    if unit == "share":
        hundredth = size * 100
        text = f"{hundredth:.1f}" if hundredth >= 0.05 or not hundredth else number_text(hundredth, 2)
        return f"{mark}{text}{' points' if points else ''}"
    text = number_text(size, 3)
    return f"{mark}{text}" + (f" {unit}" if unit and points else "")


def interval(change: MetricChange) -> str:
    """Write the 95% interval of a difference."""
    if isinstance(change.low, Missing) or isinstance(change.high, Missing):
        return "no interval"
    return f"{signed(change.low, change.unit, points=False)} to {signed(change.high, change.unit)}"


def metric_words(change: MetricChange, *, several: bool) -> str:
    """Write one metric in a clause: "Accuracy 95.0% → 92.1% (-2.9 points, 95% interval ..., on 360 shared samples)"."""
    name = f"{change.label} of {shorten(change.output, 40)}" if several else change.label
    values = f"{name} {value_text(change.before, change.unit)} → {value_text(change.now, change.unit)}"
    on = f"on {count(change.n, 'shared sample')}" if change.paired else "not compared sample by sample"
    if change.place == "same":
        return f"{values} ({on})"
    if change.paired and not _is_of_all(change):
        return (
            f"{values}, each on all its samples; on the {count(change.n, 'shared one')} "
            f"{signed(change.difference, change.unit)} (95% interval {interval(change)})"
        )
    return f"{values} ({signed(change.difference, change.unit)}, 95% interval {interval(change)}, {on})"


def _is_of_all(change: MetricChange) -> bool:
    """Tell whether the difference is that of the two values, not only of samples that both reports share."""
    if isinstance(change.difference, Missing) or isinstance(change.now, Missing) or isinstance(change.before, Missing):
        return True
    apart = abs(float(change.now) - float(change.before) - float(change.difference))
    return apart <= max(ROUNDING, 0.02 * abs(change.difference))


def sample_words(sides: SampleChange) -> str:
    """Write how many samples changed sides."""
    of = count(sides.shared, "shared sample")
    if not sides.newly_wrong and not sides.newly_right:
        return f"none of {of} changed sides" if sides.by == "answer" else f"the loss of none of {of} changed"
    if sides.by == "answer":
        return f"{sides.newly_wrong:,} newly wrong and {sides.newly_right:,} newly right of {of}"
    return f"the loss grew on {sides.newly_wrong:,} and fell on {sides.newly_right:,} of {of}"


def chance_words(sides: SampleChange) -> str:
    """Say how easily chance gives such a split."""
    if isinstance(sides.p, Missing) or not sides.newly_wrong + sides.newly_right:
        return ""
    p = percent(sides.p) if sides.p >= 0.0001 else "under 0.01%"
    kind = "McNemar's exact test" if sides.by == "answer" else "a sign test"
    return (
        f"If neither run were better, chance would split {count(sides.newly_wrong + sides.newly_right, 'sample')} this "
        f"unevenly or more in {p} of cases ({kind})."
    )


def base_words(base: Report, head: Report) -> str:
    """Name the earlier report: its title where it is another one, its time, its commit."""
    parts = [f"“{shorten(base.title, 80)}”"] if base.title != head.title else []
    if base.run is not None and base.run.started:
        zone = " UTC" if base.run.started.endswith("+00:00") else ""
        parts.append(f"{shorten(base.run.started.replace('T', ' ')[:16], 16)}{zone}")
    if not isinstance(base.provenance.git_commit, Missing):
        parts.append(f"commit {base.provenance.git_commit[:12]}")
    return f"the report of {', '.join(parts)}" if parts else "an earlier report"
