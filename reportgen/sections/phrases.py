"""The turns of phrase that verdicts are made of."""

from __future__ import annotations

import math

from reportgen.report.types import Finding, Metric
from reportgen.report.values import Missing
from reportgen.report.words import count, interval_text, lower, shorten, value_text


def metric_text(metric: Metric, *, name: bool = False) -> str:
    """Write a metric with its interval and n: "Accuracy 97.2% (95.0% to 98.5%) on 360 samples"."""
    known = not isinstance(metric.low, Missing) and not isinstance(metric.high, Missing)
    between = f" ({interval_text(metric.low, metric.high, metric.unit)})" if known else ""
    prefix = f"{shorten(metric.output, 40)}: {lower(metric.label)}" if name else metric.label
    return f"{prefix} {value_text(metric.value, metric.unit)}{between} on {count(metric.n, 'sample')}"


def baseline_text(metric: Metric) -> str:
    """Write the baseline: "the baseline's 10.3% (always the most frequent class)"."""
    value = math.nan if metric.baseline is None else metric.baseline
    name = f" ({metric.baseline_name})" if metric.baseline_name else ""
    return f"the baseline's {value_text(value, metric.unit)}{name}"


def task_text(task: str, reason: str) -> str:
    """Write a task, what the word means, and why it was chosen: "binary (yes or no): one score from a sigmoid"."""
    meaning, _, why = reason.partition(": ")
    if why and len(meaning) < 48:
        return f"{task} ({meaning}): {why}"
    return f"{task}: {reason}" if reason else task


def bar_text(metric: Metric) -> str:
    """Write the baseline's number alone: "baseline 10.3%"."""
    return f"baseline {value_text(math.nan if metric.baseline is None else metric.baseline, metric.unit)}"


def title_of(finding: Finding) -> str:
    """Return a finding's title as part of a sentence."""
    return lower(finding.title)


def clause(text: str) -> str:
    """Return a message as part of a sentence: on one line, without its full stop, bounded."""
    return lower(shorten(text, 200).rstrip("."))


def checks_failed(n: int) -> str:
    """Write how many checks failed."""
    return f"{count(n, 'check')} failed"


def checks_warn(n: int) -> str:
    """Write how many checks warn."""
    return f"{count(n, 'check')} {'warns' if n == 1 else 'warn'}"


def some_outputs(part: int, total: int) -> str:
    """Write "1 of 2 outputs is" or "All 2 outputs are"."""
    if part == total:
        return "Both outputs are" if total == 2 else f"All {total:,} outputs are"
    return f"{part:,} of {total:,} outputs {'is' if part == 1 else 'are'}"


def gates_did(part: int, whole: int) -> str:
    """Write how many gates did not hold."""
    return f"{part:,} of {count(whole, 'gate')} did" if whole > 1 else "The gate did"
