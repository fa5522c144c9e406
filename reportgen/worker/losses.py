"""The loss of each output: the file's where it is Keras's own, else the task's standard one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.worker.saved import Saved, by_output, is_custom, snake_case, snake_name

Array = NDArray[Any]
ALIASES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh",
}
# These compare a row of scores with a row of the same length, made of class numbers where the labels are such.
ONE_HOT = frozenset(
    {"categorical_crossentropy", "categorical_focal_crossentropy", "categorical_hinge", "kl_divergence", "dice"}
)
CLASSIFIERS = frozenset({"binary", "multiclass", "multilabel", "segmentation", "sequence"})
NUMBERS = frozenset({"regression", "timeseries", "reconstruction"})


class NoLoss(ValueError):
    """There is no loss to compute; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class OutputLoss:
    """One output's loss: `compute(y_true, y_pred)` is a scalar tensor, the mean over samples and positions.

    `source` is "file" or "task"; `weight` is its part in the sum over outputs.
    """

    output: str
    name: str
    source: str
    weight: float
    compute: Callable[[Any, Any], Any]


def read_compile_config(model: Any, saved: Saved | None) -> Mapping[str, Any]:
    """Return the training settings as the file says them, or as a live model does; {} for none."""
    if saved is not None:
        return saved.compile
    if not getattr(model, "compiled", False):
        return {}
    try:
        return model.get_compile_config() or {}
    except (TypeError, ValueError, AttributeError):
        return {}


def choose_loss(
    config: Mapping[str, Any], names: tuple[str, ...], output: str, task: str, scores: str, shape: tuple[int, ...]
) -> OutputLoss:
    """Return the loss of one output of shape (n, ...) `shape`; raises NoLoss."""
    weights = by_output(config.get("loss_weights"), names)
    weight = weights.get(output, weights.get("", 1.0))
    weight = float(weight) if isinstance(weight, int | float) else 1.0
    losses = by_output(config.get("loss"), names)
    found = losses.get(output, losses.get(""))
    made = None if found is None or is_custom(found) else _own_loss(found)
    if made is not None:
        return OutputLoss(output, snake_name(found), "file", weight, made)
    name, options = _standard(task, scores, shape)
    said = f"{name} (from logits)" if options else name
    return OutputLoss(output, said, "task", weight, _classes()[name](**options))


def _own_loss(value: Any) -> Any:
    """Make one of Keras's own losses from its serialised form; None for anything else. Nothing is imported by name."""
    if not isinstance(value, str | dict):
        return None
    name = snake_case(snake_name(value))
    made = _classes().get(ALIASES.get(name, name))
    if made is None:
        return None
    config = value.get("config") if isinstance(value, dict) else None
    allowed = set(inspect.signature(made.__init__).parameters) - {"self", "name", "reduction", "dtype", "fn"}
    given = config if isinstance(config, dict) else {}
    options = {key: item for key, item in given.items() if key in allowed and _plain(item)}
    return made(**options)


def _plain(value: Any) -> bool:
    """Tell whether a setting is a number, a text, or a list of such."""
    return isinstance(value, int | float | str) or (isinstance(value, list) and all(map(_plain, value)))


def _classes() -> dict[str, Any]:
    """Return Keras's losses by their names in snake case."""
    import keras

    found = [item for item in vars(keras.losses).values() if inspect.isclass(item) and item is not keras.losses.Loss]
    return {snake_case(item.__name__): item for item in found if issubclass(item, keras.losses.Loss)}


def _standard(task: str, scores: str, shape: tuple[int, ...]) -> tuple[str, dict[str, Any]]:
    """Return the name and settings of a task's standard loss; raises NoLoss."""
    if task in NUMBERS:
        return "mean_squared_error", {}
    if task not in CLASSIFIERS:
        raise NoLoss("the loss is not known, and the task has no standard one")
    if scores not in ("probabilities", "logits"):
        raise NoLoss("the loss is not known, and the scores are neither probabilities nor logits")
    options = {"from_logits": True} if scores == "logits" else {}
    several = task != "multilabel" and bool(shape) and shape[-1] > 1
    return ("sparse_categorical_crossentropy" if several else "binary_crossentropy"), options


def fit_labels(loss: str, y: Array, shape: tuple[int, ...]) -> Array:
    """Return labels in the form that a loss takes for outputs of `shape` (a sample's); raises NoLoss."""
    if y.dtype.kind not in "biuf":
        raise NoLoss("the labels are text")
    name = ALIASES.get(loss, loss).partition(" ")[0]
    same = y.shape[1:] == shape
    if name.startswith("sparse_"):
        return y.argmax(-1) if same and shape[-1:] > (1,) else y.astype(np.int64)
    if name in ONE_HOT and shape and shape[-1] > 1 and not same:
        flat = y[..., 0] if y.shape[-1:] == (1,) and y.ndim == len(shape) + 1 else y
        return np.eye(shape[-1], dtype=np.float32)[flat.astype(np.int64)]
    if not same and y.shape[1:] == shape[:-1] and shape[-1:] == (1,):
        y = y[..., None]
    if y.shape[1:] != shape:
        raise NoLoss(f"labels of shape {y.shape[1:]} do not fit outputs of shape {shape}")
    return y.astype(np.float32)


def usable_rows(y: Array, classes: int) -> Array:
    """Return which samples have a label that a loss can take: finite, and a known class where it is one."""
    flat = y.reshape(len(y), -1)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(flat) if y.dtype.kind == "f" else np.ones(flat.shape, dtype=np.bool_)
        if classes:
            good = good & (flat >= 0) & (flat < classes)
    return np.asarray(good.all(axis=1))
