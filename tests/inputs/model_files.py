"""Hand-made model files, histories and batches: real files, built without Keras."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from click.testing import CliRunner, Result

from reportgen.cli import main


def dense(name: str = "dense", units: int = 3, channels: int = 4, **settings: Any) -> dict[str, Any]:
    """Return the config of a Dense layer as Keras 3 writes it."""
    return {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"name": name, "units": units, "activation": "softmax", **settings},
        "registered_name": None,
        "build_config": {"input_shape": [None, channels]},
    }


def layer(class_name: str, module: str | None = "keras.layers", name: str = "odd", **settings: Any) -> dict[str, Any]:
    """Return the config of any layer."""
    return {"module": module, "class_name": class_name, "config": {"name": name, **settings}, "registered_name": None}


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a Sequential model."""
    start = layer("InputLayer", name="input", batch_shape=[None, 4], dtype="float32")
    config = {"name": "model", "layers": [start, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None}


def weights_bytes(fill: Callable[[h5py.File], None] | None = None) -> bytes:
    """Return an HDF5 file with one small layer's weights, or what `fill` puts into it."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        if fill is None:
            group = file.create_group("layers/dense/vars")
            group["0"] = np.zeros((4, 3), "f4")
            group["1"] = np.zeros(3, "f4")
        else:
            fill(file)
    return stream.getvalue()


def write_keras(
    path: Path,
    config: Any = None,
    *,
    weights: bytes | None = b"",
    extra: dict[str, bytes] | None = None,
    text: str | None = None,
) -> Path:
    """Write a .keras file by hand; `text` replaces config.json's JSON."""
    body = text if text is not None else json.dumps(config if config is not None else sequential(dense()))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}')
        archive.writestr("config.json", body)
        if weights is not None:
            archive.writestr("model.weights.h5", weights or weights_bytes())
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return path


def write_h5(path: Path, config: Any = None, fill: Callable[[h5py.File], None] | None = None) -> Path:
    """Write a legacy .h5 model by hand; `fill` adds to it."""
    with h5py.File(path, "w") as file:
        if config is not None:
            file.attrs["model_config"] = json.dumps(config).encode()
            file.attrs["keras_version"] = b"3.15.1"
        file.create_group("model_weights/dense/dense")["kernel:0"] = np.zeros((4, 3), "f4")
        if fill is not None:
            fill(file)
    return path


class Folder:
    """A folder with a configuration, and `check` run on it through the command line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def config(self, **lines: str) -> Path:
        """Write config.yaml with these keys; `model` is model.keras unless given."""
        values = {"model": "model.keras", **lines}
        target = self.path / "config.yaml"
        target.write_text("".join(f"{key}: {value}\n" for key, value in values.items()), encoding="utf-8")
        return target

    def check(self, *options: str, **lines: str) -> Result:
        """Run `reportgen check` and return what it said; never a traceback."""
        result = CliRunner().invoke(main, ["check", str(self.config(**lines)), *options])
        assert "Traceback" not in result.output
        return result

    def refused(self, *words: str, options: tuple[str, ...] = (), code: int = 3, **lines: str) -> str:
        """Expect a refusal of one line that holds all `words`; return it."""
        result = self.check(*options, **lines)
        assert result.exit_code == code, result.output
        said = result.stderr.strip()
        assert len(said.splitlines()) == 1, said
        for word in words:
            assert word in said, f"{word!r} is not in {said!r}"
        return said
