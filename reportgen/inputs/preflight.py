"""check_model: look at a model file's structure, without Keras, before anything may load it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportgen.errors import InputRefused
from reportgen.inputs.declared import compute_parameter_bytes, count_layers
from reportgen.inputs.files import check_file, shown
from reportgen.inputs.hdf5 import Structure, read_structure
from reportgen.inputs.hdf5_bytes import Corrupt
from reportgen.inputs.keras_config import Refused, check_config
from reportgen.inputs.keras_zip import JSON_LIMIT, map_file, read_keras_zip
from reportgen.inputs.trust import NOTHING, Trust
from reportgen.worker.plan import ModelSpec

MOST_LAYERS = 10_000  # several times the deepest that anyone trains; Keras builds more for longer than anyone waits
FLOOR = 64 << 20  # below this, nothing that a file declares is a danger
EXPANSION = 100  # how far weights may unpack
SPARE = 16  # how far a config may exceed the weights beside it (quantised ones take fewer bytes)
_SAVE = "save the whole model: model.save('model.keras')"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What a model file says about itself: its format, its config, and Keras's version if recorded."""

    format: str
    config: dict[str, Any]
    keras_version: str


def check_model(path: Path, trust: Trust = NOTHING) -> ModelSpec:
    """Return what the model file is; raises InputRefused naming the place and the fix when it must not be loaded."""
    return ModelSpec(str(path), inspect_model(path, trust).format, safe_mode="lambda" not in trust)


def inspect_model(path: Path, trust: Trust = NOTHING, own: frozenset[str] = frozenset()) -> ModelFile:
    """Check a model file and return its config; raises InputRefused as `check_model` does.

    `own` are the names of custom classes and functions that are trusted.
    """
    name = shown(path)
    _refuse_folder(path, name)
    size = check_file(path, "the model")
    with path.open("rb") as stream:
        magic = stream.read(8)
    if magic.startswith(b"PK"):
        found, declared = _inspect_zip(path, name, size)
    elif magic == b"\x89HDF\r\n\x1a\n":
        found, declared = _inspect_h5(path, name, size)
    else:
        raise InputRefused(f"{name}: is neither a .keras nor an HDF5 file; {_SAVE}")
    _check_config(found.config, declared, name, trust, own)
    return found


def check_weights(path: Path) -> None:
    """Look at a file of weights for a model that a function builds; raises InputRefused as for a model file."""
    name = shown(path)
    size = check_file(path, "the weights")
    with path.open("rb") as stream:
        magic = stream.read(8)
    if magic.startswith(b"PK"):
        _inspect_zip(path, name, size)
    elif magic == b"\x89HDF\r\n\x1a\n":
        _check_structure(_structure(memoryview(map_file(path)), name), name, size)
    else:
        raise InputRefused(f"{name}: is no file of weights; save them: model.save_weights('model.weights.h5')")


def _refuse_folder(path: Path, name: str) -> None:
    """Say what a folder in place of a model file may be."""
    if not path.is_dir():
        return
    if (path / "config.json").exists():
        raise InputRefused(f"{name}: is an unpacked .keras folder; pack it again, or {_SAVE}")
    raise InputRefused(f"{name}: is a folder; the model must be a file; {_SAVE}")


def _inspect_zip(path: Path, name: str, size: int) -> tuple[ModelFile, int]:
    """Check a .keras file; return what it says and the bytes of the weights that it declares."""
    parts = read_keras_zip(path, name)
    config = _read_json(parts.config, f"{name}: config.json")
    metadata = _read_json(parts.metadata, f"{name}: metadata.json") if parts.metadata else {}
    if parts.weights is None:
        raise InputRefused(f"{name}: holds no model.weights.h5; {_SAVE}")
    declared = _check_structure(
        _structure(parts.weights, f"{name}: model.weights.h5"), f"{name}: model.weights.h5", size
    )
    return ModelFile("keras", config, str(metadata.get("keras_version", ""))), declared


def _inspect_h5(path: Path, name: str, size: int) -> tuple[ModelFile, int]:
    """Check an HDF5 model file likewise."""
    structure = _structure(memoryview(map_file(path)), name)
    declared = _check_structure(structure, name, size)
    text = structure.attributes.get("model_config")
    if text is None:
        if structure.datasets:
            builder = "or name the function that builds it: model: {builder: module:function, weights: FILE}"
            raise InputRefused(f"{name}: holds weights only; {_SAVE}, {builder}")
        raise InputRefused(f"{name}: is an HDF5 file without a model; {_SAVE}")
    if len(text) > JSON_LIMIT:
        raise InputRefused(f"{name}: its config has {len(text):,} bytes, more than {JSON_LIMIT:,}; {_SAVE}")
    version = structure.attributes.get("keras_version", b"").decode("utf-8", "replace")
    return ModelFile("h5", _read_json(text, f"{name}: model_config"), version), declared


def _structure(data: bytes | memoryview, what: str) -> Structure:
    """Read the structure of HDF5 bytes."""
    try:
        return read_structure(data)
    except Corrupt as error:
        raise InputRefused(f"{what}: corrupt HDF5 data ({error}); copy or save the model again") from None


def _check_structure(structure: Structure, what: str, size: int) -> int:
    """Refuse links and arrays that lead outside, or declare far more than the file holds; return the declared bytes."""
    for link in structure.links:
        article = "an" if link.kind == "external" else "a"
        raise InputRefused(f"{what}: `{link.path}` is {article} {link.kind} link to `{link.target}`: refused; {_SAVE}")
    for dataset in structure.datasets:
        if dataset.outside:
            article = "an" if dataset.outside == "external" else "a"
            raise InputRefused(
                f"{what}: `{dataset.path}` is {article} {dataset.outside} dataset, kept outside: refused; {_SAVE}"
            )
    declared = sum(dataset.declared for dataset in structure.datasets)
    if declared > FLOOR and declared > EXPANSION * size:
        text = f"its arrays declare {declared:,} bytes and the file has {size:,}"
        raise InputRefused(f"{what}: {text}: refused; {_SAVE}")
    return declared


def _read_json(text: bytes, what: str) -> dict[str, Any]:
    """Return a JSON object of unknown origin."""
    try:
        data = json.loads(text)
    except RecursionError:
        raise InputRefused(f"{what} is nested too deep for a model; {_SAVE}") from None
    except ValueError as error:
        if "digits" in str(error):
            raise InputRefused(f"{what} holds a number of thousands of digits; {_SAVE}") from None
        raise InputRefused(f"{what} is corrupt ({' '.join(str(error).split())[:150]}); {_SAVE}") from None
    if not isinstance(data, dict):
        raise InputRefused(f"{what} does not hold a model; {_SAVE}")
    return data


def _check_config(config: dict[str, Any], weights: int, name: str, trust: Trust, own: frozenset[str]) -> None:
    """Refuse a config that names what may not run, or that declares weights which the file does not have."""
    try:
        check_config(config, trust, own)
    except Refused as error:
        where = f"layer `{error.where}`" if error.where else "the model"
        raise InputRefused(f"{name}: {where} {error.problem}; {error.fix}") from None
    layers = count_layers(config)
    if layers > MOST_LAYERS:
        raise InputRefused(f"{name}: its config lists {layers:,} layers; models of up to {MOST_LAYERS:,} are read")
    declared, layer = compute_parameter_bytes(config)
    if declared > FLOOR and declared > SPARE * weights:
        many = f"{declared:,}" if declared < 10**18 else "over 10^18"
        text = f"its config declares {many} bytes of weights (layer `{layer}`) and the file holds {weights:,}"
        raise InputRefused(f"{name}: {text}: refused; {_SAVE}")
