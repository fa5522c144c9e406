"""Finds a Graphviz and has it lay out or draw DOT, in a process of its own and within a time limit.

Order: the wheel graphviz-pure, found through its installed files; pygraphviz 2 or later, which brings Graphviz along,
in a process of its own; the system's dot. PATH is asked for the last one only, and nothing needs root.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from typing import Literal

Output = Literal["json0", "svg"]

SECONDS = 20
MOST_OUTPUT = 64 * 1024 * 1024
PYGRAPHVIZ = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1][2:], prog="dot"))
"""


@dataclass(frozen=True, slots=True)
class Engine:
    """One Graphviz: its name and the command that reads DOT from standard input; -T and the format are added."""

    name: str
    command: tuple[str, ...]


def find_engines() -> Iterator[Engine]:
    """Yield the engines of this machine, best first; looks for the next one only when it is asked for."""
    pure = _find_pure()
    if pure:
        yield Engine("graphviz-pure", (pure,))
    if _has_pygraphviz():
        yield Engine("pygraphviz", (sys.executable, "-I", "-c", PYGRAPHVIZ))
    system = shutil.which("dot")
    if system:
        yield Engine("dot", (system,))


@lru_cache(maxsize=1)
def _find_pure() -> str | None:
    """Return the program of the wheel graphviz-pure, or None when the wheel is not installed."""
    try:
        files = metadata.distribution("graphviz-pure").files or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name in ("graphviz-pure", "graphviz-pure.exe"):
            path = str(file.locate())
            if os.access(path, os.X_OK):
                return os.path.realpath(path)
    return None


def _has_pygraphviz() -> bool:
    """Return True for pygraphviz 2 or later; earlier ones need a Graphviz of the system."""
    try:
        return int(metadata.version("pygraphviz").split(".")[0]) >= 2
    except (metadata.PackageNotFoundError, ValueError):
        return False


def draw_dot(dot: str, output: Output) -> tuple[bytes | None, str]:
    """Return what the first engine that manages makes of `dot`, and why there is nothing when none does.

    Each engine gets the text as it is, and if it fails or takes too long once more with straight edges.
    """
    reasons = []
    for engine in find_engines():
        for text in (dot, _with_straight_edges(dot)):
            data, reason = run_engine(engine, text, output)
            if data is not None:
                return data, ""
            reasons.append(f"{engine.name}: {reason}")
    return None, "; ".join(dict.fromkeys(reasons)) or "no Graphviz was found on this machine"


def _with_straight_edges(dot: str) -> str:
    """Return the text with splines=line in its first attribute list; labels are not touched."""
    head, bracket, rest = dot.partition("]")
    return re.sub(r"splines=\"?\w+\"?", "splines=line", head) + bracket + rest


def run_engine(engine: Engine, dot: str, output: Output, seconds: float = SECONDS) -> tuple[bytes | None, str]:
    """Run one engine on DOT text; returns its output, or None and what went wrong in a few words."""
    command = [*engine.command, f"-T{output}"]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=_environment(),
        )
    except OSError as error:
        return None, error.strerror or "could not be started"
    try:
        data, _ = process.communicate(dot.encode("utf-8", "replace"), timeout=seconds)
    except subprocess.TimeoutExpired:
        return None, f"took over {seconds:g} s"
    finally:
        _end(process)
    if process.returncode or not data:
        return None, f"failed (exit code {process.returncode})"
    if len(data) > MOST_OUTPUT:
        return None, f"drew {len(data):,} bytes"
    return data, ""


def _environment() -> dict[str, str]:
    """Return the few variables an engine may see: nothing of this machine that could change the drawing."""
    kept = {
        name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR") if name in os.environ
    }
    return {**kept, "LC_ALL": "C.UTF-8"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End an engine and all it started, whatever interrupted us."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
