"""Load a model file with Keras, by content, never running what is not Keras's own."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportgen.analysis.evidence import Problem
from reportgen.worker.plan import ModelSpec
from reportgen.worker.spoken import say_error

SUFFIXES = {"keras": {".keras"}, "h5": {".h5", ".hdf5"}}

LAMBDA = (
    "the model has a Lambda layer, which carries code",
    "Replace it by a named layer, or allow it on the command line.",
)
UNKNOWN = (
    "the model uses a class that Keras does not know",
    "Save it with layers of Keras only, or name its classes under custom_objects.",
)
DAMAGED = ("the file is damaged or was cut short", "Save the model again.")
# Words that must all occur in what Keras says, and what people should hear instead: message and fix.
KNOWN: tuple[tuple[tuple[str, ...], tuple[str, str]], ...] = (
    (("lambda", "unsafe"), LAMBDA),
    (("lambda", "safe_mode"), LAMBDA),
    (("could not locate class",), UNKNOWN),
    (("unknown layer",), UNKNOWN),
    (("no model config found",), ("the file holds weights only", "Save the whole model with model.save(...).")),
    (("no such file",), ("the file is not there", "Check the path in the configuration.")),
    (("unable to synchronously open",), DAMAGED),
    (("bad crc",), DAMAGED),
    (("not a zip file",), DAMAGED),
)


class CannotLoad(Exception):
    """The model could not be loaded; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Loaded:
    """A live model and what had to be done to load it."""

    model: Any
    notes: tuple[str, ...] = ()


def load_model(spec: ModelSpec) -> Loaded:
    """Load a `.keras` or HDF5 model without compiling it (a missing custom loss never matters). Raises CannotLoad."""
    path = Path(spec.path)
    if path.suffix.lower() in SUFFIXES.get(spec.format, set()):
        return Loaded(_load(path))
    # Keras goes by the suffix alone; a link with the right one makes it go by the content.
    with tempfile.TemporaryDirectory(prefix="reportgen-") as folder:
        link = Path(folder) / f"model.{spec.format}"
        link.symlink_to(path.resolve())
        model = _load(link, shown=path)
    return Loaded(model, (f"The file is in {spec.format} format, whatever its name says.",))


def _load(path: Path, shown: Path | None = None) -> Any:
    """Call Keras; turn whatever it raises into a problem for people."""
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise CannotLoad(_explain(error, shown or path)) from error


def _explain(error: Exception, path: Path) -> Problem:
    """Return one line about why a model could not be loaded."""
    said = str(error)
    lowered = said.lower()
    for words, (message, fix) in KNOWN:
        if all(word in lowered for word in words):
            return Problem("load", f"{path.name}: {message}.", fix, said[:2000])
    return Problem(
        "load",
        f"{path.name}: Keras could not load the model: {say_error(error)}",
        "Load it with the Keras version that saved it and save it again as .keras, "
        "or name that environment's interpreter under python.",
        said[:2000],
    )
