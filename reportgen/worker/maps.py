"""Activation maps of a few layers on the shown samples: which layers, which samples, and how much of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import KeptSamples, LayerMaps, Reduced
from reportgen.worker.attention import attention_scores
from reportgen.worker.feed import Feed
from reportgen.worker.plan import Plan
from reportgen.worker.runner import pad
from reportgen.worker.walk import Call, Walk, holds_layers
from reportgen.worker.watch import watching

Array = NDArray[Any]
MAX_CHANNELS = 64
MAX_SIDE = 128
MAX_UNITS = 1024
SCORES = "scores"
# Worth seeing: what convolutions, pooling, merges and activations give; the rest only passes values on.
WORTH = (
    "Conv",
    "Separable",
    "Depthwise",
    "Pooling",
    "Activation",
    "ReLU",
    "ELU",
    "Add",
    "Concatenate",
    "LSTM",
    "GRU",
    "RNN",
    "Bidirectional",
    "Attention",
    "Embedding",
)
NEVER = ("Global", "ZeroPadding", "Cropping")


def choose_samples(kept: KeptSamples, count: int) -> Array:
    """Return rows of the keep-set to show: seeded and worst ones in turn, each kind in the order of the batch."""
    seeded = [i for i, reason in enumerate(kept.reasons) if "seeded" in reason]
    worst = [i for i, reason in enumerate(kept.reasons) if reason == "worst"]
    mixed: list[int] = []
    while (seeded or worst) and len(mixed) < count:
        mixed += [pile.pop(0) for pile in (seeded, worst) if pile]
    return np.sort(np.asarray(mixed[:count], dtype=np.int64))


def choose_layers(walk: Walk, plan: Plan) -> tuple[list[Call], list[str]]:
    """Return the layers to show in call order, and the names asked for that do not exist.

    The rule: layers whose output has positions and channels (or a dense layer with an activation, if there are no
    such), one a resolution and kind first, spread evenly over the depth, up to `map_layers`; named layers always.
    """
    calls = walk.first_calls()
    named = [call for call in calls if call.path in plan.layers_named or call.layer.name in plan.layers_named]
    known = {call.path for call in named} | {call.layer.name for call in named}
    missing = [name for name in plan.layers_named if name not in known]
    worth = [call for call in calls if _worth(call)] or [call for call in calls if type(call.layer).__name__ == "Dense"]
    room = max(0, plan.map_layers - len(named))
    picked = _spread([call for call in worth if call not in named], room)
    order = {id(call.layer): index for index, call in enumerate(calls)}
    return sorted([*named, *picked], key=lambda call: order[id(call.layer)]), missing


def _worth(call: Call) -> bool:
    """Tell whether a layer's output is a picture, a signal or states over time; own code around layers is a block."""
    kind = type(call.layer).__name__
    if any(word in kind for word in NEVER) or not (any(word in kind for word in WORTH) or holds_layers(call.layer)):
        return False
    shape = call.output_shape()
    return len(shape) >= 3 and all(size is None or size > 1 for size in shape[1:-1])


def _spread(calls: Sequence[Call], room: int) -> list[Call]:
    """Return at most `room` calls, evenly over the depth, the first and the last among them."""
    if len(calls) <= room:
        return list(calls)
    if room <= 0:
        return []
    places = np.unique(np.linspace(0, len(calls) - 1, room).round().astype(int))
    return [calls[place] for place in places]


def collect_maps(
    model: Any, feed: Feed, layers: Mapping[int, Call], kept: KeptSamples, rows: Array
) -> tuple[tuple[LayerMaps, ...], tuple[Reduced, ...]]:
    """Run the shown samples through the model once, eagerly; return the chosen layers' maps and what was left out."""
    import keras

    names = {slot.key: slot.name for slot in feed.slots}
    chunk = {key: kept.inputs[name][rows] for key, name in names.items()}
    flat = feed.convert(chunk)
    count = len(rows)
    if feed.fixed_batch is not None and count < feed.fixed_batch:
        flat = [pad(array, feed.fixed_batch) for array in flat]
    found: dict[int, Array] = {}
    watched = {key: call.layer for key, call in layers.items()}

    def look(key: int, number: int, output: Array) -> None:
        """Keep the first call's output; a copy, because the backend may reuse its memory."""
        if number == 0:
            found[key] = np.array(output[:count])

    scores: dict[int, Array] = {}

    def look_at_scores(key: int, given: Array) -> None:
        """Keep the first call's scores."""
        scores.setdefault(key, given[:count])

    with watching(watched, look), attention_scores(watched, look_at_scores):
        model(feed.pack([keras.ops.convert_to_tensor(array) for array in flat]), training=False)
    positions = tuple(int(kept.positions[row]) for row in rows)
    maps = tuple(_shape_maps(call, found[key], positions) for key, call in layers.items() if key in found)
    attention = tuple(_shape_scores(call, scores[key], positions) for key, call in layers.items() if key in scores)
    return (*maps, *attention), _ledger(maps, {call.path: found[key] for key, call in layers.items() if key in found})


def _shape_maps(call: Call, values: Array, positions: tuple[int, ...]) -> LayerMaps:
    """Return one layer's maps, channels last, at most 64 channels and 128 positions a side."""
    if getattr(call.layer, "data_format", None) == "channels_first" and values.ndim > 2:
        values = np.moveaxis(values, 1, -1)
    channels = int(values.shape[-1])
    values = values[..., : MAX_CHANNELS if values.ndim > 2 else MAX_UNITS]
    steps = (slice(None, None, max(1, -(-size // MAX_SIDE))) for size in values.shape[1:-1])
    values = values[(slice(None), *steps)]
    return LayerMaps(
        call.path, type(call.layer).__name__, positions, np.ascontiguousarray(values, dtype=np.float32), channels
    )


def _shape_scores(call: Call, values: Array, positions: tuple[int, ...]) -> LayerMaps:
    """Return attention scores as maps: targets down, sources across, one channel a head."""
    values = np.moveaxis(values, 1, -1)[..., :MAX_CHANNELS] if values.ndim == 4 else values[..., None]
    steps = (slice(None, None, max(1, -(-size // MAX_SIDE))) for size in values.shape[1:-1])
    kept = np.ascontiguousarray(values[(slice(None), *steps)], dtype=np.float32)
    return LayerMaps(call.path, f"{type(call.layer).__name__} {SCORES}", positions, kept, int(values.shape[-1]))


def _ledger(maps: Sequence[LayerMaps], found: Mapping[str, Array]) -> tuple[Reduced, ...]:
    """Say of how many layers only some channels or positions are kept."""
    fewer = [one for one in maps if one.values.shape[-1] < one.channels]
    smaller = [one for one in maps if one.values[..., 0].size < found[one.layer].size // one.channels]
    rows = []
    if fewer:
        most = max(one.channels for one in fewer)
        what = f"channels in the maps of {len(fewer)} layer{'s' if len(fewer) > 1 else ''}"
        kept = f"the first {max(one.values.shape[-1] for one in fewer)}"
        rows.append(Reduced(what, kept, f"up to {most:,}", "more could not be looked at one by one"))
    if smaller:
        what = f"size of the maps of {len(smaller)} layer{'s' if len(smaller) > 1 else ''}"
        largest = max(size for one in smaller for size in found[one.layer].shape[1:])
        kept = f"at most {MAX_SIDE} positions a side, evenly spaced"
        rows.append(Reduced(what, kept, f"up to {largest:,}", "more could not be told apart at the size of a map"))
    return tuple(rows)
