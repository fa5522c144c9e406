"""Start, watch and end the worker process. The parent's side: imports neither Keras nor anything that does.

The worker gets a session and process group of its own, a private folder, an allow-listed environment, no standard
input, and two pipes: one for its progress, one that tells it that the plan is there, and, by its end, that the parent
is gone. A thread here reads the progress and watches time and memory from the start, so the caller may do other work
before it waits: the worker imports Keras before it is told what to do. What is heavy is imported only after its start.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reportgen.errors import TimeLimit, UsageError, WorkerFailed
from reportgen.worker.ending import describe_end, gib
from reportgen.worker.isolation import RESERVE, sees_gpu, why_not_isolated
from reportgen.worker.lines import Lines
from reportgen.worker.private_folder import make_private_folder, remove_private_folder
from reportgen.worker.processes import group_memory
from reportgen.worker.surroundings import make_environment

if TYPE_CHECKING:
    from reportgen.analysis.evidence import WorkerEvidence
    from reportgen.worker.plan import Plan

MAIN = Path(__file__).resolve().parent / "__main__.py"
LOG = "worker.log"
MAX_LOG = 4 * 2**20
LOOK_EVERY = 0.1
Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may use: seconds of wall time and bytes of memory of its whole process group (0: no limit)."""

    seconds: float = 600.0
    memory: int = 0


class Worker:
    """A running worker.

    Use `wait` for its evidence; `stop` (or leaving the `with` block) ends it and removes its folder.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], folder: Path, events: int, lifeline: int, limits: Limits
    ) -> None:
        self.limits = limits
        self.peak_memory = 0
        self._process = process
        self._folder = folder
        self._lifeline = lifeline
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._watcher = threading.Thread(target=self._watch, args=(events,), name="worker-watch", daemon=True)
        self._watcher.start()

    def __enter__(self) -> Worker:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the worker, whatever happened."""
        self.stop()

    @property
    def pid(self) -> int:
        """The worker's process id, which is also its process group's."""
        return self._process.pid

    def send(self, plan: Plan) -> None:
        """Tell the worker what to do. A worker that is gone already says so in `wait`."""
        from reportgen.worker.border import write_plan

        write_plan(plan, self._folder)
        with contextlib.suppress(OSError):
            os.write(self._lifeline, b"\n")

    def wait(self, on_progress: Progress | None = None) -> WorkerEvidence:
        """Block until the evidence is there, passing on progress events, and return it.

        Raises TimeLimit, or WorkerFailed when the worker was killed, crashed, ran over its memory limit or answered
        nonsense. The worker is gone and its folder removed afterwards, also when this raises.
        """
        try:
            while True:
                event = self._events.get()
                kind = event.get("event")
                if self._stopping.is_set():
                    raise WorkerFailed("the worker was stopped")
                if kind == "end":
                    return self._read(event)
                if on_progress is not None:
                    on_progress(event)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the whole process group and remove the private folder. Safe to call twice, from any thread."""
        with self._lock:
            if self._stopping.is_set():
                return
            self._stopping.set()
        self._kill()
        with contextlib.suppress(OSError):
            os.close(self._lifeline)
        # Freeing a gigabyte takes the system a moment; nobody needs to wait for that.
        threading.Thread(target=self._process.wait, name="worker-reap", daemon=True).start()
        remove_private_folder(self._folder)
        self._events.put({"event": "stopped"})

    def log(self) -> str:
        """Return the end of what the worker printed, at most 16 KiB, for `--debug`."""
        try:
            with (self._folder / LOG).open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 16 * 1024))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def _kill(self) -> None:
        """Send SIGKILL to the process group, and to the process itself should it not lead one yet."""
        for end in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(self.pid, signal.SIGKILL)

    def _watch(self, events: int) -> None:
        """Read progress, look at time and memory, and report how it ended. Runs in a thread of its own."""
        reader = Lines(events)
        started, finished, failure = time.monotonic(), False, {}  # type: float, bool, dict[str, Any]
        try:
            while not reader.closed and not finished and not self._stopping.is_set():
                for event in reader.read(LOOK_EVERY):
                    if event.get("event") == "done":
                        finished = True
                    elif event.get("event") == "error":
                        failure = event
                    else:
                        self._events.put(event)
                why = "" if finished else self._over_limit(started)
                if why:
                    self._kill()
                    self._events.put({"event": "end", "why": why})
                    return
        finally:
            os.close(events)
        code = 0 if finished else _exit_code(self._process)
        self._events.put({"event": "end", "why": "" if finished else "died", "code": code, "failure": failure})

    def _over_limit(self, started: float) -> str:
        """Return "time" or "memory" when a limit is exceeded, else ""."""
        if self.limits.seconds and time.monotonic() - started > self.limits.seconds:
            return "time"
        used = group_memory(self.pid)
        self.peak_memory = max(self.peak_memory, used)
        if self.limits.memory and used > self.limits.memory:
            return "memory"
        return "log" if self._log_size() > MAX_LOG else ""

    def _log_size(self) -> int:
        """Return how much the worker has printed."""
        try:
            return (self._folder / LOG).stat().st_size
        except OSError:
            return 0

    def _read(self, end: dict[str, Any]) -> WorkerEvidence:
        """Return the evidence of a worker that finished, or raise what became of it."""
        why = end.get("why")
        if why == "time":
            raise TimeLimit(
                f"the model was still being evaluated after {self.limits.seconds:g} seconds; "
                "raise limits.seconds or use a smaller batch",
                detail=self.log(),
            )
        if why == "memory":
            raise WorkerFailed(
                f"the worker needed more than the {gib(self.limits.memory)} that limits.memory allows "
                "(90% of the machine's where it is not set); raise it or use a smaller batch",
                detail=self.log(),
            )
        if why == "log":
            raise WorkerFailed(f"the worker printed more than {MAX_LOG >> 20} MiB and was ended", detail=self.log())
        if why:
            raise WorkerFailed(describe_end(end, self.peak_memory), detail=self.log())
        from reportgen.worker.border import BorderError, read_evidence

        try:
            return read_evidence(self._folder)
        except BorderError as error:
            raise WorkerFailed(
                "the worker's answer is not what was agreed, so it is not used", detail=str(error)
            ) from error


def start(
    *,
    python: str | None = None,
    limits: Limits | None = None,
    backend: str = "",
    isolate: bool = False,
    needs_keras: bool = True,
) -> Worker:
    """Start a worker, in this interpreter or in `python` (which needs only NumPy and Keras); `send` it a plan next.

    With `isolate` it has no network; without `needs_keras` nothing is imported before the plan is there. Returns at
    once. Raises WorkerFailed when the interpreter cannot be started, and UsageError when a worker cannot be cut off
    from the network here.
    """
    limits = limits or Limits()
    problem = why_not_isolated() if isolate else ""
    if problem:
        raise UsageError(f"--isolate: this system lets no worker be cut off from the network ({problem}); leave it out")
    interpreter = python or sys.executable
    folder = make_private_folder()
    pipes: list[int] = []
    try:
        pipes += [*os.pipe(), *os.pipe()]
        events, events_child, lifeline_child, lifeline = pipes
        environment = make_environment(
            folder,
            own=python is None,
            backend=backend,
            events=events_child,
            lifeline=lifeline_child,
            isolate=isolate,
            address_space=limits.memory + RESERVE if limits.memory and not sees_gpu() else 0,
        )
        command = [interpreter, str(MAIN), str(folder), *(["keras"] if needs_keras else [])]
        process = _spawn(command, folder, environment, (events_child, lifeline_child))
    except OSError as error:
        for pipe in pipes:
            os.close(pipe)
        remove_private_folder(folder)
        raise WorkerFailed(
            f"{interpreter}: the worker could not be started; check the interpreter under python", detail=str(error)
        ) from error
    os.close(events_child)
    os.close(lifeline_child)
    return Worker(process, folder, events, lifeline, limits)


def _spawn(
    command: list[str], folder: Path, environment: dict[str, str], pipes: tuple[int, int]
) -> subprocess.Popen[bytes]:
    """Start the process in its folder, with a session of its own, nothing to read, and a log for what it prints."""
    with (folder / LOG).open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            pass_fds=pipes,
            start_new_session=True,
        )


def _exit_code(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a worker whose pipe has closed."""
    try:
        return process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL
