"""Arrays turned into displayable pixels: one stated scaling rule, NaN marked, blur for privacy.

Everything returns uint8 arrays (h, w) grey or (h, w, 3) colour; encoding them is the room `figures`' work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Pixels = NDArray[np.uint8]
Kind = Literal["picture", "signal", "volume", "none"]

NAN_COLOUR = (255, 0, 200)  # no grey and rare in photographs
SIGNAL_WIDTH, SIGNAL_HEIGHT = 192, 96
MOST_SIGNAL_CHANNELS = 8
SHORTEST_SIGNAL = 4
MOST_PANES = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """How values become grey levels: `low` is black, `high` is white; `rule` says so in words."""

    low: float
    high: float
    rule: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Displayable pixels of one sample. `note` says what was left out; `nan` counts values that are no number."""

    pixels: Pixels
    note: str
    nan: int


def choose_scale(low: float, high: float, dtype: str = "float32") -> Scale:
    """Choose the scale of a whole input from the smallest and largest value of the batch.

    Known ranges (0..1, 0..255, -1..1) are kept, so that a dark batch stays dark; any other range is stretched.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return Scale(0.0, 1.0, "0 is black, 1 is white")
    if dtype in ("uint8", "|u1") or (low >= 0 and 128 <= high <= 255):
        return Scale(0.0, 255.0, "0 is black, 255 is white")
    if low >= 0 and 0.1 <= high <= 1:
        return Scale(0.0, 1.0, "0 is black, 1 is white")
    if -1 <= low < 0 and high <= 1 and min(-low, high) > 0.1:
        return Scale(-1.0, 1.0, "-1 is black, 1 is white")
    if low == high:
        return Scale(low - 0.5, high + 0.5, f"every value is {low:.4g}, drawn mid-grey")
    return Scale(low, high, f"stretched: {low:.4g} is black, {high:.4g} is white")


def scale_of(values: Array) -> Scale:
    """Choose the scale of an array from its own finite values."""
    finite = as_float(values)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return Scale(0.0, 1.0, "no finite value")
    return choose_scale(float(finite.min()), float(finite.max()), str(values.dtype))


def to_grey(values: Array, low: float, high: float) -> Pixels:
    """Return uint8 levels of `values`: `low` and below black, `high` and above white, NaN black (see `mark_nan`)."""
    span = high - low
    if not span > 0:
        return np.full(values.shape, 128, np.uint8)
    if values.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        return np.array(values)
    with np.errstate(invalid="ignore", over="ignore"):
        unit = as_float(values) - low
        unit /= span
    np.clip(unit, 0.0, 1.0, out=unit)
    unit *= 255
    np.rint(unit, out=unit)
    unit[np.isnan(unit)] = 0.0
    return unit.astype(np.uint8)


def mark_nan(pixels: Pixels, where: Array) -> Pixels:
    """Return `pixels` with the places `where` painted in `NAN_COLOUR` (colour then); unchanged when there are none."""
    if not where.any():
        return pixels
    colour = np.repeat(pixels[..., None], 3, axis=-1) if pixels.ndim == 2 else pixels[..., :3].copy()
    colour[where] = NAN_COLOUR
    return colour


def kind_of(shape: tuple[int, ...], dtype: str = "float32") -> Kind:
    """Say how a sample of this shape (no batch dimension) can be shown.

    Integers in one dimension are tokens, never a signal. Short float vectors are features: "none" here too.
    """
    if not shape or min(shape) < 1 or dtype.lstrip("<>|=")[:1] in ("U", "S", "O"):
        return "none"
    number = np.dtype(dtype).kind
    if number not in "iufb":
        return "none"
    if len(shape) == 1:
        return "signal" if number == "f" and shape[0] >= 100 else "none"
    if len(shape) == 2:
        if shape[0] < SHORTEST_SIGNAL:
            return "picture" if shape[0] > 1 and shape[1] > MOST_SIGNAL_CHANNELS else "none"
        small = shape[1] > MOST_SIGNAL_CHANNELS or shape[0] == shape[1]  # a square of few pixels is a picture too
        return "picture" if small else "signal"
    if len(shape) == 3:
        return "picture"
    return "volume" if len(shape) == 4 else "none"


def channels_first(shape: tuple[int, ...]) -> bool:
    """Say whether a (.., .., ..) picture shape has its channels first: (3, 32, 32) yes, (32, 32, 3) no."""
    return shape[0] in (1, 3, 4) and shape[-1] not in (1, 2, 3, 4) and shape[1] > 4


def to_picture(sample: Array, scale: Scale | None = None) -> Picture | None:
    """Turn one sample into a picture, or None when its shape has none.

    (h, w), (h, w, 1|3|4), the same with channels first, more channels side by side, (t, channels) as a line plot, and
    (d, h, w, c) by its middle slice. `scale` defaults to that of the sample alone.
    """
    kind = kind_of(sample.shape, str(sample.dtype))
    if kind == "none":
        return None
    values = np.asarray(sample)
    nan = int(np.isnan(values).sum()) if values.dtype.kind == "f" else 0
    if kind == "signal":
        return Picture(draw_signal(as_float(values)), "", nan)
    scale = scale or scale_of(sample)
    note = ""
    if kind == "volume":
        if channels_first(values.shape[:1] + values.shape[2:]):
            values = np.moveaxis(values, 0, -1)
        middle = values.shape[0] // 2
        note = f"slice {middle + 1} of {values.shape[0]}"
        values = values[middle]
    if values.ndim == 3 and channels_first(values.shape):
        values = np.moveaxis(values, 0, -1)
    if values.ndim == 3 and values.shape[-1] not in (1, 3, 4):
        panes = min(values.shape[-1], MOST_PANES)
        note = ", ".join(filter(None, (note, f"channels 1 to {panes} of {values.shape[-1]} side by side")))
        values = np.concatenate([values[..., i] for i in range(panes)], axis=1)
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    pixels = to_grey(values, scale.low, scale.high)
    if pixels.ndim == 3 and pixels.shape[-1] == 4:
        pixels = pixels[..., :3]
        note = ", ".join(filter(None, (note, "transparency not shown")))
    if nan:
        missing: Array = np.isnan(values)
        pixels = mark_nan(pixels, missing if values.ndim == 2 else np.asarray(missing.any(-1)))
    return Picture(pixels, note, nan)


def draw_signal(values: Array, width: int = SIGNAL_WIDTH, height: int = SIGNAL_HEIGHT) -> Pixels:
    """Draw (t,) or (t, channels) as lines on white, one lane a channel, each from its own lowest to highest value."""
    lanes = values.reshape(len(values), -1)[:, :MOST_SIGNAL_CHANNELS].T
    lane_height = max(height // len(lanes), 12)
    canvas = np.full((lane_height * len(lanes), width), 255, np.uint8)
    for i, lane in enumerate(lanes):
        _draw_lane(canvas[i * lane_height : (i + 1) * lane_height], lane)
    return canvas


def _draw_lane(canvas: Pixels, lane: Array) -> None:
    """Draw one polyline into `canvas` in place; NaN leaves a gap."""
    height, width = canvas.shape
    finite = lane[np.isfinite(lane)]
    if not finite.size:
        return
    low, high = float(finite.min()), float(finite.max())
    at = np.linspace(0, len(lane) - 1, width * 4)
    line = np.interp(at, np.arange(len(lane)), np.where(np.isfinite(lane), lane, np.nan))
    unit = (line - low) / (high - low) if high > low else np.full(line.shape, 0.5)
    rows = (height - 2) - unit * (height - 3)
    columns = rows.reshape(width, 4)
    for x in range(width):
        seen = columns[x][np.isfinite(columns[x])]
        if seen.size:
            before = columns[x - 1][-1] if x else seen[0]
            ends = np.append(seen, before) if math.isfinite(before) else seen
            canvas[int(ends.min()) : int(ends.max()) + 2, x] = 40


def blur(pixels: Pixels) -> Pixels:
    """Return `pixels` reduced to at most 8 blocks a side (2 for the smallest), so that nothing fine survives."""
    out = pixels
    for axis in (0, 1):
        size = out.shape[axis]
        blocks = min(max(size // 8, 2), 8, size)
        edges = np.linspace(0, size, blocks + 1).astype(int)
        sums = np.add.reduceat(out.astype(np.float64), edges[:-1], axis=axis)
        shape = [1] * out.ndim
        shape[axis] = blocks
        widths = np.diff(edges)
        out = np.repeat(np.rint(sums / widths.reshape(shape)).astype(np.uint8), widths, axis=axis)
    return out


def paint_classes(labels: Array, classes: int) -> Pixels:
    """Paint a (h, w) map of class indices: class 0 (background) black, the others in colours of differing lightness."""
    palette = class_colours(max(classes, int(labels.max(initial=0)) + 1))
    painted: Pixels = palette[np.clip(labels, 0, len(palette) - 1).astype(np.int64)]
    return painted


def class_colours(classes: int) -> Pixels:
    """Return (classes, 3) colours; hues go round by the golden angle, lightness alternates, class 0 is black.

    None is darker than 3:1 against the black that it stands on (WCAG 2.2, 1.4.11).
    """
    index = np.arange(classes)
    hue = (index * 0.61803398875 + 0.05) % 1.0
    light = np.where(index % 2 == 0, 0.95, 0.70)
    sector = (hue[:, None] * 6 + np.array([0.0, 4.0, 2.0])) % 6
    pure = np.clip(np.abs(sector - 3) - 1, 0, 1)
    colours: Pixels = np.rint((1 - 0.55 * (1 - pure)) * light[:, None] * 255).astype(np.uint8)
    colours[:1] = 0
    return colours


def paint_difference(truth: Array, predicted: Array) -> Pixels:
    """Paint where two (h, w) class maps differ: dark where both say background, light where right, red where wrong."""
    pixels = np.full((*truth.shape, 3), 40, np.uint8)
    pixels[(truth == predicted) & (truth != 0)] = (190, 190, 190)
    pixels[truth != predicted] = (230, 60, 40)
    return pixels


def as_float(values: Array) -> Array:
    """Return `values` as float64 (booleans and integers too)."""
    return np.asarray(values, dtype=np.float64)
