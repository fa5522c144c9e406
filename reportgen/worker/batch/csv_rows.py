"""Batches in a CSV file, row by row: any separator, decimal commas where commas do not separate, text as text."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.batch.chunk import Array, Chunk, Source
from reportgen.worker.batch.rows import make_chunk, wanted_arrays
from reportgen.worker.batch.table import columns_of, is_flat, label_arrays, stack, to_indices
from reportgen.worker.plan import BatchSpec

SEPARATORS = (",", ";", "\t", "|")
FIELD_LIMIT = 1 << 20
STEP = 4096
MISSING = frozenset({"", "na", "n/a", "nan", "none", "null", "?"})
_WHOLE = re.compile(r"[+-]?[0-9]{1,17}")
TRUTHS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, slots=True)
class Scan:
    """What a CSV file holds: columns and their kinds ("int", "float", "text"), rows, the texts of label columns."""

    separator: str
    header: tuple[str, ...]
    kinds: dict[str, str]
    n: int
    texts: dict[str, tuple[str, ...]]


def open_csv(spec: BatchSpec) -> Source:
    """Scan the file once for types and length. Raises InputRefused with the line of what is wrong."""
    path = Path(spec.path)
    arrays = wanted_arrays(spec)
    wanted = list(dict.fromkeys(column for array in arrays for column in columns_of(spec, array)))
    scan = scan_csv(path, wanted)
    shapes: dict[str, tuple[int, ...]] = {
        key: () if is_flat(spec, name) else (len(columns_of(spec, name)),) for key, name in spec.x.items()
    }
    dtypes = {key: _dtype(scan, columns_of(spec, name)) for key, name in spec.x.items()}
    return Source(scan.n, shapes, dtypes, lambda size: _read(path, spec, scan, wanted, size))


def scan_csv(path: Path, wanted: Sequence[str] = (), labels: Sequence[str] = (), limit: int = 10_000) -> Scan:
    """Read the whole file once, in bounded memory, and return what it holds.

    Looks at the columns in `wanted` (all without any) and gathers at most `limit` distinct texts of those in `labels`.
    """
    separator, header = read_header(path)
    places = {name: place for place, name in enumerate(header)}
    names = [name for name in (wanted or header) if name in places]
    kinds = dict.fromkeys(names, "int")
    texts: dict[str, set[str]] = {name: set() for name in labels}
    n = 0
    for first, rows in _batches(path, separator, header, STEP):
        n += len(rows)
        for name in names:
            column = _column(rows, places[name])
            kinds[name] = _kind(column, kinds[name], separator)
            if name in texts:
                texts[name].update(column)
                if len(texts[name]) > limit:
                    raise InputRefused(
                        f"{path.name}:{first}: the labels `{name}` hold more than {limit:,} different texts; "
                        "are they class names?"
                    )
    found = {name: tuple(sorted(values)) for name, values in texts.items() if kinds.get(name) == "text"}
    return Scan(separator, header, kinds, n, found)


def read_header(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the separator and the column names of a CSV file; raises InputRefused."""
    with _lines(path) as lines:
        first = next((line for line in lines if line.strip()), "")
    separator = max(SEPARATORS, key=lambda mark: (first.count(mark), -SEPARATORS.index(mark)))
    header = tuple(name.strip() for name in next(csv.reader([first], delimiter=separator), []))
    if not header or all(_is_number(name, separator) for name in header):
        raise InputRefused(f"{path.name}:1: the first line must name the columns, such as age,height,label")
    counted = Counter(header)
    twice = next((name for name in header if counted[name] > 1), None)
    if twice is not None:
        raise InputRefused(f"{path.name}:1: the column `{twice}` stands twice; keep one")
    return separator, header


class _lines:
    """The lines of a text file; what is no text, or endless, is refused with its place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0

    def __enter__(self) -> Iterator[str]:
        """Open the file and return its lines."""
        self.file = self.path.open("rb")
        return self._read()

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.file.close()

    def _read(self) -> Iterator[str]:
        """Yield decoded lines."""
        while line := self.file.readline(FIELD_LIMIT):
            self.number += 1
            place = f"{self.path.name}:{self.number}"
            if len(line) == FIELD_LIMIT:
                raise InputRefused(f"{place}: the line has more than {FIELD_LIMIT:,} bytes; is this a CSV file?")
            if b"\0" in line:
                raise InputRefused(f"{place}: holds a NUL byte; the file is damaged or not a CSV file")
            try:
                yield line.decode("utf-8-sig" if self.number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise InputRefused(f"{place}: byte 0x{line[error.start]:02x} is not UTF-8; save it as UTF-8") from None


def _batches(path: Path, separator: str, header: tuple[str, ...], size: int) -> Iterator[tuple[int, list[list[str]]]]:
    """Yield the line number of the first row and up to `size` rows of the header's length."""
    csv.field_size_limit(FIELD_LIMIT)
    with _lines(path) as lines:
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        while rows := _take(reader, size, path, len(header)):
            yield max(1, reader.line_num - len(rows)), rows


def _take(reader: Iterator[list[str]], size: int, path: Path, width: int) -> list[list[str]]:
    """Return up to `size` rows that are not empty; raises InputRefused for one of another length."""
    rows: list[list[str]] = []
    line = getattr(reader, "line_num", 0)
    try:
        for row in itertools.islice((row for row in reader if row), size + (not line)):
            if not line:
                line = 1  # the header
                continue
            if len(row) != width:
                place = f"{path.name}:{getattr(reader, 'line_num', 0)}"
                raise InputRefused(f"{place}: {len(row)} fields where the header has {width}; correct the line")
            rows.append(row)
    except csv.Error as error:
        raise InputRefused(f"{path.name}:{getattr(reader, 'line_num', 0)}: not readable as CSV: {error}") from None
    return rows


def _column(rows: list[list[str]], index: int) -> list[str]:
    """Return one column's texts."""
    return [row[index].strip() for row in rows]


def _kind(texts: list[str], before: str, separator: str) -> str:
    """Return the kind that fits a column so far: a missing number makes it "float", any other text "text"."""
    if before == "text":
        return before
    if before == "int" and all(_WHOLE.fullmatch(text) for text in texts):
        return "int"
    return "float" if all(_is_number(text, separator) for text in texts) else "text"


def _is_number(text: str, separator: str) -> bool:
    """Tell whether a text reads as a number, true or false, or a missing value."""
    try:
        _number(text, separator)
    except ValueError:
        return False
    return True


def _number(text: str, separator: str) -> float:
    """Return a text as a number, NaN where it is missing; raises ValueError."""
    try:
        return float(text)
    except ValueError:
        low = text.lower()
        if low in MISSING:
            return float("nan")
        if low in TRUTHS:
            return TRUTHS[low]
        if separator != "," and text.count(",") == 1:
            return float(text.replace(",", "."))
        raise


def _dtype(scan: Scan, columns: Sequence[str]) -> str:
    """Return the dtype of an array made of columns."""
    kinds = {scan.kinds[column] for column in columns}
    return "str" if "text" in kinds else "float64" if "float" in kinds else "int64"


def _read(path: Path, spec: BatchSpec, scan: Scan, wanted: Sequence[str], size: int) -> Iterator[Chunk]:
    """Yield chunks of at most `size` samples."""
    labels = label_arrays(spec)
    places = {name: place for place, name in enumerate(scan.header)}
    for first, rows in _batches(path, scan.separator, scan.header, size):
        columns = {name: _values(_column(rows, places[name]), scan, name) for name in wanted}
        arrays = {name: stack(spec, name, columns) for name in wanted_arrays(spec)}
        for name, classes in labels.items():
            if arrays[name].dtype.kind == "U":
                arrays[name] = to_indices(arrays[name], classes, f"{path.name}, lines {first} and on")
        yield make_chunk(spec, arrays)


def _values(texts: list[str], scan: Scan, name: str) -> Array:
    """Return one column as int64, float64 or text."""
    kind = scan.kinds[name]
    if kind == "text":
        return np.array(texts, dtype=str)
    if kind == "int":
        return np.array([int(text) for text in texts], dtype=np.int64)
    return np.array([_number(text, scan.separator) for text in texts], dtype=np.float64)
