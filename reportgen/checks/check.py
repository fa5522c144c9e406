"""What a check is: metadata on top, one pure function under it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from reportgen.analysis.evidence import Artifacts
from reportgen.report.types import Evidence


@dataclass(frozen=True, slots=True)
class Meta:
    """What is known of a check before it runs.

    `passed` and `failed` are titles as full statements ("No dead units", "Some units never fire"). `level` is the
    default: what a failure counts as. `threshold` is the default number, with its meaning in words. `needs` are words
    for evidence: "history", "labels", "predictions", "activations", "weights", "inputs", "model" (see `lookup.NEEDS`).
    `source` cites where the threshold comes from.
    """

    code: str
    passed: str
    failed: str
    level: Literal["warn", "error"]
    needs: tuple[str, ...]
    causes: tuple[str, ...]
    fix: str
    section: str
    threshold: float | None = None
    threshold_meaning: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What the pure function says: `fired` (None: not applicable, `text` says why), one sentence, and the evidence.

    `fix` is a fix with the numbers of this case; empty for the check's usual one.
    """

    fired: bool | None
    text: str
    evidence: tuple[Evidence, ...] = ()
    layers: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    epochs: tuple[int, ...] = ()
    fix: str = ""


CheckFunction = Callable[[Artifacts, float], Result]


@dataclass(frozen=True, slots=True)
class Check:
    """A check as the registry holds it."""

    meta: Meta
    run: CheckFunction
