"""BAD_INPUTS 1-9, 20: what a model's config names and declares, through the command line on hand-made files."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from tests.inputs.model_files import Folder, dense, layer, sequential, write_h5, write_keras

LAMBDA = {"class_name": "__lambda__", "config": {"value": "4wEAAAAAAAA=", "defaults": None, "closure": None}}


def functional(*nodes: dict[str, Any]) -> dict[str, Any]:
    """Return a functional model that holds these nodes, the last of them its output."""
    start = layer("InputLayer", name="input", batch_shape=[None, 4], dtype="float32")
    config = {
        "name": "model",
        "layers": [start, *nodes],
        "input_layers": ["input", 0, 0],
        "output_layers": [nodes[-1]["config"]["name"], 0, 0],
    }
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": config,
        "registered_name": None,
    }


def refused(folder: Folder, config: dict[str, Any], *words: str) -> str:
    """Expect the refusal of a .keras file with this config."""
    write_keras(folder.path / "model.keras", config)
    return folder.refused("model.keras", *words)


def test_1_a_lambda_layer_names_the_layer_and_the_flag(folder: Folder) -> None:
    odd = layer("Lambda", name="my_lambda", function=LAMBDA)
    refused(folder, sequential(odd, dense()), "`my_lambda`", "Lambda", "--trust=lambda")


def test_1_a_lambda_activation_names_the_layer_and_the_flag(folder: Folder) -> None:
    refused(folder, sequential(dense("out", activation=LAMBDA)), "`out`", "Lambda", "--trust=lambda")


def test_1_a_lambda_layer_passes_with_trust_from_the_command_line(folder: Folder) -> None:
    write_keras(folder.path / "model.keras", sequential(layer("Lambda", function=LAMBDA), dense()))
    assert folder.check("--trust=lambda").exit_code == 0
    assert folder.check("--trust").exit_code == 0
    assert folder.check("--trust=builder").exit_code == 3


def test_1_set_and_the_environment_cannot_grant_trust(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    write_keras(folder.path / "model.keras", sequential(layer("Lambda", function=LAMBDA), dense()))
    assert folder.check("--set", "trust=all").exit_code == 2
    monkeypatch.setenv("REPORTGEN_TRUST", "all")
    result = folder.check()
    assert result.exit_code == 2 and "--trust on the command line" in result.stderr


def test_2_a_lambda_in_h5_is_refused(folder: Folder) -> None:
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "m",
            "layers": [
                {
                    "class_name": "Lambda",
                    "config": {"name": "lam", "function": ["4wE=", None, None], "function_type": "lambda"},
                },
                {"class_name": "Dense", "config": {"name": "d", "units": 3}},
            ],
        },
    }
    write_h5(folder.path / "model.h5", config)
    folder.refused("model.h5", "`lam`", "Lambda", "--trust=lambda", model="model.h5")


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("subprocess", "Popen"), ("builtins.os", "x"), ("importlib", "import_module")],
)
def test_3_a_module_of_python_is_refused(folder: Folder, module: str, name: str) -> None:
    refused(folder, sequential(layer(name, module)), "`odd`", f"{module}.{name}")


def test_3_a_module_of_python_below_keras_is_refused(folder: Folder) -> None:
    refused(folder, sequential(layer("system", "keras.src.utils.os")), "`odd`", "keras.src.utils.os.system")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keras.utils", "get_file"),
        ("keras.saving", "load_model"),
        ("keras.models", "load_model"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("keras.datasets.mnist", "load_data"),
        ("keras.ops", "custom_gradient"),
        ("keras.layers", "deserialize"),
    ],
)
def test_4_a_function_of_keras_that_is_no_part_of_a_model_is_refused(folder: Folder, module: str, name: str) -> None:
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    refused(folder, sequential(dense("out", activation=function)), "`out`", name)


def test_4_a_function_is_judged_by_the_name_that_it_resolves_to(folder: Folder) -> None:
    function = {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "relu"}
    refused(folder, sequential(dense("out", activation=function)), "`out`", "`eval`")


@pytest.mark.parametrize(
    ("module", "name"), [("keras.activations", "gelu"), ("builtins", "relu"), (None, "tanh"), ("keras.ops", "silu")]
)
def test_4_the_functions_of_keras_pass(folder: Folder, module: str | None, name: str) -> None:
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    write_keras(folder.path / "model.keras", sequential(dense("out", activation=function)))
    assert folder.check().exit_code == 0


@pytest.mark.parametrize(
    ("module", "name"),
    [("keras.src.ops.core", "Map"), ("keras.src.ops.core", "WhileLoop"), ("keras.src.ops.numpy", "save")],
)
def test_4_operations_that_take_functions_or_write_are_refused(folder: Folder, module: str, name: str) -> None:
    refused(folder, functional(layer(name, module)), "`odd`", name)


@pytest.mark.parametrize(
    ("module", "name"),
    [("keras.src.ops.numpy", "Add"), ("keras.src.ops.numpy", "GetItem"), ("keras.src.ops.nn", "Relu")],
)
def test_4_operations_on_the_list_pass(folder: Folder, module: str, name: str) -> None:
    write_keras(folder.path / "model.keras", functional(layer(name, module)))
    assert folder.check().exit_code == 0


def test_5_an_unconnected_node_that_calls_a_function_is_refused(folder: Folder) -> None:
    node = {"module": "keras.utils", "class_name": "get_file", "config": {"name": "call", "fname": "x", "origin": "y"}}
    node |= {"registered_name": None, "inbound_nodes": [{"args": ["https://example.org/x"], "kwargs": {}}]}
    refused(folder, functional(node, dense()), "`call`", "keras.utils.get_file")


def test_5_an_object_hidden_in_a_nodes_arguments_is_refused(folder: Folder) -> None:
    node = dense()
    node["inbound_nodes"] = [{"args": [{"class_name": "system", "module": "os", "config": {}}], "kwargs": {}}]
    refused(folder, functional(node), "`dense`", "os.system")


def test_6_a_custom_class_is_shown_with_its_module_and_the_fix(folder: Folder) -> None:
    odd = layer("Swirl", "my_project.layers", name="swirl_1")
    words = (
        "`swirl_1`",
        "`Swirl`",
        "`my_project.layers`",
        "`custom_objects: [module:Swirl]`",
        "--trust=custom_objects",
    )
    refused(folder, sequential(odd, dense()), *words)


def test_6_a_custom_class_without_a_module_is_shown(folder: Folder) -> None:
    refused(folder, sequential(layer("Swirl", None), dense()), "`Swirl`", "custom_objects")


def test_6_a_custom_function_is_shown(folder: Folder) -> None:
    function = {"module": "builtins", "class_name": "function", "config": "swirl", "registered_name": "function"}
    refused(folder, sequential(dense("out", activation=function)), "`out`", "function `swirl`", "custom_objects")


def test_7_a_missing_custom_loss_metric_or_optimizer_is_no_obstacle(folder: Folder) -> None:
    config = sequential(dense())
    own = {"module": "my_project", "class_name": "Own", "config": {}, "registered_name": "my>Own"}
    config["compile_config"] = {"optimizer": own, "loss": own, "metrics": [own]}
    write_keras(folder.path / "model.keras", config)
    assert folder.check().exit_code == 0


def test_7_the_training_settings_of_a_nested_model_are_looked_at(folder: Folder) -> None:
    inner = copy.deepcopy(sequential(dense()))
    inner["compile_config"] = {
        "loss": {"module": "os", "class_name": "function", "config": "system", "registered_name": None}
    }
    refused(folder, sequential(inner), "os.system")


@pytest.mark.parametrize("kind", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_8_a_vocabulary_outside_the_file_is_refused(folder: Folder, kind: str) -> None:
    refused(
        folder,
        sequential(layer(kind, name="lookup", vocabulary="/etc/passwd"), dense()),
        "`lookup`",
        "vocabulary",
        "outside",
    )


def test_8_a_vocabulary_in_the_config_passes(folder: Folder) -> None:
    write_keras(folder.path / "model.keras", sequential(layer("StringLookup", vocabulary=["a", "b"]), dense()))
    assert folder.check().exit_code == 0


@pytest.mark.parametrize("kind", ["TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"])
def test_9_layers_that_hold_foreign_programs_are_refused_even_with_trust(folder: Folder, kind: str) -> None:
    write_keras(folder.path / "model.keras", sequential(layer(kind, name="foreign", filepath="/tmp/x"), dense()))
    folder.refused("`foreign`", kind, options=("--trust",))


def test_20_dense_of_200_million_units_in_a_small_file_is_refused(folder: Folder) -> None:
    refused(folder, sequential(dense("huge", units=200_000_000, channels=20)), "`huge`", "16,800,000,000")


@pytest.mark.parametrize(
    "odd",
    [
        layer("Embedding", name="huge", input_dim=10**9, output_dim=64),
        layer("LSTM", name="huge", units=10**6),
        layer("Conv2D", name="huge", filters=10**8, kernel_size=[9, 9]),
        layer("EinsumDense", name="huge", output_shape=[10**9]),
        layer("Bidirectional", name="both", layer=layer("GRU", name="huge", units=10**6)),
    ],
    ids=lambda odd: odd["class_name"],
)
def test_20_other_layers_that_declare_far_more_than_the_file_holds_are_refused(
    folder: Folder, odd: dict[str, Any]
) -> None:
    refused(folder, sequential(odd, dense()), "`huge`", "declares")


def test_20_an_honest_big_layer_passes(folder: Folder) -> None:
    import h5py

    def fill(file: h5py.File) -> None:
        file["layers/big/vars/0"] = np.zeros((5000, 5000), "f4")

    from tests.inputs.model_files import weights_bytes

    config = sequential(dense("big", units=5000, channels=5000))
    write_keras(folder.path / "model.keras", config, weights=weights_bytes(fill))
    assert folder.check().exit_code == 0


@pytest.mark.parametrize("value", [5, None, ["Dense"], {}])
def test_a_class_name_that_is_no_name_is_refused(folder: Folder, value: Any) -> None:
    refused(folder, sequential({"module": "keras.layers", "class_name": value, "config": {}}), "no name")


@pytest.mark.parametrize(("zeros", "words"), [(4000, "over 10^18 bytes"), (5000, "a number of thousands of digits")])
def test_20_units_of_thousands_of_digits_make_no_message_of_thousands(folder: Folder, zeros: int, words: str) -> None:
    text = json.dumps(sequential(dense(units=7))).replace('"units": 7', '"units": 1' + "0" * zeros)
    write_keras(folder.path / "model.keras", text=text)
    assert len(folder.refused("model.keras", words)) < 400


def test_32_more_layers_than_anyone_trains_are_refused_before_keras_builds_them(folder: Folder) -> None:
    """Keras took more than five minutes for 90,000 in a file of 13 MB, and reportgen waited for it."""
    names = [layer("ReLU", name=f"r{index}") for index in range(6_000)]
    refused(folder, sequential(*names, sequential(*names)), "lists 12,003 layers", "up to 10,000")
    write_keras(folder.path / "model.keras", sequential(*names))
    assert folder.check().exit_code == 0
