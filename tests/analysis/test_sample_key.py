"""Sample keys name content: nothing else changes them, and any change of content does."""

import hashlib
import json

import numpy as np
import pytest

from reportgen.analysis.sample_key import key_text, sample_keys


def by_hand(inputs: dict[str, np.ndarray], row: int) -> int:
    digest = hashlib.sha256()
    for name in sorted(inputs):
        array = inputs[name]
        digest.update(json.dumps([name, array.dtype.newbyteorder("<").str, list(array.shape[1:])]).encode() + b"\n")
        digest.update(array[row].astype(array.dtype.newbyteorder("<")).tobytes())
    return int.from_bytes(digest.digest()[:8], "big")


def test_key_is_the_start_of_the_digest_over_inputs_in_name_order():
    rng = np.random.default_rng(1)
    inputs = {"b": rng.random((5, 3)).astype("f4"), "a": rng.integers(0, 255, (5, 2, 2)).astype("u1")}
    keys = sample_keys(inputs)
    assert keys.dtype == np.uint64
    assert [int(key) for key in keys] == [by_hand(inputs, row) for row in range(5)]
    assert sample_keys({"a": inputs["a"], "b": inputs["b"]}).tolist() == keys.tolist()
    assert key_text(keys[0]) == f"{by_hand(inputs, 0):016x}"


def test_key_never_changes_between_versions():
    keys = sample_keys({"x": np.arange(6, dtype="<f4").reshape(2, 3)})
    expected = hashlib.sha256(b'["x", "<f4", [3]]\n' + np.arange(3, dtype="<f4").tobytes()).digest()[:8]
    assert key_text(keys[0]) == expected.hex()


@pytest.mark.parametrize("change", ["big-endian", "fortran", "view", "read-only"])
def test_layout_in_memory_does_not_change_the_key(change):
    plain = np.random.default_rng(2).random((4, 5, 6)).astype("<f4")
    other = {
        "big-endian": plain.astype(">f4"),
        "fortran": np.asfortranarray(plain),
        "view": np.repeat(plain, 2, axis=2)[:, :, ::2],
        "read-only": plain.copy(),
    }[change]
    other.flags.writeable = False
    assert sample_keys({"x": other}).tolist() == sample_keys({"x": plain}).tolist()


def test_name_dtype_shape_value_and_salt_each_change_the_key():
    x = np.zeros((1, 4), "f4")
    nudged = x.copy()
    nudged[0, 3] = 1e-30
    keys = [
        sample_keys({"x": x})[0],
        sample_keys({"y": x})[0],
        sample_keys({"x": x.astype("i4")})[0],
        sample_keys({"x": x.reshape(1, 2, 2)})[0],
        sample_keys({"x": nudged})[0],
        sample_keys({"x": x}, salt="s")[0],
        sample_keys({"x": x}, salt="t")[0],
    ]
    assert len(set(keys)) == len(keys)


def test_equal_rows_share_a_key_wherever_they_stand():
    x = np.asarray([[1, 2], [3, 4], [1, 2]], "u1")
    keys = sample_keys({"x": x})
    assert keys[0] == keys[2] != keys[1]
    assert sample_keys({"x": x[2:]})[0] == keys[0]


def test_text_is_keyed_by_its_content_not_its_width():
    narrow, wide = np.asarray(["ab", "ü\u2028"]), np.asarray(["ab", "ü\u2028"], dtype="<U40")
    objects, raw = np.asarray(["ab", "ü\u2028"], object), np.asarray(["ab", "ü\u2028".encode()], object)
    keys = sample_keys({"t": narrow}).tolist()
    for same in (wide, objects, raw):
        assert sample_keys({"t": same}).tolist() == keys


def test_neighbouring_texts_cannot_run_together():
    first, second = np.asarray([["ab", "c"]]), np.asarray([["a", "bc"]])
    assert sample_keys({"t": first})[0] != sample_keys({"t": second})[0]


def test_odd_inputs():
    assert sample_keys({"x": np.zeros((0, 3))}).shape == (0,)
    assert sample_keys({"x": np.zeros((2, 0))}).shape == (2,)
    assert sample_keys({"x": np.asarray([True, False])}).shape == (2,)
    assert sample_keys({"x": np.asarray([b"\x01\x02", b"\x03\x04"], "V2")}).shape == (2,)
    with pytest.raises(ValueError, match="one common number"):
        sample_keys({"x": np.zeros(2), "y": np.zeros(3)})
    with pytest.raises(TypeError, match="only numbers and text"):
        sample_keys({"x": np.asarray([{}, {}], object)})
