"""Faults made by editing what a healthy training left: labels, inputs, weights. No training; counted apart."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from faults.evidence import EVIDENCE
from faults.healthy import VARIANTS, healthy_recipes
from faults.recipe import Recipe

Batch = dict[str, Any]
CLASSIFIED = ("digits", "even")


def _shuffled(batch: Batch, rng: np.random.Generator) -> None:
    """Give every sample the label of another one."""
    batch["y"] = batch["y"][rng.permutation(len(batch["y"]))]


def _upside_down(batch: Batch, rng: np.random.Generator) -> None:
    """Turn dark into light."""
    batch["x"] = batch["x"].max() - batch["x"]


def _flipped_labels(batch: Batch, rng: np.random.Generator) -> None:
    """Give 4% of the samples a wrong label."""
    rows = rng.choice(len(batch["y"]), len(batch["y"]) // 25, replace=False)
    classes = int(batch["y"].max()) + 1
    batch["y"][rows] = (batch["y"][rows] + rng.integers(1, classes, len(rows))) % classes


def _repeated(batch: Batch, rng: np.random.Generator) -> None:
    """Overwrite a fifth of the samples with copies of others."""
    n = len(batch["y"])
    rows, others = np.arange(n // 5), rng.integers(n // 5, n, n // 5)
    batch["x"][rows], batch["y"][rows] = batch["x"][others], batch["y"][others]


def _few(batch: Batch, rng: np.random.Generator) -> None:
    """Keep 14 samples."""
    batch["x"], batch["y"] = batch["x"][:14], batch["y"][:14]


def _constant_columns(batch: Batch, rng: np.random.Generator) -> None:
    """Fill 60% of the columns with one number."""
    columns = rng.permutation(batch["x"].shape[1])[: int(0.6 * batch["x"].shape[1])]
    batch["x"][:, columns] = 0.5


def _scaled_already(batch: Batch, rng: np.random.Generator) -> None:
    """Divide by 255 what the model divides by 255."""
    batch["x"] = batch["x"] / 255


def _rare_failure(batch: Batch, rng: np.random.Generator) -> None:
    """Keep few samples of one class, and those with a wrong picture."""
    rows, others = np.flatnonzero(batch["y"] == 1), np.flatnonzero(batch["y"] != 1)
    kept = rows[:20]
    batch["x"][kept[:17]] = batch["x"][rng.choice(others, 17)]
    order = np.concatenate([kept, others])
    batch["x"], batch["y"] = batch["x"][order], batch["y"][order]


def _nan_kernel(model: Any, rng: np.random.Generator) -> None:
    """Put a NaN into the first kernel."""
    _change(model, 0, lambda kernel: kernel.reshape(-1).__setitem__(3, np.nan))


def _copied_filters(model: Any, rng: np.random.Generator) -> None:
    """Make half of the filters of the first kernel copies of the first one."""
    _change(model, 0, lambda kernel: kernel.__setitem__((..., slice(0, kernel.shape[-1] // 2)), kernel[..., :1]))


def _new_weights(model: Any, rng: np.random.Generator) -> None:
    """Draw one layer's weights anew, as when loading skips a layer."""
    layer = _layers(model)[1]
    fresh = type(layer).from_config(layer.get_config())
    fresh.build(layer.input.shape)
    layer.set_weights(fresh.get_weights())


def _unsure(model: Any, rng: np.random.Generator) -> None:
    """Make the last layer ten times less sure."""
    layer = _layers(model)[-1]
    layer.set_weights([values / 10 for values in layer.get_weights()])


def _silent_class(model: Any, rng: np.random.Generator) -> None:
    """Take away the last class's chance to be predicted."""
    layer = _layers(model)[-1]
    kernel, bias = layer.get_weights()
    bias[-1] = -100
    layer.set_weights([kernel, bias])


def _layers(model: Any) -> list[Any]:
    """Return the layers with a kernel."""
    return [layer for layer in model.layers if getattr(layer, "kernel", None) is not None]


def _change(model: Any, place: int, edit: Callable[[Any], None]) -> None:
    """Edit the kernel of one layer in place."""
    layer = _layers(model)[place]
    kernel, *rest = (values.copy() for values in layer.get_weights())
    edit(kernel)
    layer.set_weights([kernel, *rest])


# Fault -> what is edited ("batch" or "model"), the edit, and which healthy recipes it suits.
EDITS: dict[str, tuple[str, Callable[[Any, np.random.Generator], None], Callable[[Recipe], bool]]] = {
    "worse-than-baseline": ("batch", _shuffled, lambda r: r.data in (*CLASSIFIED, "middle")),
    "history-and-batch-disagree": ("batch", _upside_down, lambda r: r.data in CLASSIFIED),
    "label-suspects": ("batch", _flipped_labels, lambda r: r.data in CLASSIFIED),
    "duplicate-samples": ("batch", _repeated, lambda r: r.data in CLASSIFIED),
    "too-few-samples-to-tell": ("batch", _few, lambda r: r.data in CLASSIFIED),
    "constant-input-features": ("batch", _constant_columns, lambda r: r.kind in ("mlp", "autoencoder")),
    "input-range-mismatch": ("batch", _scaled_already, lambda r: r.front == "rescaling"),
    "class-imbalance-hides-failure": ("batch", _rare_failure, lambda r: r.data == "digits"),
    "class-never-predicted": ("model", _silent_class, lambda r: r.data == "digits"),
    "miscalibrated": ("model", _unsure, lambda r: r.data in CLASSIFIED),
    "non-finite-weights": ("model", _nan_kernel, lambda r: True),
    "non-finite-activations": ("model", _nan_kernel, lambda r: True),
    "duplicate-filters": ("model", _copied_filters, lambda r: r.kind in ("mlp", "cnn", "residual", "autoencoder")),
    "untrained-layer": ("model", _new_weights, lambda r: r.kind in ("mlp", "autoencoder")),
}
EACH = 8  # cases a fault, as far as healthy models suit


def constructed_recipes() -> list[Recipe]:
    """Return the recipes of edited cases: a healthy one with the name of the edit."""
    healthy, found = healthy_recipes(2), []
    for fault, (_, _, suits) in EDITS.items():
        fit = [recipe for recipe in healthy if suits(recipe) and recipe.dropout in (0.0, VARIANTS[1]["dropout"])]
        found += [replace(recipe, fault=fault, edit=fault) for recipe in fit[:EACH]]
    return found


def edit_all(cache: Path, recipes: list[Recipe]) -> None:
    """Make every edited case whose healthy one is there."""
    for recipe in recipes:
        source = cache / replace(recipe, fault="", edit="").digest()
        target = cache / recipe.digest()
        if (source / "case.json").is_file() and not (target / "case.json").is_file():
            _edit(recipe, source, target)


def _edit(recipe: Recipe, source: Path, target: Path) -> None:
    """Copy a healthy case and edit it; case.json is written last."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(EVIDENCE, "case.json"))
    what, edit, _ = EDITS[recipe.edit]
    rng = np.random.default_rng([recipe.seed, 3])
    if what == "batch":
        with np.load(target / "batch.npz") as arrays:
            batch = {name: arrays[name].copy() for name in arrays.files}
        edit(batch, rng)
        np.savez(target / "batch.npz", **batch)
    else:
        import keras

        model = keras.saving.load_model(target / "model.keras")
        edit(model, rng)
        model.save(target / "model.keras")
    known = json.loads((source / "case.json").read_text())
    (target / "case.json").write_text(json.dumps(known | {"recipe": asdict(recipe)}, sort_keys=True))
