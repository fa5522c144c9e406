"""What the report is about, in a few words for the top of the page: the task, and how large the model is."""

from __future__ import annotations

from reportgen.report.types import Report, SampleTable
from reportgen.report.words import count

INTO_CLASSES = {"multiclass": "classification into", "segmentation": "segmentation into"}
WORDS = {
    "binary": "yes-or-no classification",
    "multilabel": "several labels a sample",
    "timeseries": "forecast",
    "sequence": "a class or token for each step",
    "other": "an output that cannot be scored",
}
MOST_TASKS = 3


def about(report: Report) -> tuple[str, ...]:
    """Return the tasks of the outputs and the model's size, as far as the report holds them."""
    tasks = list(dict.fromkeys(_task(table) for table in report.samples))
    more = [f"{len(tasks) - MOST_TASKS} more tasks"] if len(tasks) > MOST_TASKS + 1 else []
    said = " and ".join(tasks[:MOST_TASKS] + more if more else tasks)
    counts = [layer.numbers.get("parameters") for layer in report.layers]
    known = [n for n in counts if isinstance(n, int)]
    size = f"{count(len(report.layers), 'layer')}, {count(sum(known), 'parameter')}" if known else ""
    return tuple(part for part in (said[:1].upper() + said[1:], size) if part)


def _task(table: SampleTable) -> str:
    """Write the task of one output as people say it."""
    classes = len(table.class_names)
    if table.task in INTO_CLASSES and classes:
        return f"{INTO_CLASSES[table.task]} {classes:,} classes"
    return WORDS.get(table.task, "classification" if table.task == "multiclass" else table.task)
