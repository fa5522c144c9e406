"""A history as JSON: Keras's `History.history`, a list of epochs, JSON lines, or what `DataFrame.to_json` writes."""

from __future__ import annotations

import json
from typing import Any

from reportgen.inputs.history_table import Table, Unreadable, table_from_rows


def read_history_json(text: str) -> Table:
    """Return the table of a JSON history; raises Unreadable."""
    try:
        data = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return _read_lines(text)
        raise Unreadable(f"not JSON: {error.msg.lower()} (column {error.colno})", error.lineno) from None
    except RecursionError:
        raise Unreadable("nested too deep for a history") from None
    except ValueError:
        raise Unreadable("holds a number with thousands of digits") from None
    return _table(data)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a mapping; refuse a name that stands twice, because only one of the two could be shown."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"the key `{twice}` stands twice; keep one")
    return found


def _read_lines(text: str) -> Table:
    """Read JSON lines: one object an epoch; a last line that was cut off is left out."""
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    lines = text.rstrip().splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_unique)
        except Unreadable as error:
            raise Unreadable(error.problem, number) from None
        except (ValueError, RecursionError):
            if rows and number == len(lines):
                notes.append(f"Line {number}, the last one, is cut off and was left out.")
                break
            raise Unreadable("not JSON, and not JSON lines (one object a line)", number) from None
        if not isinstance(row, dict):
            raise Unreadable("a line must hold one object: metric names and numbers", number)
        rows.append(row)
    table = table_from_rows(rows)
    table.notes = notes
    return table


def _table(data: Any) -> Table:
    """Tell the forms of a JSON history apart."""
    if isinstance(data, list) and all(isinstance(row, dict) for row in data):
        return table_from_rows(data)
    if not isinstance(data, dict):
        raise Unreadable('must hold metrics by name, such as {"loss": [0.9, 0.5], "val_loss": [1.0, 0.7]}')
    if "epoch" in data and not any(isinstance(value, (list, dict)) for value in data.values()):
        return table_from_rows([data])  # JSON lines of one line
    epochs = data.get("epoch") if isinstance(data.get("epoch"), list) else None
    inner = data.get("history")
    if isinstance(inner, dict):
        data = inner
    table = Table(epochs=epochs, counts_from_zero=epochs is not None)
    for name, values in data.items():
        if name == "epoch" and epochs is not None:
            continue
        if isinstance(values, dict) and values and all(key.isdigit() and len(key) < 16 for key in values):
            values = [values[key] for key in sorted(values, key=int)]
        table.columns[name] = values if isinstance(values, list) else [values]
    if table.epochs is not None and any(len(values) != len(table.epochs) for values in table.columns.values()):
        table.epochs = None
    return table
