"""The command line as a process of its own: what it imports, signals, pipes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reportgen.starter import write_starter
from tests.inputs.model_files import write_keras

ROOT = Path(__file__).resolve().parents[2]
HEAVY = "{'keras', 'tensorflow', 'jax', 'torch', 'h5py', 'matplotlib', 'rich', 'PIL', 'pandas', 'sklearn', 'scipy'}"
LIGHT = "{'numpy', 'pydantic', 'yaml', 'jinja2'}"


def python(code: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    command = [sys.executable, "-c", code, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=60, check=False)


def imported(heavy: str, *arguments: str) -> str:
    """Run a command and return which of the packages were imported meanwhile."""
    code = f"""
import sys
from reportgen.cli import main
try:
    main(sys.argv[1:])
except SystemExit as stop:
    print("exit", stop.code)
print("imported", sorted({heavy} & set(sys.modules)))
"""
    result = python(code, *arguments)
    assert "exit 0" in result.stdout, result.stdout + result.stderr
    return result.stdout.strip().splitlines()[-1]


def test_help_imports_nothing_but_click() -> None:
    assert imported(HEAVY[:-1] + ", " + LIGHT[1:], "--help") == "imported []"
    assert imported(HEAVY[:-1] + ", " + LIGHT[1:], "--version") == "imported []"


@pytest.mark.parametrize(
    "arguments", [("check", "examples/digits/config.yaml"), ("schema",)], ids=lambda value: value[0]
)
def test_check_and_schema_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert imported(HEAVY, *arguments) == "imported []"


def test_init_imports_nothing_heavy(tmp_path: Path) -> None:
    write_keras(tmp_path / "model.keras")
    assert imported(HEAVY, "init", str(tmp_path)) == "imported []"


WAITING = """
import sys, time
from pathlib import Path
from reportgen import pipeline
from reportgen.cli import main

def generate(config, *, progress):
    try:
        progress.stage("waiting")
        time.sleep(60)
    finally:
        time.sleep(0.3)
        Path(sys.argv[-1]).with_suffix(".cleaned").write_text("yes")

pipeline.generate = generate
main(["build", sys.argv[-1]])
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
def test_97_a_signal_cleans_up_says_so_and_gives_its_exit_code(
    tmp_path: Path, number: signal.Signals, code: int, again: bool
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("model: m.keras\n")
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, str(config)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stderr is not None
    assert "waiting" in process.stderr.readline()
    process.send_signal(number)
    if again:
        time.sleep(0.1)
        process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == code, said
    assert config.with_suffix(".cleaned").exists(), "the second signal broke the cleaning up"
    assert "Traceback" not in said
    assert said.strip().splitlines()[-1] in ("reportgen: interrupted", "reportgen: terminated")


def test_a_reader_that_leaves_is_no_error() -> None:
    code = "from reportgen.cli import main; main(['schema'])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command, pipe = [sys.executable, "-c", code], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert said == b"" and process.returncode == 0


def test_a_console_that_cannot_show_a_letter_is_no_error(tmp_path: Path) -> None:
    write_keras(tmp_path / "型.keras")
    write_starter(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-c", "from reportgen.cli import main; main()", "check", str(tmp_path / "config.yaml")]
    result = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert b"\\u578b.keras" in result.stdout
