"""describe_model: which kind of model a configuration names, checked without Keras, and what its two ends are."""

from __future__ import annotations

from reportgen.config_schema import Config
from reportgen.errors import InputRefused
from reportgen.inputs.ends import Ends, describe_ends
from reportgen.inputs.files import shown
from reportgen.inputs.preflight import check_weights, inspect_model
from reportgen.inputs.savedmodel import inspect_saved_model, is_saved_model
from reportgen.worker.plan import ModelSpec


def describe_model(config: Config) -> tuple[ModelSpec, Ends]:
    """Check what `model` names; return the worker's orders for it. Raises InputRefused naming place and fix."""
    assert config.model is not None
    root, safe = str(config.file.parent), "lambda" not in config.trust
    objects = dict(config.custom_objects)
    if config.python is not None and not config.python.is_file():
        raise InputRefused(f"{shown(config.python)}: no such file; `python` names the interpreter of an environment")
    if config.build is not None:
        weights = config.build.weights is not None
        if weights:
            check_weights(config.model)
        path = str(config.model) if weights else ""
        return ModelSpec(path, "builder", safe, config.build.builder, objects, root), Ends()
    if is_saved_model(config.model):
        notes = inspect_saved_model(config.model, config.trust)
        return ModelSpec(str(config.model), "savedmodel", safe, "", objects, root, notes), Ends()
    file = inspect_model(config.model, config.trust, frozenset(objects))
    return ModelSpec(str(config.model), file.format, safe, "", objects, root), describe_ends(file.config)
