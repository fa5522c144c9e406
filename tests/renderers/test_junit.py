"""Checks and gates as test cases: counts that add up, valid XML whatever the text."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

from hypothesis import HealthCheck, given, settings

from reportgen.renderers import junit
from reportgen.report import types as t
from tests.report.generated_reports import reports
from tests.sample_report import make_report


def test_every_check_and_gate_is_a_case_with_its_outcome() -> None:
    root = ElementTree.fromstring(junit.render(make_report()).encode())
    found = {case.get("name"): [child.tag for child in case] for suite in root for case in suite.iter("testcase")}
    assert found == {
        "overfitting": ["failure"],
        "dead-units": ["system-out"],
        "worse-than-baseline": ["system-out"],
        "non-finite-weights": ["error"],
        "collapsed-predictions": ["skipped"],
        "plateau": ["skipped"],
        "accuracy at least 0.95": ["system-out"],
        "log_loss at most 0.1": ["failure"],
        "auc.ten at least 0.9": ["error"],
    }


def test_counts_add_up() -> None:
    root = ElementTree.fromstring(junit.render(make_report()).encode())
    assert {word: root.get(word) for word in ("tests", "failures", "errors", "skipped")} == {
        "tests": "9",
        "failures": "2",
        "errors": "2",
        "skipped": "2",
    }
    for suite in root:
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))


def test_a_failure_says_what_was_found_and_what_to_do() -> None:
    root = ElementTree.fromstring(junit.render(make_report()).encode())
    failure = root.find(".//testcase[@name='overfitting']/failure")
    assert failure is not None and failure.text
    assert failure.get("message") == "Validation gets worse while training improves"
    assert "at epoch 20: not recorded" in failure.text and "Fix: Restore the weights" in failure.text


def test_illegal_characters_are_replaced_and_markup_is_text() -> None:
    text = "]]><x/>\x00\x1b\ufffe\ud800&\"'"
    finding = t.Finding(text, text, "failed", "error", text, (t.Evidence(text, text, 3),), (), text)
    gate = t.Gate(text, text, 0.5, False, text)
    report = dataclasses.replace(make_report(text), findings=(finding,), gates=(gate,))
    root = ElementTree.fromstring(junit.render(report).encode())
    case = root.find(".//testcase")
    assert case is not None and case.get("name") == "]]><x/>\ufffd\ufffd\ufffd\ufffd&\"'"


def test_without_checks_and_gates_there_are_no_suites() -> None:
    root = ElementTree.fromstring(junit.render(dataclasses.replace(make_report(), findings=(), gates=())).encode())
    assert len(root) == 0 and root.get("tests") == "0"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(reports())
def test_any_report_gives_valid_xml(report: t.Report) -> None:
    root = ElementTree.fromstring(junit.render(report).encode())
    assert len(root.findall(".//testcase")) == len(report.findings) + len(report.gates)
