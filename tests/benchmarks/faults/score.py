"""Recall per fault and false alarms, each with its Wilson interval; a page of Markdown that says n everywhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.evidence import Case, find_artifacts, load_case
from faults.healthy import reaches_bar
from faults.recipe import HELD_OUT_KINDS, Recipe
from faults.truth import took, usual_scores
from reportgen.analysis.intervals import wilson_pair
from reportgen.checks import CHECKS, run_checks

DATA_CHECKS = frozenset(check.meta.code for check in CHECKS if check.meta.section == "predictions")
MODEL_CHECKS = tuple(check.meta.code for check in CHECKS if check.meta.code not in DATA_CHECKS)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the checks said of one case: outcomes by code."""

    recipe: dict[str, Any]
    outcomes: dict[str, str]
    texts: dict[str, str]
    folder: str

    @property
    def held_out(self) -> bool:
        """Tell whether thresholds were not tuned on this case."""
        return self.recipe["kind"] in HELD_OUT_KINDS

    def fired(self, code: str) -> bool:
        """Tell whether a check warned or failed."""
        return self.outcomes.get(code) in ("warned", "failed")


@dataclass(slots=True)
class Results:
    """Everything that was judged, and what was left out and why."""

    healthy: list[Judged] = field(default_factory=list)
    faulty: list[Judged] = field(default_factory=list)
    not_good: list[str] = field(default_factory=list)
    not_taken: Counter[tuple[str, bool]] = field(default_factory=Counter)
    not_measured: int = 0


def judge_all(cache: Path, recipes: list[Recipe], *, ask: bool = True) -> Results:
    """Run every check on every case whose evidence is there; `ask` whether each fault took."""
    cases = [load_case(cache / r.digest()) for r in recipes if (cache / r.digest() / "case.json").is_file()]
    good = [c for c in cases if not c.recipe["fault"] and reaches_bar(_recipe(c), c.truth)]
    usual, found = usual_scores(good), Results()
    for case in cases:
        fault, held = case.recipe["fault"], case.recipe["kind"] in HELD_OUT_KINDS
        if not fault and not reaches_bar(_recipe(case), case.truth):
            found.not_good.append(case.folder.name)
        elif fault and ask and not took(case, usual):
            found.not_taken[fault, held] += 1
        elif (judged := _judge(case)) is None:
            found.not_measured += 1
        else:
            (found.faulty if fault else found.healthy).append(judged)
    return found


def _recipe(case: Case) -> Recipe:
    """Return the recipe of a case."""
    return Recipe(**case.recipe)


def _judge(case: Case) -> Judged | None:
    """Run the checks on one case; None without evidence."""
    artifacts = find_artifacts(case)
    if artifacts is None:
        return None
    findings = run_checks(artifacts, {})
    return Judged(
        case.recipe,
        {f.code: f.outcome for f in findings},
        {f.code: f.text for f in findings},
        case.folder.name,
    )


def rate_text(hits: int, n: int) -> str:
    """Write a share as hits of n with its Wilson interval."""
    if not n:
        return "none of 0"
    low, high = wilson_pair(hits, n)
    return f"{hits / n:.1%} ({hits} of {n}; {low:.1%} to {high:.1%})"


def false_alarms(healthy: list[Judged], *, errors: bool = False) -> list[tuple[Judged, list[str]]]:
    """Return the healthy cases on which a training or layer check warned (or failed as an error), with the codes."""
    levels = ("failed",) if errors else ("warned", "failed")
    alarmed = [(case, [c for c in MODEL_CHECKS if case.outcomes.get(c) in levels]) for case in healthy]
    return [(case, codes) for case, codes in alarmed if codes]
