"""BAD_INPUTS 97, 98, 101-104: signals, kills, hangs and failures while a real report is built."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reportgen.report.read import read_report
from reportgen.report.types import Section
from tests.faults.case import Case, copy_inputs

pytestmark = pytest.mark.keras

BATCH = {"path": "batch.npz", "x": "x", "y": "y"}


@pytest.fixture
def config(case: Case, tiny: Path) -> Path:
    """Return the configuration of a small, sound report over an old one."""
    copy_inputs(tiny, case)
    case.write("history.csv", "epoch,loss,val_loss\n0,1.0,1.1\n1,0.5,0.7\n")
    case.out.mkdir()
    (case.out / "report.html").write_text("old")
    return case.config(model="tiny.keras", history="history.csv", batch=BATCH)


def read_until(process: subprocess.Popen[str], stage: str) -> str:
    """Read progress until a stage begins."""
    assert process.stderr is not None
    said = ""
    while stage not in said:
        line = process.stderr.readline()
        assert line, f"ended before {stage!r}: {said}"
        said += line
    return said


def worker_of(case: Case) -> int:
    """Return the process id of the running worker."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for pid, command in case.processes().items():
            if "worker/__main__.py" in command:
                return pid
        time.sleep(0.02)
    raise AssertionError("no worker was started")


def sections_of(case: Case) -> dict[str, Section]:
    """Return the sections of the report that was written."""
    return {section.id: section for section in read_report(case.out / "report.html").sections}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("checking the inputs", signal.SIGINT),
        ("reading the history", signal.SIGTERM),
        ("starting Keras", signal.SIGINT),
        ("predicting the batch", signal.SIGTERM),
    ],
    ids=lambda value: str(value).replace(" ", "-"),
)
def test_97_a_signal_at_any_stage_leaves_nothing_and_gives_its_code(
    case: Case, config: Path, stage: str, number: signal.Signals
) -> None:
    seen = case.snapshot()
    process = case.start("build", config)
    read_until(process, stage)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + number, said
    assert "Traceback" not in said
    assert said.strip().splitlines()[-1] == f"reportgen: {'interrupted' if number == signal.SIGINT else 'terminated'}"
    case.no_trace(seen)
    assert [path.name for path in case.out.iterdir()] == ["report.html"]
    assert (case.out / "report.html").read_text() == "old"


@pytest.mark.slow
def test_98_sigkill_leaves_the_old_report_and_no_worker_and_the_next_run_sweeps(case: Case, config: Path) -> None:
    for stage in ("starting Keras", "predicting the batch"):
        process = case.start("build", config)
        read_until(process, stage)
        process.kill()
        process.communicate(timeout=30)
        case.no_process()  # the worker notices that its parent is gone
        assert (case.out / "report.html").read_text() == "old"
    (case.out / ".reportgen-0123456789abcdef.part").write_text("half")
    left = list((case.path / "tmp").iterdir())
    assert len(left) == 2, "a killed run cannot clean up"
    for folder in left:
        os.utime(folder, (1, 1))  # as if it had happened some minutes ago
    sweeping = case.start("build", config, "--set", "limits.seconds=0.5")
    sweeping.communicate(timeout=60)
    assert sweeping.returncode == 124
    assert not list((case.path / "tmp").iterdir())
    assert not list(case.out.glob(".reportgen-*"))


def end_by(case: Case, config: Path, act: Callable[[int], None], *options: str) -> tuple[int, str]:
    """Build, do something to the worker when it has started, and return the exit code and what was said."""
    seen = case.snapshot()
    started = time.monotonic()
    process = case.start("build", config, *options)
    read_until(process, "reading the history")  # said when the worker was started
    act(worker_of(case))
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err and time.monotonic() - started < 20
    case.no_trace(seen)
    return process.returncode, out + err


def test_101_a_worker_that_the_system_kills_leaves_a_report_that_says_so(case: Case, config: Path) -> None:
    code, said = end_by(case, config, lambda pid: os.kill(pid, signal.SIGKILL))
    assert code == 3, said
    assert "ran out of memory" in said
    sections = sections_of(case)
    assert sections["training"].state == "shown" and sections["predictions"].state != "shown"


def test_101_a_worker_over_its_limit_is_ended_and_the_limit_is_named(case: Case, config: Path) -> None:
    ended = case.run("build", config, "--set", "limits.memory=50 MB", timeout=60)
    assert ended.code == 3 and "limits.memory" in ended.out, ended.out + ended.err
    assert sections_of(case)["training"].state == "shown"


def test_102_a_worker_that_hangs_is_ended_at_its_time_limit_with_all_it_started(case: Case, config: Path) -> None:
    code, said = end_by(case, config, lambda pid: os.kill(pid, signal.SIGSTOP), "--set", "limits.seconds=4")
    assert code == 124, said
    assert "limits" in said and sections_of(case)["training"].state == "shown"


def test_102_a_worker_that_starts_a_process_that_hangs_is_ended_with_it(case: Case, config: Path) -> None:
    # What a model starts is in the worker's process group; a child is put there as a model would start it.
    code = """
from reportgen.worker import launch
script = launch.MAIN.with_name("__main__.py")
import subprocess, sys
real = subprocess.Popen
def started(command, **keys):
    if str(script) in command:
        command = [command[0], "-c", "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"]
    return real(command, **keys)
subprocess.Popen = started
"""
    ended = case.run("build", config, "--set", "limits.seconds=2", code=code, timeout=60)
    assert ended.code == 124, ended.err


BROKEN = """

import reportgen.assembly as assembly, reportgen.checks as checks, reportgen.figures.engines as engines
def broken(*arguments, **keys):
    raise RuntimeError("fell over </script><b>\\x1b[31m")
assembly.SECTIONS = tuple((i, t, broken if i == "layers" else build) for i, t, build in assembly.SECTIONS)
object.__setattr__(checks.duplicate_samples.CHECK, "run", broken)
engines.find_engines = lambda: iter(())
"""


@pytest.mark.slow
def test_103_104_without_graphviz_and_with_a_broken_section_and_check_the_rest_is_whole(
    case: Case, config: Path
) -> None:
    ended = case.run("build", config, code=BROKEN)
    assert ended.code == 4, ended.out + ended.err
    sections = sections_of(case)
    states = {name: section.state for name, section in sections.items()}
    assert states.pop("layers") == "failed" and set(states.values()) == {"shown"}
    assert "RuntimeError: fell over" in sections["layers"].summary
    assert "Section Layers failed" in ended.out and "\x1b" not in ended.out
    finding = next(f for f in read_report(case.out / "report.html").findings if f.code == "duplicate-samples")
    assert finding.outcome == "error"
    page = (case.out / "report.html").read_text(encoding="utf-8")
    assert "no Graphviz was found on this machine" in page, "why there is no drawing is said"
    assert "<b>\ufffd" not in page


def test_104_every_section_that_raises_alone_is_a_card_and_exit_4(case: Case, config: Path) -> None:
    code = """
import reportgen.assembly as assembly
def broken(*arguments, **keys):
    raise ZeroDivisionError("no luck")
for part in (assembly.summary, assembly.training, assembly.provenance):
    part.build = broken
"""
    ended = case.run("build", config, "--set", "limits.seconds=1", code=code, timeout=60)
    assert ended.code == 124, "the time limit comes before a failed section"
    states = {name: section.state for name, section in sections_of(case).items()}
    assert [name for name, state in states.items() if state == "failed"] == ["summary", "training", "provenance"]
