"""`reportgen init`: look at a folder, find what training left, and write a commented configuration for it."""

from __future__ import annotations

import itertools
import json
import os
import re
from pathlib import Path
from typing import Any

from reportgen.errors import OutputFailed, UsageError
from reportgen.inputs.files import shown
from reportgen.starter_batch import find_batch
from reportgen.starter_files import Found, find_history_file, find_model

FILE_NAME = "config.yaml"
ENTRY_LIMIT = 2_000


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
    entries = sorted(itertools.islice(folder.iterdir(), ENTRY_LIMIT))
    files = [path for path in entries if path.is_file()]
    folders = [path for path in entries if path.is_dir() and not path.name.startswith(".")]
    found = Found()
    refused = find_model(files, folders, found, folder)
    find_history_file(files, folders, found)
    find_batch(files, folders, found)
    found.notes += [f"Passed over: {message}" for name, message in refused.items() if name != found.batch]
    names = [path.name for path in files if re.fullmatch(r"(class(es|_names)?|labels)\.txt", path.name, re.IGNORECASE)]
    found.classes = names[0] if names else ""
    return found


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
        lines += _batch(found)
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


def _batch(found: Found) -> list[str]:
    """Return the lines of the batch; what the format itself says (pictures by class, a saved dataset) is left out."""
    told = bool(found.x or found.y)
    lines = ["batch:", f"  path: {_text(found.batch)}"]
    lines += [f"  x: {_mapping(found.x)}"] if found.x else []
    if found.y:
        lines.append(f"  y: {_mapping(found.y)}")
    elif told:
        lines.append("  # y: y_test  # without labels nothing is scored")
    lines += [f"  ids: {_text(found.ids)}"] if found.ids else []
    if found.tfrecord:
        lines.append("  tfrecord:  # as its first record says")
        lines += [f"    {_text(name)}: {_flow(given)}" for name, given in found.tfrecord.items()]
    return [*lines, _classes(found)]


def _classes(found: Found) -> str:
    """Return the line for class names: the file that has them, or how to name them."""
    width = next(iter(found.ends.outputs.values()), None) if len(found.ends.outputs) == 1 else None
    if found.classes:
        return f"  classes: {_text(found.classes)}"
    count = f"  # {width} names, in the order of the outputs" if width and width > 1 else ""
    return f"  # classes: [first, second]{count}"


def _mapping(names: dict[str, Any]) -> str:
    """Return one name or list of columns, or a mapping of several."""
    return _flow(names[""]) if list(names) == [""] else _flow(names)


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _text(value) if isinstance(value, str) else str(value)


def _text(value: str) -> str:
    """Return a text as YAML: plain where that is safe, else quoted."""
    plain = re.fullmatch(r"[A-Za-z0-9_./][\w./-]*( [\w./-]+)*", value) and value not in ("null", "Null", "NULL")
    return value if plain else json.dumps(value)
