"""Small things a reader sees in tables, cards and pictures: aligned numbers, whole sentences, no empty controls."""

from __future__ import annotations

import dataclasses

import pytest

from reportgen.renderers import html, page_numbers, page_text
from reportgen.renderers.page_figures import chart_numbers, gallery_thin
from reportgen.renderers.page_pictures import Pictures
from reportgen.renderers.page_tables import column_forms, mark_words
from reportgen.report import blocks as b
from reportgen.report import types as t
from reportgen.report.values import Column
from tests.renderers.page_reading import Element, read_page
from tests.sample_report import make_report

SENTENCE = (
    "Share of labelled positions with the right class; high wherever one class fills most of the picture, and more."
)


def page_of(*blocks: b.Block, samples: tuple[t.SampleTable, ...] = ()) -> Element:
    report = dataclasses.replace(
        make_report(), sections=(t.Section("own", "Own", "shown", "", blocks),), samples=samples, assets={}
    )
    return read_page(html.render(report))


def card(key: str, outcome: b.Outcome, truth: str = "three") -> b.SampleCard:
    return b.SampleCard(key, key, truth, "five", outcome, 0.5, 1.0, None, "")


def table(*columns: tuple[str, ...]) -> b.Table:
    titles = tuple(b.TableColumn(f"Column {i}") for i in range(len(columns)))
    return b.Table("numbers", "Numbers", titles, tuple(zip(*columns, strict=True)))


def test_texts_that_are_numbers_stand_right_with_minus_signs_and_names_stand_left() -> None:
    block = table(("1", "2"), ("-0.5 to 1.6", "no interval"), ("98.0%", "1,204"), ("5 of 7", "12"), ("1e-7", "none"))
    assert column_forms(block) == ["text", "figures", "figures", "text", "figures"]
    page = page_of(block).find("div", id="numbers")[0]
    assert page.find("table", class_="nums")
    assert [cell.words() for cell in page.find("td", class_="txt")] == ["5 of 7", "12"]
    assert [cell.words() for cell in page.find("td") if not cell.attributes] == [
        "−0.5 to 1.6",
        "98.0%",
        "1e-7",
        "no interval",
        "1,204",
        "none",
    ]
    assert len(page.find("th", scope="row")) == 2
    changes = table(("1", "2"), ("+7.2 points", "±0"), ("−1.5 to +15.4 points", "no interval"))
    assert column_forms(changes) == ["text", "figures", "figures"]


def test_in_a_table_of_words_the_numbers_say_that_they_are_numbers() -> None:
    page = page_of(table(("a", "b"), ("c", "d"), ("1", "2"))).find("div", id="numbers")[0]
    assert not page.find("table", class_="nums")
    assert [cell.words() for cell in page.find("td", class_="num")] == ["1", "2"]
    assert [cell.words() for cell in page.find("td") if not cell.attributes] == ["c", "d"]


def test_a_sentence_in_a_cell_is_whole_and_a_name_is_shortened() -> None:
    page = page_of(table(("a",), (SENTENCE,), ("n" * 200,))).find("div", id="numbers")[0]
    assert SENTENCE in page.words()
    assert "n" * 200 not in page.words()
    assert page_text.passage("two\n lines") == "two lines"


@pytest.mark.parametrize(("rows", "folded"), [(8, False), (9, True)])
def test_a_table_is_not_folded_for_a_few_rows(rows: int, folded: bool) -> None:
    block = dataclasses.replace(table(tuple(f"row {i}" for i in range(rows))), collapsed_after=3)
    page = page_of(block)
    assert bool(page.find("details", class_="more")) is folded
    assert len(page.find("tr", class_="later")) == (rows - 3 if folded else 0)


@pytest.mark.parametrize(("shown", "known", "tools"), [(4, 0, 0), (9, 0, 1), (4, 30, 1)])
def test_controls_of_a_gallery_are_there_only_where_there_is_much_to_filter(shown: int, known: int, tools: int) -> None:
    gallery = b.Gallery("cards", "Cards", "digit", "", tuple(card(f"{i:016x}", "right") for i in range(shown)), "")
    table = dataclasses.replace(make_report().samples[0], output="digit")
    page = page_of(gallery, samples=(table,) if known else ())
    assert len(page.find("div", data_tools="gallery")) == tools


def test_a_card_that_nobody_judges_has_no_sign_and_claims_no_missing_label() -> None:
    gallery = b.Gallery("cards", "Cards", "digit", "", (card("a" * 16, "unknown"), card("b" * 16, "wrong")), "")
    first, second = (li.words() for li in page_of(gallery).find("li", class_="sample"))
    assert "?" not in first and "No label" not in first and "truth three" in first
    assert "Wrong: predicted five" in second


def test_the_numbers_of_a_single_curve_are_headed_by_its_axis() -> None:
    series = b.Series("a", "Samples", Column.pack([1.0, 2.0]), Column.pack([3.0, 4.0]))
    chart = b.Chart("c", "C", b.Axis("True value"), b.Axis("Predicted value"), (series,), reading="")
    assert chart_numbers(chart).headings == ("True value", "Predicted value")
    both = dataclasses.replace(chart, series=(series, dataclasses.replace(series, name="Others")))
    assert chart_numbers(both).headings == ("True value", "Samples", "Others")


def test_times_are_written_for_people() -> None:
    assert page_numbers.moment("2026-11-23T05:58:50+00:00") == "2026-11-23 05:58 UTC"
    assert page_numbers.moment("2026-11-23T05:58:50+02:00") == "2026-11-23 05:58 UTC+02:00"
    assert page_numbers.moment("<b>yesterday</b>") == "<b>yesterday</b>"


def test_a_tall_small_picture_is_not_blown_up_over_the_page() -> None:
    sha256, asset = next((k, a) for k, a in make_report().assets.items() if a.media_type == "image/png")
    ref = b.AssetRef(sha256, 1, 24, "one unit")
    pictures = Pictures({sha256: asset})
    assert pictures.take(ref, "here", 480).zoom == 20


def test_marks_that_differ_only_in_their_numbers_are_explained_once_where_they_are_many() -> None:
    dead = tuple(b.CellMark(i, 0, "warn", f"{i + 1} of 64 units ({i / 0.64:.1f}%) never active") for i in range(40))
    broken = b.CellMark(40, 0, "error", "a value is not a number")
    table = b.Table("t", "T", (b.TableColumn("Dead", "int"),), ((1,),) * 41, marks=(*dead, broken))
    assert mark_words(table) == [
        ("error", "a value is not a number", 1),
        ("warn", "1 of 64 units (0.0%) never active", 40),
    ]
    few = dataclasses.replace(table, marks=dead[:3])
    assert [n for _, _, n in mark_words(few)] == [1, 1, 1], "few are said each"


def test_pictures_stand_two_beside_each_other_on_a_phone_unless_that_would_shrink_a_drawing() -> None:
    photo, drawing = t.Asset("image/webp", b"RIFF"), t.Asset("image/png", b"PNG")

    def thin(asset: t.Asset, width: int) -> int:
        image = b.AssetRef("a" * 64, width, 96, "")
        card = b.SampleCard("8000000000000005", "0", "zero", "zero", "right", 0.99, 0.01, image)
        return gallery_thin(b.Gallery("g", "G", "out", "", (card,), ""), {image.sha256: asset})

    assert thin(photo, 192) == thin(drawing, 65) == 152
    assert thin(drawing, 192) == 200
    assert thin(drawing, 8) == 112


def test_a_column_says_what_it_means_where_its_title_stands() -> None:
    columns = (b.TableColumn("Spread", help="Standard deviation of <all> values"), b.TableColumn("Name"))
    heads = page_of(b.Table("numbers", "Numbers", columns, ((1.0, "a"),))).find("div", id="numbers")[0].find("th")
    assert [head.attributes.get("title") for head in heads[:2]] == ["Standard deviation of <all> values.", None]


def test_details_of_a_sample_and_scales_of_maps_have_minus_signs_too() -> None:
    shown = dataclasses.replace(card("8000000000000005", "wrong"), details=(("error", "-124.6"), ("id", "a-1")))
    words = page_of(b.Gallery("g", "G", "out", "", (shown,), "Read.")).words()
    assert "−124.6" in words and "a-1" in words
