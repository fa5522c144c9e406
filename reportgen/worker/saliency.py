"""Saliency of the shown samples: which inputs can be explained, how many samples, and how good each map is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.deletion import (
    Deletion,
    judge_deletions,
    part_grid,
    plan_deletions,
    resize,
    salience_of_parts,
)
from reportgen.analysis.evidence import KeptSamples, LayerFacts, OutputEvidence, Reduced, Saliency
from reportgen.analysis.images import channels_first, kind_of
from reportgen.worker.architecture import output_names
from reportgen.worker.attribution import (
    Asked,
    NoGradients,
    compute_grad_cam,
    integrate_embedding,
    integrate_input,
)
from reportgen.worker.budget import extra_macs
from reportgen.worker.convolutions import last_convolution
from reportgen.worker.feed import Feed
from reportgen.worker.loops import count_loop_bytes, longest_of
from reportgen.worker.plan import AUTO
from reportgen.worker.score import CLASSES, DENSE, NUMBERS, Scored
from reportgen.worker.text_places import Words, find_words
from reportgen.worker.walk import Call, Walk

Array = NDArray[Any]
STEPS = 32
USUAL = 4
MOST_OUTPUTS = 2
MOST_SIDE, MOST_SIDE_OF_VOLUME = 128, 32  # positions a side of a map that comes back
STEP_BYTES = 512 * 2**20
MOST_ROWS = 1024
FORWARD_ONLY = 4
RANKS = {"picture": 2, "signal": 1, "text": 1, "volume": 3}  # axes of positions
PARTS = {"picture": 64, "text": 64, "volume": 64, "signal": 32}
CAM, IG = "grad-cam", "integrated-gradients"
# (samples, orders, with integrated gradients), the dearest first.
CHOICES = ((4, 20, True), (4, 8, True), (4, 4, True), (4, 4, False), (2, 4, False), (1, 4, False))


@dataclass(frozen=True, slots=True)
class Effort:
    """How many samples, random orders, and whether integrated gradients are affordable beside Grad-CAM."""

    samples: int
    orders: int
    integrate: bool


@dataclass(frozen=True, slots=True)
class Place:
    """One input that can be explained: its index among the flat inputs, and what its positions are."""

    index: int
    name: str
    kind: str  # "picture", "signal", "volume" or "text"
    first: bool = False  # channels first
    words: Words | None = None


def compute_saliency(
    model: Any,
    walk: Walk,
    layers: Sequence[LayerFacts],
    feed: Feed,
    kept: KeptSamples,
    rows: Array,
    outputs: Sequence[OutputEvidence],
    wanted: int,
    sample_bytes: int,
    seed: int,
    n: int = 0,
) -> tuple[tuple[Saliency, ...], str, tuple[Reduced, ...]]:
    """Return the maps, why there are none ("" if there are), and what was reduced."""
    explained = [one for one in outputs if one.task in NUMBERS or is_explained(one)][:MOST_OUTPUTS]
    if not explained:
        return (), f"not applicable: no single score to explain in {', '.join(one.task for one in outputs)}", ()
    if feed.fixed_batch not in (None, 1):
        return (), f"not applicable: the model takes exactly {feed.fixed_batch} samples at a time", ()
    places = find_places(walk, feed, kept)
    if not places:
        return (), "not applicable: no input is a picture, a volume, a signal or a text through an embedding", ()
    # Grad-CAM weighs a channel by all positions together, which says nothing of one region or step.
    convolution = None if all(one.task in DENSE for one in explained) else last_convolution(walk)
    effort = choose_effort(wanted, sum(layer.macs or 0 for layer in layers), convolution is not None, n)
    if not effort.samples:
        return (), "not computed: one map would cost more than the budget (layers: {saliency: N} asks for it)", ()
    loops = count_loop_bytes(walk, longest_of(values.shape[1:] for values in kept.inputs.values()))
    step, together = (1, 1) if feed.fixed_batch else choose_steps(sample_bytes + loops // 2)
    names = output_names(model) or tuple(one.name for one in outputs)
    found: list[Saliency] = []
    last = walk.end_layers()
    ends = tuple(call.layer for call in walk.first_calls() if id(call.layer) in last)
    for one in explained:
        scored = Scored(model, feed, names, one.name, one.task, one.scores, step, together, ends)
        try:
            found += _explain_output(scored, places, convolution, kept, rows[: effort.samples], effort, seed)
        except NoGradients:
            return (), "not applicable: this backend has no gradients here", ()
    return tuple(found), "" if found else "not applicable: no map could be made", _ledger(effort, len(rows))


def choose_effort(wanted: int, macs: int, convolution: bool, n: int = 0) -> Effort:
    """Return what is affordable beside a pass over `n` samples; a number that was asked for is taken as it is."""
    if wanted != AUTO:
        return Effort(wanted, 20, True)
    for samples, orders, integrate in CHOICES:
        methods = int(convolution) + int(integrate)
        passes = 3 * (STEPS * integrate + convolution) + methods * (orders + 1) * 7
        if methods and samples * passes * macs <= extra_macs(macs, n):
            return Effort(samples, orders, integrate)
    return Effort(0, 0, False)


def choose_steps(sample_bytes: int) -> tuple[int, int]:
    """Return how many samples fit at once with a backward pass, and without one, where a few layers live at a time."""
    step = max(1, min(MOST_ROWS, STEP_BYTES // max(1, 2 * sample_bytes)))
    return step, min(MOST_ROWS, FORWARD_ONLY * step)


def find_places(walk: Walk, feed: Feed, kept: KeptSamples) -> list[Place]:
    """Return the inputs whose positions mean something to a reader."""
    found = []
    first = any(getattr(call.layer, "data_format", "") == "channels_first" for call in walk.every_call())
    for index, slot in enumerate(feed.slots):
        values = kept.inputs[slot.name]
        words = find_words(walk, feed, index)
        if words is not None:
            found.append(Place(index, slot.name, "text", words=words))
        elif "float" in (slot.dtype or "float32") and values.dtype.kind in "biuf":
            kind = kind_of(values.shape[1:], str(values.dtype))
            if kind in RANKS:
                turned = kind == "picture" and channels_first(values.shape[1:])
                found.append(Place(index, slot.name, kind, first or turned))
    return found


def is_explained(output: OutputEvidence) -> bool:
    """Tell whether an output gives probabilities of classes, for a sample or at each of its positions."""
    return output.task in CLASSES | DENSE and output.scores in ("probabilities", "logits")


def _explain_output(
    scored: Scored, places: list[Place], convolution: Call | None, kept: KeptSamples, rows: Array, effort: Effort,
    seed: int,
) -> list[Saliency]:  # fmt: skip
    """Return the maps of one output: Grad-CAM where a convolution's positions are those of the only input, and IG."""
    keys = {slot.key: slot.name for slot in scored.feed.slots}
    everything = scored.feed.convert({key: kept.inputs[name] for key, name in keys.items()})
    flat = [array[rows] for array in everything]
    known = kept.predictions.get(scored.output)
    predicted = scored.predict(flat) if known is None else known[rows]
    found = []
    for place in places:
        baseline = median_of(everything[place.index], place)
        asked = Asked(flat, _chosen(scored, place, flat, predicted, baseline))
        one = Saliency(
            input=place.name, output=scored.output, method=IG, positions=tuple(int(p) for p in kept.positions[rows]),
            values=np.zeros(0, np.float32), targets=scored.classes_of(asked.chosen).astype(np.float64),
            deletion=np.zeros(0), deletion_random=np.zeros(0), informative=np.zeros(0, bool), steps=0,
            explained=_name_parts(scored.task, asked.chosen),
        )  # fmt: skip
        maps = []
        if convolution is not None and scored.task not in DENSE and len(places) == 1 and _same_rank(convolution, place):
            first = getattr(convolution.layer, "data_format", "") == "channels_first"
            values = compute_grad_cam(scored, convolution.layer, first, asked)
            maps.append(replace(one, method=CAM, values=values, steps=1, layer=convolution.path))
        if effort.integrate or not maps:
            words = place.words.texts(asked.flat) if place.words is not None else ()
            maps.append(replace(one, values=_integrated(scored, place, asked, baseline), steps=STEPS, words=words))
        found += judge_maps(scored, place, asked, maps, baseline, effort.orders, seed)
    return found


def _chosen(scored: Scored, place: Place, flat: list[Array], predicted: Array, baseline: Array) -> Array:
    """Return what is explained of each sample; of a number whether it is above (1) or below that of an empty one."""
    chosen = scored.choose(predicted)
    if scored.task not in NUMBERS or place.words is not None:
        return chosen
    empty = list(flat)
    empty[place.index] = np.broadcast_to(baseline, flat[place.index].shape).astype(flat[place.index].dtype)
    return (scored.read(predicted, chosen) >= scored.read(scored.predict(empty), chosen)).astype(np.int64)


def _name_parts(task: str, chosen: Array) -> tuple[str, ...]:
    """Say which part of each sample's output is explained, where it is not all of it."""
    if task == "segmentation":
        return tuple(f"{(row >= 0).sum():,} of {row.size:,} positions" for row in chosen)
    if task == "sequence":
        return tuple(f"step {int((row >= 0).argmax()) + 1:,} of {row.size:,}" for row in chosen)
    return ()


def _same_rank(convolution: Call, place: Place) -> bool:
    """Tell whether a convolution's positions are those of an input: two axes for pictures, one for signals."""
    return len(convolution.output_shape()) - 2 == RANKS[place.kind]


def _integrated(scored: Scored, place: Place, asked: Asked, baseline: Array) -> Array:
    """Return integrated gradients (n, *positions): what speaks for the score, added up over channels."""
    if place.words is not None:
        signed = integrate_embedding(scored, place.words.embedding, asked, STEPS)
    else:
        signed = integrate_input(scored, place.index, asked, baseline, STEPS)
        axis = _channel_axis(signed.shape[1:], place)
        signed = signed if axis is None else signed.sum(axis=axis + 1)
    return np.maximum(signed, 0).astype(np.float32)


def _channel_axis(shape: Sequence[int], place: Place) -> int | None:
    """Return the axis of a sample that holds channels, None where it has none."""
    if len(shape) == RANKS[place.kind]:
        return None
    return 0 if place.first else len(shape) - 1


def median_of(values: Array, place: Place) -> Array:
    """Return what a deleted part becomes: the median of each channel over the kept samples, in a sample's shape."""
    if place.words is not None:
        return np.zeros(values.shape[1:], np.float32)
    axis = _channel_axis(values.shape[1:], place)
    others = tuple(i for i in range(values.ndim) if axis is None or i != axis + 1)
    with np.errstate(invalid="ignore"):
        middle = np.nanmedian(values.astype(np.float32), axis=others, keepdims=True)
    return np.array(np.broadcast_to(np.nan_to_num(middle), values.shape)[0])


def judge_maps(
    scored: Scored, place: Place, asked: Asked, maps: list[Saliency], baseline: Array, orders: int, seed: int
) -> list[Saliency]:
    """Play the deletion game for every sample and map in one prediction, and bring the maps to their final size."""
    tokens = place.words.tokens(asked.flat) if place.words is not None else None
    plans, inputs = [], []
    for row in range(len(asked)):
        sample = asked.flat[place.index][row] if tokens is None else tokens[row]
        axis = None if tokens is not None else _channel_axis(sample.shape, place)
        grid = _grid_of(place, [size for i, size in enumerate(sample.shape) if i != axis], tokens, row)
        saliences = [salience_of_parts(each.values[row], grid) for each in maps]
        masks = plan_deletions(saliences, orders, seed + row)
        gone = np.where(grid >= 0, masks[:, np.maximum(grid, 0)], False)
        gone = gone if axis is None else np.expand_dims(gone, axis + 1)
        inputs.append(np.where(gone, 0 if tokens is not None else baseline, sample).astype(sample.dtype))
        plans.append(saliences)
    index = np.repeat(np.arange(len(asked)), [len(each) for each in inputs])
    flat = [array[index] for array in asked.flat]
    if place.words is not None:
        scores = place.words.score(scored, flat, asked.chosen, index, np.concatenate(inputs))
    else:
        flat[place.index] = np.concatenate(inputs)
        scores = scored.score(flat, asked.chosen, index)
    numbers = scored.task in NUMBERS
    played = [
        judge_deletions(saliences, scores[index == row], orders, relative_to_empty=numbers)
        for row, saliences in enumerate(plans)
    ]
    return [_judged(each, [row[i] for row in played], place.kind) for i, each in enumerate(maps)]


def _grid_of(place: Place, shape: Sequence[int], tokens: Array | None, row: int) -> Array:
    """Return the part that each position belongs to."""
    if place.words is not None and tokens is not None:
        return place.words.grid(tokens[row])
    return part_grid(shape, PARTS[place.kind])


def _judged(one: Saliency, played: Sequence[Deletion], kind: str) -> Saliency:
    """Return a map with what the game said, at its final size."""
    values = np.asarray(one.values, np.float32)
    most = MOST_SIDE_OF_VOLUME if kind == "volume" else MOST_SIDE
    smaller = [min(size, most) if kind != "text" else size for size in values.shape[1:]]
    return replace(
        one,
        values=np.stack([resize(each, smaller) for each in values]).astype(np.float32),
        deletion=np.array([each.score for each in played]),
        deletion_random=np.array([each.random for each in played]),
        informative=np.array([each.informative for each in played]),
    )


def _ledger(effort: Effort, shown: int) -> tuple[Reduced, ...]:
    """Say what was left out for its cost."""
    rows = []
    if effort.samples < shown:
        rows.append(Reduced("saliency maps", f"{effort.samples} samples", f"{shown} shown", "they cost much here"))
    if not effort.integrate:
        rows.append(Reduced("integrated gradients", "none", f"{STEPS} steps a sample", "they cost much for this model"))
    return tuple(rows)
