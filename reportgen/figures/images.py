"""Arrays as stored pictures, by Pillow. Laying tiles into one array is `analysis.mosaics`; here they become bytes.

The same array gives the same bytes with the same Pillow: nothing but the pixels is written, no time, no text chunk.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reportgen.figures.drawing import Drawing
from reportgen.sections.context import PictureKind

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8]

PHOTO_SIDE = 192  # CSS pixels: sharp in a grid of samples, 4-9 KB
# Measured on 100 crops of two photographs, CPU of one core: WebP method 4, quality 80 took 365 ms for 6.1 kB each at
# 33.9 dB; method 0, quality 75 takes 113 ms for 6.6 kB at 33.0 dB. JPEG would take 18 ms, for 7.9 kB at 32.7 dB.
PHOTO_QUALITY, PHOTO_METHOD = 75, 0
LARGEST_SIDE = 16_000
PNG_LEVEL = 6  # above it, bytes shrink by under 2% and time doubles


def encode_picture(pixels: NDArray[Any], kind: PictureKind) -> Drawing:
    """Encode uint8 pixels (h, w), (h, w, 1), (h, w, 3) or (h, w, 4).

    "photo" becomes WebP, its longer side at most 192 px; "pixels" an exact PNG; "maps" an exact 8-bit PNG, grey or
    with a palette where it has at most 256 colours. Raises ValueError for another dtype, another shape, or no pixel.
    """
    array = _check(pixels)
    if kind == "photo":
        return _encode_photo(array)
    image = _as_image(_drop_equal_channels(array))
    if kind == "maps" and image.mode == "RGB":
        image = _use_palette(array) or image
    return _save(image, "image/png", format="PNG", compress_level=9 if array.size < 20_000 else PNG_LEVEL)


def _check(pixels: NDArray[Any]) -> Pixels:
    """Return the pixels as (h, w) or (h, w, 3 or 4), or refuse them."""
    if pixels.dtype != np.uint8:
        raise ValueError(f"a picture needs uint8 pixels, not {pixels.dtype}")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise ValueError(f"a picture has shape (h, w), (h, w, 3) or (h, w, 4), not {pixels.shape}")
    if not pixels.size or max(pixels.shape[:2]) > LARGEST_SIDE:
        raise ValueError(f"a picture has 1 to {LARGEST_SIDE:,} pixels a side, not {pixels.shape}")
    return np.ascontiguousarray(pixels)


def _as_image(array: Pixels) -> Image:
    """Return the pixels as a Pillow image."""
    from PIL import Image

    return Image.fromarray(array)


def _drop_equal_channels(array: Pixels) -> Pixels:
    """Return a grey picture that was stored in three equal channels as one."""
    if array.ndim == 3 and array.shape[2] == 3 and (array == array[:, :, :1]).all():
        return np.ascontiguousarray(array[:, :, 0])
    return array


def _encode_photo(array: Pixels) -> Drawing:
    """Return a WebP thumbnail, or a PNG where this Pillow has no WebP."""
    from PIL import Image, features

    image = _as_image(array)
    longest = max(image.size)
    if longest > PHOTO_SIDE:
        size = [max(1, round(side * PHOTO_SIDE / longest)) for side in image.size]
        # Pillow widens the triangle to the scale, so that nothing aliases; Lanczos takes more than twice as long.
        image = image.resize((size[0], size[1]), Image.Resampling.BILINEAR, reducing_gap=3.0)
    if not features.check("webp"):
        return _save(image, "image/png", format="PNG", compress_level=9)
    return _save(image, "image/webp", format="WEBP", quality=PHOTO_QUALITY, method=PHOTO_METHOD)


def _use_palette(array: Pixels) -> Image | None:
    """Return the picture with a palette of its colours in ascending order, or None when it has more than 256."""
    packed = (array.astype(np.uint32) * np.array([1 << 16, 1 << 8, 1], np.uint32)).sum(axis=2, dtype=np.uint32)
    colours, index = np.unique(packed, return_inverse=True)
    if colours.size > 256:
        return None
    image = _as_image(index.reshape(packed.shape).astype(np.uint8))
    palette = np.stack([colours >> 16, (colours >> 8) & 255, colours & 255], axis=1).astype(np.uint8)
    image.putpalette(palette.tobytes())
    return image


def _save(image: Image, media_type: str, **settings: Any) -> Drawing:
    """Return the encoded picture with its size."""
    file = io.BytesIO()
    image.save(file, **settings)
    return Drawing(media_type, file.getvalue(), image.width, image.height)
