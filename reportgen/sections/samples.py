"""Samples as a reader sees them: a name, and a picture, a text or feature values as far as privacy allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from reportgen.analysis.evidence import Array, Artifacts, KeptSamples, RecordArrays
from reportgen.analysis.images import Picture, Pixels, Scale, blur, kind_of, to_picture
from reportgen.analysis.mosaics import enlarge, pane_grid, stack_panes
from reportgen.report.blocks import AssetRef, Block, Fold, Gallery, Montage, SampleCard
from reportgen.report.types import Section
from reportgen.sections.context import Context
from reportgen.sections.display import as_displayed, feature_names, scale_for, token_words
from reportgen.sections.words import number_text, shorten

MOST_FEATURES = 12
MOST_TOKENS = 60
MOST_LETTERS = 600
PHOTO_SIDE = 64  # larger pictures are photographs: WebP, shrunk; smaller ones stay exact
LEAST_SIDE = 24


@dataclass(frozen=True, slots=True)
class Content:
    """What may be shown of one sample: a stored picture, a text, feature values as (name, value), or nothing."""

    image: AssetRef | None = None
    text: str = ""
    features: tuple[tuple[str, str], ...] = ()


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
    return {} if worker is None else {i.name: scale_for(artifacts, i) for i in worker.inputs}


def show_content(artifacts: Artifacts, row: int, context: Context, alt: str) -> Content:
    """Return what privacy allows to show of the inputs of kept sample `row`; several pictures side by side."""
    kept = artifacts.worker.kept if artifacts.worker else None
    if kept is None or artifacts.privacy not in ("show", "blur"):
        return Content()
    pictures: list[Pixels] = []
    texts: list[str] = []
    features: list[tuple[str, str]] = []
    scales = input_scales(artifacts)
    several = len(kept.inputs) > 1
    for name, values in kept.inputs.items():
        sample = np.asarray(values[row])
        picture = to_picture(as_displayed(artifacts, name, sample), scales.get(name))
        if picture is not None:
            pictures.append(picture.pixels)
        elif is_features(sample):
            features += feature_values(sample, name if several else "x", feature_names(artifacts, name))
        else:
            words = describe_values(sample, partial(token_words, artifacts, name))
            texts.append(f"{name}: {words}" if several else words)
    image = draw_panes(pictures, artifacts.privacy, context, alt) if pictures else None
    if artifacts.privacy == "blur":
        return Content(image)
    return Content(image, "\n".join(texts), tuple(features[: MOST_FEATURES * max(len(kept.inputs), 1)]))


def is_features(sample: Array) -> bool:
    """Say whether a sample is a row of numbers (or one number), not tokens or text."""
    return (sample.dtype.kind in "fb" and sample.ndim <= 1) or (sample.dtype.kind in "iu" and sample.size == 1)


def feature_values(sample: Array, name: str, features: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return the first feature values as (its name, or name[index], value) and how many more there are."""
    flat = sample.reshape(-1)
    names = [shorten(feature, 40) for feature in features[:MOST_FEATURES]]
    names = names if len(features) == flat.size else [f"{name}[{i}]" for i in range(MOST_FEATURES)]
    shown = [(names[i], number_text(value)) for i, value in enumerate(flat[:MOST_FEATURES])]
    if flat.size > MOST_FEATURES:
        shown[-1] = (f"{name}[{MOST_FEATURES - 1}]", f"… {flat.size - MOST_FEATURES + 1:,} more not shown")
    return shown


def draw_panes(panes: list[Pixels], privacy: str, context: Context, alt: str, *, stacked: bool = False) -> AssetRef:
    """Store pictures as one (two a row, or `stacked`), blurred if privacy asks for it; tiny ones enlarged."""
    if privacy == "blur":
        panes = [blur(pane) for pane in panes]
    if stacked:
        return context.draw(stack_panes(panes), "pixels", alt)
    if len(panes) > 1:
        tallest = max(pane.shape[0] for pane in panes)
        panes = [enlarge_by(pane, max(1, tallest // pane.shape[0])) for pane in panes]
    pixels = panes[0] if len(panes) == 1 else pane_grid(panes)
    longest = max(pixels.shape[:2])
    if longest > PHOTO_SIDE and len(panes) == 1 and not _is_drawing(pixels):
        return context.draw(pixels, "photo", alt)
    return context.draw(enlarge(pixels, LEAST_SIDE) if longest < LEAST_SIDE else pixels, "pixels", alt)


def _is_drawing(pixels: Pixels) -> bool:
    """Say whether a picture has so few levels that an exact PNG is smaller than a photograph: a drawn signal."""
    return pixels.ndim == 2 and len(np.unique(pixels)) <= 4


def enlarge_by(pixels: Pixels, factor: int) -> Pixels:
    """Repeat every pixel `factor` times in both directions."""
    return np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1)


def shrink_pane(pixels: Pixels, most: int) -> Pixels:
    """Average blocks of pixels until the longer side is at most `most`; smaller pictures are kept."""
    factor = -(-max(pixels.shape[:2]) // most)
    if factor < 2:
        return pixels
    h, w = (max(size // factor, 1) * min(factor, size) for size in pixels.shape[:2])
    down, across = min(factor, pixels.shape[0]), min(factor, pixels.shape[1])
    blocks = pixels[:h, :w].reshape(h // down, down, w // across, across, -1).mean(axis=(1, 3))
    shrunk: Pixels = np.rint(blocks).astype(np.uint8)
    return shrunk[..., 0] if pixels.ndim == 2 else shrunk


def describe_values(sample: Array, name_tokens: Callable[[Array], list[str]] | None = None) -> str:
    """Write one sample that is neither a picture nor a row of features: its text, its tokens, or its shape."""
    if sample.dtype.kind in "US":
        words = [w.decode("utf-8", "replace") if isinstance(w, bytes) else str(w) for w in sample.reshape(-1).tolist()]
        return shorten(" ".join(words), MOST_LETTERS)
    if sample.dtype.kind in "iu" and sample.ndim == 1 and sample.size > 1:
        used = _without_padding(sample)
        tokens = name_tokens(used) if name_tokens is not None else [str(int(token)) for token in used]
        more = f" … {len(tokens) - MOST_TOKENS:,} more" if len(tokens) > MOST_TOKENS else ""
        return f"tokens {' '.join(tokens[:MOST_TOKENS])}{more}"
    if sample.ndim == 2 and sample.size <= 2 * MOST_FEATURES:
        return " / ".join(", ".join(number_text(value) for value in row) for row in sample)
    return f"values of shape {' × '.join(str(size) for size in sample.shape)}"


def _without_padding(tokens: Array) -> Array:
    """Return tokens without the run of zeros before or after them (Keras pads with 0)."""
    used = np.flatnonzero(tokens)
    return tokens[used[0] : used[-1] + 1] if used.size else tokens[:1]


def has_pictures(kept: KeptSamples) -> bool:
    """Say whether any input of the kept samples can be shown as a picture."""
    return any(kind_of(values.shape[1:], str(values.dtype)) != "none" for values in kept.inputs.values())


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
            cards |= {(card.key, card.label) for card in block.samples if shows_content(card)}
        elif isinstance(block, Montage) and block.sample:
            maps.add(block.sample)
    return len(cards) + len(maps - {label for _, label in cards})


def shows_content(card: SampleCard) -> bool:
    """Say whether a card holds a picture, a text or feature values."""
    return card.image is not None or bool(card.text) or (card.features > 0 and bool(card.details))


def _flat(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return the blocks with those inside folds in their places."""
    return tuple(inner for block in blocks for inner in (block.blocks if isinstance(block, Fold) else (block,)))
