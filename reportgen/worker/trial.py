"""One call on empty samples, to see inside somebody's own code: what its layers are given, what they give, and when.

Functional models tell that without a call; a subclassed model, or a layer that holds others, is only known to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from reportgen.worker.batch import Source
from reportgen.worker.feed import make_feed
from reportgen.worker.runner import no_gradients, pad
from reportgen.worker.walk import Call, Seen, Shape, Walk
from reportgen.worker.watch import calls_replaced, to_numpy

SAMPLES = 2  # some code takes a batch of one for no batch at all
OPEN = 37  # stands for a size that differs from sample to sample, and is taken off again
MOST_CALLS = 20_000  # of a loop in own code over a long sequence


@dataclass(slots=True)
class _Noted:
    """The calls in the order in which they ended. Tensors are held, so that no two of them share an id."""

    samples: int = SAMPLES
    inputs: tuple[Shape, ...] = ()
    calls: list[tuple[int, Seen]] = field(default_factory=list)
    makers: dict[int, Any] = field(default_factory=dict)
    held: list[Any] = field(default_factory=list)

    def note(self, layer: Any, given: list[Any], made: list[Any]) -> None:
        """Note one call and its tensors."""
        self.held += [*given, *made]
        source = self.makers.get(id(given[0])) if given else None
        if source is None and type(layer).__name__ == "Embedding" and given:
            # Token numbers are often cast first; then the shape tells.
            source = 0 if self.inputs == (tuple(given[0].shape),) else None
        dtypes = tuple(_dtype_of(tensor) for tensor in made)
        seen = Seen(self.shapes(given), self.shapes(made), dtypes, source)
        self.calls.append((id(layer), seen))
        for tensor in made:
            self.makers.setdefault(id(tensor), layer)

    def shapes(self, tensors: list[Any]) -> tuple[Shape, ...]:
        """Return the shapes of tensors, their batch axis open and all others that are."""
        shapes = [tuple(None if size in (None, OPEN) else int(size) for size in tensor.shape) for tensor in tensors]
        return tuple((None, *shape[1:]) if shape[:1] == (self.samples,) else shape for shape in shapes)


def look_inside(walk: Walk, model: Any, source: Source) -> None:
    """Call the model once on empty samples; put the calls inside own code in their order, with what was seen of them.

    A model that does not take such samples is left as it was found: unordered, its shapes unknown.
    """
    if walk.connected and not walk.inside:
        return
    noted = _Noted()
    try:
        ends = _call_once(model, source, {id(call.layer): call.layer for call in walk.first_calls()}, noted)
    except Exception:  # the author's own code, and no sample of the batch: the pass itself will tell what is wrong
        return
    walk.ends = [_layer_of(noted.makers.get(id(end))) for end in ends]
    walk.output_shapes = list(noted.shapes(ends))
    if walk.connected:
        walk.inside = {key: _in_order(calls, noted) for key, calls in walk.inside.items()}
    else:
        walk.calls = [replace(call, id=f"n{i}") for i, call in enumerate(_in_order(walk.calls, noted))]


def _layer_of(maker: Any) -> Any:
    """Return what made an output if it is a layer: an input that is handed on has only an index."""
    return None if isinstance(maker, int) else maker


def see_calls(walk: Walk, model: Any, source: Source) -> list[tuple[Any, Seen]]:
    """Return every call of a layer in one call of the model on empty samples; nothing where it does not take them."""
    noted = _Noted()
    layers = {id(call.layer): call.layer for call in walk.first_calls()}
    try:
        _call_once(model, source, layers, noted)
    except Exception:  # the author's own code, and no sample of the batch: the pass itself will tell what is wrong
        return []
    return [(layers[key], seen) for key, seen in noted.calls]


def _in_order(calls: list[Call], noted: _Noted) -> list[Call]:
    """Return the calls that were seen, one for each time, in order; then the layers that were not called."""
    known = {id(call.layer): call for call in calls}
    seen = [replace(known[key], seen=seen) for key, seen in noted.calls if key in known]
    called = {id(call.layer) for call in seen}
    return [*seen, *(call for call in calls if id(call.layer) not in called)]


def _call_once(model: Any, source: Source, layers: dict[int, Any], noted: _Noted) -> list[Any]:
    """Call the model on zeros, noting the calls of `layers`; return its outputs in order."""
    nothing = make_nothing(model, source)
    noted.samples, tensors = nothing.samples, nothing.tensors
    noted.held += tensors
    noted.inputs = tuple(tuple(tensor.shape) for tensor in tensors)
    noted.makers.update((id(tensor), index) for index, tensor in enumerate(tensors))
    noting = [(layer, partial(_with_note, layer, noted=noted)) for layer in layers.values()]
    with states_kept(model), calls_replaced(noting), no_gradients():
        return tensors_in(model(nothing.packed, training=False))


@dataclass(frozen=True, slots=True)
class Nothing:
    """Empty samples as a model takes them: one tensor an input, their names, and all of them packed for the call."""

    samples: int
    names: tuple[str, ...]
    tensors: list[Any]
    packed: Any


def make_nothing(model: Any, source: Source) -> Nothing:
    """Return empty samples in the shapes and dtypes of the batch."""
    import keras

    feed = make_feed(model, list(source.shapes), source.shapes, source.dtypes)
    empty = {key: _empty(source.shapes[key], source.dtypes[key]) for key in source.shapes}
    samples = feed.fixed_batch or SAMPLES
    flat = [pad(array[:samples], samples) for array in feed.convert(empty)]
    tensors = [keras.ops.convert_to_tensor(array) for array in flat]
    return Nothing(samples, tuple(slot.name for slot in feed.slots), tensors, feed.pack(tensors))


def _empty(shape: tuple[int, ...], dtype: str) -> Any:
    """Return samples of nothing, in the shape and dtype of the batch."""
    if dtype.startswith(("str", "bytes")):
        return np.full((SAMPLES, *shape), "")
    return np.zeros((SAMPLES, *(size or OPEN for size in shape)), dtype)


@contextmanager
def states_kept(model: Any) -> Iterator[None]:
    """Put the states of recurrent layers that carry them from batch to batch back afterwards."""
    stateful = [layer for layer in model._flatten_layers() if getattr(layer, "stateful", False)]
    states = [state for layer in stateful for state in tensors_in(list(getattr(layer, "states", None) or ()))]
    before = [np.array(to_numpy(state.value), copy=True) for state in states]
    try:
        yield
    finally:
        for state, values in zip(states, before, strict=True):
            state.assign(values)


def _with_note(layer: Any, call: Callable[..., Any], noted: _Noted) -> Callable[..., Any]:
    """Return `call`, noting what goes in and what comes out."""

    def called(*args: Any, **kwargs: Any) -> Any:
        """Call the layer."""
        output = call(*args, **kwargs)
        if len(noted.calls) < MOST_CALLS:
            given = [*args, *(value for name, value in kwargs.items() if "mask" not in name and name != "training")]
            noted.note(layer, tensors_in(given), tensors_in(output))
        return output

    return called


def tensors_in(value: Any) -> list[Any]:
    """Return the tensors of a nested structure in order."""
    if isinstance(value, dict):
        return [tensor for part in value.values() for tensor in tensors_in(part)]
    if isinstance(value, list | tuple):
        return [tensor for part in value for tensor in tensors_in(part)]
    return [value] if hasattr(value, "shape") and hasattr(value, "dtype") else []


def _dtype_of(tensor: Any) -> str:
    """Return a tensor's dtype as Keras names it."""
    import keras

    return str(keras.backend.standardize_dtype(tensor.dtype))
