"""Files of unknown origin: looked at before they are opened, shown by a short name, hashed in a stream."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reportgen.errors import InputRefused

_CHUNK = 1 << 20
_called: dict[Path, str] = {}


@contextlib.contextmanager
def called(path: Path, name: str) -> Iterator[None]:
    """Let `shown` call a file by another name for a while: the address that it was fetched from."""
    _called[path] = name
    try:
        yield
    finally:
        _called.pop(path, None)


def shown(path: Path) -> str:
    """Return the path as a person would write it: relative where it lies below the working folder."""
    if path in _called:
        return _called[path]
    try:
        short = os.path.relpath(path)
    except (ValueError, OSError):
        return str(path)
    return os.path.normpath(path) if short.startswith("..") else short


def check_file(path: Path, what: str) -> int:
    """Return the size in bytes of a regular, readable, non-empty file; raises InputRefused for anything else.

    Devices, pipes and sockets are refused without being opened, so that nothing can hang. Links are followed.
    """
    name = shown(path)
    try:
        found = path.stat()
    except FileNotFoundError:
        raise InputRefused(f"{name}: no such file ({what})") from None
    except (OSError, ValueError) as error:
        raise InputRefused(f"{name}: cannot be read ({what}): {getattr(error, 'strerror', None) or error}") from None
    if stat.S_ISDIR(found.st_mode):
        raise InputRefused(f"{name}: is a folder; {what} must be a file")
    if not stat.S_ISREG(found.st_mode):
        raise InputRefused(f"{name}: is not a regular file ({what}); copy it to one")
    if found.st_size == 0:
        raise InputRefused(f"{name}: the file is empty ({what}); was the job stopped while it was written?")
    if not os.access(path, os.R_OK):
        raise InputRefused(f"{name}: cannot be read ({what}): permission denied")
    return found.st_size


def read_bounded(path: Path, what: str, limit: int) -> bytes:
    """Return the bytes of a file of at most `limit` bytes; raises InputRefused."""
    size = check_file(path, what)
    if size > limit:
        raise InputRefused(f"{shown(path)}: {size:,} bytes are more than {what} may have ({limit:,})")
    try:
        with path.open("rb") as stream:
            return stream.read(limit)
    except OSError as error:
        raise InputRefused(f"{shown(path)}: cannot be read ({what}): {error.strerror or error}") from None


def short_name(path: Path) -> str:
    """Return the name by which a report calls a file: its last part, or the address that it was fetched from."""
    return _called.get(path, path.name)


def compute_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hex, read in chunks; raises InputRefused when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise InputRefused(f"{shown(path)}: cannot be read: {error.strerror or error}") from None
    return digest.hexdigest()


def compute_folder_sha256(folder: Path, files: int = 20_000, size: int = 4 << 30) -> str:
    """Return one hash of a folder: of a line for each file, its hash and its path, sorted by path.

    "" for more than `files` files or `size` bytes; links are not followed. Raises InputRefused for unreadable files.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if len(found) > files or sum(path.stat().st_size for path in found) > size:
        return ""
    lines = [f"{compute_sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in found]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
