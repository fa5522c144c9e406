"""BAD_INPUTS 66-83 through the command line on real files: exit code, message, and nothing left behind.

What needs no model is tested on predictions, which are read by the same readers; the rest runs the digits model.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.inputs.batch_files import EXAMPLES, MODEL, NAMES, Case, all_text, digits, metric, scores, section
from tests.inputs.event_files import record

HEAD = f"model: {MODEL}\nhistory: []\n"
NPZ = HEAD + "batch: {path: t.npz, x: x, y: y}"
MADE = "predictions: {path: t.npz, y_true: y, y_pred: p}"


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def save(case: Case, **arrays: Any) -> None:
    """Write t.npz."""
    np.savez(case.path / "t.npz", **arrays)


def header(shape: str, descr: str = "<f4") -> bytes:
    """Return the beginning of an NPY file."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize("name", ["x", "y"])
def test_66_object_arrays_in_npz_are_refused(case: Case, name: str) -> None:
    save(case, **{"x": digits(6)[0], "y": digits(6)[1], name: np.array([{}] * 6, dtype=object)})
    case.refused(NPZ, "t.npz", f"`{name}`", "pickle", "astype")


def test_66_object_arrays_in_npy_are_refused(case: Case) -> None:
    np.save(case.path / "x.npy", np.array([{}] * 6, dtype=object), allow_pickle=True)
    case.refused(HEAD + "batch: {path: x.npy}", "`x.npy`", "pickle", "astype")


@pytest.mark.parametrize("shape", ["(1099511627776,)", "(1048576, 1048576)"])
def test_67_an_npy_header_that_claims_4_tb_is_refused_from_the_header(case: Case, shape: str) -> None:
    (case.path / "x.npy").write_bytes(header(shape) + b"\0" * 64)
    case.refused(HEAD + "batch: {path: x.npy}", "x.npy", "4,398,046,511,104 bytes", "holds 64")


def test_67_an_hdf5_dataset_that_declares_4_tb_is_refused(case: Case) -> None:
    import h5py

    with h5py.File(case.path / "d.h5", "w") as file:
        file.create_dataset("x", shape=(1 << 40,), dtype="f4", chunks=(1024,))
    case.refused(HEAD + "batch: {path: d.h5, x: x}", "d.h5", "4,398,046,511,104 bytes")


def test_68_one_mb_of_npz_that_holds_one_gib_is_refused(case: Case) -> None:
    with (
        zipfile.ZipFile(case.path / "t.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w", force_zip64=True) as file,
    ):
        file.write(header("(268435456,)"))
        for _ in range(64):
            file.write(bytes(1 << 24))
    assert (case.path / "t.npz").stat().st_size < 2 << 20
    case.refused(HEAD + "batch: {path: t.npz, x: x}", "t.npz", "`x`", "zip bomb")


@pytest.mark.parametrize("kind", ["npz", "csv"])
def test_69_no_sample_is_a_note(case: Case, kind: str) -> None:
    save(case, y=np.zeros(0, int), p=np.zeros((0, 3), "f4"))
    (case.path / "t.csv").write_text("y,a,b,c\n")
    text = MADE if kind == "npz" else "predictions: {path: t.csv, y_true: y, y_pred: [a, b, c]}"
    report = case.build(text)
    assert section(report, "predictions")["state"] == "empty"


@pytest.mark.keras
@pytest.mark.slow
def test_69_no_sample_for_a_model_is_a_note_and_the_other_sections_stand(case: Case) -> None:
    save(case, x=np.zeros((0, 8, 8, 1), "f4"), y=np.zeros(0, int))
    report = case.build(NPZ)
    assert section(report, "predictions")["state"] == "empty" and section(report, "architecture")["state"] == "shown"


def test_70_one_sample_works(case: Case) -> None:
    y, p = scores(1)
    save(case, y=y, p=p)
    assert metric(case.build(MADE), "accuracy") in (0, 1)


@pytest.mark.keras
@pytest.mark.slow
def test_71_channels_first_is_explained(case: Case) -> None:
    save(case, x=np.repeat(np.moveaxis(digits(12)[0], -1, 1), 1, axis=1), y=digits(12)[1])
    report = case.build(NPZ, code=4)
    said = all_text(report, "predictions")
    assert "(8, 8, 1)" in said and "(1, 8, 8)" in said and "numpy.moveaxis(x, 1, -1)" in said


@pytest.mark.keras
@pytest.mark.slow
def test_72_a_wrong_shape_names_both_shapes_and_the_other_sections_run(case: Case) -> None:
    save(case, x=np.zeros((12, 28, 28, 3), "f4"), y=digits(12)[1])
    report = case.build(NPZ, code=4)
    said = all_text(report, "predictions")
    assert "takes samples of shape (8, 8, 1); the batch has (28, 28, 3)" in said
    assert section(report, "architecture")["state"] == "shown"


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_73_scores_of_every_float_type_work(case: Case, dtype: str) -> None:
    y, p = scores(60)
    save(case, y=y.astype("u1"), p=p.astype(dtype))
    assert metric(case.build(MADE), "accuracy") == pytest.approx((p.astype(dtype).argmax(1) == y).mean())


def test_73_labels_as_booleans_work(case: Case) -> None:
    y, p = scores(60, 2)
    save(case, y=y.astype(bool), p=p[:, 1])
    assert metric(case.build(MADE), "accuracy") == pytest.approx(((p[:, 1] >= 0.5) == y).mean())


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["u1", "?", "f2"])
def test_73_inputs_of_other_number_types_work(case: Case, dtype: str) -> None:
    x, y, _ = digits(40)
    save(case, x=(np.round(x) if dtype != "f2" else x).astype(dtype), y=y)
    assert section(case.build(NPZ), "predictions")["state"] == "shown"


def test_73_bfloat16_is_explained(case: Case) -> None:
    save(case, x=np.zeros((6, 4), "V2"), y=np.zeros(6, int))
    case.refused(NPZ, "`x`", "bfloat16", "astype('float32')")


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros((6, 8, 8, 1), "c8"), "complex"),
        (np.array(list("abcdef")), "text"),
        (np.zeros(6, [("a", "f4"), ("b", "i4")]), "structured (a, b)"),
    ],
    ids=["complex", "text", "structured"],
)
def test_74_types_that_no_model_takes_are_refused_by_name(case: Case, array: Any, word: str) -> None:
    save(case, x=array, y=np.zeros(6, int))
    case.refused(NPZ, "t.npz", "`x`", word)


@pytest.mark.parametrize(("kind", "word"), [("compound", "structured"), ("text", "holds text")])
def test_74_the_same_in_hdf5(case: Case, kind: str, word: str) -> None:
    import h5py

    with h5py.File(case.path / "d.h5", "w") as file:
        file["x"] = np.zeros(6, [("a", "f4"), ("b", "i4")]) if kind == "compound" else [b"a"] * 6
    case.refused(HEAD + "batch: {path: d.h5, x: x}", "d.h5", "`x`", word)


def test_74_text_in_a_csv_column_of_inputs_is_refused_by_name(case: Case) -> None:
    (case.path / "t.csv").write_text("a,b,y\n1,red,0\n2,blue,1\n")
    model = EXAMPLES / "breast_cancer" / "model.keras"
    case.refused(f"model: {model}\nbatch: {{path: t.csv, y: y}}", "t.csv", "`b`", "holds text")


@pytest.mark.keras
@pytest.mark.slow
def test_75_nan_pixels_are_counted_and_marked(case: Case) -> None:
    x, y, _ = digits(40)
    x[:, 0, 0, 0], x[3, 1, 1, 0] = np.nan, np.inf
    save(case, x=x, y=y)
    report = case.build(NPZ)
    assert "40" in json.dumps([f for f in report["findings"] if "nan" in json.dumps(f).lower()])


@pytest.mark.keras
@pytest.mark.slow
def test_76_and_83_floats_of_0_to_255_are_stated_and_the_collapse_is_found(case: Case) -> None:
    x, y, _ = digits()
    rng = np.random.default_rng(0)
    save(case, x=(255 + 200 * rng.random(x.shape)).astype("f4"), y=y)
    report = case.build(NPZ)
    failed = {f["code"]: json.dumps(f) for f in report["findings"] if f["outcome"] in ("failed", "warned")}
    assert "collapsed-predictions" in failed or "input-range-mismatch" in failed, sorted(failed)


@pytest.mark.parametrize("kind", ["npz", "npy", "hdf5"])
def test_77_x_and_y_of_different_lengths_are_refused_with_both(case: Case, kind: str) -> None:
    import h5py

    x, y, _ = digits(7)
    save(case, x=x, y=y[:5])
    np.save(case.path / "x.npy", x)
    np.save(case.path / "y.npy", y[:5])
    with h5py.File(case.path / "d.h5", "w") as file:
        file["x"], file["y"] = x, y[:5]
    batch = {"npz": "path: t.npz, x: x, y: y", "npy": "path: x.npy, y: y.npy", "hdf5": "path: d.h5, x: x, y: y"}[kind]
    case.refused(HEAD + f"batch: {{{batch}}}", " 7", " 5", "different numbers of samples")


@pytest.mark.parametrize(
    "labels", ["out of range", "one-hot", "2-D", "missing", "negative"], ids=lambda name: name.replace(" ", "-")
)
def test_78_odd_labels_are_handled_or_a_card(case: Case, labels: str) -> None:
    y, p = scores(50)
    odd = {
        "out of range": np.where(np.arange(50) == 3, 99, y),
        "one-hot": np.eye(3)[y],
        "2-D": y[:, None],
        "missing": np.where(np.arange(50) < 10, np.nan, y),
        "negative": np.where(np.arange(50) == 3, -1, y),
    }[labels]
    save(case, y=odd, p=p)
    report = case.build(f"{MADE}\ntask: multiclass")
    known = {"missing": slice(10, None)}.get(labels, slice(None))
    right = (p.argmax(1) == y)[known]
    assert section(report, "predictions")["state"] == "shown"
    if labels in ("one-hot", "2-D", "missing"):
        assert metric(report, "accuracy") == pytest.approx(right.mean())
    else:
        assert "label" in all_text(report, "predictions")


def test_79_ten_thousand_classes_give_no_giant_matrix(case: Case) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10_000, 300)
    p = rng.random((300, 10_000), dtype=np.float32)
    p[np.arange(300), y] += 1
    save(case, y=y, p=p / p.sum(1, keepdims=True))
    report = case.build(MADE)
    assert metric(report, "accuracy") > 0.9
    assert (case.path / "out" / "report.html").stat().st_size < 2_000_000


@pytest.mark.slow
def test_80_a_million_samples_are_all_counted_and_few_are_shown(case: Case) -> None:
    y, p = scores(1_000_000)
    save(case, y=y, p=p)
    report = case.build(MADE)
    assert metric(report, "accuracy") == pytest.approx((p.argmax(1) == y).mean())
    assert report["samples"][0]["n_total"] == 1_000_000 and report["samples"][0]["keys"]["length"] <= 21_000


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """Return a PNG file that declares a size."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    body = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def test_81_an_image_bomb_is_refused_by_its_header(case: Case) -> None:
    folder = case.path / "img" / "zero"
    folder.mkdir(parents=True)
    (folder / "bomb.png").write_bytes(png(60_000, 60_000, zlib.compress(bytes(1 << 20))))
    said = case.refused(HEAD + "batch: {path: img}", "img/zero/bomb.png", "60,000 x 60,000", "image bomb")
    assert "replace" in said or "smaller" in said


def test_81_what_is_no_picture_is_refused_by_name(case: Case) -> None:
    folder = case.path / "img" / "zero"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"hello")
    case.refused(HEAD + "batch: {path: img}", "img/zero/a.png", "not a picture")


def test_81_a_link_that_leaves_the_folder_is_refused(case: Case) -> None:
    (case.path / "img" / "zero").mkdir(parents=True)
    (case.path / "secret.png").write_bytes(png(8, 8, zlib.compress(bytes(72))))
    (case.path / "img" / "zero" / "a.png").symlink_to(case.path / "secret.png")
    case.refused(HEAD + "batch: {path: img}", "`a.png`", "leads outside")


@pytest.mark.keras
@pytest.mark.slow
def test_81_a_picture_cut_off_is_told_by_its_file_with_exit_3(case: Case) -> None:
    from PIL import Image

    for index in range(3):
        folder = case.path / "img" / NAMES[index]
        folder.mkdir(parents=True)
        stream = io.BytesIO()
        Image.fromarray(np.random.default_rng(index).integers(0, 255, (8, 8), dtype=np.uint8)).save(stream, "PNG")
        (folder / "a.png").write_bytes(stream.getvalue() if index < 2 else stream.getvalue()[:60])
    for name in NAMES[3:]:
        (case.path / "img" / name).mkdir()
    report = case.build(HEAD + "batch: {path: img}", code=3)
    assert "two/a.png" in all_text(report, "predictions") and "damaged or cut off" in all_text(report, "predictions")


@pytest.mark.parametrize("count", [9, 11])
def test_82_class_names_that_are_not_as_many_as_outputs_are_refused_with_both(case: Case, count: int) -> None:
    save(case, x=digits(6)[0], y=digits(6)[1])
    names = ", ".join(f"c{i}" for i in range(count))
    case.refused(HEAD + f"batch: {{path: t.npz, x: x, y: y, classes: [{names}]}}", f"{count} class names", "10 units")


def test_82_folders_that_are_not_as_many_as_outputs_are_refused_with_both(case: Case) -> None:
    for name in ("cat", "dog"):
        (case.path / "img" / name).mkdir(parents=True)
        (case.path / "img" / name / "a.png").write_bytes(png(8, 8, zlib.compress(bytes(72))))
    case.refused(HEAD + "batch: {path: img}", "2 class names", "10 units")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,y\n1,2,0\n1,2\n", ("t.csv:3:", "2 fields where the header has 3")),
        ("1,2,0\n1,2,0\n", ("t.csv:1:", "must name the columns")),
        ("a,a,y\n1,2,0\n", ("t.csv:1:", "`a` stands twice")),
        ("a,b,y\n1,\x002,0\n", ("t.csv:2:", "NUL")),
        ("a,b,y\n1,2,\udcff\n", ("t.csv:2:", "byte 0xff is not UTF-8")),
        ("a,b,y\n1," + "9" * (1 << 21) + ",0\n", ("t.csv:2:", "more than 1,048,576 bytes")),
        ("a,b,z\n1,2,0\n", ("`y`", "did you mean" if False else "column")),
        ("a,b,y\n1,2,0\n1,two,0\n", ("`b`", "holds text")),
    ],
    ids=["short-row", "no-header", "twice", "nul", "bytes", "huge-field", "no-column", "text"],
)
def test_a_bad_csv_is_refused_with_its_line(case: Case, text: str, words: tuple[str, ...]) -> None:
    (case.path / "t.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    model = EXAMPLES / "breast_cancer" / "model.keras"
    case.refused(f"model: {model}\nbatch: {{path: t.csv, y: y}}", *words)


def test_a_label_that_is_no_class_is_refused_by_name(case: Case) -> None:
    (case.path / "t.csv").write_text("y,p\ncat,0.1\ndog,0.9\nbird,0.4\n")
    text = "predictions: {path: t.csv, y_true: y, y_pred: p, classes: [cat, dog]}"
    case.refused(text, "t.csv", "`bird`", "predictions.classes")


def test_links_in_hdf5_are_refused(case: Case) -> None:
    import h5py

    with h5py.File(case.path / "other.h5", "w") as file:
        file["x"] = digits(6)[0]
    with h5py.File(case.path / "d.h5", "w") as file:
        file["x"] = h5py.ExternalLink("other.h5", "x")
    case.refused(HEAD + "batch: {path: d.h5, x: x}", "d.h5", "external link", "other.h5")


@pytest.mark.parametrize("cut", [30, 2000])
def test_truncated_files_are_called_what_they_are(case: Case, cut: int) -> None:
    import h5py

    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    with h5py.File(case.path / "d.h5", "w") as file:
        file["x"] = digits(60)[0]
    pq.write_table(pa.table({"a": np.arange(4000) / 7, "y": np.arange(4000) % 2}), case.path / "t.parquet")
    np.save(case.path / "x.npy", digits(60)[0])
    (case.path / "d.tfrecord").write_bytes(b"".join(record(bytes(500)) for _ in range(9)))
    for name in ("d.h5", "t.parquet", "x.npy", "d.tfrecord"):
        path = case.path / name
        path.write_bytes(path.read_bytes()[:-cut])
    case.refused(HEAD + "batch: {path: x.npy}", "x.npy", "was not finished")
    case.refused(HEAD + "batch: {path: t.parquet, x: a, y: y}", "t.parquet", "corrupt or was not finished")
    spec = "tfrecord: {x: {shape: [8, 8, 1]}}"
    case.refused(HEAD + f"batch: {{path: d.tfrecord, x: x, {spec}}}", "d.tfrecord", "cut off or damaged after record")


def test_what_is_none_of_the_formats_is_refused_with_the_list(case: Case) -> None:
    (case.path / "t.bin").write_bytes(b"hello there")
    case.refused(HEAD + "batch: {path: t.bin}", "t.bin", "Parquet", "NPZ")
    (case.path / "empty").mkdir()
    case.refused(HEAD + "batch: {path: empty}", "empty", "holds no picture")


@pytest.mark.parametrize(
    ("normalize", "words"),
    [
        ("{scale: 1/0}", ("`batch.normalize.scale`", "fraction")),
        ("{std: 0}", ("`std` of 0",)),
        ("resnet51", ("`batch.normalize.preprocess`", "did you mean resnet50")),
        ("{scale: 2, preprocess: vgg16}", ("not both",)),
        ("{scal: 2}", ("scal",)),
    ],
)
def test_a_wrong_normalize_is_explained_at_its_place(case: Case, normalize: str, words: tuple[str, ...]) -> None:
    save(case, x=digits(6)[0], y=digits(6)[1])
    result = case.run("build", HEAD + f"batch: {{path: t.npz, x: x, y: y, normalize: {normalize}}}")
    assert result.exit_code in (2, 3) and "config.yaml:3:" in result.stderr, result.output
    assert all(word in result.stderr for word in words), result.stderr


def test_normalize_for_an_input_that_is_not_there_is_refused(case: Case) -> None:
    save(case, x=digits(6)[0], y=digits(6)[1])
    text = HEAD + "batch: {path: t.npz, x: {image: x}, y: y, normalize: {picture: {scale: 2}}}"
    case.refused(text, "batch.normalize", "`picture`")


@pytest.mark.parametrize("kind", ["npy", "images"])
def test_confine_holds_for_links_in_a_folder(case: Case, kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    np.save(outside / "x.npy", digits(6)[0])
    (case.path / "d").mkdir()
    (case.path / "model.keras").write_bytes(MODEL.read_bytes())
    if kind == "npy":
        (case.path / "d" / "x.npy").symlink_to(outside / "x.npy")
        text = "batch: {path: d, x: x.npy}"
    else:
        (case.path / "d" / "zero").symlink_to(outside)
        text = "batch: {path: d}"
    head = "model: model.keras\nhistory: []\n"
    case.refused(head + text, "link", "outside", options=(f"--confine={case.path}",))
