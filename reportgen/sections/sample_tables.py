"""The sample records of every output as the Report keeps them: one row a sample, columns of fixed size."""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Array, Artifacts, OutputEvidence
from reportgen.analysis.records import CLASSIFIERS, LIMIT
from reportgen.report.types import SampleTable
from reportgen.report.values import Column, Dtype

MOST_CLASSES_U2 = 65_536


def sample_tables(artifacts: Artifacts) -> tuple[SampleTable, ...]:
    """Return one table an output; with privacy "none" the users' own ids are left out."""
    worker = artifacts.worker
    return () if worker is None else tuple(_table(output, artifacts.privacy) for output in worker.outputs)


def _table(output: OutputEvidence, privacy: str) -> SampleTable:
    """Return the records of one output; columns without any known value are empty."""
    records = output.records
    classes = output.task in CLASSIFIERS
    ids = tuple(records.ids) if privacy != "none" and any(records.ids) else ()
    return SampleTable(
        output=output.name,
        task=output.task,
        n_total=output.n,
        rule=records.rule,
        keys=Column.pack(records.keys, "<u8"),
        occurrences=_counts(records.occurrences),
        ids=ids,
        truth=_values(records.truth, classes),
        prediction=_values(records.prediction, classes),
        confidence=_values(records.confidence, False),
        loss=_values(records.loss, False),
        class_names=output.class_names,
        fair=min(len(records.keys), LIMIT) if output.n > len(records.keys) else 0,
    )


def _counts(occurrences: Array) -> Column:
    """Pack occurrence numbers in the smallest type that holds them."""
    dtype: Dtype = "|u1" if int(occurrences.max(initial=0)) < 256 else "<u4"
    return Column.pack(occurrences, dtype)


def _values(values: Array, classes: bool) -> Column:
    """Pack one column: class indices as small integers where all are known, else floats; empty when none is."""
    array = np.asarray(values, dtype=np.float64)
    if not array.size or np.isnan(array).all():
        return Column.pack([], "<f4")
    whole = classes and bool(np.isfinite(array).all() and (array == np.floor(array)).all() and array.min() >= 0)
    if whole and array.max() < MOST_CLASSES_U2:
        return Column.pack(array.astype(np.int64), "|u1" if array.max() < 256 else "<u2")
    exact = array.astype(np.float32).astype(np.float64)
    return Column.pack(array, "<f4" if np.array_equal(exact, array, equal_nan=True) else "<f8")
