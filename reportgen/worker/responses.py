"""How a few layers answer all kept samples: hidden units, and each channel's strongest answer in a convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import KeptSamples, LayerFacts, LayerResponses, Reduced
from reportgen.worker.convolutions import last_convolution
from reportgen.worker.feed import Feed
from reportgen.worker.runner import no_gradients
from reportgen.worker.walk import Call, Walk
from reportgen.worker.watch import watching

Array = NDArray[Any]
MOST_UNITS = 256
# One forward pass over the kept samples: about a second on two cores.
MOST_MACS = 60 * 10**9
STEP_BYTES = 512 * 2**20
UNITS = frozenset({"Dense", "Activation", "ReLU", "LSTM", "GRU", "SimpleRNN", "Bidirectional"})


def collect_responses(
    model: Any, walk: Walk, layers: Sequence[LayerFacts], feed: Feed, kept: KeptSamples, sample_bytes: int
) -> tuple[tuple[LayerResponses, ...], tuple[Reduced, ...]]:
    """Run the kept samples once, eagerly; nothing where no layer fits or where it would cost much."""
    import keras

    chosen = [call for call in (last_convolution(walk), last_hidden(walk)) if call is not None]
    n = len(kept.positions)
    if not chosen or not n or feed.fixed_batch not in (None, 1):
        return (), ()
    if n * sum(layer.macs or 0 for layer in layers) > MOST_MACS:
        return (), (
            Reduced("answers of layers by class", "none", f"{n} kept samples", "they cost much for this model"),
        )
    flat = feed.convert({slot.key: kept.inputs[slot.name] for slot in feed.slots})
    found: dict[int, list[Array]] = {id(call.layer): [] for call in chosen}
    first = {id(call.layer): getattr(call.layer, "data_format", None) == "channels_first" for call in chosen}

    def look(key: int, number: int, output: Array) -> None:
        """Keep each unit's largest answer over the positions of the first call."""
        if number == 0:
            values = np.moveaxis(output, 1, -1) if first[key] and output.ndim > 2 else output
            flat_values = values.reshape(len(values), -1, values.shape[-1])[..., :MOST_UNITS]
            found[key].append(np.array(flat_values.max(axis=1), np.float32))

    step = 1 if feed.fixed_batch else max(1, STEP_BYTES // max(1, sample_bytes))
    for start in range(0, n, step):
        tensors = [keras.ops.convert_to_tensor(array[start : start + step]) for array in flat]
        with watching({id(call.layer): call.layer for call in chosen}, look), no_gradients():
            model(feed.pack(tensors), training=False)
    positions = tuple(int(position) for position in kept.positions)
    return tuple(_answers(call, positions, found[id(call.layer)]) for call in chosen if found[id(call.layer)]), ()


def _answers(call: Call, positions: tuple[int, ...], parts: list[Array]) -> LayerResponses:
    """Return one layer's answers."""
    shape = call.output_shape()
    axis = 1 if getattr(call.layer, "data_format", None) == "channels_first" and len(shape) > 2 else -1
    kind = "channels" if len(shape) > 2 else "units"
    values = np.concatenate(parts)
    units = shape[axis] or values.shape[1]
    return LayerResponses(call.path, type(call.layer).__name__, kind, positions, values, int(units))


def last_hidden(walk: Walk) -> Call | None:
    """Return the last layer whose output is one row of units and no output of the model, None without one."""
    ends = walk.end_layers()
    for call in reversed(walk.first_calls()):
        shape = call.output_shape()
        flat = len(shape) == 2 and (shape[-1] or 0) >= 4
        if flat and id(call.layer) not in ends and type(call.layer).__name__ in UNITS:
            return call
    return None
