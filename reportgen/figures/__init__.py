"""Figures: a block goes in, the block (a chart with its `frame`) and its drawing come out.

Nothing heavy is imported before the first figure of its kind is drawn: matplotlib by charts only, Pillow by pictures.
"""

from __future__ import annotations

from reportgen.figures.drawing import Drawing
from reportgen.report.blocks import Block, Chart, GraphView, Matrix

__all__ = ["Drawing", "draw_figure", "prepare"]


def prepare() -> None:
    """Import what draws what the worker will find, and look for a Graphviz, while there is time to spare."""
    import graphviz  # noqa: F401
    import numpy.random  # noqa: F401
    from PIL import PngImagePlugin, WebPImagePlugin  # noqa: F401 - else Pillow imports forty formats to find one

    from reportgen.figures import engines, graph, matrix  # noqa: F401

    next(engines.find_engines(), None)


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
