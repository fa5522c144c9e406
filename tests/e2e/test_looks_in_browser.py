"""How the page looks where it has gone wrong before: nothing lies over something else, nothing scrolls for no reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from reportgen.renderers import html
from reportgen.report import blocks as b
from reportgen.report.types import Report, Theme
from reportgen.report.values import Column
from reportgen.sections.layer_statistics import ACTIVATION_COLUMNS
from reportgen.sections.layer_table import COLUMNS
from tests.sample_report import Shelf, make_report

sync_api = pytest.importorskip("playwright.sync_api")
expect = sync_api.expect
pytestmark = pytest.mark.browser
Open = Callable[..., Any]

OVERLAPS = """() => [...document.querySelectorAll(".sample")].flatMap(card => {
  const zoom = card.querySelector(".zoom").getBoundingClientRect();
  const words = part => {
    const range = document.createRange(), texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT), found = [];
    while (texts.nextNode()) {
      range.selectNodeContents(texts.currentNode);
      if (!texts.currentNode.parentElement.closest(".vh")) found.push(...range.getClientRects());
    }
    return found;
  };
  return [...card.querySelectorAll("dt, dd, .said b, .truth b, .facts-line > *, .words, summary")].filter(part =>
    part.checkVisibility() && words(part).some(r => r.width > 1 && r.left < zoom.right && r.right > zoom.left && r.top < zoom.bottom && r.bottom > zoom.top)
  ).map(part => card.id + ": " + part.textContent.slice(0, 40));
})"""


def with_details() -> Report:
    """Return the sample report with details on every card, but for every third."""
    report = make_report()

    def detailed(gallery: b.Gallery) -> b.Gallery:
        pairs = tuple((f"measure {i}", f"{i}.25 of the whole") for i in range(5))
        cards = tuple(
            dataclasses.replace(card, details=pairs if i % 3 else (), label=f"a-rather-long-name-{i}.png")
            for i, card in enumerate(gallery.samples)
        )
        return dataclasses.replace(gallery, samples=cards)

    sections = tuple(
        dataclasses.replace(
            section, blocks=tuple(detailed(k) if isinstance(k, b.Gallery) else k for k in section.blocks)
        )
        for section in report.sections
    )
    return dataclasses.replace(report, sections=sections)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_button_that_enlarges_lies_over_no_word_of_its_card(open_page: Open, width: int) -> None:
    with open_page(html.render(with_details()), width=width, height=900) as seen:
        cards = seen.page.locator(".sample").count()
        for gallery in seen.page.locator(".gallery").all():
            gallery.scroll_into_view_if_needed()
            gallery.locator(".zoom").first.wait_for()
        expect(seen.page.locator(".sample .zoom")).to_have_count(cards)
        assert cards > 4
        assert seen.page.evaluate(OVERLAPS) == []
        seen.page.evaluate("document.querySelectorAll('.sample details').forEach(d => { d.open = true })")
        assert seen.page.evaluate(OVERLAPS) == []


def test_the_marks_of_a_narrow_chart_stand_above_its_curves(open_page: Open) -> None:
    with open_page(html.render(make_report()), width=390, height=844) as seen:
        chart = seen.page.locator("#curve-loss")
        chart.scroll_into_view_if_needed()
        chart.locator(".tools button").first.wait_for()
        top = "Math.min(...[...document.querySelectorAll('#curve-loss svg:last-of-type [clip-path] path')].map(p => p.getBoundingClientRect().top))"
        labels = seen.page.evaluate(
            "[...document.querySelectorAll('#curve-loss svg:last-of-type text')].filter(t => /epoch \\\\d|best|last/.test(t.textContent))"
            ".map(t => t.getBoundingClientRect().bottom)"
        )
        assert labels and max(labels) <= seen.page.evaluate(top) + 2


def test_a_table_of_layers_with_long_settings_fits_a_wide_page(open_page: Open) -> None:
    report = make_report()
    columns = tuple(column for column in COLUMNS if column.title not in ("Trainable", "Dtype"))
    settings = "filters 128, kernel_size (3, 3), strides (2, 2), padding same, kernel_initializer HeNormal"
    row = ("conv2_block1_1_conv", "BatchNormalization", "(None, 112, 112, 64)", "linear", 2_562_816, 0.2, 118_013_952)
    table = b.Table("settings", "All layers", columns, ((*row, 803_000, settings),) * 2)
    first = dataclasses.replace(report.sections[1], blocks=(table,))
    page = html.render(dataclasses.replace(report, sections=(report.sections[0], first)))
    with open_page(page, width=1280, height=900) as seen:
        box = "document.querySelector('#settings .scroll')"
        assert seen.page.evaluate(f"{box}.scrollWidth - {box}.clientWidth") <= 0


def only(report: Report, *blocks: b.FlatBlock) -> Report:
    """Return the report with one section beside its summary, which holds these blocks."""
    return dataclasses.replace(
        report, sections=(report.sections[0], dataclasses.replace(report.sections[1], blocks=blocks))
    )


def test_bars_redrawn_on_a_phone_stand_side_by_side_and_their_log_axis_is_named_once(open_page: Open) -> None:
    x = Column.pack([0.1, 0.3, 0.5, 0.7])
    right, wrong = (Column.pack(values) for values in ([1.0, 20.0, 300.0, 40.0], [5.0, 20.0, 3.0, 1.0]))
    series = (
        b.Series("right", "Right", x, right, "bars", "right", width=0.2),
        b.Series("wrong", "Wrong", x, wrong, "bars", "wrong", width=0.2),
    )
    chart = b.Chart("bars", "Confidence", b.Axis("Share"), b.Axis("Samples (log scale)", "log"), series, "So many.")
    with open_page(html.render(only(make_report(), chart)), width=390, height=844) as seen:
        block = seen.page.locator("#bars")
        block.scroll_into_view_if_needed()
        block.locator(".tools button").first.wait_for()
        sides = seen.page.evaluate(
            """() => [...document.querySelectorAll("#bars .drawing svg:last-of-type [clip-path] > g")].map(g =>
                 [...g.children].map(path => { const r = path.getBoundingClientRect(); return [r.left, r.right]; }))"""
        )
        assert [len(bars) for bars in sides] == [4, 4]
        everything = sorted(bar for bars in sides for bar in bars)
        assert all(after[0] >= before[1] - 0.6 for before, after in zip(everything, everything[1:], strict=False)), (
            everything
        )
        words = block.locator(".drawing svg:last-of-type text").all_text_contents()
        assert words.count("Samples (log)") == 1 and not [word for word in words if word.count("log") > 1]
        block.get_by_text("Options").click()
        block.get_by_role("button", name="Log scale").click()
        assert "Samples" in block.locator(".drawing svg:last-of-type text").all_text_contents()


def test_the_outline_marks_the_summary_under_a_tall_logo(open_page: Open) -> None:
    report, shelf = make_report(), Shelf()
    tall = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 420"><path d="M0 0H300V420H0Z"/></svg>'
    logo = shelf.svg(tall, 300, 420, "The house")
    branded = dataclasses.replace(report, assets={**report.assets, **shelf.assets}, theme=Theme(logo=logo))
    with open_page(html.render(branded), width=1280, height=900) as seen:
        marked = seen.page.locator(".outline [aria-current]")
        expect(marked).to_have_count(1)
        assert marked.inner_text().startswith("Summary")
        seen.page.evaluate("document.getElementById('training').scrollIntoView()")
        expect(marked).to_contain_text("Training")


def test_a_picture_of_two_outputs_is_seen_at_both_without_scrolling_there(open_page: Open) -> None:
    report = make_report()
    section = next(s for s in report.sections if s.id == "predictions")
    gallery = section.blocks[0]
    assert isinstance(gallery, b.Gallery)
    twice = dataclasses.replace(section, blocks=(*section.blocks, dataclasses.replace(gallery, id="again")))
    with open_page(html.render(dataclasses.replace(report, sections=(*report.sections[:3], twice)))) as seen:
        expect(seen.page.locator("#again .sample img")).to_have_count(6)
        assert seen.page.locator("#again .again").count() == 0


def test_what_is_dragged_over_in_a_chart_is_shown_and_no_word_is_selected(open_page: Open) -> None:
    with open_page(html.render(make_report())) as seen:
        chart = seen.page.locator("#curve-loss")
        chart.scroll_into_view_if_needed()
        chart.locator(".tools button").first.wait_for()
        box, mouse = chart.locator(".drawing").bounding_box(), seen.page.mouse
        mouse.move(box["x"] + 200, box["y"] + 60)
        mouse.down()
        mouse.move(box["x"] + 400, box["y"] + 250, steps=4)
        assert chart.locator("svg:last-of-type > g:last-child path[opacity]").bounding_box()["width"] > 100
        assert seen.page.evaluate("getSelection().toString()") == ""
        mouse.up()
        expect(chart.get_by_role("button", name="Whole range")).to_be_visible()
        seen.quiet()


@pytest.mark.parametrize(("width", "media"), [(1280, "screen"), (688, "print")])
def test_the_statistics_of_layers_with_long_names_fit_page_and_paper(open_page: Open, width: int, media: str) -> None:
    left_out = ("Saturated", "NaN", "Inf", "Samples")  # the same for every layer: said once
    columns = tuple(column for column in ACTIVATION_COLUMNS if column.title not in left_out)
    row = ("conv5_block3_2_conv", "BatchNormalization", -0.004121, 0.2112, -171.7, -0.003652, 255.1, 0.554)
    rows = ((*row, 2048, 181, 1, 128.3, 25_690_112, "every 393rd"),) * 3
    report = make_report()
    page = html.render(only(report, b.Table("statistics", "What each layer puts out", columns, rows)))
    with open_page(page, width=width, height=900) as seen:
        seen.page.emulate_media(media=media)
        seen.page.locator("#statistics").scroll_into_view_if_needed()
        box = "document.querySelector('#statistics .scroll')"
        assert seen.page.evaluate(f"{box}.scrollWidth - {box}.clientWidth") <= 0
