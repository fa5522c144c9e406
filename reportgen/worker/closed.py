"""Models whose layers this Keras cannot look into: a SavedModel's signature, or a model that only tf_keras can read.

They become one layer of a functional model, so that inputs, outputs, predictions and metrics work as for any other.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.worker.loaded import Loaded
from reportgen.worker.plan import ModelSpec

ENDPOINTS = ("serve", "serving_default")
OLD_KERAS = (
    "The file was read with tf_keras, the Keras 2 that is installed beside this Keras: predictions and metrics work, "
    "its layers cannot be looked into."
)
SAVED_MODEL = (
    "The model is a SavedModel: it holds the operations of a trained model, but not its layers. Predictions and "
    "metrics work; save the model as .keras too to see its layers."
)


def load_with_tf_keras(path: Path) -> Loaded:
    """Load a Keras 2 file with tf_keras, as one closed layer."""
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    import tf_keras

    old = tf_keras.models.load_model(path, compile=False)
    names = list(getattr(old, "output_names", ()) or ())
    inputs = {tensor.name.split(":")[0]: (tuple(tensor.shape), tensor.dtype.name) for tensor in old.inputs}
    by_key = isinstance(old.input, dict)

    def call(**given: Any) -> dict[str, Any]:
        """Predict with the old model; outputs by name."""
        keys = list(old.input) if by_key else list(given)
        flat = [given[name] for name in inputs]
        value = dict(zip(keys, flat, strict=True)) if by_key else flat if len(flat) > 1 else flat[0]
        return _by_name(old(value, training=False), names)

    model = _wrap(old.name, call, inputs, "KerasTwoModel")
    note = f"Read with tf_keras {tf_keras.__version__}."
    return Loaded(model, (note,), OLD_KERAS, (_count(old.weights), _count(old.trainable_weights)))


def load_saved_model(spec: ModelSpec) -> Loaded:
    """Load a SavedModel's signature as one closed layer: "serve" (model.export's), "serving_default", or the first.

    Raises ValueError without any signature.
    """
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(spec.path)
    except AttributeError as error:
        if "add_slot" not in str(error):
            raise
        loaded = _load_without_slots(Path(spec.path))
    signatures = {name: loaded.signatures[name] for name in loaded.signatures}
    name = next((name for name in (*ENDPOINTS, *signatures) if name in signatures), None)
    if name is None:
        raise ValueError("it has no signature to call")
    signature = signatures[name]
    specs = signature.structured_input_signature[1]
    inputs = {key: (_shape(given.shape), given.dtype.name) for key, given in specs.items()}

    def call(**given: Any) -> dict[str, Any]:
        """Call the signature; outputs by name."""
        return dict(signature(**given))

    model = _wrap(Path(spec.path).name, call, inputs, "SavedModel")
    model._reportgen_saved_model = loaded  # the variables live as long as this object does
    note = f"The signature {name} of the SavedModel was called."
    parameters = (_count(signature.variables), _count(signature.trainable_variables))
    return Loaded(model, (note,), SAVED_MODEL, parameters)


def _load_without_slots(path: Path) -> Any:
    """Load a SavedModel with the state of a Keras 2 optimizer, that no optimizer of today takes, without it."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    graph = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    for meta in graph.meta_graphs:
        for node in meta.object_graph_def.nodes:
            del node.slot_variables[:]
    with tempfile.TemporaryDirectory(prefix="reportgen-") as folder:
        copied = Path(folder)
        (copied / "saved_model.pb").write_bytes(graph.SerializeToString())
        for part in path.iterdir():
            if part.name != "saved_model.pb":
                (copied / part.name).symlink_to(part.resolve())
        return tf.saved_model.load(folder)


def _count(variables: Any) -> int:
    """Return the number of values of some variables."""
    return sum(int(np.prod(variable.shape)) for variable in variables)


def _shape(shape: Any) -> tuple[int | None, ...]:
    """Return a signature's shape; of unknown rank: one open axis a sample."""
    return (None, None) if shape.rank is None else tuple(shape.as_list())


def _by_name(value: Any, names: list[str]) -> dict[str, Any]:
    """Return what a model gave as a mapping."""
    if isinstance(value, dict):
        return value
    flat = list(value) if isinstance(value, list | tuple) else [value]
    fitting = names if len(set(names)) == len(flat) else [f"output_{i + 1}" for i in range(len(flat))]
    return dict(zip(fitting, flat, strict=True))


def _wrap(name: str, call: Callable[..., Any], inputs: dict[str, tuple[Any, str]], kind: str) -> Any:
    """Return a functional Keras model of one layer, which is called `kind` and calls `call` with the inputs by name."""
    import keras

    def forward(self: Any, given: dict[str, Any]) -> Any:
        """Call the model inside."""
        return call(**given)

    layer_class = type(kind, (keras.layers.Layer,), {"call": forward, "__module__": __name__})
    safe = "".join(c if c.isalnum() or c in "_.-" else "_" for c in name)[:100] or "model"
    layer = layer_class(name=f"{safe}_inside", autocast=False)
    tensors = {key: keras.Input(batch_shape=shape, dtype=dtype, name=key) for key, (shape, dtype) in inputs.items()}
    return keras.Model(tensors, layer(tensors), name=safe)
