"""Trains one recipe with `model.fit` and leaves what a training job leaves: a folder with model, history, batch, config.

Weights are drawn anew for each seed, but a compiled model is kept for recipes that differ only in numbers: tracing
costs more than training these models does.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from faults.data import Parts, load_parts
from faults.loop import fit, make_steps
from faults.models import LAYOUTS, build_model
from faults.recipe import Recipe

# What does not change the traced functions.
NUMBERS = (
    "seed fault way init bias lr schedule epochs samples stop restore shuffle scale target_scale spoil label_noise "
    "class_weight batch_part edit"
).split()
LOSSES = {
    "multiclass": "sparse_categorical_crossentropy",
    "binary": "binary_crossentropy",
    "regression": "mse",
    "reconstruction": "mse",
}
METRICS = {"multiclass": "accuracy", "binary": "accuracy", "regression": "mae", "reconstruction": "mae"}
LOOKED_AT = 512  # training samples that a case's own truth is measured on


class Trainer:
    """Trains recipes one after the other; holds the compiled model of the last architecture."""

    def __init__(self) -> None:
        """Start with no compiled model."""
        self._key, self._model, self._steps = "", None, None

    def train(self, recipe: Recipe, folder: Path) -> None:
        """Train a recipe and write its case into `folder`."""
        import keras

        keras.utils.set_random_seed(recipe.seed)
        parts = prepare(recipe)
        model = self._compiled(recipe, parts)
        history = fit(model, self._steps, recipe, parts.x, parts.y, METRICS[parts.task])
        if recipe.unfreeze:
            for layer in model.layers:
                layer.trainable = True
        folder.mkdir(parents=True, exist_ok=True)
        truth = measure(model, recipe, parts)
        model.save(folder / "model.keras")
        if recipe.unfreeze:
            self._key = ""
        write_case(folder, recipe, parts, history, truth)

    def _compiled(self, recipe: Recipe, parts: Parts) -> Any:
        """Return a freshly initialised, compiled model, traced before where the architecture allows."""
        import keras

        fresh = build_model(recipe, parts.x["train"], parts.task, parts.classes)
        blank = {name: 0 if name != "way" and name != "fault" else "" for name in NUMBERS}
        key = replace(recipe, **blank).to_json() + str(parts.x["train"].shape[1:]) + str(len(parts.x["train"]))
        if key != self._key or recipe.front == "normalization" or recipe.init or recipe.bias:
            self._key, self._model = key, fresh
            compile_model(fresh, recipe, parts)
            fresh.optimizer.build(fresh.trainable_variables)
            self._steps = make_steps(fresh, METRICS[parts.task])
            return fresh
        model: Any = self._model
        model.set_weights(fresh.get_weights())
        for variable in model.optimizer.variables:
            variable.assign(keras.ops.zeros(variable.shape, variable.dtype))
        model.optimizer.learning_rate = recipe.lr
        return model


def prepare(recipe: Recipe) -> Parts:
    """Return the recipe's data, spoiled as it says."""
    parts = load_parts(recipe.data, LAYOUTS[recipe.kind], recipe.seed, recipe.samples)
    x, y = dict(parts.x), dict(parts.y)
    rng = np.random.default_rng([recipe.seed, 5])
    if recipe.front == "rescaling":
        x = {part: values * 255 for part, values in x.items()}
    if recipe.scale != 1:
        x = {part: values * np.float32(recipe.scale) for part, values in x.items()}
    if recipe.target_scale != 1:
        y = {part: values * np.float32(recipe.target_scale) for part, values in y.items()}
    if recipe.loss.startswith("categorical"):
        y = {part: np.eye(parts.classes, dtype=np.float32)[values] for part, values in y.items()}
    if recipe.label_noise:
        wrong = rng.random(len(y["train"])) < recipe.label_noise
        noisy = y["train"].copy()
        noisy[wrong] = noisy[rng.permutation(np.flatnonzero(wrong))]
        y["train"] = noisy
    if recipe.spoil == "nan-input":
        x["train"] = x["train"].copy()
        x["train"].reshape(len(x["train"]), -1)[rng.integers(len(x["train"]), size=3), 0] = np.nan
    if recipe.spoil == "infinite-input":
        x["train"] = x["train"].copy()
        x["train"].reshape(len(x["train"]), -1)[0, :] = 1e38
    if recipe.spoil == "sorted":
        labels = y["train"] if y["train"].ndim == 1 else x["train"].reshape(len(x["train"]), -1).mean(1)
        order = np.argsort(labels, kind="stable")
        x["train"], y["train"] = x["train"][order], y["train"][order]
    return Parts(parts.task, parts.classes, x, y)


def compile_model(model: Any, recipe: Recipe, parts: Parts) -> None:
    """Compile a model as its recipe says."""
    import keras

    name = recipe.loss or LOSSES[parts.task]
    loss: Any = name
    if recipe.logits:
        classes = {
            "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
            "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
            "binary_crossentropy": keras.losses.BinaryCrossentropy,
        }
        loss = classes[name](from_logits=True)
    settings: dict[str, Any] = {"learning_rate": recipe.lr}
    if recipe.optimizer == "SGD":
        settings["momentum"] = recipe.optimizer_momentum
    model.compile(
        getattr(keras.optimizers, recipe.optimizer)(**settings),
        loss,
        metrics=[METRICS[parts.task]],
        jit_compile=False,
    )


def measure(model: Any, recipe: Recipe, parts: Parts) -> dict[str, Any]:
    """Measure what is true of the model, apart from reportgen: scores by part, dead and saturated shares on training data."""
    import keras

    truth: dict[str, Any] = {}
    for part in ("train", "test"):
        predicted = np.asarray(model(parts.x[part], training=False))
        truth[f"{part}_score"] = score(parts, parts.y[part], predicted)
        truth[f"{part}_top"] = top_share(parts, predicted)
    # In an order of their own: the statistics of a batch of one class are not those of the data.
    rows = np.random.default_rng(recipe.seed).permutation(len(parts.x["validation"]))[:LOOKED_AT]
    used = np.asarray(model(parts.x["validation"][rows], training=False))
    kept = model.get_weights()
    trained = np.asarray(model(parts.x["validation"][rows], training=True))
    model.set_weights(kept)  # that pass has moved the averages of BatchNormalization
    truth["training_mode_gain"] = score(parts, parts.y["validation"][rows], trained) - score(
        parts, parts.y["validation"][rows], used
    )
    layers = [layer for layer in model.layers if hasattr(layer, "activation")]
    outputs = keras.Model(model.inputs, [layer.output for layer in layers])(parts.x["train"][:LOOKED_AT])
    outputs = outputs if isinstance(outputs, list) else [outputs]
    dead, saturated = 0.0, 0.0
    for layer, values in zip(layers[:-1], map(np.asarray, outputs), strict=False):
        name = getattr(layer.activation, "__name__", "")
        flat = values.reshape(-1, values.shape[-1])
        if name == "relu":
            dead = max(dead, float((flat == 0).all(0).mean()))
        elif name in ("tanh", "sigmoid") and "hidden" in layer.name:
            inner = np.abs(flat) if name == "tanh" else np.abs(2 * flat - 1)
            saturated = max(saturated, float((inner > 0.98).mean()))
    weights = [np.asarray(w) for w in model.get_weights()]
    truth |= {"dead": dead, "saturated": saturated}
    truth["non_finite"] = int(sum((~np.isfinite(w)).sum() for w in weights if w.dtype.kind == "f"))
    return truth


def top_share(parts: Parts, predicted: Any) -> float:
    """Return the share of the answer that is given most often; 0 where answers are numbers."""
    if parts.task == "multiclass":
        answers = predicted.argmax(-1)
    elif parts.task == "binary":
        answers = (predicted.reshape(-1) > 0.5).astype(int)
    else:
        return 0.0
    return float(np.unique(answers, return_counts=True)[1].max() / len(answers))


def score(parts: Parts, y: Any, predicted: Any) -> float:
    """Return accuracy, or the share of variance explained."""
    with np.errstate(all="ignore"):
        if parts.task == "multiclass":
            labels = y if y.ndim == 1 else y.argmax(-1)
            return float(np.mean(predicted.argmax(-1) == labels))
        if parts.task == "binary":
            half = 0.5 if predicted.min() >= 0 and predicted.max() <= 1 else 0.0
            return float(np.mean((predicted.reshape(-1) > half) == y))
        return float(1 - np.mean((predicted - y) ** 2) / np.mean((y - parts.y["train"].mean(0)) ** 2))


def write_case(
    folder: Path, recipe: Recipe, parts: Parts, history: dict[str, list[float]], truth: dict[str, Any]
) -> None:
    """Write history, batch, config and, last of all, case.json: a folder without it is not complete."""
    (folder / "history.json").write_text(json.dumps(history))
    np.savez(folder / "batch.npz", x=parts.x[recipe.batch_part], y=parts.y[recipe.batch_part])
    task = {"multiclass": "multiclass", "binary": "binary", "regression": "regression"}.get(
        parts.task, "reconstruction"
    )
    (folder / "config.yaml").write_text(
        f"title: {recipe.kind} {recipe.fault or 'healthy'}\nmodel: model.keras\nhistory: history.json\n"
        f"batch: {{path: batch.npz, x: x, y: y}}\ntask: {task}\nsamples: none\noutput: report\n"
    )
    with np.errstate(all="ignore"):
        best = {name: float(np.nanmin(v)) for name, v in history.items() if np.isfinite(v).any()}
    known = {"recipe": asdict(recipe), "truth": truth, "best": best, "epochs": len(history["loss"])}
    (folder / "case.json").write_text(json.dumps(known, sort_keys=True))
