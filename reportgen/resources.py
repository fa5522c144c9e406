"""Where templates, configs and the demo's files lie: in the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates() -> Path:
    """Return the folder of the Jinja2 templates."""
    return _find("templates")


def configs() -> Path:
    """Return the folder of default.yaml and the starters."""
    return _find("configs")


def demo() -> Path:
    """Return the folder of the bundled example: its config, model, history and batch."""
    return _find("examples/digits")


def _find(name: str) -> Path:
    """Return the folder inside the package (a wheel puts it there), else in the checkout around it."""
    for base in (_PACKAGE, _PACKAGE.parent):
        folder = base / name
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"{name}: not found in {_PACKAGE} nor beside it; install reportgen again")
