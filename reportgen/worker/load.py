"""Load a model file with Keras, by content, never running what is not Keras's own."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from reportgen.analysis.evidence import Problem
from reportgen.worker.explain import CannotLoad, explain_keras2, explain_load
from reportgen.worker.loaded import Loaded
from reportgen.worker.old_operations import keras2_hard_sigmoid, make_layers
from reportgen.worker.operations_h5 import place_operations
from reportgen.worker.own_code import call_builder, load_objects
from reportgen.worker.plan import ModelSpec
from reportgen.worker.repair import OLD_HARD_SIGMOID, is_keras2, refer_to_functions, repair_config
from reportgen.worker.rewrite import drop_unknown, write_copy
from reportgen.worker.saved import Saved
from reportgen.worker.spoken import say_error
from reportgen.worker.unbuilt import build_by_calling, is_built
from reportgen.worker.weight_guard import TooLarge, weights_within

__all__ = ["CannotLoad", "Loaded", "load_model"]

SUFFIXES = {"keras": {".keras"}, "h5": {".h5", ".hdf5"}}
MOST_REPAIRS = 30
Sample = Callable[[], dict[str, Any]]
Config = dict[str, Any]


def load_model(spec: ModelSpec, saved: Saved | None = None, sample: Sample | None = None) -> Loaded:
    """Load a model without compiling it (a missing custom loss never matters). Raises CannotLoad.

    With `saved`, what the file says about itself, configurations of older Keras versions are brought up to date.
    `sample` returns a few samples by input name, on which a model that is not built yet is called.
    """
    objects = load_objects(spec)
    _register(objects | _registered(saved, objects))
    if spec.format == "savedmodel":
        return _load_saved_model(spec)
    loaded = _build_model(spec, sample) if spec.format == "builder" else _load_file(spec, saved)
    if sample is not None and not is_built(loaded.model):
        build_by_calling(loaded.model, sample())
        return replace(loaded, notes=(*loaded.notes, "The model was built by calling it on the batch."))
    return loaded


def _build_model(spec: ModelSpec, sample: Sample | None) -> Loaded:
    """Call the function that builds the model, and load its weights."""
    model = call_builder(spec)
    notes = (f"The model was built by {spec.builder}.",)
    if not spec.path:
        return Loaded(model, notes)
    if sample is not None and not is_built(model):
        build_by_calling(model, sample())
    try:
        model.load_weights(spec.path)
    except Exception as error:
        text = f"{Path(spec.path).name}: the weights do not fit the model of {spec.builder}: {say_error(error)}"
        fix = "Name the function that built the model these weights were saved from."
        raise CannotLoad(Problem("load", text, fix, str(error)[:2000])) from error
    return Loaded(model, notes)


def _load_saved_model(spec: ModelSpec) -> Loaded:
    """Load a SavedModel, on TensorFlow alone."""
    import keras

    name = Path(spec.path).name
    if keras.backend.backend() != "tensorflow":
        text = f"{name}: a SavedModel needs TensorFlow; Keras runs on {keras.backend.backend()} here."
        raise CannotLoad(Problem("load", text, "Set backend: tensorflow, or save the model as .keras."))
    from reportgen.worker.closed import load_saved_model

    try:
        loaded = load_saved_model(spec)
    except Exception as error:
        text = f"{name}: the SavedModel could not be loaded: {say_error(error)}"
        raise CannotLoad(Problem("load", text, "Export it again with model.export(...).", str(error)[:2000])) from error
    return replace(loaded, notes=(*loaded.notes, *spec.notes))


def _load_file(spec: ModelSpec, saved: Saved | None) -> Loaded:
    """Load a `.keras` or HDF5 file."""
    path = Path(spec.path)
    notes = []
    if path.suffix.lower() not in SUFFIXES.get(spec.format, set()):
        notes.append(f"The file is in {spec.format} format, whatever its name says.")
    with tempfile.TemporaryDirectory(prefix="reportgen-") as folder:
        held = path.stat().st_size
        try:
            with weights_within(held):
                model, left_out = _load_any(spec, saved, Path(folder))
        except TooLarge as refusal:
            raise CannotLoad(refusal.problem(path, held)) from None
        except Exception as error:
            return _load_otherwise(spec, saved, error)
    if left_out:
        notes.append(f"Arguments that this Keras does not have were left out: {', '.join(left_out)}.")
    return Loaded(model, tuple(notes))


def _load_any(spec: ModelSpec, saved: Saved | None, folder: Path) -> tuple[Any, tuple[str, ...]]:
    """Load the file, or a copy of it with a repaired configuration; return the model and the arguments left out."""
    import keras

    path = Path(spec.path)
    _register(_old_objects(saved))
    if saved is None:
        return _load(spec, _by_content(path, folder, spec.format)), ()
    config, left_out = repair_config(saved.config, saved.keras_version, keras.__version__)
    if spec.format == "h5" and not is_keras2(saved.config, saved.keras_version):
        config = place_operations(config)
    config = refer_to_functions(config, frozenset(spec.custom_objects))
    for _ in range(MOST_REPAIRS):
        try:
            if config == saved.config:
                return _load(spec, _by_content(path, folder, spec.format)), left_out
            if spec.format == "keras":  # finds what is wrong before any weight is copied
                _build(spec, config)
            return _load(spec, write_copy(path, folder, spec.format, config)), left_out
        except Exception as error:
            smaller = drop_unknown(config, str(error))
            if smaller is None:
                raise
            config, left_out = smaller[0], (*left_out, *smaller[1])
    raise ValueError(f"the configuration has more than {MOST_REPAIRS} kinds of arguments that this Keras does not have")


def _registered(saved: Saved | None, objects: dict[str, Any]) -> dict[str, Any]:
    """Return the objects under the names that the file registered them by ("package>Name")."""
    found = (
        re.findall(r'"registered_name": "([^"\\\\]+>[^"\\\\]+)"', json.dumps(saved.config)) if saved is not None else []
    )
    return {name: objects[name.rpartition(">")[2]] for name in found if name.rpartition(">")[2] in objects}


def _register(objects: dict[str, Any]) -> None:
    """Make classes and functions known to Keras by name. A scope would be lost in nested models."""
    import keras

    keras.saving.get_custom_objects().update(objects)


def _old_objects(saved: Saved | None) -> dict[str, Any]:
    """Return stand-ins for what Keras 3 no longer has: operations kept as layers, the old hard sigmoid."""
    text = json.dumps(saved.config) if saved is not None else ""
    layers = make_layers() if '"TFOpLambda"' in text or '"SlicingOpLambda"' in text else {}
    return {**layers, OLD_HARD_SIGMOID: keras2_hard_sigmoid}


def _by_content(path: Path, folder: Path, kind: str) -> Path:
    """Return the path under a name that fits the content: Keras goes by the suffix alone."""
    if path.suffix.lower() in SUFFIXES.get(kind, set()):
        return path
    link = folder / f"link.{kind}"
    if not link.is_symlink():
        link.symlink_to(path.resolve())
    return link


def _build(spec: ModelSpec, config: Config) -> None:
    """Build the model without its weights."""
    import keras

    # A copy, because Keras takes the configuration apart while it reads it.
    keras.saving.deserialize_keras_object(copy.deepcopy(config), safe_mode=spec.safe_mode)


def _load(spec: ModelSpec, path: Path) -> Any:
    """Call Keras."""
    import keras

    return keras.saving.load_model(path, compile=False, safe_mode=spec.safe_mode)


def _load_otherwise(spec: ModelSpec, saved: Saved | None, error: Exception) -> Loaded:
    """Read a Keras 2 file with tf_keras where it is installed. Raises CannotLoad."""
    import keras

    path = Path(spec.path)
    said = str(error).lower()
    if saved is None or not is_keras2(saved.config, saved.keras_version) or ("lambda" in said and spec.safe_mode):
        raise CannotLoad(explain_load(error, path)) from error
    if keras.backend.backend() != "tensorflow" or importlib.util.find_spec("tf_keras") is None:
        raise CannotLoad(explain_keras2(error, path, saved.keras_version, keras.__version__)) from error
    from reportgen.worker.closed import load_with_tf_keras

    try:
        return load_with_tf_keras(path)
    except Exception as second:
        raise CannotLoad(explain_keras2(second, path, saved.keras_version, keras.__version__)) from second
