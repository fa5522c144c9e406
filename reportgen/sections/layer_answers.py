"""How layers answer the kept samples: strips of hidden units by class, and the strongest samples for a channel."""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Array, Artifacts, KeptSamples, LayerResponses, OutputEvidence
from reportgen.analysis.images import Pixels, blur, kind_of, to_picture
from reportgen.analysis.mosaics import enlarge, side_by_side, tile_mosaic
from reportgen.report.blocks import Block, Montage
from reportgen.report.values import number
from reportgen.sections.context import Context
from reportgen.sections.display import as_displayed
from reportgen.sections.samples import input_scales, kept_name, kept_rows, shrink_pane
from reportgen.sections.words import count, join_words, percent, shorten

ROW = 3  # px a sample in a strip
MOST_CLASSES = 12
CHANNELS, STRONGEST = 6, 4
THUMB = 48


def answer_blocks(artifacts: Artifacts, context: Context) -> tuple[Block, ...]:
    """Return the montages, nothing where privacy forbids or no layer was looked at."""
    worker = artifacts.worker
    if worker is None or worker.kept is None or artifacts.privacy in ("ids", "none"):
        return ()
    blocks: list[Block] = []
    for one in worker.responses:
        made = (
            strips_by_class(worker.kept, worker.outputs, one, artifacts.privacy, context)
            if one.kind == "units"
            else strongest_samples(artifacts, worker.kept, one, context)
        )
        blocks += [made] if made is not None else []
    return tuple(blocks)


def strips_by_class(
    kept: KeptSamples, outputs: tuple[OutputEvidence, ...], one: LayerResponses, privacy: str, context: Context
) -> Montage | None:
    """Return one strip a class, a row a sample, a column a unit; None without classes."""
    rows = kept_rows(kept)
    found = _classes_of(kept, outputs)
    if found is None:
        return None
    output, classes = found
    labels = np.array([classes[rows[position]] for position in one.positions])
    values = np.asarray(one.values, np.float64)
    known = [int(label) for label in np.unique(labels) if label >= 0][:MOST_CLASSES]
    if len(known) < 2:
        return None
    each = [values[labels == label] for label in known]
    mosaic = tile_mosaic(np.concatenate(each)[None], across=1)
    parts: list[Pixels] = []
    start = 0
    for part in each:
        strip = np.repeat(mosaic.pixels[start : start + len(part)], ROW, axis=0)
        parts += [strip, np.full((2, *strip.shape[1:]), 128, np.uint8)]  # colours where a value is not finite
        start += len(part)
    pixels = np.concatenate(parts[:-1])
    scaling = mosaic.scaling.replace("all tiles", "all strips")
    pixels = blur(pixels) if privacy == "blur" else pixels
    names = [_class_name(output, label) for label in known]
    listed = join_words([f"{name} ({len(part)})" for name, part in zip(names, each, strict=True)], most=MOST_CLASSES)
    across = 4 if values.shape[1] <= 64 else 2
    shown = values.shape[1]
    left = f"; the first {shown} of {count(one.units, 'unit')}" if shown < one.units else ""
    return Montage(
        id=f"layer-strips-{shorten(one.layer, 80)}",
        title=f"{shorten(one.layer)} ({one.type}): units by class",
        layer=one.layer,
        sample="",
        tiles=len(known),
        shown=len(known),
        across=across,
        tile_width=values.shape[1],
        tile_height=max(len(part) for part in each) * ROW,
        scaling=f"one strip a class, a row a sample, a column a unit; top to bottom {listed}; {scaling}{left}",
        reading=describe_strips(values[labels >= 0], labels[labels >= 0]),
        low=number(mosaic.low),
        high=number(mosaic.high),
        image=context.draw(
            np.repeat(pixels, across, axis=1),
            "maps",
            f"Units of {shorten(one.layer)} for {count(len(labels), 'sample')}",
        ),
    )


def _classes_of(kept: KeptSamples, outputs: tuple[OutputEvidence, ...]) -> tuple[OutputEvidence, Array] | None:
    """Return the first output with classes and the kept samples' labels, -1 for none; None without such an output."""
    for output in outputs:
        truth = kept.targets.get(output.name)
        if output.task not in ("multiclass", "binary") or truth is None or truth.dtype.kind not in "biuf":
            continue
        flat = truth.reshape(len(truth), -1).astype(np.float64)
        labels = flat.argmax(axis=1).astype(np.float64) if flat.shape[1] > 1 else flat[:, 0]
        return output, np.where(np.isfinite(labels), labels, -1).astype(np.int64)
    return None


def _class_name(output: OutputEvidence, label: int) -> str:
    """Return the name of a class."""
    return shorten(output.class_names[label], 30) if 0 <= label < len(output.class_names) else f"class {label}"


def describe_strips(values: Array, labels: Array) -> str:
    """Say how much of the units' variance the classes explain."""
    centred = values - values.mean(axis=0)
    total = float(np.square(centred).sum())
    if not total > 0:
        return "No unit varies over these samples."
    between = sum(
        float((labels == label).sum()) * float(np.square(centred[labels == label].mean(axis=0)).sum())
        for label in np.unique(labels)
    )
    chance = (len(np.unique(labels)) - 1) / max(1, len(labels) - 1)
    return (
        f"The classes explain {percent(between / total)} of the units' variance on these "
        f"{count(len(labels), 'sample')} ({percent(chance)} by chance), the worst ones among them."
    )


def strongest_samples(artifacts: Artifacts, kept: KeptSamples, one: LayerResponses, context: Context) -> Montage | None:
    """Return, for the channels that differ most between samples, the samples that they answer most strongly."""
    rows = kept_rows(kept)
    name, pictured = next(((name, v) for name, v in kept.inputs.items() if _is_picture(v)), ("", None))
    values = np.asarray(one.values, np.float64)
    if pictured is None or len(values) < STRONGEST or not np.isfinite(values).all():
        return None
    spread = values.std(axis=0)
    channels = [int(c) for c in np.argsort(-spread, kind="stable")[:CHANNELS] if spread[c] > 0]
    if not channels:
        return None
    scale = input_scales(artifacts).get(name)
    lines, seen = [], []
    for channel in channels:
        order = np.argsort(-values[:, channel], kind="stable")[:STRONGEST]
        panes = []
        for place in order.tolist():
            row = rows[one.positions[place]]
            picture = to_picture(as_displayed(artifacts, name, np.asarray(pictured[row])), scale)
            if picture is None:
                return None
            pane = shrink_pane(enlarge(picture.pixels, THUMB), 2 * THUMB)
            panes.append(blur(pane) if artifacts.privacy == "blur" else pane)
            seen.append(kept_name(kept, row, artifacts.privacy))
        lines.append(side_by_side(panes))
    pixels = _stacked(lines)
    top = int(values[:, channels[0]].argmax())
    listed = join_words([str(channel) for channel in channels], most=CHANNELS)
    chosen = f", those of {count(one.units, 'channel')} that differ most between" if one.units > 1 else " on"
    usual = float(np.median(values[:, channels[0]]))
    strongest = kept_name(kept, rows[one.positions[top]], artifacts.privacy)
    return Montage(
        id=f"layer-strongest-{shorten(one.layer, 80)}",
        title=f"{shorten(one.layer)} ({one.type}): samples that its channels answer most strongly",
        layer=one.layer,
        sample="",
        tiles=len(seen),
        shown=len(seen),
        across=STRONGEST,
        tile_width=pixels.shape[1] // STRONGEST,
        tile_height=pixels.shape[0] // len(channels),
        scaling=f"one row a channel, strongest first: {'channels' if len(channels) > 1 else 'channel'} {listed}"
        f"{chosen} the {count(len(values), 'kept sample')}",
        reading=f"Channel {channels[0]} answers sample {strongest} most strongly "
        f"({values[top, channels[0]]:.3g}; its median is {usual:.3g}).",
        low=number(float(values[:, channels].min())),
        high=number(float(values[:, channels].max())),
        image=context.draw(pixels, "pixels", f"The samples with the strongest answers of {shorten(one.layer)}"),
    )


def _is_picture(values: Array) -> bool:
    """Tell whether an input can be shown as pictures or signals."""
    return values.dtype.kind in "biuf" and kind_of(values.shape[1:], str(values.dtype)) in ("picture", "signal")


def _stacked(lines: list[Pixels]) -> Pixels:
    """Put rows of pictures under each other with white gaps."""
    parts: list[Pixels] = []
    for line in lines:
        parts += [line, np.full((2, line.shape[1], 3), 255, np.uint8)]
    return np.concatenate(parts[:-1], axis=0)
