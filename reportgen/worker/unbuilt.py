"""Models that have no shapes before their first call: they are called once, on samples of the batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import Problem
from reportgen.worker.explain import CannotLoad
from reportgen.worker.spoken import say_error

Array = NDArray[Any]


def is_built(model: Any) -> bool:
    """Tell whether all weights of a model exist."""
    return bool(model.built) and all(layer.built for layer in model._flatten_layers(include_self=False))


def build_by_calling(model: Any, inputs: Mapping[str, Array]) -> None:
    """Call a model on samples, by input name ("" for the only one), so that its weights come to be. Raises CannotLoad.

    Several inputs are given as a mapping first, then as a list in their order.
    """
    import keras

    def tensor(values: Array) -> Any:
        """Return an array as the backend's tensor; floats in single precision."""
        return keras.ops.convert_to_tensor(values.astype(np.float32) if values.dtype.kind == "f" else values)

    tensors = {name: tensor(values) for name, values in inputs.items()}
    ways = [next(iter(tensors.values()))] if len(tensors) == 1 else [tensors, list(tensors.values())]
    failed: Exception | None = None
    for given in ways:
        try:
            model(given, training=False)
            return
        except Exception as error:
            failed = failed or error
    assert failed is not None
    text = f"The model is not built yet, and calling it on the batch failed: {say_error(failed)}"
    raise CannotLoad(Problem("load", text, "Check batch.x, or save the model after a call.", str(failed)[:2000]))
