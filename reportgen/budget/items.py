"""A report taken apart into what can be made smaller: each block, record and finding, with the part it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from reportgen.budget.sizes import part_bytes, picture_bytes, references
from reportgen.budget.smaller import smaller
from reportgen.report import blocks as b
from reportgen.report import types as t

Redraw = Callable[[b.Chart], tuple[b.Chart, dict[str, t.Asset]]]
_KEPT_SECTIONS = ("summary", "provenance")
_PARTS = {b.Montage: "montages", b.Gallery: "samples", b.Chart: "curves", b.GraphView: "graph"}
_DATA = {
    "history": "curves",
    "graph": "graph",
    "layers": "layers",
    "samples": "records",
    "metrics": "rest",
    "findings": "rest",
}


@dataclass(slots=True)
class Item:
    """One thing that can be made smaller: where it stands, what it is now (None: gone), its bytes, and what it was."""

    part: str
    place: tuple[Any, ...]
    value: Any
    bytes: int = 0
    larger: list[tuple[Any, int]] = field(default_factory=list)


class Items:
    """The parts of one report, cut in place; `before` and `now` are what the ledger compares."""

    def __init__(self, report: t.Report, redraw: Redraw | None = None) -> None:
        self._report, self._redraw = report, redraw
        self._assets = dict(report.assets)
        self._items = [*_of_sections(report), *_of_data(report)]
        for item in self._items:
            item.bytes = self._size(item.value)
        self.before = [item.value for item in self._items]
        self._sums: dict[str, int] = {}
        for item in self._items:
            self._sums[item.part] = self._sums.get(item.part, 0) + item.bytes
        self.changed = False

    @property
    def now(self) -> list[Any]:
        """What each part is now; None where it is gone."""
        return [item.value for item in self._items]

    def total(self) -> int:
        """Return the bytes of all parts."""
        return sum(self._sums.values())

    def part_bytes(self, part: str) -> int:
        """Return the bytes of everything that belongs to `part`."""
        return self._sums.get(part, 0)

    def cut(self, part: str, allowed: int, levels: int) -> None:
        """Make what belongs to `part` smaller, the last in the page first, until it has at most `allowed` bytes."""
        members = [item for item in reversed(self._items) if item.part == part]
        for level in range(1, levels + 1):
            for rank, item in enumerate(members):
                if self._sums.get(part, 0) <= allowed:
                    return
                if item.value is not None:
                    self._replace(item, smaller(item.value, level, self._assets, len(members) - 1 - rank))

    def _replace(self, item: Item, value: Any) -> None:
        """Take the smaller value in, with its chart drawn again."""
        if value is item.value:
            return
        if isinstance(value, b.Chart) and value.figure is not None and self._redraw is not None:
            value, drawn = self._redraw(value)
            self._assets.update(drawn)
        size = self._size(value)
        item.larger.append((item.value, item.bytes))
        self._take(item, value, size)
        self.changed = True

    def _take(self, item: Item, value: Any, size: int) -> None:
        """Let an item be `value` of `size` bytes."""
        self._sums[item.part] += size - item.bytes
        item.value, item.bytes = value, size

    def put_back(self, parts: Iterable[str], room: int) -> None:
        """Use `room` bytes that the last steps left over: each thing becomes as whole again as it has room for.

        The first of `parts` comes first, and in it what stands first in the page.
        """
        for part in parts:
            for item in self._items:
                fits = (i for i, (_, size) in enumerate(item.larger) if size - item.bytes <= room)
                if item.part != part or (i := next(fits, None)) is None:
                    continue
                value, size = item.larger[i]
                room -= size - item.bytes
                del item.larger[i:]
                self._take(item, value, size)

    def _size(self, value: Any) -> int:
        """Return the bytes of one part with its pictures."""
        if value is None:
            return 0
        pictures = {ref.sha256 for ref in references(value)}
        alts = sum(len(ref.alt) for ref in references(value))
        return part_bytes(value) + alts + sum(picture_bytes(self._assets[p]) for p in pictures if p in self._assets)

    def report(self, budget: str) -> t.Report:
        """Put the parts together; a section that lost something says so."""
        found = {item.place: item.value for item in self._items}
        sections = tuple(_section(i, section, found, budget) for i, section in enumerate(self._report.sections))
        data: dict[str, Any] = {
            name: tuple(value for i in range(len(getattr(self._report, name))) if (value := found[name, i]) is not None)
            for name in _DATA
            if name != "graph"
        }
        whole = replace(self._report, sections=sections, graph=found.get(("graph", 0)), **data)
        used = {ref.sha256 for block in _blocks(whole) for ref in references(block)}
        theme = {ref.sha256 for ref in _theme(self._report)}
        return replace(whole, assets={h: asset for h, asset in self._assets.items() if h in used | theme})


def _theme(report: t.Report) -> list[b.AssetRef]:
    """Return the pictures of the report's look, which stay."""
    look = getattr(report, "theme", None)
    return [look.logo] if look is not None and look.logo is not None else []


def _blocks(report: t.Report) -> list[Any]:
    """Return every block of a report, those in folds too."""
    tops = [block for section in report.sections for block in section.blocks]
    return [inner for block in tops for inner in (block.blocks if isinstance(block, b.Fold) else (block,))]


def _of_sections(report: t.Report) -> list[Item]:
    """Take the blocks of every section, those in folds one by one."""
    items = []
    for s, section in enumerate(report.sections):
        for i, block in enumerate(section.blocks):
            inside = enumerate(block.blocks) if isinstance(block, b.Fold) else ((-1, block),)
            items += [Item(_part_of(section.id, inner), (s, i, k), inner) for k, inner in inside]
    return items


def _of_data(report: t.Report) -> list[Item]:
    """Take the records that stand beside the sections."""
    items = [
        Item(part, (name, i), value)
        for name, part in _DATA.items()
        if name != "graph"
        for i, value in enumerate(getattr(report, name))
    ]
    return items + ([Item("graph", ("graph", 0), report.graph)] if report.graph is not None else [])


def _part_of(section: str, block: Any) -> str:
    """Say which part of the budget pays for a block."""
    if section in _KEPT_SECTIONS:
        return "rest"
    return _PARTS.get(type(block)) or ("layers" if section in ("layers", "architecture") else "metrics")


def _section(index: int, section: t.Section, found: dict[tuple[Any, ...], Any], budget: str) -> t.Section:
    """Return one section of what is left."""
    blocks: list[Any] = []
    gone = 0
    for i, block in enumerate(section.blocks):
        if isinstance(block, b.Fold):
            inner = tuple(v for k in range(len(block.blocks)) if (v := found[index, i, k]) is not None)
            gone += len(block.blocks) - len(inner)
            blocks += [block if inner == block.blocks else replace(block, blocks=inner)] if inner else []
        elif (value := found[index, i, -1]) is None:
            gone += 1
        else:
            blocks.append(value)
    if gone:
        parts = "One part of this section was" if gone == 1 else f"{gone:,} parts of this section were"
        blocks.append(b.Text(f"{parts} left out to keep this file within {budget}; see the list under Provenance."))
    return section if tuple(blocks) == section.blocks else replace(section, blocks=tuple(blocks))
