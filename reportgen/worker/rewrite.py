"""Give a model file another configuration: a copy of it in a temporary folder, weights and all."""

from __future__ import annotations

import ast
import copy
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

Config = dict[str, Any]
UNKNOWN_ARGUMENTS = re.compile(r"Unrecognized keyword arguments passed to (\w+): (\{.*?\})\s*(?:$|\n)", re.MULTILINE)


def write_copy(path: Path, folder: Path, kind: str, config: Config) -> Path:
    """Write the model file with another configuration below `folder`; return its path. `kind` is "keras" or "h5"."""
    target = folder / f"model.{kind}"
    if kind == "h5":
        import h5py

        shutil.copyfile(path, target)
        with h5py.File(target, "r+") as file:
            file.attrs["model_config"] = json.dumps(config)
        return target
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name == "config.json":
                new.writestr(name, json.dumps(config))
            elif not name.endswith("/"):
                with old.open(name) as source, new.open(name, "w", force_zip64=True) as copied:
                    shutil.copyfileobj(source, copied, 1 << 20)
    return target


def drop_unknown(config: Config, said: str) -> tuple[Config, tuple[str, ...]] | None:
    """Leave out the arguments that Keras says it does not know, if all of them are at rest (None, False or empty).

    Returns the smaller configuration and what was left out, as "Class argument"; None if there is nothing to do.
    """
    found = UNKNOWN_ARGUMENTS.search(said)
    if found is None:
        return None
    try:
        arguments = ast.literal_eval(found[2])
    except (ValueError, SyntaxError):
        return None
    if not isinstance(arguments, dict) or any(arguments.values()):
        return None
    smaller = copy.deepcopy(config)
    count = _drop(smaller, found[1], frozenset(map(str, arguments)))
    return (smaller, tuple(f"{found[1]} {name}" for name in arguments)) if count else None


def _drop(config: Any, kind: str, names: frozenset[str]) -> int:
    """Remove arguments at rest from every object of a class; return how many went."""
    count, stack = 0, [config]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += node
        if not isinstance(node, dict):
            continue
        settings = node.get("config")
        if node.get("class_name") == kind and isinstance(settings, dict):
            for name in [name for name in settings if name in names and not settings[name]]:
                del settings[name]
                count += 1
        stack += node.values()
    return count
