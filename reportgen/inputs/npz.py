"""What an NPZ file declares, read from its directory and its arrays' headers: nothing more is unpacked."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from reportgen.errors import InputRefused
from reportgen.inputs.described import ArrayHeader
from reportgen.inputs.files import check_file, shown

__all__ = ["ArrayHeader", "read_npz_headers"]
MEMBER_LIMIT = 10_000
EXPANSION_LIMIT = 200  # DEFLATE reaches about 1030:1; data that anyone measured stays far below this
EXPANSION_FLOOR = 256 << 20
_HEADER_LIMIT = 10_000
# What NumPy, tokenize and zlib raise for a header that is none.
_HEADER = (ValueError, TypeError, EOFError, SyntaxError, RecursionError, tokenize.TokenError, zlib.error)
UNREADABLE = (*_HEADER, zipfile.BadZipFile, NotImplementedError)


def read_npz_headers(path: Path) -> dict[str, ArrayHeader]:
    """Return the arrays of an NPZ file by name; raises InputRefused for what is not one or must not be opened."""
    check_file(path, "the batch")
    name = shown(path)
    try:
        with path.open("rb") as stream:
            magic = stream.read(6)
            if magic == b"\x93NUMPY":
                raise InputRefused(
                    f"{name}: a single NPY array, not an NPZ; name it .npy, or save both: np.savez(path, x=x, y=y)"
                )
            if magic[:2] != b"PK":
                raise InputRefused(f"{name}: is not an NPZ file; save one: np.savez(path, x=x, y=y)")
            with zipfile.ZipFile(stream) as archive:
                return _read_members(archive, name)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        raise InputRefused(f"{name}: the NPZ file is corrupt ({error}); save it again") from None


def _read_members(archive: zipfile.ZipFile, name: str) -> dict[str, ArrayHeader]:
    """Read the header of every member that ends in .npy."""
    members = archive.infolist()
    if len(members) > MEMBER_LIMIT:
        raise InputRefused(f"{name}: holds {len(members):,} members; at most {MEMBER_LIMIT:,} are read")
    found: dict[str, ArrayHeader] = {}
    for member in members:
        if not member.filename.endswith(".npy"):
            continue
        array = member.filename.removesuffix(".npy")
        if array in found:
            raise InputRefused(f"{name}: the array `{array}` stands twice; save the file again")
        if member.flag_bits & 1:
            raise InputRefused(f"{name}: the array `{array}` is encrypted; save the file without a password")
        found[array] = _read_header(archive, member, array, name)
    return found


def _read_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo, array: str, name: str) -> ArrayHeader:
    """Read one array's header, and compare what it declares with what the member holds."""
    with archive.open(member) as stream:
        try:
            version = np.lib.format.read_magic(stream)
            read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(
                version
            )
            if read is None:
                raise ValueError(f"NPY version {version[0]}.{version[1]}")
            shape, _, dtype = read(stream, max_header_size=_HEADER_LIMIT)
        except UNREADABLE as error:
            raise InputRefused(f"{name}: the header of array `{array}` cannot be read ({_first_line(error)})") from None
        header = stream.tell()
    declared = int(dtype.itemsize)
    for length in shape:
        declared *= int(length)
    if min(shape, default=0) < 0:
        raise InputRefused(f"{name}: array `{array}` declares the shape {shape}")
    if not dtype.hasobject and declared != member.file_size - header:
        text = f"declares {declared:,} bytes and holds {member.file_size - header:,}"
        raise InputRefused(f"{name}: array `{array}` {text}; the file is corrupt or was not finished")
    if declared > EXPANSION_FLOOR and declared > EXPANSION_LIMIT * max(1, member.compress_size):
        text = f"{member.compress_size:,} bytes that unpack to {declared:,}"
        raise InputRefused(f"{name}: array `{array}` is {text}: refused as a zip bomb; save it with np.savez")
    return ArrayHeader(array, tuple(int(length) for length in shape), dtype, member.compress_size, declared)


def _first_line(error: Exception) -> str:
    """Return the first line of an error, shortened."""
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
