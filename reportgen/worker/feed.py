"""Between the batch's arrays and the model's inputs: matching by name, shapes, dtypes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import Problem
from reportgen.worker.architecture import functional_core
from reportgen.worker.prepare import Preparation

Array = NDArray[Any]
Shape = tuple[int | None, ...]


class CannotFeed(Exception):
    """The batch does not fit the model; `problem` says why."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.problem = Problem("predict", message, fix)


@dataclass(frozen=True, slots=True)
class Slot:
    """One flat input of the model: its name, the batch's key, and what the model declares ("" and None: nothing)."""

    name: str
    key: str
    shape: Shape | None
    dtype: str


@dataclass(frozen=True, slots=True)
class Feed:
    """How a chunk becomes the model's inputs. `structure` is "one", "list" or "dict"."""

    slots: tuple[Slot, ...]
    structure: str
    fixed_batch: int | None
    notes: tuple[str, ...] = ()
    prepare: Mapping[str, Preparation] = field(default_factory=dict)

    def convert(self, inputs: Mapping[str, Array]) -> list[Array]:
        """Return a chunk's arrays in the order, shape and dtype of the model's inputs."""
        return [_convert(self._prepared(slot.key, inputs[slot.key]), slot) for slot in self.slots]

    def _prepared(self, key: str, values: Array) -> Array:
        """Return one array as the configuration wants it prepared."""
        return self.prepare[key].apply(values) if key in self.prepare else values

    def pack(self, flat: Sequence[Any]) -> Any:
        """Return flat tensors in the structure that the model is called with."""
        if self.structure == "dict":
            return {slot.name: value for slot, value in zip(self.slots, flat, strict=True)}
        return list(flat) if self.structure == "list" else flat[0]


def make_feed(
    model: Any, keys: Sequence[str], shapes: Mapping[str, tuple[int, ...]], dtypes: Mapping[str, str]
) -> Feed:
    """Match the batch's arrays with the model's inputs.

    Raises CannotFeed with the expected and the actual names or shapes.
    """
    core = functional_core(model)
    if core is None:
        slots = tuple(Slot(key, key, None, "") for key in keys)
        return Feed(slots, "one" if len(keys) == 1 else "dict", None)
    struct = core._inputs_struct
    names = list(struct) if isinstance(struct, dict) else [tensor.name for tensor in core.inputs]
    tensors = list(struct.values()) if isinstance(struct, dict) else list(core.inputs)
    chosen = _match(names, keys)
    slots = tuple(
        Slot(name, key, tuple(tensor.shape), str(tensor.dtype))
        for name, key, tensor in zip(names, chosen, tensors, strict=True)
    )
    notes = tuple(note for slot in slots for note in _check(slot, shapes[slot.key], dtypes[slot.key]))
    listed = isinstance(struct, list | tuple) and core is model
    structure = "dict" if isinstance(struct, dict) else "list" if listed else "one"
    fixed = next((slot.shape[0] for slot in slots if slot.shape and slot.shape[0] is not None), None)
    return Feed(slots, structure, fixed, notes)


def _match(names: list[str], keys: Sequence[str]) -> list[str]:
    """Return the batch's key for each model input."""
    if len(names) == 1 and len(keys) == 1:
        return list(keys)
    if set(names) <= set(keys):
        return names
    missing = [name for name in names if name not in keys]
    given = ", ".join(key or "(one array without a name)" for key in keys)
    raise CannotFeed(
        f"The model has the inputs {', '.join(names)}; the batch gives {given}.",
        f"Name an array for each input under batch.x: {{{', '.join(f'{name}: ARRAY' for name in missing)}}}.",
    )


def _check(slot: Slot, given: tuple[int, ...], dtype: str) -> list[str]:
    """Check one input's shape and kind; return notes about what is adapted."""
    text = dtype.startswith(("str", "bytes"))
    if (slot.dtype == "string") != text:
        wants, has = ("text", dtype) if slot.dtype == "string" else (slot.dtype, "text")
        raise CannotFeed(
            f"The input {slot.name} takes {wants}; the batch holds {has}.", "Check batch.x in the configuration."
        )
    wanted = (slot.shape or (None,))[1:]
    if fits(wanted, given):
        return []
    if fits(wanted, (*given, 1)):
        return [f"The input {slot.name} was given a last axis of length 1, as Keras does."]
    if given[-1:] == (1,) and fits(wanted, given[:-1]):
        return [f"The input {slot.name} lost its last axis of length 1, as Keras does."]
    raise CannotFeed(
        f"The input {slot.name} takes samples of shape {_text(wanted)}; the batch has {_text(given)}.",
        _advice(wanted, given),
    )


def _advice(wanted: Shape, given: tuple[int, ...]) -> str:
    """Say what to do about a wrong shape."""
    if len(given) >= 2 and fits(wanted, (*given[1:], given[0])):
        return "The batch has its channels first: save it with numpy.moveaxis(x, 1, -1)."
    if len(given) >= 2 and fits(wanted, (given[-1], *given[:-1])):
        return "The model wants channels first: save the batch with numpy.moveaxis(x, -1, 1)."
    return "Save the batch as the model takes it: same size, same number of channels."


def fits(wanted: Shape, given: tuple[int, ...]) -> bool:
    """Tell whether a sample of shape `given` fits a declared shape with open dimensions."""
    return len(wanted) == len(given) and all(w is None or w == g for w, g in zip(wanted, given, strict=True))


def _text(shape: Shape) -> str:
    """Return a sample's shape as people write it."""
    return "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"


def _convert(array: Array, slot: Slot) -> Array:
    """Return one array with the rank and dtype that the model declares."""
    if slot.shape is not None:
        wanted = slot.shape[1:]
        if not fits(wanted, array.shape[1:]):
            array = array[..., None] if len(wanted) == array.ndim else array.reshape(array.shape[:-1])
    if array.dtype.kind in "US":
        return array
    if not slot.dtype:
        return array.astype(np.float32) if array.dtype.kind == "f" else array
    target = "float32" if slot.dtype == "bfloat16" else slot.dtype
    # NaN and values out of range in an integer cast are the model's problem to show, not a warning's.
    with np.errstate(invalid="ignore", over="ignore"):
        return array.astype(target, copy=False)
