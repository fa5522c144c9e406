"""`reportgen init` and `demo`: a configuration for what lies in a folder, which then passes `check`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from reportgen.cli import main
from reportgen.config import load_config
from tests.inputs.model_files import dense, layer, sequential, write_keras

EXAMPLES = sorted(path.parent for path in Path("examples").glob("*/config.yaml"))


def run(*arguments: str | Path) -> Result:
    """Run the command line."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def loaded(folder: Path) -> Any:
    """Return the configuration that `init` wrote, after `check` has passed on it."""
    result = run("check", folder / "config.yaml")
    assert result.exit_code == 0, result.output
    return load_config(folder / "config.yaml", environment={})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_init_finds_for_itself_what_the_examples_configurations_name(tmp_path: Path, example: Path) -> None:
    for path in example.iterdir():
        if path.is_file() and path.name not in ("config.yaml", "train.py"):
            shutil.copy(path, tmp_path / path.name)
    result = run("init", tmp_path)
    assert result.exit_code == 0, result.output
    found, written = loaded(tmp_path), load_config(example / "config.yaml", environment={})
    assert found.model.name == written.model.name
    assert (found.history and found.history.name) == (written.history and written.history.name)
    assert found.batch.path.name == written.batch.path.name
    assert list(found.batch.x.values()) == list(written.batch.x.values())
    assert found.batch.y == written.batch.y
    assert found.batch.ids in ("", written.batch.ids)


def test_init_never_overwrites_without_force(tmp_path: Path) -> None:
    write_keras(tmp_path / "model.keras")
    (tmp_path / "config.yaml").write_text("mine")
    result = run("init", tmp_path)
    assert result.exit_code == 2 and "--force" in result.stderr
    assert (tmp_path / "config.yaml").read_text() == "mine"
    assert run("init", tmp_path, "--force").exit_code == 0
    assert loaded(tmp_path).model == tmp_path / "model.keras"


def test_init_replaces_a_link_and_never_follows_it(tmp_path: Path) -> None:
    write_keras(tmp_path / "model.keras")
    other = tmp_path / "other.txt"
    other.write_text("mine")
    (tmp_path / "config.yaml").symlink_to(other)
    assert run("init", tmp_path).exit_code == 2
    assert run("init", tmp_path, "--force").exit_code == 0
    assert other.read_text() == "mine" and not (tmp_path / "config.yaml").is_symlink()
    assert not list(tmp_path.glob(".config*"))


def test_init_works_with_a_model_alone(tmp_path: Path) -> None:
    write_keras(tmp_path / "model.keras")
    assert run("init", tmp_path).exit_code == 0
    config = loaded(tmp_path)
    assert config.batch is None and config.history is None
    assert "# batch:" in (tmp_path / "config.yaml").read_text()


def test_init_in_a_folder_without_a_model_says_what_to_save(tmp_path: Path) -> None:
    result = run("init", tmp_path)
    assert result.exit_code == 3 and "model.save('model.keras')" in result.stderr
    assert not (tmp_path / "config.yaml").exists()


def test_init_tells_why_a_model_was_passed_over(tmp_path: Path) -> None:
    write_keras(tmp_path / "model.keras", sequential(layer("Lambda", name="odd"), dense()))
    result = run("init", tmp_path)
    assert result.exit_code == 3 and "`odd`" in result.stderr


def test_init_takes_the_newest_of_several_models_and_says_so(tmp_path: Path) -> None:
    for age, name in enumerate(("new.keras", "old.keras")):
        path = write_keras(tmp_path / name)
        os.utime(path, (1e9 - age, 1e9 - age))
    result = run("init", tmp_path)
    assert "old.keras was passed over" in result.output
    assert loaded(tmp_path).model.name == "new.keras"


@pytest.mark.parametrize(
    "name", ["a: b #c", "-", "null", "'\"\\", "naïve 模型", "[x]", "*a", "!!python x", "1e3", "no"]
)
def test_init_quotes_names_that_yaml_would_misread(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    write_keras(folder / f"{name}.keras")
    assert run("init", folder).exit_code == 0
    config = loaded(folder)
    assert config.model == folder / f"{name}.keras" and config.title == folder.name


def test_init_chooses_arrays_by_shape_where_names_say_nothing(tmp_path: Path) -> None:
    write_keras(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", first=np.zeros((6, 4), "f4"), labels=np.zeros(6, "i8"), single=np.float32(1))
    assert run("init", tmp_path).exit_code == 0
    batch = loaded(tmp_path).batch
    assert batch.x == {"": "first"} and batch.y == {"": "labels"}


def test_init_names_a_class_file(tmp_path: Path) -> None:
    write_keras(tmp_path / "model.keras")
    np.savez(tmp_path / "test.npz", x_test=np.zeros((6, 4), "f4"), y_test=np.zeros(6, "i8"))
    (tmp_path / "classes.txt").write_text("a\nb\nc\n")
    assert run("init", tmp_path).exit_code == 0
    assert loaded(tmp_path).batch.classes == {"": tmp_path / "classes.txt"}


def test_init_passes_over_a_batch_that_is_refused(tmp_path: Path) -> None:
    write_keras(tmp_path / "model.keras")
    (tmp_path / "test.npz").write_text("no")
    result = run("init", tmp_path)
    assert result.exit_code == 0 and "Passed over: " in result.output
    assert loaded(tmp_path).batch is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_init_in_a_folder_that_cannot_be_written_gives_74(tmp_path: Path) -> None:
    write_keras(tmp_path / "model.keras")
    tmp_path.chmod(0o500)
    assert run("init", tmp_path).exit_code == 74


@pytest.mark.keras
@pytest.mark.slow
def test_demo_builds_a_real_report_and_says_where(tmp_path: Path) -> None:
    result = run("demo", "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "report.html").stat().st_size > 50_000
    assert result.stdout.strip().splitlines()[-1].startswith("Verdict: ")
    assert f"Written: {tmp_path / 'out' / 'report.html'}" in result.stdout
