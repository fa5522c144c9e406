"""The one place that writes outputs: whole or not at all, and the old file stays until the new one is safe on disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from reportgen.errors import OutputFailed

try:
    import fcntl
except ImportError:  # Windows has no flock: leftovers are then kept
    fcntl = None  # type: ignore[assignment]

PREFIX = ".reportgen-"
SUFFIX = ".part"
NAME_BYTES = 150

_LEFTOVER = re.compile(re.escape(PREFIX) + r"[0-9a-f]{16}" + re.escape(SUFFIX))
_NOT_IN_NAME = re.compile(r"[^\w.+-]+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)", re.IGNORECASE)


def write_outputs(files: Mapping[Path, bytes]) -> tuple[Path, ...]:
    """Write every file of `files`, each whole; returns their paths as written.

    First all contents go to temporary files beside their targets, then each replaces its target in one step, so that a
    full disk changes nothing. A target that is a symlink is replaced, not followed. Raises OutputFailed.
    """
    created: list[Path] = []
    waiting: list[tuple[int, Path, Path]] = []
    try:
        for folder in {path.parent for path in files}:
            with _explained(folder):
                folder.mkdir(parents=True, exist_ok=True)
                _sweep(folder)
        for path, data in files.items():
            target = path.with_name(shorten_name(path.name))
            with _explained(target):
                waiting.append((*_write_part(target, data, created), target))
        for _, part, target in waiting:
            with _explained(target):
                part.replace(target)
        for folder in {target.parent for _, _, target in waiting}:
            _sync_folder(folder)
    finally:
        _remove(created)
        for descriptor, _, _ in waiting:
            os.close(descriptor)
    return tuple(target for _, _, target in waiting)


def check_writable(folder: Path) -> None:
    """Raise OutputFailed unless files can be written in `folder`, which need not exist yet; leaves nothing behind."""
    with _explained(folder):
        existing = folder
        while not existing.exists() and not existing.is_symlink() and existing != existing.parent:
            existing = existing.parent
        if not existing.is_dir():
            raise OutputFailed(f"{existing}: is not a folder; choose another output")
        _sweep(existing)
        created: list[Path] = []
        try:
            os.close(_open_part(existing, created)[0])
        finally:
            _remove(created)


def confine_name(text: str, suffix: str = "") -> str:
    """Return `text` as a safe file name: no separator, no leading dot, not too long; other texts give other names.

    `suffix` (".html") is kept at the end.
    """
    plain = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    name = _NOT_IN_NAME.sub("-", plain).strip("-. ")
    if not name or _RESERVED.match(name):
        name = f"_{name}"
    if name != plain:
        name = f"{name}-{_short_hash(text)}"
    return shorten_name(name + suffix, keep=suffix)


def shorten_name(name: str, limit: int = NAME_BYTES, keep: str | None = None) -> str:
    """Return `name` in at most `limit` bytes of UTF-8: cut, then a hash of the whole, then its ending (or `keep`)."""
    if len(os.fsencode(name)) <= limit:
        return name
    ending = Path(name).suffix[:20] if keep is None else keep
    tail = f"-{_short_hash(name)}{ending}"
    head = name.encode("utf-8", "replace")[: limit - len(tail.encode("utf-8"))].decode("utf-8", "ignore")
    return head.rstrip("-. ") + tail


def _short_hash(text: str) -> str:
    """Return 8 hex characters that stand for `text`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the system's errors into one line about `path`."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputFailed(f"{path}: cannot be written: {reason}; what was there before is unchanged") from error


def _write_part(target: Path, data: bytes, created: list[Path]) -> tuple[int, Path]:
    """Write `data` to a temporary file beside `target`, safe on disk; returns it open (and so locked), and its path."""
    if target.is_dir() and not target.is_symlink():
        raise OutputFailed(f"{target}: is a folder; choose another output")
    descriptor, part = _open_part(target.parent, created)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except BaseException:  # an interrupt too leaves nothing behind; it goes on upwards
        os.close(descriptor)
        raise
    return descriptor, part


def _open_part(folder: Path, created: list[Path]) -> tuple[int, Path]:
    """Create a temporary file in `folder`, locked for as long as it is open: the lock says that its writer lives.

    Its path is in `created` before it exists, so that an interrupt at any moment leaves nothing behind.
    """
    while True:
        part = folder / f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
        created.append(part)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(part, flags, 0o666)
        if not _lock(descriptor, wait=True) or _same_file(descriptor, part):
            return descriptor, part
        os.close(descriptor)  # swept between its creation and its lock: make another


def _remove(parts: list[Path]) -> None:
    """Remove temporary files; those that became outputs are no longer there."""
    for part in parts:
        with contextlib.suppress(OSError):
            part.unlink()


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Lock a file for this process; False when another holds it, or where the system cannot lock."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _same_file(descriptor: int, path: Path) -> bool:
    """Tell whether `path` still names the open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _sweep(folder: Path) -> None:
    """Remove the temporary files of runs that were killed: those of our own name that no process holds locked."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _LEFTOVER.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                _sweep_one(Path(entry.path))


def _sweep_one(part: Path) -> None:
    """Remove one temporary file unless its writer lives."""
    with contextlib.suppress(OSError):
        descriptor = os.open(part, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            if _lock(descriptor, wait=False):
                part.unlink()
        finally:
            os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make a folder's new entries safe on disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some file systems refuse to sync a folder
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
