"""How much memory a process group uses and the machine has, from /proc. Zero where there is none (macOS, Windows)."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")
# Where a container is told its own limit: cgroup v2, v1.
CGROUP = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
SHARE = 0.9


def affordable_memory() -> int:
    """Return the bytes that a worker may use when nobody set a limit: 90% of the machine's or container's, 0 unknown.

    Better ended here, with a message, than by the system, which may end the whole job.
    """
    try:
        known = [int(next(line for line in (PROC / "meminfo").read_text().splitlines()).split()[1]) * 1024]
    except (OSError, ValueError, IndexError, StopIteration):
        return 0
    for path in CGROUP:
        try:
            known.append(int(path.read_text()))
        except (OSError, ValueError):
            continue  # no such limit ("max")
    return int(min(known) * SHARE)


def group_memory(leader: int) -> int:
    """Return the resident bytes of all processes in the session of `leader`."""
    try:
        entries = [entry for entry in os.listdir(PROC) if entry.isdigit()]  # noqa: PTH208 - called ten times a second
    except OSError:
        return 0
    return sum(_resident(pid) for pid in entries if int(pid) >= leader and _session(pid) == leader)


def _session(pid: str) -> int:
    """Return the session that a process belongs to, 0 if it is gone."""
    try:
        # The name in parentheses may hold anything, so fields are counted after its end.
        fields = (PROC / pid / "stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[3])
    except (OSError, IndexError, ValueError):
        return 0


def _resident(pid: str) -> int:
    """Return the resident bytes of one process, 0 if it is gone."""
    try:
        return int((PROC / pid / "statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
