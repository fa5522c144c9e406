"""A built wheel works in a new environment, outside the checkout, with its templates, configs and demo."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the build packages that are pinned for the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_templates_configs_and_the_demo(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for part in ("templates/report.html.jinja", "configs/default.yaml", "examples/digits/model.keras", "py.typed"):
        assert f"reportgen/{part}" in names
    assert not [name for name in names if name.startswith("tests/")]


@pytest.mark.slow
@pytest.mark.keras
def test_a_wheel_installed_elsewhere_makes_the_demo_report(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    install = [str(python), "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, cwd=tmp_path, env=clean)
    # The dependencies are taken from this environment as they are; an editable reportgen in it is not, because a path
    # named in a .pth file does not have its own .pth files read.
    packages = next((tmp_path / "env").glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = subprocess.run(
        [str(python), "-c", "import reportgen; print(reportgen.__file__)"],
        check=True, cwd=tmp_path, env=clean, capture_output=True, text=True,
    )  # fmt: skip
    assert str(packages) in where.stdout
    demo = [str(tmp_path / "env" / "bin" / "reportgen"), "demo", "--output", "out"]
    done = subprocess.run(demo, cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "report.html").stat().st_size > 50_000
