"""Reports at the edges: hostile text everywhere, nothing at all, and very much of everything."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from reportgen.comparison import with_changes
from reportgen.figures.lines import draw_line_charts
from reportgen.report import blocks as b
from reportgen.report import types as t
from reportgen.report.values import Column, Missing
from tests.sample_report import make_report

# Fields that are not text of an input: closed vocabularies, hashes, packed numbers, and ids that other parts point to.
KEPT = {
    "kind", "level", "outcome", "state", "format", "shape", "role", "scale", "dtype", "data", "sha256", "media_type",
    "better", "mark", "model_sha256", "batch_sha256", "history_sha256", "config_sha256", "task", "key",
    "place", "by",
}  # fmt: skip


def poison(value: Any, payload: str, inside: str = "") -> Any:
    """Return a copy of any part of a report with `payload` added to every text that an input could have chosen."""
    if isinstance(value, str):
        nothing = not value and inside in ("card", "parent")  # where a text would change what the block is
        return value if inside in KEPT or nothing else f"{payload} {value}"
    if isinstance(value, tuple):
        return tuple(poison(part, payload, inside) for part in value)
    if isinstance(value, dict):
        return {key: poison(part, payload, str(key)) for key, part in value.items()}
    if isinstance(value, (Column, t.Asset)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {
            f.name: poison(getattr(value, f.name), payload, f.name)
            for f in dataclasses.fields(value)
            if not (isinstance(value, t.Section) and f.name == "id")
        }
        return dataclasses.replace(value, **changed)
    return value


def earlier_report() -> t.Report:
    """Return an earlier run of the sample: 40 answers were wrong that are right now, and the other way round."""
    report = make_report("Digits CNN, last week")
    table = report.samples[0]
    predicted = table.prediction.to_numpy().copy()
    predicted[:40] = (predicted[:40] + 1) % 10
    metrics = tuple(
        dataclasses.replace(m, value=0.85, low=0.81, high=0.88) if m.name == "accuracy" else m for m in report.metrics
    )
    samples = (dataclasses.replace(table, prediction=Column.pack(np.asarray(predicted), "<i4")),)
    return dataclasses.replace(report, samples=samples, metrics=metrics)


def compared_report() -> t.Report:
    """Return the sample report compared with an earlier run."""
    return with_changes(make_report(), earlier_report(), draw_line_charts)


def poisoned_report(payload: str) -> t.Report:
    """Return the sample report with a hostile text in every place that an input can reach."""
    report = compared_report()
    return dataclasses.replace(poison(report, payload), assets=report.assets)


def empty_report() -> t.Report:
    """Return a report of a model without history, batch or graph: no metric, no finding, no section but cards."""
    report = make_report()
    none = Missing("no file")
    provenance = dataclasses.replace(
        report.provenance, batch_file="", batch_sha256=none, history_file="", history_sha256=none
    )
    return dataclasses.replace(
        report,
        title="",
        verdict=t.Verdict("nothing", "unknown", "Nothing could be judged: there is no batch."),
        findings=(),
        gates=(),
        metrics=(),
        sections=(t.Section("training", "Training", "empty", "No history.", (b.Text("Add history: to the config."),)),),
        history=(),
        samples=(),
        layers=(),
        graph=None,
        ledger=(),
        provenance=provenance,
        run=None,
        assets={},
        generator="",
    )


def wide_report(classes: int = 100, layers: int = 400) -> t.Report:
    """Return a report with many classes, layers, series and points."""
    report = make_report()
    names = tuple(f"class {i} with a rather long name" for i in range(classes))
    counts = np.eye(classes, dtype=np.int64) * 9 + (np.arange(classes**2).reshape(classes, classes) % 97 == 0)
    matrix = b.Matrix(
        "big", "Confusion", "truth", "prediction", names, names, Column.pack(counts, "<i8"), "Mostly right."
    )
    rows = tuple(
        (f"block_{i}/conv_with_a_long_name_{i}", i, i / layers, Missing("not run") if i % 3 else 1e-9 * i)
        for i in range(layers)
    )
    columns = (
        b.TableColumn("Layer"),
        b.TableColumn("N", "int"),
        b.TableColumn("Share", "percent"),
        b.TableColumn("Spread", "number"),
    )
    table = b.Table("big-table", "Layers", columns, rows, row_ids=tuple(f"layer-{i}" for i in range(layers)))
    x = np.arange(1, 5001)
    series = tuple(
        b.Series(
            f"s{i}", f"series {i}", Column.pack(x, "<i4"), Column.pack(np.where(x % 50, np.sin(x / 300 + i), np.nan))
        )
        for i in range(6)
    )
    chart = b.Chart("big-chart", "Six series", b.Axis("epoch", integer=True), b.Axis("value"), series, "They wave.")
    section = t.Section("training", "Training", "shown", "Very much of it.", (chart, matrix, table))
    return dataclasses.replace(report, sections=(section,))


def many_samples_report(*, cards: int, records: int, judged: bool = True) -> t.Report:
    """Return a report of one gallery with so many cards, every hundredth wrong, and so many sample records."""
    report = make_report()
    table = next(table for table in report.samples if table.output == "digit")
    truth = np.arange(records) % 10
    wrong = np.arange(records) % 100 == 0
    packed = {
        "keys": Column.pack(np.arange(records, dtype=np.uint64), "<u8"),
        "truth": Column.pack(truth.astype(np.float64), "<f8"),
        "prediction": Column.pack((truth + wrong) % 10.0, "<f8"),
        "confidence": Column.pack(np.full(records, 0.5), "<f4"),
        "loss": Column.pack(np.full(records, 1.0), "<f4"),
    }
    gallery = b.Gallery("worst-digit", "Samples", "digit", "", tuple(_card(i, judged) for i in range(cards)), "")
    predictions = t.Section("predictions", "Predictions", "shown", "", (gallery,))
    samples = (dataclasses.replace(table, ids=(), **packed),) if records else ()
    return dataclasses.replace(report, sections=(predictions,), samples=samples)


def _card(i: int, judged: bool) -> b.SampleCard:
    """Return one card of many."""
    outcome = "unknown" if not judged else "wrong" if i % 100 == 0 else "right"
    return b.SampleCard(f"{i:016x}", f"sample {i}", "three", "five", outcome, 0.5 if judged else None, 1.0)
