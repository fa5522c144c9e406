"""Versions of what the worker ran with, and how much memory it took."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import sys

PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "h5py")


def read_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are installed, and the device that the model ran on.

    Imports nothing.
    """
    found = {"python": platform.python_version(), "device": read_device()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:  # not there, or under another name (tensorflow-cpu)
            version = getattr(sys.modules.get(package), "__version__", None)
            if isinstance(version, str):
                found[package] = version
    return found


def read_device() -> str:
    """Return what the loaded backend computes on, such as "CPU" or "GPU (NVIDIA H100 80GB HBM3)"."""
    with contextlib.suppress(Exception):  # a driver that is broken or busy is no reason to lose the report
        if (tensorflow := sys.modules.get("tensorflow")) is not None:
            names = [
                str(tensorflow.config.experimental.get_device_details(gpu).get("device_name", gpu.name))
                for gpu in tensorflow.config.list_physical_devices("GPU")
            ]
        elif (jax := sys.modules.get("jax")) is not None:
            names = [str(device.device_kind) for device in jax.devices() if device.platform != "cpu"]
        elif (torch := sys.modules.get("torch")) is not None:
            names = [str(torch.cuda.get_device_name(0))] if torch.cuda.is_available() else []
        else:
            names = []
        return f"GPU ({', '.join(dict.fromkeys(names))})" if names else "CPU"
    return "CPU"


def peak_memory() -> int:
    """Return the largest resident size of this process so far in bytes, 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
