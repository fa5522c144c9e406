"""Pickled histories, where the command line allows them (--trust=pickle): numbers, texts, lists and mappings only.

The unpickler knows five names of NumPy, and stands in for each with a function of its own that checks what it is given;
everything else is refused by name. So nothing that a pickle names is ever called.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict, defaultdict
from typing import Any

import numpy as np

from reportgen.inputs.history_table import Table, Unreadable

DEPTH = 4
ITEMS = 10_000_000
CODES = frozenset(f"{kind}{size}" for kind in "iuf" for size in (1, 2, 4, 8)) | {"b1", "O8"}


class _Type:
    """Stands in for numpy.dtype: remembers a type's code, if it is a plain number's."""

    def __init__(self, code: Any = "", *rest: Any) -> None:
        if code not in CODES:
            raise Unreadable(f"the pickle holds the NumPy type `{str(code)[:20]}`; only plain numbers are read")
        self.code = str(code)
        self.big = False

    def __setstate__(self, state: Any) -> None:
        self.big = isinstance(state, tuple) and len(state) > 1 and state[1] == ">"

    def read(self, data: Any) -> Any:
        """Return the numbers that bytes hold."""
        raw = data.encode("latin-1") if isinstance(data, str) else data
        if self.code == "O8" or not isinstance(raw, bytes):
            raise Unreadable("the pickle holds an array that is not made of plain numbers")
        return np.frombuffer(raw, np.dtype(f"{'>' if self.big else '<'}{self.code}")).astype(np.float64)


class _Array:
    """Stands in for numpy.ndarray while it is restored."""

    values: Any = ()

    def __init__(self, *ignored: Any) -> None:
        self.values = []

    def __setstate__(self, state: Any) -> None:
        parts = list(state) if isinstance(state, tuple) else []
        if len(parts) != 5 or not isinstance(parts[2], _Type):
            raise Unreadable("the pickle holds a damaged array")
        kind, data = parts[2], parts[4]
        self.values = data if kind.code == "O8" and isinstance(data, list) else kind.read(data).tolist()


def _scalar(kind: Any, data: Any = b"") -> float:
    """Stand in for numpy's scalar: one number."""
    found = kind.read(data) if isinstance(kind, _Type) else []
    if len(found) != 1:
        raise Unreadable("the pickle holds a damaged number")
    return float(found[0])


def _encode(text: Any, codec: Any = "latin1") -> bytes:
    """Stand in for _codecs.encode, by which old pickles write bytes."""
    if not isinstance(text, str) or codec not in ("latin1", "latin-1"):
        raise Unreadable("the pickle holds damaged bytes")
    return text.encode("latin-1")


def _frombuffer(data: Any, kind: Any, *rest: Any) -> _Array:
    """Stand in for numpy's _frombuffer (protocol 5)."""
    if not isinstance(kind, _Type):
        raise Unreadable("the pickle holds a damaged array")
    array = _Array()
    array.values = kind.read(bytes(data) if isinstance(data, (bytearray, memoryview)) else data).tolist()
    return array


_ALLOWED: dict[tuple[str, str], Any] = {("numpy", "dtype"): _Type, ("numpy", "ndarray"): _Array}
for _module in ("numpy.core", "numpy._core"):
    _ALLOWED |= {(f"{_module}.multiarray", "scalar"): _scalar, (f"{_module}.numeric", "_frombuffer"): _frombuffer}
    _ALLOWED[(f"{_module}.multiarray", "_reconstruct")] = _Array
_ALLOWED |= {("_codecs", "encode"): _encode, ("collections", "OrderedDict"): OrderedDict}


class _Unpickler(pickle._Unpickler):
    """Resolves the allowed names only.

    Python's own unpickler, not the one in C: a crafted file makes that one reserve memory for an index that it names,
    and reach behind its buffers.
    """

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for an allowed name; raises Unreadable for any other."""
        if (module, name) == ("collections", "defaultdict"):
            return lambda factory=None, *items: defaultdict(None, *items)
        if (module, name) in (("builtins", "list"), ("__builtin__", "list")):
            return list
        if (module, name) not in _ALLOWED:
            raise Unreadable(f"the pickle names `{module[:60]}.{name[:60]}`, which is never loaded; save it as JSON")
        return _ALLOWED[(module, name)]


def read_history_pickle(data: bytes) -> Table:
    """Return the table of a pickled `History.history`; raises Unreadable."""
    try:
        found = _plain(_Unpickler(io.BytesIO(data)).load(), 0, [0])
    except Unreadable:
        raise
    except Exception as error:  # an unpickler fails in as many ways as there are bytes
        said = f"{type(error).__name__}: {error}".splitlines()[0][:100]
        raise Unreadable(f"the pickle cannot be read ({said}); save it as JSON") from None
    if isinstance(found, dict) and isinstance(found.get("history"), dict):
        found = found["history"]
    if not isinstance(found, dict):
        raise Unreadable("the pickle holds no mapping from metric names to values; save history.history as JSON")
    return Table({str(name): values if isinstance(values, list) else [values] for name, values in found.items()})


def _plain(value: Any, depth: int, count: list[int]) -> Any:
    """Return a value as plain lists, mappings, numbers and texts, within bounds."""
    count[0] += 1
    if depth > DEPTH or count[0] > ITEMS:
        raise Unreadable("the pickle holds more, or deeper, than a history")
    if isinstance(value, _Array):
        value = value.values[0] if len(value.values) == 1 and isinstance(value.values[0], dict) else value.values
    if isinstance(value, dict):
        return {str(key)[:1000]: _plain(item, depth + 1, count) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1, count) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)[:100]
