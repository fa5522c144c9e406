"""Loss and gradients on one chunk: one function a backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from reportgen.worker.ready import Total
from reportgen.worker.watch import to_numpy

Array = NDArray[Any]
# (flat inputs, labels by output) -> loss, gradients in the variables' order (None: the loss does not depend on one).
Step = Callable[[list[Array], Mapping[str, Array]], tuple[float, list[Array | None]]]
# Where values are 16-bit floats, small gradients would round to zero: the loss is scaled up before, gradients down.
HALF_SCALE = 1024.0
MOST_TRACED = 40  # layers; beyond, tracing forward and backward takes many seconds


def make_step(model: Any, pack: Callable[[Sequence[Any]], Any], variables: Sequence[Any], total: Total) -> Step | None:
    """Return the function for this backend, or None where there is none."""
    import keras

    made = BACKENDS.get(keras.backend.backend())
    return made(model, pack, variables, total) if made is not None else None


def uses_half(model: Any) -> bool:
    """Tell whether any layer computes in float16."""
    return any(getattr(layer, "compute_dtype", "") == "float16" for layer in model._flatten_layers())


def pays_to_compile(model: Any) -> bool:
    """Tell whether tracing costs less than running many single samples eagerly: few layers, or recurrent ones."""
    import keras

    layers = list(model._flatten_layers())
    own_code = any(not type(layer).__module__.startswith("keras.") for layer in layers if layer is not model)
    return not own_code and (len(layers) <= MOST_TRACED or any(isinstance(layer, keras.layers.RNN) for layer in layers))


def tensorflow_step(model: Any, pack: Callable[[Sequence[Any]], Any], variables: Sequence[Any], total: Total) -> Step:
    """Return the function for TensorFlow, compiled where `pays_to_compile`."""
    import tensorflow as tf

    scale = HALF_SCALE if uses_half(model) else 1.0

    def compute(tensors: list[Any], labels: Mapping[str, Any]) -> tuple[Any, list[Any]]:
        """Run forward and backward once."""
        values = [variable.value for variable in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            loss = total(model(pack(tensors), training=False), labels)
            scaled = loss * tf.cast(scale, loss.dtype)
        gradients = tape.gradient(scaled, values)
        # The rows of an embedding come as IndexedSlices; a row used twice must be added up before its norm is taken.
        return loss, [None if gradient is None else tf.convert_to_tensor(gradient) for gradient in gradients]

    compiled = pays_to_compile(model)
    traced: list[Any] = []

    def run(tensors: list[Any], labels: dict[str, Any]) -> tuple[Any, list[Any]]:
        """Run one chunk; compiled once for chunks of any length."""
        if not compiled:
            return compute(tensors, labels)
        if not traced:
            wanted = [_any_length(tensor) for tensor in tensors], {name: _any_length(y) for name, y in labels.items()}
            traced.append(tf.function(compute, input_signature=wanted, autograph=False))
        try:
            found: tuple[Any, list[Any]] = traced[0](tensors, labels)
        except (TypeError, ValueError, NotImplementedError, tf.errors.OpError):
            traced[0] = compute  # what cannot be traced is run eagerly from here on
            found = compute(tensors, labels)
        return found

    def step(flat: list[Array], labels: Mapping[str, Array]) -> tuple[float, list[Array | None]]:
        """Run one chunk."""
        tensors = [tf.convert_to_tensor(array) for array in flat]
        loss, gradients = run(tensors, {name: tf.convert_to_tensor(y) for name, y in labels.items()})
        return float(loss), [None if g is None else to_numpy(g) / scale for g in gradients]

    return step


def _any_length(tensor: Any) -> Any:
    """Return the signature of a tensor with any number of samples."""
    import tensorflow as tf

    return tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype)


def inference_mode(model: Any) -> dict[str, bool]:
    """Return the argument that asks for inference where a model's own `call` takes it: `stateless_call` hands it on."""
    return {"training": False} if getattr(model, "_call_has_training_arg", True) else {}


def jax_step(model: Any, pack: Callable[[Sequence[Any]], Any], variables: Sequence[Any], total: Total) -> Step:
    """Return the function for JAX, compiled once a chunk size."""
    import jax

    trainable = list(model.trainable_variables)
    places = [next(i for i, other in enumerate(trainable) if other is variable) for variable in variables]
    others = [variable.value for variable in model.non_trainable_variables]
    scale = HALF_SCALE if uses_half(model) else 1.0
    mode = inference_mode(model)

    def compute(values: list[Any], tensors: list[Any], labels: Mapping[str, Any]) -> tuple[Any, Any]:
        """Run forward; the loss itself comes back beside the scaled one."""
        outputs, _ = model.stateless_call(values, others, pack(tensors), **mode)
        loss = total(outputs, labels)
        return loss * scale, loss

    run = jax.jit(jax.value_and_grad(compute, has_aux=True))

    def step(flat: list[Array], labels: Mapping[str, Array]) -> tuple[float, list[Array | None]]:
        """Run one chunk."""
        (_, loss), found = run([variable.value for variable in trainable], flat, dict(labels))
        return float(loss), [to_numpy(found[place]) / scale for place in places]

    return step


BACKENDS: dict[str, Callable[[Any, Callable[[Sequence[Any]], Any], Sequence[Any], Total], Step]] = {
    "tensorflow": tensorflow_step,
    "jax": jax_step,
}
