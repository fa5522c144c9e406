"""Batches in tables: CSV and Parquet. Columns become inputs and labels by name; texts of labels become class names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reportgen.config_batch import Batch
from reportgen.errors import InputRefused
from reportgen.inputs.array_batch import takes_text
from reportgen.inputs.described import Described, find_name
from reportgen.inputs.ends import Ends
from reportgen.inputs.files import check_file, shown
from reportgen.inputs.labels import load_class_names
from reportgen.worker.batch.csv_rows import read_header, scan_csv
from reportgen.worker.plan import BatchSpec

CLASS_LIMIT = 10_000


def describe_csv(batch: Batch, ends: Ends, confine: Path | None) -> Described:
    """Describe a CSV file. All of it is read once, so that a bad line is told before anything heavy starts."""
    check_file(batch.path, "the batch")
    _, header = read_header(batch.path)
    spec, labels = _plan(batch, header, "csv", shown(batch.path))
    wanted = list(dict.fromkeys([*_inputs(spec), *labels]))
    scan = scan_csv(batch.path, wanted, labels, CLASS_LIMIT)
    kinds = {name: scan.kinds[name] for name in wanted}
    return _finish(batch, ends, spec, kinds, scan.texts, scan.n)


def describe_parquet(batch: Batch, ends: Ends, confine: Path | None) -> Described:
    """Describe a Parquet file by its schema; label columns of text are read for their class names."""
    from reportgen.worker.batch.parquet import open_file, read_batches

    check_file(batch.path, "the batch")
    file = open_file(batch.path)
    schema = file.schema_arrow
    spec, labels = _plan(batch, tuple(schema.names), "parquet", shown(batch.path))
    kinds = {name: _arrow_kind(schema.field(name).type) for name in schema.names}
    texts: dict[str, set[str]] = {name: set() for name in labels if kinds[name] == "text"}
    for part in read_batches(file, 65_536, list(texts), shown(batch.path)) if texts else ():
        for name, found in texts.items():
            found.update("" if text is None else str(text) for text in part.column(name).unique().to_pylist())
            if len(found) > CLASS_LIMIT:
                raise InputRefused(f"{shown(batch.path)}: the labels `{name}` hold more than {CLASS_LIMIT:,} texts")
    named = {name: tuple(sorted(found)) for name, found in texts.items()}
    return _finish(batch, ends, spec, kinds, named, file.metadata.num_rows)


def _arrow_kind(type_: object) -> str:
    """Return "text" or the name of an Arrow type."""
    name = str(type_)
    return "text" if "string" in name else name


def _plan(batch: Batch, header: Sequence[str], kind: str, name: str) -> tuple[BatchSpec, list[str]]:
    """Return the worker's orders for the columns, and the label columns that may hold texts."""
    if batch.ids:
        find_name(header, batch.ids, "batch.ids", name, "column")
    columns: dict[str, tuple[str, ...]] = {}
    y = _arrays(batch.y, "y", header, columns, name)
    taken = {batch.ids, *(column for array in y.values() for column in columns[array])}
    given: Mapping[str, str | tuple[str, ...]] = batch.x
    if not given:
        given = {"": tuple(column for column in header if column not in taken)}
        if not given[""]:
            raise InputRefused(f"{name}: no column is left for the inputs; name them: batch.x")
    x = _arrays(given, "x", header, columns, name)
    features = {key: columns[array] for key, array in x.items() if columns[array] != (array,)}
    labels = [array for array in y.values() if columns[array] == (array,)]
    spec = BatchSpec(str(batch.path), kind, x, y, ids=batch.ids, columns=columns, features=features)
    return spec, labels


def _arrays(
    given: Mapping[str, str | tuple[str, ...]],
    role: str,
    header: Sequence[str],
    columns: dict[str, tuple[str, ...]],
    name: str,
) -> dict[str, str]:
    """Name an array for each input or output and note its columns; one column keeps its own name."""
    found, known = {}, frozenset(header)
    for key, value in given.items():
        listed = (value,) if isinstance(value, str) else value
        for column in listed:
            if column in known:
                continue
            find_name(header, column, f"batch.{role}{'.' + key if key else ''}", name, "column")
        array = value if isinstance(value, str) else f"{role} {key}".strip()
        while (array in columns and columns[array] != listed) or (not isinstance(value, str) and array in header):
            array += " columns"
        columns[array] = listed
        found[key] = array
    return found


def _inputs(spec: BatchSpec) -> list[str]:
    """Return all columns of inputs, and those of labels that are several a sample."""
    arrays = [*spec.x.values(), *(array for array in spec.y.values() if spec.columns[array] != (array,))]
    return list(dict.fromkeys(column for array in arrays for column in spec.columns[array]))


def _finish(
    batch: Batch,
    ends: Ends,
    spec: BatchSpec,
    kinds: Mapping[str, str],
    texts: Mapping[str, tuple[str, ...]],
    samples: int,
) -> Described:
    """Refuse text where numbers are needed; take class names from the labels where none are given."""
    name = shown(batch.path)
    for key, array in spec.x.items():
        bad = next((column for column in spec.columns[array] if kinds.get(column) == "text"), None)
        alone = spec.columns[array] == (array,)
        if bad is not None and not (alone and takes_text(f"batch.x.{key}", ends)):
            text = f"the column `{bad}` (batch.x) holds text; name the columns of numbers, or encode it as for training"
            raise InputRefused(f"{name}: {text}")
    classes = {}
    for key, array in spec.y.items():
        if array not in texts or not texts[array]:
            continue
        given = batch.classes.get(key, batch.classes.get(""))
        names = load_class_names(given) if given is not None else texts[array]
        unknown = [text for text in texts[array] if text not in names]
        if unknown:
            raise InputRefused(
                f"{name}: the label `{unknown[0][:60]}` (column `{array}`) is none of batch.classes; add it"
            )
        classes[key] = names
    parts = [
        _words(role, key, spec, array, kinds) for role, a in (("x", spec.x), ("y", spec.y)) for key, array in a.items()
    ]
    spec = _with_classes(spec, classes)
    return Described(spec, samples, tuple(parts), {})


def _with_classes(spec: BatchSpec, classes: dict[str, tuple[str, ...]]) -> BatchSpec:
    """Return the orders with class names that the labels gave."""
    return replace(spec, classes=classes)


def _words(role: str, key: str, spec: BatchSpec, array: str, kinds: Mapping[str, str]) -> str:
    """Say what one array is, for `check`."""
    columns = spec.columns[array]
    what = f"{array} {kinds.get(array, '')}".strip() if columns == (array,) else f"{len(columns)} columns"
    return f"{role}{'.' + key if key else ''} = {what}"
