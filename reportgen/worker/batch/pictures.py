"""Pictures from files or bytes: decoded with Pillow within limits, brought to one size as Keras's own loader does."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Array
from reportgen.worker.plan import BatchSpec

MAX_PIXELS = 50_000_000  # one picture; three times a large camera's
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"})
MODES = {"rgb": "RGB", "grayscale": "L", "rgba": "RGBA"}
CHANNELS = {"rgb": 3, "grayscale": 1, "rgba": 4}


@dataclass(frozen=True, slots=True)
class Frame:
    """What every picture is brought to: height, width, the kind of colour, and whether its channels come first."""

    height: int
    width: int
    color: str
    channels_first: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one picture."""
        channels = CHANNELS[self.color]
        return (channels, self.height, self.width) if self.channels_first else (self.height, self.width, channels)


def choose_frame(spec: BatchSpec, first: tuple[int, int, str]) -> Frame:
    """Return the frame: what the plan says, else what the model takes, else the first picture's own (h, w, color).

    A model whose first axis could be the channels, and whose last one could not, takes the channels first.
    """
    model = next((shape for shape in spec.shapes.values() if len(shape) == 3), (0, 0, 0))
    channels_first = has_channels_first(model)
    if channels_first:
        model = (*model[1:], model[0])
    height, width = spec.size or tuple(size or own for size, own in zip(model[:2], first[:2], strict=True))
    by_model = next((color for color, count in CHANNELS.items() if count == model[2]), first[2])
    return Frame(int(height), int(width), spec.color or by_model, channels_first)


def has_channels_first(shape: tuple[int, ...]) -> bool:
    """Tell whether a picture's first axis could be its channels, and its last one could not."""
    return shape[0] in CHANNELS.values() and shape[-1] not in CHANNELS.values()


def open_picture(source: Path | bytes, name: str) -> Any:
    """Return an opened picture whose header is within the limits; raises InputRefused."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        text = "pictures are decoded with Pillow, which this Python does not have; install it: pip install pillow"
        raise InputRefused(text) from None
    Image.MAX_IMAGE_PIXELS = None  # the limit is checked here, as an error and not a warning
    try:
        picture = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        text = f"{name}: not a picture that can be read (JPEG, PNG, BMP, GIF or WebP); replace or remove it"
        raise InputRefused(text, detail=str(error)) from None
    width, height = picture.size
    if width * height > MAX_PIXELS:
        text = f"{name}: {width:,} x {height:,} pixels are more than {MAX_PIXELS:,} (an image bomb?); make it smaller"
        raise InputRefused(text)
    return picture


def look_at(source: Path | bytes, name: str) -> tuple[int, int, str]:
    """Return (height, width, color) from a picture's header."""
    with open_picture(source, name) as picture:
        grey = picture.mode in ("L", "1", "I", "I;16", "F", "LA")
        return picture.size[1], picture.size[0], "grayscale" if grey else "rgb"


def decode(source: Path | bytes, frame: Frame, name: str) -> Array:
    """Return one picture as float32 of the frame's shape in 0..255; raises InputRefused for a damaged one."""
    with open_picture(source, name) as picture:
        try:
            if picture.mode in ("I", "I;16", "F"):
                pixels = _deep(np.asarray(picture), frame)
            else:
                pixels = np.asarray(picture.convert(MODES[frame.color]), dtype=np.float32)
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            text = f"{name}: the picture is damaged or cut off; replace or remove it"
            raise InputRefused(text, detail=str(error)) from None
    done = resize(pixels.reshape(*pixels.shape[:2], -1), frame.height, frame.width)
    return np.moveaxis(done, -1, 0) if frame.channels_first else done


def _deep(values: Array, frame: Frame) -> Array:
    """Bring 16-bit and float pictures to 0..255, as Keras's loader does for 16-bit PNG."""
    levels = values.astype(np.float32) / (257.0 if values.dtype.kind in "iu" else 1.0)
    return np.repeat(levels[..., None], CHANNELS[frame.color], axis=-1)


def resize(pixels: Array, height: int, width: int) -> Array:
    """Return (h, w, c) as float32 (height, width, c): bilinear without smoothing, `tf.image.resize`'s default."""
    if pixels.shape[:2] == (height, width):
        return pixels.astype(np.float32, copy=False)
    top, bottom, down = _neighbours(pixels.shape[0], height)
    left, right, across = _neighbours(pixels.shape[1], width)
    rows = pixels[top] * (1 - down)[:, None, None] + pixels[bottom] * down[:, None, None]
    done = rows[:, left] * (1 - across)[None, :, None] + rows[:, right] * across[None, :, None]
    return np.asarray(done, dtype=np.float32)


def _neighbours(length: int, wanted: int) -> tuple[Array, Array, Array]:
    """Return each place's two neighbours along an axis and the share of the second (half-pixel centres)."""
    at = (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * np.float32(length / wanted) - np.float32(0.5)
    low = np.floor(at)
    share = at - low
    first = np.clip(low, 0, length - 1).astype(np.int64)
    second = np.clip(low + 1, 0, length - 1).astype(np.int64)
    return first, second, share.astype(np.float32)
