"""The TensorFlow operations that a Keras 2 file may name: they compute, and neither read nor write anything else."""

from __future__ import annotations

OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "neg")
COMPUTING = frozenset(
    ["cast", "clip_by_value", "concat", "expand_dims", "identity", "ones_like", "one_hot", "pad", "repeat", "reshape"]
    + ["reverse", "shape", "split", "squeeze", "stack", "tile", "transpose", "unstack", "where", "zeros_like", "gather"]
    + ["einsum", "fill", "range", "roll", "sigmoid", "tanh", "stop_gradient", "tensordot", "ones", "zeros", "rank"]
    + ["compat.v1.shape", "compat.v1.transpose", "compat.v1.squeeze", "compat.v1.gather", "compat.v1.concat"]
    + ["compat.v1.nn.conv2d", "compat.v1.math.softmax", "compat.v1.nn.softmax", "compat.v1.pad"]
    + ["image.resize", "image.per_image_standardization", "image.flip_left_right", "image.central_crop"]
    + ["image.extract_patches", "image.rgb_to_grayscale", "image.grayscale_to_rgb", "keras.backend.mean"]
    + [f"linalg.{name}" for name in ("matmul", "normalize", "norm", "l2_normalize", "diag_part", "band_part")]
    + [f"nn.{name}" for name in ("avg_pool", "avg_pool2d", "bias_add", "conv1d", "conv2d", "depth_to_space")]
    + [f"nn.{name}" for name in ("dropout", "elu", "gelu", "l2_normalize", "leaky_relu", "log_softmax", "max_pool")]
    + [f"nn.{name}" for name in ("max_pool2d", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus")]
    + [f"nn.{name}" for name in ("softsign", "space_to_depth", "swish", "tanh", "crelu", "moments")]
    + [f"math.{name}" for name in ("abs", "add", "add_n", "argmax", "argmin", "ceil", "cos", "cumsum", "divide")]
    + [f"math.{name}" for name in ("divide_no_nan", "equal", "erf", "exp", "floor", "floordiv", "greater", "less")]
    + [f"math.{name}" for name in ("greater_equal", "less_equal", "log", "log1p", "logical_and", "logical_not")]
    + [f"math.{name}" for name in ("logical_or", "l2_normalize", "maximum", "minimum", "mod", "multiply", "negative")]
    + [f"math.{name}" for name in ("not_equal", "pow", "reciprocal", "reduce_all", "reduce_any", "reduce_logsumexp")]
    + [f"math.{name}" for name in ("reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_std")]
    + [f"math.{name}" for name in ("reduce_sum", "reduce_variance", "round", "rsqrt", "scalar_mul", "sigmoid", "sign")]
    + [f"math.{name}" for name in ("sin", "softplus", "sqrt", "square", "squared_difference", "subtract", "tanh")]
    + [f"math.{name}" for name in ("top_k", "truediv", "xlogy")]
)  # fmt: skip


def is_computing(name: str) -> bool:
    """Tell whether a function, such as "math.truediv" or "__operators__.add", only computes."""
    if name.startswith("__operators__."):
        return name.removeprefix("__operators__.") in (*OPERATORS, "getitem")
    return name in COMPUTING
