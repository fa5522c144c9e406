"""The layer table: what each layer is, costs and is set to."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from reportgen.analysis.evidence import LayerFacts
from reportgen.worker.macs import Shape, compute_macs
from reportgen.worker.walk import Call, Walk, own_trainable, own_weights

# Settings worth keeping, in the order in which people read them.
_SETTINGS = (
    "units filters kernel_size pool_size strides padding dilation_rate groups depth_multiplier rate use_bias axis "
    "momentum epsilon input_dim output_dim mask_zero num_heads key_dim value_dim return_sequences return_state "
    "go_backwards merge_mode recurrent_dropout dropout data_format target_shape scale offset negative_slope alpha "
    "max_tokens output_mode output_sequence_length interpolation size seed"
)
SETTINGS = tuple(_SETTINGS.split())
CARD = {
    "units": "units",
    "filters": "filters",
    "kernel_size": "kernel",
    "pool_size": "pool",
    "strides": "strides",
    "rate": "rate",
    "num_heads": "heads",
    "key_dim": "key size",
    "output_dim": "size",
    "target_shape": "to",
}
OWN_ACTIVATION = {
    "ReLU": "relu", "LeakyReLU": "leaky_relu", "PReLU": "prelu", "ELU": "elu", "Softmax": "softmax", "Relu": "relu",
    "Sigmoid": "sigmoid", "Tanh": "tanh", "Gelu": "gelu", "Silu": "silu", "Softplus": "softplus", "Relu6": "relu6",
    "Selu": "selu", "LogSoftmax": "log_softmax", "HardSigmoid": "hard_sigmoid", "HardTanh": "hard_tanh",
}  # fmt: skip
ITEM_BYTES = {
    "float64": 8,
    "int64": 8,
    "uint64": 8,
    "float16": 2,
    "bfloat16": 2,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
}


def read_layers(walk: Walk) -> tuple[LayerFacts, ...]:
    """Return one row a layer, in the order of first calls; a shared layer's MACs count all its calls."""
    calls: dict[int, list[Call]] = {}
    for call in walk.every_call():
        calls.setdefault(id(call.layer), []).append(call)
    return tuple(_read_layer(found) for found in calls.values())


def _read_layer(calls: list[Call]) -> LayerFacts:
    """Return the row of one layer."""
    first = calls[0]
    layer, outputs = first.layer, first.shapes()[1]
    return LayerFacts(
        path=first.path,
        name=layer.name,
        type=type(layer).__name__,
        output_shape=shape_text(outputs),
        parameters=_count(own_weights(layer)),
        trainable_parameters=_count(own_trainable(layer)),
        trainable=bool(getattr(layer, "trainable", False)),
        dtype=dtype_of(layer),
        activation=activation_of(layer),
        macs=_sum_macs(calls),
        activation_bytes=_activation_bytes(first),
        config=read_settings(layer),
    )


def shape_text(shapes: list[Shape]) -> str:
    """Return shapes as text: "(None, 8, 8, 16)"; several are joined by commas; "" when unknown."""
    return ", ".join(str(tuple(shape)) for shape in shapes)


def _sum_macs(calls: list[Call]) -> int | None:
    """Add the multiply-accumulates of all calls of a layer; None when one is unknown."""
    parts = [compute_macs(call.layer, *call.shapes()) for call in calls]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _activation_bytes(call: Call) -> int | None:
    """Return the bytes of one call's outputs for one sample; None when a dimension is open."""
    if call.node is not None:
        made = [(tuple(tensor.shape), str(tensor.dtype)) for tensor in call.node.outputs]
    elif call.seen is not None:
        made = list(zip(call.seen.outputs, call.seen.dtypes, strict=True))
    else:
        return None
    total = 0
    for shape, dtype in made:
        sizes = [size for size in shape[1:] if size is not None]
        if len(sizes) < len(shape) - 1:
            return None
        total += math.prod(sizes) * ITEM_BYTES.get(dtype, 4)
    return total


def count_parameters(layer: Any) -> int:
    """Return the number of a layer's weights' values (the seeds of dropout generators are not weights)."""
    return _count(getattr(layer, "weights", ()))


def _count(variables: Iterable[Any]) -> int:
    """Add up the sizes of variables."""
    return sum(math.prod(variable.shape) for variable in variables)


def dtype_of(layer: Any) -> str:
    """Return the dtype that a layer computes in; "" for an operation without one."""
    if hasattr(layer, "compute_dtype"):
        return str(layer.compute_dtype)
    nodes = getattr(layer, "_inbound_nodes", None)
    return str(nodes[0].outputs[0].dtype) if nodes and nodes[0].outputs else ""


def activation_of(layer: Any) -> str:
    """Return the name of a layer's activation, "" when it has none."""
    own = OWN_ACTIVATION.get(type(layer).__name__)
    if own:
        return own
    activation = getattr(layer, "activation", None)
    if activation is None and hasattr(layer, "layer"):  # Bidirectional and TimeDistributed
        activation = getattr(layer.layer, "activation", None)
    if activation is None:
        return ""
    name = getattr(activation, "__name__", None) or getattr(activation, "name", None) or type(activation).__name__
    name = name.removeprefix("keras2_")  # the old hard sigmoid
    return str(name)[:100]


def read_settings(layer: Any) -> dict[str, str]:
    """Return the settings of a layer that checks and readers need, as text."""
    settings: dict[str, str] = {}
    for source in (getattr(layer, "layer", None), layer):
        for name in SETTINGS:
            value = getattr(source, name, None) if source is not None else None
            if isinstance(value, bool | int | float | str | tuple | list):
                settings[name] = str(value)[:200]
    if hasattr(layer, "layer"):
        settings["wraps"] = type(layer.layer).__name__
    return {name: settings[name] for name in (*SETTINGS, "wraps") if name in settings}


def card_details(layer: Any) -> tuple[tuple[str, str], ...]:
    """Return the few settings worth a line in a graph card: sizes as "3x3", strides only where they are not 1."""
    details = []
    for name, label in CARD.items():
        value = getattr(layer, name, None)
        if value is None or isinstance(value, bool) or not isinstance(value, int | float | tuple | list):
            continue
        text = "x".join(str(part) for part in value) if isinstance(value, tuple | list) else f"{value:g}"
        if not (name == "strides" and set(text) <= set("1x")):
            details.append((label, text[:40]))
    return tuple(details)
