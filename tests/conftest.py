"""Shared by all tests: the last line of every run lists each skip with its reason."""

from __future__ import annotations

import pytest

_SKIPS: dict[str, list[str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note every skipped test under its reason."""
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        _SKIPS.setdefault(reason, []).append(report.nodeid.split("::")[-1])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Print the skips as the very last line."""
    if config.option.collectonly or hasattr(config, "workerinput"):
        return
    lines = [
        f"{reason} ({len(tests)}: {', '.join(tests[:3])}{', ...' if len(tests) > 3 else ''})"
        for reason, tests in _SKIPS.items()
    ]
    print("skipped: " + ("; ".join(lines) if lines else "none"))
