"""The lists of names against the installed Keras, its applications, and models with operators."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from reportgen.inputs import keras_names as names
from reportgen.inputs.keras_config import check_config
from reportgen.inputs.preflight import check_model
from reportgen.inputs.trust import NOTHING

pytestmark = pytest.mark.keras
keras = pytest.importorskip("keras", reason="Keras is not installed")

NEVER = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "Layer", "InputSpec"}
TAKES_FUNCTIONS = {"Map", "Scan", "AssociativeScan", "Switch", "WhileLoop", "ForiLoop", "Cond", "VectorizedMap", "JVP"}
# Those with layers of their own or unusual ones; building one takes seconds.
APPLICATIONS = ["ConvNeXtTiny", "EfficientNetV2B0", "InceptionResNetV2", "MobileNetV3Small"]


def test_every_layer_of_keras_is_on_the_list_but_those_that_run_code() -> None:
    classes = {name for name, value in vars(keras.layers).items() if inspect.isclass(value)}
    assert classes - names.LAYERS - NEVER == set()
    assert not names.LAYERS & (NEVER - {"Layer"})


def test_every_operation_of_keras_is_on_the_list_but_those_that_take_functions() -> None:
    from keras.src.ops.operation import Operation

    found = set()
    for module in ("numpy", "math", "nn", "image", "linalg", "core"):
        room = __import__(f"keras.src.ops.{module}", fromlist=["x"])
        found |= {
            n
            for n, v in vars(room).items()
            if inspect.isclass(v) and issubclass(v, Operation) and v.__module__ == room.__name__
        }
    assert found - names.OPERATIONS - TAKES_FUNCTIONS == set()
    assert not names.OPERATIONS & TAKES_FUNCTIONS


def test_activations_losses_and_metrics_are_on_the_list() -> None:
    own = {"get", "serialize", "deserialize"}
    for room in (keras.activations, keras.losses, keras.metrics):
        assert {n for n, v in vars(room).items() if inspect.isfunction(v)} - own - names.FUNCTIONS == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", APPLICATIONS)
def test_no_architecture_of_keras_applications_is_refused(name: str) -> None:
    model = getattr(keras.applications, name)(weights=None, classes=3, input_shape=(96, 96, 3))
    check_config(json.loads(json.dumps(keras.saving.serialize_keras_object(model))), NOTHING)
    keras.backend.clear_session()


def operators() -> list[Any]:
    """Return functional models whose nodes are operations."""
    x, image = keras.Input((4,)), keras.Input((8, 8, 3))
    ops = keras.ops
    outputs = [
        (x, x + 1),
        (x, (x * 2 - 1) / 3),
        (x, ops.mean(x, axis=-1, keepdims=True)),
        (x, x[:, 1:3]),
        (x, ops.concatenate([x, -x], axis=-1)),
        (x, ops.relu(x) ** 2),
        (x, ops.reshape(x, (-1, 2, 2))),
        (x, ops.cast(x > 0, "float32")),
        (image, ops.image.resize(image, (4, 4))),
        (image, ops.einsum("bhwc->bc", image)),
        (x, ops.where(x > 0, x, ops.zeros_like(x))),
        (x, ops.matmul(ops.expand_dims(x, 1), ops.expand_dims(x, 2))),
    ]
    return [keras.Model(start, end) for start, end in outputs]


def test_no_functional_model_with_operators_is_refused(tmp_path: Path) -> None:
    for number, model in enumerate(operators()):
        path = tmp_path / f"model{number}.keras"
        model.save(path)
        assert check_model(path).format == "keras"


def test_saved_layers_of_many_kinds_pass_in_both_formats(tmp_path: Path) -> None:
    layers = keras.layers
    start = keras.Input((16,), dtype="int32")
    x = layers.Embedding(50, 8)(start)
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True, kernel_regularizer="l2"))(x)
    x = layers.MultiHeadAttention(2, 4)(x, x)
    x = layers.TimeDistributed(layers.Dense(4, activation="gelu", kernel_constraint="max_norm"))(x)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    model = keras.Model(start, layers.Dense(2, activation="softmax")(layers.Dropout(0.1, seed=3)(x)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy", keras.metrics.F1Score()])
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        assert check_model(tmp_path / name).format == name.split(".")[1]
