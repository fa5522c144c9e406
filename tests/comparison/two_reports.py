"""Reports made from predictions: metrics by our accumulators, records as the pipeline keeps them; the rest is the sample's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reportgen.analysis.metrics import make_accumulator, score_samples
from reportgen.report import types as t
from reportgen.report.values import Column, number
from tests.sample_report import make_report

NAMES = ("cat", "dog", "eel", "fox")


def scores_for(answers: np.ndarray, sure: float = 0.8, classes: int = 4) -> np.ndarray:
    """Return probabilities (n, classes) with `sure` for each answer."""
    scores = np.full((len(answers), classes), (1 - sure) / (classes - 1))
    scores[np.arange(len(answers)), answers] = sure
    return scores


def report_of(
    truth: np.ndarray,
    predicted: np.ndarray,
    *,
    task: str = "multiclass",
    scores: str = "probabilities",
    keys: np.ndarray | None = None,
    ids: Sequence[str] = (),
    names: Sequence[str] = NAMES,
    output: str = "animal",
    total: int = 0,
) -> t.Report:
    """Return a report with one output; `total` samples of which these are the records (0: all of them)."""
    accumulator: Any = make_accumulator(task, shape=predicted.shape[1:], classes=len(names), scores=scores)
    accumulator.update(truth, predicted)
    one = score_samples(task, truth, predicted, scores)
    n = len(predicted)
    order = np.argsort(keys) if keys is not None else np.arange(n)
    marks = np.arange(n, dtype=np.uint64) if keys is None else keys.astype(np.uint64)
    whole = task in ("multiclass", "binary")

    def pack(values: np.ndarray, kind: Any) -> Column:
        kind = "<f4" if np.isnan(values).any() else kind
        return Column.pack(values[order], kind) if not np.isnan(values).all() else Column.pack([], "<f4")

    table = t.SampleTable(
        output, task, total or n, "all samples", Column.pack(marks[order], "<u8"), Column.pack(np.zeros(n), "|u1"),
        tuple(ids[i] for i in order) if ids else (), pack(one.truth, "|u1" if whole else "<f8"),
        pack(one.prediction, "|u1" if whole else "<f8"), pack(one.confidence, "<f4"), pack(one.loss, "<f4"), tuple(names),
    )  # fmt: skip
    metrics = tuple(
        t.Metric(
            m.name, m.label, output, number(m.value, m.reason), number(m.low), number(m.high), int(m.n), m.interval,
            m.better, m.unit, None if m.baseline is None else number(m.baseline), m.baseline_name, m.headline,  # type: ignore[arg-type]
        )
        for m in accumulator.result()
    )  # fmt: skip
    return replace(make_report(), samples=(table,), metrics=metrics)
