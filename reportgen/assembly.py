"""From evidence to the Report: sections, findings, metrics, verdict, provenance. A part that fails becomes a card."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from reportgen import __version__, budget, comparison
from reportgen.analysis.evidence import Artifacts, History, Problem, WorkerEvidence
from reportgen.analysis.feature_facts import without_features
from reportgen.checks import run_checks
from reportgen.checks.gates import judge
from reportgen.checks.stories import order_findings, tell_stories
from reportgen.clock import Clock
from reportgen.config_schema import Config
from reportgen.figures.easel import Easel
from reportgen.figures.lines import draw_line_charts
from reportgen.inputs.baseline import metrics_before
from reportgen.inputs.found import Inputs
from reportgen.inputs.masking import mask_secrets
from reportgen.inputs.origin import describe_command, describe_host, load_git, package_versions
from reportgen.report.blocks import Card
from reportgen.report.json_text import settle_section
from reportgen.report.types import Finding, LedgerEntry, Provenance, Report, RunFacts, Section, Timing
from reportgen.report.values import Missing
from reportgen.sections import SECTIONS, predictions, provenance, summary, training
from reportgen.sections.context import BuildSection, Context
from reportgen.sections.layer_records import layer_records
from reportgen.sections.ledger import section_ledger
from reportgen.sections.metrics import metrics_of
from reportgen.sections.painting import paint_findings
from reportgen.sections.sample_tables import sample_tables
from reportgen.sections.samples import samples_shown
from reportgen.sections.verdict import choose
from reportgen.sections.verdict_cause import add_cause

PROVENANCE_BYTES = 12_000  # of the page, for the section that comes last


@dataclass(frozen=True, slots=True)
class Draft:
    """What the main process has made while the worker is still at work: the history read, its plots drawn."""

    config: Config
    artifacts: Artifacts
    easel: Easel
    training: Section


def begin(config: Config, history: History | None, problems: tuple[Problem, ...]) -> Draft:
    """Draw what needs only the history."""
    title = config.title or (config.model.stem if config.model is not None else "Predictions")
    artifacts = Artifacts(
        title=title,
        history=history,
        worker=None,
        privacy=config.samples,
        problems=problems,
        layers_named=tuple(config.layers.show),
        seed=config.seed,
    )
    easel = Easel()
    drawn = _guard(training.ID, training.TITLE, lambda: training.build(artifacts, Context(easel.draw)), easel)
    return Draft(config, artifacts, easel, drawn)


def finish(draft: Draft, evidence: WorkerEvidence | None, lost: Problem | None, inputs: Inputs, clock: Clock) -> Report:
    """Build every other section, run the checks and put the Report together."""
    config, easel = draft.config, draft.easel
    problems = draft.artifacts.problems + ((lost,) if lost else ())
    artifacts = replace(
        draft.artifacts,
        worker=_without(evidence, config.redact),
        problems=problems,
        display=inputs.display,
        vocabularies=inputs.vocabularies,
        made_elsewhere=inputs.model is None,
    )
    metrics = metrics_of(artifacts)
    findings = run_checks(artifacts, config.checks)
    stories = tell_stories(findings)
    findings = order_findings(findings, stories)
    tasks = {output.name: output.task for output in artifacts.worker.outputs} if artifacts.worker else {}
    gates = judge(metrics, config.gates, metrics_before(inputs.baseline, tasks))
    verdict = add_cause(choose(artifacts, metrics, findings, gates), stories)
    sections = [
        _guard("summary", "Summary", lambda: summary.build(artifacts, metrics, findings, gates), easel),
        *(_build_or_take(draft, entry, artifacts, findings) for entry in SECTIONS),
    ]
    ledger = (*_ledger(artifacts), *section_ledger(sections, artifacts.worker.graph if artifacts.worker else None))
    clock.lap("sections and figures")
    report = Report(
        title=artifacts.title,
        verdict=verdict,
        findings=findings,
        gates=gates,
        metrics=metrics,
        sections=tuple(sections),
        history=training.history_series(artifacts.history),
        samples=sample_tables(artifacts),
        layers=layer_records(artifacts),
        graph=artifacts.worker.graph if artifacts.worker else None,
        ledger=ledger,
        provenance=_provenance(config, inputs, artifacts, samples_shown(*sections)),
        run=_run_facts(config, artifacts, clock),
        assets=easel.used(sections) | inputs.look.assets,
        generator=f"reportgen {__version__}",
        theme=inputs.look.theme,
        stories=stories,
    )
    if inputs.baseline is not None:
        report = _with_changes(report, inputs.baseline, artifacts, easel)
    return _with_provenance(_within_budget(report, config.budget, easel), artifacts, easel)


def _with_changes(report: Report, base: Report, artifacts: Artifacts, easel: Easel) -> Report:
    """Say what changed since the earlier report."""
    try:
        moved = predictions.moved_galleries(artifacts, Context(easel.draw))
        own = comparison.Own(moved, easel.assets)
        report = comparison.with_changes(report, base, draw_line_charts, own)
    except Exception as error:  # as in `_guard`
        return comparison.with_section(report, _failed(comparison.ID, comparison.TITLE, error))
    facts = replace(report.provenance, samples_shown=samples_shown(*report.sections))
    return replace(report, provenance=facts)


def _within_budget(report: Report, limit: int, easel: Easel) -> Report:
    """Reduce a report whose page would be larger than the budget; what it shows of samples is counted again."""
    from reportgen.renderers import html

    room = limit - PROVENANCE_BYTES
    fitted = budget.fit(report, room, html.render, easel.redraw, named=limit)
    if fitted is report:
        return report
    facts = replace(report.provenance, samples_shown=samples_shown(*fitted.sections))
    return replace(fitted, provenance=facts)


def _with_provenance(report: Report, artifacts: Artifacts, easel: Easel) -> Report:
    """Add the last section, which says what the report was made from and how much of it was left out."""
    facts, run, ledger = report.provenance, report.run, report.ledger
    section = _guard("provenance", "Provenance", lambda: provenance.build(artifacts, facts, run, ledger), easel)
    return replace(report, sections=(*report.sections, section))


def _build_or_take(
    draft: Draft, entry: tuple[str, str, BuildSection], artifacts: Artifacts, findings: tuple[Finding, ...]
) -> Section:
    """Build one section of evidence with the findings painted on it; the one on training is already there."""
    id_, title, build = entry
    if id_ == training.ID:
        return draft.training
    easel = draft.easel
    return _guard(id_, title, lambda: paint_findings(build(artifacts, Context(easel.draw)), findings), easel)


def _guard(id_: str, title: str, make: Callable[[], Section], easel: Easel) -> Section:
    """Return a section with its figures drawn; one that raises becomes a card that says why."""
    try:
        return settle_section(easel.finish(make()))
    except Exception as error:  # one broken section never loses the report; the exit code says so
        return _failed(id_, title, error)


def _failed(id_: str, title: str, error: Exception) -> Section:
    """Return the section that stands in for one that raised."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    card = Card(
        "error",
        f"{title} could not be made",
        f"This is a fault of reportgen, not of the model. {reason}",
        "The other sections are complete. Please report it, with --debug for the details.",
    )
    return Section(id_, title, "failed", f"This section failed: {reason}", (card,))


def _without(evidence: WorkerEvidence | None, redact: tuple[str, ...]) -> WorkerEvidence | None:
    """Return the evidence without the content of the inputs that `redact` names."""
    if evidence is None or evidence.kept is None or not redact:
        return evidence
    kept, moved = (
        samples and replace(samples, inputs={n: values for n, values in samples.inputs.items() if n not in redact})
        for samples in (evidence.kept, evidence.moved)
    )
    hidden = {fact.name for fact in evidence.inputs} <= set(redact)
    outputs = []
    for output in evidence.outputs:
        slices, importance = without_features(output.slices, output.importance, redact, hidden)
        outputs.append(replace(output, slices=slices, importance=importance))
    return replace(evidence, kept=kept, moved=moved, outputs=tuple(outputs))


def _ledger(artifacts: Artifacts) -> tuple[LedgerEntry, ...]:
    """List what was sampled, folded or thinned: by the worker, and of the history."""
    reduced = artifacts.worker.reduced if artifacts.worker else ()
    entries = [LedgerEntry(item.what, item.kept, item.of, item.why) for item in reduced]
    for series in training.history_series(artifacts.history):
        if series.thinned:
            kept, why = f"{series.values.length:,} points", "the extremes of each stretch stay"
            entries.append(LedgerEntry(f"history of {series.name}", kept, f"{series.points:,}", why))
    return tuple(entries)


def _provenance(config: Config, inputs: Inputs, artifacts: Artifacts, shown: int) -> Provenance:
    """Collect the stable facts: what this report was made from."""
    worker = artifacts.worker
    hidden = set(config.redact)
    commit, _ = load_git(config.file.parent, config.confine)
    hashes = inputs.hashes
    return Provenance(
        versions={"reportgen": __version__, **package_versions(), **(worker.versions if worker else {})},
        model_file=inputs.model_name,
        model_sha256=hashes["model"],
        batch_file=inputs.batch_name,
        batch_sha256=hashes["batch"],
        history_file=inputs.history_name,
        history_sha256=hashes["history"],
        config_file=config.file.name,
        config_sha256=hashes["config"],
        git_commit=Missing("redacted") if "git" in hidden else commit,
        seeds={"reportgen": config.seed, **(worker.model.seeds if worker and worker.model else {})},
        trusted=tuple(sorted(config.trust)),
        samples_shown=shown,
        privacy="redacted" if config.samples == "show" and config.redact else config.samples,
    )


def _run_facts(config: Config, artifacts: Artifacts, clock: Clock) -> RunFacts | None:
    """Collect the facts that differ from run to run; none of them with SOURCE_DATE_EPOCH."""
    if os.environ.get("SOURCE_DATE_EPOCH"):
        return None
    hidden = set(config.redact)
    worker = artifacts.worker
    stages = [*clock.stages, *((f"worker: {name}", seconds) for name, seconds in (worker.timings if worker else ()))]
    return RunFacts(
        started=clock.started.isoformat(timespec="seconds"),
        seconds=round(clock.total(), 3),
        host="" if "host" in hidden else describe_host(),
        command="" if {"command", "paths"} & hidden else describe_command(),
        directory="" if "paths" in hidden else mask_secrets(str(config.file.parent)),
        timings=tuple(Timing(stage, round(seconds, 3)) for stage, seconds in stages),
        git_branch="" if "git" in hidden else load_git(config.file.parent, config.confine)[1],
        peak_memory_bytes=worker.peak_memory_bytes if worker else None,
    )
