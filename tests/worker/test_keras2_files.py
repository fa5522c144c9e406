"""Keras 2 files in Keras 3: what loads predicts what Keras 2 predicted, computed by hand; the rest is explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.worker.explain import CannotLoad
from reportgen.worker.load import load_model
from reportgen.worker.loaded import Loaded
from reportgen.worker.plan import ModelSpec
from reportgen.worker.repair import is_keras2, parse_version, refer_to_functions, repair_config
from reportgen.worker.rewrite import drop_unknown
from reportgen.worker.saved import read_saved
from tests.worker.keras2_files import entry, functional, recurrent_by_hand, recurrent_model, sequential, write_keras2

RNG = np.random.default_rng(3)


def load(path: Path) -> Loaded:
    """Load as the worker does."""
    spec = ModelSpec(str(path), "h5")
    return load_model(spec, read_saved(spec))


def predict(path: Path, *inputs: np.ndarray) -> np.ndarray:
    """Return the prediction of a loaded file."""
    model = load(path).model
    return np.asarray(model(inputs[0] if len(inputs) == 1 else list(inputs), training=False))


@pytest.mark.keras
def test_an_lstm_with_time_major_and_the_old_hard_sigmoid_predicts_as_it_did(tmp_path: Path) -> None:
    config, weights = recurrent_model()
    x = RNG.normal(size=(5, 7, 3)).astype("f4")
    loaded = load(write_keras2(tmp_path / "old.h5", config, weights, "2.2.4"))
    np.testing.assert_allclose(loaded.model(x), recurrent_by_hand(x, weights), atol=1e-5)
    assert any("LSTM time_major" in note for note in loaded.notes)


@pytest.mark.keras
def test_the_old_hard_sigmoid_stays_itself_in_a_layer_that_another_one_wraps(tmp_path: Path) -> None:
    """Bidirectional writes its layer down and reads it back, by the name of the function."""
    config, weights = recurrent_model()
    inner = config["config"][0]
    inner["config"].pop("batch_input_shape")
    both = entry("Bidirectional", "both", batch_input_shape=[None, 7, 3], merge_mode="ave", layer=inner)
    path = tmp_path / "old.h5"
    stored = {
        f"{way}_lstm_1/{name}": array for way in ("forward", "backward") for name, array in weights["lstm_1"].items()
    }
    write_keras2(path, sequential(both), {"both": stored}, "2.0.8")
    x = RNG.normal(size=(5, 7, 3)).astype("f4")
    wanted = [recurrent_by_hand(values, weights, scores=False) for values in (x, x[:, ::-1])]
    np.testing.assert_allclose(predict(path, x), (wanted[0] + wanted[1]) / 2, atol=1e-5)


@pytest.mark.keras
def test_arguments_of_convolutions_and_normalisation_go_where_they_change_nothing(tmp_path: Path) -> None:
    kernel, bias = RNG.normal(size=(3, 3, 2, 1)).astype("f4"), RNG.normal(size=2).astype("f4")
    norm = {
        name: RNG.uniform(0.5, 1, size=2).astype("f4")
        for name in ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0")
    }
    config = sequential(
        entry("DepthwiseConv2D", "depth", batch_input_shape=[None, 5, 5, 2], kernel_size=[3, 3], groups=1, filters=None,
              kernel_initializer="ones", padding="valid"),
        entry("BatchNormalization", "norm", axis=[3], epsilon=0.001, renorm=False, fused=None, virtual_batch_size=None),
        entry("ThresholdedReLU", "cut", theta=0.5),
        entry("Flatten", "flat"),
    )  # fmt: skip
    del config["config"][0]["config"]["filters"]
    path = write_keras2(
        tmp_path / "m.h5", config, {"depth": {"depthwise_kernel:0": kernel, "bias:0": bias}, "norm": norm}
    )
    x = RNG.normal(size=(2, 5, 5, 2)).astype("f4")
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    raw = np.einsum("nijcab,abc->nijc", windows, kernel[..., 0]) + bias
    scaled = (raw - norm["moving_mean:0"]) / np.sqrt(norm["moving_variance:0"] + 0.001) * norm["gamma:0"] + norm[
        "beta:0"
    ]
    np.testing.assert_allclose(predict(path, x), np.where(scaled > 0.5, scaled, 0).reshape(2, -1), atol=1e-5)


def operators_model(function: str = "math.truediv") -> dict[str, Any]:
    """Return a model that divides, slices, adds itself to itself and takes a mean: operations kept as layers."""
    return functional(
        ["in"], ["mean"],
        entry("InputLayer", "in", batch_input_shape=[None, 6, 4], sparse=False, ragged=False),
        entry("TFOpLambda", "divide", ["in", 0, 0, {"y": 4.0, "name": None}], function=function),
        entry("SlicingOpLambda", "cut", ["divide", 0, 0, {"slice_spec": [{"start": None, "stop": None, "step": None},
              {"start": 1, "stop": -1, "step": None}]}], function="__operators__.getitem"),
        entry("TFOpLambda", "add", ["cut", 0, 0, {"y": ["cut", 0, 0], "name": None}], function="__operators__.add"),
        entry("TFOpLambda", "mean", ["add", 0, 0, {"axis": 1}], function="math.reduce_mean"),
    )  # fmt: skip


@pytest.mark.keras
def test_operations_that_keras_2_kept_as_layers_compute(tmp_path: Path) -> None:
    path = write_keras2(tmp_path / "m.h5", operators_model(), {})
    x = RNG.normal(size=(3, 6, 4)).astype("f4")
    np.testing.assert_allclose(predict(path, x), (x / 4)[:, 1:-1].mean(axis=1) * 2, atol=1e-5)


@pytest.mark.keras
def test_an_operation_that_does_not_only_compute_is_not_called(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad):
        load(write_keras2(tmp_path / "m.h5", operators_model("io.read_file"), {}))


@pytest.mark.keras
def test_a_nested_model_that_is_counted_from_one_and_called_twice(tmp_path: Path) -> None:
    kernel = RNG.normal(size=(4, 2)).astype("f4")
    dense = entry("Dense", "inner", batch_input_shape=[None, 4], units=2, use_bias=False, activation="linear")
    base = {**sequential(dense), "name": "base", "inbound_nodes": [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]}
    base["config"] = {"name": "base", "layers": base["config"]}
    config = functional(
        ["a", "b"], ["out"],
        entry("InputLayer", "a", batch_input_shape=[None, 4]), entry("InputLayer", "b", batch_input_shape=[None, 4]),
        base, entry("Subtract", "out", [["base", 1, 0, {}], ["base", 2, 0, {}]]),
    )  # fmt: skip
    path = write_keras2(tmp_path / "m.h5", config, {"base": {"inner/kernel:0": kernel}})
    a, b = RNG.normal(size=(2, 3, 4)).astype("f4")
    np.testing.assert_allclose(predict(path, a, b), a @ kernel - b @ kernel, atol=1e-5)


@pytest.mark.keras
def test_mixed_precision_policies_of_keras_2_are_understood(tmp_path: Path) -> None:
    policy = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    kernel = np.eye(3, dtype="f4")
    dense = entry("Dense", "d", batch_input_shape=[None, 3], units=3, use_bias=False)
    dense["config"]["dtype"] = policy
    loaded = load(write_keras2(tmp_path / "m.h5", sequential(dense), {"d": {"kernel:0": kernel}}))
    assert loaded.model.layers[-1].compute_dtype == "float16"
    assert str(loaded.model.inputs[0].dtype) == "float32"


@pytest.mark.keras
def test_35_a_keras_2_file_that_cannot_be_read_says_so_and_names_two_ways_out(tmp_path: Path) -> None:
    config, weights = recurrent_model(time_major=True)
    with pytest.raises(CannotLoad) as caught:
        load(write_keras2(tmp_path / "old.h5", config, weights, "2.4.0"))
    problem = caught.value.problem
    assert "old.h5: a Keras 2 file (saved with Keras 2.4.0)" in problem.message and "time_major" in problem.message
    assert "tf_keras" in problem.fix and "python" in problem.fix


def test_the_repair_leaves_files_of_this_keras_alone() -> None:
    config = {"module": "keras", "class_name": "Functional", "config": {"output_layers": [["d", 0, 0]], "layers": []}}
    assert repair_config(config, "3.15.1", "3.15.1") == (config, ())


def test_the_only_output_of_an_older_keras_3_is_taken_out_of_its_list() -> None:
    inner = {"class_name": "Functional", "config": {"input_layers": [["i", 0, 0]], "output_layers": [["d", 0, 0]]}}
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": [inner]}}
    fixed, _ = repair_config(config, "3.8.0", "3.15.1")
    assert fixed["config"]["layers"][0]["config"] == {"input_layers": ["i", 0, 0], "output_layers": ["d", 0, 0]}
    assert repair_config(config, "3.8.0", "3.8.0") == (config, ())


def test_a_time_major_model_keeps_its_argument() -> None:
    config, _ = recurrent_model(time_major=True)
    fixed, left_out = repair_config(config, "2.4.0", "3.15.1")
    assert fixed["config"]["layers"][1]["config"]["time_major"] is True and "LSTM time_major" not in left_out


@pytest.mark.parametrize(
    ("text", "version"),
    [("2.10.0", (2, 10)), ("2.4.0-tf", (2, 4)), ("3.0.0.dev2024", (3, 0)), ("", (0, 0)), ("x", (0, 0))],
)
def test_versions_are_read(text: str, version: tuple[int, int]) -> None:
    assert parse_version(text) == version


def test_tf_keras_counts_as_keras_2() -> None:
    assert is_keras2({"module": "tf_keras.src.engine.functional"}, "") and is_keras2({}, "2.15.0")
    assert not is_keras2({}, "3.0.5") and not is_keras2({}, "")


SAID = "Exception encountered: Unrecognized keyword arguments passed to Dense: {'gate': None, 'renorm': False}"


def test_arguments_at_rest_of_a_newer_keras_are_left_out() -> None:
    config = {"class_name": "Dense", "config": {"units": 3, "gate": None, "renorm": False}}
    smaller, names = drop_unknown({"layers": [config]}, SAID) or ({}, ())
    assert smaller == {"layers": [{"class_name": "Dense", "config": {"units": 3}}]}
    assert names == ("Dense gate", "Dense renorm")


def test_an_argument_that_says_something_is_never_left_out() -> None:
    config = {"class_name": "Dense", "config": {"gate": "on"}}
    assert drop_unknown(config, "Unrecognized keyword arguments passed to Dense: {'gate': 'on'}") is None
    assert drop_unknown(config, "Dense.__init__() got an unexpected keyword argument 'gate'") is None


def test_a_bare_name_of_an_own_activation_becomes_a_reference() -> None:
    config = {"class_name": "Dense", "config": {"activation": "<lambda>"}}
    fixed = refer_to_functions(config, frozenset({"<lambda>"}))
    assert fixed["config"]["activation"]["registered_name"] == "<lambda>"
    assert refer_to_functions(config, frozenset()) == config
