"""The summary section: what model on which samples; metrics, findings and gates stand beside it in the Report."""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts, ModelFacts, OutputEvidence, Problem, WorkerEvidence
from reportgen.report.blocks import Block, Card, Fact, Facts
from reportgen.report.types import Finding, Gate, Metric, Section
from reportgen.report.values import Missing
from reportgen.report.words import count, interval_text, join_words, shorten, value_text
from reportgen.sections.metrics import headlines
from reportgen.sections.phrases import task_text

ID = "summary"
TITLE = "Summary"
# Parts whose failure concerns the whole report; a failed part of a section is shown in that section.
WHOLE = ("worker", "load", "predict", "batch")


def build(
    artifacts: Artifacts, metrics: tuple[Metric, ...], findings: tuple[Finding, ...], gates: tuple[Gate, ...]
) -> Section:
    """Build the section: one line with everything that counts, then the model and the batch in facts.

    Renderers draw the verdict, the metrics, the findings and the gates from the Report itself, next to these blocks.
    """
    worker = artifacts.worker
    problems = (*artifacts.problems, *(worker.problems if worker else ()))
    blocks: list[Block] = [_problem_card(problem) for problem in problems if problem.part in WHOLE]
    if worker is not None and worker.model is not None:
        blocks.append(_model_facts(worker, worker.model))
    if worker is not None and worker.outputs:
        blocks.append(_batch_facts(worker))
    parts = (_model_line(artifacts), _metric_line(metrics), _finding_line(findings), _gate_line(gates))
    return Section(ID, TITLE, "shown", " ".join(part for part in parts if part), tuple(blocks))


def _problem_card(problem: Problem) -> Card:
    """Show a failure that concerns the whole report."""
    titles = {"load": "The model could not be loaded", "predict": "The model could not predict the batch"}
    return Card("error", titles.get(problem.part, "The model could not be evaluated"), problem.message, problem.fix)


def _model_facts(worker: WorkerEvidence, model: ModelFacts) -> Facts:
    """Describe the model in a few lines."""
    with_weights = sum(layer.parameters > 0 for layer in worker.layers)
    items = [
        Fact("Name", shorten(model.name, 80), help=f"Class {shorten(model.class_name, 80)}"),
        Fact("Kind", model.kind, help="How it was put together in Keras"),
        Fact("Layers", f"{len(worker.layers):,}, of which {with_weights:,} have parameters"),
        Fact("Parameters", model.parameters, "int"),
        Fact("Trainable parameters", model.trainable_parameters, "int"),
        Fact("Input" if len(model.input_names) == 1 else "Inputs", _shapes(model.input_names, model.input_shapes)),
        Fact("Output" if len(model.output_names) == 1 else "Outputs", _shapes(model.output_names, model.output_shapes)),
    ]
    return Facts("The model", tuple(items))


def _shapes(names: tuple[str, ...], shapes: tuple[str, ...]) -> str:
    """Write names with their shapes, at most six."""
    return (
        join_words([f"{shorten(n, 40)} {shorten(s, 60)}" for n, s in zip(names, shapes, strict=False)], most=6)
        or "not known"
    )


def _batch_facts(worker: WorkerEvidence) -> Facts:
    """Describe what the numbers stand on: samples, labels, and the task of each output with the reason."""
    items = [Fact("Samples", worker.n_samples, "int", "All samples of the test batch")]
    several = len(worker.outputs) > 1
    for output in worker.outputs[:12]:
        name = f" of {shorten(output.name, 40)}" if several else ""
        items.append(Fact(f"Labelled samples{name}", output.n_labelled, "int"))
        items.append(Fact(f"Task{name}", _task(output), help="What the output is evaluated as, and why"))
    if len(worker.outputs) > 12:
        items.append(Fact("More outputs", len(worker.outputs) - 12, "int"))
    return Facts("The test batch", tuple(items))


def _task(output: OutputEvidence) -> str:
    """Write an output's task with its number of classes and why it was chosen."""
    named = output.class_names and output.task not in ("regression", "reconstruction", "timeseries")  # there: columns
    classes = f", {count(len(output.class_names), 'class')}" if named else ""
    return task_text(f"{output.task}{classes}", shorten(output.task_reason, 160))


def _model_line(artifacts: Artifacts) -> str:
    """Say in one sentence what was looked at."""
    worker = artifacts.worker
    if artifacts.made_elsewhere:
        n = worker.n_samples if worker is not None else 0
        return f"Predictions for {count(n, 'sample')} that were made elsewhere; no model was given."
    if worker is None or worker.model is None:
        return "The model could not be looked at."
    model = worker.model
    said = f"{shorten(model.name, 60)} ({count(len(worker.layers), 'layer')}, {count(model.parameters, 'parameter')})"
    return f"{said} on {count(worker.n_samples, 'sample')}." if worker.outputs else f"{said}, without a test batch."


def _metric_line(metrics: tuple[Metric, ...]) -> str:
    """Say the headline metric of each output, at most three."""
    heads = headlines(metrics)
    several = len({metric.output for metric in metrics}) > 1
    said = "; ".join(_one_metric(head, several) for head in heads[:3])
    return f"{said}." if said else ""


def _one_metric(head: Metric, several: bool) -> str:
    """Write one headline metric with interval and baseline."""
    name = f"{head.label} of {shorten(head.output, 40)}" if several else head.label
    text = f"{name} {value_text(head.value, head.unit)}"
    if not isinstance(head.low, Missing) and not isinstance(head.high, Missing):
        text += f" (95% interval {interval_text(head.low, head.high, head.unit)})"
    return text if head.baseline is None else f"{text}, baseline {value_text(head.baseline, head.unit)}"


def _finding_line(findings: tuple[Finding, ...]) -> str:
    """Count what the checks found and name the first three."""
    wrong = [finding for finding in findings if finding.outcome in ("failed", "warned")]
    ran = sum(finding.outcome in ("failed", "warned", "passed") for finding in findings)
    if not findings:
        return ""
    if not wrong:
        return f"None of {count(ran, 'check')} found anything wrong." if ran else "No check could be applied."
    return f"{len(wrong):,} of {count(ran, 'check')} found something: {join_words([f.code for f in wrong], most=3)}."


def _gate_line(gates: tuple[Gate, ...]) -> str:
    """Say how many gates held."""
    if not gates:
        return ""
    held = sum(gate.held is True for gate in gates)
    if len(gates) == 1:
        verb = "could not be judged" if gates[0].held is None else "held" if held else "did not hold"
        return f"The gate {verb}."
    return f"{held:,} of {count(len(gates), 'gate')} held."
