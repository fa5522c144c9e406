"""Why a model could not be loaded, in one line for people; Keras's own words are kept for --debug."""

from __future__ import annotations

import re
from pathlib import Path

from reportgen.analysis.evidence import Problem
from reportgen.worker.spoken import say_error

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
CAUSE = re.compile(r"(?:Exception encountered|Error encountered during deserialization): ")
ELSEWHERE = (
    "Load it with the Keras version that saved it and save it again as .keras, "
    "or name that environment's interpreter under python."
)
TWO_WAYS = (
    "Install tf_keras in the worker's environment, which then reads it as Keras 2 did; "
    "or name the interpreter of an environment with that Keras under python."
)


class CannotLoad(Exception):
    """The model could not be loaded; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def explain_load(error: Exception, path: Path) -> Problem:
    """Return one line about why a model could not be loaded."""
    said = str(error)
    lowered = said.lower()
    for words, (message, fix) in KNOWN:
        if all(word in lowered for word in words):
            return Problem("load", f"{path.name}: {message}.", fix, said[:2000])
    message = f"{path.name}: Keras could not load the model: {_say_cause(error)}"
    return Problem("load", message, ELSEWHERE, said[:2000])


def _say_cause(error: Exception) -> str:
    """Return what an exception says; of Keras's wrapped ones, which repeat whole configurations, the innermost."""
    inner = CAUSE.split(str(error))[-1].strip()
    return say_error(error) if inner == str(error).strip() or not inner else say_error(ValueError(inner))


def explain_keras2(error: Exception, path: Path, version: str, here: str) -> Problem:
    """Return one line about a Keras 2 file that `here`, this Keras's version, cannot read."""
    wrote = f"Keras {version}" if version else "Keras 2"
    message = f"{path.name}: a Keras 2 file (saved with {wrote}) that Keras {here} cannot read: {_say_cause(error)}"
    return Problem("load", message, TWO_WAYS, str(error)[:2000])
