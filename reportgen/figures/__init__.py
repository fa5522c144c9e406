"""Figures: a block goes in, the block (a chart with its `frame`) and its drawing come out.

Nothing heavy is imported before the first figure of its kind is drawn: matplotlib by charts only, Pillow by pictures.
"""

from __future__ import annotations

from reportgen.figures.drawing import Drawing
from reportgen.report.blocks import Block, Chart, GraphView, Matrix

__all__ = ["Drawing", "draw_figure"]


def draw_figure(block: Block) -> tuple[Block, Drawing | None]:
    """Draw one block; a block that has no figure, or a graph that no engine could lay out, comes back with None.

    A chart comes back with `frame` filled in, a graph without an engine with the reason in `note`.
    """
    if isinstance(block, Chart):
        from reportgen.figures.charts import plot_chart

        return plot_chart(block)
    if isinstance(block, Matrix):
        from reportgen.figures.matrix import plot_matrix

        return block, plot_matrix(block)
    if isinstance(block, GraphView):
        from reportgen.figures.graph import plot_graph

        return plot_graph(block)
    return block, None
