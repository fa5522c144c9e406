"""Give a model file another configuration: a copy of it in a temporary folder, weights and all."""

from __future__ import annotations

import ast
import copy
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Config = dict[str, Any]
UNKNOWN_ARGUMENTS = re.compile(r"Unrecognized keyword arguments passed to (\w+): (\{[^{}]*\})")
DEPENDENT = frozenset({"renorm_momentum"})  # says nothing where what it belongs to (`renorm`) is off
UNEXPECTED_ARGUMENT = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")


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
    """Mend what an older Keras complains of: arguments that it does not know, if all are at rest (None, False, empty).

    Returns the smaller configuration and what was left out, as "Class argument"; None if there is nothing to do.
    """
    smaller = copy.deepcopy(config)
    if "get_tensor() takes 3 positional arguments" in said:  # Keras before 3.8 wants lists of ends
        return (smaller, ()) if _wrap_ends(smaller) else None
    if (
        "Could not interpret initializer identifier" in said and "'Orthogonal'" in said
    ):  # Keras 3.0 has the long name only
        return (smaller, ()) if _rename(smaller, "Orthogonal", "OrthogonalInitializer") else None
    kind, names = _unknown_arguments(said)
    count = _drop(smaller, kind, names) if names else 0
    return (smaller, tuple(f"{kind} {name}" for name in sorted(names))) if count else None


def _objects(config: Any) -> Iterator[Config]:
    """Yield every mapping of a configuration."""
    stack = [config]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
        if isinstance(node, dict | list):
            stack += node.values() if isinstance(node, dict) else node


def _wrap_ends(config: Config) -> int:
    """Put the only input and output of every model into a list; return how many were not in one."""
    count = 0
    for node in _objects(config):
        for key in ("input_layers", "output_layers"):
            ends = node.get(key)
            if isinstance(ends, list) and ends and isinstance(ends[0], str):
                node[key] = [ends]
                count += 1
    return count


def _rename(config: Config, old: str, new: str) -> int:
    """Give a class another name everywhere; return how often it stood."""
    found = [node for node in _objects(config) if node.get("class_name") == old]
    for node in found:
        node["class_name"] = new
    return len(found)


def _unknown_arguments(said: str) -> tuple[str, frozenset[str]]:
    """Return the class and its arguments that an exception is about; none where one of them says something."""
    single = UNEXPECTED_ARGUMENT.search(said)
    if single is not None:
        return single[1], frozenset({single[2]})
    found = UNKNOWN_ARGUMENTS.search(said)
    try:
        arguments = ast.literal_eval(found[2]) if found is not None else {}
    except (ValueError, SyntaxError):
        arguments = {}
    if found is None or not isinstance(arguments, dict):
        return "", frozenset()
    if any(value and name not in DEPENDENT for name, value in arguments.items()):
        return "", frozenset()
    return found[1], frozenset(map(str, arguments))


def _drop(config: Any, kind: str, names: frozenset[str]) -> int:
    """Remove arguments at rest from every object of a class; return how many went."""
    count = 0
    for node in list(_objects(config)):
        settings = node.get("config")
        if node.get("class_name") == kind and isinstance(settings, dict):
            for name in [name for name in settings if name in names and (name in DEPENDENT or not settings[name])]:
                del settings[name]
                count += 1
    return count
