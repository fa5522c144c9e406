"""The straight line: config -> inputs -> artifacts -> sections and findings -> report -> files. Order is here only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.analysis.problem import Problem
from reportgen.clock import Clock
from reportgen.config_schema import Config
from reportgen.errors import GATE_FAILED, SECTION_FAILED, InputRefused, ReportgenError, worst_exit_code
from reportgen.inputs.remote import fetched
from reportgen.progress import Progress, Silent
from reportgen.report.write import check_writable, write_outputs
from reportgen.worker import launch
from reportgen.worker.processes import affordable_memory

if TYPE_CHECKING:  # imported while the worker imports Keras, not before it is started
    from reportgen.analysis.evidence import WorkerEvidence
    from reportgen.inputs.look import Look
    from reportgen.report.types import Report


@dataclass(frozen=True, slots=True)
class Built:
    """What one build gave: the report, the files written, the exit code, and what was lost on the way."""

    report: Report
    files: tuple[Path, ...]
    exit_code: int
    problems: tuple[Problem, ...] = ()

    def _repr_html_(self) -> str:
        """Return the report for a notebook."""
        return self.report._repr_html_()


# Parts of the worker's run without which there is nothing to report on: an input that could not be read.
_INPUTS = frozenset(("load", "batch"))


def generate(config: Config, *, progress: Progress | None = None) -> Built:
    """Build and write the report of one configuration.

    Raises InputRefused, UsageError, OutputFailed or Stopped. A section, a check or a worker that fails does not raise:
    the report then says so, and `exit_code` is 4, 3 or 124.
    """
    progress, clock = progress or Silent(), Clock()
    check_writable(config.output)
    with fetched(config.remote, config.limits.download, config.limits.seconds, progress.stage):
        return _generate(config, progress, clock)


def _generate(config: Config, progress: Progress, clock: Clock) -> Built:
    """Go along the line; every input lies on disk."""
    with _start_worker(config) as worker:
        # What is imported, checked and drawn here runs on one core while the worker imports Keras on the other.
        from reportgen.inputs.found import find_inputs, load_history_of

        progress.stage("checking the inputs")
        try:
            inputs = find_inputs(config)
        except InputRefused as refusal:
            worker.stop()
            if not config.keep_going:
                raise
            return _without_worker(config, refusal, clock, progress)
        worker.send(inputs.plan)
        clock.lap("check the inputs")
        from reportgen import assembly

        progress.stage("reading the history, drawing its plots")
        history, problems = load_history_of(inputs, config)
        draft = assembly.begin(config, history, problems)
        inputs = inputs.with_hashes()
        prepare_drawing(config.formats)
        clock.lap("history and training plots")
        evidence, lost = _wait(worker, progress)
        clock.lap("wait for the worker")
    progress.stage("writing the report")
    report = assembly.finish(draft, evidence, _explain(lost), inputs, clock)
    files = write_report(report, config.output, config.formats, inputs.look)
    progress.done()
    problems = (
        *draft.artifacts.problems,
        *((_explain(lost),) if lost else ()),
        *(evidence.problems if evidence else ()),
    )
    return Built(report, files, exit_code_of(report, problems, lost), problems)


def _start_worker(config: Config) -> launch.Worker:
    """Start the worker in the environment that the configuration names, within its limits."""
    return launch.start(
        python=str(config.python) if config.python is not None else None,
        backend=config.backend or "",
        limits=launch.Limits(config.limits.seconds, config.limits.memory or affordable_memory()),
        isolate=config.isolate,
        needs_keras=config.model is not None,
    )


def _without_worker(config: Config, refusal: InputRefused, clock: Clock, progress: Progress) -> Built:
    """Make what can be made although an input was refused: the history, its plots, and why there is no more."""
    from reportgen import assembly
    from reportgen.inputs.found import find_history_only, load_history_of

    inputs = find_history_only(config)
    history, problems = load_history_of(inputs, config)
    draft = assembly.begin(config, history, problems)
    lost = Problem("worker", refusal.message, detail=refusal.detail)
    report = assembly.finish(draft, None, lost, inputs.with_hashes(), clock)
    files = write_report(report, config.output, config.formats)
    progress.done()
    return Built(report, files, refusal.exit_code, (*problems, lost))


def _wait(worker: launch.Worker, progress: Progress) -> tuple[WorkerEvidence | None, ReportgenError | None]:
    """Return the worker's evidence, or why there is none."""
    try:
        return worker.wait(lambda event: _tell(progress, event)), None
    except ReportgenError as error:
        return None, error


_STAGES = {
    "import": "starting Keras",
    "architecture": "reading the layers",
    "batch": "opening the batch",
    "load": "loading the model",
    "graph": "reading the architecture",
    "weights": "reading the weights",
    "predict": "predicting the batch",
    "layers": "measuring the layers",
    "gradients": "computing gradients",
    "maps": "collecting activation maps",
    "saliency": "asking what the predictions rest on",
}


def _tell(progress: Progress, event: dict[str, Any]) -> None:
    """Pass an event of the worker on to the display."""
    if event.get("event") == "stage":
        progress.stage(_STAGES.get(str(event.get("stage")), str(event.get("stage"))))
    elif event.get("event") == "progress":
        progress.advance(int(event.get("done", 0)), int(event.get("of", 0)))


def _explain(lost: ReportgenError | None) -> Problem | None:
    """Turn the loss of the worker into something that the report can say."""
    return Problem("worker", lost.message, detail=lost.detail) if lost else None


def exit_code_of(report: Report, problems: tuple[Problem, ...], lost: ReportgenError | None) -> int:
    """Return the exit code that a finished report stands for."""
    codes = [0]
    if lost is not None:
        codes.append(lost.exit_code)
    if any(problem.part in _INPUTS for problem in problems):
        codes.append(InputRefused.exit_code)
    if any(problem.part == "predict" for problem in problems):
        codes.append(SECTION_FAILED)
    if any(gate.held is not True for gate in report.gates):
        codes.append(GATE_FAILED)
    if any(section.state == "failed" for section in report.sections):
        codes.append(SECTION_FAILED)
    if any(finding.outcome == "error" for finding in report.findings):
        codes.append(SECTION_FAILED)
    return worst_exit_code(codes)


def prepare_drawing(formats: tuple[str, ...]) -> None:
    """Import what draws and the renderers, and compile their templates, while there is time to spare."""
    from reportgen import figures
    from reportgen.renderers import RENDERERS

    figures.prepare()
    for name in formats:
        RENDERERS[name].prepare()


def write_report(report: Report, folder: Path, formats: tuple[str, ...], look: Look | None = None) -> tuple[Path, ...]:
    """Render a report in every format and write the files, each whole or not at all.

    Raises InputRefused when the user's own templates fail; the page is then written with ours.
    """
    from reportgen.renderers import RENDERERS

    wrong: InputRefused | None = None
    files: dict[Path, bytes] = {}
    for name in formats:
        renderer = RENDERERS[name]
        text = None
        if name == "html" and look is not None and look.templates:
            text, wrong = _render_own(report, look)
        files[folder / renderer.file_name] = (text or renderer.render(report)).encode("utf-8")
    written = write_outputs(files)
    if wrong is not None:
        raise InputRefused(
            f"{wrong.message} (the page was written with reportgen's own templates)", detail=wrong.detail
        )
    return written


def _render_own(report: Report, look: Look) -> tuple[str | None, InputRefused | None]:
    """Return the page by the user's templates, or why there is none."""
    from reportgen.renderers.page_own import render_own

    try:
        return render_own(report, look.templates, look.folder), None
    except InputRefused as error:
        return None, error


def write_comparison(base: Path, head: Path, folder: Path) -> tuple[Report, tuple[Path, ...]]:
    """Write what changed from one saved report to another, as a page and as Markdown; needs neither model nor data.

    The page is that of `head` with the comparison in it.
    """
    from reportgen import comparison
    from reportgen.figures.lines import draw_line_charts
    from reportgen.renderers import RENDERERS
    from reportgen.report.read import read_report

    check_writable(folder)
    before, now = read_report(base), read_report(head)
    report = comparison.with_changes(now, before, draw_line_charts)
    names = {"html": "comparison.html", "markdown": "comparison.md"}
    files = {folder / name: RENDERERS[kind].render(report).encode("utf-8") for kind, name in names.items()}
    return report, write_outputs(files)


def render_again(path: Path, folder: Path) -> tuple[Path, ...]:
    """Make the page of a saved report again, with today's templates; needs neither model nor data."""
    from reportgen.report.read import read_report

    check_writable(folder)
    return write_report(read_report(path), folder, ("html",))
