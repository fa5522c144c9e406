"""Two ways to say where a score comes from: Grad-CAM and integrated gradients.

Grad-CAM: Selvaraju et al., 2017. Integrated gradients: Sundararajan, Taly and Yan, 2017, by the midpoint rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.worker.differentiate import gradient_of
from reportgen.worker.score import Scored, before_activation
from reportgen.worker.watch import first_tensor, to_numpy

Array = NDArray[Any]
Score = Callable[[Any], Any]


class NoGradients(ValueError):
    """The backend has no gradients here."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The samples to explain: prepared inputs, and for each sample the class that is explained."""

    flat: list[Array]
    chosen: Array

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.chosen)

    def rows(self, index: Array) -> Asked:
        """Return some samples, repeated where an index is."""
        return Asked([array[index] for array in self.flat], self.chosen[index])


@contextmanager
def changed_output(layer: Any, change: Callable[[Any], Any]) -> Iterator[None]:
    """While this lasts, `layer` gives `change(output)`; its mask goes on as before."""
    old, own = layer.call, vars(layer).get("call")

    def call(*args: Any, **kwargs: Any) -> Any:
        """Call the layer and change what it gives."""
        return change(old(*args, **kwargs))

    object.__setattr__(layer, "call", call)
    try:
        yield
    finally:
        if own is None:
            vars(layer).pop("call", None)
        else:
            object.__setattr__(layer, "call", own)


class _Seen(Exception):
    """A layer gave what was wanted: the rest of the model need not run."""


def output_of(scored: Scored, layer: Any, asked: Asked) -> Array:
    """Return what a layer gives for these samples, at its first call."""
    parts: list[Array] = []

    def look(output: Any) -> Any:
        """Keep a copy and stop."""
        parts.append(np.array(to_numpy(first_tensor(output))))
        raise _Seen

    for start in range(0, len(asked), scored.step):
        with changed_output(layer, look), suppress(_Seen):
            scored.predict([array[start : start + scored.step] for array in asked.flat])
    return np.concatenate(parts)


def compute_grad_cam(scored: Scored, layer: Any, channels_first: bool, asked: Asked) -> Array:
    """Return (n, *positions) non-negative float32: channels weighed by the mean gradient of the score.

    Raises NoGradients.
    """
    maps = []
    for start in range(0, len(asked), scored.step):
        part = asked.rows(np.arange(start, min(start + scored.step, len(asked))))
        output = output_of(scored, layer, part)
        # A change of zero is added to the layer's output: the gradient with respect to it is the one of the output.
        _, gradient = _gradient(scored, _with_layer(scored, part, layer, lambda old, new: old + new), 0 * output)
        pair = np.stack([output, gradient]).astype(np.float32)
        values, slopes = np.moveaxis(pair, 2, -1) if channels_first else pair
        weights = slopes.reshape(len(slopes), -1, slopes.shape[-1]).mean(axis=1)
        maps.append(np.maximum(np.einsum("n...c,nc->n...", values, weights), 0))
    return np.concatenate(maps)


def integrate_input(scored: Scored, index: int, asked: Asked, baseline: Array, steps: int) -> Array:
    """Return signed attributions (n, *input shape) of input `index`; `baseline` has one sample's shape.

    Those of a sample add up to the change of its score from the baseline, but for the rule's error. Raises NoGradients.
    """
    x = asked.flat[index].astype(np.float32)

    def score_of(part: Asked) -> Score:
        """Return the score as a function of the input."""
        return lambda tensor: _call(scored, part, {index: tensor})

    return _integrate(scored, asked, np.broadcast_to(baseline, x.shape).astype(np.float32), x, steps, score_of)


def integrate_embedding(scored: Scored, layer: Any, asked: Asked, steps: int) -> Array:
    """Return signed attributions (n, tokens) along the path from vectors of zeros. Raises NoGradients."""
    vectors = output_of(scored, layer, asked).astype(np.float32)

    def score_of(part: Asked) -> Score:
        """Return the score as a function of the vectors."""
        return _with_layer(scored, part, layer, lambda old, new: new)

    found = _integrate(scored, asked, np.zeros_like(vectors), vectors, steps, score_of)
    return np.asarray(found.sum(axis=-1))


def _integrate(
    scored: Scored, asked: Asked, low: Array, high: Array, steps: int, score_of: Callable[[Asked], Score]
) -> Array:
    """Add up gradients at the middles of equal steps from `low` to `high`, both (n, ...)."""
    n = len(asked)
    alphas = np.tile(((np.arange(steps) + 0.5) / steps).astype(np.float32), n)
    rows = np.repeat(np.arange(n), steps)
    total = np.zeros_like(high)
    for start in range(0, len(rows), scored.step):
        which, alpha = rows[start : start + scored.step], alphas[start : start + scored.step]
        at = low[which] + alpha.reshape(-1, *[1] * (low.ndim - 1)) * (high[which] - low[which])
        _, gradient = _gradient(scored, score_of(asked.rows(which)), at)
        np.add.at(total, which, gradient / steps)
    return np.asarray(total * (high - low))


def _gradient(scored: Scored, score: Score, at: Array) -> tuple[Array, Array]:
    """Return scores before the last activation, and their gradients."""
    with before_activation(scored.ends):
        found = gradient_of(score, at)
    if found is None:
        raise NoGradients("this backend has no gradients here")
    return found


def _with_layer(scored: Scored, part: Asked, layer: Any, change: Callable[[Any, Any], Any]) -> Score:
    """Return the score as a function of a tensor that changes a layer's output: `change(output, tensor)`."""

    def score(tensor: Any) -> Any:
        """Call the model with the layer changed."""
        with changed_output(layer, lambda output: change(output, tensor)):
            return _call(scored, part, {})

    return score


def _call(scored: Scored, part: Asked, replaced: dict[int, Any]) -> Any:
    """Return the scores of some samples as a tensor, with some inputs replaced."""
    import keras

    tensors = [
        replaced[i] if i in replaced else keras.ops.convert_to_tensor(array) for i, array in enumerate(part.flat)
    ]
    return scored.differentiable(scored.model(scored.feed.pack(tensors), training=False), part.chosen)
