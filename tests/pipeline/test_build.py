"""The whole line through the command, on real trained models."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reportgen.report.blocks import Gallery
from reportgen.report.json_text import equal
from reportgen.report.read import read_report
from reportgen.report.types import Report

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/config.yaml"))

pytestmark = pytest.mark.keras


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    command = [sys.executable, "-m", "reportgen", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the digits report once, in every format, without volatile facts."""
    return build_copy(tmp_path_factory.mktemp("digits"))


def build_copy(folder: Path, **environment: str) -> Path:
    """Build digits in every format from a copy outside of any git checkout; return the output folder."""
    shutil.copytree(ROOT / "examples" / "digits", folder / "copy")
    done = run(
        "build", str(folder / "copy" / "config.yaml"), "--output", str(folder / "out"),
        "--set", "formats=[html, json, markdown, junit]", cwd=folder, SOURCE_DATE_EPOCH="1700000000", **environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "out"


@pytest.fixture(scope="session")
def report(digits: Path) -> Report:
    return read_report(digits / "report.html")


def test_the_digits_report_is_one_small_file(digits: Path) -> None:
    assert sorted(path.name for path in digits.iterdir()) == ["junit.xml", "report.html", "report.json", "summary.md"]
    assert (digits / "report.html").stat().st_size <= 600_000


def test_every_section_of_digits_is_shown(report: Report) -> None:
    states = {section.id: section.state for section in report.sections}
    wanted = ["summary", "architecture", "training", "predictions", "layers", "provenance"]
    assert states == dict.fromkeys(wanted, "shown")


def test_the_report_says_what_scikit_learn_says(report: Report) -> None:
    from sklearn.metrics import f1_score

    table = report.samples[0]
    truth, predicted = table.truth.to_numpy(), table.prediction.to_numpy()
    metrics = {metric.name: metric for metric in report.metrics}
    assert metrics["accuracy"].n == 450
    assert metrics["accuracy"].value == pytest.approx((truth == predicted).mean(), abs=1e-12)
    assert metrics["f1_macro"].value == pytest.approx(f1_score(truth, predicted, average="macro"), abs=1e-12)


def test_html_and_json_hold_the_same_report(digits: Path, report: Report) -> None:
    assert equal(report, read_report(digits / "report.json"))


def test_a_build_says_what_changed_since_the_earlier_report(digits: Path, tmp_path: Path) -> None:
    """The model is replaced by one whose last layer answers otherwise; the report of the old one is the baseline."""
    import keras

    shutil.copytree(ROOT / "examples" / "digits", tmp_path / "copy")
    model = keras.saving.load_model(tmp_path / "copy" / "model.keras")
    kernel, bias = model.get_layer("digit").get_weights()
    bias[3] += 6.0  # many digits become a three
    model.get_layer("digit").set_weights([kernel, bias])
    model.save(tmp_path / "copy" / "model.keras")
    done = run(
        "build", str(tmp_path / "copy" / "config.yaml"), "--output", str(tmp_path / "out"), "--set",
        f"baseline={digits / 'report.html'}", "--set", "gates={accuracy: {max_drop: 0.01}}", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1 and "Changed: Worse than before: accuracy" in done.stdout, done.stderr
    report = read_report(tmp_path / "out" / "report.html")
    assert report.changes is not None and report.changes.level == "worse" and report.gates[0].held is False
    sides = report.changes.samples[0]
    truth, now = report.samples[0].truth.to_numpy(), report.samples[0].prediction.to_numpy()
    before = read_report(digits / "report.html").samples[0].prediction.to_numpy()
    assert (sides.newly_wrong, sides.newly_right) == (
        int(((before == truth) & (now != truth)).sum()), int(((before != truth) & (now == truth)).sum())
    )  # fmt: skip
    assert [section.id for section in report.sections][:2] == ["summary", "changes"]
    assert not [note for note in report.changes.notes if "layer" in note]
    galleries = {block.id: block for block in report.sections[1].blocks if isinstance(block, Gallery)}
    shown = galleries["changes-wrong"].samples
    assert len(shown) == 12 and all(card.image is not None and ", before: " in card.prediction for card in shown)
    assert all(card.image.sha256 in report.assets for card in shown)


def test_compare_needs_neither_tensorflow_nor_matplotlib(digits: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom reportgen.cli import main\n"
        f"try:\n    main(['compare', {str(digits / 'report.html')!r}, {str(digits / 'report.json')!r}, '-o', 'new'])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "bad = {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)\nassert not bad, bad\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "The same as before" in done.stdout and (tmp_path / "new" / "comparison.html").stat().st_size > 400_000


def test_render_makes_the_same_page_again_without_tensorflow_or_matplotlib(digits: Path, tmp_path: Path) -> None:
    page = shutil.copy(digits / "report.html", tmp_path / "old.html")
    code = (
        "import sys\nfrom reportgen.cli import main\n"
        f"try: main(['render', {str(page)!r}, '--output', {str(tmp_path / 'again')!r}])\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "bad = {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)\nassert not bad, bad\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert (tmp_path / "again" / "report.html").read_bytes() == (digits / "report.html").read_bytes()


def test_the_same_inputs_give_the_same_bytes(digits: Path, tmp_path: Path) -> None:
    out = build_copy(tmp_path, PYTHONHASHSEED="123", TZ="Asia/Tokyo", LC_ALL="C")
    for path in digits.iterdir():
        assert path.read_bytes() == (out / path.name).read_bytes(), path.name


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_builds_without_a_failed_section(name: str, tmp_path: Path) -> None:
    done = run("build", f"examples/{name}/config.yaml", "--output", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    report = read_report(tmp_path / "report.html")
    assert [section.id for section in report.sections if section.state == "failed"] == []
    assert [finding.code for finding in report.findings if finding.outcome == "error"] == []
    assert report.metrics
    assert (tmp_path / "report.html").stat().st_size < 1.5 * 2**20


def test_a_gate_that_fails_gives_exit_code_1_and_a_report(tmp_path: Path) -> None:
    done = run(
        "build", "examples/digits/config.yaml", "--output", str(tmp_path), "--set", "gates.accuracy={min: 0.999}"
    )
    assert done.returncode == 1
    assert "at least 0.999 required: not held" in done.stdout
    assert read_report(tmp_path / "report.html").gates[0].held is False


def test_with_samples_none_no_picture_of_a_sample_is_in_the_file(tmp_path: Path) -> None:
    done = run("build", "examples/digits/config.yaml", "--output", str(tmp_path), "--set", "samples=none")
    assert done.returncode == 0, done.stderr
    assert "holds the content of 0 samples" in done.stdout
    report = read_report(tmp_path / "report.html")
    assert {asset.media_type for asset in report.assets.values()} <= {"image/svg+xml", "image/png"}
    assert "digits-" not in (tmp_path / "report.html").read_text()
    pictures = [asset for asset in report.assets.values() if asset.media_type == "image/png"]
    assert len(pictures) <= 1, "only the kernels, which are weights, may be a picture"


def test_a_worker_that_runs_out_of_memory_still_leaves_a_report(tmp_path: Path) -> None:
    done = run("build", "examples/digits/config.yaml", "--output", str(tmp_path), "--set", "limits.memory=60 MB")
    assert done.returncode == 3
    report = read_report(tmp_path / "report.html")
    assert {s.id: s.state for s in report.sections}["training"] == "shown"
    assert report.verdict.level == "unknown"
    assert "memory" in report.verdict.sentence


def test_a_worker_that_takes_too_long_still_leaves_a_report(tmp_path: Path) -> None:
    done = run("build", "examples/digits/config.yaml", "--output", str(tmp_path), "--set", "limits.seconds=1")
    assert done.returncode == 124
    assert {s.id: s.state for s in read_report(tmp_path / "report.html").sections}["training"] == "shown"


def test_a_live_model_gives_the_same_numbers_as_its_file(report: Report, tmp_path: Path) -> None:
    code = (
        "import keras, numpy as np, reportgen, json\n"
        "data = np.load('examples/digits/test.npz')\n"
        "model = keras.models.load_model('examples/digits/model.keras')\n"
        f"report = reportgen.build_report(model, data['x_test'], data['y_test'], output={str(tmp_path)!r})\n"
        "print(json.dumps({m.name: m.value for m in report.metrics if m.headline}))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=env, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == pytest.approx({m.name: m.value for m in report.metrics if m.headline}, rel=1e-5)
    assert (tmp_path / "report.html").exists()


def test_with_keep_going_a_refused_model_leaves_what_can_be_made(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "digits", tmp_path / "case")
    (tmp_path / "case" / "model.keras").write_bytes(b"not a model")
    config = str(tmp_path / "case" / "config.yaml")
    refused = run("build", config, "--output", str(tmp_path / "none"))
    assert (refused.returncode, (tmp_path / "none").exists()) == (3, False)
    kept = run("build", config, "--output", str(tmp_path / "some"), "--keep-going")
    assert kept.returncode == 3
    assert "model.keras" in kept.stderr
    states = {section.id: section.state for section in read_report(tmp_path / "some" / "report.html").sections}
    assert (states["training"], states["predictions"]) == ("shown", "empty")
