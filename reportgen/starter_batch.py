"""A test batch in a folder: every format that a report reads, its arrays chosen by name, then by shape.

A proposal is taken only if the batch passes the checks that a build makes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reportgen.config_batch import Batch, Feature
from reportgen.errors import InputRefused
from reportgen.inputs.array_batch import read_hdf5_headers
from reportgen.inputs.batch import inspect_batch
from reportgen.inputs.described import ArrayHeader
from reportgen.inputs.npz import read_npz_headers
from reportgen.starter_files import Found
from reportgen.starter_records import describe_records
from reportgen.worker.batch.csv_rows import read_header, scan_csv
from reportgen.worker.batch.npy import read_npy_header
from reportgen.worker.batch.pictures import SUFFIXES as PICTURES

X_NAMES = ("x_test", "x", "images", "image", "inputs", "input", "features", "data", "x_val", "tokens", "text", "texts")
Y_NAMES = ("y_test", "y", "labels", "label", "targets", "target", "y_true", "masks", "y_val", "class", "classes")
ID_NAMES = ("ids", "id", "sample_ids", "names", "files", "filenames", "name", "file", "filename")
_ORDER = ("test", "batch", "eval", "val", "")
_LOOKED_AT = 1_000  # entries of a folder, to find out what it holds
_CLASS_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Proposal:
    """What `batch` would say."""

    path: str
    x: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    y: Mapping[str, str] = field(default_factory=dict)
    ids: str = ""
    tfrecord: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def find_batch(files: list[Path], folders: list[Path], found: Found) -> None:
    """Take the batch whose name speaks of a test."""
    kinds = list(PROPOSERS)
    named = [(path, _recognise(path)) for path in [*files, *folders] if path.name not in (found.model, found.history)]
    candidates = [(path, kind) for path, kind in named if kind]
    candidates.sort(key=lambda pair: (_rank(pair[0].name), kinds.index(pair[1]), pair[0].name))
    for path, kind in candidates:
        if found.batch:
            break
        try:
            proposal = PROPOSERS[kind](path, found)
            if proposal is None:
                continue
            _check(path.parent, proposal, found)
        except InputRefused as error:
            found.notes.append(f"Passed over: {error.message}")
            continue
        found.batch, found.x, found.y = proposal.path, dict(proposal.x), dict(proposal.y)
        found.ids, found.tfrecord = proposal.ids, dict(proposal.tfrecord)
        if "train" in path.name.lower():
            found.notes.append(f"{path.name} looks like training data; a report is worth most on data kept apart.")


def _rank(name: str) -> int:
    """Return how far a name is from that of a test batch."""
    low = name.lower()
    return next(i for i, word in enumerate(_ORDER) if word in low) + (len(_ORDER) if "train" in low else 0)


def _recognise(path: Path) -> str:
    """Return the format that an entry of the folder may be a batch in, "" for none."""
    if path.is_file():
        ending = path.suffix.lower()
        return next((kind for kind, endings in ENDINGS.items() if ending in endings), "")
    if (path / "dataset_spec.pb").is_file():
        return "dataset"
    entries = list(itertools.islice(path.iterdir(), _LOOKED_AT))
    if any(entry.suffix == ".npy" for entry in entries):
        return "npy"
    inner = [item for entry in entries if entry.is_dir() for item in itertools.islice(entry.iterdir(), 50)]
    return "images" if any(item.suffix.lower() in PICTURES for item in [*entries, *inner]) else ""


def _check(folder: Path, proposal: Proposal, found: Found) -> None:
    """Raise InputRefused where a build would refuse the batch."""
    features = {name: Feature(**given) for name, given in proposal.tfrecord.items()}
    batch = Batch(
        path=folder / proposal.path, x=dict(proposal.x), y=dict(proposal.y), ids=proposal.ids, tfrecord=features
    )
    inspect_batch(batch, found.ends)


def _propose_npz(path: Path, found: Found) -> Proposal | None:
    """Choose the arrays of an NPZ file."""
    arrays = read_npz_headers(path)
    proposal = _choose(path.name, arrays, found)
    if proposal is None:
        found.notes.append(f"{path.name} holds no array that could be the inputs ({', '.join(list(arrays)[:8])}).")
    return proposal


def _propose_hdf5(path: Path, found: Found) -> Proposal | None:
    """Choose the datasets of an HDF5 file; one that has none of the usual names may be anything, such as weights."""
    arrays = read_hdf5_headers(path)
    usual = [name for name in arrays if name.lower() in X_NAMES or name in found.ends.inputs]
    return _choose(path.name, arrays, found) if usual else None


def _propose_npy(path: Path, found: Found) -> Proposal | None:
    """Choose NPY files: those of a folder, or those beside the one that may hold the inputs."""
    folder = path if path.is_dir() else path.parent
    if folder != path and not any(path.stem.lower() == name or path.stem in found.ends.inputs for name in X_NAMES):
        return None
    headers = {file.stem: header for file in sorted(folder.glob("*.npy")) if (header := _npy_header(file))}
    proposal = _choose(path.name, headers, found)
    if proposal is None:
        return None
    x, y = ({end: f"{name}.npy" for end, name in part.items()} for part in (proposal.x, proposal.y))
    return replace(proposal, x=x, y=y, ids=proposal.ids and f"{proposal.ids}.npy")


def _npy_header(path: Path) -> ArrayHeader | None:
    """Return the header of an NPY file, None for what is none."""
    try:
        with path.open("rb") as file:
            shape, _, dtype = read_npy_header(file)
    except (OSError, ValueError, TypeError, EOFError):
        return None
    size = path.stat().st_size
    return ArrayHeader(path.stem, tuple(int(length) for length in shape), dtype, size, size)


def _propose_csv(path: Path, found: Found) -> Proposal | None:
    """Choose the columns of a CSV file."""
    _, header = read_header(path)
    kinds = scan_csv(path, list(header), [], _CLASS_LIMIT).kinds
    return _choose_columns(path.name, header, {name for name in header if kinds[name] == "text"}, found)


def _propose_parquet(path: Path, found: Found) -> Proposal | None:
    """Choose the columns of a Parquet file."""
    from reportgen.worker.batch.parquet import open_file

    schema = open_file(path).schema_arrow
    texts = {name for name in schema.names if "string" in str(schema.field(name).type)}
    return _choose_columns(path.name, tuple(schema.names), texts, found)


def _choose_columns(name: str, header: tuple[str, ...], texts: set[str], found: Found) -> Proposal:
    """Choose label and id columns by name, else a last column of text; the inputs are the other columns of numbers."""
    outputs, inputs = list(found.ends.outputs), list(found.ends.inputs)
    low = {column.lower(): column for column in reversed(header)}
    y = _by_end(outputs, header, Y_NAMES)
    if not y:
        label = next((low[wanted] for wanted in (*Y_NAMES, *outputs) if wanted in low), "")
        label = label or (header[-1] if header[-1] in texts and "string" not in found.ends.inputs.values() else "")
        y = {"": label} if label else {}
    ids = next((low[wanted] for wanted in ID_NAMES if wanted in low and low[wanted] not in y.values()), "")
    left = [column for column in header if column not in (*y.values(), ids)]
    x: dict[str, str | tuple[str, ...]] = dict(_by_end(inputs, tuple(left), X_NAMES))
    if not x and "string" in found.ends.inputs.values():
        text = next((column for column in left if column in texts), "")
        x = {"": text} if text else {}
    elif not x and any(column in texts for column in left):
        x = {"": tuple(column for column in left if column not in texts)}
    return Proposal(name, x, y, ids)


def _propose_tfrecord(path: Path, found: Found) -> Proposal | None:
    """Describe the features of a TFRecord by its first record, and choose among them."""
    records = describe_records(path, found.shapes)
    inputs, outputs = list(found.ends.inputs), list(found.ends.outputs)
    x = _by_end(inputs, tuple(records), X_NAMES)
    named = next((name for name in (*X_NAMES, *inputs) if name in records), "")
    largest = max(records, key=lambda name: records[name]["size"], default="")
    x = x or ({"": named or largest} if largest else {})
    left = tuple(name for name in records if name not in x.values())
    y = _by_end(outputs, left, Y_NAMES)
    label = next((name for name in (*Y_NAMES, *outputs) if name in left), "")
    y = y or ({"": label} if label else {})
    ids = next((name for name in ID_NAMES if name in left and name not in y.values()), "")
    features = {
        name: {key: value for key, value in records[name].items() if key != "size"}
        for name in (*x.values(), *y.values(), *([ids] if ids else []))
    }
    return Proposal(path.name, x, y, ids, features) if x else None


def _propose_folder(path: Path, found: Found) -> Proposal | None:
    """Take a folder of pictures or a saved dataset as it is."""
    return Proposal(path.name)


def _choose(name: str, arrays: Mapping[str, ArrayHeader], found: Found) -> Proposal | None:
    """Choose inputs, labels and ids among arrays by name, then by shape; None without inputs."""
    usable = {key: header for key, header in arrays.items() if header.shape and not header.dtype.hasobject}
    numbers = {key: header for key, header in usable.items() if header.dtype.kind in "biuf"}
    inputs = usable if "string" in found.ends.inputs.values() else numbers
    x = _by_end(list(found.ends.inputs), tuple(inputs), X_NAMES)
    if not x:
        named = next((key for key in X_NAMES if key in inputs), "")
        widest = max(inputs, key=lambda key: (len(inputs[key].shape), inputs[key].declared), default="")
        x = {"": named or widest} if named or widest else {}
    if not x:
        return None
    samples = arrays[next(iter(x.values()))].shape[0]
    left = {key: head for key, head in numbers.items() if key not in x.values() and head.shape[0] == samples}
    y = _by_end(list(found.ends.outputs), tuple(left), Y_NAMES)
    named = next((key for key in Y_NAMES if key in left), "")
    y = y or ({"": named} if named else {})
    ids = [key for key in ID_NAMES if key in usable and usable[key].shape == (samples,)]
    return Proposal(name, x, y, next((key for key in ids if usable[key].dtype.kind in "SUiu"), ""))


def _by_end(ends: list[str], arrays: tuple[str, ...], names: tuple[str, ...]) -> dict[str, str]:
    """Match several inputs or outputs with arrays that carry their names; empty when one of them has none."""
    if len(ends) < 2:
        return {}
    chosen = {}
    for end in ends:
        wanted = [end, *(f"{name}_{end}" for name in names), *(f"{name[0]}_{end}" for name in names)]
        match = next((name for name in wanted if name in arrays), "")
        if not match:
            return {}
        chosen[end] = match
    return chosen


ENDINGS = {
    "npz": (".npz",),
    "hdf5": (".h5", ".hdf5"),
    "npy": (".npy",),
    "csv": (".csv", ".tsv"),
    "parquet": (".parquet",),
    "tfrecord": (".tfrecord", ".tfrecords"),
}
PROPOSERS: dict[str, Callable[[Path, Found], Proposal | None]] = {
    "npz": _propose_npz,
    "hdf5": _propose_hdf5,
    "npy": _propose_npy,
    "tfrecord": _propose_tfrecord,
    "dataset": _propose_folder,
    "images": _propose_folder,
    "parquet": _propose_parquet,
    "csv": _propose_csv,
}
