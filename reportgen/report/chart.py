"""The chart block and its parts: curves, points or bars over two axes, and where the drawn figure has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reportgen.report.values import Column


@dataclass(frozen=True, slots=True)
class AssetRef:
    """A picture kept in `Report.assets`: `sha256` in hex, size in CSS pixels, and its text alternative."""

    sha256: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its label with unit, and its scale. `low`/`high` fix its limits when given."""

    label: str
    scale: Literal["linear", "log"] = "linear"
    low: float | None = None
    high: float | None = None
    integer: bool = False
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """One line, set of points or set of bars.

    `role` picks colour and dash: train is dashed, validation solid, and so on; never colour alone.
    `low` and `high` are 95% interval ends; `width` is a bar's width in data units.
    """

    id: str
    name: str
    x: Column
    y: Column
    shape: Literal["line", "points", "bars", "steps"] = "line"
    role: Literal["train", "validation", "first", "second", "third", "muted", "right", "wrong"] = "first"
    low: Column | None = None
    high: Column | None = None
    width: float | None = None


@dataclass(frozen=True, slots=True)
class ChartMark:
    """A labelled vertical line at `x` (best epoch, resumed here) or horizontal line at `y`."""

    label: str
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the data area lies in the drawn figure, in figure pixels, and its limits in data units.

    `left..right` maps `x_low..x_high` (log10 first if the axis is log); `bottom..top` maps `y_low..y_high`.
    """

    left: float
    top: float
    right: float
    bottom: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves, points or bars over two axes. `diagonal` draws the line y = x (calibration, predicted against true)."""

    id: str
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    reading: str
    marks: tuple[ChartMark, ...] = ()
    diagonal: bool = False
    note: str = ""
    frame: Frame | None = None
    figure: AssetRef | None = None
    kind: Literal["chart"] = "chart"
