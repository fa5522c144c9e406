"""Keras 3 writes operators (`x + 1`, `ops.mean`) into HDF5 files without saying where they lie; Keras then takes `Add` for
the layer of that name, or knows no such class. Here they get their place back.
"""

from __future__ import annotations

import copy
import importlib
from typing import Any

Config = dict[str, Any]
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
            return
