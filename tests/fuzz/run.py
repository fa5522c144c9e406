"""Fuzz what reads files: `python -m tests.fuzz.run [--mutants N] [--cases N] [--only FORMAT] [--seed N]` (`make fuzz`).

Every case follows from (seed, format, kind, number) alone. A case may raise an exception of errors.py and nothing else,
must end within its alarm, and may open no file for writing, no socket, no process and no pickle: an audit hook watches.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from reportgen.errors import ReportgenError
from tests.fuzz.formats import FORMATS
from tests.fuzz.mutate import mutate_bytes

ALARM = 10
MEMORY = 6 * 2**30
STEP = 250
KINDS = ("mutant", "case")
FORBIDDEN = ("socket.", "subprocess.", "pickle.", "marshal.loads", "shutil.", "ctypes.dlopen", "os.system", "os.exec")
FORBIDDEN += ("os.posix_spawn", "os.fork", "os.mkdir", "os.rename", "os.remove", "os.symlink", "os.link", "os.truncate")


class Hang(BaseException):
    """A case took too long."""


class Forbidden(BaseException):
    """A case did what no reader may do."""


@dataclass
class Findings:
    """What some cases came to: how many were read, how many refused, and what else happened with an example of each."""

    read: int = 0
    refused: int = 0
    found: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, other: Findings) -> None:
        """Add the findings of other cases."""
        self.read += other.read
        self.refused += other.refused
        self.found.update(other.found)
        for what, example in other.examples.items():
            self.examples.setdefault(what, example)


_watching = False
_forbidden: list[str] = []


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what a reader may not do while one is at work."""
    if not _watching:
        return
    if event == "open":
        path, mode, flags = (*arguments, None, None, None)[:3]
        writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (
            isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        )
        if writes and "__pycache__" not in str(path):
            _forbidden.append(f"opened {Path(str(path)).name} for writing")
    elif event.startswith(FORBIDDEN) and not _importing():
        _forbidden.append(event)


def _importing() -> bool:
    """Tell whether an import is going on: a late import unmarshals code, and that is no reader's doing."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def make(name: str, kind: str, seed: int, number: int) -> bytes:
    """Return one case's bytes."""
    chosen = FORMATS[name]
    random = np.random.default_rng([seed, zlib.crc32(name.encode()), KINDS.index(kind), number])
    if kind == "case":
        try:
            return chosen.structured(random)
        except RecursionError:  # nested beyond what can be written
            return b"[" * 20_000
    sound = chosen.sound()
    data = sound[int(random.integers(0, len(sound)))]
    if chosen.inner is not None and random.random() < 0.5:
        return chosen.inner(data, random)
    return mutate_bytes(data, random)


def try_one(name: str, path: Path, findings: Findings) -> str:
    """Read one file; return what was wrong with that, "" for nothing."""
    global _watching
    _forbidden.clear()
    signal.setitimer(signal.ITIMER_REAL, ALARM)
    try:
        _watching = True
        FORMATS[name].read(path)
        findings.read += 1
    except ReportgenError as error:
        findings.refused += 1
        message = error.message
        if "Traceback" in message or not message.strip() or (name != "yaml" and len(message.splitlines()) != 1):
            return f"a message that is not one line: {message[:80]!r}"
        if len(message) > 4000:
            return f"a message of {len(message)} characters: {message[:60]!r}"
    except Hang:
        return f"hung: {where(sys.exc_info()[2])}"
    except BaseException as error:
        return f"{type(error).__name__}: {where(error.__traceback__)}"
    finally:
        _watching = False
        signal.setitimer(signal.ITIMER_REAL, 0)
    return f"{_forbidden[0]}" if _forbidden else ""


def where(tb: Any) -> str:
    """Return the innermost place in reportgen's own code."""
    frames = traceback.extract_tb(tb)
    own = [frame for frame in frames if "/reportgen/" in frame.filename] or frames
    return f"{Path(own[-1].filename).name}:{own[-1].lineno} {own[-1].name}" if own else "?"


def run_step(name: str, kind: str, seed: int, first: int, count: int, save: str = "") -> Findings:
    """Run some cases in this process."""
    warnings.simplefilter("ignore")
    findings = Findings()
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        with tempfile.TemporaryDirectory(prefix="reportgen-fuzz-") as folder:
            path = Path(folder) / f"input{FORMATS[name].suffix}"
            for number in range(first, first + count):
                data = make(name, kind, seed, number)
                path.write_bytes(data)
                wrong = try_one(name, path, findings)
                if wrong:
                    findings.found[wrong] += 1
                    if wrong not in findings.examples:
                        findings.examples[wrong] = f"{name} {kind} {number} (seed {seed})"
                        if save:
                            Path(save, f"{name}-{kind}-{number}{path.suffix}").write_bytes(data)
                left = [entry.name for entry in Path(folder).iterdir() if entry != path]
                if left:
                    findings.found[f"left files behind: {left[:3]}"] += 1
    finally:
        signal.signal(signal.SIGALRM, before)
    return findings


def _ring(number: int, frame: object) -> None:
    """End a case that takes too long."""
    raise Hang


def _begin() -> None:
    """Bound the memory of a fuzzing process and let the hook watch it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.addaudithook(watch)


def main() -> int:
    """Run everything and print a table; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--only", choices=FORMATS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--save", default="", help="folder for the files that broke something")
    options = parser.parse_args()
    totals = {(name, kind): Findings() for name in ([options.only] if options.only else FORMATS) for kind in KINDS}
    counts = {"mutant": options.mutants, "case": options.cases}
    started = time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(options.processes, initializer=_begin) as pool:
        waiting = {
            pool.submit(run_step, *key, options.seed, first, min(STEP, counts[key[1]] - first), options.save): key
            for key in totals
            for first in range(0, counts[key[1]], STEP)
        }
        for done in concurrent.futures.as_completed(waiting):
            totals[waiting[done]].add(done.result())
    print(f"{'format':14}{'kind':8}{'tried':>8}{'read':>8}{'refused':>9}{'wrong':>7}")
    for (name, kind), found in totals.items():
        wrong = found.found.total()
        print(f"{name:14}{kind:8}{counts[kind]:8,}{found.read:8,}{found.refused:9,}{wrong:7,}")
    for found in totals.values():
        for what, times in found.found.most_common():
            print(f"  {times:5}x {what}   first: {found.examples.get(what, '?')}")
    print(f"{time.monotonic() - started:.0f} s")
    return int(any(found.found for found in totals.values()))


if __name__ == "__main__":
    sys.exit(main())
