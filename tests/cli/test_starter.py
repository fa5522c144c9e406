"""`reportgen init` and `demo`: a configuration for what lies in a folder, which then passes `check`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import h5py
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


def write_pictures(folder: Path, names: tuple[str, ...]) -> None:
    """Write two pictures a class."""
    from PIL import Image

    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for i in range(2):
            Image.new("RGB", (8, 8), (60 * number, 10 * i, 0)).save(folder / name / f"{i}.png")


def write_record(path: Path) -> None:
    """Write a TFRecord with two features, one of them four numbers."""
    import struct

    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    packed = field(2, field(1, struct.pack("<4f", 1, 2, 3, 4))), field(3, field(1, b"\x02"))
    entries = [
        field(1, field(1, name) + field(2, data)) for name, data in zip((b"signal", b"label"), packed, strict=True)
    ]
    data = field(1, b"".join(entries))
    path.write_bytes((struct.pack("<Q", len(data)) + bytes(4) + data + bytes(4)) * 3)


@pytest.mark.parametrize(
    "kind", ["npy", "npy-folder", "hdf5", "csv", "csv-text", "parquet", "images", "tfrecord", "dataset"]
)
def test_init_recognises_every_format(tmp_path: Path, kind: str) -> None:
    """Beside the batch lie the model, its history and data that is none of these."""
    write_keras(tmp_path / "model.keras")
    (tmp_path / "log.csv").write_text("epoch,loss\n0,1.0\n1,0.5\n")
    x, y = np.ones((6, 4), "f4"), np.arange(6) % 3
    wanted: dict[str, Any] = {"x": {}, "y": {}}
    table = "a,b,c,d,label\n" + "".join(f"{i},1,2,3,{i % 3}\n" for i in range(6))
    match kind:
        case "npy":
            (
                np.save(tmp_path / "x_test.npy", x),
                np.save(tmp_path / "y_test.npy", y),
                np.save(tmp_path / "x_train.npy", x),
            )
            wanted = {"path": "x_test.npy", "x": {"": "x_test.npy"}, "y": {"": "y_test.npy"}}
        case "npy-folder":
            (tmp_path / "test").mkdir()
            np.save(tmp_path / "test" / "x.npy", x), np.save(tmp_path / "test" / "labels.npy", y)
            wanted = {"path": "test", "x": {"": "x.npy"}, "y": {"": "labels.npy"}}
        case "hdf5":
            with h5py.File(tmp_path / "test.h5", "w") as file:
                file["x_test"], file["y_test"] = x, y
            wanted = {"path": "test.h5", "x": {"": "x_test"}, "y": {"": "y_test"}}
        case "csv":
            (tmp_path / "test.csv").write_text(table)
            wanted = {"path": "test.csv", "x": {}, "y": {"": "label"}}
        case "csv-text":  # the last column of text holds the classes, another one is no input
            lines = ("name,a,b,c,d,note,kind\n", *(f"n{i},{i},1,2,3,hm,{'uvw'[i % 3]}\n" for i in range(6)))
            (tmp_path / "data.csv").write_text("".join(lines))
            wanted = {"path": "data.csv", "x": {"": ("a", "b", "c", "d")}, "y": {"": "kind"}, "ids": "name"}
        case "parquet":
            import pyarrow as pa
            import pyarrow.parquet

            pa.parquet.write_table(pa.table({"a": x[:, 0], "b": x[:, 1], "y": y}), tmp_path / "test.parquet")
            wanted = {"path": "test.parquet", "x": {}, "y": {"": "y"}}
        case "images":
            write_pictures(tmp_path / "test", ("ant", "bee", "cat"))
            write_pictures(tmp_path / "train", ("ant", "bee", "cat"))
            wanted = {"path": "test", "x": {}, "y": {}}
        case "tfrecord":
            write_record(tmp_path / "test.tfrecord")
            wanted = {"path": "test.tfrecord", "x": {"": "signal"}, "y": {"": "label"}}
        case "dataset":
            (tmp_path / "test_ds").mkdir()
            (tmp_path / "test_ds" / "dataset_spec.pb").write_bytes(b"\n")
            wanted = {"path": "test_ds", "x": {}, "y": {}}
    result = run("init", tmp_path)
    assert result.exit_code == 0, result.output
    config = loaded(tmp_path)
    assert config.history.name == "log.csv" and config.model.name == "model.keras"
    batch = config.batch.model_dump(include=set(wanted) | {"path"})
    assert batch | {"path": config.batch.path.name} == {"path": "", **wanted}
    if kind == "tfrecord":
        assert config.batch.tfrecord["signal"].shape == (4,) and config.batch.tfrecord["label"].dtype == "int64"


def test_init_takes_a_saved_model_and_logs_and_says_what_the_model_needs(tmp_path: Path) -> None:
    from tests.inputs.event_files import write_events

    (tmp_path / "exported").mkdir()
    (tmp_path / "exported" / "saved_model.pb").write_bytes(b"\x12\x00")
    (tmp_path / "logs").mkdir()
    write_events(tmp_path / "logs", {"epoch_loss": [1.0, 0.5]})
    result = run("init", tmp_path)
    assert result.exit_code == 0 and "--trust=savedmodel" in result.output
    text = (tmp_path / "config.yaml").read_text()
    assert "model: exported\n" in text and "history: logs\n" in text


def test_init_proposes_no_weights_as_a_batch(tmp_path: Path) -> None:
    write_keras(tmp_path / "model.keras")
    with h5py.File(tmp_path / "other.weights.h5", "w") as file:
        file["layers/dense/vars/0"] = np.zeros((4, 3), "f4")
    assert run("init", tmp_path).exit_code == 0
    assert loaded(tmp_path).batch is None
    (tmp_path / "model.keras").unlink()
    result = run("init", tmp_path, "--force")
    assert result.exit_code == 3 and "other.weights.h5 holds weights only" in result.stderr
