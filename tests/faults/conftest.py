"""What the cases share: a tiny saved model with its batch, a saved report, matplotlib's list of fonts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reportgen.report.json_text import to_json
from tests.faults.case import ROOT, Case
from tests.sample_report import make_report

TINY = """
import keras, numpy as np
keras.utils.set_random_seed(0)
start = keras.Input((8, 8, 1), name="a")
x = keras.layers.Conv2D(4, 3, activation="relu", name="c1")(start)
x = keras.layers.Conv2D(4, 3, activation="relu", name="c2")(x)
x = keras.layers.GlobalAveragePooling2D(name="g")(x)
x = keras.layers.Dropout(0.1, name="d0")(x)
x = keras.layers.Dense(6, activation="relu", name="d1")(x)
x = keras.layers.Dense(3, activation="softmax", name="out")(x)
keras.Model(start, x, name="tiny").save("tiny.keras")
draw = np.random.default_rng(0)
x, y = draw.random((24, 8, 8, 1), dtype="f4"), draw.integers(0, 3, 24)
np.savez("batch.npz", x=x, y=y, ids=np.array([f"s{i}" for i in range(24)]))
"""


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return matplotlib's folder for its list of fonts, made once."""
    return tmp_path_factory.mktemp("fonts")


@pytest.fixture
def case(tmp_path: Path, fonts: Path) -> Iterator[Case]:
    """Return an empty case; whatever a test leaves running is ended behind it."""
    case = Case(tmp_path, fonts)
    yield case
    for pid in case.processes():
        os.kill(pid, 9)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with tiny.keras (layers a c1 c2 g d0 d1 out) and batch.npz (x, y, ids), made by Keras."""
    folder = tmp_path_factory.mktemp("tiny")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(
        [sys.executable, "-c", TINY], cwd=folder, env=environment, check=True, capture_output=True, timeout=120
    )
    return folder


@pytest.fixture(scope="session")
def saved() -> str:
    """Return a saved report with every kind of block, as JSON."""
    return to_json(make_report())


__all__ = ["ROOT"]
