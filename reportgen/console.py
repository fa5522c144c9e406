"""What the command line prints: errors, the result of a build, the table of several."""

from __future__ import annotations

import os
import re
import sys
import traceback
from typing import TYPE_CHECKING

import click

from reportgen.inputs.files import shown
from reportgen.inputs.masking import mask_secrets

if TYPE_CHECKING:
    from pathlib import Path

    from reportgen.config_schema import Config
    from reportgen.pipeline import Built
    from reportgen.report.types import Report

RESULTS = {0: "ok", 1: "gate failed", 2: "configuration", 3: "input refused", 4: "section failed", 74: "not written"}
RESULTS |= {124: "time limit"}
_PLACE = re.compile(r".+?:\d+:\d+: ")  # file:line:column, which editors and CI find at the start of a line


def say(text: str) -> None:
    """Print a line on stdout; a reader that has left (`| head`) is no error: the exit code stays the command's."""
    try:
        click.echo(text)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


def complain(message: str, detail: str, debug: bool) -> None:
    """Write an error on stderr: a line for each of its lines, and what is behind it with --debug."""
    for line in message.splitlines() or ["failed"]:
        placed = _PLACE.match(line) and not line.startswith("::")  # `::` begins a command of CI systems
        click.echo(printable(line) if placed else f"reportgen: {printable(line)}", err=True)
    if detail:
        click.echo("\n".join(printable(line) for line in detail.splitlines()), err=True)
    if debug:
        click.echo(traceback.format_exc().rstrip(), err=True)


def printable(text: str) -> str:
    """Return `text` without secrets, control and bidirectional characters written out: no name can forge a log."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in mask_secrets(text)
    )


def print_built(built: Built, config: Config) -> None:
    """Print failed sections and gates, how much of the samples the file holds; last where it is and what it says."""
    report = built.report
    for section in report.sections:
        if section.state == "failed":
            say(f"Section {section.title} failed: {printable(section.summary)}")
    print_problems(built)
    for gate in report.gates:
        if gate.held is not True:
            say(f"Gate {'failed' if gate.held is False else 'not decided'}: {printable(gate.text)}")
    held = report.provenance.samples_shown
    what = "sample" if held == 1 else "samples"
    say(f"Samples: the report holds the content of {held:,} {what} (samples: {config.samples}).")
    for path in built.files:
        say(f"Written: {printable(shown(path))}")
    if report.changes is not None:
        say(f"Changed: {printable(report.changes.sentence)}")
    say(f"Verdict: {printable(report.verdict.sentence)}")


def print_compared(report: Report, files: tuple[Path, ...]) -> None:
    """Print what changed from one report to another, and where it is written."""
    for path in files:
        say(f"Written: {printable(shown(path))}")
    if report.changes is not None:
        for note in report.changes.notes:
            say(f"  {printable(note)}")
        say(f"Changed: {printable(report.changes.sentence)}")


def print_problems(built: Built) -> None:
    """Say on stderr what went wrong on the way to a report."""
    for problem in dict.fromkeys(problem.message for problem in built.problems):
        complain(problem, "", debug=False)


def print_table(rows: list[tuple[str, int]]) -> None:
    """Print which configuration ended how."""
    width = max(len(printable(name)) for name, _ in rows)
    say(f"\n{'configuration':<{max(width, 13)}}  exit  result")
    for name, code in rows:
        say(f"{printable(name):<{max(width, 13)}}  {code:>4}  {RESULTS.get(code, 'stopped')}")
