"""Report -> JUnit XML: every check and every gate is a test case, so that any CI shows them."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reportgen.renderers.page_text import clean
from reportgen.report.types import Finding, Gate, Report

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """Return the XML. A failed gate or check is a failure; a check that only warns is a passed case with its text."""
    root = Element("testsuites", name=_legal(report.title))
    _add_suite(root, "reportgen.checks", [_check_case(finding) for finding in report.findings])
    _add_suite(root, "reportgen.gates", [_gate_case(gate) for gate in report.gates])
    for word in ("tests", "failures", "errors", "skipped"):
        root.set(word, str(sum(int(suite.get(word, "0")) for suite in root)))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _add_suite(root: Element, name: str, cases: list[Element]) -> None:
    """Add a suite with its counts; none when there is nothing in it."""
    if not cases:
        return
    suite = SubElement(root, "testsuite", name=name, tests=str(len(cases)))
    for word, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(word, str(sum(case.find(tag) is not None for case in cases)))
    for case in cases:
        case.set("classname", name)
        suite.append(case)


def _check_case(finding: Finding) -> Element:
    """Return one check."""
    case = Element("testcase", name=_legal(finding.code))
    body = "\n".join(part for part in (finding.text, *_evidence(finding), _fix(finding)) if part)
    if finding.outcome == "failed":
        _add(case, "failure", finding.title, body)
    elif finding.outcome == "error":
        _add(case, "error", finding.title, body)
    elif finding.outcome in ("not_applicable", "off"):
        SubElement(case, "skipped", message=_legal(finding.text))
    else:
        _add(case, "system-out", "", f"{finding.title}\n{body}")
    return case


def _evidence(finding: Finding) -> list[str]:
    """Return the evidence, a line each."""
    lines = []
    for piece in finding.evidence:
        n = "" if piece.n is None else f" (n = {piece.n:,})"
        lines.append(f"{piece.label}: {getattr(piece.value, 'missing', piece.value)}{n}")
    return lines


def _fix(finding: Finding) -> str:
    """Return what to do."""
    return f"Fix: {finding.fix}" if finding.fix else ""


def _gate_case(gate: Gate) -> Element:
    """Return one gate; one that cannot be told is an error."""
    case = Element("testcase", name=_legal(f"{gate.metric} {gate.expected}"))
    if gate.held is False:
        _add(case, "failure", gate.text, gate.text)
    elif gate.held is None:
        _add(case, "error", gate.text, gate.text)
    else:
        _add(case, "system-out", "", gate.text)
    return case


def _add(case: Element, tag: str, message: str, text: str) -> None:
    """Add what a case says."""
    child = SubElement(case, tag)
    if message:
        child.set("message", _legal(message))
    child.text = _legal(text)


def _legal(text: str) -> str:
    """Return `text` with what XML cannot hold as U+FFFD, and what hides or reorders text written out."""
    return _ILLEGAL.sub("\ufffd", clean(text))
