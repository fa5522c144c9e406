"""How many layers and bytes of weights a model's config declares, from its text alone: a lower bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BYTES = 4
DEPTH_LIMIT = 100
_GATES = {"LSTM": 4, "LSTMCell": 4, "GRU": 3, "GRUCell": 3, "SimpleRNN": 1, "SimpleRNNCell": 1}
_GATES |= {"CuDNNLSTM": 4, "CuDNNGRU": 3}


def compute_parameter_bytes(config: dict[str, Any]) -> tuple[int, str]:
    """Return the declared bytes of weights (4 a parameter) and the name of the layer that declares most.

    Counts the layers that hold nearly all weights (dense, embedding, convolution, recurrent, attention). Where the
    input is not recorded, one channel is assumed. A layer that stands twice (shared) counts twice.
    """
    total, most, name = 0, 0, ""
    for layer in _layers(config):
        settings = layer.get("config")
        if not isinstance(settings, dict):
            continue
        count = _parameters(str(layer.get("class_name")), settings, _channels(layer, settings))
        total += count * BYTES
        if count > most:
            most, name = count, str(settings.get("name", ""))
    return total, name


def count_layers(config: dict[str, Any]) -> int:
    """Return how many layers the models of a config list, nested ones too."""
    total = 0
    for layer in _layers(config):
        settings = layer.get("config")
        listed = settings.get("layers") if isinstance(settings, dict) else settings
        total += len(listed) if isinstance(listed, list) else 0
    return total


def _layers(config: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping that describes an object, nested ones too."""
    stack: list[tuple[Any, int]] = [(config, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > DEPTH_LIMIT:
            continue
        if isinstance(node, dict):
            if "class_name" in node:
                yield node
            node = list(node.values())
        stack += [(item, depth + 1) for item in node if isinstance(item, (dict, list))]


def _whole(value: Any) -> int:
    """Return a size from a config: a whole number above zero, else 1."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1


def _product(value: Any) -> int:
    """Return the product of a list of sizes, or one size."""
    if not isinstance(value, list):
        return _whole(value)
    result = 1
    for item in value[:8]:
        result *= _whole(item)
    return result


def _channels(layer: dict[str, Any], settings: dict[str, Any]) -> int:
    """Return the length of the input's channel axis where the config records the input's shape, else 1."""
    build = layer.get("build_config")
    shape = build.get("input_shape") if isinstance(build, dict) else None
    shape = shape or settings.get("batch_input_shape")
    if not isinstance(shape, list) or len(shape) < 2:
        return 1
    first = settings.get("data_format") == "channels_first"
    return _whole(shape[1] if first else shape[-1])


def _parameters(kind: str, settings: dict[str, Any], channels: int) -> int:
    """Return how many parameters one layer declares (0 for kinds that are not counted)."""
    units = _whole(settings.get("units"))
    if kind == "Dense":
        return units * (channels + 1)
    if kind in ("Embedding", "ReversibleEmbedding"):
        return _whole(settings.get("input_dim")) * _whole(settings.get("output_dim"))
    if kind in _GATES:
        return _GATES[kind] * units * (channels + units + 1)
    if kind.startswith(("Conv", "Convolution", "SeparableConv")):
        groups = _whole(settings.get("groups"))
        return _whole(settings.get("filters")) * _product(settings.get("kernel_size")) * max(1, channels // groups)
    if kind.startswith("DepthwiseConv"):
        return _whole(settings.get("depth_multiplier")) * _product(settings.get("kernel_size")) * channels
    if kind in ("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention"):
        heads = _whole(settings.get("num_heads") or settings.get("num_query_heads"))
        return heads * _whole(settings.get("key_dim") or settings.get("head_dim")) * max(channels, 1)
    if kind == "EinsumDense":
        return _product(settings.get("output_shape"))
    return 0
