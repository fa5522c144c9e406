"""The training loop: what `fit` does for these models, an epoch in one graph call, because `fit` costs ten times more.

Losses and metrics are those that `fit` reports: the training loss averaged over the epoch's batches while the weights
move, penalties included; validation at the end of the epoch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SCHEDULES: dict[str, Any] = {
    "decay": lambda epoch, epochs: 0.5 * (1 + np.cos(np.pi * epoch / epochs)) + 0.002,
    "growing": lambda epoch, epochs: 2.0**epoch,
    "spike": lambda epoch, epochs: 1.0 if epoch < 2 else 0.01,
    "dying": lambda epoch, epochs: 0.25**epoch,
    "cyclic": lambda epoch, epochs: 1.0 if epoch % 2 else 0.02,
}


def make_steps(model: Any, metric: str) -> tuple[Any, Any]:
    """Return traced functions: one epoch over given batches, and one evaluation; each gives (loss, metric)."""
    import tensorflow as tf

    def judge(y: Any, predicted: Any) -> Any:
        """Return accuracy or mean absolute error of a batch."""
        if metric == "mae":
            return tf.reduce_mean(tf.abs(predicted - y))
        if len(y.shape) == 2:
            y = tf.argmax(y, -1)
        if predicted.shape[-1] == 1:
            said = tf.cast(tf.reshape(predicted, [-1]) > 0.5, y.dtype)
        else:
            said = tf.cast(tf.argmax(predicted, -1), y.dtype)
        return tf.reduce_mean(tf.cast(said == y, tf.float32))

    @tf.function(reduce_retracing=True)
    def run_epoch(x: Any, y: Any, weights: Any, order: Any) -> Any:
        """Take one step a row of `order`."""
        total, right = tf.zeros(()), tf.zeros(())
        for rows in order:
            some, labels = tf.gather(x, rows), tf.gather(y, rows)
            with tf.GradientTape() as tape:
                predicted = model(some, training=True)
                loss = model.compute_loss(some, labels, predicted, tf.gather(weights, rows), training=True)
            variables = model.trainable_variables
            gradients = tape.gradient(loss, variables)
            model.optimizer.apply(
                [g if g is not None else tf.zeros_like(v) for g, v in zip(gradients, variables, strict=True)]
            )
            total += loss
            right += judge(labels, predicted)
        steps = tf.cast(tf.shape(order)[0], tf.float32)
        return total / steps, right / steps

    @tf.function(reduce_retracing=True)
    def evaluate(x: Any, y: Any) -> Any:
        """Return loss and metric as the model predicts."""
        predicted = model(x, training=False)
        return model.compute_loss(x, y, predicted, None, training=False), judge(y, predicted)

    return run_epoch, evaluate


def fit(model: Any, steps: tuple[Any, Any], recipe: Any, x: Any, y: Any, metric: str) -> dict[str, list[float]]:
    """Train with early stopping and schedule as the recipe says; return the history under `fit`'s names."""
    import tensorflow as tf

    run_epoch, evaluate = steps
    names = ("loss", metric, "val_loss", f"val_{metric}")
    history: dict[str, list[float]] = {name: [] for name in names}
    rng = np.random.default_rng([recipe.seed, 9])
    data = [tf.constant(values) for values in (x["train"], y["train"], x["validation"], y["validation"])]
    weights = np.ones(len(x["train"]), np.float32)
    if recipe.class_weight:
        weights[y["train"] == 0] = recipe.class_weight
    weights = tf.constant(weights)
    best, waited, kept = np.inf, 0, None
    for epoch in range(recipe.epochs):
        if recipe.schedule:
            model.optimizer.learning_rate.assign(recipe.lr * SCHEDULES[recipe.schedule](epoch, recipe.epochs))
            history.setdefault("learning_rate", []).append(float(model.optimizer.learning_rate.numpy()))
        order = _batches(rng, len(x["train"]), recipe)
        found = (*run_epoch(data[0], data[1], weights, tf.constant(order)), *evaluate(data[2], data[3]))
        for name, value in zip(names, found, strict=True):
            history[name].append(float(value))
        if not recipe.stop:
            continue
        if history["val_loss"][-1] < best:
            best, waited = history["val_loss"][-1], 0
            kept = model.get_weights() if recipe.restore else None
        elif (waited := waited + 1) >= recipe.stop:
            break
    if kept is not None:
        model.set_weights(kept)
    return history


def _batches(rng: Any, n: int, recipe: Any) -> Any:
    """Return the rows of each step: shuffled anew, or as stored; an incomplete last batch is left out."""
    size = min(recipe.batch, n)
    order = rng.permutation(n) if recipe.shuffle else np.arange(n)
    return order[: n // size * size].reshape(-1, size).astype(np.int32)
