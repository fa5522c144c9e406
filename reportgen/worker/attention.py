"""Attention scores of the layers that can give them, while a model runs eagerly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.worker.watch import to_numpy

Array = NDArray[Any]
SCORING = frozenset({"MultiHeadAttention", "GroupedQueryAttention", "Attention", "AdditiveAttention"})
ASK = "return_attention_scores"


@contextmanager
def attention_scores(layers: Mapping[int, Any], look: Callable[[int, Array], None]) -> Iterator[None]:
    """While this lasts, every call of an attention layer also gives its scores to `look`.

    They are (n, heads, targets, sources), without heads for layers that have none. What layers return stays the same.
    """
    before: list[tuple[Any, Any]] = []
    try:
        for key, layer in layers.items():
            if type(layer).__name__ in SCORING:
                before.append((layer, vars(layer).get("call")))
                object.__setattr__(layer, "call", _asked(layer.call, key, look))
        yield
    finally:
        for layer, old in reversed(before):
            if old is None:
                vars(layer).pop("call", None)
            else:
                object.__setattr__(layer, "call", old)


def _asked(call: Callable[..., Any], key: int, look: Callable[[int, Array], None]) -> Callable[..., Any]:
    """Return `call`, asking for the scores and taking them off what it returns."""

    def asked(*args: Any, **kwargs: Any) -> Any:
        """Call the layer."""
        wanted = bool(kwargs.get(ASK))
        output, scores = call(*args, **{**kwargs, ASK: True})
        if scores is not None:
            look(key, np.array(to_numpy(scores)))
        return (output, scores) if wanted else output

    return asked
