"""Confusion matrices: counts, shares, what is right by more than colour, from 2 to 1,000 classes."""

from __future__ import annotations

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from reportgen.figures.matrix import compute_shares, plot_matrix, pool, write_count
from reportgen.report.blocks import Matrix
from reportgen.report.svg import sanitise
from reportgen.report.values import Column

SVG = "{http://www.w3.org/2000/svg}"


def matrix(counts: object, names: tuple[str, ...] | None = None, identity: str = "m") -> Matrix:
    array = np.asarray(counts)
    names = names or tuple(f"class {i}" for i in range(array.shape[0]))
    return Matrix(identity, "T", "True", "Predicted", names, names, Column.pack(array.ravel(), "<i8"), "r")


def cells(data: bytes) -> dict[tuple[int, int], ElementTree.Element]:
    root = ElementTree.fromstring(data)
    found = [g for g in root.iter(f"{SVG}g") if g.get("data-cell")]
    return {tuple(int(part) for part in g.get("data-cell", "").split(",")): g for g in found}  # type: ignore[misc]


def opacity(cell: ElementTree.Element) -> float:
    rectangle = cell.find(f"{SVG}rect")
    assert rectangle is not None
    return float(rectangle.get("fill-opacity", "1"))


def test_every_count_stands_in_its_cell() -> None:
    drawing = plot_matrix(matrix([[50, 2], [7, 1234]]))
    assert drawing
    found = {place: "".join(cell.find(f"{SVG}text").itertext()) for place, cell in cells(drawing.data).items()}  # type: ignore[union-attr]
    assert found == {(0, 0): "50", (0, 1): "2", (1, 0): "7", (1, 1): "1,234"}


def test_the_tint_is_the_share_of_the_row() -> None:
    drawing = plot_matrix(matrix([[90, 10], [500, 500]]))
    assert drawing
    found = cells(drawing.data)
    assert opacity(found[0, 0]) == pytest.approx(0.9 * 0.55, abs=0.01)
    assert opacity(found[1, 0]) > opacity(found[0, 1])


def test_what_is_right_is_outlined_and_bold_and_not_only_coloured() -> None:
    drawing = plot_matrix(matrix([[5, 1], [1, 5]]))
    assert drawing
    for (row, column), cell in cells(drawing.data).items():
        assert (cell.find(f"{SVG}rect").get("stroke") is not None) == (row == column)  # type: ignore[union-attr]
        assert (cell.find(f"{SVG}text").get("font-weight") == "600") == (row == column)  # type: ignore[union-attr]


def contrast(tint: str, ground: str, text: str, strength: float) -> float:
    def light(colour: list[float]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    t, g, w = ([int(one[i : i + 2], 16) / 255 for i in (1, 3, 5)] for one in (tint, ground, text))
    mixed = [strength * a + (1 - strength) * b for a, b in zip(t, g, strict=True)]
    high, low = sorted((light(mixed), light(w)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("tint", "ground", "text", "strength"),
    [
        ("#1d5fae", "#fdfdfc", "#1b1c1f", 0.55),
        ("#b42318", "#fdfdfc", "#1b1c1f", 0.53),
        ("#5a9cf5", "#15171a", "#e9eaec", 0.55),
        ("#ff9084", "#15171a", "#e9eaec", 0.53),
    ],
)
def test_counts_are_legible_on_the_strongest_tint(tint: str, ground: str, text: str, strength: float) -> None:
    assert contrast(tint, ground, text, strength) >= 4.5


def test_a_class_without_samples_has_no_share() -> None:
    assert compute_shares(np.array([[0.0, 0.0], [1.0, 3.0]])).tolist() == [[0, 0], [0.25, 0.75]]
    assert plot_matrix(matrix([[0, 0], [0, 0]]))


def test_counts_that_do_not_fit_the_names_are_not_drawn() -> None:
    names = ("a", "b")
    assert plot_matrix(Matrix("m", "T", "True", "P", names, names, Column.pack([1, 2, 3], "<i8"), "r")) is None
    assert plot_matrix(Matrix("m", "T", "True", "P", (), (), Column.pack([], "<i8"), "r")) is None


def test_rows_and_columns_may_differ() -> None:
    block = Matrix("m", "T", "True", "P", ("a", "b"), ("a", "b", "other"), Column.pack([5, 1, 2, 0, 4, 9], "<i8"), "r")
    drawing = plot_matrix(block)
    assert drawing and set(cells(drawing.data)) == {(r, c) for r in range(2) for c in range(3)}


@pytest.mark.parametrize("n", [2, 3, 10, 30, 31, 100, 1000])
def test_any_number_of_classes_is_drawn_small_and_well_formed(n: int) -> None:
    rng = np.random.default_rng(n)
    counts = rng.integers(0, 3, (n, n)) * (rng.random((n, n)) < 0.1) + np.diag(rng.integers(1, 50, n))
    drawing = plot_matrix(matrix(counts))
    assert drawing and len(drawing.data) < 120_000
    assert 100 < drawing.width < 1200 and 100 < drawing.height < 900
    clean = sanitise(drawing.data)
    assert clean.count(b"<image") == drawing.data.count(b"<image") == (2 if n > 30 else 0)
    assert clean.count(b"mask=") == drawing.data.count(b"mask=")


def test_a_heat_picture_keeps_every_mistake() -> None:
    counts = np.diag(np.full(1000, 100))
    counts[3, 977] = 1
    drawing = plot_matrix(matrix(counts))
    assert drawing and "2 \u00d7 2 cells" in drawing.data.decode()
    pictures = re.findall(rb"base64,([A-Za-z0-9+/=]+)", drawing.data)
    wrong, right = (np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in pictures)
    assert np.argwhere(wrong > 0).tolist() == [[1, 488]] and wrong.max() >= 40
    assert (np.diag(right) > 200).all() and np.count_nonzero(right) == 500


def test_pooling_keeps_the_strongest() -> None:
    values = np.zeros((1081, 1081))
    values[1080, 0] = 7
    assert pool(values).max() == 7 and pool(values).shape == (361, 361)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (9999, "9,999"), (10_000, "10k"), (12_345, "12k"), (3.4e6, "3.4M"), (5e8, "500M"), (1.2e9, "1.2e9")],
)
def test_long_counts_are_shortened(count: float, text: str) -> None:
    assert write_count(count) == text


def test_hostile_class_names_are_text() -> None:
    names = ("<script>x</script>", "\ud800\x00", "W" * 100_000, "&amp;")
    drawing = plot_matrix(matrix(np.eye(4, dtype=int), names))
    assert drawing and b"<script" not in drawing.data and len(drawing.data) < 20_000
    assert "&lt;script&gt;" in drawing.data.decode()
    ElementTree.fromstring(drawing.data)


def test_the_same_matrix_gives_the_same_bytes_and_two_share_no_id() -> None:
    counts = np.eye(40, dtype=int)
    first, again, other = (plot_matrix(matrix(counts, identity=name)) for name in ("a", "a", "b"))
    assert first and again and other and first == again
    ids = [set(re.findall(rb'id="([^"]+)"', drawing.data)) for drawing in (first, other)]
    assert ids[0] and not ids[0] & ids[1]
