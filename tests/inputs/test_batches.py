"""BAD_INPUTS 66-69, 73, 74, 77, 82: batches as NPZ, through the command line."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.inputs.model_files import Folder, dense, sequential, write_keras

BATCH = "{path: test.npz, x: x, y: y}"


def write_npz(folder: Folder, **arrays: Any) -> Path:
    """Write a model and an NPZ file beside it."""
    write_keras(folder.path / "model.keras")
    path = folder.path / "test.npz"
    np.savez(path, **{"x": np.zeros((6, 4), "f4"), "y": np.zeros(6, "i8"), **arrays})
    return path


def write_raw(folder: Folder, header: str, data: bytes = b"", **options: Any) -> None:
    """Write an NPZ file whose array `x` has this header and these bytes."""
    write_keras(folder.path / "model.keras")
    body = io.BytesIO()
    text = header.encode().ljust(118) + b"\n"
    body.write(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data)
    with zipfile.ZipFile(folder.path / "test.npz", "w", **options) as archive:
        archive.writestr("x.npy", body.getvalue())


def test_a_batch_is_described(folder: Folder) -> None:
    write_npz(folder, ids=np.array(list("abcdef")))
    result = folder.check(batch="{path: test.npz, x: x, y: y, ids: ids, classes: [a, b, c]}")
    assert result.exit_code == 0 and "6 samples" in result.output


@pytest.mark.parametrize("name", ["x", "y"])
def test_66_object_arrays_are_refused_and_told_how_to_save(folder: Folder, name: str) -> None:
    write_npz(folder, **{name: np.array([{} for _ in range(6)], dtype=object)})
    folder.refused("test.npz", f"`{name}`", "pickle", "astype", batch=BATCH)


def test_67_a_header_that_claims_4_tb_is_refused_from_the_header(folder: Folder) -> None:
    write_raw(folder, "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }", b"\0" * 64)
    folder.refused("test.npz", "`x`", "4,398,046,511,104", batch="{path: test.npz, x: x}")


def test_68_one_mb_that_holds_one_gib_is_refused(folder: Folder) -> None:
    write_keras(folder.path / "model.keras")
    np.savez_compressed(folder.path / "test.npz", x=np.zeros(1 << 28, "f4"))
    assert (folder.path / "test.npz").stat().st_size < 2 << 20
    folder.refused("test.npz", "`x`", "zip bomb", batch="{path: test.npz, x: x}")


def test_69_no_sample_passes_the_check(folder: Folder) -> None:
    write_npz(folder, x=np.zeros((0, 4), "f4"), y=np.zeros(0, "i8"))
    result = folder.check(batch=BATCH)
    assert result.exit_code == 0 and "0 samples" in result.output


@pytest.mark.parametrize("dtype", ["u1", "f2", "?", "f8", "i4"])
def test_73_number_types_pass(folder: Folder, dtype: str) -> None:
    write_npz(folder, x=np.zeros((6, 4), dtype))
    assert folder.check(batch=BATCH).exit_code == 0


def test_73_bfloat16_is_explained(folder: Folder) -> None:
    write_npz(folder, x=np.zeros((6, 4), "V2"))
    folder.refused("`x`", "bfloat16", "astype('float32')", batch=BATCH)


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros(6, "c8"), "complex"),
        (np.array(list("abcdef")), "text"),
        (np.zeros(6, [("a", "f4"), ("b", "i4")]), "structured (a, b)"),
        (np.zeros(6, "M8[s]"), "dates"),
    ],
    ids=["complex", "text", "structured", "dates"],
)
@pytest.mark.parametrize("name", ["x", "y"])
def test_74_other_types_are_refused_by_name(folder: Folder, array: Any, word: str, name: str) -> None:
    write_npz(folder, **{name: array})
    folder.refused("test.npz", f"`{name}`", word, batch=BATCH)


def test_74_text_passes_where_the_model_takes_text(folder: Folder) -> None:
    write_npz(folder, x=np.array(list("abcdef")))
    config = sequential(dense())
    config["config"]["layers"][0]["config"]["dtype"] = "string"
    write_keras(folder.path / "model.keras", config)
    assert folder.check(batch=BATCH).exit_code == 0


def test_77_different_lengths_are_refused_with_both_numbers(folder: Folder) -> None:
    write_npz(folder, y=np.zeros(5, "i8"))
    folder.refused("test.npz", "`x` 6", "`y` 5", batch=BATCH)


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "c", "d"]])
def test_82_class_names_that_do_not_fit_the_output_are_refused_with_both_numbers(
    folder: Folder, names: list[str]
) -> None:
    write_npz(folder)
    batch = f"{{path: test.npz, x: x, y: y, classes: {names}}}"
    folder.refused(f"{len(names)} class names", "3 units", batch=batch)


def test_82_class_names_that_do_not_fit_one_hot_labels_are_refused(folder: Folder) -> None:
    write_npz(folder, y=np.zeros((6, 5), "f4"))
    folder.refused("3 class names", "5 columns", batch="{path: test.npz, x: x, y: y, classes: [a, b, c]}")


def test_82_a_sigmoid_unit_takes_two_names(folder: Folder) -> None:
    write_npz(folder)
    write_keras(folder.path / "model.keras", sequential(dense(units=1)))
    assert folder.check(batch="{path: test.npz, x: x, y: y, classes: [no, yes]}").exit_code == 0
    folder.refused("3 class names", "1 unit", batch="{path: test.npz, x: x, y: y, classes: [a, b, c]}")


def test_class_names_from_a_file(folder: Folder) -> None:
    write_npz(folder)
    (folder.path / "classes.txt").write_text("cat\ndog\nÉlan\n\n", encoding="utf-8")
    assert folder.check(batch="{path: test.npz, x: x, y: y, classes: classes.txt}").exit_code == 0


def test_an_empty_line_among_class_names_is_refused_with_its_line(folder: Folder) -> None:
    write_npz(folder)
    (folder.path / "classes.txt").write_text("cat\n\ndog\n")
    folder.refused("classes.txt:2", "empty line", batch="{path: test.npz, x: x, y: y, classes: classes.txt}")


def test_an_array_that_is_not_there_names_the_nearest(folder: Folder) -> None:
    write_npz(folder, x_test=np.zeros((6, 4), "f4"))
    folder.refused("test.npz", "`x_tst`", "did you mean `x_test`?", batch="{path: test.npz, x: x_tst, y: y}")
    folder.refused("`zzz`", "it holds x, x_test, y", batch="{path: test.npz, x: zzz, y: y}")


def test_ids_must_be_one_text_a_sample(folder: Folder) -> None:
    write_npz(folder, ids=np.zeros((6, 2)))
    folder.refused("`ids`", "one text a sample", batch="{path: test.npz, x: x, ids: ids}")


def test_a_number_instead_of_samples_is_refused(folder: Folder) -> None:
    write_npz(folder, x=np.float32(3))
    folder.refused("`x`", "single number", batch="{path: test.npz, x: x}")


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "shape (-1,)"),
        ("{'descr': '<f4', 'fortran_order': False}", "header"),
        ("__import__('os').system('true')", "header"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (9,), }", "declares 36 bytes and holds 0"),
    ],
)
def test_a_header_that_lies_is_refused(folder: Folder, header: str, word: str) -> None:
    write_raw(folder, header)
    folder.refused("test.npz", "`x`", word, batch="{path: test.npz, x: x}")


@pytest.mark.parametrize("cut", [10, 200, 500])
def test_a_truncated_batch_is_called_corrupt(folder: Folder, cut: int) -> None:
    path = write_npz(folder)
    path.write_bytes(path.read_bytes()[:-cut])
    folder.refused("test.npz", "corrupt", batch=BATCH)


def test_something_else_is_told_how_to_save(folder: Folder) -> None:
    write_keras(folder.path / "model.keras")
    (folder.path / "test.npz").write_text("x,y\n1,2\n")
    folder.refused("test.npz", "np.savez", batch=BATCH)
    np.save(folder.path / "test.npy", np.zeros(3))
    folder.refused("no NPY file `x`", "test.npy", batch="{path: test.npy, x: x}")
