"""How much memory a process group uses, read from /proc. Zero where there is no /proc (macOS, Windows)."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


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
