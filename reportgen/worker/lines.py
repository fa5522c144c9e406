"""JSON lines that come through a pipe, in bounded memory."""

from __future__ import annotations

import json
import os
import select
from typing import Any

MAX_EVENT = 64 * 1024


class Lines:
    """Reads JSON lines from a pipe, in bounded memory."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.closed = False
        self._rest = b""

    def read(self, timeout: float) -> list[dict[str, Any]]:
        """Return the events that arrive within `timeout` seconds; lines that are no JSON object are dropped."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return []
        data = os.read(self.fd, MAX_EVENT)
        self.closed = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_EVENT:
            self._rest = b""
        return [event for event in map(_parse, lines) if event]


def _parse(line: bytes) -> dict[str, Any]:
    """Return one event, {} for anything else."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else {}
