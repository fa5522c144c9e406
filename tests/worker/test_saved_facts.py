"""Optimizer, loss, metrics and seeds are read from the saved JSON, never by compiling."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from reportgen.worker.plan import ModelSpec
from reportgen.worker.saved import Saved, read_compile, read_saved, read_seeds, snake_case


def facts(compiled: dict, names: tuple[str, ...] = ("a",)):
    return read_compile(Saved({}, compiled), names)


def test_one_loss_for_all() -> None:
    adam = {"class_name": "Adam", "config": {"name": "adam", "learning_rate": 0.001, "amsgrad": False}}
    found = facts({"optimizer": adam, "loss": "mse", "metrics": ["mae", "mse"]})
    assert found.optimizer == "Adam" and dict(found.settings) == {"learning_rate": "0.001"}
    assert dict(found.loss) == {"": "mse"} and dict(found.metrics) == {"": ("mae", "mse")}


def test_losses_by_name_by_position_and_as_objects() -> None:
    scce = {
        "module": "keras.losses",
        "class_name": "SparseCategoricalCrossentropy",
        "config": {"from_logits": True, "name": "x"},
    }
    assert dict(facts({"loss": {"a": scce, "b": "mse"}}, ("a", "b")).from_logits) == {"a": True}
    by_position = facts({"loss": [scce, "mse"], "metrics": [["accuracy"], []]}, ("a", "b"))
    assert dict(by_position.loss) == {"a": "sparse_categorical_crossentropy", "b": "mse"}
    assert dict(by_position.metrics) == {"a": ("accuracy",)}
    assert dict(facts({"loss": ["mse"]}).loss) == {"": "mse"}
    assert dict(facts({"loss": "mse", "metrics": [["accuracy", "auc"]]}).metrics) == {"": ("accuracy", "auc")}


def test_a_learning_rate_schedule_is_named_with_its_settings() -> None:
    schedule = {
        "class_name": "CosineDecay",
        "config": {"initial_learning_rate": 0.1, "decay_steps": 100, "name": "c", "warmup_target": None},
    }
    found = facts({"optimizer": {"class_name": "SGD", "config": {"learning_rate": schedule, "momentum": 0.9}}})
    assert dict(found.settings)["learning_rate"] == "CosineDecay(initial_learning_rate=0.1, decay_steps=100)"


def test_a_custom_loss_is_named_and_said_to_be_the_authors() -> None:
    own = {"module": "train", "class_name": "function", "config": "my_loss", "registered_name": "function"}
    found = facts({"loss": own})
    assert dict(found.loss) == {"": "my_loss"} and "my_loss is the author's own code" in found.notes[0]


def test_weighted_metrics_are_added() -> None:
    assert dict(facts({"metrics": ["mae"], "weighted_metrics": ["mse"]}).metrics) == {"": ("mae", "mse")}


def test_an_uncompiled_model_has_no_facts() -> None:
    assert facts({}).optimizer == "" and facts({}).loss == ()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"),
        ("KLDivergence", "kl_divergence"),
        ("mse", "mse"),
        ("AUC", "auc"),
    ],
)
def test_names_are_written_as_people_write_them(name: str, wanted: str) -> None:
    assert snake_case(name) == wanted


def test_seeds_are_found_with_the_layer_that_uses_them() -> None:
    dropout = {"config": {"name": "drop", "seed": 7}}
    dense = {"config": {"name": "dense", "kernel_initializer": {"config": {"seed": 3}}, "seed": None}}
    assert read_seeds({"config": {"layers": [dropout, dense]}}) == {"drop": 7, "dense kernel_initializer": 3}


def test_an_endlessly_nested_configuration_is_not_followed_to_its_end() -> None:
    config: dict = {"seed": 1}
    for _ in range(5000):
        config = {"config": config}
    assert read_seeds(config) == {}


def test_a_config_that_unpacks_to_more_than_16_mib_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps({"a": "x" * (17 * 2**20)}))
    with pytest.raises(ValueError, match="larger"):
        read_saved(ModelSpec(str(path), "keras"))
