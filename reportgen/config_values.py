"""The kinds of values that a configuration may hold, as people write them, and the base of its sections."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

Task = Literal[
    "auto",
    "binary",
    "multiclass",
    "multilabel",
    "regression",
    "segmentation",
    "reconstruction",
    "sequence",
    "timeseries",
    "other",
]
Format = Literal["html", "json", "markdown", "junit"]

FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")  # module:function
MOST_SAMPLED = 4096
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_BYTES |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


def _number(value: Any) -> Any:
    """Read a number as people write it (`1e3`, `0.5`, `1_000`, `30%`)."""
    if not isinstance(value, str):
        return value
    text = value.strip().replace("_", "")
    try:
        found = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise ValueError(f"must be a number, not `{value}`") from None
    if not math.isfinite(found):
        raise ValueError(f"must be a finite number, not `{value}`")
    return found


def _whole(value: Any) -> Any:
    """Read a whole number (`32`, `1e3`)."""
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"[+-]?\d{1,18}", value.strip().replace("_", "")):
        return int(value.strip().replace("_", ""))
    found = _number(value)
    if found != int(found):
        raise ValueError(f"must be a whole number, not `{value}`")
    return int(found)


def _memory(value: Any) -> Any:
    """Read a size (`8 GB`, `4GiB`, `500000000`) as bytes."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*([0-9.eE+]+)\s*([A-Za-z]*)\s*", value)
    unit = _BYTES.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError(f"must be a size such as 8 GB or 4 GiB, not `{value}`")
    return int(_number(match[1]) * unit)


def _colour(value: Any) -> Any:
    """Read a colour (`#0b6e4f`, `#0bf`) as #rrggbb."""
    if not isinstance(value, str) or not re.fullmatch(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})", value.strip()):
        raise ValueError(f"must be a colour such as '#0b6e4f' (in quotes: # begins a comment), not `{value}`")
    digits = value.strip()[1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def _sampled(value: Any) -> Any:
    """Read a number of samples, or auto or none."""
    if value in ("auto", "none"):
        return value
    if value is None or isinstance(value, bool) or (isinstance(value, str) and not value.strip()[:1].isdigit()):
        raise ValueError("must be auto, none, or a number of samples")
    count = _whole(value)
    if not isinstance(count, int) or not 0 <= count <= MOST_SAMPLED:
        raise ValueError(f"must be auto, none, or a number of samples up to {MOST_SAMPLED:,}")
    return count or "none"


def _listed(value: Any) -> Any:
    """Take one text where a list of texts is meant."""
    return [value] if isinstance(value, str) else value


def _named(value: Any) -> Any:
    """Take one value where a mapping by input or output name is meant ("" stands for the only one)."""
    return value if isinstance(value, dict) else {"": value}


def _seconds(value: Any) -> Any:
    """Read a duration (`90`, `90s`, `10 min`, `2 h`) as seconds."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*([0-9.eE+]+)\s*(s|min|m|h)?\s*", value)
    if match is None:
        raise ValueError(f"must be a duration such as 600, 10 min or 2 h, not `{value}`")
    return _number(match[1]) * {"h": 3600, "m": 60, "min": 60}.get(match[2] or "s", 1)


def _path(value: Any) -> Any:
    """Refuse texts that cannot be a path: systems know no file name of more than 255 bytes."""
    if isinstance(value, str) and (not value or "\0" in value):
        raise ValueError("must be a path")
    if isinstance(value, str) and any(len(part.encode("utf-8", "replace")) > 255 for part in value.split("/")):
        raise ValueError(f"must be a path; a file's name has at most 255 bytes, not {len(value):,} characters")
    return value


def _names_or_file(value: Any) -> Any:
    """Tell a list of class names from the path of a text file."""
    if isinstance(value, (Path, tuple)):
        return value
    if isinstance(value, str) and value:
        return Path(_path(value))
    if not isinstance(value, list):
        raise ValueError("must be a list of class names or the path of a text file with one a line")
    for number, name in enumerate(value, 1):
        if name is None:
            raise ValueError(f"class {number} has no name (a class called null needs quotes)")
        if not isinstance(name, str):
            raise ValueError(f"class {number} must be a name, not a list or a mapping")
    return tuple(value)


def _histories(value: Any) -> Any:
    """Take one path, or a list of them: the pieces of a run that was resumed."""
    if isinstance(value, (Path, tuple)):
        return value
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in listed):
        raise ValueError("must be a path, or a list of paths in the order in which the run was resumed")
    paths = tuple(Path(_path(item)) for item in listed)
    return paths if isinstance(value, list) else paths[0]


def _array_or_columns(value: Any) -> Any:
    """Take the name of one array or column, or a list of columns."""
    names = value if isinstance(value, (list, tuple)) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError("must be a name, or a list of column names")
    return tuple(names) if isinstance(value, (list, tuple)) else value


_TEXTS = {"type": "array", "items": {"type": "string"}}
_ONE_OR_MORE = {"anyOf": [{"type": "string", "minLength": 1}, _TEXTS]}
_Named = str | dict[str, str]
Number = Annotated[float, BeforeValidator(_number, json_schema_input_type=float | str)]
_SAMPLED = {"anyOf": [{"enum": ["auto", "none"]}, {"type": "integer", "minimum": 0, "maximum": MOST_SAMPLED}]}
Sampled = Annotated[int | str, PlainValidator(_sampled), WithJsonSchema(_SAMPLED)]
Whole = Annotated[int, BeforeValidator(_whole, json_schema_input_type=int)]
Size = Annotated[int, BeforeValidator(_memory, json_schema_input_type=int | str)]
Duration = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=float | str)]
Colour = Annotated[str, BeforeValidator(_colour, json_schema_input_type=str)]
Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed, json_schema_input_type=list[str] | str)]
FilePath = Annotated[Path, BeforeValidator(_path, json_schema_input_type=str)]
ByName = Annotated[dict[str, Name], BeforeValidator(_named, json_schema_input_type=_Named)]
Columns = Annotated[str | tuple[str, ...], PlainValidator(_array_or_columns), WithJsonSchema(_ONE_OR_MORE)]
Sources = Annotated[
    dict[str, Columns],
    BeforeValidator(_named, json_schema_input_type=str | list[str] | dict[str, str | list[str]]),
]
History = Annotated[
    Path | tuple[Path, ...], PlainValidator(_histories), WithJsonSchema({"anyOf": [{"type": "string"}, _TEXTS]})
]
ClassList = Annotated[tuple[str, ...] | Path, BeforeValidator(_names_or_file)]
Classes = Annotated[
    dict[str, ClassList],
    BeforeValidator(_named, json_schema_input_type=list[str] | str | dict[str, list[str] | str]),
]
Tasks = Annotated[dict[str, Task], BeforeValidator(_named, json_schema_input_type=Task | dict[str, Task])]
Formats = Annotated[tuple[Format, ...], BeforeValidator(_listed, json_schema_input_type=list[Format] | Format)]


class Part(BaseModel):
    """A section of the configuration: frozen, closed, and a key without a value counts as not given."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, data: Any) -> Any:
        """Leave out keys without a value."""
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None}
        return data
