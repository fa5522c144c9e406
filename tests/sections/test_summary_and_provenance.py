"""The summary, the provenance, and the metrics as the Report keeps them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reportgen.analysis.evidence import Artifacts, Problem
from reportgen.checks import run_checks
from reportgen.report.blocks import Card, Facts, Table, Text
from reportgen.report.types import Gate, LedgerEntry, Provenance, RunFacts, Section, Timing
from reportgen.report.values import Missing
from reportgen.sections import provenance, summary
from reportgen.sections.metrics import headlines, metrics_of
from tests.evidence_builder import make_artifacts


def build(artifacts: Artifacts, gates: tuple[Gate, ...] = ()) -> Section:
    return summary.build(artifacts, metrics_of(artifacts), run_checks(artifacts, {}), gates)


def values(section: Section, title: str) -> dict[str, Any]:
    facts = next(b for b in section.blocks if isinstance(b, Facts) and b.title == title)
    return {item.label: item.value for item in facts.items}


# metrics


def test_every_metric_carries_n_an_interval_or_a_reason_and_nothing_that_is_not_finite() -> None:
    for task in ("multiclass", "binary", "regression", "segmentation", "multilabel", "sequence", "reconstruction"):
        metrics = metrics_of(make_artifacts(task, classes=1 if task == "regression" else 4))
        assert any(metric.headline for metric in metrics), task
        for metric in metrics:
            assert metric.n > 0 and metric.output == "output"
            for value in (metric.value, metric.low, metric.high, metric.baseline):
                assert value is None or (isinstance(value, Missing) and value.missing) or np.isfinite(float(value))


def test_metrics_without_labels_are_missing_with_the_reason() -> None:
    metrics = metrics_of(make_artifacts(labels=False))
    assert metrics and all(isinstance(m.value, Missing) and "label" in m.value.missing for m in metrics)
    assert metrics_of(make_artifacts(worker=False)) == ()


def test_headlines_are_one_an_output() -> None:
    heads = headlines(metrics_of(make_artifacts(extra_outputs=(("parity", "binary"),))))
    assert [(head.output, head.name) for head in heads] == [("output", "accuracy"), ("parity", "accuracy")]


# summary


def test_the_summary_line_names_model_samples_metric_findings_and_gates() -> None:
    gates = (Gate("accuracy", "at least 0.9", 0.875, False, ""), Gate("log_loss", "at most 1", 0.5, True, ""))
    text = build(make_artifacts(dead={"conv2": 12}), gates).summary
    for part in (
        "little_cnn",
        "6 layers",
        "3,818 parameters",
        "200 samples",
        "87.5%",
        "95% interval",
        "baseline 12.0%",
    ):
        assert part in text
    assert "dead-units" in text and "1 of 2 gates held" in text


def test_the_summary_says_when_nothing_was_found_and_when_nothing_could_be_checked() -> None:
    assert "found anything wrong" in build(make_artifacts()).summary
    nothing = build(Artifacts("t", None, None))
    assert "No check could be applied" in nothing.summary and "could not be looked at" in nothing.summary


def test_the_model_and_the_batch_are_described() -> None:
    section = build(make_artifacts())
    model, batch = values(section, "The model"), values(section, "The test batch")
    assert model["Parameters"] == 3818 and model["Layers"] == "6, of which 3 have parameters"
    assert model["Input"] == "input (None, 8, 8, 1)"
    assert batch["Samples"] == 200 and batch["Labelled samples"] == 200
    assert batch["Task"].startswith("multiclass, 10 classes")


def test_every_output_has_its_own_task_in_the_summary() -> None:
    batch = values(build(make_artifacts(extra_outputs=(("parity", "binary"),))), "The test batch")
    assert batch["Task of output"].startswith("multiclass") and batch["Task of parity"].startswith("binary")


@pytest.mark.parametrize("part", ["load", "predict", "worker"])
def test_a_failure_of_the_whole_is_a_card_and_one_of_a_part_is_not(part: str) -> None:
    broken = build(make_artifacts(problems=(Problem(part, "It broke.", "Fix it."), Problem("maps", "No maps."))))
    cards = [block for block in broken.blocks if isinstance(block, Card)]
    assert [(card.text, card.fix, card.level) for card in cards] == [("It broke.", "Fix it.", "error")]


# provenance

FACTS = Provenance(
    versions={"reportgen": "0.1.0", "keras": "3.15.1"},
    model_file="model.keras",
    model_sha256="a" * 64,
    batch_file="test.npz",
    batch_sha256="b" * 64,
    history_file="",
    history_sha256=Missing("no history was given"),
    config_file="config.yaml",
    config_sha256="c" * 64,
    git_commit="0123456789abcdef0123456789abcdef01234567",
    seeds={"reportgen": 0, "dropout": 7},
    trusted=(),
    samples_shown=48,
)
RUN = RunFacts("2025-01-01T00:00:00+00:00", 4.2, "Linux", "reportgen build", "", (Timing("checks", 0.1),))
LEDGER = (LedgerEntry("activation maps", "12", "53 layers", "budget"),)


def test_provenance_lists_files_with_hashes_versions_seeds_and_commit() -> None:
    section = provenance.build(make_artifacts(), FACTS, RUN, LEDGER)
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert [row[2] for row in table.rows] == ["a" * 64, "b" * 64, Missing("no history was given"), "c" * 64]
    origin = values(section, "Origin")
    assert origin["Git commit"] == FACTS.git_commit and origin["Seeds"] == "dropout 7 and reportgen 0"
    assert origin["Trusted"] == "nothing: no code from the inputs ran"
    assert values(section, "Versions") == FACTS.versions
    assert "Commit 0123456789ab" in section.summary and "4.2 s" in section.summary and "1 thing was" in section.summary


def test_provenance_names_what_was_trusted_and_what_was_left_out() -> None:
    section = provenance.build(make_artifacts(), replace(FACTS, trusted=("builder", "plugins")), None, ())
    assert values(section, "Origin")["Trusted"] == "builder and plugins"
    assert "left out" in section.summary and "Nothing was sampled" in section.summary


@pytest.mark.parametrize(
    ("privacy", "shown", "words"),
    [
        ("show", 48, "the content of 48 samples."),
        ("blur", 48, "48 samples, blurred"),
        ("ids", 0, "only ids, keys and scores"),
        ("none", 0, "only keys and scores"),
        ("show", 0, "the content of no sample."),
    ],
)
def test_the_file_says_whose_content_it_holds(privacy: str, shown: int, words: str) -> None:
    artifacts = make_artifacts(privacy=privacy)
    section = provenance.build(artifacts, replace(FACTS, samples_shown=shown), RUN, ())
    assert any(words in block.text for block in section.blocks if isinstance(block, Text))


def test_a_lost_worker_still_has_a_provenance() -> None:
    section = provenance.build(make_artifacts(worker=False), FACTS, RUN, LEDGER)
    assert section.state == "shown" and "Model saved with" not in values(section, "Origin")
