"""Where shown samples' predictions come from: maps beside the sample, and whether they say anything."""

from __future__ import annotations

import math

import numpy as np

from reportgen.analysis.deletion import resize
from reportgen.analysis.evidence import Array, Artifacts, KeptSamples, OutputEvidence, Saliency
from reportgen.analysis.images import Pixels, kind_of, to_picture
from reportgen.analysis.mosaics import enlarge
from reportgen.report.blocks import AssetRef, Block, Card, Gallery, SampleCard
from reportgen.sections.context import Context
from reportgen.sections.display import as_displayed, token_words
from reportgen.sections.samples import draw_panes, input_scales, kept_name, kept_rows, key_text, shrink_pane
from reportgen.sections.words import count, join_words, percent, shorten

OF_CLASSES = ("multiclass", "binary", "multilabel", "segmentation", "sequence")
PANE_SIDE, MOST_PANE = 64, 96
MOST_WORDS = 5
STRIP = 14  # px: height of a signal's map under its line
TITLES = {"grad-cam": "Grad-CAM", "integrated-gradients": "Integrated gradients"}
NAMES = {"grad-cam": "Grad-CAM", "integrated-gradients": "integrated-gradients"}
EXPLAINED = {
    "segmentation": "What is explained is the mean score of the region predicted as the sample's largest class but the "
    "first, the background",
    "sequence": "What is explained is one step's score: the surest among those whose prediction is not the sample's "
    "most common one",
}
# From "says nothing" to "says most": dark blue, violet, orange, pale yellow; lightness rises evenly, also on paper.
RAMP = np.array([(13, 8, 50), (88, 24, 110), (188, 55, 84), (249, 142, 9), (252, 255, 190)], dtype=np.float64)


def saliency_blocks(artifacts: Artifacts, context: Context) -> tuple[Block, ...]:
    """Return one gallery an output, or why there is none."""
    worker = artifacts.worker
    if worker is None:
        return ()
    if artifacts.privacy in ("ids", "none"):
        return ()
    if not worker.saliency or worker.kept is None:
        missing = worker.not_computed.get("saliency", "")
        return (Card("info", "No saliency maps", f"{missing[:1].upper()}{missing[1:]}."),) if missing else ()
    blocks: list[Block] = []
    for place, output in enumerate(worker.outputs):
        maps = [one for one in worker.saliency if one.output == output.name]
        if maps:
            blocks.append(_gallery(artifacts, context, worker.kept, output, maps, place))
    return tuple(blocks)


def _gallery(
    artifacts: Artifacts, context: Context, kept: KeptSamples, output: OutputEvidence, maps: list[Saliency], place: int
) -> Gallery:
    """Return the gallery of one output."""
    rows = kept_rows(kept)
    cards = [
        _card(artifacts, context, kept, output, maps, index, rows[position])
        for index, position in enumerate(maps[0].positions)
        if position in rows
    ]
    several = len(artifacts.worker.outputs) > 1 if artifacts.worker else False
    of = f" of {shorten(output.name, 40)}" if several else ""
    return Gallery(
        f"layer-saliency-{place + 1}",
        f"Where the prediction{of} comes from",
        "",  # its own few samples, not the gallery of all records of an output
        rule_text(maps, artifacts.privacy, output.task, drawn=any(card.image for card in cards)),
        tuple(cards),
        describe_saliency(maps),
    )


def rule_text(maps: list[Saliency], privacy: str, task: str = "", *, drawn: bool = True) -> str:
    """Say how the maps were made and judged; `drawn` says whether they stand beside pictures or as words."""
    parts = [EXPLAINED[task]] if task in EXPLAINED else []
    if any(one.method == "grad-cam" for one in maps):
        layer = next(one.layer for one in maps if one.method == "grad-cam")
        parts.append(f"Grad-CAM: the channels of {shorten(layer, 40)}, weighed by their effect on the score")
    steps = next((one.steps for one in maps if one.method == "integrated-gradients"), 0)
    if steps:
        parts.append(f"Integrated gradients: the gradient added up over {steps} steps from an empty sample")
    order = join_words([NAMES.get(one.method, one.method) for one in maps])
    if not drawn:
        first = "Under each text stand the words that speak most for the prediction, with their share of all that do. "
    elif maps[0].values.ndim > 2:
        slices = " (of volumes the middle slice)" if maps[0].values.ndim > 3 else ""
        first = f"Left the sample, then its maps ({order}){slices}; bright is important. "
    else:
        first = f"Strips under a signal are its maps from top to bottom ({order}); bright is important. "
    blurred = " Pictures are blurred." if privacy == "blur" else ""
    return (
        f"{first}{'. '.join(parts)}. Each map is tested: its most important parts are replaced first "
        f"({'by the median' if drawn else 'by padding'}), and the score left is compared with random orders; a map "
        f"that does no better is {'grey and ' if drawn else ''}marked not informative.{blurred}"
    )


def describe_saliency(maps: list[Saliency]) -> str:
    """Say in one sentence how many maps say something."""
    said = []
    for one in maps:
        good, total = int(one.informative.sum()), len(one.informative)
        said.append(f"{good} of {count(total, f'{NAMES.get(one.method, one.method)} map')}")
    verb = "is" if maps and int(maps[-1].informative.sum()) == 1 and len(maps) == 1 else "are"
    return f"{join_words(said)} {verb} informative: better than random orders at finding what the score rests on."


def _card(
    artifacts: Artifacts, context: Context, kept: KeptSamples, output: OutputEvidence, maps: list[Saliency], index: int,
    row: int,
) -> SampleCard:  # fmt: skip
    """Return the card of one sample: its picture with the maps beside it, or the words that count."""
    name = kept_name(kept, row, artifacts.privacy)
    explained = _explained(output, float(maps[0].targets[index]))
    part = maps[0].explained[index] if index < len(maps[0].explained) else ""
    explained += f" ({part})" if part else ""
    details = [(TITLES.get(one.method, one.method), judgement(one, index)) for one in maps]
    values = kept.inputs.get(maps[0].input)
    image, text = None, ""
    if values is not None:
        alt = f"{name}: the sample and where its prediction ({explained}) comes from"
        image = draw_maps(artifacts, context, maps, index, np.asarray(values[row]), alt)
        if image is None and artifacts.privacy == "show":
            text = _spoken(artifacts, maps, index, np.asarray(values[row]), explained)
    truth = _truth(output, kept, row)
    return SampleCard(
        key=key_text(int(kept.keys[row])),
        label=name,
        truth=truth,
        prediction=explained,
        outcome="unknown" if not truth else "right" if truth == explained else "wrong",
        image=image,
        text=text,
        details=tuple(details),
    )


def _explained(output: OutputEvidence, target: float) -> str:
    """Say what is explained: the predicted class, or the number."""
    if output.task in OF_CLASSES and math.isfinite(target):
        names, place = output.class_names, int(target)
        return shorten(names[place], 60) if 0 <= place < len(names) else f"class {place}"
    return "the predicted number" if output.shape in ((), (1,)) else "the mean of the predicted numbers"


def _truth(output: OutputEvidence, kept: KeptSamples, row: int) -> str:
    """Return the label of a class as a reader knows it, else nothing."""
    truth = kept.targets.get(output.name)
    if truth is None or output.task not in ("multiclass", "binary"):
        return ""
    value = np.asarray(truth[row]).reshape(-1)
    if value.dtype.kind not in "biuf" or not value.size or not np.isfinite(value.astype(np.float64)).all():
        return ""
    return _explained(output, float(value.argmax() if value.size > 1 else value[0]))


def judgement(one: Saliency, index: int) -> str:
    """Say what the deletion test gave for one map."""
    left, random = float(one.deletion[index]), float(one.deletion_random[index])
    if not (math.isfinite(left) and math.isfinite(random)):
        return "not informative: taking parts away does not change the score"
    said = f"{percent(left)} of the score left (random order: {percent(random)})"
    return said if one.informative[index] else f"not informative: {said}"


def draw_maps(
    artifacts: Artifacts, context: Context, maps: list[Saliency], index: int, sample: Array, alt: str
) -> AssetRef | None:
    """Store a picture or signal with its maps beside it; None for a sample that is neither."""
    kind = kind_of(sample.shape, str(sample.dtype))
    name = maps[0].input
    if kind == "none" or sample.dtype.kind not in "biuf" or maps[0].words:
        return None
    picture = to_picture(as_displayed(artifacts, name, sample), input_scales(artifacts).get(name))
    if picture is None:
        return None
    if maps[0].values.ndim == 2:
        return draw_panes([_signal_with_maps(picture.pixels, maps, index)], artifacts.privacy, context, alt)
    pane = enlarge(shrink_pane(picture.pixels, MOST_PANE), PANE_SIDE)
    panes = [pane, *(_heat(one, index, pane.shape[:2]) for one in maps)]
    return draw_panes([np.concatenate(_joined(panes), axis=1)], artifacts.privacy, context, alt)


def _joined(panes: list[Pixels]) -> list[Pixels]:
    """Return colour pictures of one height with white gaps between."""
    gap = np.full((panes[0].shape[0], 3, 3), 255, np.uint8)
    parts: list[Pixels] = []
    for pane in panes:
        parts += [np.repeat(pane[..., None], 3, axis=-1) if pane.ndim == 2 else pane, gap]
    return parts[:-1]


def _heat(one: Saliency, index: int, shape: tuple[int, ...]) -> Pixels:
    """Paint a map from 0 to its largest value; in grey where it is not informative."""
    found = one.values[index]
    found = found[found.shape[0] // 2] if found.ndim > len(shape) else found  # of a volume the slice that is shown
    values = np.maximum(resize(found, shape), 0)
    largest = float(values.max()) if values.size else 0.0
    unit = values / largest if largest > 0 else values
    return paint_heat(unit) if one.informative[index] else _greyed(unit)


def paint_heat(unit: Array) -> Pixels:
    """Return (h, w, 3) colours of values 0..1."""
    place = np.clip(unit, 0, 1) * (len(RAMP) - 1)
    low = np.minimum(place.astype(np.int64), len(RAMP) - 2)
    part = (place - low)[..., None]
    return np.asarray(np.rint(RAMP[low] * (1 - part) + RAMP[low + 1] * part), np.uint8)


def _greyed(unit: Array) -> Pixels:
    """Return a pale grey map with a diagonal through it: a mark that colour alone would not be."""
    grey = np.rint(120 + 90 * np.clip(unit, 0, 1)).astype(np.uint8)
    pixels = np.repeat(grey[..., None], 3, axis=-1)
    if grey.ndim == 2:
        steps = np.linspace(0, 1, 2 * max(grey.shape))
        pixels[(steps * (grey.shape[0] - 1)).astype(int), (steps * (grey.shape[1] - 1)).astype(int)] = 40
    return np.asarray(pixels, np.uint8)


def _signal_with_maps(line: Pixels, maps: list[Saliency], index: int) -> Pixels:
    """Return the drawn signal with one strip a map under it, time left to right."""
    width = line.shape[1]
    parts = [np.repeat(line[..., None], 3, axis=-1)]
    for one in maps:
        strip = np.repeat(_heat(one, index, (width,))[None], STRIP, axis=0)
        if not one.informative[index]:
            strip[STRIP // 2] = 40  # struck through
        parts += [np.full((3, width, 3), 255, np.uint8), strip]
    return np.concatenate(parts, axis=0)


def _spoken(artifacts: Artifacts, maps: list[Saliency], index: int, sample: Array, explained: str) -> str:
    """Return a text and the words that count, by the first map that has a value for each (after pooling none has)."""
    for one in maps:
        text, top = important_words(artifacts, one, index, sample)
        if text:
            sure = "" if one.informative[index] else " (not informative)"
            return f"{text}\nSpeaks for {explained}{sure}: {top}" if top else text
    return ""


def important_words(artifacts: Artifacts, one: Saliency, index: int, sample: Array) -> tuple[str, str]:
    """Return the text as words, and the few that speak most for the prediction with their share."""
    tokens = np.trim_zeros(sample.reshape(-1), "b") if not one.words else sample  # 0 at the end is padding
    words = list(one.words[index]) if one.words else token_words(artifacts, one.input, tokens)
    values = np.asarray(one.values[index], np.float64).reshape(-1)
    if not one.words:
        values = values[: len(words)]
    if len(words) != len(values):
        return "", ""
    total = float(values.sum())
    order = [i for i in np.argsort(-values, kind="stable")[:MOST_WORDS].tolist() if values[i] > 0 and words[i]]
    text = " ".join(word for word in words if word)
    if total <= 0 or not order:
        return shorten(text, 600), ""
    top = [f"{shorten(words[i], 40)} {percent(values[i] / total)}" for i in order if values[i] / total >= 0.03]
    return shorten(text, 600), ", ".join(top)
