"""What a model file says about itself, read from its JSON: nothing is built, compiled or run."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportgen.worker.plan import ModelSpec

MAX_CONFIG = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Saved:
    """The JSON inside a model file; `compile` is {} when the model was saved without training settings."""

    config: dict[str, Any]
    compile: dict[str, Any]
    keras_version: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class CompileFacts:
    """Optimizer, loss and metrics as text, by output name ("" when one stands for all)."""

    optimizer: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    loss: tuple[tuple[str, str], ...] = ()
    metrics: tuple[tuple[str, tuple[str, ...]], ...] = ()
    from_logits: tuple[tuple[str, bool], ...] = ()
    notes: tuple[str, ...] = ()


def read_saved(spec: ModelSpec) -> Saved:
    """Read the saved configuration. Raises OSError or ValueError when there is none."""
    return _read_h5(Path(spec.path)) if spec.format == "h5" else _read_keras(Path(spec.path))


def _read_keras(path: Path) -> Saved:
    """Read config.json and metadata.json of a `.keras` archive."""
    with zipfile.ZipFile(path) as archive:
        config = _member(archive, "config.json")
        metadata = _member(archive, "metadata.json") if "metadata.json" in archive.namelist() else {}
    return Saved(
        config,
        config.get("compile_config") or {},
        str(metadata.get("keras_version", "")),
        str(metadata.get("date_saved", "")).replace("@", " "),
    )


def _member(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    """Parse one JSON member of bounded size."""
    if archive.getinfo(name).file_size > MAX_CONFIG:
        raise ValueError(f"{name} is larger than {MAX_CONFIG} bytes")
    data = json.loads(archive.read(name))
    if not isinstance(data, dict):
        raise ValueError(f"{name} is not an object")
    return data


def _read_h5(path: Path) -> Saved:
    """Read the attributes of a legacy HDF5 file."""
    import h5py

    with h5py.File(path, "r") as file:
        attributes = {
            name: file.attrs[name]
            for name in ("model_config", "training_config", "keras_version")
            if name in file.attrs
        }
    text = {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in attributes.items()}
    if "model_config" not in text:
        raise ValueError("the HDF5 file holds weights but no model")
    training = json.loads(text.get("training_config", "null")) or {}
    if "optimizer_config" in training:
        training["optimizer"] = training.pop("optimizer_config")
    return Saved(json.loads(text["model_config"]), training, text.get("keras_version", ""))


def read_compile(saved: Saved, output_names: tuple[str, ...] = ()) -> CompileFacts:
    """Return optimizer, loss and metrics; lists are matched with `output_names` in order."""
    if not saved.compile:
        return CompileFacts()
    optimizer, settings = _optimizer(saved.compile.get("optimizer"))
    losses = by_output(saved.compile.get("loss"), output_names)
    own = sorted({snake_name(loss) for loss in losses.values() if is_custom(loss)})
    metrics: dict[str, tuple[str, ...]] = {}
    for part in ("metrics", "weighted_metrics"):
        for output, found in by_output(saved.compile.get(part), output_names, several=True).items():
            names = tuple(snake_name(item) for item in (found if isinstance(found, list) else [found]) if item)
            metrics[output] = metrics.get(output, ()) + names
    return CompileFacts(
        optimizer,
        tuple(settings.items()),
        tuple((output, snake_name(loss)) for output, loss in losses.items() if loss),
        tuple((output, names) for output, names in metrics.items() if names),
        tuple((output, _from_logits(loss)) for output, loss in losses.items() if _says_logits(loss)),
        tuple(f"The loss {name} is the author's own code: it is named here, but not computed." for name in own),
    )


def by_output(value: Any, names: tuple[str, ...], several: bool = False) -> dict[str, Any]:
    """Spread one loss or list of metrics over outputs: dicts by key, lists in order, anything else under ""."""
    if value is None:
        return {}
    if isinstance(value, dict) and not _is_object(value):
        return {str(key): item for key, item in value.items()}
    nested = isinstance(value, list) and any(isinstance(item, list) for item in value)
    if isinstance(value, list) and len(names) > 1 and len(value) == len(names) and (nested or not several):
        return dict(zip(names, value, strict=True))
    if isinstance(value, list) and not several:
        return {"": value[0]} if value else {}
    if nested:
        return {"": [item for part in value for item in (part if isinstance(part, list) else [part])]}
    return {"": value}


def _is_object(value: dict[str, Any]) -> bool:
    """Tell a serialised object from a dict of outputs."""
    return "class_name" in value and "config" in value


def snake_name(value: Any) -> str:
    """Return a loss or metric in the spelling that people write: snake case."""
    if not isinstance(value, dict):
        return str(value)
    config, name = value.get("config"), str(value.get("class_name", ""))
    if name == "function" or (isinstance(config, str) and name in {"", "builtin_function_or_method"}):
        return str(config)
    if isinstance(config, dict) and config.get("name") and name in {"MeanMetricWrapper", "LossFunctionWrapper"}:
        return str(config["name"])
    return snake_case(name)


def snake_case(name: str) -> str:
    """Turn "SparseCategoricalCrossentropy" into "sparse_categorical_crossentropy"."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return spaced.lower()


def is_custom(value: Any) -> bool:
    """Tell whether a serialised object comes from outside Keras."""
    if not isinstance(value, dict):
        return False
    module = str(value.get("module") or "keras")
    return module.partition(".")[0] not in {"keras", "tf_keras", "tensorflow", "builtins"} or ">" in str(
        value.get("registered_name") or ""
    )


def _says_logits(value: Any) -> bool:
    """Tell whether a loss states what it expects."""
    return isinstance(value, dict) and isinstance(value.get("config"), dict) and "from_logits" in value["config"]


def _from_logits(value: Any) -> bool:
    """Return what the loss expects."""
    return bool(value["config"]["from_logits"])


def _optimizer(value: Any) -> tuple[str, dict[str, str]]:
    """Return the optimizer's name and its settings as text, without those that are off."""
    if not isinstance(value, dict):
        return str(value or ""), {}
    config = value.get("config") if isinstance(value.get("config"), dict) else {}
    off: tuple[Any, ...] = (None, False, "", [])
    settings = {key: _setting(item) for key, item in (config or {}).items() if key != "name" and item not in off}
    return str(value.get("class_name", "")), settings


def _setting(value: Any) -> str:
    """Return one setting as short text; a schedule becomes its class with its settings."""
    if isinstance(value, dict) and _is_object(value) and isinstance(value["config"], dict):
        inner = ", ".join(
            f"{key}={_setting(item)}" for key, item in value["config"].items() if key != "name" and item is not None
        )
        return f"{value['class_name']}({inner})"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)[:200]


def read_seeds(config: Any) -> dict[str, int]:
    """Return every seed that the configuration records, by layer name (and by initializer where it is one's)."""
    seeds: dict[str, int] = {}

    def look(value: Any, name: str, depth: int) -> None:
        """Walk the configuration; the nearest named object lends its name."""
        if depth > 60 or len(seeds) >= 100:
            return
        if isinstance(value, dict):
            name = value["name"] if isinstance(value.get("name"), str) else name
            for key, item in value.items():
                if key == "seed" and type(item) is int:
                    seeds.setdefault(name, item)
                elif isinstance(item, dict | list):
                    part = f"{name} {key}" if key.endswith("_initializer") else name
                    look(item, part, depth + 1)
        elif isinstance(value, list):
            for item in value:
                look(item, name, depth + 1)

    look(config, "model", 0)
    return seeds
