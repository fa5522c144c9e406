"""TensorBoard event files as TF1 and TF2 write them, made without TensorFlow."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c


def record(data: bytes) -> bytes:
    """Return one TFRecord."""
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc32c(head)) + data + struct.pack("<I", masked_crc32c(data))


def scalar(tag: str, step: int, value: float, time: float, style: str) -> bytes:
    """Return one scalar event: "simple" (TF1), "tensor" or "content" (TF2)."""
    if style == "simple":
        summary = summary_pb2.Summary.Value(tag=tag, simple_value=value)
    else:
        tensor = tensor_pb2.TensorProto(dtype=1)
        if style == "tensor":
            tensor.float_val.append(value)
        else:
            tensor.tensor_content = struct.pack("<f", value)
        summary = summary_pb2.Summary.Value(tag=tag, tensor=tensor)
        summary.metadata.plugin_data.plugin_name = "scalars"
    event = event_pb2.Event(wall_time=time, step=step, summary=summary_pb2.Summary(value=[summary]))
    return record(event.SerializeToString())


def write_events(
    folder: Path,
    series: dict[str, Iterable[float]],
    style: str = "tensor",
    time: int = 1_700_000_000,
    first: int = 0,
) -> Path:
    """Write one event file with (tag: values), steps from `first`, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.{time}.host.1.0.v2"
    parts = [record(event_pb2.Event(wall_time=time, file_version="brain.Event:2").SerializeToString())]
    rows = [(step, tag, v) for tag, values in series.items() for step, v in enumerate(values, first)]
    parts += [scalar(tag, step, value, time + step, style) for step, tag, value in sorted(rows)]
    path.write_bytes(b"".join(parts))
    return path
