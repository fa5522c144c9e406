"""Predictions without a model: y_true with scores, values, logits or classes, from any framework; no TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from tests.inputs.batch_files import Case, all_text, metric, scores, section


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_scores_from_an_npz_make_a_report_without_tensorflow(case: Case) -> None:
    y, p = scores()
    np.savez(case.path / "p.npz", y=y, p=p, ids=np.array([f"s{i}" for i in range(len(y))]))
    loaded = "tensorflow" in sys.modules
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: p, ids: ids, classes: [a, b, c]}")
    assert metric(report, "accuracy") == pytest.approx(accuracy_score(y, p.argmax(1)))
    assert metric(report, "log_loss") == pytest.approx(log_loss(y, p), rel=1e-4)
    assert set(report["samples"][0]["ids"]) == {f"s{i}" for i in range(len(y))}
    assert "no model was given" in section(report, "summary")["summary"]
    assert [section(report, name)["state"] for name in ("architecture", "layers")] == ["empty", "empty"]
    assert ("tensorflow" in sys.modules) == loaded


def test_logits_become_probabilities_when_the_configuration_says_so(case: Case) -> None:
    y, p = scores()
    np.savez(case.path / "p.npz", y=y, z=np.log(p) + 3)
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: z, logits: true}")
    assert metric(report, "log_loss") == pytest.approx(log_loss(y, p), rel=1e-3)


def test_class_numbers_are_votes_without_confidence(case: Case) -> None:
    y, p = scores()
    np.savez(case.path / "p.npz", y=y, hard=p.argmax(1))
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: hard}")
    assert metric(report, "accuracy") == pytest.approx(accuracy_score(y, p.argmax(1)))
    assert "missing" in metric(report, "log_loss")
    assert "class numbers, not scores" in all_text(report, "predictions")


def test_a_csv_with_texts_as_labels_and_a_column_a_class(case: Case) -> None:
    y, p = scores()
    rows = [f"r{i},{'abc'[y[i]]},{','.join(f'{v:.6f}' for v in p[i])}" for i in range(len(y))]
    (case.path / "p.csv").write_text("\n".join(["id,truth,a,b,c", *rows]) + "\n")
    (case.path / "h.json").write_text('{"loss": [3, 2, 1]}')
    text = "predictions: {path: p.csv, y_true: truth, y_pred: [a, b, c], ids: id}\nhistory: h.json"
    report = case.build(text)
    assert metric(report, "accuracy") == pytest.approx(accuracy_score(y, p.argmax(1)))
    assert report["samples"][0]["class_names"] == ["a", "b", "c"]
    assert section(report, "training")["state"] == "shown"


def test_regression_with_pictures_of_the_inputs(case: Case) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(0, 1, 60)
    np.savez(case.path / "p.npz", y=y, p=y + 0.1, img=rng.random((60, 8, 8), dtype=np.float32))
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: p, x: img}")
    assert metric(report, "mae") == pytest.approx(0.1, abs=1e-6)
    assert report["provenance"]["samples_shown"] > 0


def test_without_y_true_there_are_no_metrics(case: Case) -> None:
    _, p = scores()
    np.savez(case.path / "p.npz", p=p)
    report = case.build("predictions: {path: p.npz, y_pred: p}")
    assert all("missing" in item["value"] for item in report["metrics"])
    assert "without labels" in all_text(report, "predictions")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("predictions: {path: p.npz}", ("config.yaml:1:", "`predictions.y_pred` is required")),
        ("predictions: {y_pred: p}", ("`predictions.path` is required",)),
        ("model: m.keras\npredictions: {path: p.npz, y_pred: p}", ("exclude each other",)),
    ],
)
def test_what_is_missing_or_too_much_is_told_at_its_place(case: Case, text: str, words: tuple[str, ...]) -> None:
    result = case.run("build", text)
    assert result.exit_code == 2
    assert all(word in result.stderr for word in words), result.stderr


def test_a_name_that_is_not_there_is_refused_in_the_words_of_predictions(case: Case) -> None:
    y, p = scores()
    np.savez(case.path / "p.npz", y=y, p=p)
    case.refused("predictions: {path: p.npz, y_true: y, y_pred: q}", "`q`", "predictions.y_pred")
    case.refused("predictions: {path: p.npz, y_true: z, y_pred: p}", "`z`", "predictions.y_true")


def test_different_lengths_are_refused(case: Case) -> None:
    y, p = scores()
    np.savez(case.path / "p.npz", y=y[:-1], p=p)
    case.refused("predictions: {path: p.npz, y_true: y, y_pred: p}", "`p` 200", "`y` 199")


def blocks(report: dict, title: str) -> list[dict]:
    return [block for block in section(report, "predictions")["blocks"] if block.get("title") == title]


def test_predictions_made_elsewhere_get_slices_errors_by_length_and_a_naive_forecast(case: Case) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = (rng.random(400) < 0.5).astype(int)
    wrong = rng.random(400) < np.where(x[:, 0] > 0.7, 0.6, 0.05)
    np.savez(case.path / "p.npz", x=x, y=y, p=np.where(wrong, 1 - y, y) * 0.8 + 0.1)
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: p, x: x, features: [age, height]}")
    assert "beyond chance: age from" in blocks(report, "Weakest slices")[0]["reading"]
    assert not blocks(report, "Permutation importance"), "there is no model to ask"

    texts = np.array([" ".join(["word"] * n) for n in rng.integers(3, 40, 400)])
    np.savez(case.path / "p.npz", x=texts, y=y, p=np.clip(y * 0.8 + 0.1, 0, 1))
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: p, x: x}")
    assert blocks(report, "Error by words of text")

    tokens = np.where(np.arange(30) < rng.integers(3, 30, 400)[:, None], rng.integers(1, 99, (400, 30)), 0)
    np.savez(case.path / "p.npz", x=tokens, y=y, p=np.clip(y * 0.8 + 0.1, 0, 1))
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: p, x: x}")
    assert blocks(report, "Error by length in tokens")

    series = np.sin(np.arange(300) / 3) + rng.normal(0, 0.1, 300)
    whole = np.lib.stride_tricks.sliding_window_view(series, 28)
    np.savez(case.path / "p.npz", x=whole[:, :24, None], y=whole[:, 24:], p=whole[:, 24:] + 0.05)
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: p, x: x}")
    assert report["samples"][0]["task"] == "timeseries"
    mae = next(m for m in report["metrics"] if m["name"] == "mae")
    assert mae["value"] == pytest.approx(0.05) and mae["baseline_name"].startswith("naive:")
    assert "hang together" in all_text(report, "predictions")


def test_a_changed_single_label_is_named_and_twins_with_other_labels_conflict(case: Case) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, (300, 3))
    p = np.where(y == 1, 0.9995, 0.0004)
    x = rng.normal(size=(300, 2))
    y[7, 1] = 1 - y[7, 1]
    x[21], y[20], y[21] = x[20], [1, 0, 0], [0, 1, 0]
    np.savez(case.path / "p.npz", x=x, y=y, p=p, ids=np.array([f"s{i}" for i in range(300)]))
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: p, x: x, ids: ids, classes: [a, b, c]}")
    row = blocks(report, "Single labels: model or label?")[0]["rows"][0]
    assert row[5] == "label suspicious" and row[1] in "abc"
    assert ["s7", "b"] in [r[:2] for r in blocks(report, "Single labels: model or label?")[0]["rows"]]
    twins = blocks(report, "Identical samples")[0]
    assert "2 different ones" in twins["rows"][0] and "conflicting" in twins["rows"][0][-1]
    found = next(f for f in report["findings"] if f["code"] == "label-suspects")
    assert found["outcome"] != "passed" and "conflict" in str(found) + "identical samples with different labels"
