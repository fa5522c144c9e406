"""Batches in a TFRecord file, by the features that the configuration describes. Needs TensorFlow."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Array, Chunk, Source
from reportgen.worker.batch.pictures import Frame, decode, look_at
from reportgen.worker.batch.rows import make_chunk, wanted_arrays
from reportgen.worker.plan import BatchSpec, FeatureSpec

MAX_RECORD = 1 << 30


def open_tfrecord(spec: BatchSpec) -> Source:
    """Count the records and look at the first one. Raises InputRefused."""
    path = Path(spec.path)
    n = count_records(path)
    shapes = {key: spec.records[name].shape for key, name in spec.x.items()}
    dtypes = {key: _dtype(spec.records[name]) for key, name in spec.x.items()}
    return Source(n, shapes, dtypes, lambda size: _read(path, spec, size))


def count_records(path: Path) -> int:
    """Return the number of records, from their lengths alone; raises InputRefused where the file is cut off."""
    size, at, n = path.stat().st_size, 0, 0
    with path.open("rb") as file:
        while at < size:
            head = file.read(12)
            length = struct.unpack("<Q", head[:8])[0] if len(head) == 12 else MAX_RECORD + 1
            at += 16 + length
            if length > MAX_RECORD or at > size:
                what = "is no TFRecord file" if not n else f"is cut off or damaged after record {n:,}"
                raise InputRefused(f"{path.name}: {what}; write it again (uncompressed)")
            file.seek(at)
            n += 1
    return n


def _dtype(feature: FeatureSpec) -> str:
    """Return the dtype that a feature becomes."""
    if feature.dtype != "string":
        return feature.dtype
    return {"": "str", "image": "float32"}.get(feature.decode, feature.decode)


def _read(path: Path, spec: BatchSpec, size: int) -> Iterator[Chunk]:
    """Yield chunks of at most `size` records."""
    import tensorflow as tf

    names = wanted_arrays(spec)
    kinds = {"float32": tf.float32, "int64": tf.int64, "string": tf.string}
    features = {
        name: tf.io.FixedLenFeature([] if feature.dtype == "string" else list(feature.shape), kinds[feature.dtype])
        for name, feature in spec.records.items()
        if name in names
    }
    first = 0
    try:
        for records in tf.data.TFRecordDataset(str(path)).batch(size):
            parsed = tf.io.parse_example(records, features)
            arrays = {name: _to_array(parsed[name].numpy(), spec.records[name], name, first) for name in names}
            first += len(records)
            yield make_chunk(spec, arrays)
    except tf.errors.DataLossError as error:
        raise InputRefused(f"{path.name}: damaged after record {first:,}; write it again", detail=str(error)) from None
    except tf.errors.InvalidArgumentError as error:
        said = str(error).split("]]")[-1].strip().splitlines()[0][:200] or "a feature does not fit"
        text = f"{path.name}: a record after {first:,} does not fit batch.tfrecord: {said}"
        raise InputRefused(text, detail=str(error)) from None


def _to_array(values: Array, feature: FeatureSpec, name: str, first: int) -> Array:
    """Return a parsed feature as numbers or text; bytes are decoded as the plan says."""
    if feature.dtype != "string":
        return values
    if not feature.decode:
        return np.array([value.decode("utf-8", "replace") for value in values.tolist()], dtype=str)
    rows: list[Any] = []
    for index, value in enumerate(values.tolist()):
        place = f"feature `{name}` of record {first + index}"
        rows.append(_picture(value, feature, place) if feature.decode == "image" else _raw(value, feature, place))
    return np.stack(rows)


def _picture(value: bytes, feature: FeatureSpec, place: str) -> Array:
    """Decode one picture to the shape of its feature."""
    height, width, _ = look_at(value, place)
    channels = {1: "grayscale", 3: "rgb", 4: "rgba"}.get(feature.shape[-1] if len(feature.shape) == 3 else 0, "rgb")
    wanted = feature.shape if len(feature.shape) == 3 else (height, width)
    return decode(value, Frame(wanted[0], wanted[1], channels), place)


def _raw(value: bytes, feature: FeatureSpec, place: str) -> Array:
    """Decode raw numbers."""
    dtype = np.dtype(feature.decode).newbyteorder("<")
    count = int(np.prod(feature.shape, dtype=np.int64))
    if len(value) != count * dtype.itemsize:
        text = f"{place} has {len(value):,} bytes; batch.tfrecord says {feature.decode} of shape {list(feature.shape)}"
        raise InputRefused(text)
    return np.frombuffer(value, dtype).reshape(feature.shape)
