"""NPZ batches are streamed exactly as NumPy would load them, and refused where they could harm."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from reportgen.errors import InputRefused
from reportgen.worker.batch import open_batch
from reportgen.worker.plan import BatchSpec

RNG = np.random.default_rng(0)


def spec(path: Path, x: str = "x", y: str = "y", **more) -> BatchSpec:
    return BatchSpec(str(path), "npz", {"": x}, {"": y} if y else {}, **more)


def read_all(batch: BatchSpec, size: int) -> list:
    return list(open_batch(batch).read(size))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "u1", "?", "<f2", "<U3"])
def test_chunks_joined_equal_numpys_load(tmp_path: Path, save, size: int, dtype: str) -> None:
    x = (RNG.random((10, 4, 2)) * 9).astype(dtype)
    save(tmp_path / "b.npz", x=x, y=np.arange(10), ids=np.array([f"s{i}" for i in range(10)]))
    chunks = read_all(spec(tmp_path / "b.npz", ids="ids"), size)
    joined = np.concatenate([chunk.inputs[""] for chunk in chunks])
    np.testing.assert_array_equal(joined, x)
    assert chunks[0].inputs[""].dtype == x.dtype
    assert [len(chunk) for chunk in chunks] == [min(size, 10 - start) for start in range(0, 10, size)]
    assert [name for chunk in chunks for name in chunk.ids] == [f"s{i}" for i in range(10)]
    assert np.concatenate([chunk.targets[""] for chunk in chunks]).tolist() == list(range(10))


def test_fortran_order_is_read_as_stored(tmp_path: Path) -> None:
    x = np.asfortranarray(RNG.random((7, 3, 2)))
    np.savez(tmp_path / "b.npz", x=x)
    chunks = read_all(spec(tmp_path / "b.npz", y=""), 2)
    np.testing.assert_array_equal(np.concatenate([chunk.inputs[""] for chunk in chunks]), x)


def test_bfloat16_that_numpy_calls_v2_is_recovered(tmp_path: Path) -> None:
    values = np.array([[1.0, -2.5], [0.0, 3.0]], np.float32)
    raw = (values.view(np.uint32) >> 16).astype(np.uint16).view("V2")
    np.savez(tmp_path / "b.npz", x=raw)
    source = open_batch(spec(tmp_path / "b.npz", y=""))
    np.testing.assert_array_equal(next(source.read(5)).inputs[""], values)
    assert "bfloat16" in source.notes[0]


def test_no_sample_gives_no_chunk(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", x=np.zeros((0, 3)), y=np.zeros(0))
    assert read_all(spec(tmp_path / "b.npz"), 4) == []


def write_member(path: Path, name: str, header: bytes, body: bytes = b"") -> None:
    """Write an NPZ with one hand-made member."""
    header += b" " * (118 - len(header) - 1) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + body)


def test_a_header_that_claims_four_terabytes_is_refused_from_the_header(tmp_path: Path) -> None:
    write_member(tmp_path / "b.npz", "x", b"{'descr': '<f8', 'fortran_order': False, 'shape': (549755813888,), }")
    with pytest.raises(InputRefused, match="claims"):
        open_batch(spec(tmp_path / "b.npz", y=""))


def test_object_arrays_are_refused_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", x=np.array([{}, 1], dtype=object))
    with pytest.raises(InputRefused, match="'x' holds Python objects"):
        open_batch(spec(tmp_path / "b.npz", y=""))


@pytest.mark.parametrize("bad", [np.zeros(3, "c8"), np.zeros(3, [("a", "f4")]), np.float32(3)])
def test_complex_structured_and_single_values_are_refused(tmp_path: Path, bad) -> None:
    np.savez(tmp_path / "b.npz", x=bad)
    with pytest.raises(InputRefused, match="'x'"):
        open_batch(spec(tmp_path / "b.npz", y=""))


def test_different_lengths_are_refused_with_both(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", x=np.zeros((3, 2)), y=np.zeros(4))
    with pytest.raises(InputRefused, match=r"3.*4"):
        open_batch(spec(tmp_path / "b.npz"))


def test_a_missing_array_is_named_with_those_that_exist(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", x_test=np.zeros((3, 2)))
    with pytest.raises(InputRefused, match=r"'x'.*x_test"):
        open_batch(spec(tmp_path / "b.npz", y=""))


def test_a_flipped_bit_is_refused_not_read(tmp_path: Path) -> None:
    path = tmp_path / "b.npz"
    np.savez(path, x=RNG.random((500, 20)))
    data = bytearray(path.read_bytes())
    data[40_000] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputRefused, match="damaged"):
        read_all(spec(path, y=""), 100)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all"])
def test_what_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.npz").write_bytes(content)
    with pytest.raises(InputRefused, match="not a readable NPZ"):
        open_batch(spec(tmp_path / "b.npz"))
