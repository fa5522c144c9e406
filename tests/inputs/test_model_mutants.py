"""Damaged model files: read or refused by name, never another error, never a hang."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.errors import InputRefused
from reportgen.inputs.ends import describe_ends
from reportgen.inputs.preflight import inspect_model
from tests.inputs.model_files import dense, layer, sequential, weights_bytes, write_h5, write_keras

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    10**30,
    1.5,
    "",
    "os",
    "../x",
    [],
    {},
    [[]],
    {"class_name": "Dense"},
    "\x00",
    "é" * 300,
)


def look(path: Path) -> bool:
    """Inspect a model file; tell whether it was refused. Any other error is a failure of the test."""
    try:
        describe_ends(inspect_model(path).config)
    except InputRefused as error:
        assert "\n" not in error.message and path.name in error.message
        return True
    return False


def mutated(data: bytes, random: np.random.Generator) -> bytes:
    """Return the bytes with a few of them changed, cut out or repeated."""
    mutant = bytearray(data)
    for _ in range(int(random.integers(1, 8))):
        position = int(random.integers(0, max(1, len(mutant))))
        match random.integers(0, 4):
            case 0 | 1:
                mutant[position : position + 1] = bytes([int(random.integers(0, 256))])
            case 2:
                del mutant[position : position + int(random.integers(1, 40))]
            case _:
                mutant[position:position] = mutant[position : position + int(random.integers(1, 40))]
    return bytes(mutant)


def test_byte_mutants_of_a_keras_file(tmp_path: Path) -> None:
    data = write_keras(tmp_path / "model.keras").read_bytes()
    random = np.random.default_rng(11)
    path = tmp_path / "mutant.keras"
    refused = 0
    for _ in range(800):
        path.write_bytes(mutated(data, random))
        refused += look(path)
    assert refused > 600


def test_byte_mutants_of_an_h5_file(tmp_path: Path) -> None:
    data = write_h5(tmp_path / "model.h5", sequential(dense())).read_bytes()
    random = np.random.default_rng(12)
    path = tmp_path / "mutant.h5"
    for _ in range(1500):
        path.write_bytes(mutated(data, random))
        look(path)


def test_mutants_of_the_weights_inside_a_sound_keras_file(tmp_path: Path) -> None:
    data = weights_bytes()
    random = np.random.default_rng(13)
    for _ in range(500):
        look(write_keras(tmp_path / "model.keras", weights=mutated(data, random)))


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything in a config."""
    found = [path]
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        found += places(value, (*path, key))
    return found


def test_odd_values_everywhere_in_the_config(tmp_path: Path) -> None:
    start = sequential(dense(), layer("LSTM", units=3), layer("Conv2D", filters=2, kernel_size=[3, 3]))
    start["config"] |= {"input_layers": ["input", 0, 0], "output_layers": [["odd", 0, 0]]}
    text = json.dumps(start)
    for place in places(start)[1:]:
        for value in ODD:
            config = json.loads(text)
            node = config
            for key in place[:-1]:
                node = node[key]
            node[place[-1]] = value
            look(write_keras(tmp_path / "model.keras", config, weights=b""))


def test_members_in_another_order_and_packed_are_read_alike(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", weights_bytes())
        archive.writestr("assets/layers/x/vocabulary.txt", "a\nb\n")
        archive.writestr("config.json", json.dumps(sequential(dense())))
    path = tmp_path / "model.keras"
    path.write_bytes(stream.getvalue())
    assert inspect_model(path).config == sequential(dense())
