"""Every kind of model through the command line, on files that Keras itself wrote."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.report.read import read_report
from reportgen.report.types import Report
from tests.pipeline.test_build import run
from tests.worker import models
from tests.worker.keras2_files import recurrent_by_hand, recurrent_model, write_keras2

pytestmark = [pytest.mark.keras, pytest.mark.slow]

OWN = """
    import keras


    @keras.saving.register_keras_serializable("mine")
    class Doubled(keras.layers.Layer):
        def call(self, x):
            return x * 2


    @keras.saving.register_keras_serializable("mine")
    class Small(keras.Model):
        def __init__(self, units=3, **settings):
            super().__init__(**settings)
            self.units = units
            self.twice = Doubled()
            self.out = keras.layers.Dense(units, activation="softmax")

        def call(self, x):
            return self.out(self.twice(x))

        def get_config(self):
            return {**super().get_config(), "units": self.units}


    def make():
        return Small()
"""


@dataclass(frozen=True)
class Case:
    """A folder with a model's code, a batch of three classes and a configuration."""

    folder: Path
    x: np.ndarray

    def write(self, text: str, **arrays: np.ndarray) -> Path:
        """Write a configuration and its batch."""
        np.savez(self.folder / "batch.npz", x=self.x, **arrays)
        path = self.folder / "config.yaml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def build(self, text: str, *options: str, code: int = 0, **arrays: np.ndarray) -> Report:
        """Build a report and read it; the exit code must be as said."""
        out = self.folder / "out"
        done = run("build", str(self.write(text, **arrays)), "--output", str(out), *options)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return read_report(out / "report.html")

    def refused(self, text: str, *words: str, **arrays: np.ndarray) -> None:
        """Expect exit 3 and one line with all words; nothing is written."""
        done = run("check", str(self.write(text, **arrays)))
        assert done.returncode == 3 and len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert not [word for word in words if word not in done.stderr], done.stderr


@pytest.fixture
def case(tmp_path: Path) -> Case:
    (tmp_path / "own_code.py").write_text(textwrap.dedent(OWN), encoding="utf-8")
    return Case(tmp_path, np.random.default_rng(1).normal(size=(60, 4)).astype("f4"))


def metric(report: Report, name: str = "accuracy", output: str = "") -> float:
    """Return a metric's value."""
    found = [m.value for m in report.metrics if m.name == name and (not output or m.output == output)]
    assert found, [m.name for m in report.metrics]
    return float(found[0])


def said(report: Report, section: str) -> str:
    """Return everything that a section says."""
    return json.dumps(next(s for s in report.sections if s.id == section), default=lambda o: getattr(o, "__dict__", None) or
                      {k: getattr(o, k) for k in getattr(o, "__slots__", ())} or str(o))  # fmt: skip


def small(k: Any) -> Any:
    """Return a Sequential classifier of three classes."""
    return k.Sequential([k.Input((4,)), k.layers.Dense(5, activation="relu"), k.layers.Dense(3, activation="softmax")])


BATCH = """
    batch:
      path: batch.npz
      x: x
      y: y
"""


def test_10_a_saved_model_predicts_with_trust_and_its_layers_say_why_not(case: Case) -> None:
    model = small(models.keras())
    model.export(case.folder / "exported", verbose=False)
    y = np.asarray(model(case.x)).argmax(axis=1)
    text = "model: exported\n" + textwrap.dedent(BATCH)
    case.refused(text, "SavedModel", "--trust=savedmodel", "model.save", y=y)
    report = case.build(text, "--trust=savedmodel", y=y)
    assert metric(report) == 1.0
    assert "not its layers" in said(report, "layers")


def test_11_operations_of_a_saved_model_that_reach_outside_are_listed(case: Case) -> None:
    models.keras()
    import tensorflow as tf

    class Spy(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
        def serve(self, x: Any) -> Any:
            tf.io.write_file("/tmp/reportgen-test-must-not-exist", tf.strings.as_string(x[0, 0]))
            tf.print("seen")
            return x

    spy = Spy()
    tf.saved_model.save(spy, str(case.folder / "spy"), signatures={"serving_default": spy.serve})
    case.refused("model: spy\n", "--trust=savedmodel", "PrintV2", "WriteFile")
    assert not Path("/tmp/reportgen-test-must-not-exist").exists()


def test_29_without_a_batch_an_unbuilt_model_still_has_a_report(case: Case) -> None:
    k = models.keras()
    k.Sequential([k.layers.Dense(5), k.layers.Dense(3)]).save(case.folder / "m.keras")
    report = case.build("model: m.keras\n")
    assert {s.id: s.state for s in report.sections}["architecture"] != "failed"


def own(case: Case) -> tuple[Any, np.ndarray]:
    """Return a subclassed model of the case's own code, built, and its answers."""
    k = models.keras()
    space: dict[str, Any] = {"__name__": "own_code_of_the_test"}
    exec(compile(textwrap.dedent(OWN), "own_code.py", "exec"), space)  # the same code that the worker imports
    k.utils.set_random_seed(0)
    model = space["make"]()
    return model, np.asarray(model(case.x)).argmax(axis=1)


def test_30_a_registered_subclassed_model_is_loaded_with_its_own_classes(case: Case) -> None:
    model, y = own(case)
    model.save(case.folder / "m.keras")
    text = "model: m.keras\n" + textwrap.dedent(BATCH)
    case.refused(text, "`Small`", "custom_objects", "--trust=custom_objects", y=y)
    named = text + "custom_objects: [own_code:Small, own_code:Doubled]\n"
    case.refused(named, "--trust=custom_objects", y=y)
    report = case.build(named, "--trust=custom_objects", y=y)
    assert metric(report) == 1.0
    assert "subclassed" in said(report, "architecture")
    assert {layer.name for layer in report.layers} >= {"dense"} or report.layers


def test_a_model_that_a_function_builds_takes_its_weights(case: Case) -> None:
    model, y = own(case)
    model.save_weights(case.folder / "small.weights.h5")
    text = "model: {builder: 'own_code:make', weights: small.weights.h5}\n" + textwrap.dedent(BATCH)
    case.refused(text, "`model.builder`", "--trust=builder", y=y)
    assert metric(case.build(text, "--trust=builder", y=y)) == 1.0


def test_weights_of_another_model_are_explained(case: Case) -> None:
    small(models.keras()).save_weights(case.folder / "other.weights.h5")
    text = "model: {builder: 'own_code:make', weights: other.weights.h5}\n" + textwrap.dedent(BATCH)
    report = case.build(text, "--trust=builder", code=3, y=np.zeros(60, "i8"))
    assert "do not fit the model of own_code:make" in said(report, "summary")


def test_a_module_that_is_not_there_is_named(case: Case) -> None:
    report = case.build("model: {builder: 'elsewhere:make'}\n", "--trust=builder", code=3)
    assert "there is no module elsewhere" in said(report, "summary")


def test_33_38_39_several_inputs_and_outputs_in_dicts_with_labels_for_one(case: Case) -> None:
    k = models.keras()
    a, b = k.Input((4,), name="a"), k.Input((2,), name="b")
    both = k.layers.Concatenate()([a, b])
    outputs = {
        "kind": k.layers.Dense(3, activation="softmax", name="d1")(both),
        "size": k.layers.Dense(1, name="d2")(both),
    }
    model = k.Model({"a": a, "b": b}, outputs)
    model.save(case.folder / "m.keras")
    second = case.x[:, :2] * 2
    y = np.asarray(model({"a": case.x, "b": second})["kind"]).argmax(axis=1)
    text = "model: m.keras\nbatch:\n  path: batch.npz\n  x: {a: x, b: second}\n  y: {kind: y}\n"
    report = case.build(text, second=second, y=y)
    assert metric(report, output="kind") == 1.0
    assert "labels" in said(report, "predictions") and "size" in said(report, "predictions")


def test_35_a_keras_2_file_predicts_what_it_predicted_in_keras_2(case: Case) -> None:
    config, weights = recurrent_model()
    write_keras2(case.folder / "old.h5", config, weights, "2.2.4")
    x = np.random.default_rng(2).normal(size=(60, 7, 3)).astype("f4")
    y = recurrent_by_hand(x, weights).argmax(axis=1)
    text = "model: old.h5\n" + textwrap.dedent(BATCH).replace("x: x", "x: steps")
    report = case.build(text, steps=x, y=y)
    assert metric(report) == 1.0
    assert "LSTM time_major" in said(report, "architecture")


def test_35_a_keras_2_file_that_cannot_be_loaded_still_shows_its_graph(case: Case) -> None:
    config, weights = recurrent_model(time_major=True)
    write_keras2(case.folder / "old.h5", config, weights, "2.4.0")
    report = case.build("model: old.h5\n" + textwrap.dedent(BATCH), code=3, y=np.zeros(60, "i8"))
    assert report.graph is not None and "lstm_1" in {node.layer for node in report.graph.nodes}
    for words in ("a Keras 2 file (saved with Keras 2.4.0)", "tf_keras", "python"):
        assert words in said(report, "summary")


def test_36_a_batch_of_another_shape_names_both_and_the_rest_is_there(case: Case) -> None:
    small(models.keras()).save(case.folder / "m.keras")
    np.savez(case.folder / "wide.npz", x=np.zeros((9, 5), "f4"), y=np.zeros(9, "i8"))
    report = case.build("model: m.keras\nbatch: {path: wide.npz, x: x, y: y}\n", code=4)
    assert "(4)" in said(report, "predictions") and "(5)" in said(report, "predictions")
    assert {s.id: s.state for s in report.sections}["architecture"] == "shown"
