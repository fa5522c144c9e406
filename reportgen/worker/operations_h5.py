"""Keras 3 writes operators (`x + 1`, `ops.mean`) into HDF5 files without saying where they lie.

Keras then takes `Add` for the layer of that name, or knows no such class, and cannot read `...` in an index back. Here
they get their place back, and `x[..., 0]` becomes `x[:, :, 0]`.
"""

from __future__ import annotations

import copy
import importlib
from typing import Any

Config = dict[str, Any]
WHOLE: Config = {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}}
PLACES = ("numpy", "nn", "math", "linalg", "image", "core", "operation_utils", "einops")


def place_operations(config: Config) -> Config:
    """Return a copy in which every operation names its module; layers, which have `trainable`, stay as they are."""
    fixed = copy.deepcopy(config)
    stack: list[Any] = [fixed]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += node
        elif isinstance(node, dict):
            stack += node.values()
            if "inbound_nodes" in node and "module" not in node:
                _place(node)
    return fixed


def _place(layer: Config) -> None:
    """Name the module of one entry of a functional model, if it is an operation."""
    name, settings = str(layer.get("class_name")), layer.get("config")
    if name == "InputLayer" or not isinstance(settings, dict) or "trainable" in settings or "layers" in settings:
        return
    for place in PLACES:
        module = f"keras.src.ops.{place}"
        try:
            found = getattr(importlib.import_module(module), name, None)
        except ImportError:
            continue
        if isinstance(found, type):
            layer.update(module=module, registered_name=name)
            break
    if name == "GetItem":
        for node in layer["inbound_nodes"]:
            _write_out_dots(node)


def _write_out_dots(node: Any) -> None:
    """Put whole slices in place of `...` in one call's index, as many as the tensor's rank leaves open."""
    match node:
        case {"args": [{"config": {"shape": list(shape)}}, list(index)]} if any(map(_is_dots, index)):
            at = next(i for i, part in enumerate(index) if _is_dots(part))
            taken = sum(part is not None for part in index) - 1
            node["args"][1] = [*index[:at], *[WHOLE] * (len(shape) - taken), *index[at + 1 :]]
        case {"args": [_, index]} if _is_dots(index):
            node["args"][1] = WHOLE


def _is_dots(part: Any) -> bool:
    """Tell whether a part of an index is `...`."""
    return isinstance(part, dict) and part.get("class_name") == "__ellipsis__"
