"""TensorBoard log folders: scalars of TF1 (simple values) and TF2 (tensors), one folder or train/ and validation/.

Rules, each told in a note when it was used:
- A folder with event files is a run; `train` and `validation` beside each other are one run. Of several runs the
  newest, by the time of its last event, is read.
- Where metrics recorded once an epoch are there (`epoch_loss`, as Keras writes), only those are read; else all scalars.
- A step that is written again replaces what stood there and everything after it, as in TensorBoard itself.
- A file that is cut off or damaged is read up to there.

The records are read here and not by TensorBoard's own reader, because that one stops silently at damage and, without
TensorFlow, takes a second for each megabyte; its messages are decoded by the package `tensorboard`.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.analysis.history import Array
from reportgen.errors import InputRefused
from reportgen.inputs.files import shown

NEEDED = (
    "TensorBoard logs are read with the package tensorboard, which is not installed: "
    "pip install 'reportgen[tensorboard]' (TensorFlow is not needed for it)"
)
FILE_LIMIT = 1000
DEPTH_LIMIT = 5
RECORD_LIMIT = 1 << 30
CHECKED = 64 << 10  # scalars are smaller; larger records are graphs and pictures, not worth a checksum in Python
PER_EPOCH = "epoch_"
DTYPES = {1: ("<f4", "float_val"), 2: ("<f8", "double_val"), 3: ("<i4", "int_val"), 9: ("<i8", "int64_val")}
SIDES = {"train": "", "training": "", "validation": "val_", "val": "val_", "eval": "val_", "test": "val_"}
Points = dict[str, tuple[list[int], list[float]]]


class NoLogs(Exception):
    """A folder without any TensorBoard event file: worth a card, not a refusal."""


@dataclass(slots=True)
class Run:
    """What the event files of one folder hold: (step, value) by tag, and the time of the last event."""

    name: str
    points: Points = field(default_factory=dict)
    last: float = 0.0
    replaced: int = 0
    notes: list[str] = field(default_factory=list)


def read_tensorboard(path: Path) -> tuple[dict[str, tuple[Array, Array]], list[str]]:
    """Return (epochs, values) by metric from a log folder or one event file, and notes.

    Raises NoLogs for a folder without event files, InputRefused when the package is missing or nothing can be read.
    """
    files = _find_files(path)
    if not files:
        raise NoLogs(f"{shown(path)} holds no TensorBoard event file.")
    event = _load_messages(shown(path))
    runs: dict[str, Run] = {}
    for file in files:
        name = os.path.relpath(file.parent, path if path.is_dir() else file.parent)
        _read_file(file, event, runs.setdefault("" if name == "." else name, Run(name)))
    chosen, notes = _choose(runs)
    curves = _curves(chosen, notes)
    for run in chosen.values():
        notes += run.notes
    replaced = sum(run.replaced for run in chosen.values())
    if replaced:
        notes.append(f"{replaced:,} points were written again at an earlier step; the later values are shown.")
    return curves, notes


def _find_files(path: Path) -> list[Path]:
    """Return the event files below a folder, oldest first by the time in their names; links are not followed."""
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    for folder, folders, names in os.walk(path):
        depth = len(Path(folder).relative_to(path).parts)
        folders[:] = sorted(name for name in folders if depth < DEPTH_LIMIT and not name.startswith("."))
        found += [Path(folder) / name for name in sorted(names) if "tfevents" in name]
        if len(found) > FILE_LIMIT:
            raise InputRefused(f"{shown(path)}: more than {FILE_LIMIT:,} event files; name one run's folder")
    return sorted((file for file in found if file.is_file() and not file.is_symlink()), key=_written)


def _written(file: Path) -> tuple[int, str]:
    """Return when a file was begun, as its name says (events.out.tfevents.SECONDS.host...)."""
    after = file.name.partition("tfevents.")[2].partition(".")[0]
    return int(after) if after.isdigit() and len(after) < 16 else 0, file.name


def _load_messages(name: str) -> Any:
    """Return TensorBoard's Event message; raises InputRefused that says what to install."""
    try:
        from tensorboard.compat.proto import event_pb2
    except ImportError:
        raise InputRefused(f"{name}: {NEEDED}") from None
    return event_pb2.Event


def _read_file(file: Path, event: Any, run: Run) -> None:
    """Add the scalars of one file to its run; note where it could not be read to its end."""
    count, why = 0, ""
    try:
        for data in _records(file):
            message = event.FromString(data)
            run.last = max(run.last, message.wall_time)
            for value in message.summary.value:
                number = _scalar(value)
                if number is not None:
                    count += 1
                    _add(run, value.tag, message.step, number)
    except _Damaged as error:
        why = str(error)
    except Exception as error:  # protobuf's DecodeError, of whichever implementation is installed
        if type(error).__name__ not in ("DecodeError", "RuntimeWarning", "ValueError", "UnicodeDecodeError"):
            raise
        why = "a record is damaged"
    if why:
        run.notes.append(f"{shown(file)} could not be read to its end ({why}): {count:,} points before that are shown.")


class _Damaged(Exception):
    """A file that ends or goes wrong in the middle of a record."""


def _records(file: Path) -> Iterator[bytes]:
    """Yield the records of one event file; raises _Damaged."""
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    size = file.stat().st_size
    with file.open("rb") as stream:
        while head := stream.read(12):
            if len(head) < 12:
                raise _Damaged("it is cut off")
            length, check = struct.unpack("<QI", head)
            if masked_crc32c(head[:8]) != check:
                raise _Damaged("it is damaged")
            if length > RECORD_LIMIT or stream.tell() + length + 4 > size:
                raise _Damaged("it is cut off")
            data, end = stream.read(length), stream.read(4)
            if length <= CHECKED and masked_crc32c(data) != struct.unpack("<I", end)[0]:
                raise _Damaged("it is damaged")
            yield data


def _scalar(value: Any) -> float | None:
    """Return the number of one summary value, None where it holds anything else."""
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    plugin = value.metadata.plugin_data.plugin_name
    if kind != "tensor" or plugin not in ("", "scalars") or value.tensor.tensor_shape.dim:
        return None
    dtype, name = DTYPES.get(int(value.tensor.dtype), ("", ""))
    content = value.tensor.tensor_content
    if dtype and len(content) == np.dtype(dtype).itemsize:
        return float(np.frombuffer(content, dtype)[0])
    values = getattr(value.tensor, name) if dtype else []
    return float(values[0]) if len(values) == 1 else None


def _add(run: Run, tag: str, step: int, number: float) -> None:
    """Add one point; one at an earlier step replaces all from there on."""
    steps, values = run.points.setdefault(tag, ([], []))
    while steps and steps[-1] >= step:
        steps.pop()
        values.pop()
        run.replaced += 1
    steps.append(step)
    values.append(number)


def _choose(runs: dict[str, Run]) -> tuple[dict[str, Run], list[str]]:
    """Return the sides ("" or "val_" by prefix) of the newest run, and a note about the others."""
    groups: dict[str, dict[str, Run]] = {}
    for name, run in runs.items():
        if not run.points and not run.notes:
            continue
        parent, last = os.path.split(name)
        paired = last.lower() in SIDES
        groups.setdefault(parent if paired else name, {}).setdefault(SIDES[last.lower()] if paired else "", run)
    if not groups:
        return {}, []
    newest = max(groups, key=lambda name: (max(run.last for run in groups[name].values()), name))
    others = sorted(name or "the folder itself" for name in groups if name != newest)
    if not others:
        return groups[newest], []
    listed = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
    return groups[newest], [
        f"Of {len(groups)} runs the newest is shown, {newest or 'the folder itself'} (not {listed})."
    ]


def _curves(sides: dict[str, Run], notes: list[str]) -> dict[str, tuple[Array, Array]]:
    """Return the curves of one run by metric name, epochs from 1."""
    tags = [tag for run in sides.values() for tag in run.points]
    by_epoch = any(tag.startswith(PER_EPOCH) for tag in tags)
    left = sorted({tag for tag in tags if by_epoch and not tag.startswith(PER_EPOCH)})
    if left:
        notes.append(
            f"Not recorded once an epoch, and left out: {', '.join(left[:6])}{', ...' if len(left) > 6 else ''}."
        )
    found = {}
    kept = [
        (prefix + tag.removeprefix(PER_EPOCH), points)
        for prefix, run in sides.items()
        for tag, points in run.points.items()
        if tag not in left
    ]
    first = min((steps[0] for _, (steps, _) in kept), default=0)
    for name, (steps, values) in kept:
        epochs = np.asarray(steps, dtype=np.int64) + (1 - first if first <= 0 else 0)
        found[name] = (epochs, np.asarray(values, dtype=np.float64))
    return found
