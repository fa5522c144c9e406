"""What a worker died of, in words."""

from __future__ import annotations

import signal
from typing import Any


def describe_end(end: dict[str, Any], peak: int) -> str:
    """Say what a worker died of."""
    failure, code = end.get("failure") or {}, end.get("code")
    said = " ".join(str(failure.get("message", "")).split())[:300]
    kind = str(failure.get("type", ""))
    if kind in ("ImportError", "ModuleNotFoundError"):
        return f"Keras cannot be imported in the worker's environment: {said}"
    if kind == "MemoryError":
        return f"the worker ran out of memory (it had used {gib(peak)}); use a smaller batch"
    if kind:
        return f"the worker failed ({kind}: {said})"
    if code == -signal.SIGKILL:
        return f"the worker was killed, most likely because the machine ran out of memory (it had used {gib(peak)})"
    if isinstance(code, int) and code < 0:
        return f"the worker crashed ({signal.Signals(-code).name}) in Keras or its backend"
    return f"the worker ended early with exit code {code}"


def gib(size: int) -> str:
    """Return a number of bytes for people."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
