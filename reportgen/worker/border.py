"""What crosses between the two processes: dataclasses as JSON, arrays as a row of NPY records. Never pickle.

The side that reads trusts nothing: every field is checked against the dataclass's own type hints, unknown or missing
fields, object arrays, headers that claim more bytes than the file has, and oversized texts are refused with
`BorderError`.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import math
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from reportgen.analysis.evidence import WorkerEvidence
from reportgen.worker.plan import Plan

PLAN, EVIDENCE, ARRAYS = "plan.json", "evidence.json", "evidence.npy"
MAX_JSON = 64 * 2**20
MAX_ARRAYS = 1024 * 2**20
MAX_TEXT = 4 * 2**20
KINDS = "biufUS"
T = TypeVar("T")


class BorderError(ValueError):
    """What came over the border is not what was agreed."""


def write_plan(plan: Plan, folder: Path) -> None:
    """Write `plan.json` into the private folder."""
    (folder / PLAN).write_text(json.dumps(dataclasses.asdict(plan)), encoding="utf-8")


def read_plan(folder: Path) -> Plan:
    """Read the plan; raises BorderError."""
    return _decode(Plan, _read_json(folder / PLAN), [], "plan")


def write_evidence(evidence: WorkerEvidence, folder: Path) -> None:
    """Write `evidence.npy` and then `evidence.json`, so that the JSON's presence means that both are whole."""
    arrays: list[Any] = []
    tree = _encode(evidence, arrays)
    with (folder / ARRAYS).open("wb") as file:
        for array in arrays:
            np.lib.format.write_array(file, array, allow_pickle=False)
    (folder / EVIDENCE).write_text(json.dumps(tree), encoding="utf-8")


def read_evidence(folder: Path) -> WorkerEvidence:
    """Read and check what the worker left; raises BorderError."""
    tree = _read_json(folder / EVIDENCE)
    return _decode(WorkerEvidence, tree, _read_arrays(folder / ARRAYS), "evidence")


def _encode(value: Any, arrays: list[Any]) -> Any:
    """Return JSON data for a value; arrays are appended to `arrays` and replaced by their index."""
    if isinstance(value, np.ndarray):
        arrays.append(_plain_array(value))
        return {"array": len(arrays) - 1}
    if isinstance(value, np.generic):
        return value.item()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _encode(getattr(value, f.name), arrays) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _encode(item, arrays) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_encode(item, arrays) for item in value]
    return value


def _plain_array(array: Any) -> Any:
    """Return a little-endian C-order array of numbers or text; other dtypes become float32 or text."""
    if array.dtype.kind == "O":
        array = array.astype(str)
    elif array.dtype.kind not in KINDS:
        array = array.astype(np.float32)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)


def _read_json(path: Path) -> Any:
    """Parse one JSON file of bounded size."""
    try:
        if path.stat().st_size > MAX_JSON:
            raise BorderError(f"{path.name} is larger than {MAX_JSON} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BorderError(f"{path.name} cannot be read: {error}") from error


def _read_arrays(path: Path) -> list[Any]:
    """Read all NPY records of one file, each checked against the bytes that are really there."""
    try:
        if path.stat().st_size > MAX_ARRAYS:
            raise BorderError(f"{path.name} is larger than {MAX_ARRAYS} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise BorderError(f"{path.name} cannot be read: {error}") from error
    file, arrays = io.BytesIO(data), []
    while file.tell() < len(data):
        arrays.append(_read_array(file, len(data)))
    return arrays


def _read_array(file: io.BytesIO, end: int) -> Any:
    """Read one NPY record."""
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise BorderError("an NPY record has another version than 1.0")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    except ValueError as error:
        raise BorderError(f"an NPY record is broken: {error}") from error
    size = math.prod(shape) * dtype.itemsize
    if dtype.kind not in KINDS or fortran or size > end - file.tell():
        raise BorderError(f"an NPY record of {dtype} {shape} was not expected")
    return np.frombuffer(file.read(size), dtype=dtype).reshape(shape) if size else np.zeros(shape, dtype)


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    """Return the resolved type hints of a dataclass."""
    return typing.get_type_hints(cls)


def _decode(kind: type[T], value: Any, arrays: list[Any], place: str) -> T:
    """Return `value` as an instance of the dataclass `kind`."""
    if not isinstance(value, dict):
        raise BorderError(f"{place}: expected an object")
    hints: dict[str, Any] = _hints(kind)  # type: ignore[arg-type]
    unknown = [key for key in value if key not in hints]
    needed = [f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING]  # type: ignore[arg-type]
    missing = [name for name in needed if name not in value]
    if unknown or missing:
        raise BorderError(f"{place}: unknown {unknown[:3]}, missing {missing[:3]}")
    return kind(**{key: _as(hints[key], item, arrays, f"{place}.{key}") for key, item in value.items()})


def _as(kind: Any, value: Any, arrays: list[Any], place: str) -> Any:
    """Return JSON data as the type that a hint asks for."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is np.ndarray:
        return _as_array(value, arrays, place)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        return _as(next(arg for arg in args if arg is not type(None)), value, arrays, place)
    if origin is tuple:
        return _as_tuple(args, value, arrays, place)
    if origin is dict and isinstance(value, dict):
        return {_text(key, place): _as(args[1], item, arrays, place) for key, item in value.items()}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _decode(kind, value, arrays, place)
    return _as_scalar(kind, value, place)


def _as_array(value: Any, arrays: list[Any], place: str) -> Any:
    """Return the array that a reference names."""
    index = value.get("array") if isinstance(value, dict) and len(value) == 1 else None
    if type(index) is not int or not 0 <= index < len(arrays):
        raise BorderError(f"{place}: expected an array")
    return arrays[index]


def _as_tuple(args: tuple[Any, ...], value: Any, arrays: list[Any], place: str) -> tuple[Any, ...]:
    """Return a list as a tuple of one type, or of fixed types."""
    if not isinstance(value, list):
        raise BorderError(f"{place}: expected a list")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_as(args[0], item, arrays, place) for item in value)
    if len(args) != len(value):
        raise BorderError(f"{place}: expected {len(args)} items")
    return tuple(_as(arg, item, arrays, place) for arg, item in zip(args, value, strict=True))


def _as_scalar(kind: Any, value: Any, place: str) -> Any:
    """Return a text or number of exactly the expected kind; an integer may stand for a float."""
    if kind is float and type(value) in (int, float):
        return float(value)
    if kind is str:
        return _text(value, place)
    if kind in (int, bool) and type(value) is kind:
        return value
    raise BorderError(f"{place}: expected {getattr(kind, '__name__', kind)}, found {type(value).__name__}")


def _text(value: Any, place: str) -> str:
    """Return a text of bounded length."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise BorderError(f"{place}: expected a text of at most {MAX_TEXT} characters")
    return value
