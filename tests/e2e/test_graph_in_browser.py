"""The folded graph opens and closes in place: with the pointer, with keys, from the address, from a search; and on paper."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from reportgen.figures.graph import plot_graph
from reportgen.renderers import html
from reportgen.report import blocks as b
from reportgen.report.types import Asset
from reportgen.sections.architecture import folded_views
from tests.analysis.test_folding import real
from tests.sample_report import make_report

pytestmark = pytest.mark.browser
GEOMETRY = """() => {
  const svg = document.querySelector("#architecture-graph svg"), shown = n => n.getClientRects().length && n.getBoundingClientRect();
  const cards = [...svg.querySelectorAll("[data-card] > rect")].map(shown).filter(Boolean);
  const apart = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
  const overlaps = cards.flatMap((a, i) => cards.slice(i + 1).filter(b => !apart(a, b))).length;
  const all = shown(svg), outside = cards.filter(c => c.left < all.left - 1 || c.right > all.right + 1 || c.bottom > all.bottom + 1).length;
  return {cards: cards.length, overlaps, outside, height: all.height};
}"""


@pytest.fixture(scope="module")
def page() -> str:
    """A report whose graph has 46 cards: four stand for larger parts, and a frame stands around two."""
    report = make_report()
    assets, drawn = dict(report.assets), []
    for view in folded_views(real("inceptionv3"), {}):
        view, drawing = plot_graph(view)
        assert drawing is not None
        asset = Asset("image/svg+xml", drawing.data)
        ref = b.AssetRef(hashlib.sha256(drawing.data).hexdigest(), drawing.width, drawing.height, view.title)
        assets[ref.sha256] = asset
        drawn.append(dataclasses.replace(view, figure=ref))
    blocks = (drawn[0], b.Fold("architecture-insides", "Inside the folded parts", tuple(drawn[1:])))
    sections = tuple(dataclasses.replace(s, blocks=blocks) if s.id == "architecture" else s for s in report.sections)
    return html.render(dataclasses.replace(report, sections=sections, assets=assets))


def near(page: Any) -> Any:
    """Return the graph once its tools are there."""
    graph = page.locator("#architecture-graph")
    graph.scroll_into_view_if_needed()
    graph.locator("[role=button]").first.wait_for()
    return graph


def test_a_part_opens_in_place_and_nothing_overlaps(open_page: Callable[..., Any], page: str) -> None:
    with open_page(page) as seen:
        graph = near(seen.page)
        before = seen.page.evaluate(GEOMETRY)
        sign = graph.get_by_role("button", name="Open or close").first
        assert sign.get_attribute("aria-expanded") == "false"
        sign.focus()
        seen.page.keyboard.press("Enter")
        opened = seen.page.evaluate(GEOMETRY)
        assert sign.get_attribute("aria-expanded") == "true"
        assert opened["cards"] == before["cards"] + 11, "twelve cards in place of one"
        assert opened["height"] > before["height"] + 400
        assert opened["overlaps"] == opened["outside"] == 0
        address = seen.page.url
        seen.page.keyboard.press("Space")
        assert seen.page.evaluate(GEOMETRY) == before
        seen.quiet()
    with open_page(page, hash="#" + address.split("#")[1]) as seen:
        near(seen.page)
        assert seen.page.evaluate(GEOMETRY)["cards"] == opened["cards"]


def test_a_frame_closes_to_a_strip_and_all_boxes_can_be_open_at_once(open_page: Callable[..., Any], page: str) -> None:
    with open_page(page) as seen:
        graph = near(seen.page)
        before = seen.page.evaluate(GEOMETRY)
        frame = graph.locator(".drawing > svg > [role=button][aria-expanded=true]")
        frame.click()
        closed = seen.page.evaluate(GEOMETRY)
        assert closed["cards"] < before["cards"] and closed["height"] < before["height"] - 50
        assert closed["overlaps"] == closed["outside"] == 0
        graph.locator(".drawing > svg > [role=button][aria-expanded=false]").first.click()
        for sign in graph.locator(".drawing > svg > [role=button]").all():
            if sign.get_attribute("aria-expanded") == "false":
                sign.click()
        everything = seen.page.evaluate(GEOMETRY)
        assert everything["cards"] > before["cards"] + 40
        assert everything["overlaps"] == everything["outside"] == 0
        seen.quiet()


def test_a_search_opens_what_hides_the_layer_and_tells_about_it(open_page: Callable[..., Any], page: str) -> None:
    with open_page(page) as seen:
        graph = near(seen.page)
        graph.get_by_label("Find a layer").fill("conv2d_35")
        assert graph.get_by_role("button", name="Open or close").first.get_attribute("aria-expanded") == "true"
        assert "conv2d_35" in graph.locator(".panel").inner_text()
        graph.get_by_label("Find a layer").fill("")
        graph.locator("[data-card]:visible").first.click()
        assert "InputLayer" in graph.locator(".panel").inner_text()
        graph.get_by_role("button", name="Close", exact=True).click()
        assert not graph.locator(".panel").is_visible()
        seen.quiet()


def test_without_script_the_insides_stand_below(open_page: Callable[..., Any], page: str) -> None:
    with open_page(page, java_script_enabled=False) as seen:
        fold = seen.page.locator("details", has=seen.page.locator("#architecture-insides")).last
        assert fold.locator("svg").count() == 4
        fold.locator("summary").first.click()
        assert fold.locator("svg").first.is_visible()


def test_moving_goes_on_from_what_is_seen_and_cannot_lose_the_drawing(open_page: Callable[..., Any], page: str) -> None:
    with open_page(page) as seen:
        graph, port = near(seen.page), seen.page.locator("#architecture-graph .bare")
        whole = [float(part) for part in graph.locator(".drawing > svg").get_attribute("viewBox").split()]

        def view() -> list[float]:
            return [float(part) for part in graph.locator(".drawing > svg").get_attribute("viewBox").split()]

        port.evaluate("node => node.scrollTo(0, 700)")
        graph.get_by_role("button", name="Move and zoom").click()
        assert view()[1] > 300 and view()[3] < whole[3] / 2
        for _ in range(60):
            port.press("ArrowDown")
        assert view()[1] + view()[3] / 2 <= whole[3] + 1
        graph.get_by_role("button", name="Fit").click()
        assert view() == whole
        seen.quiet()


def test_what_is_told_of_a_box_stands_beside_it(open_page: Callable[..., Any], page: str) -> None:
    with open_page(page) as seen:
        graph = near(seen.page)
        for layer in ("conv2d_5", "conv2d_8", "conv2d_11"):
            graph.get_by_label("Find a layer").fill(layer)
            box = graph.locator("[data-card]:not(.dim) > rect").first.bounding_box()
            told = graph.locator(".panel").bounding_box()
            assert box["x"] >= told["x"] + told["width"] - 1 or box["x"] + box["width"] <= told["x"] + 1, layer
