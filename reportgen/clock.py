"""When a run started and how long each of its stages took."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Laps of one run, in seconds of wall time."""

    def __init__(self) -> None:
        self.started = datetime.now(UTC)
        self._first = self._last = time.perf_counter()
        self.stages: list[tuple[str, float]] = []

    def lap(self, stage: str) -> None:
        """Note the time since the last lap under `stage`."""
        now = time.perf_counter()
        self.stages.append((stage, now - self._last))
        self._last = now

    def total(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self._first
