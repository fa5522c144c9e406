"""Who may import whom, and sizes that keep the rooms liveable. Read from the source, nothing is run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

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
    "comparison": {"analysis", "report"},
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


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> tuple[tuple[str, int], ...]:
    """Return every imported module and its line, also those inside functions and under TYPE_CHECKING."""
    found = []
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found += [(name.name, node.lineno) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(("." * node.level + (node.module or ""), node.lineno))
    return tuple(found)


def room_of(path: Path) -> str:
    """Return the room that a file lies in, or its own name at the top level."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def breaches(paths: list[Path], allowed: Callable[[str, str], bool]) -> list[str]:
    """Return every import of `paths` that `allowed(room, module)` forbids, as file:line: room imports module."""
    return [
        f"{name(path)}:{line}: {room_of(path)} imports {module}"
        for path in paths
        for module, line in imports(path)
        if not allowed(room_of(path), module)
    ]


def test_only_the_worker_imports_keras() -> None:
    assert breaches(FILES, lambda room, module: room == "worker" or module.split(".")[0] not in HEAVY) == []


def test_a_room_imports_only_the_rooms_it_may() -> None:
    def allowed(room: str, module: str) -> bool:
        first, _, rest = module.partition(".")
        if first != "reportgen" or room not in ALLOWED:
            return not module.startswith(".")
        return (rest.split(".")[0] or "__init__") in {room, "errors", *ALLOWED[room]}

    assert breaches(FILES, allowed) == []


def test_analysis_imports_numpy_and_the_standard_library_only() -> None:
    known = {"numpy", "reportgen", *sys.stdlib_module_names}
    assert breaches(FILES, lambda room, module: room != "analysis" or module.split(".")[0] in known) == []


def test_the_worker_needs_only_numpy_and_keras() -> None:
    known = {"numpy", "reportgen", "h5py", "pydot", "ml_dtypes", *HEAVY, *OPTIONAL, *sys.stdlib_module_names}
    worker = [path for path in FILES if room_of(path) == "worker" and name(path) not in PARENT_SIDE]
    assert breaches(worker, lambda room, module: module.split(".")[0] in known) == []


def test_nothing_imports_the_command_line() -> None:
    assert breaches(FILES, lambda room, module: room in {"cli", "__main__"} or module != "reportgen.cli") == []


def test_modules_stay_under_300_lines() -> None:
    lengths = {name(path): path.read_text(encoding="utf-8").count("\n") for path in FILES}
    assert {path: lines for path, lines in lengths.items() if lines > 300} == {}


def test_functions_stay_under_50_lines() -> None:
    long = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in FILES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 50
    ]
    assert long == []


def test_no_name_that_says_nothing() -> None:
    empty = {"util", "utils", "helper", "helpers", "manager", "handler", "common", "misc"}
    assert [name(path) for path in FILES if set(path.stem.split("_")) & empty] == []


def test_markup_is_made_in_one_place_only() -> None:
    makers = [name(path) for path in FILES if "Markup(" in path.read_text(encoding="utf-8")]
    assert makers == ["reportgen/report/svg.py"]


def test_templates_never_switch_escaping_off_or_name_an_address() -> None:
    bad = ("|safe", "| safe", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write")
    bad = (*bad, "http://", "https://", "autoescape false")
    sources = [path for path in sorted((ROOT / "templates").rglob("*.*")) if path.suffix != ".md"]
    assert len(sources) > 10
    texts = {name(path): path.read_text(encoding="utf-8") for path in sources}
    assert [(path, word) for path, text in texts.items() for word in bad if word in text] == []
