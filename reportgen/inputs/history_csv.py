"""A history as CSV, as CSVLogger writes it: any separator, with or without a byte-order mark, runs appended to runs."""

from __future__ import annotations

import csv
import io

from reportgen.inputs.history_table import Table, Unreadable, table_from_rows

SEPARATORS = (",", ";", "\t", "|", ":", " ")


def read_history_csv(text: str) -> Table:
    """Return the table of a CSV history; raises Unreadable with the line number."""
    if "\0" in text:
        raise Unreadable(
            "holds a NUL byte; the file is damaged or not a CSV file", text[: text.index("\0")].count("\n") + 1
        )
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(SEPARATORS, key=lambda mark: (first.count(mark), -SEPARATORS.index(mark)))
    return _rows_to_table(_read_rows(text, separator), separator)


FIELD_LIMIT = 131_072  # characters of one number, many times over


def _read_rows(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Return the non-empty rows with their line numbers."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    rows: list[tuple[int, list[str]]] = []
    csv.field_size_limit(FIELD_LIMIT)  # the module's limit is shared: a reader of batches may have raised it
    try:
        for row in reader:
            if any(field.strip() for field in row):
                rows.append((reader.line_num, [field.strip() for field in row]))
    except csv.Error as error:
        raise Unreadable(f"not readable as CSV: {error}", reader.line_num) from None
    return rows


def _is_number(text: str) -> bool:
    """Tell whether `text` reads as a number."""
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _check_header(header: list[str], line: int) -> list[str]:
    """Return the column names; refuse a missing header and names that stand twice."""
    if all(_is_number(name) for name in header):
        raise Unreadable("the first line must name the columns (epoch, loss, ...)", line)
    seen: set[str] = set()
    for name in header:
        if name in seen:
            raise Unreadable(f"the column `{name}` stands twice; keep one", line)
        seen.add(name)
    return header


def _rows_to_table(rows: list[tuple[int, list[str]]], separator: str) -> Table:
    """Turn the rows into columns; a later header starts a resumed run, a short last row was cut off."""
    header: list[str] = []
    found: list[dict[str, str]] = []
    seams: list[int] = []
    notes: list[str] = []
    for index, (line, row) in enumerate(rows):
        if not header or (not _is_number(row[0]) and row[0] == header[0]):
            header = _check_header(row, line)
            seams += [len(found)] if found else []
            continue
        if len(row) != len(header):
            if index == len(rows) - 1 and len(row) < len(header):
                notes.append(f"Line {line}, the last one, is cut off and was left out.")
                break
            raise Unreadable(f"{len(row)} fields where the header has {len(header)}", line)
        if separator != ",":
            row = [field.replace(",", ".") if field.count(",") == 1 else field for field in row]
        found.append(dict(zip(header, row, strict=True)))
    table = table_from_rows(found) if found else Table()
    table.seams, table.notes = seams, notes
    return table
