"""What lies in a folder after training: the model, its history and a test batch, each told by its content."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reportgen.errors import InputRefused
from reportgen.inputs.ends import Ends, describe_ends
from reportgen.inputs.files import shown
from reportgen.inputs.history import load_history
from reportgen.inputs.preflight import inspect_model
from reportgen.inputs.savedmodel import is_saved_model

_MODELS = (".keras", ".h5", ".hdf5")
_HISTORIES = (".json", ".csv", ".jsonl", ".log", ".npz")
_NO_MODEL = "is an HDF5 file without a model"


@dataclass(slots=True)
class Found:
    """What lies in a folder, by file name; `notes` say what was passed over and why.

    `shapes` are those of the model's inputs without the batch axis, where its config says them; `tfrecord` describes
    the features of a batch in that format.
    """

    model: str = ""
    ends: Ends = field(default_factory=Ends)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    history: str = ""
    batch: str = ""
    x: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    y: dict[str, str] = field(default_factory=dict)
    ids: str = ""
    tfrecord: dict[str, dict[str, Any]] = field(default_factory=dict)
    classes: str = ""
    notes: list[str] = field(default_factory=list)


def find_model(files: list[Path], folders: list[Path], found: Found, folder: Path) -> dict[str, str]:
    """Take the newest model file that may be loaded, else a SavedModel; return why others may not, by name."""
    candidates = [path for path in files if path.suffix.lower() in _MODELS and not path.name.endswith(".weights.h5")]
    refused: dict[str, str] = {}
    for path in sorted(candidates, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True):
        try:
            config = inspect_model(path).config
        except InputRefused as error:
            refused[path.name] = error.message
            continue
        if found.model:
            found.notes.append(f"Several models lie here; {found.model} is the newest, {path.name} was passed over.")
            continue
        found.model, found.ends, found.shapes = path.name, describe_ends(config), _input_shapes(config)
    saved = next((path.name for path in folders if is_saved_model(path)), "")
    if not found.model and saved:
        found.model = saved
        found.notes.append(f"{saved} is a SavedModel folder: its operations run only with --trust=savedmodel.")
    if not found.model:
        raise InputRefused(f"{shown(folder)}: holds no model{_why_none(files, refused)}")
    return refused


def _why_none(files: list[Path], refused: dict[str, str]) -> str:
    """Say why a folder's files are no model, and what to save."""
    told = [message for message in refused.values() if _NO_MODEL not in message]
    if told:
        return f": {told[0]}"
    weights = next((path.name for path in files if path.name.endswith(".weights.h5")), "")
    if weights:
        return f": {weights} holds weights only; write model: {{builder: module:function, weights: {weights}}}"
    return " (.keras or .h5); save one with model.save('model.keras')"


def _input_shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the inputs whose every axis but the first is known."""
    inner = config.get("config")
    layers = inner.get("layers") if isinstance(inner, dict) else inner
    found = {}
    for layer in layers if isinstance(layers, list) else []:
        settings = layer.get("config") if isinstance(layer, dict) else None
        if not isinstance(settings, dict) or layer.get("class_name") != "InputLayer":
            continue
        shape = settings.get("batch_shape") or settings.get("batch_input_shape")
        if isinstance(shape, list) and len(shape) > 1 and all(isinstance(size, int) for size in shape[1:]):
            found[str(settings.get("name"))] = tuple(shape[1:])
    return found


def find_history_file(files: list[Path], folders: list[Path], found: Found) -> None:
    """Take the first file that reads as a history, one called so before others; else a folder of TensorBoard logs."""
    called = re.compile("hist|log|train")
    candidates = [path for path in files if path.suffix.lower() in _HISTORIES]
    candidates = [path for path in candidates if path.suffix.lower() != ".npz" or "hist" in path.stem.lower()]
    candidates.sort(key=lambda path: (not called.search(path.stem.lower()), path.name))
    logs = [path for path in folders if re.search(r"log|tensorboard|(^|_)tb|runs?$", path.name.lower())]
    for path in [*candidates, *logs]:
        if path.is_dir() and not any(path.glob("**/*tfevents*")):
            continue
        try:
            curves = load_history(path).curves
        except InputRefused as error:
            found.notes += [f"Passed over: {error.message}"] if path.is_dir() else []
            continue
        if any("loss" in curve.name for curve in curves):
            if found.history:
                found.notes.append(f"Several histories lie here; {path.name} was passed over.")
            found.history = found.history or path.name
