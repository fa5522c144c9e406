"""The features of a TFRecord file, proposed from its first record; TensorFlow is not needed."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reportgen.errors import InputRefused
from reportgen.inputs.files import shown
from reportgen.inputs.protobuf import NotAMessage, parts, varint
from reportgen.worker.batch.pictures import CHANNELS, look_at
from reportgen.worker.batch.tfrecord import count_records

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"GIF8")
_RAW = {1: "uint8", 4: "float32", 8: "float64"}
_ROOM = 64 << 20
Shapes = Mapping[str, tuple[int, ...]]


def describe_records(path: Path, shapes: Shapes) -> dict[str, dict[str, Any]]:
    """Return dtype, shape and decode by feature, and its size; `shapes` are those of the model's inputs.

    Raises InputRefused for what is no TFRecord of tf.train.Example.
    """
    count_records(path)
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(12)[:8])
        if length > _ROOM:
            raise InputRefused(f"{shown(path)}: its first record has {length:,} bytes; describe it: batch.tfrecord")
        data = memoryview(file.read(length))
    try:
        return {name: _describe(feature, name, shapes) for name, feature in _features(data)}
    except (NotAMessage, UnicodeDecodeError) as error:
        raise InputRefused(f"{shown(path)}: its records are no tf.train.Example ({error})") from None


def _features(data: memoryview) -> list[tuple[str, memoryview]]:
    """Return the features of an Example by name: Example > features > entries of a map."""
    found = []
    for features in parts(data, 1):
        for entry in parts(features, 1):
            name = next(parts(entry, 1), memoryview(b""))
            found.append((bytes(name).decode("utf-8"), next(parts(entry, 2), memoryview(b""))))
    if not found:
        raise NotAMessage("no feature")
    return sorted(found)


def _describe(feature: memoryview, name: str, shapes: Shapes) -> dict[str, Any]:
    """Describe one feature by the one of its three lists that is there."""
    for numbers in parts(feature, 2):
        size = sum(len(packed) for packed in parts(numbers, 1)) // 4
        return {"dtype": "float32", "shape": _shape(size, name, shapes), "size": size}
    for numbers in parts(feature, 3):
        size = sum(_count_varints(packed) for packed in parts(numbers, 1))
        return {"dtype": "int64", "shape": _shape(size, name, shapes), "size": size}
    texts = next(parts(feature, 1), memoryview(b""))
    return _describe_bytes(bytes(next(parts(texts, 1), b"")), name, shapes)


def _describe_bytes(content: bytes, name: str, shapes: Shapes) -> dict[str, Any]:
    """Describe bytes: a picture, raw numbers that fill an input of the model, or text."""
    if content.startswith(_PICTURES) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP"):
        height, width, color = look_at(content, name)
        known = next((list(known) for known in shapes.values() if len(known) == 3), None)
        shape = known or [height, width, CHANNELS[color]]
        return {"dtype": "string", "shape": shape, "decode": "image", "size": len(content)}
    for taken in (shapes[name],) if name in shapes else shapes.values():
        width, rest = divmod(len(content), math.prod(taken))
        if not rest and width in _RAW:
            return {"dtype": "string", "shape": list(taken), "decode": _RAW[width], "size": len(content)}
    return {"dtype": "string", "shape": [], "size": len(content)}


def _shape(size: int, name: str, shapes: Shapes) -> list[int]:
    """Return the shape of so many numbers: that of the model's input if they fill it."""
    fitting = [shape for shape in ((shapes[name],) if name in shapes else shapes.values()) if math.prod(shape) == size]
    return list(fitting[0]) if fitting and size > 1 else [size] if size > 1 else []


def _count_varints(data: memoryview) -> int:
    """Return how many numbers of variable length there are."""
    place = count = 0
    while place < len(data):
        _, place = varint(data, place)
        count += 1
    return count
