"""Multiply-accumulates a sample, by layer type. None where it is not known: never a guess.

Counted are the products of matrix multiplications and convolutions (bias and activation left out), as in the usual
"FLOPs / 2" tables; a strided or padded convolution counts its output positions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Shape = tuple[int | None, ...]
_FREE = (
    "InputLayer Activation ReLU LeakyReLU PReLU ELU Softmax Dropout SpatialDropout1D SpatialDropout2D "
    "SpatialDropout3D GaussianNoise GaussianDropout AlphaDropout ActivityRegularization Flatten Reshape Permute "
    "RepeatVector Masking Identity Embedding Add Subtract Multiply Average Maximum Minimum Concatenate Cropping1D "
    "Cropping2D Cropping3D ZeroPadding1D ZeroPadding2D ZeroPadding3D UpSampling1D UpSampling2D UpSampling3D "
    "MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D GlobalMaxPooling1D "
    "GlobalMaxPooling2D GlobalMaxPooling3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D "
    "BatchNormalization LayerNormalization GroupNormalization UnitNormalization RMSNormalization Normalization "
    "Rescaling Resizing CenterCrop RandomFlip RandomRotation RandomZoom RandomContrast RandomBrightness "
    "RandomCrop RandomTranslation TextVectorization StringLookup IntegerLookup Discretization Hashing "
    "CategoryEncoding HashedCrossing"
)
FREE = frozenset(_FREE.split())


def compute_macs(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int | None:
    """Return the multiply-accumulates of one call for one sample; shapes come with the batch axis first."""
    name = type(layer).__name__
    if not type(layer).__module__.startswith("keras."):
        return None
    if name in FREE:
        return 0
    count = COUNTS.get(name)
    if count is None or not inputs or not outputs:
        return None
    try:
        return count(layer, inputs, outputs)
    except (TypeError, AttributeError, IndexError, ValueError):
        return None  # An open dimension, or a layer that was never built.


def _size(shape: Shape) -> int:
    """Return the number of values a sample; TypeError when a dimension is open."""
    return math.prod(shape[1:])  # type: ignore[arg-type]


def _variable_size(variable: Any) -> int:
    """Return the number of values of one weight."""
    return math.prod(variable.shape)


def _kernel_size(layer: Any) -> int:
    """Return the number of values of a layer's kernel (without what LoRA or quantisation add)."""
    kernel = getattr(layer, "_kernel", None)
    return _variable_size(layer.kernel if kernel is None else kernel)


def _dense(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Each output value is a product with one column of the kernel."""
    return _size(outputs[0]) * int(inputs[0][-1])  # type: ignore[arg-type]


def _einsum_dense(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Product of the sizes of all letters in the equation, without the batch."""
    left = layer.equation.replace(" ", "").split("->")[0]
    first, second = left.split(",")
    sizes = dict(zip(second, layer._kernel.shape, strict=True))
    if "." not in first:
        sizes.update(zip(first, inputs[0], strict=True))
        letters = (set(first) | set(second)) - {first[0]}
    else:
        named = first.replace("...", "")
        sizes.update(zip(reversed(named), reversed(inputs[0]), strict=False))
        sizes["."] = math.prod(inputs[0][1 : len(inputs[0]) - len(named)])
        letters = set(named) | set(second) | {"."}
    return math.prod(sizes[letter] for letter in letters)


def _conv(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Every output position of every filter is a product with one kernel."""
    filters = int(layer.filters)
    return _size(outputs[0]) // filters * _kernel_size(layer)


def _conv_transpose(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Every input position is multiplied with the whole kernel (before cropping)."""
    channels = _channels(layer, inputs[0])
    return _size(inputs[0]) // channels * _kernel_size(layer)


def _depthwise(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Each output channel sees one input channel only."""
    return _size(outputs[0]) * int(math.prod(layer.kernel_size))


def _separable(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """A depthwise step, then a 1 x 1 convolution, at the output's positions."""
    positions = _size(outputs[0]) // int(layer.filters)
    return positions * (_variable_size(layer.depthwise_kernel) + _variable_size(layer.pointwise_kernel))


def _channels(layer: Any, shape: Shape) -> int:
    """Return the number of channels of an image-like shape."""
    return int(shape[1] if layer.data_format == "channels_first" else shape[-1])  # type: ignore[arg-type]


def _recurrent(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Every step multiplies the input with the kernel and the state with the recurrent kernel."""
    cell = layer.cell
    return int(inputs[0][1]) * (_variable_size(cell.kernel) + _variable_size(cell.recurrent_kernel))  # type: ignore[arg-type]


def _bidirectional(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Both directions."""
    return _recurrent(layer.forward_layer, inputs, outputs) + _recurrent(layer.backward_layer, inputs, outputs)


def _conv_lstm(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Every step is two convolutions at the output's positions."""
    cell, rank = layer.cell, len(layer.cell.kernel_size)
    spatial = outputs[0][-rank:] if layer.data_format == "channels_first" else outputs[0][-rank - 1 : -1]
    positions = math.prod(spatial)  # type: ignore[arg-type]
    return int(inputs[0][1]) * positions * (_variable_size(cell.kernel) + _variable_size(cell.recurrent_kernel))  # type: ignore[arg-type]


def _multi_head(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Projections of query, key, value and output, and the two products between them."""
    query, value = inputs[0], inputs[1] if len(inputs) > 1 else inputs[0]
    key = inputs[2] if len(inputs) > 2 else value
    q_len, v_len, k_len = (math.prod(shape[1:-1]) for shape in (query, value, key))  # type: ignore[arg-type]
    heads, key_dim, value_dim = layer._num_heads, layer._key_dim, layer._value_dim or layer._key_dim
    projections = q_len * int(query[-1]) * heads * key_dim + k_len * int(key[-1]) * heads * key_dim  # type: ignore[arg-type]
    projections += v_len * int(value[-1]) * heads * value_dim + _size(outputs[0]) * heads * value_dim  # type: ignore[arg-type]
    return int(projections + heads * q_len * k_len * (key_dim + value_dim))


def _dot_attention(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int:
    """Scores and the weighted sum; Luong attention has no projections."""
    query, value = inputs[0], inputs[1]
    key = inputs[2] if len(inputs) > 2 else value
    return int(query[1]) * int(key[1]) * (int(key[-1]) + int(value[-1]))  # type: ignore[arg-type]


def _time_distributed(layer: Any, inputs: list[Shape], outputs: list[Shape]) -> int | None:
    """The inner layer, once a step."""
    steps, inner = int(inputs[0][1]), [(shape[0], *shape[2:]) for shape in inputs]  # type: ignore[arg-type]
    macs = compute_macs(layer.layer, inner, [(shape[0], *shape[2:]) for shape in outputs])
    return None if macs is None else steps * macs


COUNTS: dict[str, Callable[[Any, list[Shape], list[Shape]], int | None]] = {
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Conv1D": _conv,
    "Conv2D": _conv,
    "Conv3D": _conv,
    "Conv1DTranspose": _conv_transpose,
    "Conv2DTranspose": _conv_transpose,
    "Conv3DTranspose": _conv_transpose,
    "DepthwiseConv1D": _depthwise,
    "DepthwiseConv2D": _depthwise,
    "SeparableConv1D": _separable,
    "SeparableConv2D": _separable,
    "SimpleRNN": _recurrent,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "Bidirectional": _bidirectional,
    "ConvLSTM1D": _conv_lstm,
    "ConvLSTM2D": _conv_lstm,
    "ConvLSTM3D": _conv_lstm,
    "MultiHeadAttention": _multi_head,
    "Attention": _dot_attention,
    "TimeDistributed": _time_distributed,
}
