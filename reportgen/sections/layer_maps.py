"""Montages: what chosen layers put out for the same few samples, and the kernels of the first convolution."""

from __future__ import annotations

import math

import numpy as np

from reportgen.analysis.evidence import Array, Artifacts, Kernels, LayerMaps
from reportgen.analysis.mosaics import Mosaic, shrink, tile_mosaic
from reportgen.report.blocks import Block, Card, Fold, Montage, Text
from reportgen.report.values import number
from reportgen.sections.context import Context
from reportgen.sections.samples import name_of_position
from reportgen.sections.words import count, percent, share_text, shorten

MOST_PIXELS = 400_000  # of all montages together: about a quarter of the page's budget as PNG
MOST_PIXELS_EACH = 32_000
MOST_SIDE, LEAST_SIDE = 40, 16
MOST_TILES = 64
MOST_STRIP = 512
STRIP_HEIGHT = 6
SCORES = " scores"  # ends the type of maps that are attention scores


def montage_blocks(artifacts: Artifacts, context: Context) -> tuple[Block, ...]:
    """Return one fold a sample with the montages of every chosen layer, the kernels, and the rule that chose them.

    The first sample is always shown; the next ones only as a whole while the pixel budget lasts.
    """
    worker = artifacts.worker
    if worker is None or not worker.maps:
        return (_why_no_maps(artifacts),)
    if artifacts.privacy in ("ids", "none"):
        return (_withheld(artifacts.privacy),)
    blocks: list[Block] = []
    spent = 0
    positions = worker.maps[0].positions
    for place, position in enumerate(positions):
        mosaics = [
            (maps, *_mosaic_of(maps, place, artifacts.privacy))
            for maps in worker.maps
            if place < len(maps.values) and maps.values[place].size > 1  # one number is no picture
        ]
        spent += sum(mosaic.pixels.shape[0] * mosaic.pixels.shape[1] for _, mosaic, _ in mosaics)
        if place and spent > MOST_PIXELS:
            break
        name = name_of_position(artifacts, position)
        montages = tuple(_montage(maps, mosaic, what, name, context, place) for maps, mosaic, what in mosaics)
        blocks.append(Fold(f"maps-{place + 1}", f"What the layers see in sample {name}", montages, open=not place))
    return (Text(rule_text(artifacts, len(blocks))), *blocks)


def rule_text(artifacts: Artifacts, shown: int) -> str:
    """Say which layers and samples are shown, and by which rule."""
    worker = artifacts.worker
    if worker is None or not worker.maps:
        return ""
    named = set(artifacts.layers_named)
    chosen = sum(maps.layer in named for maps in worker.maps)
    rule = (
        f"{count(chosen, 'layer')} named in the configuration"
        if chosen and chosen == len(worker.maps)
        else "layers chosen by a fixed rule (convolutions, activations, merges, recurrent and attention layers, "
        "blocks of own code, spread evenly over depth" + (f"; {chosen} named in the configuration)" if chosen else ")")
    )
    return (
        f"Maps of {len(worker.maps)} of {count(len(worker.layers), 'layer')}: {rule}. "
        f"The same {count(shown, 'sample')} throughout; larger maps are averaged down to {MOST_SIDE} px a side."
    )


def _why_no_maps(artifacts: Artifacts) -> Card:
    """Say why there are no maps."""
    problems = artifacts.worker.problems if artifacts.worker else ()
    found = next((p for p in problems if p.part == "maps"), None)
    if found:
        return Card("warn", "No feature maps", found.message, found.fix)
    return Card("info", "No feature maps", "No layer of this model has maps worth a picture, or no batch was given.")


def _withheld(privacy: str) -> Card:
    """Say that maps are left out for privacy."""
    text = f"Feature maps would show what the samples look like, so they are left out (samples: {privacy})."
    return Card("info", "Feature maps left out", text, "Set samples: show or samples: blur to have them.")


def _mosaic_of(maps: LayerMaps, place: int, privacy: str) -> tuple[Mosaic, str]:
    """Return the mosaic of one layer and sample, and what a tile is: a map, a strip of units, units over time."""
    values = np.asarray(maps.values[place], dtype=np.float64)
    if values.ndim == 1:
        strip = np.repeat(_fold_strip(values[:MOST_STRIP]), STRIP_HEIGHT, axis=1)
        return tile_mosaic(strip, across=1, blurred=privacy == "blur"), "units left to right, row by row"
    if values.ndim == 2:
        over_time = shrink(values.T[None, :MOST_STRIP], 4 * MOST_SIDE)
        return tile_mosaic(over_time, across=1, blurred=privacy == "blur"), "time left to right, channels top to bottom"
    if values.ndim == 4:
        values = values[values.shape[0] // 2]
    tiles = shrink(np.moveaxis(values, -1, 0), MOST_SIDE)
    h, w = tiles.shape[1:]
    shown = min(len(tiles), MOST_TILES, max(MOST_PIXELS_EACH // (h * w), LEAST_SIDE))
    what = "one tile a channel" + (", the middle slice" if maps.values.ndim == 5 else "")
    if maps.type.endswith(SCORES):
        what = "one tile a head: from each position (down) to what it attends to (across)"
    return tile_mosaic(tiles[:shown], blurred=privacy == "blur"), what


def _fold_strip(values: Array, width: int = 128) -> Array:
    """Return (rows, 1, width) strips of a long vector; the end of the last one is filled with zeros."""
    if values.size <= width:
        return values[None, None, :]
    rows = math.ceil(values.size / width)
    width = math.ceil(values.size / rows)
    padded = np.zeros(rows * width)
    padded[: values.size] = values
    return padded.reshape(rows, 1, width)


def _montage(maps: LayerMaps, mosaic: Mosaic, what: str, sample: str, context: Context, place: int) -> Montage:
    """Return the block of one layer and sample with its picture stored."""
    values = maps.values[place]
    full = values.ndim >= 3
    shown = mosaic.shown
    of = maps.channels if full else shown
    left = f"; {shown} of {count(of, 'channel')}, the first ones" if full and shown < of else ""
    if not full and maps.channels > MOST_STRIP:
        left = f"; the first {MOST_STRIP} of {count(maps.channels, 'unit')}"
    alt = f"Output of {maps.type} {shorten(maps.layer)} for {sample}: {what}"
    return Montage(
        id=f"map-{place + 1}-{shorten(maps.layer, 80)}{'-scores' if maps.type.endswith(SCORES) else ''}",
        title=f"{shorten(maps.layer)} ({maps.type})",
        layer=maps.layer,
        sample=sample,
        tiles=of,
        shown=shown,
        across=mosaic.across,
        tile_width=mosaic.tile_width,
        tile_height=mosaic.tile_height,
        scaling=f"{what}; {mosaic.scaling}{left}",
        reading=describe_scores(values) if maps.type.endswith(SCORES) else describe_map(values, maps.channels),
        low=number(mosaic.low),
        high=number(mosaic.high),
        image=context.draw(mosaic.pixels, "maps" if mosaic.pixels.ndim == 2 else "pixels", alt),
    )


def describe_map(values: Array, channels: int) -> str:
    """Say in one sentence how active one layer's output is for one sample."""
    flat = np.asarray(values, dtype=np.float64).reshape(-1, values.shape[-1])
    broken = int((~np.isfinite(flat)).sum())
    if broken:
        return f"{share_text(broken, flat.size, 'value')} are NaN or infinite, painted pink where they are NaN."
    looked = flat.shape[1]
    silent = int((np.abs(flat).max(axis=0) == 0).sum())
    what = "unit" if values.ndim == 1 else "channel"
    of = f"{looked} of {count(channels, what)} looked at" if looked < channels else count(looked, what)
    zeros = float((flat == 0).mean())
    if looked == 1:
        return f"Its one {what}; {percent(zeros)} of the values are zero."
    if silent == looked:
        return f"All {of} are silent (exactly zero) for this sample."
    if silent:
        return f"{silent} of {of} {'is' if silent == 1 else 'are'} silent (exactly zero) for this sample."
    return f"All {of} respond; {percent(zeros)} of the values are zero."


def describe_scores(values: Array) -> str:
    """Say in one sentence how sharply the heads of one attention layer look, by the entropy of their rows."""
    rows = np.maximum(np.asarray(values, np.float64), 0)
    rows = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-12)
    entropy = -(rows * np.log(np.maximum(rows, 1e-12))).sum(axis=1).mean(axis=0)
    wide = np.exp(entropy)
    sources, heads = values.shape[1], count(values.shape[2], "head")
    low, high = f"{wide.min():.2g}", f"{wide.max():.2g}"
    over = low if low == high else f"{low} to {high}"
    verb = "spreads" if values.shape[2] == 1 else "spread"
    return f"The {heads} {verb} over {over} of {count(sources, 'position')} on average (1: a single one)."


def kernel_blocks(artifacts: Artifacts, context: Context) -> tuple[Block, ...]:
    """Return the montage of the first convolution's kernels; nothing without one or where privacy forbids pictures."""
    kernels = artifacts.worker.kernels if artifacts.worker else None
    if kernels is None or artifacts.privacy == "none":
        return ()
    tiles, what = _kernel_tiles(kernels)
    shown = min(len(tiles), MOST_TILES)
    mosaic = tile_mosaic(shrink(tiles[:shown], MOST_SIDE), per="tile")
    size = " × ".join(str(side) for side in kernels.values.shape[:2])
    alt = f"{shown} kernels of {shorten(kernels.layer)}, {size} each"
    return (
        Montage(
            id="kernels",
            title=f"Kernels of the first convolution, {shorten(kernels.layer)}",
            layer=kernels.layer,
            sample="",
            tiles=len(tiles),
            shown=shown,
            across=mosaic.across,
            tile_width=mosaic.tile_width,
            tile_height=mosaic.tile_height,
            scaling=f"{what}, {size}; {mosaic.scaling}",
            reading=describe_kernels(kernels),
            low=number(float(np.nanmin(tiles)) if np.isfinite(tiles).any() else None, "no finite value"),
            high=number(float(np.nanmax(tiles)) if np.isfinite(tiles).any() else None, "no finite value"),
            image=context.draw(mosaic.pixels, "maps" if mosaic.pixels.ndim == 2 else "pixels", alt),
        ),
    )


def _kernel_tiles(kernels: Kernels) -> tuple[Array, str]:
    """Return kernels as (k, h, w) tiles: a filter summed over its input channels when there are several."""
    values = np.asarray(kernels.values, dtype=np.float64)
    inputs = values.shape[2]
    summed = values[:, :, 0, :] if inputs == 1 else values.mean(axis=2)
    what = "one tile a filter" if inputs == 1 else f"one tile a filter, averaged over its {inputs} input channels"
    return np.moveaxis(summed, -1, 0), what


def describe_kernels(kernels: Kernels) -> str:
    """Say in one sentence whether the filters differ in strength, and whether any is empty or repeated."""
    filters = np.moveaxis(np.asarray(kernels.values, dtype=np.float64), -1, 0).reshape(kernels.values.shape[-1], -1)
    if not np.isfinite(filters).all():
        return "Some kernel values are NaN or infinite."
    norms = np.linalg.norm(filters, axis=1)
    empty = int((norms == 0).sum())
    unit = filters / np.where(norms > 0, norms, 1)[:, None]
    alike = np.triu(unit @ unit.T, 1) > 0.99
    twins = int(alike.any(axis=0).sum())
    total = count(len(filters), "filter")
    if empty:
        passes = "is all zero and passes" if empty == 1 else "are all zero and pass"
        return f"{empty} of {total} {passes} nothing on."
    if twins:
        return f"{twins} of {total} {'repeats' if twins == 1 else 'repeat'} another one (cosine similarity over 0.99)."
    weakest = float(norms.min() / norms.max()) if norms.max() > 0 else 1.0
    return f"{total}, none empty or repeated; the weakest has {percent(weakest)} of the strongest one's norm."
