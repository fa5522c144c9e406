"""TensorFlow operations that Keras 2 kept as layers (`x / 255.`, `tf.nn.relu(x)`, `x[:, 2:]`), on TensorFlow only.

Only the operations named here are called: they compute, and neither read nor write anything else.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from reportgen.worker.operation_names import is_computing


class UnknownOperation(ValueError):
    """A Keras 2 layer calls a TensorFlow function that is not on the list."""


def find_operation(name: str) -> Callable[..., Any]:
    """Return the function behind "math.truediv" or "__operators__.add". Raises UnknownOperation."""
    if not is_computing(name):
        raise UnknownOperation(f"the model calls the TensorFlow function {name}, which cannot be called here")
    if name.startswith("__operators__."):
        short = name.removeprefix("__operators__.")
        return _slice if short == "getitem" else _two_sided(getattr(operator, short))
    import tensorflow as tf

    found: Any = tf
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def _two_sided(function: Callable[..., Any]) -> Callable[..., Any]:
    """Call an operator with TensorFlow's names for its sides."""

    def call(x: Any, y: Any = None, name: Any = None) -> Any:
        """Apply the operator."""
        return function(x) if y is None else function(x, y)

    return call


def _slice(tensor: Any, slice_spec: Any, var: Any = None) -> Any:
    """Index a tensor with what Keras 2 wrote down: slices as mappings, "..." as text, None for a new axis."""

    def one(part: Any) -> Any:
        """Return one index."""
        if isinstance(part, dict):
            return slice(part.get("start"), part.get("stop"), part.get("step"))
        return Ellipsis if part == "..." or (isinstance(part, dict) and part.get("value") == "...") else part

    many = isinstance(slice_spec, list | tuple)
    return tensor[tuple(one(part) for part in slice_spec)] if many else tensor[one(slice_spec)]


def keras2_hard_sigmoid(x: Any) -> Any:
    """Return Keras 2's hard sigmoid, clip(0.2 x + 0.5, 0, 1); Keras 3's has a slope of 1/6.

    Its name is its own: wrappers such as Bidirectional write their layer down and read it back by that.
    """
    import keras

    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def make_layers() -> dict[str, type]:
    """Return the layers under the names that Keras 2 gave them."""
    import keras

    class TFOpLambda(keras.layers.Layer):  # type: ignore[misc]
        """Calls one TensorFlow operation."""

        def __init__(self, function: str, **settings: Any) -> None:
            """Look the function up."""
            super().__init__(**settings)
            self.function = function
            self._operation = find_operation(function)

        def call(self, x: Any, **arguments: Any) -> Any:
            """Apply it."""
            arguments.pop("training", None)
            return self._operation(x, **arguments)

    class SlicingOpLambda(TFOpLambda):
        """Cuts a part out of a tensor."""

    return {"TFOpLambda": TFOpLambda, "SlicingOpLambda": SlicingOpLambda}
