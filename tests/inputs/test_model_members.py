"""BAD_INPUTS 17-19, 21-26, 28, 34: the container of a model file, through the command line."""

from __future__ import annotations

import os
import struct
import time
import warnings
import zipfile

import pytest

from tests.inputs.model_files import Folder, dense, sequential, write_h5, write_keras


def test_a_plain_model_passes(folder: Folder) -> None:
    write_keras(folder.path / "model.keras")
    result = folder.check()
    assert result.exit_code == 0, result.output
    assert "model.keras (keras)" in result.output


def test_17_config_json_of_300_mb_is_refused_at_16_mib_without_unpacking(folder: Folder) -> None:
    path = folder.path / "model.keras"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("config.json", "w") as member,
    ):
        for _ in range(300):
            member.write(b" " * (1 << 20))
    assert path.stat().st_size < 400_000
    start = time.monotonic()
    folder.refused("model.keras", "`config.json`", "314,572,800", "16,777,216")
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("../../evil.txt", "leads outside"),
        ("assets/../../evil.txt", "leads outside"),
        ("..\\evil.txt", "leads outside"),
        ("/etc/evil", "absolute"),
        ("C:/evil", "absolute"),
    ],
)
def test_18_a_member_that_would_be_written_elsewhere_is_refused(folder: Folder, name: str, word: str) -> None:
    write_keras(folder.path / "model.keras", extra={name: b"x"})
    folder.refused("model.keras", name, word)


def test_19_a_member_that_stands_twice_is_refused(folder: Folder) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_keras(folder.path / "model.keras", extra={"config.json": b"{}"})
    folder.refused("`config.json`", "stands twice")


def test_19_a_symbolic_link_as_member_is_refused(folder: Folder) -> None:
    path = write_keras(folder.path / "model.keras")
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("assets/link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    folder.refused("`assets/link`", "symbolic link")


def test_19_an_encrypted_member_is_refused(folder: Folder) -> None:
    path = write_keras(folder.path / "model.keras")
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1
    path.write_bytes(data)
    folder.refused("`metadata.json`", "encrypted")


def test_19_a_weights_member_that_unpacks_to_far_more_is_refused(folder: Folder) -> None:
    path = folder.path / "model.keras"
    write_keras(path, weights=None)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("model.weights.h5", bytes(100 << 20))
    folder.refused("`model.weights.h5`", "zip bomb")


def test_21_json_100000_levels_deep_is_refused(folder: Folder) -> None:
    write_keras(folder.path / "model.keras", text='{"config":' * 100_000 + "1" + "}" * 100_000)
    folder.refused("config.json", "nested too deep")


def test_21_a_config_nested_800_levels_deep_is_refused_by_the_walk(folder: Folder) -> None:
    write_keras(folder.path / "model.keras", text='{"config":' * 800 + "1" + "}" * 800)
    folder.refused("model.keras", "nested")


def test_22_a_truncated_model_is_called_corrupt(folder: Folder) -> None:
    path = write_keras(folder.path / "model.keras")
    path.write_bytes(path.read_bytes()[:-100])
    folder.refused("model.keras", "corrupt")


def test_22_a_truncated_h5_is_called_corrupt(folder: Folder) -> None:
    path = write_h5(folder.path / "model.h5", sequential(dense()))
    path.write_bytes(path.read_bytes()[:700])
    folder.refused("model.h5", "corrupt", model="model.h5")


def test_23_an_empty_model_is_named_empty(folder: Folder) -> None:
    (folder.path / "model.keras").write_bytes(b"")
    folder.refused("model.keras", "empty")


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5", "metadata.json"])
def test_24_one_flipped_bit_names_its_member(folder: Folder, member: str) -> None:
    path = write_keras(folder.path / "model.keras")
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
    data = bytearray(path.read_bytes())
    name, extra = struct.unpack("<HH", data[info.header_offset + 26 : info.header_offset + 30])
    data[info.header_offset + 30 + name + extra + info.file_size // 2] ^= 1
    path.write_bytes(data)
    folder.refused("model.keras", f"`{member}` is corrupt")


def test_25_h5_content_under_a_keras_name_is_told_by_its_content(folder: Folder) -> None:
    write_h5(folder.path / "model.keras", sequential(dense()))
    result = folder.check()
    assert result.exit_code == 0 and "(h5)" in result.output


def test_25_keras_content_under_an_h5_name_is_told_by_its_content(folder: Folder) -> None:
    write_keras(folder.path / "model.h5")
    result = folder.check(model="model.h5")
    assert result.exit_code == 0 and "(keras)" in result.output


def test_26_a_folder_named_keras_is_refused(folder: Folder) -> None:
    (folder.path / "model.keras").mkdir()
    folder.refused("model.keras", "is a folder")


def test_26_an_unpacked_keras_folder_is_told(folder: Folder) -> None:
    (folder.path / "model.keras").mkdir()
    (folder.path / "model.keras" / "config.json").write_text("{}")
    folder.refused("unpacked .keras folder")


def test_24_a_broken_saved_model_is_called_corrupt(folder: Folder) -> None:
    (folder.path / "model").mkdir()
    (folder.path / "model" / "saved_model.pb").write_bytes(b"\x08\x01")
    folder.refused("saved_model.pb", "corrupt", "export the model again", model="model")


@pytest.mark.parametrize("address", ["hf://org/model", "https://example.org/model.keras", "s3://bucket/model.keras"])
def test_28_an_address_is_refused_and_names_the_flag(folder: Folder, address: str) -> None:
    folder.refused(address, "--trust=remote", "config.yaml:1:8", model=address)


def test_34_a_fifo_is_refused_without_hanging(folder: Folder) -> None:
    os.mkfifo(folder.path / "model.keras")
    folder.refused("model.keras", "not a regular file")


def test_34_a_device_is_refused_without_hanging(folder: Folder) -> None:
    folder.refused("/dev/zero", "not a regular file", model="/dev/zero")


def test_34_a_link_to_a_device_is_refused(folder: Folder) -> None:
    (folder.path / "model.keras").symlink_to("/dev/zero")
    folder.refused("model.keras", "not a regular file")


def test_a_missing_model_is_named(folder: Folder) -> None:
    folder.refused("model.keras", "no such file")


def test_something_else_is_told_to_be_no_model(folder: Folder) -> None:
    (folder.path / "model.keras").write_text("hello")
    folder.refused("neither a .keras nor an HDF5 file")


def test_a_batch_named_as_model_is_told(folder: Folder) -> None:
    import numpy as np

    np.savez(folder.path / "test.npz", x=np.zeros(3))
    folder.refused("NPZ", "not a model", model="test.npz")


def test_a_zip_without_weights_is_told(folder: Folder) -> None:
    write_keras(folder.path / "model.keras", weights=None)
    folder.refused("holds no model.weights.h5")


def test_a_config_that_is_no_object_is_told(folder: Folder) -> None:
    write_keras(folder.path / "model.keras", text="[1, 2]")
    folder.refused("config.json", "does not hold a model")
