"""Bring the configuration of an older model into the form that this Keras reads. JSON in, JSON out; nothing is run.

Keras 2 wrote arguments that Keras 3 does not know, counted the calls of nested models from 1, and wrote calls as nested
lists. Keras 3 before 3.12 put a model's only input and only output into a list, and took them out again when loading.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Config = dict[str, Any]
MODELS = frozenset({"Model", "Functional", "Sequential"})
WRAPPED_UNTIL = (3, 12)
OLD_HARD_SIGMOID = "keras2_hard_sigmoid"
CONSTANT = "_CONSTANT_VALUE"
ANY = object()
# Arguments of Keras 2 that may go, for all classes ("") or one: with the values that change nothing (ANY: every value).
DROPPED: dict[str, dict[str, tuple[Any, ...]]] = {
    "": {
        "time_major": (False,),
        "rng_type": (ANY,),
        "ragged": (False, None),
        "batch_input_shape": (ANY,),
        "input_dtype": (ANY,),
        "experimental_run_tf_function": (ANY,),
    },
    "InputLayer": {"optional": (False,)},
    "BatchNormalization": {
        "renorm": (False,),
        "renorm_clipping": (None,),
        "renorm_momentum": (ANY,),
        "fused": (ANY,),
        "virtual_batch_size": (None,),
        "adjustment": (None,),
    },
    "MultiHeadAttention": {
        "query_shape": (ANY,),
        "key_shape": (ANY,),
        "value_shape": (ANY,),
        "softmax_robust_masking": (False,),
    },
    "Embedding": {"input_length": (ANY,)},
}
DROPPED |= {
    kind: {f"kernel_{part}": (ANY,) for part in ("initializer", "regularizer", "constraint")}
    for kind in ("SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D")
}  # they have a kernel for depth and one for points, with settings of their own
HOMES = {"Functional": "keras.src.models.functional", "Sequential": "keras"}
SILENT = ("batch_input_shape", "optional", "ragged", "rng_type", "query_shape", "key_shape", "value_shape")  # no loss
# Kinds of convolution that had `groups` in Keras 2 without using it.
WITHOUT_GROUPS = ("Depthwise", "Separable", "Transpose")


def parse_version(text: str) -> tuple[int, int]:
    """Return (major, minor) of "2.10.0" or "2.4.0-tf"; (0, 0) for anything else."""
    parts = text.split(".")
    digits = ["".join(c for c in part if c.isdigit()) for part in parts[:2]]
    return (int(digits[0]), int(digits[1])) if len(digits) == 2 and all(digits) else (0, 0)


def is_keras2(config: Config, version: str) -> bool:
    """Tell whether Keras 2 (or 1) wrote a file: by its version, or by `tf_keras` in it."""
    major = parse_version(version)[0]
    return 0 < major < 3 or str(config.get("module", "")).startswith("tf_keras")


def repair_config(config: Config, version: str, here: str) -> tuple[Config, tuple[str, ...]]:
    """Return a copy of a configuration by Keras `version` that Keras `here` can read.

    With it come the Keras 2 arguments that were left out, as "Class argument".
    """
    fixed = copy.deepcopy(config)
    left_out: dict[str, None] = {}
    if is_keras2(config, version):
        fixed = _at_home(_repair_model(fixed, left_out))
    if (0, 0) < parse_version(version) < WRAPPED_UNTIL <= parse_version(here):
        for model in _models(fixed):
            _unwrap_ends(model["config"])
    return fixed, tuple(left_out)


def refer_to_functions(config: Config, names: frozenset[str]) -> Config:
    """Return a copy in which activations in `names` are references: bare names are Keras's own."""
    fixed = copy.deepcopy(config)
    stack: list[Any] = [fixed] if names else []
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            for key in ("activation", "recurrent_activation"):
                if isinstance(node.get(key), str) and node[key] in names:
                    node[key] = _function(node[key])
        stack += [part for part in (node.values() if isinstance(node, dict) else node) if isinstance(part, dict | list)]
    return fixed


def _at_home(layer: Config) -> Config:
    """Say where a class lies in Keras 3: asked for at the top and inside of wrappers."""
    return {**layer, "module": HOMES.get(str(layer.get("class_name")), "keras.layers"), "registered_name": None}


def _models(config: Any) -> Iterator[Config]:
    """Yield every functional model in a configuration, nested ones too."""
    stack = [config]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            inner = node.get("config")
            if isinstance(inner, dict) and "output_layers" in inner:
                yield node
            stack += node.values()
        elif isinstance(node, list):
            stack += node


def _unwrap_ends(settings: Config) -> None:
    """Take the only input and the only output of a model out of their lists."""
    for key in ("input_layers", "output_layers"):
        ends = settings.get(key)
        if isinstance(ends, list) and len(ends) == 1 and isinstance(ends[0], list):
            settings[key] = ends[0]


def _repair_model(model: Config, left_out: dict[str, None]) -> Config:
    """Repair a Keras 2 model, in place, with everything in it."""
    if model.get("class_name") == "Model":
        model["class_name"] = "Functional"
    if isinstance(model.get("config"), list):  # Sequential before 2.2.3
        model["config"] = {"name": "sequential", "layers": model["config"]}
    settings = model["config"]
    if not isinstance(settings, dict) or not isinstance(settings.get("layers"), list):
        return model
    layers = [layer for layer in settings["layers"] if isinstance(layer, dict)]
    if model["class_name"] == "Sequential":
        layers = _with_input(layers)
    settings["layers"] = [_repair_layer(layer, left_out) for layer in layers]
    if model["class_name"] != "Sequential":
        _repair_calls(settings)
    return model


def _with_input(layers: list[Config]) -> list[Config]:
    """Give a Sequential an input layer of its own, where its first layer declares the input."""
    first = layers[0] if layers else {}
    settings = first.get("config")
    shape = settings.get("batch_input_shape") if isinstance(settings, dict) else None
    if shape is None or not isinstance(settings, dict) or first.get("class_name") == "InputLayer":
        return layers
    tokens = first.get("class_name") == "Embedding"
    dtype = settings.get("input_dtype") or ("int32" if tokens else _policy(settings.get("dtype")))
    given = {"batch_shape": shape, "dtype": _compute_to_input(dtype), "name": f"{settings.get('name')}_input"}
    return [{"class_name": "InputLayer", "config": given}, *layers]


def _compute_to_input(dtype: Any) -> str:
    """Return the dtype of an input: mixed policies take float32."""
    return dtype if isinstance(dtype, str) and not dtype.startswith("mixed") else "float32"


def _repair_layer(layer: Config, left_out: dict[str, None]) -> Config:
    """Repair one layer and those that it wraps; without `module`, Keras reads it as a legacy one."""
    for key in ("module", "registered_name", "build_config", "shared_object_id"):
        layer.pop(key, None)
    kind, settings = str(layer.get("class_name")), layer.get("config")
    if kind in MODELS:
        return _repair_model(layer, left_out)
    if not isinstance(settings, dict):
        return layer
    for key in ("layer", "backward_layer", "cell"):
        if isinstance(settings.get(key), dict) and "class_name" in settings[key]:
            settings[key] = _at_home(_repair_layer(settings[key], left_out))
    if isinstance(settings.get("cells"), list):
        settings["cells"] = [_at_home(_repair_layer(cell, left_out)) for cell in settings["cells"]]
    if kind == "InputLayer" and "batch_input_shape" in settings:
        settings["batch_shape"] = settings.pop("batch_input_shape")
    _drop_arguments(kind, settings, left_out)
    settings["dtype"] = _policy(settings.get("dtype"))
    if settings["dtype"] is None:
        del settings["dtype"]
    if kind == "BatchNormalization" and isinstance(settings.get("axis"), list) and len(settings["axis"]) == 1:
        settings["axis"] = settings["axis"][0]
    for name in ("activation", "recurrent_activation"):  # one name, two functions
        if settings.get(name) == "hard_sigmoid":
            settings[name] = _function(OLD_HARD_SIGMOID)
        elif isinstance(settings.get(name), str):  # TensorFlow 1 wrote "softmax_v2"
            settings[name] = settings[name].removesuffix("_v2")
    if kind == "GRU":
        settings.setdefault("reset_after", False)  # what it was before there was a choice
    if kind == "ThresholdedReLU":  # gone in Keras 3, where ReLU does the same
        layer["class_name"] = "ReLU"
        layer["config"] = {"threshold": settings.get("theta", 1.0), "name": settings.get("name")}
    return layer


def _function(name: str) -> Config:
    """Return the reference to a function that was given to Keras under a name."""
    return {"class_name": "function", "config": name, "module": "builtins", "registered_name": name}


def _drop_arguments(kind: str, settings: Config, left_out: dict[str, None]) -> None:
    """Drop the arguments that Keras 3 does not know, where their value changes nothing."""
    table = DROPPED[""] | DROPPED.get(kind, {})
    if any(word in kind for word in WITHOUT_GROUPS):
        table["groups"] = (1,)
    for name, neutral in table.items():
        if name in settings and (ANY in neutral or settings[name] in neutral):
            del settings[name]
            if name not in SILENT and not name.startswith("kernel_"):
                left_out[f"{kind} {name}"] = None


def _policy(dtype: Any) -> Any:
    """Return the name of a dtype policy: Keras 2 wrote {"class_name": "Policy", "config": {"name": ...}}."""
    if isinstance(dtype, dict) and str(dtype.get("class_name", "")).endswith(("Policy", "PolicyV1")):
        settings = dtype.get("config")
        return settings.get("name", "float32") if isinstance(settings, dict) else "float32"
    return dtype


def _repair_calls(settings: Config) -> None:
    """Write the calls of a functional model as Keras 3 does, and number those of nested models from 0."""
    layers = settings["layers"]
    calls = {layer.get("name"): len(layer.get("inbound_nodes") or ()) for layer in layers}
    offsets = _count_from(settings, calls)

    def tensor(entry: list[Any]) -> Config:
        """Return a reference to the output of a call."""
        history = [entry[0], entry[1] - offsets.get(entry[0], 0), entry[2]]
        return {"class_name": "__keras_tensor__", "config": {"shape": [], "dtype": "float32", "keras_history": history}}

    def value(item: Any) -> Any:
        """Replace references in the arguments of a call."""
        if _is_reference(item) and item[0] in calls:
            return tensor(item)
        if isinstance(item, list):
            return [value(part) for part in item]
        return {key: value(part) for key, part in item.items()} if isinstance(item, dict) else item

    def call(node: Any) -> Any:
        """Return one call in the form of Keras 3."""
        if not isinstance(node, list) or not node:
            return node
        entries = [node] if isinstance(node[0], str) else node  # operators have one flat entry
        given = [entry[2] if entry[0] == CONSTANT else tensor(entry) for entry in entries]
        options = entries[0][3] if len(entries[0]) > 3 else {}
        return {"args": [given[0] if len(given) == 1 else given], "kwargs": value(options)}

    for layer in layers:
        layer["inbound_nodes"] = [call(node) for node in layer.get("inbound_nodes") or ()]
    # For the ends, Keras 3 itself counts nested functional models from 1.
    sequential = {layer.get("name") for layer in layers if layer.get("class_name") == "Sequential"}
    ends = {name: offset for name, offset in offsets.items() if name in sequential}
    settings["output_layers"] = _shift_ends(settings.get("output_layers"), lambda name, i: i - ends.get(name, 0))


def _count_from(settings: Config, calls: dict[Any, int]) -> dict[str, int]:
    """Return, by nested model, the number of its first call: Keras 2 counted the building of the model as one."""
    nested = {layer.get("name") for layer in settings["layers"] if layer.get("class_name") in MODELS}
    last: dict[str, int] = {}
    stack = [settings.get("output_layers"), *(layer.get("inbound_nodes") for layer in settings["layers"])]
    while stack:
        node = stack.pop()
        if _is_reference(node) and node[0] in nested:
            last[node[0]] = max(last.get(node[0], 0), node[1])
        if isinstance(node, dict | list):
            stack += node.values() if isinstance(node, dict) else node
    return {name: max(0, index - calls[name] + 1) for name, index in last.items() if calls[name]}


def _shift_ends(ends: Any, shift: Any) -> Any:
    """Renumber the calls that give a model's outputs."""
    if _is_reference(ends):
        return [ends[0], shift(ends[0], ends[1]), *ends[2:]]
    if isinstance(ends, dict):
        return {key: _shift_ends(part, shift) for key, part in ends.items()}
    return [_shift_ends(part, shift) for part in ends] if isinstance(ends, list) else ends


def _is_reference(item: Any) -> bool:
    """Tell a reference to a call's output, ["layer", 0, 0], from other lists."""
    return (
        isinstance(item, list) and len(item) >= 3 and isinstance(item[0], str) and type(item[1]) is type(item[2]) is int
    )
