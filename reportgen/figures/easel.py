"""Draws the figures of blocks and keeps every picture once, by its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from reportgen.figures import Drawing, draw_figure
from reportgen.figures.images import encode_picture
from reportgen.report.blocks import AssetRef, Block, Chart, Fold, GraphView, Matrix
from reportgen.report.coherence import references
from reportgen.report.svg import sanitise
from reportgen.report.types import Asset, Section
from reportgen.sections.context import PictureKind


class Easel:
    """Collects the assets of one report. `draw` is what sections call; `finish` draws the figures of their blocks."""

    def __init__(self) -> None:
        self.assets: dict[str, Asset] = {}

    def draw(self, pixels: NDArray[Any], kind: PictureKind, alt: str) -> AssetRef:
        """Encode a picture, keep it, and return its reference."""
        return self._keep(encode_picture(pixels, kind), alt)

    def finish(self, section: Section) -> Section:
        """Return the section with the figure of every block drawn."""
        return replace(section, blocks=tuple(self._finish_block(block) for block in section.blocks))

    def redraw(self, chart: Chart) -> tuple[Chart, dict[str, Asset]]:
        """Return a chart whose points were thinned with its figure drawn anew, and the asset of that figure."""
        fresh = self._finish_block(replace(chart, figure=None, frame=None))
        if not isinstance(fresh, Chart) or fresh.figure is None:
            return chart, {}
        return fresh, {fresh.figure.sha256: self.assets[fresh.figure.sha256]}

    def used(self, sections: Sequence[Section]) -> dict[str, Asset]:
        """Return the assets that the sections refer to: a section that failed leaves pictures that nothing shows."""
        wanted = {sha256 for section in sections for sha256 in references(section)}
        return {sha256: asset for sha256, asset in self.assets.items() if sha256 in wanted}

    def _finish_block(self, block: Block) -> Block:
        if isinstance(block, Fold):
            return replace(block, blocks=tuple(self._finish_block(inner) for inner in block.blocks))  # type: ignore[misc]
        if not isinstance(block, Chart | Matrix | GraphView) or block.figure is not None:
            return block
        changed, drawing = draw_figure(block)
        if drawing is None or not isinstance(changed, Chart | Matrix | GraphView):
            return changed
        return replace(changed, figure=self._keep(drawing, f"{block.title}. {block.reading}"))

    def _keep(self, drawing: Drawing, alt: str) -> AssetRef:
        data = sanitise(drawing.data) if drawing.media_type == "image/svg+xml" else drawing.data
        sha256 = hashlib.sha256(data).hexdigest()
        self.assets[sha256] = Asset(drawing.media_type, data)
        return AssetRef(sha256, drawing.width, drawing.height, alt)
