"""Every batch format through the command line on real files: the same digits give the same numbers."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from reportgen.cli import main
from reportgen.config import load_config
from reportgen.inputs.found import find_inputs
from reportgen.worker.batch import Chunk, open_batch
from tests.inputs.batch_files import EXAMPLES, MODEL, NAMES, Case, all_text, digits, metric

HEAD = f"model: {MODEL}\nhistory: []\n"
SPEC = "{x: {shape: [8, 8, 1]}, label: {dtype: int64}, id: {dtype: string}}"


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def write_npy(folder: Path, n: int = 450, fortran: bool = False) -> None:
    """Write the digits as NPY files."""
    x, y, ids = digits(n)
    folder.mkdir(exist_ok=True)
    for name, values in (("x", np.asfortranarray(x) if fortran else x), ("y", y), ("ids", ids)):
        np.save(folder / f"{name}.npy", values)


def write_hdf5(path: Path, n: int = 450) -> None:
    """Write the digits as HDF5, compressed, in a group."""
    import h5py

    x, y, ids = digits(n)
    with h5py.File(path, "w") as file:
        file.create_dataset("test/x", data=x, compression="gzip", chunks=(50, 8, 8, 1))
        file["y"] = y
        file["ids"] = [str(name) for name in ids]


def write_pictures(folder: Path, n: int = 120) -> None:
    """Write the digits as PNG files, one folder a class."""
    from PIL import Image

    x, y, ids = digits(n)
    for pixels, label, name in zip(x, y, ids, strict=True):
        (folder / NAMES[label]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(pixels[..., 0] * 255).astype(np.uint8)).save(folder / NAMES[label] / f"{name}.png")


def table() -> tuple[list[str], np.ndarray, list[str]]:
    """Return columns, values and labels as texts of the breast cancer example."""
    with np.load(EXAMPLES / "breast_cancer" / "test.npz") as data:
        return (
            [f"f{i}" for i in range(30)],
            data["x_test"].astype(float),
            [["no", "yes"][int(y)] for y in data["y_test"]],
        )


def write_csv(path: Path, mark: str = ",", decimal: str = ".") -> None:
    """Write the table with names of patients in front and the labels at the end."""
    columns, values, labels = table()
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=mark)
        writer.writerow(["patient", *columns, "diagnosis"])
        for i, row in enumerate(values):
            writer.writerow([f"p {i}", *(repr(float(v)).replace(".", decimal) for v in row), labels[i]])


def read_all(case: Case, text: str, size: int, options: frozenset[str] = frozenset()) -> tuple[Any, list[Chunk]]:
    """Return the source and all chunks of a configured batch, read as the worker reads them."""
    plan = find_inputs(load_config(case.write(text), trust=options, environment={})).plan
    assert plan.batch is not None
    source = open_batch(plan.batch)
    chunks = list(source.read(size))
    assert all(len(chunk) <= size for chunk in chunks)
    return source, chunks


@pytest.mark.parametrize("size", [1, 64, 1000])
@pytest.mark.parametrize("kind", ["npy", "fortran", "hdf5"])
def test_arrays_come_back_as_written_whatever_the_chunk(case: Case, kind: str, size: int) -> None:
    if kind == "hdf5":
        write_hdf5(case.path / "d.h5", 130)
        batch = "{path: d.h5, x: test/x, y: y, ids: ids}"
    else:
        write_npy(case.path / "d", 130, fortran=kind == "fortran")
        batch = "{path: d, x: x.npy, y: y.npy, ids: ids.npy}"
    source, chunks = read_all(case, HEAD + f"batch: {batch}", size)
    x, y, ids = digits(130)
    assert source.n == 130 and source.shapes == {"": (8, 8, 1)} and source.dtypes == {"": "float32"}
    assert np.array_equal(np.concatenate([chunk.inputs[""] for chunk in chunks]), x)
    assert np.array_equal(np.concatenate([chunk.targets[""] for chunk in chunks]), y)
    assert [name for chunk in chunks for name in chunk.ids] == [str(name) for name in ids]


def test_a_single_npy_file_is_the_inputs_and_the_labels_lie_beside_it(case: Case) -> None:
    write_npy(case.path / "d", 30)
    _, chunks = read_all(case, HEAD + "batch: {path: d/x.npy, y: y.npy}", 10)
    assert np.array_equal(np.concatenate([chunk.inputs[""] for chunk in chunks]), digits(30)[0])


def test_a_sparse_npy_of_20_gb_is_described_and_read_in_bounded_memory(case: Case) -> None:
    import resource

    rows = 20 * 2**30 // (64 * 64 * 3 * 4)
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 64, 64, 3), }}".ljust(117) + "\n"
    with (case.path / "x.npy").open("wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
        file.seek(file.tell() + rows * 64 * 64 * 3 * 4 - 4)
        file.write(np.float32(7).tobytes())
    assert (case.path / "x.npy").stat().st_size > 20 * 10**9
    result = CliRunner().invoke(main, ["check", str(case.write(HEAD + "batch: {path: x.npy}"))])
    assert result.exit_code == 0 and f"{rows:,} samples" in result.output, result.output
    plan = find_inputs(load_config(case.path / "config.yaml", environment={})).plan
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    source = open_batch(plan.batch)
    seen = 0
    for seen, chunk in enumerate(source.read(256)):  # noqa: B007 - a gigabyte of it, and its very end below
        if seen == 80:
            break
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024, "more than chunks were kept"
    from reportgen.worker.batch.npy import _open

    assert _open(case.path / "x.npy").read(rows - 1, rows)[0, -1, -1, -1] == 7


@pytest.mark.parametrize(("mark", "decimal"), [(",", "."), (";", ","), ("\t", ".")], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("size", [7, 5000])
def test_a_csv_gives_its_columns_by_name(case: Case, mark: str, decimal: str, size: int) -> None:
    write_csv(case.path / "t.csv", mark, decimal)
    model = EXAMPLES / "breast_cancer" / "model.keras"
    text = f"model: {model}\nhistory: []\nbatch: {{path: t.csv, y: diagnosis, ids: patient}}"
    source, chunks = read_all(case, text, size)
    columns, values, labels = table()
    assert source.n == len(labels) and source.shapes == {"": (30,)}
    assert np.array_equal(np.concatenate([chunk.inputs[""] for chunk in chunks]), values)
    assert [int(v) for chunk in chunks for v in chunk.targets[""]] == [["no", "yes"].index(text) for text in labels]
    assert chunks[0].ids[0] == "p 0"
    plan = find_inputs(load_config(case.path / "config.yaml", environment={})).plan
    assert plan.batch is not None
    assert plan.batch.features == {"": tuple(columns)} and plan.batch.classes == {"": ("no", "yes")}


@pytest.mark.parametrize("size", [7, 5000])
def test_a_parquet_file_gives_the_same_as_the_csv(case: Case, size: int) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    columns, values, labels = table()
    content = {"patient": [f"p {i}" for i in range(len(labels))], **{c: values[:, i] for i, c in enumerate(columns)}}
    pq.write_table(pa.table({**content, "diagnosis": labels}), case.path / "t.parquet", row_group_size=50)
    model = EXAMPLES / "breast_cancer" / "model.keras"
    text = f"model: {model}\nhistory: []\nbatch: {{path: t.parquet, y: diagnosis, ids: patient}}"
    source, chunks = read_all(case, text, size)
    assert source.n == len(labels)
    assert np.array_equal(np.concatenate([chunk.inputs[""] for chunk in chunks]), values)
    assert [int(v) for chunk in chunks for v in chunk.targets[""]] == [["no", "yes"].index(text) for text in labels]


def test_parquet_lists_are_rows_of_numbers(case: Case) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    x, y, _ = digits(20)
    pq.write_table(pa.table({"x": [list(map(float, row.ravel())) for row in x], "y": y}), case.path / "t.parquet")
    text = f"model: {EXAMPLES / 'breast_cancer' / 'model.keras'}\nhistory: []\nbatch: {{path: t.parquet, x: x, y: y}}"
    source, chunks = read_all(case, text, 8)
    assert source.shapes == {"": (64,)}
    assert np.allclose(np.concatenate([chunk.inputs[""] for chunk in chunks]), x.reshape(20, 64))


def test_a_missing_pyarrow_says_what_to_install(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (case.path / "t.parquet").write_bytes(b"PAR1" + b"\0" * 100 + b"PAR1")
    case.refused(HEAD + "batch: {path: t.parquet, y: y}", "t.parquet", "pip install 'reportgen[tables]'")


def test_pictures_are_sorted_by_class_and_known_by_their_files(case: Case) -> None:
    write_pictures(case.path / "img", 60)
    source, chunks = read_all(case, HEAD + "batch: {path: img}", 16)
    names = sorted(NAMES)
    ids = [name for chunk in chunks for name in chunk.ids]
    assert ids == sorted(ids) and source.n == 60 and ids[0].split("/")[0] == names[0]
    labels = np.concatenate([chunk.targets[""] for chunk in chunks])
    assert [names[label] for label in labels] == [name.split("/")[0] for name in ids]


def test_71_pictures_are_turned_for_a_model_that_takes_channels_first(tmp_path: Path) -> None:
    from PIL import Image

    from reportgen.worker.batch.image_folder import open_images
    from reportgen.worker.plan import BatchSpec, NormalizeSpec
    from reportgen.worker.prepare import make_preparations

    pixels = np.random.default_rng(0).integers(0, 255, (6, 10, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    normalize = {"": NormalizeSpec(mean=(1, 2, 3), std=(2, 4, 8))}
    spec = BatchSpec(str(tmp_path), "images", {"": "image"}, {}, shapes={"": (3, 6, 10)}, normalize=normalize)
    source = open_images(spec)
    (chunk,) = source.read(4)
    assert source.shapes == {"": (3, 6, 10)}
    np.testing.assert_array_equal(chunk.inputs[""][0], np.moveaxis(pixels, -1, 0))
    assert any("channels were put first" in note for note in source.notes)
    prepared = make_preparations(spec, source.shapes, source.dtypes)[""].apply(chunk.inputs[""])
    np.testing.assert_allclose(prepared[0, 2], (pixels[..., 2] - 3.0) / 8, rtol=1e-6)


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("shape", [(5, 9), (16, 20), (8, 8), (3, 31)])
def test_pictures_are_resized_as_keras_resizes_them(shape: tuple[int, int]) -> None:
    import tensorflow as tf

    from reportgen.worker.batch.pictures import resize

    pixels = np.random.default_rng(0).uniform(0, 255, (*shape, 3)).astype(np.float32)
    assert np.allclose(resize(pixels, 8, 12), tf.image.resize(pixels, (8, 12)).numpy(), atol=1e-3)


@pytest.mark.keras
@pytest.mark.slow
def test_an_npy_batch_gives_the_npz_numbers_and_a_history_beside_the_model_is_found(case: Case) -> None:
    write_npy(case.path / "d")
    (case.path / "model.keras").write_bytes(MODEL.read_bytes())
    (case.path / "history.csv").write_bytes((MODEL.parent / "history.csv").read_bytes())
    report = case.build("model: model.keras\nbatch: {path: d, x: x.npy, y: y.npy, ids: ids.npy}")
    assert metric(report, "accuracy") == pytest.approx(445 / 450)
    assert set(report["samples"][0]["ids"]) == {str(name) for name in digits()[2]}
    assert "history.csv was found with the model" in all_text(report, "training")


@pytest.mark.keras
@pytest.mark.slow
def test_a_folder_of_pictures_with_normalize_is_judged_and_says_what_was_applied(case: Case) -> None:
    write_pictures(case.path / "img")
    text = f"batch: {{path: img, normalize: {{scale: 1/255}}, classes: [{', '.join(NAMES)}]}}"
    report = case.build(HEAD + text)
    assert metric(report, "accuracy") > 0.95
    said = all_text(report, "predictions")
    assert "was divided by 255" in said and "digits-" in said
    assert report["samples"][0]["class_names"] == list(NAMES)


@pytest.mark.keras
@pytest.mark.slow
def test_a_table_shows_the_names_of_its_features_and_patients(case: Case) -> None:
    write_csv(case.path / "t.csv")
    model = EXAMPLES / "breast_cancer" / "model.keras"
    report = case.build(f"model: {model}\nhistory: []\nbatch: {{path: t.csv, y: diagnosis, ids: patient}}")
    assert metric(report, "accuracy") > 0.9
    said = all_text(report, "predictions")
    assert '"f0"' in said and '"p ' in said and '"yes"' in said


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the digits as a TFRecord, a saved dataset and a module with functions."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("tensors")
    x, y, ids = digits()
    tf.data.Dataset.from_tensor_slices((x, y)).batch(32).save(str(folder / "saved"))
    with tf.io.TFRecordWriter(str(folder / "d.tfrecord")) as file:
        for pixels, label, name in zip(x, y, ids, strict=True):
            example = {
                "x": tf.train.Feature(float_list=tf.train.FloatList(value=pixels.ravel())),
                "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[int(label)])),
                "id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[str(name).encode()])),
            }
            file.write(tf.train.Example(features=tf.train.Features(feature=example)).SerializeToString())
    np.savez(folder / "d.npz", x=x, y=y)
    return folder


@pytest.mark.keras
@pytest.mark.slow
def test_a_tfrecord_with_a_feature_spec(case: Case, tensors: Path) -> None:
    batch = f"{{path: {tensors / 'd.tfrecord'}, x: x, y: label, ids: id, tfrecord: {SPEC}}}"
    report = case.build(HEAD + f"batch: {batch}")
    assert metric(report, "accuracy") == pytest.approx(445 / 450)
    assert "digits-1097" in report["samples"][0]["ids"]


@pytest.mark.keras
@pytest.mark.slow
def test_a_saved_dataset(case: Case, tensors: Path) -> None:
    report = case.build(HEAD + f"batch: {{path: {tensors / 'saved'}}}")
    assert metric(report, "accuracy") == pytest.approx(445 / 450)


@pytest.mark.keras
@pytest.mark.slow
def test_a_function_is_called_only_when_trusted(case: Case, tensors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (case.path / "my_batches.py").write_text(
        f"import numpy as np\n\ndef test():\n    d = np.load({str(tensors / 'd.npz')!r})\n"
        "    open('called', 'w')\n    return d['x'], d['y'], [f'f{i}' for i in range(len(d['y']))]\n"
    )
    text = HEAD + "batch: {path: 'my_batches:test'}"
    case.refused(text, "`my_batches:test` would run code", "--trust=code")
    assert not (case.path / "called").exists()
    report = case.build(text, "--trust=code")
    assert metric(report, "accuracy") == pytest.approx(445 / 450)
    assert "f449" in report["samples"][0]["ids"] and report["provenance"]["trusted"] == ["code"]


def test_tokens_are_shown_as_the_words_of_the_vocabulary(case: Case) -> None:
    tokens = np.random.default_rng(0).integers(1, 6, (40, 5))
    tokens[:, -1] = 9  # beyond the vocabulary
    np.savez(case.path / "p.npz", y=tokens[:, 0] % 2, p=np.linspace(0.1, 0.9, 40), x=tokens)
    words = ["", "the", "film", "was", "never", "dull"]
    (case.path / "words.txt").write_text("\n".join(words) + "\n")  # as TextVectorization: padding has no word
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: p, x: x, vocabulary: words.txt}")
    said = all_text(report, "predictions")
    row = int(report["samples"][0]["n_total"]) and " ".join(words[token] for token in tokens[0, :4]) + " 9"
    assert any(" ".join([*(words[t] for t in line[:4]), "9"]) in said for line in tokens), row


def test_strings_are_shown_as_they_are(case: Case) -> None:
    texts = np.array([f"review number {i} <b>of</b> a film" for i in range(20)])
    np.savez(case.path / "p.npz", y=np.arange(20) % 2, p=np.linspace(0.1, 0.9, 20), x=texts)
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: p, x: x}")
    assert "<b>of</b> a film" in all_text(report, "predictions")
    page = (case.path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<b>of</b>" not in page.split("<script", 1)[0]


def test_display_undoes_the_scaling_of_pictures(case: Case) -> None:
    x = (digits(20)[0] - 0.5) / 0.5
    np.savez(case.path / "p.npz", y=np.arange(20.0), p=np.arange(20.0), x=x)
    plain = case.build("predictions: {path: p.npz, y_true: y, y_pred: p, x: x}")
    text = "predictions: {path: p.npz, y_true: y, y_pred: p, x: x, display: {mean: 0.5, std: 0.5, range: [0, 1]}}"
    shown = case.build(text)
    assert "0 is black, 1 is white (display.range)" in all_text(shown, "predictions")
    assert "display.range" not in all_text(plain, "predictions")


def test_features_get_the_names_that_the_configuration_gives(case: Case) -> None:
    rng = np.random.default_rng(0)
    np.savez(case.path / "p.npz", y=np.arange(20.0), p=np.arange(20.0), x=rng.normal(0, 1, (20, 3)))
    report = case.build("predictions: {path: p.npz, y_true: y, y_pred: p, x: x, features: [age, height, weight]}")
    assert '"height"' in all_text(report, "predictions")


def test_a_table_of_20000_columns_takes_time_by_column_not_by_pair(tmp_path: Path) -> None:
    import time

    from reportgen.config_batch import Batch
    from reportgen.inputs.batch import inspect_batch
    from reportgen.worker.batch.csv_rows import open_csv

    names = [f"c{number}" for number in range(20_000)]
    (tmp_path / "wide.csv").write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    started = time.process_time()
    spec = inspect_batch(Batch(path=tmp_path / "wide.csv", y={"": "c0"})).spec
    (chunk,) = open_csv(spec).read(4)
    assert chunk.inputs[""].shape == (1, 19_999)
    assert time.process_time() - started < 10  # 0.2 s; a look through all columns for each one takes minutes
