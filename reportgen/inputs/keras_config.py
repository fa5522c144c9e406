"""Compare a model's config with what Keras itself has: nothing that runs code or opens a file may be named in it.

The walk keeps its own stack, so that no nesting can exhaust Python's. Loading never compiles, so what the training
settings at the top name (a custom loss, metric or optimizer) is not looked at; those of nested models are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from reportgen.inputs import keras_names as names
from reportgen.inputs.trust import Trust
from reportgen.worker.operation_names import is_computing

DEPTH_LIMIT = 500
NODE_LIMIT = 5_000_000
_PLAIN = frozenset(("__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"))
_ROOMS = {
    "": names.MODELS | names.POLICIES | names.INITIALIZERS,
    "layers": names.LAYERS,
    "models": names.MODELS,
    "engine": names.MODELS | names.LAYERS,
    "initializers": names.INITIALIZERS,
    "regularizers": names.PENALTIES,
    "constraints": names.PENALTIES,
    "losses": names.SCORES,
    "metrics": names.SCORES,
    "optimizers": names.OPTIMIZERS,
    "dtype_policies": names.POLICIES,
    "mixed_precision": names.POLICIES,
    "quantizers": names.POLICIES,
    "random": names.POLICIES,
    "ops": names.OPERATIONS,
    "activations": frozenset(("ReLU", "Mish")),
    "applications": names.APPLICATION_LAYERS,
}
_ANYWHERE = frozenset().union(*_ROOMS.values())
_FUNCTION_ROOMS = frozenset(
    ("activations", "initializers", "regularizers", "constraints", "losses", "metrics", "ops", "nn")
)
_FOREIGN = {
    "TFSMLayer": "loads a SavedModel, whose operations can do anything",
    "TorchModuleWrapper": "holds a pickled PyTorch module, which can run code",
    "JaxLayer": "calls a Python function",
    "FlaxLayer": "calls a Python function",
}
_ACTIVATIONS = ("activation", "recurrent_activation")  # may stand as a bare name
_KERAS_ONLY = "rebuild the model with Keras's own layers and save it again"


class Refused(Exception):
    """The config names something that must not be loaded; in layer `where`; `fix` is the way out."""

    def __init__(self, where: str, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.where, self.problem, self.fix = where, problem, fix


def check_config(config: dict[str, Any], trust: Trust, own: frozenset[str] = frozenset()) -> None:
    """Walk a model's config; raises Refused at the first thing in it that is not Keras's own or that runs code.

    `own` are the names of custom classes and functions that the command line trusts.
    """
    top = {key: value for key, value in config.items() if key != "compile_config"}
    for node, where in _walk(top):
        if "class_name" in node:
            _check_object(node, where, trust, own)
        for key in _ACTIVATIONS:
            name = node.get(key)
            if isinstance(name, str) and name.removesuffix("_v2") not in names.FUNCTIONS | own:
                _refuse_custom("function", name, where)
        if isinstance(node.get("vocabulary"), str):
            raise Refused(
                where, "reads its vocabulary from a file outside the model", "save the model with the vocabulary in it"
            )


def _walk(config: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield every mapping with the name of the layer around it; raises Refused beyond a depth or count."""
    stack: list[tuple[Any, str, int]] = [(config, "", 0)]
    seen = 0
    while stack:
        node, where, depth = stack.pop()
        seen += 1
        if depth > DEPTH_LIMIT or seen > NODE_LIMIT:
            raise Refused(where, "has a config that is nested or filled beyond measure", "save the model again")
        if isinstance(node, dict):
            where = _name_of(node) or where
            yield node, where
            below: Any = node.values()
        else:
            below = node
        stack += [(item, where, depth + 1) for item in below if isinstance(item, (dict, list))]


def _name_of(node: dict[str, Any]) -> str:
    """Return the name of the layer or model that a mapping describes, if it describes one."""
    inner = node.get("config")
    name = inner.get("name") if "class_name" in node and isinstance(inner, dict) else None
    return name if isinstance(name, str) and node.get("class_name") not in ("DTypePolicy", "Policy") else ""


def _check_object(node: dict[str, Any], where: str, trust: Trust, own: frozenset[str]) -> None:
    """Check one serialised object: its class, or the function that it names."""
    name, module = node["class_name"], node.get("module")
    if not isinstance(name, str) or not isinstance(module, (str, type(None))):
        raise Refused(where, "is described by a class that is no name", "the file is corrupt; save the model again")
    if name in _PLAIN:
        return
    if name in ("Lambda", "__lambda__"):
        if "lambda" not in trust:
            raise Refused(
                where, "is a Lambda: Python code in the model file", f"{_KERAS_ONLY}, or allow it with --trust=lambda"
            )
        return
    if name in _FOREIGN:
        raise Refused(where, f"is a {name}, which {_FOREIGN[name]}", _KERAS_ONLY)
    if name in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"):
        _check_operation(node, where)
        return
    if name == "function":
        _check_function(node, module, where, own)
        return
    if _is_own(node, name, own) and not _is_python(module):
        return
    room = _room(module)
    if room is None and module not in (None, "builtins"):
        _refuse_module(name, str(module), where)
    if name not in (_ANYWHERE if room is None else _ROOMS.get(room, frozenset())):
        if room is not None:
            raise Refused(where, f"uses {module}.{name}, which is no part of a model that reportgen knows", _KERAS_ONLY)
        _refuse_custom("class", name, where)


def _check_operation(node: dict[str, Any], where: str) -> None:
    """Check a TensorFlow function that Keras 2 kept as a layer: it must be one that only computes."""
    settings = node.get("config")
    function = settings.get("function") if isinstance(settings, dict) else None
    if not isinstance(function, str) or not is_computing(function):
        what = f"the TensorFlow function {function}" if isinstance(function, str) else "a TensorFlow graph node"
        raise Refused(where, f"calls {what}, which is not known to only compute", _KERAS_ONLY)


def _room(module: str | None) -> str | None:
    """Return the part of Keras that a module lies in ("layers" of keras.src.layers.core.dense), None outside Keras."""
    parts = (module or "").split(".")
    if parts[0] not in ("keras", "tf_keras"):
        return None
    inner = [part for part in parts[1:] if part not in ("src", "legacy")]
    return inner[0] if inner else ""


def _is_own(node: dict[str, Any], name: str, own: frozenset[str]) -> bool:
    """Tell whether a class or function is a trusted one, by its name or the one it is registered by."""
    registered = node.get("registered_name")
    return name in own or (isinstance(registered, str) and {registered, registered.rpartition(">")[2]} & own != set())


def _is_python(module: str | None) -> bool:
    """Tell whether a module is one of Python's own."""
    return module != "builtins" and (module or "").split(".")[0] in sys.stdlib_module_names


def _check_function(node: dict[str, Any], module: str | None, where: str, own: frozenset[str]) -> None:
    """Check a function by the name that it resolves to."""
    name = node.get("config")
    if not isinstance(name, str):
        raise Refused(where, "names a function that is no name", "the file is corrupt; save the model again")
    if _is_own(node, name, own) and not _is_python(module):
        return
    room = _room(module)
    if room is None and module not in (None, "builtins"):
        _refuse_module(name, str(module), where)
    if room is not None and room not in _FUNCTION_ROOMS:
        raise Refused(where, f"calls {module}.{name}, which is no part of a model", _KERAS_ONLY)
    if name not in names.FUNCTIONS:
        _refuse_custom("function", name, where)


def _refuse_module(name: str, module: str, where: str) -> None:
    """Refuse what lies outside Keras: Python's own modules by that, others as custom code."""
    if _is_python(module):
        raise Refused(
            where,
            f"names {module}.{name}, which is no part of Keras",
            "do not load this file unless you know who made it",
        )
    _refuse_custom("class", name, where, f" of the module `{module}`")


def _refuse_custom(kind: str, name: str, where: str, of: str = "") -> None:
    """Refuse a class or function of the author's own."""
    written = f"[module:{name}]" if name.isidentifier() else f'{{"{name}": module:function}}'
    fix = f"name it under `custom_objects: {written}` and allow it with --trust=custom_objects, or {_KERAS_ONLY}"
    raise Refused(where, f"uses the custom {kind} `{name}`{of}, which Keras does not have", fix)
