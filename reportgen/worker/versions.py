"""Versions of what the worker ran with, and how much memory it took."""

from __future__ import annotations

import importlib.metadata
import platform
import sys

PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "h5py")


def read_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are installed, without importing any."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def peak_memory() -> int:
    """Return the largest resident size of this process so far in bytes, 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
