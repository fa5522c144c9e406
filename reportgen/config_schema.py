"""What a configuration may say: frozen models with their defaults. The JSON Schema for editors is made from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from reportgen.config_batch import Batch, Predictions
from reportgen.config_model import Backend, Build, Model, Objects
from reportgen.config_values import (
    Colour,
    Duration,
    FilePath,
    Format,
    Formats,
    History,
    Name,
    Names,
    Number,
    Part,
    Sampled,
    Size,
    Task,
    Tasks,
    Whole,
)

__all__ = [
    "Batch",
    "CheckSetting",
    "Config",
    "Format",
    "Gate",
    "Layers",
    "Limits",
    "Predictions",
    "Settings",
    "Task",
    "Theme",
]

Level = Literal["off", "warn", "error"]
Samples = Literal["show", "blur", "ids", "none"]
Statistics = Literal["auto", "all", "off"]


class Gate(Part):
    """What one metric must hold for the job to pass."""

    min: Number | None = Field(default=None, description="The metric may not be below this.")
    max: Number | None = Field(default=None, description="The metric may not be above this.")
    max_drop: Number | None = Field(
        default=None, ge=0, description="How much worse than in `baseline` the metric may be, in its own unit."
    )

    @model_validator(mode="after")
    def _check_bounds(self) -> Gate:
        """Refuse a gate that requires nothing or the impossible."""
        if self.min is None and self.max is None and self.max_drop is None:
            raise ValueError("needs `min`, `max` or `max_drop`")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: nothing can pass")
        return self


class CheckSetting(Part):
    """How one check counts: its level, and its threshold where it has one (None: the check's own)."""

    level: Level | None = Field(default=None, description="What a failure counts as.")
    threshold: Number | None = Field(default=None, ge=0, description="The number from which on the check fails.")

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
    gradients: Sampled = Field(
        default="auto",
        description="Labelled samples for gradients: auto (64; fewer, or none, for costly models), none, or a number.",
    )
    saliency: Sampled = Field(
        default="auto",
        description="Samples with a saliency map: auto (4; fewer, or none, for costly models), none, or a number.",
    )


class Limits(Part):
    """What one build may use."""

    memory: Size | None = Field(
        default=None, gt=0, description="Memory of the worker (8 GB, 4 GiB); left out: 90% of the machine's."
    )
    seconds: Duration = Field(
        default=3600.0, gt=0, le=7 * 86400, description="Time for the whole build (600, 10 min, 2 h)."
    )
    download: Size = Field(
        default=4 * 10**9, gt=0, description="Bytes that may be fetched from the network (--trust=remote)."
    )


class Theme(Part):
    """How the page looks: a logo, a colour, and templates of your own."""

    logo: FilePath | None = Field(default=None, description="A picture over the title: .svg, .png or .webp.")
    accent: Colour | None = Field(
        default=None, description="The colour of links and marks, as #rrggbb; made lighter or darker to stay readable."
    )
    templates: FilePath | None = Field(
        default=None, description="A folder of templates that replace parts of the page; see templates/README.md."
    )


class Settings(Part):
    """Everything that a configuration file may say."""

    title: str = Field(default="", max_length=1000, description="The report's title; empty: the model file's name.")
    model: Model | None = Field(
        default=None,
        description="The trained model: .keras, .h5, a SavedModel folder, {builder: module:function, weights: PATH}; "
        "only predictions.path makes it needless.",
    )
    custom_objects: Objects = Field(
        default={},
        description="The model's own classes and functions: [module:Name], or {name in the file: module:Name}.",
    )
    python: FilePath | None = Field(
        default=None,
        description="The interpreter of another environment, in which the model runs (needs Keras, NumPy).",
    )
    backend: Backend | None = Field(default=None, description="Keras's backend; left out: as Keras is set up.")
    history: History | None = Field(
        default=None,
        description="The training history: JSON, CSV, NPZ or TensorBoard folder; a list stitches the pieces of a "
        "resumed run. Left out: one that lies beside the model; []: none.",
    )
    batch: Batch | None = Field(default=None, description="The test batch that predictions are made on.")
    task: Tasks = Field(
        default={"": "auto"}, description="What the model does, or a mapping {model output: task}; auto finds out."
    )
    output: FilePath = Field(default=Path("reports"), description="The folder that the report is written to.")
    formats: Formats = Field(
        default=("html", "markdown", "junit"), min_length=1, description="What is written into it."
    )
    baseline: FilePath | None = Field(
        default=None, description="An earlier report.html or report.json that this run is compared with."
    )
    gates: dict[Name, Gate] = Field(default={}, description="Metrics and the bounds that fail the job (exit code 1).")
    checks: dict[Name, CheckSetting] = Field(
        default={}, description="Checks by code: off, warn, error; or a threshold."
    )
    samples: Samples = Field(default="show", description="What of a sample may stand in the report.")
    budget: Size = Field(
        default=1536 * 1024,
        ge=200 * 1024,
        le=20 * 1024 * 1024,
        description="Bytes that report.html may have (900 KB, 1.5 MiB); what does not fit is reduced and listed.",
    )
    theme: Theme = Field(default=Theme(), description="The report's look.")
    redact: Names = Field(default=(), description="What is left out: paths, host, git, command, or an input's name.")
    layers: Layers = Field(default=Layers(), description="The layers section.")
    predictions: Predictions = Field(default=Predictions(), description="The predictions section.")
    seed: Whole = Field(default=0, ge=0, le=2**32 - 1, description="The seed of every choice by lot.")
    limits: Limits = Field(default=Limits(), description="What a build may use.")


class Config(Settings):
    """A checked configuration: all paths absolute, class names read later, and what the command line granted.

    `file` is the configuration's own path; `overrides` are the `--set` and environment entries that were applied, as
    (origin, key) pairs; `trust` is what `--trust` allowed; `confine` is the folder that reads and writes stay below.
    With `isolate` the model runs without a network. `remote` are the paths that are fetched first, and their addresses.
    """

    file: Path
    model: Path | None = None  # settled: the file, or the weights of `build`
    build: Build | None = None
    overrides: tuple[tuple[str, str], ...] = ()
    trust: frozenset[str] = frozenset()
    confine: Path | None = None
    keep_going: bool = False
    isolate: bool = False
    remote: tuple[tuple[Path, str], ...] = ()
