"""Who may import whom, and sizes that keep the rooms liveable. Read from the source, nothing is run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "reportgen"
FILES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {"keras", "tensorflow", "jax", "torch", "tf_keras"}

# What each room may import of reportgen. A room may always import itself and `errors`.
ALLOWED = {
    "analysis": set(),
    "worker": {"analysis"},
    "report": {"analysis"},
    "sections": {"analysis", "report", "checks"},
    "checks": {"analysis", "report"},
    "figures": {"analysis", "report", "sections"},
    "renderers": {"report", "resources", "analysis", "__init__"},
    "inputs": {
        "analysis",
        "worker",
        "config",
        "config_batch",
        "config_paths",
        "config_schema",
        "config_values",
        "config_yaml",
        "report",
    },
}
# Readers import these inside functions, and say what to install where an interpreter lacks them.
OPTIONAL = {"PIL", "pyarrow"}
PARENT_SIDE = {"reportgen/worker/launch.py"}


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every imported module and its line, also those inside functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield node.module or "", node.lineno


def room_of(path: Path) -> str:
    """Return the room that a file lies in, or its own name at the top level."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_room_imports_only_the_rooms_it_may(path: Path) -> None:
    room = room_of(path)
    for module, line in imports(path):
        first, _, rest = module.partition(".")
        where = f"{name(path)}:{line}"
        if first in HEAVY:
            assert room == "worker", f"{where}: only the worker imports {first}"
        if first != "reportgen" or room not in ALLOWED:
            continue
        other = rest.split(".")[0] or "__init__"
        assert other in {room, "errors", *ALLOWED[room]}, f"{where}: {room} imports {module}"


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p) == "analysis"], ids=name)
def test_analysis_imports_numpy_and_the_standard_library_only(path: Path) -> None:
    for module, line in imports(path):
        first = module.split(".")[0]
        assert first in {"numpy", "reportgen"} or first in sys.stdlib_module_names, f"{name(path)}:{line}: {module}"


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p) == "worker" and name(p) not in PARENT_SIDE], ids=name)
def test_the_worker_needs_only_numpy_and_keras(path: Path) -> None:
    for module, line in imports(path):
        first = module.split(".")[0]
        known = (
            first in {"numpy", "reportgen", "h5py", "pydot", "ml_dtypes"} | HEAVY | OPTIONAL
            or first in sys.stdlib_module_names
        )
        assert known, f"{name(path)}:{line}: {module}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_nothing_imports_the_command_line(path: Path) -> None:
    assert room_of(path) in {"cli", "__main__"} or not any(m == "reportgen.cli" for m, _ in imports(path))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 300, f"{name(path)} has {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 50, f"{name(path)}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_name_that_says_nothing(path: Path) -> None:
    words = set(path.stem.split("_"))
    assert not words & {"util", "utils", "helper", "helpers", "manager", "handler", "common", "misc"}, name(path)


def test_markup_is_made_in_one_place_only() -> None:
    makers = [name(p) for p in FILES if "Markup(" in p.read_text(encoding="utf-8")]
    assert makers == ["reportgen/report/svg.py"]


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.*")), ids=name)
def test_templates_never_switch_escaping_off(path: Path) -> None:
    if path.suffix == ".md":
        return
    text = path.read_text(encoding="utf-8")
    for bad in (
        "|safe",
        "| safe",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "http://",
        "https://",
        "autoescape false",
    ):
        assert bad not in text, f"{name(path)} contains {bad}"
