"""Which convolution speaks for a model: its maps are weighed for Grad-CAM and answered by channel."""

from __future__ import annotations

import math

from reportgen.worker.walk import Call, Shape, Walk


def last_convolution(walk: Walk) -> Call | None:
    """Return the last convolution whose output still has positions, None without one."""
    return next((call for call, _ in reversed(_convolutions(walk))), None)


def smallest_convolution(walk: Walk) -> Call | None:
    """Return the last convolution among those with the fewest positions that is no output, None without one.

    Where every position has a class, the last one's map is the answer itself; in the middle of a U-Net it is not.
    """
    ends = walk.end_layers()
    found = [(call, inner) for call, inner in _convolutions(walk) if id(call.layer) not in ends]
    return min(reversed(found), key=lambda pair: math.prod(size or 1 for size in pair[1]), default=(None, ()))[0]


def _convolutions(walk: Walk) -> list[tuple[Call, Shape]]:
    """Return the convolutions whose output has positions, with the sizes of these."""
    found = []
    for call in walk.first_calls():
        kind, shape = type(call.layer).__name__, call.output_shape()
        inner = shape[2:] if getattr(call.layer, "data_format", "") == "channels_first" else shape[1:-1]
        if "Conv" in kind and "LSTM" not in kind and inner and all(size is None or size > 1 for size in inner):
            found.append((call, inner))
    return found
