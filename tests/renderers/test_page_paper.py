"""On paper a tall graph stands in columns: cut between its boxes, nothing lost, and its bytes in the page once."""

from __future__ import annotations

import dataclasses

from reportgen.renderers import html
from reportgen.renderers.page_figures import NumbersTable
from reportgen.renderers.page_paper import LEAST, LOW, columns
from reportgen.report import blocks as b
from reportgen.report.svg import sanitise
from tests.renderers.page_reading import read_page
from tests.sample_report import Shelf, make_report

STEP, CARD = 100, 70


def chain(boxes: int, width: int = 300, *, beside: int = 0) -> str:
    """Return a drawing of cards below each other; with `beside`, others stand next to their gaps."""
    cards = [(20, i * STEP + 10) for i in range(boxes)] + [
        (160, i * STEP + 10 + beside) for i in range(boxes) if beside
    ]
    drawn = "".join(
        f'<a href="#layer-0" data-card="n{i}" aria-label="a"><title>a\nb</title>'
        f'<rect x="{x}" y="{y}" width="120" height="{CARD}"/><text x="9" y="{y + 20}">layer {i}</text></a>'
        for i, (x, y) in enumerate(cards)
    )
    start = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {boxes * STEP}">'
    return sanitise(f'{start}<g id="all">{drawn}</g></svg>'.encode()).decode()


def test_a_tall_graph_is_cut_between_its_boxes_and_nothing_is_lost() -> None:
    found = columns(chain(20), 300, 2_000)
    assert found is not None
    edges = [0.0]
    for top, height in found.pieces:
        assert abs(top - edges[-1]) < 0.2, "pieces follow each other"
        edges.append(top + height)
    assert abs(edges[-1] - 2_000) < 0.2
    for edge in edges[1:-1]:
        assert not any(i * STEP + 10 < edge < i * STEP + 10 + CARD for i in range(20)), edge
    scale = found.width / 300
    assert scale >= LEAST
    assert max(height for _, height in found.pieces) * scale <= LOW * 1.3
    assert len(found.pieces) * (found.width + 14) <= 690, "all beside each other"


def test_a_low_graph_one_without_gaps_and_one_without_a_name_are_left_whole() -> None:
    assert columns(chain(5), 300, 500) is None
    assert columns(chain(20, beside=50), 300, 2_000) is None
    assert columns(chain(20).replace('<g id="', '<g class="'), 300, 2_000) is None


def test_the_pieces_show_the_one_drawing_of_the_page() -> None:
    report, shelf = make_report(), Shelf()
    figure = shelf.svg(chain(20), 300, 2_000, "Twenty boxes")
    graph = b.GraphView("tall", "Tall", (), (), (), figure=figure, reading="Twenty in a row.")
    section = dataclasses.replace(report.sections[1], blocks=(graph,))
    told = dataclasses.replace(report, sections=(section,), assets={**report.assets, **shelf.assets})
    text = html.render(told)
    paper = read_page(text).find("div", class_="paper")[0]
    uses = [use.attributes["href"] for use in paper.find("use")]
    assert len(uses) > 1 and len(set(uses)) == 1
    assert text.count(f'id="{uses[0][1:]}"') == 1
    assert paper.attributes["aria-hidden"] == "true"


def test_numbers_stand_in_as_many_columns_as_their_words_leave_room_for() -> None:
    def table(rows: int, cell: str, *headings: str) -> NumbersTable:
        return NumbersTable(headings, ((cell,) * len(headings),) * rows, rows, rows)

    assert table(30, "0.1234", "epoch", "loss").columns == 7
    assert table(30, "0.5 (0.09453 to 0.9055)", "Confidence", "Share").columns == 2
    assert table(4, "0.1234", "epoch", "loss").columns == 1, "too few rows for a second head"
    assert table(30, "0.1", *(f"class {i}" for i in range(30))).columns == 1
