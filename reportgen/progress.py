"""How far a build is: a live line on a terminal, plain lines elsewhere, nothing with --quiet."""

from __future__ import annotations

import sys
import time
from typing import IO, Any, Protocol

EVERY_SECONDS = 10.0  # in plain lines, how often a long stage says how far it is


class Progress(Protocol):
    """What a build tells while it runs."""

    def stage(self, name: str) -> None:
        """A new stage begins; the one before is done. `name` says what is being done ("loading the model")."""

    def advance(self, done: int, total: int) -> None:
        """In this stage `done` of `total` samples or steps are through (total 0: not known)."""

    def done(self) -> None:
        """Everything is done or has failed; nothing more will be said."""


class Silent:
    """Says nothing."""

    def stage(self, name: str) -> None:
        """Say nothing."""

    def advance(self, done: int, total: int) -> None:
        """Say nothing."""

    def done(self) -> None:
        """Say nothing."""


class Lines:
    """One plain line a stage, with the seconds since the start; for CI logs."""

    def __init__(self, stream: IO[str], label: str = "") -> None:
        self._stream = stream
        self._label = f"{label}: " if label else ""
        self._start = self._told = time.monotonic()
        self._name = ""

    def stage(self, name: str) -> None:
        """Write the stage's line."""
        self._name = name
        self._write(name)

    def advance(self, done: int, total: int) -> None:
        """Write how far a long stage is, now and then."""
        if time.monotonic() - self._told >= EVERY_SECONDS:
            self._write(f"{self._name}: {done:,} of {total:,}" if total else f"{self._name}: {done:,}")

    def done(self) -> None:
        """Write the last line."""
        if self._name:
            self._write("done")
            self._name = ""

    def _write(self, text: str) -> None:
        """Write one line and remember when."""
        self._told = time.monotonic()
        print(f"[{self._told - self._start:6.1f} s] {self._label}{text}", file=self._stream, flush=True)


class Live:
    """A line that is redrawn in place: what is being done, how far, how long."""

    def __init__(self, stream: IO[str], label: str = "") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(show_speed=False),
            TimeElapsedColumn(),
        )
        self._bar = Bar(*columns, console=Console(file=stream), transient=True)
        self._label = f"{label}: " if label else ""
        self._task: Any = None

    def stage(self, name: str) -> None:
        """Begin a stage; its bar moves to and fro until a total is known."""
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task(self._label + name, total=None)
        else:
            self._bar.update(self._task, description=self._label + name, total=None, completed=0)

    def advance(self, done: int, total: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total or None)

    def done(self) -> None:
        """Take the line away, so that the result stands alone."""
        if self._task is not None:
            self._bar.stop()
            self._task = None


def choose_progress(quiet: bool, label: str = "", stream: IO[str] | None = None) -> Progress:
    """Return the display that suits where the output goes (stderr unless `stream` is given)."""
    stream = stream or sys.stderr
    if quiet:
        return Silent()
    return Live(stream, label) if stream.isatty() else Lines(stream, label)
