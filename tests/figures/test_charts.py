"""Charts: what is drawn where, what no finite number leaves, hostile words, and the same bytes for the same block."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.figures import draw_figure
from reportgen.figures.chart_labels import _spread
from reportgen.figures.charts import plot_chart
from reportgen.figures.scales import choose_scale
from reportgen.report.blocks import Axis, Chart, ChartMark, Frame, Series, Text
from reportgen.report.svg import sanitise
from reportgen.report.values import Column

SVG = "{http://www.w3.org/2000/svg}"


def series(name: str, x: Any, y: Any, **settings: Any) -> Series:
    for side in ("low", "high"):
        if side in settings:
            settings[side] = Column.pack(settings[side])
    return Series(settings.pop("id", name), name, Column.pack(x), Column.pack(y), **settings)


def chart(*lines: Series, x: Axis | None = None, y: Axis | None = None, **more: Any) -> Chart:
    return Chart(more.pop("id", "c"), "Title", x or Axis("Epoch", integer=True), y or Axis("Loss"), lines, "r", **more)


def draw(block: Chart) -> tuple[Chart, ElementTree.Element, str]:
    drawn, drawing = plot_chart(block)
    text = drawing.data.decode("utf-8")
    root = ElementTree.fromstring(text)
    assert root.get("viewBox") == f"0 0 {drawing.width} {drawing.height}"
    assert sanitise(drawing.data).count(b"<path") == text.count("<path"), "the sanitiser removes part of the figure"
    return drawn, root, text


def words(root: ElementTree.Element) -> list[str]:
    return ["".join(part for part in element.itertext()) for element in root.iter(f"{SVG}text")]


def parts_of(root: ElementTree.Element, identity: str) -> list[ElementTree.Element]:
    groups = [g for g in root.iter(f"{SVG}g") if g.get("data-series") == identity]
    return [path for group in groups for path in group.iter(f"{SVG}path")]


def points_of(path: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]\s*(-?[\d.]+) (-?[\d.]+)", path.get("d", ""))]


def to_pixels(frame: Frame, x: float, y: float) -> tuple[float, float]:
    return (
        frame.left + (x - frame.x_low) / (frame.x_high - frame.x_low) * (frame.right - frame.left),
        frame.bottom - (y - frame.y_low) / (frame.y_high - frame.y_low) * (frame.bottom - frame.top),
    )


EPOCHS = np.arange(1, 21)
TRAIN = series("Training", EPOCHS, 1 / EPOCHS, role="train", id="t")
VALIDATION = series("Validation", EPOCHS, 1 / EPOCHS + 0.1, role="validation", id="v")


def test_the_frame_says_where_each_value_was_drawn() -> None:
    drawn, root, _ = draw(chart(TRAIN, VALIDATION))
    assert drawn.frame
    expected = [to_pixels(drawn.frame, x, 1 / x) for x in EPOCHS]
    assert np.allclose(points_of(parts_of(root, "t")[0]), expected, atol=0.02)


def test_on_a_log_axis_the_frame_maps_logarithms() -> None:
    drawn, root, _ = draw(chart(series("lr", [1, 2, 3], [1e-2, 1e-4, 1e-7]), y=Axis("Rate", "log")))
    frame = drawn.frame
    assert frame and drawn.y.scale == "log"
    low, high = np.log10([frame.y_low, frame.y_high])
    heights = [frame.bottom - (e - low) / (high - low) * (frame.bottom - frame.top) for e in (-2, -4, -7)]
    assert np.allclose([y for _, y in points_of(parts_of(root, "lr")[0])], heights, atol=0.02)


def test_training_and_validation_differ_by_dash_and_not_only_by_colour() -> None:
    _, root, text = draw(chart(TRAIN, VALIDATION))
    assert "stroke-dasharray" in parts_of(root, "t")[0].get("style", "")
    assert "stroke-dasharray" not in parts_of(root, "v")[0].get("style", "")
    assert "var(--train, " in text and "var(--validation, " in text


def test_every_colour_is_a_variable_with_a_fallback() -> None:
    _, _, text = draw(chart(TRAIN, VALIDATION, marks=(ChartMark("best", x=3),)))
    assert not re.findall(r"#[0-9a-fA-F]{6}", re.sub(r"var\(--[a-z-]+, #[0-9a-f]{6}\)", "", text))
    assert "fe00fd" not in text


def test_curves_are_named_at_their_ends_right_of_the_data() -> None:
    drawn, root, _ = draw(chart(TRAIN, VALIDATION))
    labels = {"".join(e.itertext()): e for e in root.iter(f"{SVG}text")}
    assert drawn.frame
    assert all(float(labels[name].get("x", "0")) > drawn.frame.right for name in ("Training", "Validation"))


def test_points_are_named_in_a_legend_above_the_data() -> None:
    drawn, root, _ = draw(
        chart(series("a", [1, 2], [1, 2], shape="points"), series("b", [1, 2], [2, 1], shape="points"))
    )
    labels = {"".join(e.itertext()): e for e in root.iter(f"{SVG}text")}
    assert drawn.frame
    assert all(float(labels[name].get("y", "999")) < drawn.frame.top for name in ("a", "b"))


def test_values_that_are_not_finite_are_gaps() -> None:
    _, root, _ = draw(chart(series("a", range(7), [1, 2, np.nan, 3, np.inf, 4, 5])))
    line = parts_of(root, "a")[0].get("d", "")
    assert line.count("M") == 3
    assert len(parts_of(root, "a")) == 2, "the lone point between two gaps has no marker"
    assert parts_of(root, "a")[1].get("d", "").count("M") == 1


def test_one_epoch_is_a_marker_and_not_an_invisible_line() -> None:
    _, root, _ = draw(chart(series("a", [1], [0.5])))
    marker = parts_of(root, "a")[-1]
    assert "stroke-linecap: round" in marker.get("style", "")
    assert float(re.findall(r"stroke-width: ([\d.]+)", marker.get("style", ""))[0]) > 5


@pytest.mark.parametrize(
    "values", [[1e308, -1e308], [1e-320, 5e-324], [1e308, 1e308], [0, 0], [-5, -5], [1e15, 1e15 + 1]]
)
def test_extreme_values_are_drawn_inside_the_frame(values: list[float]) -> None:
    drawn, root, _ = draw(chart(series("a", [1, 2], values)))
    frame = drawn.frame
    assert frame and np.isfinite([frame.y_low, frame.y_high]).all() and frame.y_low < frame.y_high
    points = points_of(parts_of(root, "a")[0])
    assert len(points) == 2
    assert all(frame.top - 0.1 <= y <= frame.bottom + 0.1 for _, y in points)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_nothing_to_draw_says_so(values: list[float]) -> None:
    _, root, _ = draw(chart(series("a", range(len(values)), values)))
    assert "No finite value to draw" in words(root)


def test_a_log_axis_without_a_positive_value_becomes_linear_and_says_so_in_the_block() -> None:
    drawn, _, _ = draw(chart(series("a", [1, 2], [-1.0, 0.0]), y=Axis("Loss", "log")))
    assert drawn.y.scale == "linear"


def test_bars_stand_on_zero_and_do_not_hide_each_other() -> None:
    x = [0.5, 1.5, 2.5]
    right = series("right", x, [3, 2, 1], shape="bars", role="right", width=0.8)
    wrong = series("wrong", x, [1, 2, 3], shape="bars", role="wrong", width=0.8)
    drawn, root, _ = draw(chart(right, wrong))
    assert drawn.frame and drawn.frame.y_low == 0
    spans = {}
    for name in ("right", "wrong"):
        points = points_of(parts_of(root, name)[0])
        spans[name] = [sorted({x for x, _ in points[i : i + 4]}) for i in range(0, 12, 4)]
        assert max(y for _, y in points) == pytest.approx(drawn.frame.bottom, abs=0.02)
    assert all(a[1] <= b[0] + 0.02 for a, b in zip(spans["right"], spans["wrong"], strict=True))


def test_negative_bars_hang_from_zero() -> None:
    drawn, root, _ = draw(chart(series("a", [1, 2], [-2, 3], shape="bars")))
    assert drawn.frame
    zero = to_pixels(drawn.frame, 1, 0)[1]
    points = points_of(parts_of(root, "a")[0])
    assert sorted({round(y, 1) for _, y in points[:4]})[0] == pytest.approx(zero, abs=0.1)


def test_intervals_of_points_are_drawn_from_low_to_high() -> None:
    one = series("a", [1, 2], [5, 6], shape="points", low=[4, np.nan], high=[8, np.nan])
    drawn, root, _ = draw(chart(one))
    assert drawn.frame
    ends = {round(y, 1) for path in parts_of(root, "a")[:1] for _, y in points_of(path)}
    assert {round(to_pixels(drawn.frame, 1, value)[1], 1) for value in (4, 8)} <= ends
    assert len(points_of(parts_of(root, "a")[0])) == 6, "an interval that is missing was drawn"


@pytest.mark.parametrize("shape", ["line", "steps"])
def test_a_band_around_a_line_passes_the_sanitiser(shape: str) -> None:
    low, high = [4, np.nan, 5, 5], [8, np.nan, 7, 7]
    drawn = draw_figure(chart(series("a", [1, 2, 3, 4], [5, 6, 6, 6], shape=shape, low=low, high=high)))[1]
    assert drawn is not None
    assert b"<use" not in sanitise(drawn.data) and b"0.15" in sanitise(drawn.data)


def test_a_diagonal_chart_has_equal_scales_on_a_square() -> None:
    drawn, _, _ = draw(chart(series("a", [0, 200], [20, 90], shape="points"), x=Axis("True"), diagonal=True))
    frame = drawn.frame
    assert frame and (frame.x_low, frame.x_high) == (frame.y_low, frame.y_high)
    assert frame.right - frame.left == pytest.approx(frame.bottom - frame.top, abs=1)


def test_fixed_limits_are_kept() -> None:
    drawn, _, _ = draw(chart(series("a", [1, 2], [0.2, 0.3]), y=Axis("Share", low=0.0, high=1.0)))
    assert drawn.frame and (drawn.frame.y_low, drawn.frame.y_high) == (0.0, 1.0)


def test_an_integer_axis_has_integer_ticks_only() -> None:
    _, root, _ = draw(chart(series("a", [1, 2, 3], [1, 2, 3]), y=Axis("Loss", low=0.0, high=4.0)))
    assert not [word for word in words(root) if "." in word]


def test_categories_stand_under_their_bars() -> None:
    names = ("cat", "dog", "a very long name of a class that needs to be turned", "<b>")
    drawn, root, text = draw(
        chart(series("a", range(4), [1, 2, 3, 4], shape="bars"), x=Axis("Class", categories=names))
    )
    assert "cat" in words(root) and "<b>" in words(root) and "&lt;b&gt;" in text
    assert drawn.frame and (drawn.frame.x_low, drawn.frame.x_high) == (-0.5, 3.5)


def test_labels_of_marks_never_overlap_and_every_line_is_drawn() -> None:
    marks = tuple(ChartMark(f"mark number {i}", x=10 + i / 10) for i in range(6))
    _, root, text = draw(chart(TRAIN, VALIDATION, marks=marks))
    shown = [e for e in root.iter(f"{SVG}text") if (e.text or "").startswith("mark number")]
    assert len({e.get("y") for e in shown}) == len(shown) == 3
    assert text.count('data-part="mark"') == 6


def test_labels_beside_each_other_are_moved_apart() -> None:
    places = _spread([250.0, 249.0, 248.0, 20.0], 20, 250)
    assert all(a - b >= 14.9 for a, b in pairwise(places))
    assert max(places) <= 250 and min(places) >= 20


HOSTILE = [
    "<script>alert(1)</script>", "a & b < c > d \" '", "$\\frac{1}{0}$", "\x00\x1b[31m\ufffe", "\ud800 lone", "]]>",
    "&lt;&#x0;", "x" * 100_000, "\u202etxt.exe", "emoji \U0001f600 CJK \u6f22\u5b57",
    "", " ", "\n\r\t", "{a|b}", "#fe00fd",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_give_a_well_formed_figure_that_shows_them(text: str) -> None:
    lines = (
        series(text, EPOCHS, EPOCHS, id=text + "1"),
        series(text, EPOCHS, EPOCHS * 2.0, id=text + "2", role="second"),
    )
    block = chart(*lines, x=Axis(text), y=Axis(text), marks=(ChartMark(text, x=3), ChartMark(text, y=3)), id=text)
    _, root, out = draw(block)
    assert "<script" not in out and len(out) < 60_000
    if text == HOSTILE[0]:
        assert any("<script>" in word for word in words(root))
    if text == "$\\frac{1}{0}$":
        assert words(root).count(text) >= 3


def test_the_same_block_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import sys; sys.path[:0] = ['.'];"
        "from reportgen.report.blocks import *; from reportgen.report.values import Column; import hashlib;"
        "from reportgen.figures.charts import plot_chart; P = Column.pack;"
        "x, y = P([1, 2, 3]), P([1, float('nan'), 2]);"
        "s = (Series('a', 'a', x, y), Series('b', 'b', x, y, shape='bars'));"
        "c = Chart('c', 't', Axis('x'), Axis('y'), s, 'r', (ChartMark('m', x=2),));"
        "print(hashlib.sha256(plot_chart(c)[1].data).hexdigest())"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "TZ": zone},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(hashes) == 1


def test_two_charts_on_one_page_share_no_id() -> None:
    ids = []
    for name in ("one", "two"):
        _, root, _ = draw(chart(TRAIN, VALIDATION, id=name))
        ids.append({element.get("id") for element in root.iter() if element.get("id")})
    assert ids[0] and not ids[0] & ids[1]


def test_matplotlib_is_not_imported_before_a_chart_is_drawn_and_pyplot_never() -> None:
    code = (
        "import sys; sys.path[:0] = ['.']; import reportgen.figures, reportgen.figures.easel;"
        "assert 'matplotlib' not in sys.modules;"
        "import reportgen.figures.charts; from tests_block import block; reportgen.figures.draw_figure(block);"
        "assert 'matplotlib.figure' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    ).replace(
        "from tests_block import block;",
        "from reportgen.report.blocks import *; block = Chart('c', 't', Axis('x'), Axis('y'), (), 'r');",
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_block_without_a_figure_comes_back_as_it_is() -> None:
    block = Text("words")
    assert draw_figure(block) == (block, None)


def test_a_thousand_points_stay_small() -> None:
    rng = np.random.default_rng(0)
    _, drawing = plot_chart(chart(series("a", rng.random(1000), rng.random(1000), shape="points")))
    assert len(drawing.data) < 50_000


@given(st.lists(st.floats(), max_size=12), st.sampled_from(["linear", "log"]), st.booleans(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_values_get_a_scale_with_finite_limits_and_readable_ticks(
    values: list[float], kind: Any, integer: bool, base: bool
) -> None:
    scale = choose_scale(Axis("a", kind, integer=integer), np.array(values, dtype=float), room=240, base=base)
    assert np.isfinite([scale.low, scale.high]).all() and scale.low < scale.high
    assert all(scale.low <= tick + 1e-6 and tick - 1e-6 <= scale.high for tick in scale.ticks)
    assert len(scale.labels) == len(scale.ticks) <= 40
    assert all(len(label) <= 14 for label in scale.labels)
    placed = scale.place(np.array(values, dtype=float))
    known = placed[np.isfinite(placed)]
    assert all(scale.low - 1e-9 <= place <= scale.high + 1e-9 for place in known)
