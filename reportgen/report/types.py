"""The Report and its parts: what renderers, comparison and archive see, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Annotated, Literal

from pydantic import Field

from reportgen.analysis.graph import Graph
from reportgen.report.blocks import AssetRef, Block
from reportgen.report.changes import Changes
from reportgen.report.values import LATER, Column, Missing, Number

SCHEMA_VERSION = 1

Outcome = Literal["passed", "warned", "failed", "not_applicable", "error", "off"]


@dataclass(frozen=True, slots=True)
class Asset:
    """Bytes of one picture: `image/png`, `image/webp` or `image/svg+xml`."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """One honest sentence, the case it was chosen for, and how it should be taken."""

    case: str
    level: Literal["good", "caution", "bad", "unknown"]
    sentence: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One number about one output, on `n` samples, with its 95% interval and the simple baseline beside it.

    `better` says which direction is better; `unit` is "" for plain numbers, "share" for 0..1 proportions.
    """

    name: str
    label: str
    output: str
    value: Number
    low: Number
    high: Number
    n: int
    interval: str
    better: Literal["higher", "lower", "neither"]
    unit: str = ""
    baseline: Number | None = None
    baseline_name: str = ""
    headline: bool = False
    help: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number or word behind a finding, on how many samples it stands, and where in the page it is shown."""

    label: str
    value: str | Number
    n: int | None = None
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says. `about` tells how it decides and whose rule that is, in paragraphs, where it fired."""

    code: str
    title: str
    outcome: Outcome
    level: Literal["warn", "error", "off"]
    text: str
    evidence: tuple[Evidence, ...] = ()
    causes: tuple[str, ...] = ()
    fix: str = ""
    docs: str = ""
    section: str = ""
    layers: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    epochs: tuple[int, ...] = ()
    about: str = field(default="", metadata=LATER)


@dataclass(frozen=True, slots=True)
class Story:
    """Findings that share a cause. `codes` names them, the cause first; `places` is where each side of it shows.

    `text` says how they hang together, `first` what to do first, `then` what to expect of it.
    """

    title: str
    text: str
    first: str
    then: str
    codes: tuple[str, ...]
    places: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """One requirement from the config: what was expected, what was found, and whether it held (None: cannot tell)."""

    metric: str
    expected: str
    found: Number
    held: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """What a reader sees under one heading. `state` is empty when it does not apply; the blocks then say why."""

    id: str
    title: str
    state: Literal["shown", "empty", "failed"]
    summary: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class HistorySeries:
    """One metric over the epochs. Exact up to 5,000 points, then min/max buckets (`thinned` is True)."""

    name: str
    epochs: Column
    values: Column
    thinned: bool = False
    points: int = 0


@dataclass(frozen=True, slots=True)
class SampleTable:
    """The sample records of one output, one row a sample, in the order of `keys`.

    `keys` are the sample keys (8 bytes each); `occurrences` count equal keys from 0. `truth` is empty without labels.
    `truth` and `prediction` are class indices for classifiers, else per-sample scalars (or scores for masks). Where not
    all samples are here, the first `fair` by key are a fair sample; the others stand here for their loss.
    """

    output: str
    task: str
    n_total: int
    rule: str
    keys: Column
    occurrences: Column
    ids: tuple[str, ...]
    truth: Column
    prediction: Column
    confidence: Column
    loss: Column
    class_names: tuple[str, ...] = ()
    fair: int = field(default=0, metadata=LATER)


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """Every number about one layer, by stable names (`parameters`, `activation.mean`, `weights.norm`, ...)."""

    name: str
    type: str
    numbers: dict[str, Number]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """Something that was sampled, folded, thinned or left out to keep the report bounded, and by how much."""

    what: str
    kept: str
    of: str
    why: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that one stage took (wall clock)."""

    stage: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Volatile facts of one run. Left out when SOURCE_DATE_EPOCH is set."""

    started: str
    seconds: float
    host: str
    command: str
    directory: str
    timings: tuple[Timing, ...]
    git_branch: str = ""
    peak_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Stable facts: what this report was made from. Hashes are SHA-256 in hex, or Missing with the reason.

    `privacy` says what of the samples may be shown: "show", "blur", "ids", "none", or "redacted" where not all inputs
    may be; "" in older reports.
    """

    versions: dict[str, str]
    model_file: str
    model_sha256: str | Missing
    batch_file: str
    batch_sha256: str | Missing
    history_file: str
    history_sha256: str | Missing
    config_file: str
    config_sha256: str | Missing
    git_commit: str | Missing
    seeds: dict[str, int]
    trusted: tuple[str, ...]
    samples_shown: int
    privacy: str = field(default="", metadata=LATER)


@dataclass(frozen=True, slots=True)
class Theme:
    """How the page looks: a colour as #rrggbb (or "" for ours) and a logo, which is one of the assets."""

    accent: Annotated[str, Field(pattern=r"^(#[0-9a-f]{6})?$")] = ""
    logo: AssetRef | None = None


@dataclass(frozen=True, slots=True)
class LongText:
    """A name or text of thousands of characters: what stands for it everywhere in the report, and all of it."""

    shown: str
    whole: str


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report as data. Two reports are equal when their canonical JSON and their assets are.

    `long_texts` are in report.json only: the page, whose bytes are bounded, does not carry them.
    """

    title: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    gates: tuple[Gate, ...]
    metrics: tuple[Metric, ...]
    sections: tuple[Section, ...]
    history: tuple[HistorySeries, ...]
    samples: tuple[SampleTable, ...]
    layers: tuple[LayerRecord, ...]
    graph: Graph | None
    ledger: tuple[LedgerEntry, ...]
    provenance: Provenance
    run: RunFacts | None
    assets: dict[str, Asset] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION
    generator: str = ""
    theme: Theme | None = field(default=None, metadata=LATER)
    stories: tuple[Story, ...] = field(default=(), metadata=LATER)
    long_texts: tuple[LongText, ...] = field(default=(), metadata=LATER)
    changes: Changes | None = field(default=None, metadata=LATER)

    def _repr_html_(self) -> str:
        """Return the report for a notebook, in a frame of its own; the renderer is imported only then."""
        return str(import_module("reportgen.notebook").show(self))
