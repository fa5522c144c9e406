"""Which convolution speaks for a model: its maps are weighed for Grad-CAM and answered by channel."""

from __future__ import annotations

from reportgen.worker.walk import Call, Walk


def last_convolution(walk: Walk) -> Call | None:
    """Return the last convolution whose output still has positions, None without one."""
    for call in reversed(walk.first_calls()):
        kind, shape = type(call.layer).__name__, call.output_shape()
        inner = shape[2:] if getattr(call.layer, "data_format", "") == "channels_first" else shape[1:-1]
        if "Conv" in kind and "LSTM" not in kind and inner and all(size is None or size > 1 for size in inner):
            return call
    return None
