"""Real batches for tests, and a build through the command line that leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result

from reportgen.cli import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MODEL = EXAMPLES / "digits" / "model.keras"
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def digits(n: int = 450) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (x, y, ids) of the first n test digits: float32 (n, 8, 8, 1) in 0..1."""
    with np.load(EXAMPLES / "digits" / "test.npz") as data:
        return data["x_test"][:n], data["y_test"][:n], data["ids"][:n]


def scores(n: int = 200, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities of a made-up classifier that is mostly right."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    logits = rng.normal(0, 1, (n, classes))
    logits[np.arange(n), y] += 2
    power = np.exp(logits)
    return y, (power / power.sum(1, keepdims=True)).astype(np.float32)


def children() -> set[str]:
    """Return the ids of this process's living children."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread or a child that ends while it is looked at
            for child in (task / "children").read_text().split():
                with contextlib.suppress(OSError):
                    if "Z" not in Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]:
                        found.add(child)
    return found


class Case:
    """A folder in which one configuration is built; nothing may be left of it but what it says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.scratch = path / ".scratch"
        self.scratch.mkdir()

    def write(self, text: str) -> Path:
        """Write config.yaml; the output goes to `out`."""
        target = self.path / "config.yaml"
        target.write_text(f"{text}\noutput: out\nformats: [html, json]\n", encoding="utf-8")
        return target

    def run(self, command: str, text: str, *options: str) -> Result:
        """Run a command; no traceback, no child, no scratch folder and no other file may be left behind."""
        config = self.write(text)
        before, files = children(), self.files()
        old, tempfile.tempdir = tempfile.tempdir, str(self.scratch)
        try:
            result = CliRunner().invoke(main, [command, str(config), *options])
        finally:
            tempfile.tempdir = old
        assert "Traceback" not in result.output
        deadline = time.monotonic() + 10
        while (children() - before or any(self.scratch.iterdir())) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not children() - before, "a child process is left"
        assert not list(self.scratch.iterdir()), "a scratch folder is left"
        assert self.files() - files <= {"out/report.html", "out/report.json"}, "files outside the output"
        return result

    def files(self) -> set[str]:
        """Return all files below the folder."""
        walked = [Path(folder) / name for folder, _, names in os.walk(self.path) for name in names]
        return {str(path.relative_to(self.path)) for path in walked}

    def build(self, text: str, *options: str, code: int = 0) -> dict[str, Any]:
        """Build a report, expect an exit code, and return the report's data."""
        result = self.run("build", text, "-q", *options)
        assert result.exit_code == code, result.output
        return json.loads((self.path / "out" / "report.json").read_text(encoding="utf-8"))

    def refused(self, text: str, *words: str, options: tuple[str, ...] = (), code: int = 3) -> str:
        """Expect a refusal of one line that holds all words, and no report; return it."""
        result = self.run("build", text, "-q", *options)
        assert result.exit_code == code, result.output
        said = result.stderr.strip()
        assert len(said.splitlines()) == 1, said
        for word in words:
            assert word in said, f"{word!r} is not in {said!r}"
        assert not (self.path / "out" / "report.html").exists()
        return said


def metric(report: dict[str, Any], name: str) -> Any:
    """Return the value of one metric."""
    return next(item["value"] for item in report["metrics"] if item["name"] == name)


def section(report: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one section."""
    return next(item for item in report["sections"] if item["id"] == name)


def all_text(report: dict[str, Any], name: str) -> str:
    """Return everything that a section says."""
    return json.dumps(section(report, name), ensure_ascii=False)
