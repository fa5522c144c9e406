"""A short run of `make fuzz`: some mutants and structured cases of every format, each in its own seeded place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.formats import FORMATS
from tests.fuzz.run import Findings, make, try_one

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_mutants_and_structured_cases_are_read_or_refused_and_nothing_else() -> None:
    command = [sys.executable, "-m", "tests.fuzz.run", "--mutants", "150", "--cases", "75", "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in FORMATS:
        assert done.stdout.count(f"{name} ") >= 2


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_sound_is_read(name: str, tmp_path: Path) -> None:
    findings = Findings()
    for number, data in enumerate(FORMATS[name].sound()):
        path = tmp_path / f"{number}{FORMATS[name].suffix}"
        path.write_bytes(data)
        assert try_one(name, path, findings) == ""
    assert findings.read >= 1


@pytest.mark.parametrize("name", FORMATS)
def test_a_case_follows_from_its_number(name: str) -> None:
    for kind in ("mutant", "case"):
        assert make(name, kind, 3, 5) == make(name, kind, 3, 5)
        assert len({make(name, kind, 3, number) for number in range(20)}) > 10


def test_an_error_that_is_none_of_ours_a_hang_and_a_file_are_found(tmp_path: Path) -> None:
    code = """
import sys, time
from dataclasses import replace
from pathlib import Path
from tests.fuzz import run
run.ALARM = 0.3
run._begin()
def hang(path):
    while True: time.sleep(0.01)
def crash(path): raise KeyError("x")
def write(path): path.with_name("extra").write_text("x")
for read in (hang, crash, write):
    run.FORMATS["yaml"] = replace(run.FORMATS["yaml"], read=read)
    print(sorted(run.run_step("yaml", "mutant", 0, 0, 1).found))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    hang, crash, write = done.stdout.splitlines()
    assert "hung" in hang and "KeyError" in crash
    assert "opened extra for writing" in write and "left files behind" in write
