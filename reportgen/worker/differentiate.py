"""The gradient of a score with respect to a tensor: one function a backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from reportgen.worker.watch import to_numpy

Array = NDArray[Any]
# tensor -> scores, one a sample; a sample's score may depend on its own row alone.
Score = Callable[[Any], Any]


def gradient_of(score: Score, at: Array) -> tuple[Array, Array] | None:
    """Return scores (n,) and the gradient of each with respect to its row of `at`; None on another backend."""
    import keras

    found = BACKENDS.get(keras.backend.backend())
    return None if found is None else found(score, at)


def tensorflow_gradient(score: Score, at: Array) -> tuple[Array, Array]:
    """Return scores and gradients by TensorFlow."""
    import tensorflow as tf

    tensor = tf.convert_to_tensor(at)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensor)
        scores = score(tensor)
    gradient = tape.gradient(scores, tensor, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return to_numpy(scores), to_numpy(tf.convert_to_tensor(gradient))


def jax_gradient(score: Score, at: Array) -> tuple[Array, Array]:
    """Return scores and gradients by JAX."""
    import jax

    def total(tensor: Any) -> tuple[Any, Any]:
        """Return the sum, and the scores beside it."""
        scores = score(tensor)
        return scores.sum(), scores

    (_, scores), gradient = jax.value_and_grad(total, has_aux=True)(at)
    return to_numpy(scores), to_numpy(gradient)


BACKENDS: dict[str, Callable[[Score, Array], tuple[Array, Array]]] = {
    "tensorflow": tensorflow_gradient,
    "jax": jax_gradient,
}
