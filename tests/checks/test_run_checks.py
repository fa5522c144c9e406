"""How checks are run: registry, levels, thresholds, missing evidence, a check that breaks, and the order."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import replace
from pathlib import Path

import pytest

from reportgen import checks
from reportgen.analysis.evidence import Artifacts, Problem
from reportgen.checks import CHECKS, CheckSetting, run_checks
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import NEEDS
from reportgen.report.types import Finding
from tests.evidence_builder import make_artifacts

ROOT = Path(__file__).resolve().parents[2]
EMPTY = Artifacts("nothing", None, None)


def found(findings: tuple[Finding, ...], code: str) -> Finding:
    return next(finding for finding in findings if finding.code == code)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.meta.code)
def test_a_check_is_complete_and_its_file_is_called_after_it(check: Check) -> None:
    meta = check.meta
    module = inspect.getmodule(check.run)
    assert module is not None and module.__name__ == f"reportgen.checks.{meta.code.replace('-', '_')}"
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", meta.code)
    assert meta.passed and meta.failed and meta.passed != meta.failed
    assert meta.causes and meta.fix.endswith(".") and meta.source
    assert meta.section in {"architecture", "training", "predictions", "layers"}
    assert set(meta.needs) <= set(NEEDS) and meta.needs
    assert (meta.threshold is None) == (meta.threshold_meaning == "")
    assert module.__doc__ and len(module.__doc__) > 200


def test_every_check_file_is_registered_once() -> None:
    files = {path.stem for path in (ROOT / "reportgen" / "checks").glob("*.py")}
    files -= {
        "__init__",
        "check",
        "gates",
        "lookup",
        "depth_trend",
        "fresh_layers",
        "learning_rates",
        "saved_epoch",
        "stories",
    }
    assert sorted(files) == sorted(check.meta.code.replace("-", "_") for check in CHECKS)
    assert len(set(checks.CODES)) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.meta.code)
def test_every_check_has_a_page_with_its_threshold_and_fix(check: Check) -> None:
    page = ROOT / "docs" / "checks" / f"{check.meta.code}.md"
    text = " ".join(page.read_text(encoding="utf-8").split())
    assert text.startswith(f"# {check.meta.code} ")
    assert check.meta.failed in text and check.meta.fix in text and check.meta.source in text
    for cause in check.meta.causes:
        assert cause in text
    module = importlib.import_module(f"reportgen.checks.{check.meta.code.replace('-', '_')}")
    assert " ".join((module.__doc__ or "").split()) in text, "the page says what the code's docstring does not"
    assert check.meta.source, "the source of the rule is not cited"
    if check.meta.threshold is not None:
        assert f"`{check.meta.threshold:g}`" in text and check.meta.threshold_meaning in text


def test_what_fired_says_how_it_decides_with_the_threshold_that_holds() -> None:
    artifacts = make_artifacts(dead={"conv2": 30})
    fired = found(run_checks(artifacts, {"dead-units": CheckSetting(threshold=0.2)}), "dead-units")
    assert fired.outcome == "warned" and "Threshold here: 0.2 (" in fired.about
    assert fired.about.startswith("Rectified units (ReLU)")
    assert fired.about.count("\n\n") == 3 and "\n\nSource: SageMaker" in fired.about
    assert not found(run_checks(EMPTY, {}), "dead-units").about


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.meta.code)
def test_without_evidence_a_check_says_what_it_needs(check: Check) -> None:
    finding = found(run_checks(EMPTY, {}), check.meta.code)
    assert finding.outcome == "not_applicable" and "needs" in finding.text
    assert not finding.evidence and not finding.fix and finding.title not in (check.meta.passed, check.meta.failed)


def test_what_is_missing_is_explained_by_the_problem_that_caused_it() -> None:
    lost = replace(EMPTY, problems=(Problem("worker", "The worker ran out of memory at 8 GiB."),))
    assert "(The worker ran out of memory at 8 GiB)" in found(run_checks(lost, {}), "dead-units").text


def test_a_healthy_classifier_has_no_finding() -> None:
    for task in ("multiclass", "binary", "multilabel", "regression", "segmentation", "sequence", "reconstruction"):
        findings = run_checks(make_artifacts(task, classes=1 if task == "regression" else 4, n=300), {})
        wrong = [(f.code, f.text) for f in findings if f.outcome not in ("passed", "not_applicable")]
        assert not wrong, task


def test_levels_turn_a_failure_into_warning_error_or_nothing() -> None:
    artifacts = make_artifacts(dead={"conv2": 12})
    assert found(run_checks(artifacts, {}), "dead-units").outcome == "warned"
    assert found(run_checks(artifacts, {"dead-units": CheckSetting("error")}), "dead-units").outcome == "failed"
    off = found(run_checks(artifacts, {"dead-units": CheckSetting("off")}), "dead-units")
    assert (off.outcome, off.level, off.evidence) == ("off", "off", ())


def test_a_threshold_from_the_config_replaces_the_default() -> None:
    artifacts = make_artifacts(dead={"conv2": 4})
    assert found(run_checks(artifacts, {}), "dead-units").outcome == "passed"
    lower = {"dead-units": CheckSetting(threshold=0.2)}
    assert found(run_checks(artifacts, lower), "dead-units").outcome == "warned"


def test_a_threshold_of_zero_is_not_taken_for_none() -> None:
    zero = {"dead-units": CheckSetting(threshold=0.0)}
    assert found(run_checks(make_artifacts(dead={"conv2": 1}), zero), "dead-units").outcome == "warned"
    assert found(run_checks(make_artifacts(), zero), "dead-units").outcome == "passed"


def broken_check() -> Check:
    def run(artifacts: Artifacts, threshold: float) -> Result:
        raise ZeroDivisionError("division\nby zero")

    meta = Meta("broken", "Fine", "Not fine", "warn", ("model",), ("none",), "None.", "layers")
    return Check(meta, run)


def test_a_check_that_raises_is_shown_and_the_others_still_run() -> None:
    findings = run_checks(make_artifacts(), {}, (broken_check(), *CHECKS))
    broken = found(findings, "broken")
    assert broken.outcome == "error" and "ZeroDivisionError: division by zero" in broken.text
    assert "\n" not in broken.text and len(findings) == len(CHECKS) + 1


def test_findings_are_ordered_by_urgency() -> None:
    artifacts = make_artifacts(nan_weights="conv2", dead={"conv2": 12})
    settings = {"plateau": CheckSetting("off")}
    outcomes = [finding.outcome for finding in run_checks(artifacts, settings, (broken_check(), *CHECKS))]
    wanted = ["failed", "warned", "error", "passed", "not_applicable", "off"]
    assert [o for i, o in enumerate(outcomes) if i == 0 or outcomes[i - 1] != o] == wanted


def test_the_same_evidence_gives_the_same_findings() -> None:
    assert run_checks(make_artifacts(seed=3), {}) == run_checks(make_artifacts(seed=3), {})


def test_remembered_results_are_not_given_for_other_evidence() -> None:
    codes = []
    for quality in (0.9, 0.0, 0.9, 0.0):
        findings = run_checks(make_artifacts(quality=quality), {})
        codes.append(found(findings, "worse-than-baseline").outcome)
    assert codes == ["passed", "warned", "passed", "warned"]
