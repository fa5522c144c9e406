"""Slices, importance, forecasts and mistakes as blocks: what is said, what is marked, what privacy hides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from reportgen.analysis.evidence import Artifacts, KeptSamples
from reportgen.analysis.feature_facts import Importance, ImportanceFacts, SliceSearch
from reportgen.analysis.metrics import make_accumulator
from reportgen.analysis.slices import find_slices
from reportgen.report.blocks import Chart, Table
from reportgen.sections.predictions import build
from tests.evidence_builder import make_artifacts, make_context


def blocks(artifacts: Artifacts) -> dict[str, Any]:
    """Return the blocks of the predictions by title."""
    section = build(artifacts, make_context()[0])
    assert section.state == "shown"
    return {block.title: block for block in section.blocks if hasattr(block, "title")}


def with_output(artifacts: Artifacts, **changes: Any) -> Artifacts:
    worker = artifacts.worker
    assert worker is not None
    return replace(artifacts, worker=replace(worker, outputs=(replace(worker.outputs[0], **changes),)))


def weak() -> SliceSearch:
    """Return a search in which the highest tenth of `age` is wrong half of the time, and words make no difference."""
    rng = np.random.default_rng(0)
    x = np.stack([rng.normal(40, 10, 600), rng.integers(3, 30, 600)], axis=1)
    errors = (rng.random(600) < np.where(x[:, 0] > np.quantile(x[:, 0], 0.9), 0.5, 0.05)).astype(float)
    nothing = np.zeros((600, 0), "U1")
    names = ["age", "words of text"]
    found = find_slices(errors, x, names, nothing, [], lengths=(False, True), measure="share wrong", rule="all")
    assert found is not None
    return found


def test_a_weak_slice_is_named_marked_and_told_with_its_correction() -> None:
    table = blocks(with_output(make_artifacts("binary"), slices=weak()))["Weakest slices"]
    assert isinstance(table, Table)
    assert table.reading.startswith("Worse than elsewhere, beyond chance: age from ")
    assert "12 slices" in table.note and "Bonferroni" in table.note
    assert table.marks[0].row == 0 and "beyond chance" in table.marks[0].text


def test_errors_by_length_are_drawn_with_intervals() -> None:
    chart = blocks(with_output(make_artifacts("binary"), slices=weak()))["Error by words of text"]
    assert isinstance(chart, Chart) and chart.reading.startswith("No clear difference by words of text")
    assert chart.series[0].low is not None and chart.series[0].y.length == 4


def test_no_feature_value_is_shown_where_content_is_hidden() -> None:
    found = weak()
    for privacy in ("blur", "ids", "none"):
        made = with_output(make_artifacts("binary", privacy=privacy), slices=found)
        table = blocks(made)["Weakest slices"]
        shown = " ".join(str(cell) for row in table.rows for cell in row) + table.reading
        assert "age, highest tenth" in shown
        assert not any(f"{end:.4g}" in shown for item in found.slices for end in (item.low, item.high) if end % 1)


def test_importance_says_what_the_model_leans_on() -> None:
    facts = ImportanceFacts(
        0.5, 200, 4, 1800, (Importance("age", 0.25, 0.2, 0.3), Importance("noise", 0.001, -0.01, 0.012))
    )
    table = blocks(with_output(make_artifacts("binary"), importance=facts))["Permutation importance"]
    assert (
        "leans most on age" in table.reading and "50.0% of it" in table.reading and "1 of 2 features" in table.reading
    )
    assert "1,800 predictions" in table.note and table.rows[0][3] == 0.5
    idle = replace(facts, features=facts.features[1:])
    assert "needs none" in blocks(with_output(make_artifacts("binary"), importance=idle))[table.title].reading


def forecasts(privacy: str = "show") -> Artifacts:
    """Return the evidence of a forecast of 4 steps with windows of 12."""
    made = make_artifacts("regression", classes=4, n=120, privacy=privacy)
    worker = made.worker
    assert worker is not None and worker.kept is not None
    rng = np.random.default_rng(1)
    truth, said = rng.normal(size=(120, 4)), rng.normal(size=(120, 4))
    accumulator = make_accumulator("timeseries", shape=(4,), classes=0, scores="values")
    accumulator.update(truth, said)
    accumulator.add_naive(truth, said, truth + 0.1, None, 0)
    kept: KeptSamples = worker.kept
    windows = {"input": rng.normal(size=(len(kept.positions), 12, 1)).astype("float32")}
    output = replace(worker.outputs[0], task="timeseries", state=accumulator.state(), shape=(4,))
    return replace(made, worker=replace(worker, outputs=(output,), kept=replace(kept, inputs=windows)))


def test_forecasts_are_drawn_over_the_truth_with_their_window() -> None:
    found = blocks(forecasts())
    window = next(block for title, block in found.items() if "one of the worst" in title)
    assert [series.name for series in window.series] == ["Input window", "Truth", "Forecast"]
    assert window.series[0].x.to_numpy().tolist() == list(range(-11, 1))
    assert "repeating the last value would be off by" in window.reading


def test_the_error_by_steps_ahead_stands_beside_the_naive_forecast() -> None:
    chart = blocks(forecasts())["Error by steps ahead"]
    assert chart.series[1].name == "Naive: last value"
    np.testing.assert_allclose(chart.series[1].y.to_numpy(), 0.1)
    assert "nowhere below the best naive forecast" in chart.reading


def test_no_window_is_drawn_where_content_is_hidden() -> None:
    for privacy in ("blur", "ids", "none"):
        assert not any(title.startswith("Forecast, ") for title in blocks(forecasts(privacy)))


def test_identical_samples_and_conflicts_are_listed_by_name() -> None:
    made = make_artifacts("multiclass", n=60, quality=1.0, classes=3)
    assert made.worker is not None
    records = made.worker.outputs[0].records
    keys, truth = records.keys.copy(), records.truth.copy()
    keys[[4, 9]] = keys[4]
    truth[9] = (truth[4] + 1) % 3
    table = blocks(with_output(made, records=replace(records, keys=keys, truth=truth)))["Identical samples"]
    assert table.rows[0][0] == "row 4 and row 9" and "conflicting labels" in table.rows[0][4]
    assert table.marks[0].level == "warn"
