"""Hold the names in a configuration against the model's: one that names nothing would be accepted and ignored."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from reportgen.config_schema import Config
from reportgen.errors import InputRefused
from reportgen.inputs.ends import Ends
from reportgen.inputs.files import shown

REDACTED = ("paths", "host", "git", "command")


def check_names(config: Config, ends: Ends) -> None:
    """Refuse names of inputs and outputs that the model does not have; raises InputRefused.

    Where the model's config says too little (subclassed models), everything passes: loading it will tell.
    """
    batch = config.batch
    inputs = [*ends.inputs, *ends.keys] if ends.inputs else []
    outputs = [*ends.outputs, *ends.keys] if ends.outputs else []
    named: list[tuple[str, Iterable[str], list[str], str]] = [("task", config.task, outputs, "output")]
    if batch is not None:
        named += [("batch.x", batch.x, inputs, "input"), ("batch.y", batch.y, outputs, "output")]
        named += [("batch.classes", batch.classes, outputs, "output")]
    for key, names, known, what in named:
        for name in names if known else ():
            if name and name not in known:
                raise InputRefused(f"{shown(config.file)}: {key}: {_unknown(name, known, what)}")
    columns = [*inputs, *(batch.x if batch is not None else ())]
    for word in config.redact if inputs else ():
        if word not in REDACTED and word not in columns:
            text = f"`{word}` is none of {', '.join(REDACTED)} and no input of the model ({_listed(inputs)})"
            raise InputRefused(f"{shown(config.file)}: redact: {text}")


def _unknown(name: str, known: list[str], what: str) -> str:
    """Say that the model has no such input or output, and which one may be meant."""
    near = difflib.get_close_matches(name, known, 1, 0.6)
    return f"the model has no {what} `{name}`; " + (
        f"did you mean `{near[0]}`?" if near else f"it has {_listed(known)}"
    )


def _listed(names: Iterable[str]) -> str:
    """Return names in words, without repeats."""
    return ", ".join(dict.fromkeys(names))
