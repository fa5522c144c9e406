"""Names in a configuration that the model does not have are told, never accepted and ignored."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen.inputs.ends import describe_ends
from tests.inputs.model_files import Folder, dense, layer, sequential, write_keras


@pytest.fixture
def case(folder: Folder) -> Folder:
    """Return a folder with a model (input `input`, output `dense`, 3 units) and its batch."""
    write_keras(folder.path / "model.keras")
    np.savez(folder.path / "test.npz", x=np.zeros((6, 4), "f4"), y=np.zeros(6, "i8"))
    return folder


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ({"batch": "{path: test.npz, x: {inpt: x}}"}, ("batch.x", "no input `inpt`", "did you mean `input`?")),
        ({"batch": "{path: test.npz, x: x, y: {zzz: y}}"}, ("batch.y", "no output `zzz`", "it has dense")),
        ({"batch": "{path: test.npz, x: x, classes: {dens: [a, b, c]}}"}, ("batch.classes", "did you mean `dense`?")),
        ({"task": "{dens: binary}"}, ("task", "did you mean `dense`?")),
        ({"redact": "[pats]"}, ("redact", "`pats`", "paths, host, git, command", "input")),
    ],
)
def test_a_name_that_the_model_does_not_have(case: Folder, lines: dict[str, str], words: tuple[str, ...]) -> None:
    case.refused("config.yaml", *words, **lines)


def test_names_that_the_model_has_pass(case: Folder) -> None:
    batch = "{path: test.npz, x: {input: x}, y: {dense: y}, classes: {dense: [a, b, c]}}"
    result = case.check(batch=batch, task="{dense: multiclass}", redact="[paths, git, input]")
    assert result.exit_code == 0, result.output


def functional(outputs: object) -> dict[str, object]:
    """Return a functional model of two outputs."""
    start = layer("InputLayer", name="image", batch_shape=[None, 4], dtype="float32")
    tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, 7], "dtype": "float32"}}
    last = layer("Softmax", name="kind") | {"inbound_nodes": [{"args": [tensor], "kwargs": {}}]}
    inner = {"layers": [start, dense("age", units=1), last], "input_layers": ["image", 0, 0], "output_layers": outputs}
    return {"module": "keras", "class_name": "Functional", "config": inner}


def test_the_ends_of_a_functional_model() -> None:
    ends = describe_ends(functional([["age", 0, 0], ["kind", 0, 0]]))
    assert ends.inputs == {"image": "float32"} and ends.outputs == {"age": 1, "kind": 7}
    ends = describe_ends(functional({"first": ["age", 0, 0], "second": ["kind", 0, 0]}))
    assert ends.outputs == {"age": 1, "kind": 7} and ends.keys == ("first", "second")


def test_the_ends_of_a_sequential_model_look_through_what_keeps_the_width() -> None:
    ends = describe_ends(sequential(dense(units=5), layer("Dropout", name="drop"), layer("Activation", name="act")))
    assert ends.outputs == {"act": 5}


@pytest.mark.parametrize(
    "config", [{}, {"config": []}, {"config": {"layers": [1]}}, {"config": {"layers": {}}}, {"config": 3}]
)
def test_a_config_that_says_too_little_has_no_ends(config: dict[str, object]) -> None:
    assert describe_ends(config).outputs == {}
