"""Streaming metrics, one module a task, and the table that finds them."""

from __future__ import annotations

from reportgen.analysis.metrics.binary import Binary
from reportgen.analysis.metrics.multiclass import Multiclass
from reportgen.analysis.metrics.multilabel import Multilabel
from reportgen.analysis.metrics.other import Other
from reportgen.analysis.metrics.reconstruction import Reconstruction
from reportgen.analysis.metrics.regression import Regression
from reportgen.analysis.metrics.samples import as_probabilities, score_samples
from reportgen.analysis.metrics.segmentation import Segmentation
from reportgen.analysis.metrics.sequence import Sequence
from reportgen.analysis.metrics.streaming import Streaming
from reportgen.analysis.metrics.timeseries import Timeseries
from reportgen.analysis.metrics.value import Accumulator, MetricValue, SampleScores

ACCUMULATORS: dict[str, type[Streaming]] = {
    "binary": Binary,
    "multiclass": Multiclass,
    "multilabel": Multilabel,
    "regression": Regression,
    "segmentation": Segmentation,
    "reconstruction": Reconstruction,
    "sequence": Sequence,
    "timeseries": Timeseries,
    "other": Other,
}


def make_accumulator(task: str, *, shape: tuple[int | None, ...], classes: int, scores: str) -> Streaming:
    """Return an empty accumulator for an output of this shape (without the batch), or raise ValueError."""
    if task not in ACCUMULATORS:
        raise ValueError(f"no task is called {task!r}")
    return ACCUMULATORS[task](shape=shape, classes=classes, scores=scores)


__all__ = [
    "ACCUMULATORS",
    "Accumulator",
    "MetricValue",
    "SampleScores",
    "Streaming",
    "as_probabilities",
    "make_accumulator",
    "score_samples",
]
