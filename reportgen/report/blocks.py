"""What a section is made of: a closed set of typed blocks. Data only, never HTML.

A block that has a picture keeps it as an asset reference; `figure` is None until the pipeline has had it drawn.
Every block with a figure also holds the numbers it was drawn from, a one-sentence `reading`, and a title.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from reportgen.report.chart import AssetRef as AssetRef
from reportgen.report.chart import Axis as Axis
from reportgen.report.chart import Chart as Chart
from reportgen.report.chart import ChartMark as ChartMark
from reportgen.report.chart import Frame as Frame
from reportgen.report.chart import Series as Series
from reportgen.report.values import LATER, Column, Number

Level = Literal["info", "good", "warn", "error"]
Format = Literal["text", "code", "int", "percent", "number", "bytes", "seconds"]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph of plain words."""

    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Card:
    """A note or an error that stands where something else was expected: what, why, what to do."""

    level: Level
    title: str
    text: str
    fix: str = ""
    kind: Literal["card"] = "card"


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled value; `help` explains the label."""

    label: str
    value: str | Number
    format: Format = "text"
    help: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """A list of labelled values."""

    title: str
    items: tuple[Fact, ...]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A heading with its unit, how its cells are written, and what the number means."""

    title: str
    format: Format = "text"
    unit: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class CellMark:
    """A mark on one cell: an outlier, a failure. `text` says why in words."""

    row: int
    column: int
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values. `row_ids` are anchors (one a row, or none at all); `total` is a last row in bold."""

    id: str
    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[str | Number | None, ...], ...]
    reading: str = ""
    note: str = ""
    row_ids: tuple[str, ...] = ()
    marks: tuple[CellMark, ...] = ()
    total: tuple[str | Number | None, ...] = ()
    collapsed_after: int = 30
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix of counts, rows are the truth and columns the prediction; row-major in `counts`."""

    id: str
    title: str
    row_title: str
    column_title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: Column
    reading: str
    note: str = ""
    figure: AssetRef | None = None
    kind: Literal["matrix"] = "matrix"


@dataclass(frozen=True, slots=True)
class GraphCard:
    """One box of the drawn graph: a layer, a fused run of layers, or a folded stretch standing for `repeat` copies.

    `target` is the anchor of the layer table's row; `members` are the layer names that it stands for.
    `lines` are the text rows under the title; `mark` paints a finding on it.
    """

    id: str
    title: str
    type: str
    lines: tuple[str, ...] = ()
    repeat: int = 1
    members: tuple[str, ...] = ()
    group: str | None = None
    target: str = ""
    mark: Level | None = None
    mark_text: str = ""


@dataclass(frozen=True, slots=True)
class GraphGroup:
    """A frame around cards: a nested model or a repeated block."""

    id: str
    title: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class GraphView:
    """A drawn architecture graph. `dot` is the text given to Graphviz when it was not built from the cards.

    The inside of a folded card is a view of its own: `card` is that card's id, `parent` the id of the view it lies in.
    An edge of such a view may have one end "": it goes on outside of the card.
    """

    id: str
    title: str
    cards: tuple[GraphCard, ...]
    edges: tuple[tuple[str, str], ...]
    groups: tuple[GraphGroup, ...]
    reading: str
    note: str = ""
    dot: str = ""
    figure: AssetRef | None = None
    parent: str = field(default="", metadata=LATER)
    card: str = field(default="", metadata=LATER)
    kind: Literal["graph"] = "graph"


@dataclass(frozen=True, slots=True)
class SampleCard:
    """One sample as a reader sees it: a picture, a text or feature values, and what the model said.

    `outcome` is right, wrong or unknown (no label); `details` are further label/value pairs (loss, top scores), the
    last `features` of which are values of its input.
    """

    key: str
    label: str
    truth: str
    prediction: str
    outcome: Literal["right", "wrong", "unknown"]
    confidence: Number | None = None
    loss: Number | None = None
    image: AssetRef | None = None
    text: str = ""
    details: tuple[tuple[str, str], ...] = ()
    features: int = field(default=0, metadata=LATER)


@dataclass(frozen=True, slots=True)
class ClassColour:
    """The colour that a class is painted in, as 0xRRGGBB, and its word."""

    name: str
    rgb: int
    word: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Samples side by side. `rule` says how they were chosen; `output` names the model output they belong to.

    `legend` names the colours of classes that are painted in the pictures.
    """

    id: str
    title: str
    output: str
    rule: str
    samples: tuple[SampleCard, ...]
    reading: str
    legend: tuple[ClassColour, ...] = field(default=(), metadata=LATER)
    kind: Literal["gallery"] = "gallery"


@dataclass(frozen=True, slots=True)
class Montage:
    """Tiles of one layer (feature maps, kernels) in one picture at native size.

    `tiles` maps are laid out row by row, `across` in a row, each `tile_width` x `tile_height` px with a gap of 1 px.
    `scaling` says how values became grey levels.
    """

    id: str
    title: str
    layer: str
    sample: str
    tiles: int
    shown: int
    across: int
    tile_width: int
    tile_height: int
    scaling: str
    reading: str
    low: Number
    high: Number
    image: AssetRef | None = None
    kind: Literal["montage"] = "montage"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A block written by a newer reportgen: shown as a plain card."""

    original: str
    title: str = ""
    kind: Literal["unknown"] = "unknown"


@dataclass(frozen=True, slots=True)
class Fold:
    """A titled part that opens and closes; its blocks are one level down (no fold inside a fold)."""

    id: str
    title: str
    blocks: tuple[FlatBlock, ...]
    open: bool = False
    kind: Literal["fold"] = "fold"


FlatBlock = Annotated[
    Text | Card | Facts | Table | Chart | Matrix | GraphView | Gallery | Montage | Unknown, Field(discriminator="kind")
]
Block = Annotated[
    Text | Card | Facts | Table | Chart | Matrix | GraphView | Gallery | Montage | Unknown | Fold,
    Field(discriminator="kind"),
]
