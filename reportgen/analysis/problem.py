"""A part of the run that failed, as people are told of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A part that failed in the worker: `part` is "load", "graph", "predict", "layers", "maps", ... .

    `message` is for people (one line), `detail` the first 2,000 characters of what Keras said, `fix` what to do.
    """

    part: str
    message: str
    fix: str = ""
    detail: str = ""
