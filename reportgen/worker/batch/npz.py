"""Batches in an NPZ file: members are streamed row by row, so memory holds one chunk whatever the file's size."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Chunk, Source, check_letters
from reportgen.worker.batch.npy import read_npy_header
from reportgen.worker.plan import BatchSpec

Array = NDArray[Any]
# A Fortran-ordered array cannot be read row by row; one up to this size is read whole.
MAX_WHOLE = 1024 * 2**20


@dataclass(frozen=True, slots=True)
class _Member:
    """One array of the file, as its header describes it."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    bfloat16: bool

    @property
    def row_bytes(self) -> int:
        """Bytes of one sample."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize


def open_npz(spec: BatchSpec) -> Source:
    """Read the headers of the arrays that the plan names. Raises InputRefused, naming file, array and fix."""
    path = Path(spec.path)
    wanted = [*spec.x.values(), *spec.y.values(), *(name for name in (spec.ids, spec.weights) if name)]
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name: _describe(archive, name, path) for name in dict.fromkeys(wanted)}
    except (OSError, zipfile.BadZipFile) as error:
        raise InputRefused(
            f"{path}: not a readable NPZ file; save it again with numpy.savez", detail=str(error)
        ) from error
    lengths = {name: member.shape[0] for name, member in members.items()}
    if len(set(lengths.values())) > 1:
        raise InputRefused(f"{path}: the arrays differ in length: {lengths}; each needs one row a sample")
    inputs = {key: members[name] for key, name in spec.x.items()}
    restored = sorted(member.name for member in members.values() if member.bfloat16)
    return Source(
        n=next(iter(lengths.values()), 0),
        shapes={key: member.shape[1:] for key, member in inputs.items()},
        dtypes={key: "bfloat16" if member.bfloat16 else member.dtype.name for key, member in inputs.items()},
        read=lambda size: _read(path, spec, members, size),
        notes=tuple(
            f"The array {name} was read as bfloat16: NumPy had stored it as raw V2 bytes." for name in restored
        ),
    )


def _describe(archive: zipfile.ZipFile, name: str, path: Path) -> _Member:
    """Read one array's header and refuse what cannot be streamed safely."""
    try:
        info = archive.getinfo(f"{name}.npy")
    except KeyError:
        names = ", ".join(sorted(item.removesuffix(".npy") for item in archive.namelist())[:12])
        raise InputRefused(f"{path}: no array named {name!r}; it has {names or 'no arrays'}") from None
    try:
        with archive.open(info) as file:
            shape, fortran, dtype = read_npy_header(file)
            header = file.tell()
    except (ValueError, zlib.error, zipfile.BadZipFile, RuntimeError, EOFError) as error:
        raise InputRefused(f"{path}: array {name!r} is broken or of an unknown version", detail=str(error)) from error
    if dtype.hasobject:
        raise InputRefused(
            f"{path}: array {name!r} holds Python objects, which are never unpickled; save plain numbers or text"
        )
    if not shape:
        raise InputRefused(f"{path}: array {name!r} is a single value; it needs one row a sample")
    bfloat16 = dtype == np.dtype("V2")
    if dtype.kind not in "biufUS" and not bfloat16:
        raise InputRefused(f"{path}: array {name!r} has dtype {dtype}; numbers, booleans or text are needed")
    if math.prod(shape) * dtype.itemsize != info.file_size - header:
        raise InputRefused(
            f"{path}: array {name!r} claims {shape} of {dtype} but holds {info.file_size - header} bytes"
        )
    if fortran and len(shape) > 1 and math.prod(shape) * dtype.itemsize > MAX_WHOLE:
        raise InputRefused(
            f"{path}: array {name!r} is in Fortran order and too large; save numpy.ascontiguousarray of it"
        )
    return _Member(name, shape, np.dtype("<u2") if bfloat16 else dtype, fortran, bfloat16)


def _read(path: Path, spec: BatchSpec, members: dict[str, _Member], size: int) -> Iterator[Chunk]:
    """Yield chunks of at most `size` samples; every member has its own stream."""
    streams = {name: _rows(path, member, size) for name, member in members.items()}
    n = next(iter(members.values())).shape[0]
    for _ in range(0, n, size):
        try:
            rows = {name: next(stream) for name, stream in streams.items()}
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            raise InputRefused(f"{path}: the file is damaged; write it again", detail=str(error)) from error
        yield Chunk(
            ids=tuple(_text(value) for value in rows[spec.ids].reshape(-1).tolist()) if spec.ids else (),
            inputs={key: rows[name] for key, name in spec.x.items()},
            targets={key: rows[name] for key, name in spec.y.items()},
            weights=rows[spec.weights] if spec.weights else None,
        )


def _rows(path: Path, member: _Member, size: int) -> Iterator[Array]:
    """Yield one array in pieces of at most `size` rows."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{member.name}.npy") as file:
        read_npy_header(file)
        whole = _read_whole(file, member) if member.fortran and len(member.shape) > 1 else None
        for start in range(0, member.shape[0], size):
            count = min(size, member.shape[0] - start)
            if whole is not None:
                yield np.ascontiguousarray(whole[start : start + count])
                continue
            data = file.read(count * member.row_bytes)
            if len(data) != count * member.row_bytes:
                raise EOFError(f"{member.name} ends early")
            rows = np.frombuffer(data, dtype=member.dtype).reshape(count, *member.shape[1:])
            check_letters(rows, f"array {member.name!r}")
            yield _from_bfloat16(rows) if member.bfloat16 else rows


def _read_whole(file: IO[bytes], member: _Member) -> Array:
    """Return a Fortran-ordered array."""
    data = file.read(math.prod(member.shape) * member.dtype.itemsize)
    array = np.frombuffer(data, dtype=member.dtype).reshape(member.shape, order="F")
    check_letters(array, f"array {member.name!r}")
    return _from_bfloat16(array) if member.bfloat16 else array


def _from_bfloat16(raw: Array) -> Array:
    """Widen bfloat16 bits to float32: they are its upper half."""
    return (raw.astype(np.uint32) << 16).view(np.float32)


def _text(value: object) -> str:
    """Return an id as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
