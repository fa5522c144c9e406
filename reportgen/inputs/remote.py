"""Fetch what lies on the network into a private folder, within limits of size and time, before anything looks at it.

File systems come from fsspec (extra `reportgen[remote]`). The fetching runs in a thread: whatever hangs in a library is
left behind when the time is up, and signals are obeyed at once.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reportgen.errors import InputRefused, TimeLimit
from reportgen.inputs.addresses import PROTOCOLS, protocol_of, show_address
from reportgen.inputs.files import called
from reportgen.inputs.masking import mask_secrets
from reportgen.worker.private_folder import make_private_folder, remove_private_folder

STALL = 60.0  # seconds without a byte
_STEP = 0.05
INSTALL = "python3 -m pip install 'reportgen[remote]'"


class _Refused(Exception):
    """The transfer must not go on; the text says why."""


@dataclass(slots=True)
class _Transfer:
    """One file on its way: what came so far, and whether anybody still waits for it."""

    room: int
    received: int = 0
    announced: int = -1
    given_up: bool = False
    error: BaseException | None = None
    moved: float = field(default_factory=time.monotonic)

    def expect(self, size: int | None) -> None:
        """Note the size that was announced; too much is not even begun."""
        self.announced = -1 if size is None else int(size)
        self._check(self.announced)

    def take(self, size: int) -> None:
        """Count what came."""
        self.received += size
        self.moved = time.monotonic()
        self._check(self.received)

    def _check(self, size: int) -> None:
        """Stop what is too large, and what nobody waits for any more."""
        if self.given_up:
            raise _Refused("nobody waits for it")
        if size > self.room:
            raise _Refused(f"has more than the {self.room:,} bytes that may be fetched (limits.download)")


@contextlib.contextmanager
def fetched(
    remote: Sequence[tuple[Path, str]], limit: int, seconds: float, tell: Callable[[str], None] = lambda text: None
) -> Iterator[None]:
    """Fetch every (path, address) to its path; the files live as long as the context, under their addresses' names.

    `limit` bounds the bytes of all together. Raises InputRefused, and TimeLimit after `seconds`.
    """
    if not remote:
        yield
        return
    folder = make_private_folder(remote[0][0].parent.parent)
    deadline, room = time.monotonic() + seconds, limit
    try:
        with contextlib.ExitStack() as names:
            for path, url in remote:
                tell(f"fetching {show_address(url)}")
                path.parent.mkdir(mode=0o700)
                _fetch(url, path, room, deadline, seconds)
                room -= path.stat().st_size
                names.enter_context(called(path, show_address(url)))
            yield
    finally:
        remove_private_folder(folder)


def _fetch(url: str, path: Path, room: int, deadline: float, seconds: float) -> None:
    """Fetch one file; raises InputRefused or TimeLimit."""
    name = show_address(url)
    transfer = _Transfer(room)
    thread = threading.Thread(target=_run, args=(url, path, transfer), name="reportgen-fetch", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_STEP)
            now = time.monotonic()
            if thread.is_alive() and now > deadline:
                raise TimeLimit(f"{name}: was not fetched within {seconds:g} s (limits.seconds)")
            if thread.is_alive() and now - transfer.moved > STALL:
                raise InputRefused(f"{name}: nothing came for {STALL:g} s; is the server reachable?")
    finally:
        transfer.given_up = True
    if transfer.error is not None:
        raise InputRefused(f"{name}: {_explain(transfer.error, url, transfer)}", detail=_masked(transfer.error, url))
    if path.is_symlink() or not path.is_file():
        raise InputRefused(f"{name}: is a folder; only files are fetched, so copy it here first")
    if protocol_of(url) not in ("http", "https") and 0 <= transfer.announced != path.stat().st_size:
        raise InputRefused(f"{name}: {transfer.announced:,} bytes were announced and {path.stat().st_size:,} came")


def _run(url: str, path: Path, transfer: _Transfer) -> None:
    """Fetch in the thread; what goes wrong is kept for the one who waits."""
    try:
        _get(url, path, transfer)
    except BaseException as error:  # every file system raises its own kinds; a thread must not print them
        transfer.error = error


def _get(url: str, path: Path, transfer: _Transfer) -> None:
    """Let fsspec fetch one file."""
    from fsspec.callbacks import Callback
    from fsspec.core import url_to_fs

    class Counting(Callback):  # type: ignore[misc]
        """Passes on what fsspec tells of its progress."""

        def set_size(self, size: int | None) -> None:
            transfer.expect(size)

        def relative_update(self, inc: int = 1) -> None:
            transfer.take(inc)

        def absolute_update(self, value: int) -> None:
            transfer.take(value - transfer.received)

    system, place = url_to_fs(url, skip_instance_cache=True, **_options(url))
    system.get_file(place, str(path), callback=Counting())


def _options(url: str) -> dict[str, Any]:
    """Return what HTTP needs: no total time of its own, the system's proxies, and bytes as they are stored."""
    if protocol_of(url) not in ("http", "https"):
        return {}
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=STALL, sock_read=STALL)
    return {"client_kwargs": {"timeout": timeout, "trust_env": True}, "headers": {"Accept-Encoding": "identity"}}


def _explain(error: BaseException, url: str, transfer: _Transfer) -> str:
    """Say in a few words why a file could not be fetched."""
    kind, status = type(error).__name__, getattr(error, "status", None)
    if isinstance(error, _Refused):
        return str(error)
    if isinstance(error, ImportError):
        missing = (getattr(error, "name", None) or "").partition(".")[0]
        package = "" if missing in ("fsspec", "aiohttp") else PROTOCOLS[protocol_of(url)]
        return f"{package or missing or 'fsspec'} is not installed: {_install(package)}"
    if isinstance(error, FileNotFoundError):
        return "no such file there"
    if isinstance(error, IsADirectoryError):
        return "is a folder; only files are fetched, so copy it here first"
    if isinstance(error, PermissionError):
        return "access was denied; are the credentials set?"
    if kind == "TooManyRedirects":
        return "the server redirects without end"
    if isinstance(status, int) and status:
        return f"the server answers {status} {str(getattr(error, 'message', '')).partition(chr(10))[0]}".rstrip(" :")
    if kind == "ClientPayloadError":
        return f"the answer broke off after {transfer.received:,} bytes; try again"
    if isinstance(error, TimeoutError):
        return f"nothing came for {STALL:g} s; is the server reachable?"
    return f"cannot be fetched ({kind}: {_masked(error, url)})"


def _install(package: str) -> str:
    """Return the command that installs what is missing."""
    return f"python3 -m pip install {package}" if package and package != "aiohttp" else INSTALL


def _masked(error: BaseException, url: str) -> str:
    """Return the first line of an error's text without the address's secrets."""
    text = (str(error).splitlines() or [""])[0]
    return mask_secrets(text.replace(url, show_address(url)))[:300]
