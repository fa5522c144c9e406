"""The folder that a worker and its parent share: private, locked while the parent lives, swept if it was killed."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import tempfile
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no flock: leftovers are then kept
    fcntl = None  # type: ignore[assignment]

PREFIX = "reportgen-worker-"
# Younger folders may belong to a parent that has not locked yet, or whose worker is just ending.
OLD_ENOUGH = 60.0
_locks: dict[Path, int] = {}


def name_private_folder() -> Path:
    """Return a path for a private folder that nobody can guess; it is not made yet."""
    return Path(tempfile.gettempdir()) / f"{PREFIX}{secrets.token_hex(12)}"


def make_private_folder(folder: Path | None = None) -> Path:
    """Return a new folder, mode 700, after sweeping those of runs that were killed."""
    _sweep(Path(tempfile.gettempdir()))
    folder = folder or name_private_folder()
    folder.mkdir(mode=0o700)
    if fcntl is not None:
        # Held for as long as this process lives, however it ends; the worker does not inherit it.
        with contextlib.suppress(OSError):
            _locks[folder] = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(_locks[folder], fcntl.LOCK_EX | fcntl.LOCK_NB)
    return folder


def remove_private_folder(folder: Path) -> None:
    """Remove a folder and all in it, then its lock. A worker that is just being killed may still write: try again."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
        time.sleep(0.02)
    with contextlib.suppress(KeyError, OSError):
        os.close(_locks.pop(folder))


def _sweep(place: Path) -> None:
    """Remove this user's private folders that no living parent holds."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError):
        for path in list(place.glob(f"{PREFIX}*")):
            with contextlib.suppress(OSError):
                _sweep_one(path)


def _sweep_one(path: Path) -> None:
    """Remove one folder unless it is young, somebody else's, a link, or locked by its parent."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or time.time() - found.st_mtime < OLD_ENOUGH:
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)
