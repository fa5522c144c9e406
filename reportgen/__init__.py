"""reportgen: one self-contained HTML report from what a Keras training job left behind.

`generate(load_config("config.yaml"))` writes a report, `build_report(model, x, y)` makes one of a live model,
`read_report("report.html")` reads a saved one, and `compare(base, head)` says what differs between two. Everything is
imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reportgen.comparison import compare as compare
    from reportgen.config import load_config as load_config
    from reportgen.live import build_report as build_report
    from reportgen.live import report_callback

    ReportCallback = report_callback
    from reportgen.pipeline import generate as generate
    from reportgen.report.read import read_report as read_report
    from reportgen.report.types import Report as Report

__version__ = "0.1.0"

_PUBLIC = {
    "compare": ("reportgen.comparison", "compare"),
    "load_config": ("reportgen.config", "load_config"),
    "generate": ("reportgen.pipeline", "generate"),
    "build_report": ("reportgen.live", "build_report"),
    "ReportCallback": ("reportgen.live", "report_callback"),
    "read_report": ("reportgen.report.read", "read_report"),
    "Report": ("reportgen.report.types", "Report"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'reportgen' has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    """List the public names."""
    return [*_PUBLIC, "__version__"]
