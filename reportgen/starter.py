"""`reportgen init`: look at a folder, find what training left, and write a commented configuration for it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from reportgen.errors import InputRefused, OutputFailed, UsageError
from reportgen.inputs.ends import Ends, describe_ends
from reportgen.inputs.files import shown
from reportgen.inputs.history import load_history
from reportgen.inputs.npz import ArrayHeader, read_npz_headers
from reportgen.inputs.preflight import inspect_model

FILE_NAME = "config.yaml"
FILE_LIMIT = 2_000
_MODELS = (".keras", ".h5", ".hdf5")
_X_NAMES = ("x_test", "x", "images", "image", "inputs", "input", "features", "data", "x_val")
_Y_NAMES = ("y_test", "y", "labels", "label", "targets", "target", "y_true", "masks", "y_val")
_ID_NAMES = ("ids", "id", "sample_ids", "names", "files", "filenames")


@dataclass(slots=True)
class Found:
    """What lies in a folder, by file name; `notes` say what was passed over and why."""

    model: str = ""
    ends: Ends = field(default_factory=Ends)
    history: str = ""
    batch: str = ""
    x: dict[str, str] = field(default_factory=dict)
    y: dict[str, str] = field(default_factory=dict)
    ids: str = ""
    classes: str = ""
    notes: list[str] = field(default_factory=list)


def write_starter(folder: Path, *, force: bool = False) -> tuple[Path, list[str]]:
    """Write `config.yaml` into `folder` and return its path and what was noticed.

    Raises UsageError when one is there already, InputRefused when no model is, OutputFailed when it cannot be written.
    """
    if not folder.is_dir():
        raise UsageError(f"{shown(folder)}: no such folder")
    target = folder / FILE_NAME
    if (target.exists() or target.is_symlink()) and not force:
        raise UsageError(f"{shown(target)}: is there already; --force replaces it")
    found = find_files(folder)
    try:
        scratch = folder / f".{FILE_NAME}.{os.getpid()}"
        scratch.write_text(compose(found, folder.resolve().name), encoding="utf-8")
        scratch.replace(target)
    except OSError as error:
        raise OutputFailed(f"{shown(target)}: cannot be written: {error.strerror or error}") from None
    return target, found.notes


def find_files(folder: Path) -> Found:
    """Return the model, history and batch that a folder holds; raises InputRefused when there is no model."""
    files = sorted(path for path in list(folder.iterdir())[:FILE_LIMIT] if path.is_file())
    found = Found()
    _find_model(files, found, folder)
    _find_history(files, found)
    _find_batch(files, found)
    names = [path.name for path in files if re.fullmatch(r"(class(es|_names)?|labels)\.txt", path.name, re.IGNORECASE)]
    found.classes = names[0] if names else ""
    return found


def _find_model(files: list[Path], found: Found, folder: Path) -> None:
    """Take the newest model file that may be loaded."""
    candidates = [path for path in files if path.suffix.lower() in _MODELS and not path.name.endswith(".weights.h5")]
    refused = []
    for path in sorted(candidates, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True):
        try:
            config = inspect_model(path).config
        except InputRefused as error:
            refused.append(error.message)
            continue
        if found.model:
            found.notes.append(f"Several models lie here; {found.model} is the newest, {path.name} was passed over.")
            continue
        found.model, found.ends = path.name, describe_ends(config)
    found.notes += [f"Passed over: {message}" for message in refused]
    if not found.model:
        why = f": {refused[0]}" if refused else " (.keras or .h5); save one with model.save('model.keras')"
        raise InputRefused(f"{shown(folder)}: holds no model{why}")


def _find_history(files: list[Path], found: Found) -> None:
    """Take the first file that reads as a history, one called so before others."""
    candidates = [path for path in files if path.suffix.lower() in (".json", ".csv", ".jsonl", ".log")]
    for path in sorted(candidates, key=lambda path: (not re.search("hist|log|train", path.stem.lower()), path.name)):
        try:
            curves = load_history(path).curves
        except InputRefused:
            continue
        if any("loss" in curve.name for curve in curves):
            if found.history:
                found.notes.append(f"Several histories lie here; {path.name} was passed over.")
            found.history = found.history or path.name


def _find_batch(files: list[Path], found: Found) -> None:
    """Take the NPZ file whose name speaks of a test, and choose its arrays."""
    order = ("test", "batch", "val", "")
    candidates = [path for path in files if path.suffix.lower() == ".npz"]
    for path in sorted(
        candidates, key=lambda path: (min(i for i, word in enumerate(order) if word in path.stem), path.name)
    ):
        try:
            arrays = read_npz_headers(path)
        except InputRefused as error:
            found.notes.append(f"Passed over: {error.message}")
            continue
        if _choose_arrays(arrays, found):
            found.batch = path.name
            return
        found.notes.append(f"{path.name} holds no array that could be the inputs ({', '.join(list(arrays)[:8])}).")


def _choose_arrays(arrays: dict[str, ArrayHeader], found: Found) -> bool:
    """Choose inputs, labels and ids by name, then by shape; tell whether there are inputs."""
    usable = {name: header for name, header in arrays.items() if header.shape and not header.dtype.hasobject}
    numbers = {name: header for name, header in usable.items() if header.dtype.kind in "biuf"}
    takes_text = "string" in found.ends.inputs.values()
    inputs = usable if takes_text else numbers
    found.x = _by_end(list(found.ends.inputs), inputs, _X_NAMES)
    if not found.x:
        named = next((name for name in _X_NAMES if name in inputs), "")
        widest = max(inputs, key=lambda name: (len(inputs[name].shape), inputs[name].declared), default="")
        found.x = {"": named or widest} if named or widest else {}
    if not found.x:
        return False
    samples = arrays[next(iter(found.x.values()))].shape[0]
    left = {name: head for name, head in numbers.items() if name not in found.x.values() and head.shape[0] == samples}
    found.y = _by_end(list(found.ends.outputs), left, _Y_NAMES)
    if not found.y:
        named = next((name for name in _Y_NAMES if name in left), "")
        found.y = {"": named} if named else {}
    ids = [name for name in _ID_NAMES if name in usable and usable[name].shape == (samples,)]
    found.ids = next((name for name in ids if usable[name].dtype.kind in "SUiu"), "")
    return True


def _by_end(ends: list[str], arrays: dict[str, ArrayHeader], names: tuple[str, ...]) -> dict[str, str]:
    """Match several inputs or outputs with arrays that carry their names; empty when one of them has none."""
    if len(ends) < 2:
        return {}
    chosen = {}
    for end in ends:
        wanted = [end, *(f"{name}_{end}" for name in names), *(f"{name[0]}_{end}" for name in names)]
        match = next((name for name in wanted if name in arrays), "")
        if not match:
            return {}
        chosen[end] = match
    return chosen


def compose(found: Found, title: str) -> str:
    """Return the configuration's text."""
    lines = [
        "# What reportgen makes a report of. Paths are relative to this file; `reportgen schema` describes every key."
    ]
    lines += [f"title: {_text(title)}", f"model: {_text(found.model)}"]
    lines.append(
        f"history: {_text(found.history)}" if found.history else "# history: history.csv  # JSON or CSVLogger's CSV"
    )
    if found.batch:
        lines += ["batch:", f"  path: {_text(found.batch)}", f"  x: {_mapping(found.x)}"]
        lines.append(f"  y: {_mapping(found.y)}" if found.y else "  # y: y_test  # without labels nothing is scored")
        lines += [f"  ids: {_text(found.ids)}"] if found.ids else []
        lines.append(_classes(found))
    else:
        lines += [
            "# batch:  # without a batch there are no predictions",
            "#   path: test.npz",
            "#   x: x_test",
            "#   y: y_test",
        ]
    lines += [
        "# task: auto  # binary, multiclass, multilabel, regression, timeseries, segmentation, reconstruction",
        "output: reports",
        "# gates:  # what fails the job (exit code 1)",
        "#   accuracy: {min: 0.9}",
        "# checks:",
        "#   dead-units: error  # off, warn, error; or {level: warn, threshold: 0.3}",
        "# samples: show  # blur, ids, none: what of a sample may stand in the report",
    ]
    return "\n".join(lines) + "\n"


def _classes(found: Found) -> str:
    """Return the line for class names: the file that has them, or how to name them."""
    width = next(iter(found.ends.outputs.values()), None) if len(found.ends.outputs) == 1 else None
    if found.classes:
        return f"  classes: {_text(found.classes)}"
    count = f"  # {width} names, in the order of the outputs" if width and width > 1 else ""
    return f"  # classes: [first, second]{count}"


def _mapping(names: dict[str, str]) -> str:
    """Return one name, or a mapping of several."""
    if list(names) == [""]:
        return _text(names[""])
    return "{" + ", ".join(f"{_text(end)}: {_text(name)}" for end, name in names.items()) + "}"


def _text(value: str) -> str:
    """Return a text as YAML: plain where that is safe, else quoted."""
    plain = re.fullmatch(r"[A-Za-z0-9_./][\w./-]*( [\w./-]+)*", value) and value not in ("null", "Null", "NULL")
    return value if plain else json.dumps(value)
