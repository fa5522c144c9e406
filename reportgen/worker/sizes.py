"""What layers of open shape cost on this batch: seen in one call on empty samples of the batch's size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from reportgen.analysis.evidence import LayerFacts
from reportgen.worker.batch import Source
from reportgen.worker.layer_facts import ITEM_BYTES
from reportgen.worker.macs import compute_macs
from reportgen.worker.trial import see_calls
from reportgen.worker.walk import Seen, Walk


def fill_sizes(layers: Sequence[LayerFacts], walk: Walk, model: Any, source: Source) -> tuple[LayerFacts, ...]:
    """Return the layers with the multiply-accumulates and bytes of a sample of this batch, where shapes are open.

    These are for budgets: what a reader is shown holds for every batch. Where the call fails they stay as they are.
    """
    if all(layer.activation_bytes is not None for layer in layers):
        return tuple(layers)
    found: dict[str, list[tuple[Any, Seen]]] = {}
    for layer, seen in see_calls(walk, model, source):
        found.setdefault(walk.layers.get(id(layer), ""), []).append((layer, seen))
    return tuple(_filled(facts, found.get(facts.path, [])) for facts in layers)


def _filled(facts: LayerFacts, calls: Sequence[tuple[Any, Seen]]) -> LayerFacts:
    """Return one layer's row with what its calls showed."""
    if facts.activation_bytes is not None or not calls:
        return facts
    macs = [compute_macs(layer, list(seen.inputs), list(seen.outputs)) for layer, seen in calls]
    known = [each for each in macs if each is not None]
    first = calls[0][1]
    sizes = [_bytes(shape, dtype) for shape, dtype in zip(first.outputs, first.dtypes, strict=True)]
    return replace(facts, macs=sum(known) if known else facts.macs, activation_bytes=sum(sizes))


def _bytes(shape: tuple[int | None, ...], dtype: str) -> int:
    """Return the bytes of one sample of a tensor; a size that the batch leaves open counts as one."""
    return math.prod(size or 1 for size in shape[1:]) * ITEM_BYTES.get(dtype, 4)
