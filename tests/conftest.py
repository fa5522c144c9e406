"""Shared by all tests: the last line of every run lists each skip with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

SLOW_FOLDERS = ("tests/faults/", "tests/budget/")  # they start many processes, or build very large reports
SLOW = frozenset((Path(__file__).parent / "slow.txt").read_text(encoding="utf-8").splitlines()[1:])
_SKIPS: dict[str, list[str]] = {}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import a file whose tests all need Keras when a run leaves those out."""
    if collection_path.suffix != ".py" or "not keras" not in (config.option.markexpr or ""):
        return None
    return "pytestmark = pytest.mark.keras" in collection_path.read_text(encoding="utf-8") or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that slow.txt lists, so that `make test-fast` leaves them out."""
    for item in items:
        name = item.nodeid.split("[")[0].removeprefix("tests/")
        if name in SLOW or item.nodeid.startswith(SLOW_FOLDERS):
            item.add_marker(pytest.mark.slow)


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
