"""What crosses between the processes comes back equal, and anything else is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from reportgen.worker.border import BorderError, read_evidence, read_plan, write_evidence, write_plan
from reportgen.worker.plan import BatchSpec, ModelSpec, Plan
from tests.evidence_builder import make_artifacts


def assert_equal(left: object, right: object, place: str = "") -> None:
    """Compare two trees of dataclasses, tuples, dicts and arrays; NaN equals NaN."""
    assert type(left) is type(right) or isinstance(left, np.ndarray | float | int), place
    if dataclasses.is_dataclass(left):
        for field in dataclasses.fields(left):
            assert_equal(getattr(left, field.name), getattr(right, field.name), f"{place}.{field.name}")
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype and left.shape == right.shape, place
        np.testing.assert_array_equal(left, right, err_msg=place)
    elif isinstance(left, dict):
        assert left.keys() == right.keys(), place
        for key in left:
            assert_equal(left[key], right[key], f"{place}[{key}]")
    elif isinstance(left, tuple):
        assert len(left) == len(right), place
        for index, (a, b) in enumerate(zip(left, right, strict=True)):
            assert_equal(a, b, f"{place}[{index}]")
    elif isinstance(left, float) and left != left:
        assert right != right, place
    else:
        assert left == right, place


@pytest.fixture
def evidence():
    return make_artifacts().worker


def test_evidence_comes_back_equal(evidence, tmp_path: Path) -> None:
    write_evidence(evidence, tmp_path)
    assert_equal(read_evidence(tmp_path), evidence)


def test_hostile_text_non_finite_numbers_and_empty_arrays_come_back_equal(evidence, tmp_path: Path) -> None:
    facts = dataclasses.replace(
        evidence.activations[0], layer="</script>\u2028\ud800\x00", mean=float("nan"), low=float("-inf")
    )
    odd = dataclasses.replace(facts, histogram=np.zeros((0, 3)), unit_active=np.array(["", "ü\u202e"]))
    evidence = dataclasses.replace(evidence, activations=(odd,))
    write_evidence(evidence, tmp_path)
    assert_equal(read_evidence(tmp_path).activations[0], odd)


def test_the_plan_comes_back_equal(tmp_path: Path) -> None:
    batch = BatchSpec("/b.npz", "npz", {"": "x"}, {"a": "y"}, classes={"": ("zero", "one")})
    plan = Plan(ModelSpec("/m.keras", "keras"), batch, tasks={"": "auto"}, layers_named=("conv",), privacy="blur")
    write_plan(plan, tmp_path)
    assert read_plan(tmp_path) == plan


def test_object_arrays_never_cross_as_pickles(evidence, tmp_path: Path) -> None:
    kept = dataclasses.replace(evidence.kept, inputs={"x": np.array(["a", 3], dtype=object)})
    write_evidence(dataclasses.replace(evidence, kept=kept), tmp_path)
    assert b"pickle" not in (tmp_path / "evidence.npy").read_bytes()
    assert read_evidence(tmp_path).kept.inputs["x"].tolist() == ["a", "3"]


def spoil(folder: Path, change) -> None:
    """Rewrite evidence.json."""
    path = folder / "evidence.json"
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.update(extra=1),
        lambda tree: tree.pop("layers"),
        lambda tree: tree.update(n_samples="7"),
        lambda tree: tree.update(n_samples=True),
        lambda tree: tree.update(dot=None),
        lambda tree: tree.update(layers=[1]),
        lambda tree: tree["activations"][0].update(histogram=[1, 2]),
        lambda tree: tree["activations"][0].update(histogram={"array": 10**6}),
        lambda tree: tree["activations"][0].update(histogram={"array": -1}),
        lambda tree: tree.update(dot="x" * (5 * 2**20)),
        lambda tree: tree.update(timings=[["load"]]),
    ],
)
def test_an_answer_that_was_not_agreed_is_refused(evidence, tmp_path: Path, change) -> None:
    write_evidence(evidence, tmp_path)
    spoil(tmp_path, change)
    with pytest.raises(BorderError):
        read_evidence(tmp_path)


def test_an_array_header_that_claims_more_than_the_file_holds_is_refused(evidence, tmp_path: Path) -> None:
    write_evidence(evidence, tmp_path)
    path = tmp_path / "evidence.npy"
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(BorderError, match="not expected"):
        read_evidence(tmp_path)


def test_a_pickled_array_record_is_refused(evidence, tmp_path: Path) -> None:
    write_evidence(evidence, tmp_path)
    with (tmp_path / "evidence.npy").open("wb") as file:
        np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BorderError):
        read_evidence(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null"])
def test_a_broken_answer_is_refused(evidence, tmp_path: Path, content: bytes) -> None:
    write_evidence(evidence, tmp_path)
    (tmp_path / "evidence.json").write_bytes(content)
    with pytest.raises(BorderError):
        read_evidence(tmp_path)


def test_a_missing_answer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BorderError):
        read_evidence(tmp_path)
