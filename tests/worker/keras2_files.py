"""Files as Keras 2 wrote them, put together by hand: configuration and weights by layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Config = dict[str, Any]
Weights = dict[str, dict[str, np.ndarray]]


def write_keras2(path: Path, config: Config, weights: Weights, version: str = "2.10.0") -> Path:
    """Write a model with weights by layer name, each by its name in Keras 2 ("kernel:0")."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(config)
        optimizer = {"class_name": "Adam", "config": {"lr": 0.001, "decay": 0.0}}
        loss = {"class_name": "CategoricalCrossentropy", "config": {"reduction": "auto"}}
        file.attrs["training_config"] = json.dumps(
            {"optimizer_config": optimizer, "loss": loss, "metrics": ["accuracy"]}
        )
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in weights]
        group.attrs["keras_version"] = version
        group.attrs["backend"] = "tensorflow"
        for layer, values in weights.items():
            inner = group.create_group(layer)
            inner.attrs["weight_names"] = [f"{layer}/{name}".encode() for name in values]
            for name, array in values.items():
                inner.create_dataset(f"{layer}/{name}", data=array)
    return path


def entry(class_name: str, name: str, *calls: Any, **settings: Any) -> Config:
    """Return a layer; `calls` are the calls of a functional model."""
    return {
        "class_name": class_name,
        "name": name,
        "config": {"name": name, "trainable": True, "dtype": "float32", **settings},
        "inbound_nodes": list(calls),
    }


def sequential(*layers: Config) -> Config:
    """Return a Sequential as Keras 2.0 wrote it: without a name."""
    return {
        "class_name": "Sequential",
        "config": [{k: v for k, v in e.items() if k != "inbound_nodes"} for e in layers],
    }


def functional(inputs: list[str], outputs: list[str], *layers: Config) -> Config:
    """Return a functional model."""
    ends = {"input_layers": [[n, 0, 0] for n in inputs], "output_layers": [[n, 0, 0] for n in outputs]}
    return {"class_name": "Model", "config": {"name": "model_1", "layers": list(layers), **ends}}


def recurrent_model(seed: int = 0, **settings: Any) -> tuple[Config, Weights]:
    """Return an LSTM with Keras 2's hard sigmoid and arguments that Keras 3 does not know, and its weights."""
    rng = np.random.default_rng(seed)
    lstm = entry(
        "LSTM",
        "lstm_1",
        batch_input_shape=[None, 7, 3],
        units=4,
        activation="tanh",
        time_major=settings.get("time_major", False),
        recurrent_activation="hard_sigmoid",
        use_bias=True,
        implementation=1,
        return_sequences=False,
        unroll=False,
    )
    dense = entry("Dense", "dense_1", units=3, activation="softmax_v2", use_bias=True)
    weights = {
        "lstm_1": {
            "kernel:0": rng.normal(size=(3, 16)).astype("f4"),
            "recurrent_kernel:0": rng.normal(size=(4, 16)).astype("f4"),
            "bias:0": rng.normal(size=16).astype("f4"),
        },
        "dense_1": {"kernel:0": rng.normal(size=(4, 3)).astype("f4"), "bias:0": rng.normal(size=3).astype("f4")},
    }
    return sequential(lstm, dense), weights


def recurrent_by_hand(x: np.ndarray, weights: Weights, *, scores: bool = True) -> np.ndarray:
    """Return what that model predicts, computed step by step: gates in the order input, forget, candidate, output.

    Without `scores` it is the LSTM's last state.
    """

    def gate(values: np.ndarray) -> np.ndarray:
        """Return Keras 2's hard sigmoid."""
        return np.clip(0.2 * values + 0.5, 0, 1)

    lstm, dense = weights["lstm_1"], weights["dense_1"]
    h = c = np.zeros((len(x), 4))
    for step in range(x.shape[1]):
        z = x[:, step] @ lstm["kernel:0"] + h @ lstm["recurrent_kernel:0"] + lstm["bias:0"]
        i, f, g, o = np.split(z, 4, axis=1)
        c = gate(f) * c + gate(i) * np.tanh(g)
        h = gate(o) * np.tanh(c)
    if not scores:
        return h
    found = np.exp(h @ dense["kernel:0"] + dense["bias:0"])
    return found / found.sum(axis=1, keepdims=True)
