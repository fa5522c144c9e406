"""Evidence of a case, by reportgen's own worker in this process, kept until the case or the code that measures changes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import reportgen
from reportgen.analysis.evidence import Artifacts
from reportgen.config import load_config
from reportgen.inputs.found import find_inputs, load_history_of
from reportgen.worker.border import BorderError, read_evidence, write_evidence

EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class Case:
    """A trained case: its folder, its recipe as stored, and what was measured of it apart from reportgen."""

    folder: Path
    recipe: dict[str, Any]
    truth: dict[str, Any]
    history: dict[str, list[float]]


def load_case(folder: Path) -> Case:
    """Read what training left."""
    known = json.loads((folder / "case.json").read_text())
    return Case(folder, known["recipe"], known["truth"], json.loads((folder / "history.json").read_text()))


@cache
def code_digest() -> str:
    """Return the hash of the sources that make evidence: `worker` and `analysis`. Can be pinned while they change."""
    if pinned := os.environ.get("BENCH_EVIDENCE"):
        return pinned
    root = Path(reportgen.__file__).parent
    files = sorted([*(root / "worker").rglob("*.py"), *(root / "analysis").rglob("*.py")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def find_artifacts(case: Case) -> Artifacts | None:
    """Return the artifacts of a case from its kept evidence, None when there is none of today's code."""
    folder = case.folder / EVIDENCE / code_digest()
    try:
        evidence = read_evidence(folder)
    except (BorderError, OSError):
        return None
    config = load_config(case.folder / "config.yaml")
    history, problems = load_history_of(find_inputs(config), config)
    return Artifacts(title=config.title or "", history=history, worker=evidence, problems=problems)


def measure_all(folders: list[Path], seconds: float = float("inf")) -> int:
    """Have the worker look at every case without evidence, for at most `seconds`; return how many are left."""
    missing = [folder for folder in folders if not (folder / EVIDENCE / code_digest() / "evidence.json").is_file()]
    if not missing:
        return 0
    from faults.train_all import prepare_tensorflow

    prepare_tensorflow()
    started = time.monotonic()
    for place, folder in enumerate(missing):
        if time.monotonic() - started > seconds:
            return len(missing) - place
        _measure(folder)
        if place % 25 == 24:
            spent = time.monotonic() - started
            print(f"{place + 1:,} of {len(missing):,} cases measured, {spent / (place + 1):.1f} s each", flush=True)
    return 0


def _measure(folder: Path) -> None:
    """Keep the evidence of one case; evidence of older code goes."""
    import keras

    from reportgen.worker.run import run

    plan = find_inputs(load_config(folder / "config.yaml")).plan
    evidence = run(plan, lambda event: None)
    keras.backend.clear_session(free_memory=False)
    for problem in evidence.problems:
        print(f"{folder.name}: {problem.part}: {problem.message}", file=sys.stderr)
    kept = folder / EVIDENCE / code_digest()
    for old in (folder / EVIDENCE).glob("*"):
        shutil.rmtree(old)
    kept.mkdir(parents=True)
    write_evidence(evidence, kept)
