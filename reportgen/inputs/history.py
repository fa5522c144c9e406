"""load_history: a file that training left -> History, with a sentence for everything that was skipped or repaired."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.analysis.history import Array, Curve, History
from reportgen.errors import InputRefused
from reportgen.inputs.files import read_bounded, shown
from reportgen.inputs.history_arrays import read_history_npz
from reportgen.inputs.history_csv import read_history_csv
from reportgen.inputs.history_json import read_history_json
from reportgen.inputs.history_pickle import read_history_pickle
from reportgen.inputs.history_table import Table, Unreadable
from reportgen.inputs.history_tensorboard import read_tensorboard
from reportgen.inputs.trust import NOTHING, Trust

SIZE_LIMIT = 256 << 20
METRIC_LIMIT = 1000
OLD_NAMES = {"acc": "accuracy", "lr": "learning_rate"}
_SAVE_JSON = "save it as JSON instead: json.dump(history.history, open('history.json', 'w'), default=float)"
_MISSING = ("", "na", "n/a", "none", "null")


def load_history(path: Path, trust: Trust = NOTHING) -> History:
    """Read a history: TensorBoard logs, or a file of JSON, CSV, NPZ or (trusted) pickle, told apart by content.

    Epochs count from 1 and ascend. A run that was resumed is stitched: see `_stitch`. Raises InputRefused, and NoLogs
    for a folder without logs.
    """
    if path.is_dir() or "tfevents" in path.name:
        return _load_tensorboard(path)
    data = read_bounded(path, "the history", SIZE_LIMIT)
    read = _reader_of(data, trust)
    if read is None:
        return parse_history(data, path.name, shown(path))
    try:
        return _build(read(data), path.name)
    except Unreadable as error:
        raise InputRefused(f"{shown(path)}: {error.problem}") from None


def _reader_of(data: bytes, trust: Trust) -> Callable[[bytes], Table] | None:
    """Return the reader of a binary format by its first bytes, None for text and for what is refused."""
    if data.startswith(b"PK"):
        return read_history_npz
    pickled = data[:1] == b"\x80" and data[1:2] <= b"\x05"
    if "pickle" in trust and (pickled or data.startswith(b"\x93NUMPY")):
        return lambda found: read_history_pickle(found if pickled else _pickle_in_npy(found))
    return None


def _pickle_in_npy(data: bytes) -> bytes:
    """Return what `np.save("history.npy", history.history)` wrote behind its header."""
    length = int.from_bytes(data[8:10], "little") if data[6:7] == b"\x01" else -10
    if b"'|O'" not in data[10 : 10 + max(0, length)]:
        raise Unreadable("an NPY file of numbers has no metric names; save NPZ: np.savez(path, **history.history)")
    return data[10 + length :]


def _load_tensorboard(path: Path) -> History:
    """Read a log folder."""
    points, notes = read_tensorboard(path)
    numbers = {name: values for name, (_, values) in points.items()}
    epochs = {name: steps for name, (steps, _) in points.items()}
    named = zip(_translated(numbers, notes).items(), epochs.values(), strict=True)
    curves = [Curve(name, steps, values) for (name, values), steps in named]
    if len(curves) > METRIC_LIMIT:
        notes.append(f"Only the first {METRIC_LIMIT:,} of {len(curves):,} metrics were read.")
    if not curves:
        notes.append("The logs hold no scalar.")
    for curve in curves[:METRIC_LIMIT]:
        _note_gaps(curve.name, curve.values, notes)
    return History(path.name, tuple(curves[:METRIC_LIMIT]), notes=tuple(notes))


def parse_history(data: bytes, source: str, name: str) -> History:
    """Return the History that `data` holds; `name` is what a refusal calls the file."""
    text = _decode(data, name)
    try:
        table = read_history_json(text) if text.lstrip()[:1] in ("{", "[") else read_history_csv(text)
    except Unreadable as error:
        place = f"{name}:{error.line}" if error.line else name
        raise InputRefused(f"{place}: {error.problem}") from None
    return _build(table, source)


def _decode(data: bytes, name: str) -> str:
    """Return the text; refuse pickles and other formats by their first bytes."""
    if data[:1] == b"\x80" and data[1:2] <= b"\x05":
        text = "a pickle can run code and is not read without --trust=pickle (which reads plain numbers only)"
        raise InputRefused(f"{name}: {text}; {_SAVE_JSON}")
    for magic, what in (
        (b"\x93NUMPY", "an NPY file"),
        (b"\x89HDF", "an HDF5 file"),
    ):
        if data.startswith(magic):
            raise InputRefused(f"{name}: {what} is not read as a history; {_SAVE_JSON}")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputRefused(f"{name}: the file is UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputRefused(f"{name}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; {_SAVE_JSON}") from None


def _build(table: Table, source: str) -> History:
    """Turn raw columns into curves, noting whatever was skipped or repaired."""
    notes = list(table.notes)
    series = {name: _numbers(name, values, notes) for name, values in table.columns.items()}
    numbers = {name: values for name, values in series.items() if values is not None and values.size}
    for name in list(numbers)[METRIC_LIMIT:]:
        del numbers[name]
    if len(series) > METRIC_LIMIT:
        notes.append(f"Only the first {METRIC_LIMIT:,} of {len(series):,} metrics were read.")
    if not numbers:
        notes.append("The history holds no epoch.")
        return History(source, (), notes=tuple(notes))
    epochs, keep, seams = _stitch(table, max(map(len, numbers.values())), notes)
    curves = []
    for name, values in _translated(numbers, notes).items():
        own = _own_epochs(name, len(values), epochs, numbers, notes)
        full = len(values) == len(epochs)
        chosen = values[keep] if full else values
        curves.append(Curve(name, own[keep] if full else own, chosen))
        _note_gaps(name, chosen, notes)
    return History(source, tuple(curves), seams=seams, notes=tuple(notes))


def _numbers(name: str, values: list[Any], notes: list[str]) -> Array | None:
    """Return one metric as float64 (None in the file is NaN), or None with a note that names the key."""
    try:
        if not any(isinstance(value, (bool, list, dict)) for value in values):
            return np.asarray([_number(value) for value in values], dtype=np.float64)
        kind = next(
            "true or false" if isinstance(v, bool) else "lists" for v in values if isinstance(v, (bool, list, dict))
        )
        notes.append(f"`{name}` was left out: it holds {kind}, not one number an epoch.")
    except _NotANumber as error:
        notes.append(f"`{name}` was left out: it holds the text `{str(error)[:40]}`.")
    return None


class _NotANumber(ValueError):
    """A text that is no number."""


def _number(value: Any) -> float:
    """Return a raw value as a float; raises _NotANumber."""
    if value is None:
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    except (ValueError, TypeError):
        if str(value).strip().lower() in _MISSING:
            return float("nan")
        raise _NotANumber(value) from None


def _stitch(table: Table, rows: int, notes: list[str]) -> tuple[Array, Array, tuple[int, ...]]:
    """Return each row's epoch (from 1), which rows to keep, and the epochs at which a resumed run continues.

    Where the epoch count restarts at its beginning, a new run was appended: its epochs follow the earlier ones. Where
    it steps back into the middle, the job was resumed from a checkpoint: its epochs replace those that were lost.
    """
    counted = _counted(table, rows, notes)
    breaks = sorted(
        {int(row) for row in np.flatnonzero(np.diff(counted) <= 0) + 1} | {row for row in table.seams if row < rows}
    )
    if not breaks:
        return counted, np.arange(rows), ()
    keep = np.ones(rows, dtype=bool)
    seams, first, lost = [], int(counted[0]), 0
    for start, end in zip(breaks, [*breaks[1:], rows], strict=True):
        begin = int(counted[start])
        last = int(counted[:start][keep[:start]].max())
        if begin <= first:
            counted[start:end] += last + 1 - begin
        elif begin <= last:
            replaced = keep[:start] & (counted[:start] >= begin)
            lost += int(replaced.sum())
            keep[:start] &= ~replaced
        seams.append(int(counted[start]))
    notes.append(f"The run was resumed: it continues at epoch {', '.join(map(str, seams[:10]))}.")
    if lost:
        were = "epoch was" if lost == 1 else "epochs were"
        notes.append(f"{lost} {were} trained again after resuming; the later values are shown.")
    return counted, np.flatnonzero(keep), tuple(seams)


def _counted(table: Table, rows: int, notes: list[str]) -> Array:
    """Return the file's own epoch numbers, from 1; the row numbers where it has none or unusable ones."""
    if table.epochs is None or len(table.epochs) != rows:
        return np.arange(1, rows + 1, dtype=np.int64)
    try:
        values = np.asarray([_number(value) for value in table.epochs], dtype=np.float64)
    except _NotANumber:
        values = np.full(rows, np.nan)
    if not np.all(np.isfinite(values)) or np.any(values != np.round(values)) or np.any(np.abs(values) > 2**53):
        notes.append("The epoch column holds values that are no epoch; the rows are counted instead.")
        return np.arange(1, rows + 1, dtype=np.int64)
    epochs = values.astype(np.int64)
    return epochs if epochs.min() == 1 else epochs + 1 - min(0, int(epochs.min()))


def _translated(numbers: dict[str, Array], notes: list[str]) -> dict[str, Array]:
    """Give old metric names their present ones (`acc`, `val_acc`, `head_acc`, `lr`)."""
    found = {}
    for name, values in numbers.items():
        front, underscore, last = name.rpartition("_")
        new = front + underscore + OLD_NAMES.get(last, last)
        if new != name and new in numbers:
            notes.append(f"Both `{name}` and `{new}` are recorded; both are shown.")
            new = name
        found[new] = values
    return found


def _own_epochs(name: str, length: int, epochs: Array, numbers: dict[str, Array], notes: list[str]) -> Array:
    """Return the epochs of one metric; a shorter one was recorded every k-th epoch, or is set at the beginning."""
    total = len(epochs)
    if length == total:
        return epochs
    step = total // length
    if length > 1 and step > 1 and step * length <= total < step * (length + 1):
        notes.append(
            f"`{name}` has {length} values for {total} epochs; they are taken as recorded every {step} epochs."
        )
        return epochs[step - 1 :: step][:length]
    notes.append(
        f"`{name}` has {length} values where the longest metric has {total}; it is drawn from the first epoch on."
    )
    return epochs[:length]


def _note_gaps(name: str, values: Array, notes: list[str]) -> None:
    """Count values that are not finite."""
    missing, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    if missing:
        notes.append(f"`{name}` is not a number in {missing:,} of {values.size:,} epochs.")
    if infinite:
        notes.append(f"`{name}` is infinite in {infinite:,} of {values.size:,} epochs.")
