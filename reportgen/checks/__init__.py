"""The registry of checks, and how they are run."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from reportgen.analysis.evidence import Artifacts
from reportgen.checks import (
    batch_norm_statistics_off,
    best_epoch_not_restored,
    class_imbalance_hides_failure,
    class_never_predicted,
    collapsed_predictions,
    constant_input_features,
    dead_units,
    diverging_loss,
    duplicate_filters,
    duplicate_samples,
    exploding_gradient,
    frozen_layer_untrained,
    history_and_batch_disagree,
    input_range_mismatch,
    label_suspects,
    learning_rate_too_high,
    learning_rate_too_low,
    miscalibrated,
    missing_output_activation,
    non_finite_activations,
    non_finite_weights,
    oscillating_loss,
    overfitting,
    parameter_heavy_layer,
    plateau,
    saturated_activations,
    softmax_on_logits_loss,
    stacked_linear_layers,
    still_improving,
    too_few_samples_to_tell,
    underfitting,
    untrained_layer,
    vanishing_gradient,
    worse_than_baseline,
    wrong_last_layer_for_loss,
)
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import missing_evidence
from reportgen.report.types import Finding, Outcome

Level = Literal["off", "warn", "error"]

# In the order in which a person should look: what makes all else meaningless first.
CHECKS: tuple[Check, ...] = (
    non_finite_weights.CHECK,
    non_finite_activations.CHECK,
    diverging_loss.CHECK,
    learning_rate_too_high.CHECK,
    exploding_gradient.CHECK,
    vanishing_gradient.CHECK,
    input_range_mismatch.CHECK,
    softmax_on_logits_loss.CHECK,
    missing_output_activation.CHECK,
    wrong_last_layer_for_loss.CHECK,
    untrained_layer.CHECK,
    frozen_layer_untrained.CHECK,
    batch_norm_statistics_off.CHECK,
    collapsed_predictions.CHECK,
    worse_than_baseline.CHECK,
    underfitting.CHECK,
    plateau.CHECK,
    learning_rate_too_low.CHECK,
    overfitting.CHECK,
    best_epoch_not_restored.CHECK,
    history_and_batch_disagree.CHECK,
    dead_units.CHECK,
    saturated_activations.CHECK,
    duplicate_filters.CHECK,
    oscillating_loss.CHECK,
    still_improving.CHECK,
    class_never_predicted.CHECK,
    class_imbalance_hides_failure.CHECK,
    label_suspects.CHECK,
    miscalibrated.CHECK,
    too_few_samples_to_tell.CHECK,
    duplicate_samples.CHECK,
    constant_input_features.CHECK,
    stacked_linear_layers.CHECK,
    parameter_heavy_layer.CHECK,
)

CODES: tuple[str, ...] = tuple(check.meta.code for check in CHECKS)

_AFTER: dict[Outcome, int] = {"failed": 0, "warned": 1, "error": 2, "passed": 3, "not_applicable": 4, "off": 5}


class Setting(Protocol):
    """What the config says of one check: the config's own type or `CheckSetting`."""

    @property
    def level(self) -> Level | None:
        """What a failure counts as."""
        ...

    @property
    def threshold(self) -> float | None:
        """The number from which on the check fires."""
        ...


@dataclass(frozen=True, slots=True)
class CheckSetting:
    """What the config says of one check. None means the check's own default."""

    level: Level | None = None
    threshold: float | None = None


def run_checks(
    artifacts: Artifacts,
    settings: Mapping[str, Setting],
    checks: tuple[Check, ...] = CHECKS,
) -> tuple[Finding, ...]:
    """Run every check and return what each says, the most urgent first.

    A check that raises becomes a finding with outcome "error"; the others still run. Codes in `settings` that no check
    has are the config's mistake and are ignored here.
    """
    findings = [_run_one(check, artifacts, settings.get(check.meta.code, CheckSetting())) for check in checks]
    return tuple(sorted(findings, key=lambda finding: _AFTER[finding.outcome]))


def _run_one(check: Check, artifacts: Artifacts, setting: Setting) -> Finding:
    """Run one check at the level and threshold that hold for it."""
    meta = check.meta
    level = setting.level or meta.level
    threshold = setting.threshold if setting.threshold is not None else meta.threshold
    if level == "off":
        return _finding(meta, level, "off", _neutral(meta), Result(None, "Turned off in the config."))
    if lacking := missing_evidence(artifacts, meta.needs):
        return _finding(meta, level, "not_applicable", _neutral(meta), Result(None, f"Not applicable: {lacking}."))
    try:
        result = check.run(artifacts, 0.0 if threshold is None else threshold)
    except Exception as error:  # a broken check must never lose the report; it is shown as broken instead
        text = (
            f"This check itself failed ({type(error).__name__}: {_one_line(error)}); it says nothing about the model."
        )
        return _finding(meta, level, "error", f"The check {meta.code} could not be completed", Result(None, text))
    if result.fired is None:
        return _finding(meta, level, "not_applicable", _neutral(meta), result)
    if not result.fired:
        return _finding(meta, level, "passed", meta.passed, result)
    found = _finding(meta, level, "failed" if level == "error" else "warned", meta.failed, result)
    return replace(found, about=describe(check, threshold))


def describe(check: Check, threshold: float | None) -> str:
    """Say how a check decides: its module's docstring, the threshold that holds, and the source, in paragraphs."""
    said = inspect.cleandoc(getattr(sys.modules.get(check.run.__module__), "__doc__", "") or "").split("\n\n")
    parts = [" ".join(part.split()) for part in said if part]
    if threshold is not None:
        meaning = f" ({check.meta.threshold_meaning})" if check.meta.threshold_meaning else ""
        parts.append(f"Threshold here: {threshold:g}{meaning}.")
    if check.meta.source:
        parts.append(f"Source: {check.meta.source}.")
    return "\n\n".join(parts)


def _neutral(meta: Meta) -> str:
    """Return a title that claims neither: the code in words ("Dead units")."""
    return meta.code.replace("-", " ").capitalize()


def _one_line(error: Exception) -> str:
    """Return the error's message on one short line."""
    return " ".join(str(error).split())[:200] or "no message"


def _finding(meta: Meta, level: Level, outcome: Outcome, title: str, result: Result) -> Finding:
    """Join what is known of a check with what it found; causes and the fix only where something is wrong."""
    wrong = outcome in ("failed", "warned")
    return Finding(
        code=meta.code,
        title=title,
        outcome=outcome,
        level=level,
        text=result.text,
        evidence=result.evidence,
        causes=meta.causes if wrong else (),
        fix=(result.fix or meta.fix) if wrong else "",
        docs=f"docs/checks/{meta.code}.md",
        section=meta.section,
        layers=result.layers,
        samples=result.samples,
        epochs=result.epochs,
    )
