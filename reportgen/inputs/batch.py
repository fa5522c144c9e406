"""describe_batch: the configuration's batch and the file's headers -> what the worker should read. No data is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from reportgen.config_batch import Batch, Normalize
from reportgen.config_values import FUNCTION
from reportgen.errors import InputRefused
from reportgen.inputs.array_batch import describe_hdf5, describe_npy, describe_npz
from reportgen.inputs.described import Described
from reportgen.inputs.ends import Ends
from reportgen.inputs.files import check_file, shown
from reportgen.inputs.labels import load_class_names
from reportgen.inputs.other_batch import describe_dataset, describe_function, describe_images, describe_tfrecord
from reportgen.inputs.table_batch import describe_csv, describe_parquet
from reportgen.worker.plan import BatchSpec, NormalizeSpec

Describe = Callable[[Batch, Ends, Path | None], Described]
DESCRIBERS: dict[str, Describe] = {
    "npz": describe_npz,
    "npy": describe_npy,
    "hdf5": describe_hdf5,
    "csv": describe_csv,
    "parquet": describe_parquet,
    "images": describe_images,
    "tfrecord": describe_tfrecord,
    "dataset": describe_dataset,
    "function": describe_function,
}
MAGIC = ((b"\x93NUMPY", "npy"), (b"\x89HDF", "hdf5"), (b"PAR1", "parquet"), (b"PK", "npz"))
SUFFIXES = {
    ".npz": "npz",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".tfrecord": "tfrecord",
    ".tfrecords": "tfrecord",
}


def describe_batch(batch: Batch, ends: Ends | None = None) -> BatchSpec:
    """Return the worker's orders for a batch; see `inspect_batch`."""
    return inspect_batch(batch, ends).spec


def inspect_batch(batch: Batch, ends: Ends | None = None, confine: Path | None = None, root: str = "") -> Described:
    """Check what the configuration names, by the headers, and return the worker's orders and what was found.

    With the model's ends known, text and class names are held against them too; with `confine`, links must stay below
    it; `root` is where a function is looked for. Raises InputRefused naming the file, the array and the fix.
    """
    ends = ends or Ends()
    found = DESCRIBERS[recognise(batch)](batch, ends, confine)
    classes = {output: load_class_names(given) for output, given in batch.classes.items()} | found.spec.classes
    for output, names in classes.items():
        _check_columns(names, output, found, shown(batch.path))
        _check_width(names, output, ends)
    _check_inputs(batch, list(found.spec.x))
    normalize = {key: _normalize(given) for key, given in batch.normalize.items()}
    features = {**found.spec.features, **({"": batch.features} if batch.features else {})}
    spec = replace(found.spec, classes=classes, normalize=normalize, features=features, root=root)
    return replace(found, spec=spec)


def recognise(batch: Batch) -> str:
    """Return the format of a batch, from what lies at its path; raises InputRefused."""
    path = batch.path
    if FUNCTION.fullmatch(str(path)):
        return "function"
    if path.is_dir():
        return _recognise_folder(path)
    check_file(path, "the batch")
    if batch.tfrecord:
        return "tfrecord"
    by_name = SUFFIXES.get(path.suffix.lower(), "")
    if by_name == "npz":
        return by_name
    with path.open("rb") as stream:
        head = stream.read(8)
    by_content = next((kind for magic, kind in MAGIC if head.startswith(magic)), "")
    if by_content or by_name:
        return by_content or by_name
    known = "NPZ, NPY, HDF5, CSV, Parquet, TFRecord, a folder of pictures or a saved dataset"
    raise InputRefused(f"{shown(path)}: is none of the batches that can be read ({known})")


def _recognise_folder(path: Path) -> str:
    """Tell a saved dataset, NPY files and pictures apart."""
    if (path / "dataset_spec.pb").is_file():
        return "dataset"
    return "npy" if any(entry.suffix == ".npy" for entry in path.iterdir()) else "images"


def _check_inputs(batch: Batch, inputs: list[str]) -> None:
    """Refuse settings for an input that the batch does not have, or for "the only one" where there are several."""
    for part in ("normalize", "display", "vocabulary"):
        for key in getattr(batch, part):
            if key and key not in inputs and any(inputs):
                raise InputRefused(f"batch.{part}: there is no input `{key}`; batch.x has {', '.join(inputs)}")
            if not key and len(inputs) > 1:
                raise InputRefused(f"batch.{part}: say which input: {part}: {{{inputs[0]}: ...}} ({', '.join(inputs)})")


def _normalize(given: Normalize) -> NormalizeSpec:
    """Return what the worker does to one input."""
    return NormalizeSpec(given.scale, tuple(given.mean), tuple(given.std), given.preprocess or "")


def _check_columns(names: tuple[str, ...], output: str, found: Described, name: str) -> None:
    """Refuse class names that do not fit one-hot labels, whose width is known from the header."""
    width = found.widths.get(output, found.widths.get("", 0) if len(found.spec.y) == 1 else 0)
    if width > 1 and len(names) != width:
        array = found.spec.y.get(output) or next(iter(found.spec.y.values()))
        text = f"{len(names)} class names are given and the labels `{array}` have {width} columns"
        raise InputRefused(f"{name}: {text}; name each column")


def _check_width(names: tuple[str, ...], output: str, ends: Ends) -> None:
    """Refuse class names that are fewer or more than the model has outputs."""
    widths = ends.outputs
    width = widths.get(output) if output or len(widths) != 1 else next(iter(widths.values()))
    expected = 2 if width == 1 else width
    if expected is not None and len(names) != expected:
        which = f" of `{output}`" if output else ""
        text = f"{len(names)} class names are given and the model's output{which} has {width} "
        text += "unit (two classes)" if width == 1 else "units"
        raise InputRefused(f"batch.classes: {text}; name each class, in the order of the outputs")
