"""Turn what Keras and its backends raise into one line for people."""

from __future__ import annotations

import re

LONGEST = 200
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
# Lines that only say where something was noticed.
NOISE = re.compile(
    r"^(Exception encountered when calling|Graph execution error|Detected at node|Arguments received by|File \"|\[\[|"
    r"Original stack trace|Node: |Function call stack|Call arguments received)"
)
# What TensorFlow puts around the cause: the node before it, the operation after it.
AROUND = re.compile(r"\{\{(function_node|node) [^}]*\}\}|\[Op:\w+\].*")
# Words of a backend, and what people should hear: it is not the model that is at fault.
KNOWN = {
    "only supports the NHWC": "its convolutions take channels first (data_format: channels_first), which TensorFlow "
    "computes on a GPU only: run it where there is one, or with another backend under python"
}


def say_error(error: BaseException) -> str:
    """Return the line of an exception that says what is wrong, with its type where the line alone would not tell."""
    text = ESCAPES.sub("", str(error))
    lines = [line.strip() for line in text.splitlines()]
    said = AROUND.sub("", next((line for line in lines if line and not NOISE.match(line)), "")).strip()
    for words, plain in KNOWN.items():
        if words in text:
            return plain
    kind = type(error).__name__
    if not said:
        return kind
    said = said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"
    return said if kind in ("ValueError", "RuntimeError") else f"{kind}: {said}"
