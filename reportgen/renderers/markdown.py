"""Report -> a short text for a pull request or a job summary: the verdict first, then what a reviewer must know.

A forge takes 65,536 characters in a comment and 1 MiB in a job summary. Parts are added whole, the most important
first, for as long as they fit; what is left out is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from reportgen.renderers.markdown_blocks import block_markdown
from reportgen.renderers.markdown_text import code, in_html, plain, prose, table, value
from reportgen.report.changes import Changes
from reportgen.report.types import Evidence, Finding, Gate, Metric, Report, Section, Story
from reportgen.report.values import Missing

LIMIT = 65_000
LEAST = 100  # no part is shorter than this and still worth reading
ROWS = 40

_LEVELS = {"good": "✅ Good", "caution": "⚠️ Caution", "bad": "❌ Bad", "unknown": "❔ Unknown"}
_OUTCOMES = {"failed": "❌ Error", "error": "❔ Check failed", "warned": "⚠️ Warning"}
_PLACES = {"better": "🔼", "worse": "🔽", "mixed": "🔀", "same": "🟰", "unclear": "❔", "unknown": "❔"}
_QUIET = {"passed": "passed", "not_applicable": "not applicable", "off": "switched off"}


def render(report: Report) -> str:
    """Return the summary as Markdown of at most 65,000 characters, with no picture and no link in it."""
    end = f"\n{_footer(report)}\n"
    room = LIMIT - len(end) - 200
    kept: list[str] = []
    left_out = 0
    for write_part in _parts(report):
        part = write_part() if room > LEAST else ""
        if part and len(part) + 2 <= room:
            kept.append(part)
            room -= len(part) + 2
        else:
            left_out += 1
    if left_out:
        kept.append(f"{left_out} parts did not fit here; all of them are in the report itself.")
    return "\n\n".join(kept) + "\n" + end


def _parts(report: Report) -> Iterator[Callable[[], str]]:
    """Yield what writes each part, the most important first."""
    yield lambda: f"## {plain(report.title)}"
    yield lambda: f"**{_LEVELS[report.verdict.level]}: {prose(report.verdict.sentence)}**"
    if report.changes is not None:
        yield partial(_changes, report.changes)
    if report.gates:
        yield partial(_gates, report.gates)
    if report.metrics:
        yield partial(_metrics, report.metrics)
    if report.findings:
        yield partial(_counts, report.findings)
    yield from (partial(_story, story) for story in report.stories)
    yield from (partial(_finding, finding) for finding in _found(report.findings))
    if report.sections:
        yield partial(_summaries, report.sections)
    yield from (partial(_section, section) for section in report.sections)


def _changes(changes: Changes) -> str:
    """Return what changed since the earlier report."""
    lines = [f"**{_PLACES[changes.level]} {prose(changes.sentence)}**", "", f"Compared with {prose(changes.base)}."]
    return "\n".join([*lines, "", *(f"- {prose(note)}" for note in changes.notes)]).rstrip()


def _gates(gates: tuple[Gate, ...]) -> str:
    """Return the gates, those that did not hold first."""
    words = {True: "✅ held", False: "❌ failed", None: "❔ cannot tell"}
    ordered = sorted(gates, key=lambda gate: (False, None, True).index(gate.held))
    rows = [[code(g.metric), plain(g.expected), value(g.found), words[g.held]] for g in ordered[:ROWS]]
    held = sum(gate.held is True for gate in gates)
    return f"### Gates: {held} of {len(gates)} held\n\n" + table(("Metric", "Expected", "Found", "Result"), rows)


def _metrics(metrics: tuple[Metric, ...]) -> str:
    """Return the headline metrics (else the first ones), each with interval, n and baseline."""
    chosen = [metric for metric in metrics if metric.headline] or list(metrics[:6])
    several = len({metric.output for metric in metrics}) > 1
    headings = ["Metric", "Value", "95% interval", "n", "Baseline"]
    rows = [_metric_row(metric) for metric in chosen[:ROWS]]
    if several:
        headings.insert(0, "Output")
        rows = [[code(metric.output), *row] for metric, row in zip(chosen, rows, strict=False)]
    more = len(metrics) - len(rows)
    note = f"\n\n{more} more metrics are in the report." if more else ""
    return "### Key metrics\n\n" + table(headings, rows) + note


def _metric_row(metric: Metric) -> list[str]:
    """Return one metric as cells."""
    form = "percent" if metric.unit == "share" else "number"
    ends = (metric.low, metric.high)
    interval = "–" if any(isinstance(e, Missing) for e in ends) else " to ".join(value(e, form) for e in ends)
    baseline = value(metric.baseline, form)
    if baseline and metric.baseline_name:
        baseline += f" ({plain(metric.baseline_name)})"
    return [plain(metric.label), value(metric.value, form), interval, f"{metric.n:,}", baseline or "–"]


def _found(findings: tuple[Finding, ...]) -> list[Finding]:
    """Return the findings that ask for something, worst first."""
    return sorted((f for f in findings if f.outcome in _OUTCOMES), key=lambda f: list(_OUTCOMES).index(f.outcome))


def _counts(findings: tuple[Finding, ...]) -> str:
    """Say how many checks found something, and how many had nothing to say."""
    counts = {words: sum(f.outcome == outcome for f in findings) for outcome, words in _QUIET.items()}
    rest = ", ".join(f"{n} {words}" for words, n in counts.items() if n)
    return f"### Findings: {len(_found(findings)) or 'none'}" + (f"\n\nOther checks: {rest}." if rest else "")


def _story(story: Story) -> str:
    """Return findings that share a cause: how they hang together, where it shows, what to do first."""
    lines = [f"- **Look first: {plain(story.title)}.** {prose(story.text)}"]
    if story.places:
        lines.append("  - It shows in " + "; ".join(f"{plain(p.label)} ({value(p.value)})" for p in story.places))
    if story.first:
        lines.append(f"  - **Do first:** {prose(story.first)} {prose(story.then)}")
    lines.append(f"  - Findings in it: {', '.join(code(name) for name in story.codes[:ROWS])}")
    return "\n".join(lines)


def _finding(finding: Finding) -> str:
    """Return one finding with its evidence and its fix."""
    lines = [
        f"- **{_OUTCOMES[finding.outcome]}: {plain(finding.title)}** ({code(finding.code)}). {prose(finding.text)}"
    ]
    if finding.evidence:
        lines.append("  - Evidence: " + "; ".join(_evidence(piece) for piece in finding.evidence[:6]))
    if finding.causes:
        lines.append("  - Likely causes: " + "; ".join(plain(cause) for cause in finding.causes[:4]))
    if finding.fix:
        lines.append(f"  - **Fix:** {prose(finding.fix)}")
    return "\n".join(lines)


def _evidence(piece: Evidence) -> str:
    """Return one piece of evidence with its n."""
    n = f" (n = {piece.n:,})" if piece.n is not None else ""
    return f"{plain(piece.label)}: {value(piece.value)}{n}"


def _summaries(sections: tuple[Section, ...]) -> str:
    """Return every section by its summary, a line each."""
    return "### Sections\n\n" + "\n".join(_section_line(section) for section in sections[:ROWS])


def _section_line(section: Section) -> str:
    """Return one section by its summary."""
    state = {"shown": "", "empty": " (does not apply)", "failed": " (failed)"}[section.state]
    return f"- **{plain(section.title)}**{state}: {prose(section.summary)}"


def _section(section: Section) -> str:
    """Return one section with its blocks, closed until a reader opens it."""
    blocks = "\n\n".join(block_markdown(block) for block in section.blocks)
    return f"<details><summary>{in_html(section.title)}</summary>\n\n{blocks}\n\n</details>"


def _footer(report: Report) -> str:
    """Return who made this from what."""
    commit = report.provenance.git_commit
    made = plain(report.generator or "reportgen")
    at = "" if isinstance(commit, Missing) else f" at commit {code(commit[:12])}"
    return f"<sub>{made}, report format {report.schema_version}, model {code(report.provenance.model_file)}{at}</sub>"
