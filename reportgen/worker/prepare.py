"""What the configuration asks to be done to an input between reading it and predicting; kept samples stay as stored."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import InputRefused
from reportgen.worker.batch.pictures import has_channels_first
from reportgen.worker.plan import PREPROCESSES, BatchSpec, NormalizeSpec

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Preparation:
    """One input's preparation and the words that state it."""

    apply: Callable[[Array], Array]
    words: str


def make_preparations(
    batch: BatchSpec | None, shapes: Mapping[str, tuple[int, ...]], dtypes: Mapping[str, str]
) -> dict[str, Preparation]:
    """Return what is done to each input of the batch, by its key; raises InputRefused where it cannot be done."""
    asked = batch.normalize if batch is not None else {}
    found = {}
    for key, shape in shapes.items():
        spec = asked.get(key) or asked.get("")
        if spec is None:
            continue
        name = f"batch.normalize{'.' + key if key else ''}"
        if dtypes[key].startswith(("str", "bytes")):
            raise InputRefused(f"{name}: the input holds text, which has no scale; remove it")
        first = len(shape) == 3 and has_channels_first(shape)
        channels = shape[0 if first else -1] if shape else 1
        for part, values in (("mean", spec.mean), ("std", spec.std)):
            if len(values) not in (0, 1, channels):
                text = (
                    f"{len(values)} values are given and the input's {'first' if first else 'last'} axis has {channels}"
                )
                raise InputRefused(f"{name}.{part}: {text}; give one, or one for each")
        found[key] = _prepare(spec, first)
    return found


def _prepare(spec: NormalizeSpec, channels_first: bool) -> Preparation:
    """Return one preparation."""
    if spec.preprocess:
        if spec.preprocess not in PREPROCESSES:
            raise InputRefused(f"batch.normalize: `{spec.preprocess}` is no module of keras.applications")
        module = importlib.import_module(f"keras.applications.{spec.preprocess}")
        order = "channels_first" if channels_first else None
        # A copy: preprocess_input works in place.
        return Preparation(
            lambda values: np.asarray(module.preprocess_input(values.astype(np.float32), data_format=order)),
            f"prepared by keras.applications.{spec.preprocess}.preprocess_input",
        )
    return Preparation(lambda values: _scale(values, spec, (-1, 1, 1) if channels_first else (-1,)), _words(spec))


def _scale(values: Array, spec: NormalizeSpec, place: tuple[int, ...]) -> Array:
    """Return values * scale, minus mean, divided by std, as float32; `place` is the shape of numbers by channel."""
    done = values.astype(np.float32) * np.float32(spec.scale)
    if spec.mean:
        done = done - np.asarray(spec.mean, np.float32).reshape(place)
    return done / np.asarray(spec.std, np.float32).reshape(place) if spec.std else done


def _words(spec: NormalizeSpec) -> str:
    """State a preparation, in the order in which it is done."""
    steps = []
    if spec.scale != 1:
        inverse = 1 / spec.scale if spec.scale else 0.0
        whole = abs(inverse) > 1 and abs(inverse - round(inverse)) < 1e-6 * abs(inverse)
        steps.append(f"divided by {round(inverse)}" if whole else f"multiplied by {spec.scale:.6g}")
    if spec.mean:
        steps.append(f"minus {_listed(spec.mean)}")
    if spec.std:
        steps.append(f"divided by {_listed(spec.std)}")
    return ", then ".join(steps)


def _listed(values: tuple[float, ...]) -> str:
    """Write one number or one a channel."""
    if len(values) == 1:
        return f"{values[0]:.6g}"
    more = ", ..." if len(values) > 4 else ""
    return f"({', '.join(f'{value:.4g}' for value in values[:4])}{more}) by channel"
