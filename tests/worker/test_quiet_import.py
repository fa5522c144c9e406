"""Keras is imported without what it does not need, and the interpreter is as before afterwards."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from reportgen.worker.quiet_import import OPTIONAL, without

ROOT = Path(__file__).resolve().parents[2]


def test_hidden_packages_are_back_afterwards_and_the_collector_runs() -> None:
    assert gc.isenabled()
    finders = list(sys.meta_path)
    with without(frozenset({"xml", "wave", "json"})):
        assert not gc.isenabled()
        with pytest.raises(ModuleNotFoundError) as caught:
            __import__("wave")
        assert caught.value.name == "wave"
        __import__("json")  # loaded before, so still usable
    assert sys.meta_path == finders and gc.isenabled()
    __import__("wave")


def test_both_measures_are_undone_when_the_import_fails() -> None:
    finders = list(sys.meta_path)
    with pytest.raises(ZeroDivisionError), without(frozenset({"wave"})):
        raise ZeroDivisionError
    assert sys.meta_path == finders and gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with without(frozenset()):
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.keras
def test_keras_works_and_nothing_optional_was_imported() -> None:
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from reportgen.worker.quiet_import import import_keras
keras = import_keras()
assert not {set(OPTIONAL)!r} & set(sys.modules), sorted({set(OPTIONAL)!r} & set(sys.modules))
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", metrics=["mae"])
import numpy as np
model.fit(np.zeros((4, 2)), np.zeros(4), verbose=0)
keras.utils.model_to_dot(model)
import importlib.util
for name in ("scipy", "sklearn"):
    if importlib.util.find_spec(name):
        __import__(name)
print("fine")
"""
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout.strip()
        == "fine"
    )
