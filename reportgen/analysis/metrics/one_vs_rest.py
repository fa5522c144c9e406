"""Each class against the rest: the scores behind ROC curves of up to 30 classes, and the mean area under them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics.curves import ScoreTable
from reportgen.analysis.metrics.label_scores import LabelScores

Array = NDArray[Any]

MOST_CLASSES = 30
METHOD = "mean of the classes' DeLong intervals (wide)"


class ClassScores(LabelScores):
    """The scores of every class with whether it was the truth; memory as LabelScores: at most 18 MB."""

    def add_classes(self, truth: Array, scores: Array) -> None:
        """Add rows: class numbers (k,), finite scores (k, C)."""
        self.add(truth[:, None] == np.arange(self.labels), scores)

    def tables(self) -> tuple[ScoreTable, ...]:
        """Return the table behind the curves of each class."""
        return tuple(self.table(label) for label in range(self.labels))

    def error(self) -> float:
        """Return by how much bins can have moved the area of a class; 0 while scores are kept as they are."""
        return max((table.area_error() for table in self.tables()), default=0.0) if self.binned else 0.0


def mean_area(tables: tuple[ScoreTable, ...]) -> tuple[float, tuple[float, float]]:
    """Return the mean area under the ROC curves of the classes that occur, each counting the same, and its ends.

    The ends are means of the classes' own ends: too wide unless all classes go wrong together.
    """
    known = [table for table in tables if table.two_classes]
    if not known:
        return math.nan, (math.nan, math.nan)
    ends = np.asarray([table.area_interval()[0] for table in known]).mean(axis=0)
    return float(np.mean([table.area() for table in known])), (float(ends[0]), float(ends[1]))
