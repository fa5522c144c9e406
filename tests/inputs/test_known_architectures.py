"""No architecture of keras.applications and no functional model with operators may be refused before it is loaded."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reportgen.analysis.graph import Graph
from reportgen.inputs.ends import describe_ends
from reportgen.inputs.keras_config import check_config
from reportgen.inputs.preflight import inspect_model
from reportgen.worker.config_graph import graph_from_config
from reportgen.worker.load import load_model
from reportgen.worker.plan import ModelSpec
from reportgen.worker.saved import read_saved
from tests.worker import models

pytestmark = [pytest.mark.keras, pytest.mark.slow]

SMALL = ("MobileNetV3Small",)  # built, saved, loaded and compared


def architectures() -> list[str]:
    """Return the names of all architectures, read from the source: importing Keras takes seconds."""
    spec = importlib.util.find_spec("keras")
    assert spec is not None and spec.origin is not None
    text = (Path(spec.origin).parent / "applications" / "__init__.py").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"(?:import|as) ([A-Z]\w+)", text)))


def serialise(model: Any) -> dict[str, Any]:
    """Return the configuration as it stands in a `.keras` file, where functions and shapes have become JSON."""
    k = models.keras()
    config: dict[str, Any] = json.loads(json.dumps(k.saving.serialize_keras_object(model)))
    return config


def make(name: str) -> Any:
    """Return an architecture without weights, for the smallest input that it takes."""
    k = models.keras()
    build = getattr(k.applications, name)
    fixed = "NASNet" in name
    options: dict[str, Any] = {"weights": None, "classes": 5}
    if not fixed and "include_preprocessing" in inspect.signature(build).parameters:
        options["include_preprocessing"] = True
    try:
        return build(input_shape=(96, 96, 3), **options)
    except ValueError:
        return build(**options)


def test_the_list_of_architectures_is_complete() -> None:
    applications = models.keras().applications
    assert architectures() == [name for name in dir(applications) if name[:1].isupper()]
    assert len(architectures()) >= 40


@pytest.mark.parametrize("name", architectures())
def test_an_architecture_is_not_refused_and_its_graph_is_read(name: str) -> None:
    k = models.keras()
    with k.StatelessScope(initialize_variables=False):  # without weights this is several times faster
        model = make(name)
    config = serialise(model)
    check_config(config, frozenset())
    graph: Graph = graph_from_config(config)
    # Every layer that the model calls stands in the graph; those of nested models too.
    assert {layer.name for layer in model.layers} <= {
        part for node in graph.nodes for part in node.layer.split("/")
    } | {group.name for group in graph.groups}
    assert describe_ends(config).outputs
    del model
    k.backend.clear_session()


@pytest.mark.parametrize("name", SMALL)
def test_a_saved_architecture_is_loaded_and_predicts_the_same(tmp_path: Path, name: str) -> None:
    model = make(name)
    path = tmp_path / "model.keras"
    model.save(path)
    inspect_model(path)
    spec = ModelSpec(str(path), "keras")
    loaded = load_model(spec, read_saved(spec)).model
    x = np.random.default_rng(0).uniform(0, 255, size=(1, *model.input_shape[1:])).astype("f4")
    np.testing.assert_allclose(model(x, training=False), loaded(x, training=False), atol=1e-6)


def with_operators(k: Any) -> dict[str, Callable[[Any], Any]]:
    """Return what ten functional models do with their input of shape (batch, 6, 4)."""
    ops, layers = k.ops, k.layers
    return {
        "add": lambda x: x + 1,
        "arithmetic": lambda x: (2 * x - x / 3) ** 2,
        "negative": lambda x: -x * 0.5 + abs(x),
        "mean": lambda x: ops.mean(x, axis=1, keepdims=True),
        "slice": lambda x: x[:, 1:-1, ::2],
        "pick": lambda x: x[:, 0] - x[..., -1, :],
        "matmul": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
        "compare": lambda x: ops.where(x > 0, x, ops.zeros_like(x)),
        "stack": lambda x: ops.concatenate([ops.relu(x), ops.softmax(x), ops.expand_dims(x[..., 0], -1)], axis=-1),
        "shape": lambda x: ops.reshape(layers.Dense(4)(x) + x, (-1, 24)),
        "normalise": lambda x: (x - ops.mean(x, axis=-1, keepdims=True)) / (ops.std(x, axis=-1, keepdims=True) + 1e-6),
        "einsum": lambda x: ops.einsum("bij,bkj->bik", x, ops.maximum(x, 0.1)),
    }


@pytest.mark.parametrize("name", ["add", "arithmetic", "negative", "mean", "slice", "pick", "matmul", "compare", "stack",
                                  "shape", "normalise", "einsum"])  # fmt: skip
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_functional_model_with_operators_is_not_refused_and_loads(tmp_path: Path, name: str, suffix: str) -> None:
    k = models.keras()
    inputs = k.Input((6, 4))
    model = k.Model(inputs, with_operators(k)[name](inputs))
    path = tmp_path / f"model{suffix}"
    model.save(path)
    file = inspect_model(path)
    assert graph_from_config(file.config).nodes
    spec = ModelSpec(str(path), file.format)
    x = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("f4")
    loaded = load_model(spec, read_saved(spec)).model
    np.testing.assert_allclose(model(x), loaded(x), atol=1e-6)
