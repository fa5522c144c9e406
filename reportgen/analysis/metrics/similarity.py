"""Structural similarity (SSIM) of pictures, signals and volumes, for several value ranges at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.metrics.labels import flat_rows

Array = NDArray[Any]

WINDOW = 7
K1, K2 = 0.01, 0.03


def spatial_axes(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Return the axes of one sample that are positions, by its shape: all but the channels; none for a bare row.

    Two axes are a picture without channels, unless the last has at most 4 entries: then it holds channels.
    """
    if len(shape) < 2:
        return ()
    if len(shape) == 2:
        return (0,) if (shape[1] or 0) <= 4 else (0, 1)
    return tuple(range(len(shape) - 1))


def window_size(sizes: tuple[int, ...]) -> int:
    """Return the side of the window: 7, or the largest odd number that fits; 0 below 3."""
    smallest = min(sizes, default=0)
    side = min(WINDOW, smallest - 1 + smallest % 2)
    return side if side >= 3 else 0


def ssim(truth: Array, answer: Array, ranges: tuple[float, ...]) -> Array:
    """Return the mean SSIM of each sample for each value range: (n, len(ranges)); NaN where no window fits.

    Arrays (n, ...) of float64. A uniform window over the positions, sample covariances, and only windows that lie
    inside, as scikit-image's structural_similarity does by default. Z. Wang et al., IEEE Trans. Image Processing 13
    (2004).
    """
    n = len(truth)
    axes = tuple(axis + 1 for axis in spatial_axes(truth.shape[1:]))
    side = window_size(tuple(truth.shape[axis] for axis in axes))
    if not side:
        return np.full((n, len(ranges)), np.nan)
    size = side ** len(axes)
    mean_a, mean_b = (_window_mean(values, axes, side) for values in (truth, answer))
    unbiased = size / (size - 1)
    var_a = unbiased * (_window_mean(truth * truth, axes, side) - mean_a**2)
    var_b = unbiased * (_window_mean(answer * answer, axes, side) - mean_b**2)
    shared = unbiased * (_window_mean(truth * answer, axes, side) - mean_a * mean_b)
    light, contrast = 2 * mean_a * mean_b, 2 * shared
    energy, spread = mean_a**2 + mean_b**2, var_a + var_b
    result = np.empty((n, len(ranges)))
    for index, span in enumerate(ranges):
        c1, c2 = (K1 * span) ** 2, (K2 * span) ** 2
        top = (light + c1) * (contrast + c2)
        top /= (energy + c1) * (spread + c2)
        result[:, index] = flat_rows(top).mean(axis=1)
    return result


def _window_mean(values: Array, axes: tuple[int, ...], side: int) -> Array:
    """Return the mean over a sliding window along `axes`, for windows that lie inside."""
    for axis in axes:
        length = values.shape[axis] - side + 1
        before = (slice(None),) * axis
        total = values[(*before, slice(0, length))].copy()
        for step in range(1, side):
            total += values[(*before, slice(step, step + length))]
        total /= side
        values = total
    return values
