"""Small live models for the worker's tests. Import inside tests marked keras only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from reportgen.analysis.evidence import WorkerEvidence
from reportgen.worker.batch import Chunk, Source
from reportgen.worker.plan import BatchSpec, ModelSpec, Plan
from reportgen.worker.run import run_in_process


def keras() -> Any:
    """Import Keras as the worker does."""
    from reportgen.worker.quiet_import import import_keras

    return import_keras()


def cnn(k: Any, **first: Any) -> Any:
    """A functional CNN with a branch, a shared layer, an operation and a nested model."""
    layers = k.layers
    inner = k.Sequential([layers.Dense(6, activation="tanh", name="d1"), layers.Dense(4, name="d2")], name="inner")
    x = k.Input((8, 8, 2), name="image")
    shared = layers.Conv2D(4, 3, padding="same", activation="relu", name="shared")
    a = shared(layers.Conv2D(4, 1, name="left")(x))
    b = shared(layers.Conv2D(4, 1, name="right")(x))
    y = layers.Add(name="sum")([a, b]) + 1.0
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    return k.Model(x, layers.Dense(3, activation="softmax", name="probability")(inner(y)), name="branches")


def siamese(k: Any) -> Any:
    """Two inputs through one nested functional model."""
    layers = k.layers
    z = k.Input((5,), name="z")
    encoder = k.Model(z, layers.Dense(3, activation="relu", name="code")(z), name="encoder")
    one, two = k.Input((5,), name="one"), k.Input((5,), name="two")
    gap = layers.Subtract(name="gap")([encoder(one), encoder(two)])
    return k.Model([one, two], layers.Dense(1, activation="sigmoid", name="same")(gap), name="siamese")


def make_source(
    inputs: dict[str, np.ndarray], targets: dict[str, np.ndarray] | None = None, ids: tuple[str, ...] = ()
) -> Source:
    """Return arrays in memory as an opened batch."""
    n = len(next(iter(inputs.values())))

    def read(size: int):
        for start in range(0, n, size):
            part = slice(start, start + size)
            yield Chunk(
                ids[part],
                {name: values[part] for name, values in inputs.items()},
                {name: values[part] for name, values in (targets or {}).items()},
            )

    return Source(
        n,
        {name: values.shape[1:] for name, values in inputs.items()},
        {name: values.dtype.name for name, values in inputs.items()},
        read,
    )


def examine(
    model: Any, inputs: dict[str, np.ndarray], targets: dict[str, np.ndarray] | None = None, **options: Any
) -> WorkerEvidence:
    """Run the worker's functions on a live model and arrays."""
    batch = BatchSpec("", "npz", {key: key or "x" for key in inputs}, {key: key or "y" for key in targets or {}})
    plan = Plan(ModelSpec("", "keras"), batch, **options)
    return run_in_process(plan, model, make_source(inputs, targets))


def save(
    model: Any,
    folder: Path,
    inputs: dict[str, np.ndarray],
    targets: dict[str, np.ndarray],
    suffix: str = ".keras",
    **options: Any,
) -> Plan:
    """Save a model and a batch; return the plan for them."""
    path, batch = folder / f"model{suffix}", folder / "batch.npz"
    model.save(path)
    np.savez(
        batch,
        **{f"x{key}": value for key, value in inputs.items()},
        **{f"y{key}": value for key, value in targets.items()},
    )
    spec = BatchSpec(str(batch), "npz", {key: f"x{key}" for key in inputs}, {key: f"y{key}" for key in targets})
    return Plan(ModelSpec(str(path), "h5" if suffix != ".keras" else "keras"), spec, **options)
