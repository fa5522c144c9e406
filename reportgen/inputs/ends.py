"""The two ends of a model, read from its config: what goes in, and how wide what comes out is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_SAME_WIDTH = (
    "Activation",
    "Softmax",
    "ReLU",
    "LeakyReLU",
    "ELU",
    "Dropout",
    "BatchNormalization",
    "Rescaling",
    "Identity",
)
_WRAPPERS = ("TimeDistributed",)


@dataclass(frozen=True, slots=True)
class Ends:
    """Number types by model input ("string" for text), length of the last axis by model output (None: unknown).

    `keys` are the names of a model whose inputs or outputs are a mapping: they too name an end.
    """

    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, int | None] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


def describe_ends(config: dict[str, Any]) -> Ends:
    """Return the ends of a Sequential or functional model; empty for others and for configs that say too little."""
    inner = config.get("config")
    layers = inner.get("layers") if isinstance(inner, dict) else inner
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers) or not layers:
        return Ends()
    inputs = {
        _name(layer): str(_settings(layer).get("dtype")) for layer in layers if layer.get("class_name") == "InputLayer"
    }
    if not isinstance(inner, dict) or "output_layers" not in inner:
        return Ends(inputs, {_name(layers[-1]): _sequential_width(layers)})
    by_name = {_name(layer): layer for layer in layers}
    names = _ends_of(inner["output_layers"])
    mappings = [ends for ends in (inner.get("input_layers"), inner["output_layers"]) if isinstance(ends, dict)]
    keys = tuple(str(key) for ends in mappings for key in ends)
    return Ends(inputs, {name: _width(by_name[name]) for name in names if name in by_name}, keys)


def _settings(layer: dict[str, Any]) -> dict[str, Any]:
    """Return a layer's own settings."""
    inner = layer.get("config")
    return inner if isinstance(inner, dict) else {}


def _name(layer: dict[str, Any]) -> str:
    """Return a layer's name."""
    return str(_settings(layer).get("name") or layer.get("name") or "")


def _ends_of(value: Any) -> list[str]:
    """Return the layer names in `output_layers`, be it one [name, node, tensor], a list or a mapping of them."""
    if isinstance(value, dict):
        return [name for item in value.values() for name in _ends_of(item)]
    if not isinstance(value, list):
        return []
    if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return [value[0]]
    return [name for item in value for name in _ends_of(item)]


def _sequential_width(layers: list[dict[str, Any]]) -> int | None:
    """Return the last axis of a Sequential model's output: that of the last layer that sets it."""
    for layer in reversed(layers):
        if layer.get("class_name") not in _SAME_WIDTH:
            return _width(layer)
    return None


def _width(layer: dict[str, Any]) -> int | None:
    """Return the last axis of one layer's output, where its settings (or its recorded input) say it."""
    kind, settings = str(layer.get("class_name")), _settings(layer)
    if kind in _WRAPPERS and isinstance(settings.get("layer"), dict):
        return _width(settings["layer"])
    if kind in _SAME_WIDTH:
        build = layer.get("build_config")
        shape = build.get("input_shape") if isinstance(build, dict) else None
        shape = shape or _recorded_input(layer)
        return _size(shape[-1]) if isinstance(shape, list) and shape else None
    if kind == "Dense":
        return _size(settings.get("units"))
    if kind in ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose") and settings.get("data_format") != "channels_first":
        return _size(settings.get("filters"))
    return None


def _recorded_input(layer: dict[str, Any]) -> Any:
    """Return the shape of the tensor that a functional layer is called on, as its node records it."""
    try:
        return layer["inbound_nodes"][0]["args"][0]["config"]["shape"]
    except (KeyError, IndexError, TypeError):
        return None


def _size(value: Any) -> int | None:
    """Return a positive whole number, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
