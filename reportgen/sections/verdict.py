"""The verdict: one honest sentence about the whole run, chosen by a pure function from the report's numbers."""

from __future__ import annotations

from typing import Literal

from reportgen.analysis.evidence import Artifacts, WorkerEvidence
from reportgen.checks.worse_than_baseline import FAIR
from reportgen.report.types import Finding, Gate, Metric, Verdict
from reportgen.report.values import Missing
from reportgen.report.words import count, join_words, lower, percent, share_text, shorten
from reportgen.sections.metrics import headlines, place_metric
from reportgen.sections.phrases import (
    bar_text,
    baseline_text,
    checks_failed,
    checks_warn,
    clause,
    gates_did,
    metric_text,
    some_outputs,
    title_of,
)

Level = Literal["good", "caution", "bad", "unknown"]


def choose(
    artifacts: Artifacts, metrics: tuple[Metric, ...], findings: tuple[Finding, ...], gates: tuple[Gate, ...]
) -> Verdict:
    """Return the verdict: the first of these that holds.

    A lost worker, broken weights, a gate that did not hold, no predictions, no labels, no number; then how the headline
    metrics stand beside their baselines; and only for a model that is clearly better, what the checks found.
    """
    worker = artifacts.worker
    if worker is None:
        return _no_model(artifacts)
    plain = (
        _broken_weights(worker)
        or _no_predictions(artifacts, worker)
        or _no_labels(worker)
        or _no_value(metrics, worker)
        or _several_outputs(metrics, findings, worker)
        or _one_output(metrics, findings)
    )
    return plain if plain.case == "broken-weights" else _gates(gates, worker, plain) or plain


BY_CLASS = "judge it by the rare class"
# What a gate that failed is told with, when the model is bad beyond that gate.
WHY = {
    "collapsed": "; the model gives nearly one answer to everything",
    "worse-than-baseline": "; the model is worse than a simple baseline",
    "equal-to-baseline": "; the model is no better than a simple baseline",
    "outputs-bad": "; at least one output is no better than a simple baseline",
}


def _no_model(artifacts: Artifacts) -> Verdict:
    """Nothing came back from the worker."""
    why = next((p.message for p in artifacts.problems if p.part != "history"), "it was not run")
    epochs = {int(e) for c in artifacts.history.curves for e in c.epochs} if artifacts.history else set()
    rest = (
        f"only the training history ({count(len(epochs), 'epoch')}) is shown"
        if epochs
        else "there is no history either"
    )
    return Verdict(
        "no-model",
        "unknown",
        f"The model was not evaluated on any sample ({clause(why)}): how good it is, is not known; {rest}.",
    )


def _broken_weights(worker: WorkerEvidence) -> Verdict | None:
    """Weights that are not finite make every other number meaningless."""
    broken, total = sum(w.nan + w.inf for w in worker.weights), sum(w.size for w in worker.weights)
    if not broken:
        return None
    means = (
        f"what it predicted for {count(worker.n_samples, 'sample')} means nothing"
        if worker.outputs
        else "it cannot predict"
    )
    return Verdict(
        "broken-weights",
        "bad",
        f"The model is broken: {share_text(broken, total, 'weight')} are not finite numbers, so {means}.",
    )


def _gates(gates: tuple[Gate, ...], worker: WorkerEvidence, plain: Verdict) -> Verdict | None:
    """A gate that failed, or that could not be judged, comes before praise; `plain` is the verdict without gates."""
    failed = [gate for gate in gates if gate.held is False]
    unknown = [gate for gate in gates if gate.held is None]
    if failed:
        more = f" ({count(len(unknown), 'other')} could not be judged)" if unknown else ""
        what = failed[0].text.rstrip(".").removesuffix(": not held")
        return Verdict(
            "gate-failed",
            "bad",
            f"{gates_did(len(failed), len(gates))} not hold{more}: {what}{WHY.get(plain.case, '')}.",
        )
    if unknown:
        which = f"{len(unknown):,} of {count(len(gates), 'gate')}" if len(gates) > 1 else "The gate"
        text = f"{which} could not be judged on {count(worker.n_samples, 'sample')}, so nothing is cleared"
        return Verdict("gate-unknown", "bad", f"{text}: {shorten(unknown[0].metric, 60)}: {clause(unknown[0].text)}.")
    return None


def _no_predictions(artifacts: Artifacts, worker: WorkerEvidence) -> Verdict | None:
    """There is a model, but nothing it predicted."""
    if worker.outputs and worker.n_samples:
        return None
    problem = next((p for p in (*worker.problems, *artifacts.problems) if p.part in ("load", "predict", "batch")), None)
    if problem is not None:
        text = f"The model was not evaluated on any sample, because something failed: {clause(problem.message)}."
        return Verdict("no-predictions", "unknown", text)
    if worker.outputs:
        return Verdict(
            "no-samples",
            "unknown",
            "The test batch holds 0 samples, so nothing can be said about how good the model is.",
        )
    return Verdict(
        "no-batch",
        "unknown",
        "No test batch was given (0 samples), so only the model and its training are shown, not how good it is.",
    )


def _no_labels(worker: WorkerEvidence) -> Verdict | None:
    """Predictions without any label."""
    if any(output.n_labelled for output in worker.outputs):
        return None
    text = (
        f"The {count(worker.n_samples, 'sample')} in the batch have no labels: predictions are shown, but not "
        "whether they are right."
    )
    return Verdict("no-labels", "unknown", text)


def _no_value(metrics: tuple[Metric, ...], worker: WorkerEvidence) -> Verdict | None:
    """Labels, but no headline number that could be computed."""
    heads = headlines(metrics)
    if any(not isinstance(head.value, Missing) for head in heads):
        return None
    n = max(output.n_labelled for output in worker.outputs)
    reason = (
        heads[0].value.missing if heads and isinstance(heads[0].value, Missing) else "this task has no headline metric"
    )
    if reason.startswith("no labels"):
        # There are labels; what is lacking are usable pairs, as when every score is NaN.
        reason = "no sample has both a usable label and finite scores"
    return Verdict(
        "no-value",
        "unknown",
        f"On {count(n, 'labelled sample')} no headline number could be computed ({clause(reason)}): judge by the "
        "parts below.",
    )


def _one_output(metrics: tuple[Metric, ...], findings: tuple[Finding, ...]) -> Verdict:
    """How the one headline metric stands beside its baseline."""
    head = next(head for head in headlines(metrics) if not isinstance(head.value, Missing))
    place, numbers, bar = place_metric(head).place, metric_text(head), baseline_text(head)
    if place == "better":
        return _better(head, f"{numbers}, clearly better than {bar}", findings)
    collapsed = next(
        (f for f in findings if f.code == "collapsed-predictions" and f.outcome in ("failed", "warned")), None
    )
    if collapsed is not None:
        return Verdict(
            "collapsed", "bad", f"The model gives nearly one answer to everything: {clause(collapsed.text)}."
        )
    if place in ("worse", "equal") and (other := _fair_metric(metrics, head)) is not None:
        word = "below" if place == "worse" else "not above"
        sentence = (
            f"{numbers} is {word} {bar}, but {lower(metric_text(other))} is clearly better than "
            f"{baseline_text(other)}: "
            f"{'its scores know something, its answers do not' if other.name == 'log_loss' else BY_CLASS}."
        )
        return Verdict("better-by-class-only", "caution", sentence)
    if place == "worse":
        return Verdict("worse-than-baseline", "bad", f"Worse than a simple baseline: {lower(numbers)}, against {bar}.")
    if place == "equal":
        return Verdict(
            "equal-to-baseline",
            "bad",
            f"The model has learned nothing that shows: {lower(numbers)}, no better than {bar}.",
        )
    if place == "no_room":
        text = f"This batch cannot test the model: {lower(numbers)}, and {bar} already, because all labels are alike."
        return Verdict("one-kind-of-label", "unknown", text)
    if place == "no_baseline":
        return Verdict("no-baseline", "unknown", f"{numbers}; there is no simple baseline to hold it against.")
    return Verdict(
        "too-few-samples", "unknown", f"Too few samples to tell: {lower(numbers)} cannot be told apart from {bar}."
    )


def _better(head: Metric, start: str, findings: tuple[Finding, ...]) -> Verdict:
    """A model that beats its baseline: what the checks found decides how it is taken."""
    by_code = {finding.code: finding for finding in findings if finding.outcome in ("failed", "warned")}
    severe = [finding for finding in by_code.values() if finding.outcome == "failed"]
    if severe:
        titles = join_words([title_of(finding) for finding in severe], most=2)
        return Verdict("better-but-failed", "bad", f"{start}, but {checks_failed(len(severe))}: {titles}.")
    if "too-few-samples-to-tell" in by_code:
        return Verdict(
            "better-but-few", "caution", f"{start}, but {count(head.n, 'sample')} are too few to say how good it is."
        )
    # What is wrong inside the model is said by name, not hidden behind when training stopped.
    inside = any(finding.section in ("layers", "architecture") for finding in by_code.values())
    if "overfitting" in by_code and not inside:
        since = f" from epoch {by_code['overfitting'].epochs[0]:,} on" if by_code["overfitting"].epochs else ""
        return Verdict(
            "better-but-overfitted", "caution", f"{start}, but it was overfitted{since}: earlier weights may be better."
        )
    if "still-improving" in by_code and not inside:
        return Verdict(
            "better-but-unfinished", "caution", f"{start}, and it was still improving when training stopped."
        )
    if by_code:
        titles = join_words([title_of(finding) for finding in by_code.values()], most=2)
        return Verdict("better-with-warnings", "caution", f"{start}; {checks_warn(len(by_code))}: {titles}.")
    broken = sum(finding.outcome == "error" for finding in findings)
    if broken:
        return Verdict("better-unchecked", "caution", f"{start}; {count(broken, 'check')} could not be completed.")
    if head.unit == "share" and head.better == "higher" and head.value == 1:
        low = f"at least {percent(head.low)} is sure; " if not isinstance(head.low, Missing) else ""
        return Verdict(
            "perfect",
            "good",
            f"{start}, without a single mistake: {low}make sure that none of the samples was trained on.",
        )
    return Verdict("better", "good", f"{start}, and no check found anything wrong.")


def _several_outputs(
    metrics: tuple[Metric, ...], findings: tuple[Finding, ...], worker: WorkerEvidence
) -> Verdict | None:
    """Several outputs: the worst of them is named, none is hidden behind another."""
    if len(worker.outputs) < 2:
        return None
    heads = [head for head in headlines(metrics) if not isinstance(head.value, Missing)]
    places = {head.output: place_metric(head).place for head in heads}
    total = len(worker.outputs)
    bad = [head for head in heads if places[head.output] in ("worse", "equal") and _fair_metric(metrics, head) is None]
    if bad:
        said = "; ".join(f"{metric_text(head, name=True)}, {bar_text(head)}" for head in bad[:2])
        rest = f"; {count(total - len(bad), 'other output')} not" if total > len(bad) else ""
        return Verdict(
            "outputs-bad", "bad", f"{some_outputs(len(bad), total)} no better than a simple baseline: {said}{rest}."
        )
    unsure = [output.name for output in worker.outputs if places.get(output.name) != "better"]
    if unsure:
        said = "; ".join(metric_text(head, name=True) for head in heads[:3])
        names = join_words([shorten(name, 40) for name in unsure], most=3)
        return Verdict(
            "outputs-unsure",
            "unknown",
            f"{some_outputs(len(unsure), total)} not clearly better than a simple baseline, or not known ({names}): "
            f"{said}.",
        )
    said = "; ".join(f"{metric_text(head, name=True)}, {bar_text(head)}" for head in heads[:3])
    verdict = _better(
        heads[0], f"{some_outputs(total, total)} clearly better than a simple baseline ({said})", findings
    )
    return Verdict(f"outputs-{verdict.case}", verdict.level, verdict.sentence)


def _fair_metric(metrics: tuple[Metric, ...], head: Metric) -> Metric | None:
    """Return a metric of the same output that guessing cannot win and that is clearly better than its baseline."""
    fair = [
        m
        for m in metrics
        if m.output == head.output and m.name in FAIR and m.name != head.name and m.interval != "none"
    ]
    return next((m for m in fair if place_metric(m).place == "better"), None)
