"""The worker in other environments: the oldest Keras 3, JAX without TensorFlow, Keras 2 beside Keras 3.

`make test-envs` makes them in .venvs; each report must say what the one of this environment says.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.report.read import read_report
from reportgen.report.types import Report
from tests.pipeline.test_build import ROOT, run
from tests.worker.keras2_files import entry, sequential, write_keras2

pytestmark = [pytest.mark.envs, pytest.mark.keras, pytest.mark.slow]
TRAINED = ("digits", "two_outputs", "sentiment", "segmentation")


def interpreter(name: str) -> str:
    """Return an environment's interpreter; without `make test-envs` the test is skipped, with it a missing one fails."""
    path = Path(os.environ.get("TEST_VENVS", ROOT / ".venvs")) / name / "bin" / "python"
    if not path.exists():
        if os.environ.get("TEST_ENVS"):
            pytest.fail(f"{path} is missing; run make test-envs")
        pytest.skip("other environments are made by make test-envs")
    return str(path)


def build(folder: Path, example: str, *options: str) -> Report:
    """Build an example's report from a copy."""
    shutil.copytree(ROOT / "examples" / example, folder / example, dirs_exist_ok=True)
    out = folder / f"out-{example}"
    done = run("build", str(folder / example / "config.yaml"), "--output", str(out), *options, cwd=folder)
    assert done.returncode in (0, 1), done.stderr
    return read_report(out / "report.html")


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    """Return the examples' reports from this environment."""
    folder = tmp_path_factory.mktemp("here")
    return {example: build(folder, example) for example in TRAINED}


def numbers(report: Report) -> dict[str, float]:
    """Return every metric that is a number."""
    return {f"{m.output} {m.name}": m.value for m in report.metrics if isinstance(m.value, float)}


def same(report: Report, other: Report, tolerance: float) -> None:
    """Expect the same metrics, layers, statistics and maps."""
    found, wanted = numbers(report), numbers(other)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=tolerance, abs=tolerance), name
    assert [layer.name for layer in report.layers] == [layer.name for layer in other.layers]
    for one, two in zip(report.layers, other.layers, strict=True):
        a, b = one.numbers.get("activation.mean"), two.numbers.get("activation.mean")
        assert type(a) is type(b), one.name
        assert not isinstance(b, float) or a == pytest.approx(b, rel=1e-3, abs=1e-4), one.name
        # Gradients by another version or backend are the same up to rounding, on the same seeded samples.
        a, b = one.numbers.get("gradient.norm"), two.numbers.get("gradient.norm")
        assert type(a) is type(b), one.name
        assert not isinstance(b, float) or a == pytest.approx(b, rel=0.02, abs=1e-4), one.name
    assert [s.state for s in report.sections] == [s.state for s in other.sections]


OLD_CODE = """
import sys
import keras, numpy as np
keras.utils.set_random_seed(1)
tokens = keras.Input((9,), dtype="int32", name="tokens")
inside = keras.Input((6,))
base = keras.Model(inside, keras.layers.Dense(5, activation="tanh")(inside), name="base")
z = keras.layers.GRU(6)(keras.layers.Embedding(20, 4)(tokens))
outputs = {"kind": keras.layers.Dense(3, activation="softmax", name="k")(base(z)), "size": keras.layers.Dense(1, name="s")(z)}
model = keras.Model(tokens, outputs)
x = np.random.default_rng(0).integers(0, 20, (80, 9)).astype("int32")
y = np.asarray(model(x)["kind"]).argmax(axis=1)
np.savez(sys.argv[1] + "/batch.npz", x=x, y=y)
model.save(sys.argv[1] + "/model.keras")
"""


@pytest.mark.parametrize("there", [True, False], ids=["in-the-oldest", "in-this-one"])
def test_a_file_that_the_oldest_keras_3_wrote_predicts_what_it_did(tmp_path: Path, there: bool) -> None:
    python = interpreter("oldest")
    subprocess.run([python, "-c", OLD_CODE, str(tmp_path)], check=True, capture_output=True)
    path = tmp_path / "config.yaml"
    path.write_text("model: model.keras\nbatch: {path: batch.npz, x: x, y: {kind: y}}\n", encoding="utf-8")
    options = ("--trust=python", "--set", f"python={python}") if there else ()
    done = run("build", str(path), "--output", str(tmp_path / "out"), *options)
    assert done.returncode == 0, done.stderr
    report = read_report(tmp_path / "out" / "report.html")
    assert numbers(report)["kind accuracy"] == 1.0


# Keras 3.0.5 cannot read the weights of a bidirectional GRU (sentiment), not even those that it saved itself.
@pytest.mark.parametrize("example", [name for name in TRAINED if name != "sentiment"])
def test_the_oldest_keras_3_says_the_same(tmp_path: Path, here: dict[str, Report], example: str) -> None:
    report = build(tmp_path, example, "--trust=python", "--set", f"python={interpreter('oldest')}")
    same(report, here[example], 1e-4)
    assert report.provenance.versions.get("keras") == "3.0.5"


@pytest.mark.parametrize("example", [name for name in TRAINED if name != "sentiment"])
def test_jax_says_the_same(tmp_path: Path, here: dict[str, Report], example: str) -> None:
    python = interpreter("jax")
    report = build(tmp_path, example, "--trust=python", "--set", f"python={python}", "--set", "backend=jax")
    same(report, here[example], 1e-3)


def test_jax_is_found_where_it_is_the_only_backend(tmp_path: Path) -> None:
    report = build(tmp_path, "digits", "--trust=python", "--set", f"python={interpreter('jax')}")
    assert numbers(report)["digit accuracy"] > 0.95


def test_35_tf_keras_reads_what_keras_3_cannot(tmp_path: Path) -> None:
    """LocallyConnected1D is gone in Keras 3."""
    rng = np.random.default_rng(5)
    kernel, bias = rng.normal(size=(6, 4, 3)).astype("f4"), rng.normal(size=(6, 3)).astype("f4")
    local = entry("LocallyConnected1D", "local", batch_input_shape=[None, 7, 2], filters=3, kernel_size=[2])
    config = sequential(local, entry("GlobalAveragePooling1D", "mean"), entry("Softmax", "softmax"))
    write_keras2(tmp_path / "old.h5", config, {"local": {"kernel:0": kernel, "bias:0": bias}}, "2.10.0")
    x = rng.normal(size=(40, 7, 2)).astype("f4")
    windows = np.stack([x[:, i : i + 2].reshape(40, 4) for i in range(6)], axis=1)
    y = (np.einsum("nwi,wio->nwo", windows, kernel) + bias).mean(axis=1).argmax(axis=1)
    np.savez(tmp_path / "batch.npz", x=x, y=y)
    path = tmp_path / "config.yaml"
    path.write_text("model: old.h5\nbatch: {path: batch.npz, x: x, y: y}\n", encoding="utf-8")
    python = f"python={interpreter('tfkeras')}"
    done = run("build", str(path), "--output", str(tmp_path / "out"), "--trust=python", "--set", python)
    assert done.returncode == 0, done.stderr
    report = read_report(tmp_path / "out" / "report.html")
    assert [m.value for m in report.metrics if m.name == "accuracy"] == [1.0]
    assert report.graph is not None and "local" in {node.layer for node in report.graph.nodes}
    assert "Read with tf_keras" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_an_environment_without_keras_is_told_in_one_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    subprocess.run([interpreter("jax"), "-m", "venv", "--without-pip", str(empty)], check=True)
    shutil.copytree(ROOT / "examples" / "digits", tmp_path / "digits")
    done = run(
        "build", str(tmp_path / "digits" / "config.yaml"), "--output", str(tmp_path / "out"), "--trust=python",
        "--set", f"python={empty / 'bin' / 'python'}",
    )  # fmt: skip
    assert done.returncode == 3 and "Keras cannot be imported in the worker's environment" in done.stderr
    assert "Traceback" not in done.stderr


def test_versions_of_the_environment_stand_in_the_report(tmp_path: Path) -> None:
    report = build(tmp_path, "digits", "--trust=python", "--set", f"python={interpreter('oldest')}")
    versions: dict[str, Any] = dict(report.provenance.versions)
    assert "2.16" in json.dumps(versions)
