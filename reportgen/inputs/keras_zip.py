"""The members of a .keras file, checked before anything is unpacked: names, kinds, sizes, checksums."""

from __future__ import annotations

import mmap
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reportgen.errors import InputRefused

MEMBER_LIMIT = 10_000
JSON_LIMIT = 16 << 20
EXPANSION_LIMIT = 100
EXPANSION_FLOOR = 64 << 20
WEIGHTS = "model.weights.h5"
_CHUNK = 1 << 20
_JSON = ("config.json", "metadata.json")


@dataclass(frozen=True, slots=True)
class KerasZip:
    """What preflight needs of a .keras file: its JSON texts, and the bytes of its weights (None: it has none)."""

    config: bytes
    metadata: bytes
    weights: bytes | memoryview | None


def read_keras_zip(path: Path, name: str) -> KerasZip:
    """Check every member of a .keras file and return its parts; raises InputRefused naming the member and the fix."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = _check_members(archive, name)
            _check_sums(archive, name)
            if "config.json" not in members:
                _refuse_without_config(members, name)
            config, metadata = (archive.read(part) if part in members else b"" for part in _JSON)
            weights = _read_weights(archive, members, path)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, UnicodeDecodeError, ValueError, OSError) as error:
        text = f"{name}: the file is corrupt or was cut off ({_line(error)}); copy or save the model again"
        raise InputRefused(text) from None
    return KerasZip(config, metadata, weights)


def _line(error: Exception) -> str:
    """Return an error's message on one short line."""
    return " ".join(str(error).split())[:150] or type(error).__name__


def _check_members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """Refuse members that could be written elsewhere, read twice, or unpack to far more than they take."""
    found: dict[str, zipfile.ZipInfo] = {}
    infos = archive.infolist()
    if len(infos) > MEMBER_LIMIT:
        raise InputRefused(f"{name}: holds {len(infos):,} members, more than {MEMBER_LIMIT:,}; save the model again")
    for info in infos:
        problem = _wrong_with(info, found)
        if problem:
            raise InputRefused(
                f"{name}: the member `{info.filename}` {problem}: refused; save the model again with Keras"
            )
        found[info.filename] = info
    return found


def _wrong_with(info: zipfile.ZipInfo, found: dict[str, zipfile.ZipInfo]) -> str:
    """Return why a member is refused, or nothing."""
    path = PurePosixPath(info.filename.replace("\\", "/"))
    size, stored = info.file_size, info.compress_size
    problems: tuple[tuple[bool, str], ...] = (
        (info.filename in found, "stands twice"),
        (path.is_absolute() or ":" in info.filename.split("/")[0], "has an absolute path"),
        (".." in path.parts, "leads outside the file's own folder"),
        (stat.S_ISLNK(info.external_attr >> 16), "is a symbolic link"),
        (bool(info.flag_bits & 0x1), "is encrypted"),
        (info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), "is packed in an unusual way"),
        (info.filename in _JSON and size > JSON_LIMIT, f"unpacks to {size:,} bytes, more than {JSON_LIMIT:,}"),
        (
            size > EXPANSION_FLOOR and size > EXPANSION_LIMIT * max(1, stored),
            f"unpacks from {stored:,} to {size:,} bytes (a zip bomb)",
        ),
    )
    return next((text for wrong, text in problems if wrong), "")


def _check_sums(archive: zipfile.ZipFile, name: str) -> None:
    """Read every member once and compare its checksum; the first damaged one is named."""
    for info in archive.infolist():
        try:
            with archive.open(info) as stream:
                while stream.read(_CHUNK):
                    pass
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
            text = f"the member `{info.filename}` is corrupt ({_line(error)})"
            raise InputRefused(f"{name}: {text}; copy or save the model again") from None


def _refuse_without_config(members: dict[str, zipfile.ZipInfo], name: str) -> None:
    """Say what a zip file without a model's config may be instead."""
    if any(member.endswith(".npy") for member in members):
        raise InputRefused(f"{name}: is an NPZ file with arrays, not a model; name it under `batch`")
    if any(member.endswith("saved_model.pb") for member in members):
        raise InputRefused(f"{name}: is a zipped SavedModel; save it with model.save('model.keras')")
    raise InputRefused(
        f"{name}: is a zip file without config.json, not a model; save it with model.save('model.keras')"
    )


def _read_weights(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], path: Path
) -> bytes | memoryview | None:
    """Return the weights' bytes; as Keras stores them, unpacked, they are looked at in place."""
    info = members.get(WEIGHTS)
    if info is None or info.compress_type != zipfile.ZIP_STORED:
        return archive.read(info) if info is not None else None
    view = memoryview(map_file(path))
    lengths = view[info.header_offset + 26 : info.header_offset + 30]
    start = info.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    return view[start : start + info.file_size]


def map_file(path: Path) -> mmap.mmap:
    """Return a file's bytes without reading them all."""
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
