"""Name each sample by its content, so that two reports on one batch can be compared sample by sample."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def sample_keys(inputs: Mapping[str, Array], salt: str = "") -> NDArray[np.uint64]:
    """Return one key a sample: the first 8 bytes of SHA-256 over its inputs, read as big-endian.

    `inputs[name]` has shape (n, ...) as stored, before any normalisation. For each input in name order the digest
    covers its name, canonical dtype and shape (as one JSON line), then the sample's little-endian C-order bytes; texts
    are UTF-8 with their length in front, whatever the width of their array. Use names that belong to the batch, not to
    the model. Raises ValueError if the inputs differ in length, TypeError for object arrays that hold anything but
    text.
    """
    lengths = {len(array) for array in inputs.values()}
    if len(lengths) != 1:
        raise ValueError(f"inputs need one common number of samples, found {sorted(lengths)}")
    n = lengths.pop()
    columns = [_sample_bytes(name, np.asarray(inputs[name])) for name in sorted(inputs)]
    start = hashlib.sha256(_framed(b"salt", salt.encode("utf-8", "surrogatepass")) if salt else b"")
    digests = bytearray()
    for pieces in zip(*columns, strict=True):
        digest = start.copy()
        for header, content in pieces:
            digest.update(header)
            digest.update(content)
        digests += digest.digest()[:8]
    return np.frombuffer(bytes(digests), dtype=">u8", count=n).astype("<u8")


def key_text(key: int | np.integer[Any]) -> str:
    """Return a key as the 16 hex digits that people and anchors see."""
    return f"{int(key):016x}"


def _sample_bytes(name: str, array: Array) -> Iterator[tuple[bytes, bytes | memoryview]]:
    """Yield the header and the bytes of each sample of one input."""
    if array.dtype.kind in "USO":
        return _text_bytes(name, array)
    return _number_bytes(name, array)


def _number_bytes(name: str, array: Array) -> Iterator[tuple[bytes, memoryview]]:
    """Yield each sample's raw bytes without copying the array twice."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    header = _header(name, plain.dtype.str, array.shape[1:])
    size = plain.itemsize * int(np.prod(plain.shape[1:], dtype=np.int64))
    view = plain.reshape(-1).view(np.uint8).data if plain.size else memoryview(b"")
    for index in range(len(plain)):
        yield header, view[index * size : (index + 1) * size]


def _text_bytes(name: str, array: Array) -> Iterator[tuple[bytes, bytes]]:
    """Yield each sample's texts as UTF-8, each with its length in front."""
    header = _header(name, "text", array.shape[1:])
    for row in array.reshape(len(array), -1):
        yield header, b"".join(_framed(b"t", _encode(value)) for value in row.tolist())


def _encode(value: object) -> bytes:
    """Return one text as UTF-8 bytes; bytes are taken as they are."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    raise TypeError(f"a sample holds a {type(value).__name__}; only numbers and text can be keyed")


def _header(name: str, dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return an unambiguous line that says whose bytes follow."""
    return json.dumps([name, dtype, list(shape)]).encode("ascii") + b"\n"


def _framed(tag: bytes, content: bytes) -> bytes:
    """Return `content` with its length in front, so that neighbours cannot run together."""
    return tag + str(len(content)).encode("ascii") + b":" + content
