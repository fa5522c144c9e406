"""Arrays as stored pictures: exact where promised, small, and the same bytes every time."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from reportgen.figures.images import PHOTO_SIDE, encode_picture

RNG = np.random.default_rng(0)


def decode(data: bytes, mode: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (5, 9, 3), (5, 9, 4), (300, 2, 3)])
def test_pixels_are_kept_exactly(shape: tuple[int, ...]) -> None:
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    drawing = encode_picture(pixels, "pixels")
    mode = {2: "L", 3: "RGB", 4: "RGBA"}[2 if len(shape) == 2 else shape[2]]
    assert (drawing.media_type, drawing.width, drawing.height) == ("image/png", shape[1], shape[0])
    assert np.array_equal(decode(drawing.data, mode), pixels)


def test_one_channel_and_three_equal_channels_are_stored_as_grey() -> None:
    grey = RNG.integers(0, 256, (9, 7), dtype=np.uint8)
    plain = encode_picture(grey, "pixels").data
    assert encode_picture(grey[:, :, None], "pixels").data == plain
    assert encode_picture(np.repeat(grey[:, :, None], 3, axis=2), "pixels").data == plain


def test_maps_with_few_colours_use_a_palette_and_stay_exact() -> None:
    colours = RNG.integers(0, 256, (200, 3), dtype=np.uint8)
    pixels = colours[RNG.integers(0, 200, (90, 80))]
    drawing = encode_picture(pixels, "maps")
    assert Image.open(io.BytesIO(drawing.data)).mode == "P"
    assert np.array_equal(decode(drawing.data, "RGB"), pixels)


def test_maps_with_many_colours_stay_exact() -> None:
    pixels = RNG.integers(0, 256, (90, 80, 3), dtype=np.uint8)
    assert np.array_equal(decode(encode_picture(pixels, "maps").data, "RGB"), pixels)


def test_photos_are_shrunk_to_a_thumbnail_and_keep_their_proportions() -> None:
    ramp = np.linspace(0, 255, 400 * 200 * 3).reshape(400, 200, 3).astype(np.uint8)
    drawing = encode_picture(ramp, "photo")
    assert (drawing.media_type, drawing.width, drawing.height) == ("image/webp", PHOTO_SIDE // 2, PHOTO_SIDE)
    assert len(drawing.data) < 9000
    assert abs(float(decode(drawing.data, "RGB").mean()) - float(ramp.mean())) < 3


def test_small_photos_are_not_enlarged() -> None:
    drawing = encode_picture(RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8), "photo")
    assert (drawing.width, drawing.height) == (32, 32)


@pytest.mark.parametrize("kind", ["photo", "pixels", "maps"])
def test_the_same_pixels_give_the_same_bytes(kind: str) -> None:
    pixels = RNG.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    first = encode_picture(pixels, kind)  # type: ignore[arg-type]
    again = encode_picture(np.asfortranarray(pixels), kind)  # type: ignore[arg-type]
    assert first == again


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4)),
        np.zeros((4,), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((20_000, 1), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a picture"):
        encode_picture(pixels, "pixels")
