"""Samples as a reader sees them: a name, and a picture, a text or feature values as far as privacy allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reportgen.analysis.evidence import Array, Artifacts, KeptSamples, RecordArrays
from reportgen.analysis.images import Picture, Pixels, Scale, blur, choose_scale, kind_of, to_picture
from reportgen.analysis.mosaics import enlarge, side_by_side
from reportgen.report.blocks import AssetRef, Block, Fold, Gallery, Montage
from reportgen.report.types import Section
from reportgen.sections.context import Context
from reportgen.sections.words import number_text, shorten

MOST_FEATURES = 12
MOST_TOKENS = 60
MOST_LETTERS = 600
PHOTO_SIDE = 64  # larger pictures are photographs: WebP, shrunk; smaller ones stay exact
MOST_SIDE = 160
LEAST_SIDE = 24


@dataclass(frozen=True, slots=True)
class Content:
    """What may be shown of one sample: a stored picture, a text (also feature values), both or neither."""

    image: AssetRef | None = None
    text: str = ""


def key_text(key: int) -> str:
    """Write a sample key as 16 hex digits."""
    return f"{int(key):016x}"


def sample_name(position: int, key: int, user_id: str, privacy: str) -> str:
    """Name a sample: the user's id, else its row in the batch; with privacy "none" only its key."""
    if privacy == "none":
        return key_text(key)[:8]
    return shorten(user_id, 60, keep="end") if user_id else f"row {position}"


def kept_name(kept: KeptSamples, row: int, privacy: str) -> str:
    """Name the sample in row `row` of the kept ones."""
    user_id = kept.ids[row] if row < len(kept.ids) else ""
    return sample_name(int(kept.positions[row]), int(kept.keys[row]), user_id, privacy)


def kept_rows(kept: KeptSamples | None) -> dict[int, int]:
    """Map rows of the batch to rows of the kept samples."""
    return {} if kept is None else {int(position): i for i, position in enumerate(kept.positions)}


def name_of_position(artifacts: Artifacts, position: int) -> str:
    """Name a sample by its row in the batch, through the kept samples or the records."""
    worker = artifacts.worker
    if worker is None:
        return f"row {position}"
    row = kept_rows(worker.kept).get(position)
    if row is not None and worker.kept is not None:
        return kept_name(worker.kept, row, artifacts.privacy)
    for output in worker.outputs:
        found = np.flatnonzero(output.records.positions == position)
        if found.size:
            return record_name(output.records, int(found[0]), artifacts.privacy)
    return "a sample" if artifacts.privacy == "none" else f"row {position}"


def record_name(records: RecordArrays, row: int, privacy: str) -> str:
    """Name the sample of one record."""
    user_id = records.ids[row] if row < len(records.ids) else ""
    return sample_name(int(records.positions[row]), int(records.keys[row]), user_id, privacy)


def input_scales(artifacts: Artifacts) -> dict[str, Scale]:
    """Return one grey scale an input, from the range of the whole batch, so that pictures compare."""
    worker = artifacts.worker
    return {} if worker is None else {i.name: choose_scale(i.low, i.high, i.dtype) for i in worker.inputs}


def show_content(artifacts: Artifacts, row: int, context: Context, alt: str) -> Content:
    """Return what privacy allows to show of the inputs of kept sample `row`; several pictures side by side."""
    kept = artifacts.worker.kept if artifacts.worker else None
    if kept is None or artifacts.privacy not in ("show", "blur"):
        return Content()
    pictures: list[Pixels] = []
    texts: list[str] = []
    scales = input_scales(artifacts)
    for name, values in kept.inputs.items():
        picture = to_picture(values[row], scales.get(name))
        if picture is not None:
            pictures.append(picture.pixels)
        else:
            text = describe_values(values[row])
            texts.append(f"{name}: {text}" if len(kept.inputs) > 1 else text)
    text = "\n".join(texts) if artifacts.privacy == "show" else ""
    return Content(draw_panes(pictures, artifacts.privacy, context, alt) if pictures else None, text)


def draw_panes(panes: list[Pixels], privacy: str, context: Context, alt: str) -> AssetRef:
    """Store pictures side by side, blurred if privacy asks for it; tiny ones are enlarged by whole pixels."""
    if privacy == "blur":
        panes = [blur(pane) for pane in panes]
    if len(panes) > 1:
        tallest = max(pane.shape[0] for pane in panes)
        panes = [enlarge_by(pane, max(1, tallest // pane.shape[0])) for pane in panes]
    pixels = panes[0] if len(panes) == 1 else side_by_side(panes)
    if max(pixels.shape[:2]) > PHOTO_SIDE and len(panes) == 1 and pixels.ndim == 3:
        return context.draw(shrink_photo(pixels), "photo", alt)
    small = max(pixels.shape[:2]) < LEAST_SIDE
    return context.draw(enlarge(pixels, LEAST_SIDE) if small else shrink_photo(pixels), "pixels", alt)


def enlarge_by(pixels: Pixels, factor: int) -> Pixels:
    """Repeat every pixel `factor` times in both directions."""
    return np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1)


def shrink_photo(pixels: Pixels, most: int = MOST_SIDE) -> Pixels:
    """Average whole blocks until the longer side is at most 2 x `most` px; smaller pictures are kept."""
    factor = max(pixels.shape[:2]) // most
    if factor < 2:
        return pixels
    h, w = (size // factor * factor for size in pixels.shape[:2])
    blocks = pixels[:h, :w].reshape(h // factor, factor, w // factor, factor, -1).mean(axis=(1, 3))
    shrunk: Pixels = np.rint(blocks).astype(np.uint8)
    return shrunk[..., 0] if pixels.ndim == 2 else shrunk


def describe_values(sample: Array) -> str:
    """Write one sample without a picture: its text, its tokens, its features, or its shape."""
    if sample.dtype.kind in "US":
        words = [w.decode("utf-8", "replace") if isinstance(w, bytes) else str(w) for w in sample.reshape(-1).tolist()]
        return shorten(" ".join(words), MOST_LETTERS)
    if sample.dtype.kind in "iu" and sample.ndim == 1 and sample.size > 1:
        tokens = [str(int(token)) for token in _without_padding(sample)]
        more = f" … {len(tokens) - MOST_TOKENS:,} more" if len(tokens) > MOST_TOKENS else ""
        return f"tokens {' '.join(tokens[:MOST_TOKENS])}{more}"
    if sample.size <= 1 or sample.ndim <= 1:
        flat = sample.reshape(-1)
        if flat.size == 1:
            return number_text(flat[0])
        parts = [f"x{i} {number_text(value)}" for i, value in enumerate(flat[:MOST_FEATURES])]
        more = f" … {flat.size - MOST_FEATURES:,} more" if flat.size > MOST_FEATURES else ""
        return " · ".join(parts) + more
    if sample.ndim == 2 and sample.size <= 2 * MOST_FEATURES:
        return " / ".join(describe_values(row) for row in sample)
    return f"values of shape {' × '.join(str(size) for size in sample.shape)}"


def _without_padding(tokens: Array) -> Array:
    """Return tokens without the run of zeros before or after them (Keras pads with 0)."""
    used = np.flatnonzero(tokens)
    return tokens[used[0] : used[-1] + 1] if used.size else tokens[:1]


def has_pictures(artifacts: Artifacts) -> bool:
    """Say whether any input of the kept samples can be shown as a picture."""
    kept = artifacts.worker.kept if artifacts.worker else None
    return kept is not None and any(kind_of(v.shape[1:], str(v.dtype)) != "none" for v in kept.inputs.values())


def scale_words(artifacts: Artifacts) -> str:
    """Say how pictures were scaled and what was left out of them, or "" when there are none."""
    kept = artifacts.worker.kept if artifacts.worker else None
    if kept is None or artifacts.privacy not in ("show", "blur"):
        return ""
    scales, words = input_scales(artifacts), []
    for name, values in kept.inputs.items():
        if not len(values) or kind_of(values.shape[1:], str(values.dtype)) == "none":
            continue
        if kind_of(values.shape[1:], str(values.dtype)) == "signal":
            words.append("Signals are drawn from their own lowest to highest value, one lane a channel.")
            continue
        picture = to_picture(values[0], scales.get(name))
        rule = scales[name].rule if name in scales else "each picture on its own scale"
        words.append(f"Pictures: {rule}{_note_of(picture)}.")
    return " ".join(dict.fromkeys(words))


def _note_of(picture: Picture | None) -> str:
    """Return the picture's note as the end of a sentence."""
    return f"; {picture.note}" if picture is not None and picture.note else ""


PRIVACY_WORDS = {
    "show": "",
    "blur": "Pictures are blurred; texts and feature values are left out (samples: blur).",
    "ids": "The content of samples is left out (samples: ids).",
    "none": "Names and content of samples are left out (samples: none); each is known by its key.",
}


def samples_shown(*sections: Section) -> int:
    """Count the samples whose content (picture, text, feature values, feature maps) the sections hold.

    A sample that is shown in several places counts once: cards by key and name, feature maps by the sample's name.
    """
    cards: set[tuple[str, str]] = set()
    maps: set[str] = set()
    for block in _flat(tuple(block for section in sections for block in section.blocks)):
        if isinstance(block, Gallery):
            cards |= {(card.key, card.label) for card in block.samples if card.image is not None or card.text}
        elif isinstance(block, Montage) and block.sample:
            maps.add(block.sample)
    return len(cards) + len(maps - {label for _, label in cards})


def _flat(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return the blocks with those inside folds in their places."""
    return tuple(inner for block in blocks for inner in (block.blocks if isinstance(block, Fold) else (block,)))
