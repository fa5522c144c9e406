"""What layers cost on this batch, for budgets: open shapes are seen in one call on empty samples, steps cost extra."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from reportgen.analysis.evidence import LayerFacts
from reportgen.worker.batch import Source
from reportgen.worker.layer_facts import ITEM_BYTES
from reportgen.worker.loops import STEP_MACS, longest_of, steps_of
from reportgen.worker.macs import compute_macs
from reportgen.worker.trial import see_calls
from reportgen.worker.walk import Seen, Walk


def fill_sizes(layers: Sequence[LayerFacts], walk: Walk, model: Any, source: Source) -> tuple[LayerFacts, ...]:
    """Return the layers with the multiply-accumulates and bytes of a sample of this batch, where shapes are open.

    These are for budgets: what a reader is shown holds for every batch. A recurrent layer's steps count beside their
    multiplications. Where the call fails, sizes stay open.
    """
    longest = longest_of(source.shapes.values())
    steps: dict[str, int] = {}
    for call in walk.every_call():
        steps[call.path] = steps.get(call.path, 0) + steps_of(call, longest)
    found: dict[str, list[tuple[Any, Seen]]] = {}
    if any(layer.activation_bytes is None for layer in layers):
        for layer, seen in see_calls(walk, model, source):
            found.setdefault(walk.layers.get(id(layer), ""), []).append((layer, seen))
    sized = [_filled(facts, found.get(facts.path, [])) for facts in layers]
    return tuple(_with_steps(facts, steps.get(facts.path, 0)) for facts in sized)


def _with_steps(facts: LayerFacts, steps: int) -> LayerFacts:
    """Return a layer's row with what its steps cost."""
    return replace(facts, macs=(facts.macs or 0) + STEP_MACS * steps) if steps else facts


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
