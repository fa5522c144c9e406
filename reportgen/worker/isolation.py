"""What a worker gives up before it imports anything: the network, new privileges, core dumps, excess address space.

Standard library only, and run before the first thread starts: a process with threads cannot leave its user namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from pathlib import Path

ISOLATE = "REPORTGEN_ISOLATE"
ADDRESS_SPACE = "REPORTGEN_ADDRESS_SPACE"
# What libraries and the stacks and arenas of threads reserve and never touch (measured: 2.3 GiB on 2 cores).
RESERVE = 8 * 2**30 + 256 * 2**20 * (os.cpu_count() or 1)
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES = 38
_GPUS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/kfd", "/dev/dxg")


def settle_in() -> None:
    """Take the limits that the parent asked for, from the environment; raises OSError when one cannot be had."""
    if os.environ.pop(ISOLATE, ""):
        cut_network()
    _limit(int(os.environ.pop(ADDRESS_SPACE, "0")))
    if sys.platform == "linux":
        # A set-uid program started by a model gives it nothing.
        _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def cut_network() -> None:
    """Leave the network for good: this process and all it starts see no interface but a loopback that is down.

    Raises OSError where the system does not allow it.
    """
    if sys.platform != "linux":
        raise OSError("only Linux can do this")
    user, group = os.geteuid(), os.getegid()
    if user == 0 and _unshare(_CLONE_NEWNET) == 0:
        return
    if _unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    # The same user as before, and no more: files keep their owners.
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def why_not_isolated() -> str:
    """Return why a worker cannot be cut off from the network here, "" when it can. Tried in a process of its own."""
    command = [sys.executable, "-S", "-E", str(Path(__file__).resolve())]
    try:
        tried = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return "" if tried.returncode == 0 else (tried.stderr.strip().splitlines() or ["refused"])[-1][:200]


def sees_gpu() -> bool:
    """Tell whether this machine has a GPU that a framework may map, which takes address space without measure."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1")
    return not hidden and any(Path(path).exists() for path in _GPUS)


def _unshare(flags: int) -> int:
    """Call unshare(2); 0 means that it worked."""
    return int(_libc().unshare(flags))


def _libc() -> ctypes.CDLL:
    """Return the C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def _limit(address_space: int) -> None:
    """Write no core dumps, which would hold samples; bound the address space unless 0."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if address_space:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))


if __name__ == "__main__":
    try:
        cut_network()
    except OSError as problem:
        raise SystemExit(str(problem)) from None
