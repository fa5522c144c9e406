"""What a command line may allow with `--trust`, and how it is read. Nothing else can grant it."""

from __future__ import annotations

from collections.abc import Iterable

from reportgen.errors import UsageError

Trust = frozenset[str]

TRUSTS = {
    "python": "run the worker in the interpreter that `python` names",
    "builder": "call the function that `model.builder` names",
    "custom_objects": "import the classes that `custom_objects` names",
    "plugins": "import the modules that `plugins` names",
    "code": "call the function that a `module:function` source names",
    "pickle": "read a pickled history: numbers, lists and mappings only, nothing is called",
    "lambda": "run the Python code of Lambda layers in the model file",
    "savedmodel": "run the operations of a SavedModel",
    "remote": "read from the network",
}
NOTHING: Trust = frozenset()


def read_trust(given: Iterable[str]) -> Trust:
    """Return what `--trust` allows; "all" allows everything. Raises UsageError for a name that it does not have."""
    names = [name.strip() for text in given for name in text.split(",") if name.strip()]
    for name in names:
        if name != "all" and name not in TRUSTS:
            raise UsageError(f"--trust: `{name}` is not one of all, {', '.join(TRUSTS)}")
    return frozenset(TRUSTS) if "all" in names else frozenset(names)
