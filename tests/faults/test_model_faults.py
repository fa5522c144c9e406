"""BAD_INPUTS 7, 25, 29, 31, 32, 37-39: models that load, and are unlike others, through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.report.read import read_report
from tests.faults.case import Case, copy_inputs
from tests.worker import keras2_files

pytestmark = [pytest.mark.keras, pytest.mark.slow]

MAKE = """
import keras, numpy as np
keras.utils.set_random_seed(0)
L = keras.layers
x = start = keras.Input((4,), name="a")
for number in range(901):
    x = L.Activation("tanh", name=f"r{number}")(x) if number % 50 else L.Dense(4, name=f"d{number}")(x)
deep = keras.Model(start, L.Dense(3, activation="softmax", name="out")(x), name="deep")
kernel, bias = deep.get_layer("d50").get_weights()
kernel[0, :2], bias[0] = np.nan, np.inf
deep.get_layer("d50").set_weights([kernel, bias])
deep.save("deep.keras")
keras.Sequential([L.Dense(5, activation="relu"), L.Dense(3, activation="softmax")], name="later").save("unbuilt.keras")
heads = {"left": L.Dense(3, activation="softmax", name="l_layer")(start), "right": L.Dense(1, name="r_layer")(start)}
keras.Model(start, heads, name="heads").save("heads.keras")
draw = np.random.default_rng(0)
np.savez("b.npz", x=draw.random((20, 4), dtype="f4"), y=draw.integers(0, 3, 20))
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with deep.keras (901 layers, NaN in d50), unbuilt.keras, heads.keras (dict of outputs), b.npz."""
    folder = tmp_path_factory.mktemp("models")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(
        [sys.executable, "-c", MAKE], cwd=folder, env=environment, check=True, capture_output=True, timeout=240
    )
    return folder


def test_31_32_900_layers_are_folded_and_those_with_nan_are_named(case: Case, models: Path) -> None:
    copy_inputs(models, case)
    ended = case.run("build", case.config(model="deep.keras", batch={"path": "b.npz", "x": "x", "y": "y"}))
    assert ended.code == 0, ended.out + ended.err
    assert ended.seconds < 120
    report = read_report(case.out / "report.html")
    states = {section.id: section.state for section in report.sections}
    assert states.pop("training") == "empty" and set(states.values()) == {"shown"}
    finding = next(finding for finding in report.findings if finding.code == "non-finite-weights")
    assert finding.outcome in ("failed", "warned") and finding.layers == ("d50",)
    entry = next(entry for entry in report.ledger if entry.what == "architecture graph")
    assert int(entry.kept.split()[0]) <= 100 and entry.of.startswith("90")
    assert (case.out / "report.html").stat().st_size < 1.5 * 2**20


def test_29_an_unbuilt_model_says_so_and_the_other_sections_run(case: Case, models: Path) -> None:
    copy_inputs(models, case)
    case.write("history.csv", "epoch,loss\n0,1.0\n1,0.5\n")
    batch = {"path": "b.npz", "x": "x", "y": "y"}
    ended = case.run("build", case.config(model="unbuilt.keras", batch=batch, history="history.csv"))
    assert ended.code == 0, ended.out + ended.err
    sections = {section.id: section.state for section in read_report(case.out / "report.html").sections}
    assert sections["training"] == "shown" and sections["provenance"] == "shown"
    assert "was built by calling it on the batch" in (case.out / "report.html").read_text(encoding="utf-8")


def test_38_39_outputs_in_a_dict_are_matched_by_key_and_those_without_labels_say_so(case: Case, models: Path) -> None:
    copy_inputs(models, case)
    batch = {"path": "b.npz", "x": "x", "y": {"left": "y"}}
    ended = case.run("build", case.config(model="heads.keras", batch=batch))
    assert ended.code == 0, ended.out + ended.err
    report = read_report(case.out / "report.html")
    assert {metric.output for metric in report.metrics if metric.name == "accuracy"} == {"left"}
    assert "no labels" in (case.out / "report.html").read_text(encoding="utf-8")


def edit(source: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Write a copy of a .keras file with a changed config."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config).encode()
            new.writestr(info.filename, data)


def of_strangers(config: dict[str, Any]) -> None:
    """Have the model compiled with classes that nobody has."""
    own = {"module": "my_project", "class_name": "Own", "config": {}, "registered_name": "my>Own"}
    config["compile_config"] = {"optimizer": own, "loss": own, "metrics": [own]}


def without_softmax(config: dict[str, Any]) -> None:
    """Let the last layer give scores that are no probabilities; nothing says by which loss it was trained."""
    config["config"]["layers"][-1]["config"]["activation"] = "linear"
    config["compile_config"] = None


def test_7_25_37_models_that_are_no_obstacle_are_built_and_said_to_be_odd(case: Case, tiny: Path) -> None:
    copy_inputs(tiny, case)
    edit(tiny / "tiny.keras", case.path / "own.h5", of_strangers)
    edit(tiny / "tiny.keras", case.path / "scores.keras", without_softmax)
    draw = np.random.default_rng(1)
    kernel, x = draw.normal(size=(4, 3)).astype("f4"), draw.normal(size=(30, 4)).astype("f4")
    config = keras2_files.sequential(
        keras2_files.entry("Dense", "d", batch_input_shape=[None, 4], units=3, activation="softmax")
    )
    keras2_files.write_keras2(case.path / "old.keras", config, {"d": {"kernel:0": kernel, "bias:0": np.zeros(3, "f4")}})
    np.savez(case.path / "four.npz", x=x, y=(x @ kernel).argmax(axis=1))
    batch = {"x": "x", "y": "y"}
    common = {"formats": ["json"], "layers": {"gradients": "none", "saliency": "none"}}
    configs = [
        case.config(f"{name}.yaml", model=model, batch=batch | {"path": path}, output=f"out/{name}", **common)
        for name, model, path in (
            ("own", "own.h5", "batch.npz"),
            ("scores", "scores.keras", "batch.npz"),
            ("old", "old.keras", "four.npz"),
        )
    ]
    ended = case.run("build", *configs)
    assert ended.code == 0, ended.err
    own, scores, old = (
        (case.out / name / "report.json").read_text(encoding="utf-8") for name in ("own", "scores", "old")
    )
    assert "The loss own is the author's own code: it is named here, but not computed." in own
    assert "The file is in keras format, whatever its name says." in own
    assert "the model's scores are not probabilities" in scores
    assert "the model's scores are not probabilities" not in own + old
    assert "The file is in h5 format, whatever its name says." in old
    assert json.loads(old)["metrics"][0]["value"] == 1.0, "it predicts what was computed by hand"
