"""The author's own code: classes that a model file names, and functions that build a model. Only what was trusted."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from reportgen.analysis.evidence import Problem
from reportgen.worker.explain import CannotLoad
from reportgen.worker.plan import ModelSpec
from reportgen.worker.spoken import say_error


def load_objects(spec: ModelSpec) -> dict[str, Any]:
    """Import the custom classes and functions of a plan, by their names in the model file. Raises CannotLoad."""
    return {name: import_name(place, spec.root, "custom_objects") for name, place in spec.custom_objects.items()}


def import_name(place: str, root: str, key: str) -> Any:
    """Return what "module:name" names; the module is looked for below `root` first. Raises CannotLoad."""
    module, _, name = place.partition(":")
    if root and root not in sys.path:
        sys.path.insert(0, root)
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        text = f"{key}: there is no module {missing}" + (f", which {module} imports" if missing != module else "")
        fix = "Put it beside the configuration, or install it in the worker's environment."
        raise CannotLoad(Problem("load", f"{text}.", fix, str(error))) from error
    except Exception as error:
        text = f"{key}: importing {module} failed: {say_error(error)}"
        raise CannotLoad(Problem("load", text, "Mend the module; it runs when it is imported.", str(error))) from error
    if not hasattr(found, name):
        raise CannotLoad(Problem("load", f"{key}: the module {module} has no {name}.", "Check the name."))
    return getattr(found, name)


def call_builder(spec: ModelSpec) -> Any:
    """Return the model that the builder's function makes. Raises CannotLoad."""
    import keras

    builder = import_name(spec.builder, spec.root, "model.builder")
    try:
        model = builder()
    except Exception as error:
        text = f"model.builder: {spec.builder} failed: {say_error(error)}"
        fix = "It is called without arguments and must return the model."
        raise CannotLoad(Problem("load", text, fix, str(error)[:2000])) from error
    if not isinstance(model, keras.Model):
        text = f"model.builder: {spec.builder} returned {type(model).__name__}, not a Keras model."
        raise CannotLoad(Problem("load", text, "Return a keras.Model."))
    return model
