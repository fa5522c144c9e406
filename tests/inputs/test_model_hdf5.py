"""BAD_INPUTS 12-16, 27 through the command line; and the reader of HDF5 structures against h5py itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from reportgen.inputs.hdf5 import Structure, read_structure
from reportgen.inputs.hdf5_bytes import Corrupt
from tests.inputs.model_files import Folder, dense, sequential, weights_bytes, write_h5, write_keras


def external(file: h5py.File) -> None:
    file.create_dataset("layers/d/vars/0", shape=(10,), dtype="f4", external=[("/etc/passwd", 0, 40)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "d", shape=(4,))
    file.create_virtual_dataset("v", layout)


def external_link(file: h5py.File) -> None:
    file["layers/e"] = h5py.ExternalLink("/etc/other.h5", "/x")


def soft_link(file: h5py.File) -> None:
    file["layers/s"] = h5py.SoftLink("/somewhere")


def one_huge(file: h5py.File) -> None:
    file.create_dataset("big", shape=(1 << 30, 4), chunks=(1024, 4), compression="gzip", dtype="f4")


def many_large(file: h5py.File) -> None:
    for index in range(100):
        file.create_dataset(f"d{index}", shape=(15 << 20,), chunks=(1024,), dtype="f4")


HOSTILE = [
    (external, "external dataset"),
    (virtual, "virtual dataset"),
    (external_link, "external link to `/etc/other.h5"),
    (soft_link, "soft link to `/somewhere`"),
    (one_huge, "declare 17,179,869,184 bytes"),
    (many_large, "declare 6,291,456,"),
]


@pytest.mark.parametrize(("fill", "words"), HOSTILE, ids=lambda value: getattr(value, "__name__", ""))
def test_12_to_16_in_the_weights_of_a_keras_file(folder: Folder, fill: Any, words: str) -> None:
    write_keras(folder.path / "model.keras", weights=weights_bytes(fill))
    folder.refused("model.keras: model.weights.h5", words)


@pytest.mark.parametrize(("fill", "words"), HOSTILE, ids=lambda value: getattr(value, "__name__", ""))
def test_12_to_16_in_an_h5_file(folder: Folder, fill: Any, words: str) -> None:
    write_h5(folder.path / "model.h5", sequential(dense()), fill)
    folder.refused(
        "model.h5",
        words.split(" bytes")[0].replace("17,179,869,184", "17,179,869,").split(",456,")[0],
        model="model.h5",
    )


def test_27_a_weights_only_h5_says_what_is_needed(folder: Folder) -> None:
    (folder.path / "model.weights.h5").write_bytes(weights_bytes())
    folder.refused("model.weights.h5", "weights only", "model.save('model.keras')", model="model.weights.h5")


def test_a_whole_h5_model_passes(folder: Folder) -> None:
    write_h5(folder.path / "model.h5", sequential(dense()))
    result = folder.check(model="model.h5")
    assert result.exit_code == 0 and "model.h5 (h5)" in result.output


def test_a_config_of_200_kb_is_read_from_the_heap(folder: Folder) -> None:
    write_h5(folder.path / "model.h5", sequential(*(dense(f"dense_{index}") for index in range(900))))
    assert folder.check(model="model.h5").exit_code == 0


def listed_by_h5py(path: Path) -> dict[str, Any]:
    """Return every dataset's shape and every link's kind, as h5py sees them."""
    found: dict[str, Any] = {}

    def walk(group: h5py.Group, path: str) -> None:
        for name in group:
            link = group.get(name, getlink=True)
            inner = f"{path}/{name}"
            if not isinstance(link, h5py.HardLink):
                found[inner] = "soft" if isinstance(link, h5py.SoftLink) else "external"
            elif isinstance(group[name], h5py.Group):
                walk(group[name], inner)
            else:
                found[inner] = group[name].shape

    with h5py.File(path) as file:
        walk(file, "")
    return found


def listed_by_us(structure: Structure) -> dict[str, Any]:
    """Return the same from the structure."""
    return {item.path: item.shape for item in structure.datasets} | {link.path: link.kind for link in structure.links}


@pytest.mark.parametrize("count", [3, 9, 60, 700])
@pytest.mark.parametrize("options", [{}, {"libver": "latest"}, {"track_order": True}], ids=["old", "latest", "ordered"])
def test_the_structure_is_what_h5py_sees(tmp_path: Path, options: dict[str, Any], count: int) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", **options) as file:
        for index in range(min(count, 40)):
            file.attrs[f"text_{index}"] = "v" * index
        file.attrs["number"], file.attrs["fixed"], file.attrs["bytes"] = 3, np.bytes_("abc"), b"\xc3\xa9"
        group = file.create_group("group/inner/é")
        for index in range(count):
            group.create_dataset(f"a_rather_long_name_{index}", data=np.zeros((index % 4, 2), "f4"))
            file.create_group(f"layer_{index}/vars")["0"] = np.zeros((index % 3 + 1,), "f8")
        for hostile in (external, virtual, external_link, soft_link, one_huge):
            hostile(file)
        texts = {name: value for name, value in file.attrs.items() if isinstance(value, (str, bytes))}
    structure = read_structure(path.read_bytes())
    assert listed_by_us(structure) == listed_by_h5py(path)
    expected = {name: value.encode() if isinstance(value, str) else bytes(value) for name, value in texts.items()}
    assert structure.attributes == expected
    outside = {item.path: item.outside for item in structure.datasets if item.outside}
    assert outside == {"/layers/d/vars/0": "external", "/v": "virtual"}


def test_every_truncation_is_corrupt_or_read(tmp_path: Path) -> None:
    data = weights_bytes()
    for end in range(0, len(data), 7):
        try:
            read_structure(data[:end])
        except Corrupt:
            continue


def test_every_changed_byte_is_corrupt_or_read() -> None:
    data = weights_bytes()
    random = np.random.default_rng(3)
    for _ in range(3000):
        mutant = bytearray(data)
        for position in random.integers(0, len(data), random.integers(1, 6)):
            mutant[position] = random.integers(0, 256)
        try:
            read_structure(bytes(mutant))
        except Corrupt:
            continue
