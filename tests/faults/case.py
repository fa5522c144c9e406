"""A case: one folder with inputs, run through the command line in a process of its own, and searched for traces."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRIVER = "import sys\nfrom reportgen.cli import main\n{code}\nmain(sys.argv[1:])\n"


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code, both streams, seconds."""

    code: int
    out: str
    err: str
    seconds: float

    def line(self) -> str:
        """Return the only line on stderr that is no progress."""
        lines = [line for line in self.err.splitlines() if not line.startswith("[")]
        assert len(lines) == 1, self.err
        return lines[0]

    def refused(self, code: int, *words: str, within: float = 10.0) -> str:
        """Expect one line with all `words`, this exit code, and an end in time; return the line."""
        assert self.code == code, self.out + self.err
        line = self.line()
        for word in words:
            assert word in line, f"{word!r} is not in {line!r}"
        assert self.seconds < within, f"it took {self.seconds:.1f} s to say so"
        return line


class Case:
    """A folder of one case: `home`, `tmp` and whatever the test puts beside them. Nothing else may change in a run."""

    def __init__(self, path: Path, fonts: Path) -> None:
        self.path = path
        self.out = path / "out"
        self.fonts = fonts
        for name in ("home", "tmp"):
            (path / name).mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write an input file."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)
        return target

    def config(self, name: str = "config.yaml", **keys: Any) -> Path:
        """Write a configuration; `output` is `out` unless given."""
        return self.write(name, json.dumps({"output": "out", **keys}))

    def environment(self, **extra: str) -> dict[str, str]:
        """Return what the command sees: nothing of this process but PATH."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.path / "home"),
            "TMPDIR": str(self.path / "tmp"),
            "MPLCONFIGDIR": str(self.fonts),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            **extra,
        }

    def start(
        self,
        *arguments: str | Path,
        code: str = "",
        prefix: tuple[str, ...] = (),
        before: Callable[[], None] | None = None,
        **environment: str,
    ) -> subprocess.Popen[str]:
        """Start the command; `code` runs in its process first, `before` before that, `prefix` starts it."""
        program = ["-c", DRIVER.format(code=code)] if code else ["-m", "reportgen"]
        return subprocess.Popen(
            [*prefix, sys.executable, *program, *map(str, arguments)],
            cwd=self.path,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            preexec_fn=before,
        )

    def run(self, *arguments: str | Path, timeout: float = 120, clean: bool = True, **options: Any) -> Ended:
        """Run the command to its end; it must leave no process, no temporary file and nothing outside `out`."""
        seen = self.snapshot()
        started = time.monotonic()
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=timeout)
        ended = Ended(process.returncode, out, err, time.monotonic() - started)
        assert "Traceback" not in out + err, out + err
        if clean:
            self.no_trace(seen)
        return ended

    def snapshot(self) -> dict[str, tuple[int, int]]:
        """Return every file of the case outside `out`, with its size and time of change."""
        found = {}
        for path in self.path.rglob("*"):
            if self.out in (path, *path.parents):
                continue
            status = path.lstat()
            found[str(path.relative_to(self.path))] = (
                (status.st_size, status.st_mtime_ns) if not path.is_dir() else (0, 0)
            )
        return found

    def no_trace(self, seen: dict[str, tuple[int, int]]) -> None:
        """Expect no process of this case, an empty temporary folder, and every file as it was."""
        self.no_process()
        assert self.snapshot() == seen
        assert not list(self.out.glob(".reportgen-*")), "a temporary file was left in the output folder"

    def no_process(self, within: float = 5.0) -> None:
        """Expect that every process of this case ends within some seconds."""
        end = time.monotonic() + within
        while left := self.processes():
            assert time.monotonic() < end, f"still running: {left}"
            time.sleep(0.05)

    def processes(self) -> dict[int, str]:
        """Return living processes that carry this case's folder in their environment, command or working folder."""
        mark, found = os.fsencode(self.path), {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                if (entry / "stat").read_bytes().rpartition(b")")[2].split()[0] == b"Z":
                    continue
                command = (entry / "cmdline").read_bytes()
                folder = os.fsencode((entry / "cwd").readlink())
                if any(mark in part for part in (command, (entry / "environ").read_bytes(), folder)):
                    found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")[:300]
            except OSError:
                continue
        return found


def copy_inputs(tiny: Path, case: Case) -> None:
    """Put the tiny model and its batch into the case."""
    for path in tiny.iterdir():
        shutil.copy(path, case.path / path.name)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount or to become another user")
