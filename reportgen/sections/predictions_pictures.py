"""Outputs that are pictures or signals: input, output and difference side by side, and how errors spread."""

from __future__ import annotations

from functools import partial

import numpy as np

from reportgen.analysis.evidence import Array
from reportgen.analysis.images import Pixels, Scale, kind_of, scale_of, to_picture
from reportgen.analysis.metrics.reconstruction import target_pictures
from reportgen.analysis.metrics.value import SampleScores
from reportgen.analysis.mosaics import enlarge
from reportgen.analysis.unchanged import find_unchanged
from reportgen.report.blocks import Axis, Chart, FlatBlock, Montage, Series, Table, TableColumn
from reportgen.report.values import Column, number
from reportgen.sections.display import as_displayed
from reportgen.sections.output_view import OutputView
from reportgen.sections.predictions_gallery import Said, Style, describe_losses, gallery_blocks
from reportgen.sections.predictions_regression import histogram_of
from reportgen.sections.samples import Content, draw_panes, input_scales, shrink_pane
from reportgen.sections.words import number_text, percent

PANEL_SIDE = 64
MOST_PANEL_SIDE = 96
MOST_CARDS = 20  # a card holds four pictures
LEGEND = (
    "Four panels, row by row: input, target, output, absolute difference (from 0 in black to the largest of this "
    "sample in white). Target and output share one scale, and so does an input of the same range."
)
LEGEND_UNLABELLED = "Two panels: input, output."
SHARES = (0.01, 0.25, 0.5, 0.75, 0.99)


def build_reconstruction(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return what is particular to reconstruction and image-to-image outputs."""
    blocks: list[FlatBlock] = list(gallery_blocks(view, say_errors, _style(view)))
    if view.labelled:
        blocks += [_error_chart(view), _quantile_table(view), *_error_map(view)]
    return tuple(blocks)


def _pair(view: OutputView, row: int) -> tuple[Array, Array | None]:
    """Return the output of one kept sample and its target."""
    kept = view.kept
    if kept is None:
        raise ValueError("no sample was kept")
    said = np.asarray(kept.predictions[view.output.name][row], dtype=np.float64)
    if view.kept_truth is None:
        return said, None
    return said, target_pictures(view.kept_truth[row : row + 1], (1, *said.shape))[0]


def say_errors(view: OutputView, scores: SampleScores, row: int) -> Said:
    """Say the range of target and output, and how far they are apart."""
    said, truth = _pair(view, row)
    if truth is None:
        return Said("no target", _range_text(said), "unknown")
    mse = float(np.mean((said - truth) ** 2))
    span = view.accumulator.value_range
    close = f"MSE {number_text(mse, 3)}"
    if mse > 0 and span == span:
        close = f"PSNR {number_text(20 * np.log10(span) - 10 * np.log10(mse), 3)} dB"
    details = (("MSE", number_text(mse, 3)), ("output", _range_text(said)), ("target", _range_text(truth)))
    return Said("", close, "unknown", details)


def _range_text(values: Array) -> str:
    """Write the range of values."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "no finite value"
    return f"{number_text(float(finite.min()), 3)} to {number_text(float(finite.max()), 3)}"


def show_panels(view: OutputView, row: int, alt: str) -> Content:
    """Show input, target, output and difference side by side, as far as privacy allows."""
    kept = view.kept
    if kept is None or view.artifacts.privacy not in ("show", "blur"):
        return Content()
    said, truth = _pair(view, row)
    scale = scale_of(said if truth is None else truth)
    parts: list[tuple[Array, Scale | None]] = []
    for name, values in kept.inputs.items():
        if kind_of(values.shape[1:], str(values.dtype)) != "none":
            shown = as_displayed(view.artifacts, name, values[row])
            # What is compared by eye must share a scale; an input of another range would only be black or white on it.
            alike = truth is not None and find_unchanged({name: shown[None]}, truth[None]) is not None
            parts.append((shown, scale if alike else input_scales(view.artifacts).get(name)))
            break
    if truth is not None:
        parts.append((truth, scale))
    parts.append((said, scale))
    if truth is not None:
        gap = np.abs(said - truth)
        largest = float(np.nanmax(gap)) if np.isfinite(gap).any() else 1.0
        parts.append((gap, Scale(0.0, largest or 1.0, "")))
    pictures = [to_picture(values, scale) for values, scale in parts]
    panes: list[Pixels] = [
        enlarge(shrink_pane(picture.pixels, MOST_PANEL_SIDE), PANEL_SIDE) for picture in pictures if picture is not None
    ]
    if not panes:
        return Content()
    return Content(
        draw_panes(
            panes,
            view.artifacts.privacy,
            view.context,
            f"{alt}; input, target, output, difference" if truth is not None else alt,
        )
    )


def _error_chart(view: OutputView) -> Chart:
    """Return the histogram of the samples' errors."""
    middle, heights, width = histogram_of(*view.accumulator.error_table())
    return Chart(
        view.id("errors"),
        "Errors of samples",
        Axis("Mean squared error of a sample"),
        Axis("Samples", integer=True),
        (Series("errors", "Samples", Column.pack(middle), Column.pack(heights), "bars", "first", width=width),),
        reading=describe_spread(view.accumulator.quantiles(np.asarray(SHARES))),
    )


def describe_spread(quantiles: Array) -> str:
    """Say in one sentence whether all samples are served alike or a few far worse."""
    if np.isnan(quantiles).any():
        return "No sample has an error to count."
    middle, worst = float(quantiles[2]), float(quantiles[4])
    ends = f"the middle error is {number_text(middle, 3)}, that of the worst 1% is above {number_text(worst, 3)}"
    if worst == 0:
        return "Every output equals its target."
    if middle == 0 or worst > 5 * middle:
        return f"A few samples are far worse than the rest: {ends}."
    return f"Samples are served about alike: {ends}."


def _quantile_table(view: OutputView) -> Table:
    """Return quantiles of the samples' errors."""
    quantiles = view.accumulator.quantiles(np.asarray(SHARES))
    rows = tuple(
        (percent(share), number(float(value), "no sample")) for share, value in zip(SHARES, quantiles, strict=True)
    )
    return Table(
        view.id("error-quantiles"),
        "Errors in numbers",
        (
            TableColumn("Share of samples", help="This share of the samples has a smaller error"),
            TableColumn("MSE", "number", help="Mean squared error of a sample"),
        ),
        rows,
    )


def _error_map(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return where in the picture errors lie, over all samples; it shows no single sample."""
    values = view.accumulator.error_map()
    if values is None or view.artifacts.privacy == "none" or kind_of(values.shape) != "picture":
        return ()
    largest = float(values.max())
    picture = to_picture(values.mean(axis=-1) if values.ndim == 3 else values, Scale(0.0, largest or 1.0, ""))
    if picture is None:
        return ()
    pixels = enlarge(shrink_pane(picture.pixels, MOST_PANEL_SIDE), PANEL_SIDE)
    return (
        Montage(
            view.id("error-map"),
            "Where errors lie",
            layer=view.output.name,
            sample="",
            tiles=1,
            shown=1,
            across=1,
            tile_width=pixels.shape[1],
            tile_height=pixels.shape[0],
            scaling=f"mean absolute error at each position; 0 is black, {number_text(largest, 3)} is white",
            reading=describe_map(values),
            low=0.0,
            high=number(largest),
            image=view.context.draw(pixels, "maps", "Mean absolute error at each position over all samples"),
        ),
    )


def describe_map(values: Array) -> str:
    """Say in one sentence whether errors are spread over the picture or gather in a part of it."""
    flat = np.sort(np.asarray(values, dtype=np.float64).reshape(-1))[::-1]
    if not flat.sum() > 0:
        return "No position has an error."
    tenth = float(flat[: max(flat.size // 10, 1)].sum() / flat.sum())
    if tenth > 0.4:
        return f"Errors gather: the worst tenth of the positions holds {percent(tenth)} of all error."
    return f"Errors are spread: the worst tenth of the positions holds {percent(tenth)} of all error."


def _style(view: OutputView) -> Style:
    """Return how samples of this task are shown."""
    legend = LEGEND if view.kept_truth is not None else LEGEND_UNLABELLED
    return Style(show_panels, legend, partial(describe_losses, name="mean squared error"), MOST_CARDS)
