"""Report x Report -> Comparison: plain data on metrics, samples, layers, findings and what both were made from."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.comparison.metric_changes import metric_changes
from reportgen.comparison.pairing import other_tasks, pair_outputs
from reportgen.comparison.sample_changes import Sides, compute_sides
from reportgen.comparison.structure import Structure, compare_structure
from reportgen.report.changes import MetricChange
from reportgen.report.types import Finding, Report
from reportgen.report.values import Missing

FOUND = ("failed", "warned")


@dataclass(frozen=True, slots=True)
class FindingChange:
    """One check that found something in one of two reports; outcomes as in Finding, "" where it was not run."""

    code: str
    title: str
    kind: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Origin:
    """One fact on what the reports were made from; `same` is None where one of them does not know it."""

    what: str
    before: str
    now: str
    same: bool | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that differs between `base` and `head`; `other_tasks` are outputs with their task before and now."""

    metrics: tuple[MetricChange, ...]
    sides: tuple[Sides, ...]
    structure: Structure
    findings: tuple[FindingChange, ...]
    origins: tuple[Origin, ...]
    other_tasks: tuple[tuple[str, str, str], ...] = ()


def compare(base: Report, head: Report) -> Comparison:
    """Compare two reports; neither model nor data is needed."""
    pairings = pair_outputs(base, head)
    return Comparison(
        metrics=metric_changes(base, head, pairings),
        sides=tuple(compute_sides(pairing) for pairing in pairings),
        structure=compare_structure(base, head),
        findings=_findings(base, head),
        origins=_origins(base, head),
        other_tasks=other_tasks(base, head),
    )


def _findings(base: Report, head: Report) -> tuple[FindingChange, ...]:
    """List the checks that found something in either: new ones first, then those that are gone, then the rest."""
    old, new = ({finding.code: finding for finding in report.findings} for report in (base, head))
    kinds = ("new", "gone", "still there")
    found = []
    for code in (*new, *(code for code in old if code not in new)):
        before, now = old.get(code), new.get(code)
        was, is_ = _found(before), _found(now)
        if was or is_:
            titled = now if now is not None and is_ else before
            title = titled.title if titled is not None else code
            kind = kinds[0] if not was else kinds[1] if not is_ else kinds[2]
            found.append(FindingChange(code, title, kind, _outcome(before), _outcome(now)))
    return tuple(sorted(found, key=lambda change: kinds.index(change.kind)))


def _found(finding: Finding | None) -> bool:
    """Tell whether a check found something."""
    return finding is not None and finding.outcome in FOUND


def _outcome(finding: Finding | None) -> str:
    """Return a check's outcome."""
    return finding.outcome if finding is not None else ""


def _origins(base: Report, head: Report) -> tuple[Origin, ...]:
    """Compare what both were made from: files by their hashes, the code, the versions of the packages."""
    old, new = base.provenance, head.provenance
    files = [
        _origin("Model", old.model_file, new.model_file, old.model_sha256, new.model_sha256),
        _origin("Test batch", old.batch_file, new.batch_file, old.batch_sha256, new.batch_sha256),
        _origin("History", old.history_file, new.history_file, old.history_sha256, new.history_sha256),
        _origin("Configuration", old.config_file, new.config_file, old.config_sha256, new.config_sha256),
        _origin("Commit", _short(old.git_commit), _short(new.git_commit), old.git_commit, new.git_commit),
    ]
    names = sorted(set(old.versions) | set(new.versions))
    versions = [(name, old.versions.get(name, ""), new.versions.get(name, "")) for name in names]
    return (*files, *(Origin(name, before, now, before == now) for name, before, now in versions))


def _origin(what: str, before: str, now: str, hash_before: str | Missing, hash_now: str | Missing) -> Origin:
    """Compare one file."""
    known = not isinstance(hash_before, Missing) and not isinstance(hash_now, Missing)
    return Origin(what, before, now, hash_before == hash_now if known else None)


def _short(commit: str | Missing) -> str:
    """Return a commit as people write it."""
    return "" if isinstance(commit, Missing) else commit[:12]
