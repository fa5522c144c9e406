"""check_model: look at a model file's structure, without Keras, before anything may load it."""

from __future__ import annotations

from pathlib import Path

from reportgen.errors import InputRefused
from reportgen.inputs.files import check_file, shown
from reportgen.trust import NOTHING, Trust
from reportgen.worker.plan import ModelSpec


def check_model(path: Path, trust: Trust = NOTHING) -> ModelSpec:
    """Return what the model file is; raises InputRefused naming the place and the fix when it must not be loaded."""
    check_file(path, "the model")
    with path.open("rb") as stream:
        magic = stream.read(8)
    if magic.startswith(b"PK"):
        return ModelSpec(str(path), "keras")
    if magic == b"\x89HDF\r\n\x1a\n":
        return ModelSpec(str(path), "h5")
    raise InputRefused(f"{shown(path)}: is neither a .keras nor an HDF5 file; save it with model.save('model.keras')")
