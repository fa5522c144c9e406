"""What a configuration may say: frozen models with their defaults. The JSON Schema for editors is made from them."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Task = Literal[
    "auto", "binary", "multiclass", "multilabel", "regression", "segmentation", "reconstruction", "sequence", "other"
]
Format = Literal["html", "json", "markdown", "junit"]
Level = Literal["off", "warn", "error"]
Samples = Literal["show", "blur", "ids", "none"]
Statistics = Literal["auto", "all", "off"]

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
    """Refuse texts that cannot be a path."""
    if isinstance(value, str) and (not value or "\0" in value):
        raise ValueError("must be a path")
    return value


def _names_or_file(value: Any) -> Any:
    """Tell a list of class names from the path of a text file."""
    if isinstance(value, (Path, tuple)):
        return value
    if isinstance(value, str) and value:
        return Path(value)
    if not isinstance(value, list):
        raise ValueError("must be a list of class names or the path of a text file with one a line")
    for number, name in enumerate(value, 1):
        if name is None:
            raise ValueError(f"class {number} has no name (a class called null needs quotes)")
        if not isinstance(name, str):
            raise ValueError(f"class {number} must be a name, not a list or a mapping")
    return tuple(value)


_Named = str | dict[str, str]
Number = Annotated[float, BeforeValidator(_number, json_schema_input_type=float | str)]
Whole = Annotated[int, BeforeValidator(_whole, json_schema_input_type=int)]
Size = Annotated[int, BeforeValidator(_memory, json_schema_input_type=int | str)]
Duration = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=float | str)]
Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed, json_schema_input_type=list[str] | str)]
FilePath = Annotated[Path, BeforeValidator(_path, json_schema_input_type=str)]
ByName = Annotated[dict[str, Name], BeforeValidator(_named, json_schema_input_type=_Named)]
ClassList = Annotated[tuple[str, ...] | Path, BeforeValidator(_names_or_file)]
Classes = Annotated[
    dict[str, ClassList],
    BeforeValidator(_named, json_schema_input_type=list[str] | str | dict[str, list[str] | str]),
]
Tasks = Annotated[dict[str, Task], BeforeValidator(_named, json_schema_input_type=Task | dict[str, Task])]
Formats = Annotated[tuple[Format, ...], BeforeValidator(_listed, json_schema_input_type=list[Format] | Format)]


class Part(BaseModel):
    """A section of the configuration: frozen, closed, and a key without a value counts as not given."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False)

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, data: Any) -> Any:
        """Leave out keys without a value."""
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None}
        return data


class Batch(Part):
    """The test batch: an NPZ file and the names of the arrays in it."""

    path: FilePath = Field(description="The file with the test batch: .npz.")
    x: ByName = Field(description="The array with the inputs; for several inputs a mapping {model input: array}.")
    y: ByName = Field(default={}, description="The array with the labels; a mapping {model output: array} for several.")
    classes: Classes = Field(
        default={},
        description="Class names: a list, a text file with one a line, or a mapping {model output: list or file}.",
    )
    ids: str = Field(default="", description="The array with a name for each sample, shown wherever the sample is.")


class Gate(Part):
    """What one metric must hold for the job to pass."""

    min: Number | None = Field(default=None, description="The metric may not be below this.")
    max: Number | None = Field(default=None, description="The metric may not be above this.")

    @model_validator(mode="after")
    def _check_bounds(self) -> Gate:
        """Refuse a gate that requires nothing or the impossible."""
        if self.min is None and self.max is None:
            raise ValueError("needs `min` or `max`")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: nothing can pass")
        return self


class CheckSetting(Part):
    """How one check counts: its level, and its threshold where it has one (None: the check's own)."""

    level: Level | None = Field(default=None, description="What a failure counts as.")
    threshold: Number | None = Field(default=None, description="The number from which on the check fails.")

    @model_validator(mode="before")
    @classmethod
    def _take_level(cls, data: Any) -> Any:
        """Take `dead-units: error` for `dead-units: {level: error}`."""
        return {"level": data} if isinstance(data, str) else data


class Layers(Part):
    """Which layers are shown, and what their statistics stand on."""

    show: Names = Field(default=(), description="Layers whose activations are shown, whatever the rule would choose.")
    statistics: Statistics = Field(
        default="auto", description="auto: two tiers, bounded; all: every layer in full; off: none."
    )
    samples: Whole = Field(default=0, ge=0, description="Samples the statistics stand on; 0: what the budget allows.")


class Predictions(Part):
    """How many samples the prediction grid shows."""

    worst: Whole = Field(default=24, ge=0, le=1000, description="The samples with the largest loss.")
    seeded: Whole = Field(default=24, ge=0, le=1000, description="Samples drawn by the seed, whatever their loss.")


class Limits(Part):
    """What one build may use."""

    memory: Size | None = Field(
        default=None, gt=0, description="Memory of the worker (8 GB, 4 GiB); left out: no limit of its own."
    )
    seconds: Duration = Field(
        default=3600.0, gt=0, le=7 * 86400, description="Time for the whole build (600, 10 min, 2 h)."
    )


class Settings(Part):
    """Everything that a configuration file may say."""

    title: str = Field(default="", max_length=1000, description="The report's title; empty: the model file's name.")
    model: FilePath = Field(description="The trained model: .keras or .h5.")
    history: FilePath | None = Field(default=None, description="The training history: JSON, or CSVLogger's CSV.")
    batch: Batch | None = Field(default=None, description="The test batch that predictions are made on.")
    task: Tasks = Field(
        default={"": "auto"}, description="What the model does, or a mapping {model output: task}; auto finds out."
    )
    output: FilePath = Field(default=Path("reports"), description="The folder that the report is written to.")
    formats: Formats = Field(
        default=("html", "markdown", "junit"), min_length=1, description="What is written into it."
    )
    gates: dict[Name, Gate] = Field(default={}, description="Metrics and the bounds that fail the job (exit code 1).")
    checks: dict[Name, CheckSetting] = Field(
        default={}, description="Checks by code: off, warn, error; or a threshold."
    )
    samples: Samples = Field(default="show", description="What of a sample may stand in the report.")
    redact: Names = Field(default=(), description="What is left out: paths, host, git, command, or an input's name.")
    layers: Layers = Field(default=Layers(), description="The layers section.")
    predictions: Predictions = Field(default=Predictions(), description="The predictions section.")
    seed: Whole = Field(default=0, ge=0, le=2**32 - 1, description="The seed of every choice by lot.")
    limits: Limits = Field(default=Limits(), description="What a build may use.")


class Config(Settings):
    """A checked configuration: all paths absolute, class names read later, and what the command line granted.

    `file` is the configuration's own path; `overrides` are the `--set` and environment entries that were applied, as
    (origin, key) pairs; `trust` is what `--trust` allowed; `confine` is the folder that reads and writes stay below.
    """

    file: Path
    overrides: tuple[tuple[str, str], ...] = ()
    trust: frozenset[str] = frozenset()
    confine: Path | None = None
    keep_going: bool = False
