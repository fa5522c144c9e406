"""The page in a real browser, opened from file://: quiet, whole without script, accessible, and handier with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from reportgen.renderers import html
from reportgen.report.blocks import Chart
from tests.renderers.extremes import empty_report, many_samples_report, poisoned_report, wide_report
from tests.sample_report import make_report

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"width": 380, "height": 780},
    "no script": {"java_script_enabled": False},
}


@pytest.fixture(scope="module")
def sample() -> str:
    return html.render(make_report())


def scroll_through(page: Any) -> None:
    """Bring every part near the window once, so that all of the script has run."""
    height = page.evaluate("document.documentElement.scrollHeight")
    for y in range(0, height, 600):
        page.evaluate(f"scrollTo({{top: {y}, behavior: 'instant'}})")
        page.wait_for_timeout(15)
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    page.wait_for_timeout(100)


def bring(page: Any, selector: str) -> Any:
    """Scroll a block into view, wait until its tools are there, and return it."""
    block = page.locator(selector)
    block.scroll_into_view_if_needed()
    block.locator(".tools button").first.wait_for()
    return block


def until(page: Any, script: str, wanted: Any) -> None:
    """Wait until a script gives what is wanted."""
    for _ in range(200):
        if page.evaluate(script) == wanted:
            return
        page.wait_for_timeout(50)
    assert page.evaluate(script) == wanted


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("report", [make_report, empty_report, wide_report], ids=["sample", "empty", "wide"])
def test_the_page_asks_for_nothing_and_complains_of_nothing(open_page: Open, report: Any, look: str) -> None:
    with open_page(html.render(report()), **LOOKS[look]) as seen:
        if look != "no script":
            scroll_through(seen.page)
        seen.quiet()


@pytest.mark.parametrize("look", ["light", "dark", "narrow"])
@pytest.mark.parametrize("report", [make_report, empty_report], ids=["sample", "empty"])
def test_axe_finds_nothing(open_page: Open, report: Any, look: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with open_page(html.render(report()), bypass_csp=True, **LOOKS[look]) as seen:
        scroll_through(seen.page)
        seen.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        options = {"rules": {"target-size": {"enabled": True}}}  # WCAG 2.2; off unless asked for
        found = axe.run(seen.page, options=options).response["violations"]
        assert not found, [(v["id"], v["nodes"][0]["html"][:160], v["nodes"][0]["failureSummary"]) for v in found]


def test_no_page_is_wider_than_a_phone(open_page: Open) -> None:
    for report in (make_report(), wide_report(), poisoned_report("averyveryverylongunbrokenname" * 3)):
        with open_page(html.render(report), width=380, height=780) as seen:
            scroll_through(seen.page)
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= 380


def test_without_script_every_figure_and_number_is_there(open_page: Open, sample: str) -> None:
    with open_page(sample, java_script_enabled=False) as seen:
        page = seen.page
        assert page.locator("#curve-loss svg").is_visible()
        assert page.locator("#worst-digit img").count() == 6
        assert page.locator("button").count() == 0
        assert not page.locator("#curve-loss table").is_visible()
        page.locator("#curve-loss summary").click()
        assert page.locator("#curve-loss table").is_visible()
        assert not page.locator("#classes-digit").get_by_role("row", name="nine").is_visible()
        page.locator("#classes-digit .more summary").click()
        assert page.locator("#classes-digit").get_by_role("row", name="nine").is_visible()


def test_on_paper_closed_parts_are_open(open_page: Open, sample: str) -> None:
    with open_page(sample, java_script_enabled=False) as seen:
        seen.page.emulate_media(media="print")
        assert seen.page.locator("#curve-loss table").is_visible()
        assert seen.page.locator("#classes-digit").get_by_role("row", name="nine").is_visible()
        assert seen.page.get_by_text("The same layers as above, none folded.").is_visible()
        assert not seen.page.locator("nav").is_visible()


def test_the_print_summary_link_leaves_only_the_summary_on_paper(open_page: Open, sample: str) -> None:
    with open_page(sample, java_script_enabled=False) as seen:
        seen.page.get_by_text("Print the summary only").click()
        seen.page.emulate_media(media="print")
        assert seen.page.locator(".verdict").is_visible()
        assert seen.page.locator("#finding-dead-units").is_visible()
        assert not seen.page.locator("#training").is_visible()


def test_a_link_into_a_closed_part_opens_it(open_page: Open, sample: str) -> None:
    with open_page(sample, hash="#full-graph") as seen:
        assert seen.page.locator("#full-graph").is_visible()
    with open_page(sample, hash="#finding-plateau?theme=dark") as seen:
        seen.page.wait_for_timeout(200)
        assert seen.page.locator("#finding-plateau").is_visible()


def test_theme_is_kept_in_the_address_and_comes_back(open_page: Open, sample: str) -> None:
    with open_page(sample, color_scheme="light") as seen:
        seen.page.get_by_label("Colours").select_option("dark")
        assert seen.page.url.endswith("#?theme=dark")
    with open_page(sample, hash="#training?theme=dark", color_scheme="light") as seen:
        seen.page.wait_for_timeout(200)
        dark = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert dark == "rgb(21, 23, 26)"
        assert seen.page.evaluate("Math.abs(document.getElementById('training').getBoundingClientRect().top)") < 200


def test_the_chart_cursor_shows_every_value_by_mouse_and_keys(open_page: Open, sample: str) -> None:
    with open_page(sample) as seen:
        figure = bring(seen.page, "#curve-loss")
        slider = figure.get_by_role("slider").first
        slider.focus()
        seen.page.keyboard.press("End")
        text = slider.get_attribute("aria-valuetext")
        assert text.startswith("epoch 20: training 0.")
        assert "validation 0." in text
        box = figure.locator(".drawing").bounding_box()
        seen.page.mouse.move(box["x"] + 60, box["y"] + 100)
        assert slider.get_attribute("aria-valuetext").startswith("epoch 1: ")
        values = [output.inner_text() for output in figure.locator(".series output").all()]
        assert all(float(value) > 1 for value in values)
        seen.quiet()


def test_a_chart_redraws_with_log_scale_smoothing_zoom_and_hidden_series(open_page: Open, sample: str) -> None:
    with open_page(sample) as seen:
        figure = bring(seen.page, "#curve-loss")
        figure.get_by_text("Options").click()
        figure.get_by_role("button", name="Log scale").click()
        assert figure.locator("svg").nth(0).is_hidden()
        assert figure.get_by_text("loss (log)").is_visible()
        figure.get_by_role("button", name="training").click()
        figure.get_by_role("button", name="Zoom in").click()
        whole = figure.get_by_role("button", name="Whole range")
        whole.press("Enter")  # it goes away; the focus does not
        assert figure.get_by_role("slider").first.evaluate("node => node === document.activeElement")
        figure.get_by_role("button", name="Zoom in").click()
        assert whole.is_visible()
        figure.get_by_label("Smooth").fill("0.5")
        url = seen.page.url
        for part in ("log=1", "hidden=a", "smooth=0.5", "zoom="):
            assert f"c.curve-loss.{part}" in url
    with open_page(sample, hash=url[url.index("#") :]) as seen:
        figure = bring(seen.page, "#curve-loss")
        assert figure.get_by_text("loss (log)").is_visible()
        assert figure.get_by_role("button", name="training").get_attribute("aria-pressed") == "false"


def test_a_redrawn_line_has_its_name_at_its_end_where_there_is_room(open_page: Open) -> None:
    report = make_report()
    charts = [block for section in report.sections for block in section.blocks if isinstance(block, Chart)]
    chart = next(chart for chart in charts if chart.id == "curve-loss")
    assert chart.frame
    roomy = dataclasses.replace(chart, frame=dataclasses.replace(chart.frame, right=chart.frame.right - 120))
    section = dataclasses.replace(report.sections[0], id="training", blocks=(roomy,))
    with open_page(html.render(dataclasses.replace(report, sections=(section,))), hash="#?c.curve-loss.log=1") as seen:
        figure = bring(seen.page, "#curve-loss")
        words = figure.locator("svg").last.locator("text").all_text_contents()
        assert {"training", "validation", "loss (log)"} <= set(words)
        figure.get_by_role("button", name="training").click()
        assert "training" not in figure.locator("svg").last.locator("text").all_text_contents()
        seen.quiet()


def test_a_chart_gives_its_svg_png_and_numbers_as_files(open_page: Open, sample: str) -> None:
    with open_page(sample) as seen:
        figure = bring(seen.page, "#curve-loss")
        figure.get_by_text("Options").click()
        files = {}
        for name in ("SVG", "PNG", "CSV"):
            with seen.page.expect_download() as download:
                figure.get_by_role("button", name=name, exact=True).click()
            files[name] = download.value.path().read_bytes()
        assert files["PNG"].startswith(b"\x89PNG")
        assert files["SVG"].startswith(b"<svg")
        assert b"var(" not in files["SVG"]
        lines = files["CSV"].decode().splitlines()
        assert lines[0] == "epoch,training,validation"
        assert len(lines) == 21
        assert lines[7].endswith(",")
        seen.quiet()


def test_tables_sort_by_several_columns_and_filter(open_page: Open, sample: str) -> None:
    with open_page(sample) as seen:
        table = bring(seen.page, "#layer-table")
        table.get_by_role("button", name="Parameters").click()
        names = table.locator("tbody th").all_inner_texts()
        assert [n.split()[0] for n in names[:3]] == ["digit", "features/conv_2", "conv_1"]
        table.get_by_role("button", name="Type").click(modifiers=["Shift"])
        names = table.locator("tbody th").all_inner_texts()
        assert names[3:] == ["flatten", "image", "features/pool"]
        assert table.locator("th[aria-sort=descending]").count() == 1
        assert seen.page.url.endswith("t.layer-table.sort=3d.1a")
        classes = bring(seen.page, "#classes-digit")
        classes.get_by_label("Filter rows").fill("nine")
        assert classes.locator("tbody tr:visible").count() == 1
        with seen.page.expect_download() as download:
            classes.get_by_role("button", name="Save CSV").click()
        assert download.value.path().read_text().splitlines()[0] == "Class,Precision,Recall,Support"
        seen.quiet()


def test_a_cell_of_the_matrix_shows_its_samples(open_page: Open, sample: str) -> None:
    with open_page(sample) as seen:
        bring(seen.page, "#worst-digit")
        seen.page.locator("#confusion").scroll_into_view_if_needed()
        cell = seen.page.get_by_role("button", name="predicted as").filter(has_text="2").first
        cell.wait_for()
        count = int(cell.inner_text())
        cell.click()
        records = seen.page.get_by_role("group", name="Sample records")
        assert records.locator("tbody tr").count() == count
        assert f"{count} of 360 records" in seen.page.locator("#worst-digit output").inner_text()
        assert seen.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Any truth"
        seen.quiet()


def test_samples_filter_sort_and_enlarge_by_keyboard(open_page: Open, sample: str) -> None:
    with open_page(sample) as seen:
        gallery = bring(seen.page, "#worst-digit")
        gallery.get_by_label("Order as drawn").select_option("low")
        confidence = [float(t.split("%")[0].split()[-1]) for t in gallery.locator(".facts-line").all_inner_texts()]
        assert confidence == sorted(confidence)
        gallery.get_by_label("Id or text").fill("no such sample")
        assert gallery.locator(".sample:visible").count() == 0
        gallery.get_by_role("button", name="Clear").click()
        gallery.get_by_role("button", name="Enlarge").first.focus()
        seen.page.keyboard.press("Enter")
        dialog = seen.page.get_by_role("dialog")
        first = dialog.get_by_role("heading").inner_text()
        seen.page.keyboard.press("ArrowRight")
        shown = dialog.get_by_role("heading").inner_text()
        assert shown != first
        assert dialog.locator("img").is_visible()
        seen.page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
        assert seen.page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Enlarge {shown}"
        seen.quiet()


def test_the_graph_finds_describes_moves_and_zooms(open_page: Open, sample: str) -> None:
    with open_page(sample) as seen:
        graph = bring(seen.page, "#graph")
        graph.get_by_label("Find a layer").fill("conv_2")
        assert graph.get_by_text("1 found").is_visible()
        assert "features/conv_2" in graph.locator("div[role=status]").inner_text()
        graph.get_by_role("button", name="Close").press("Enter")
        assert graph.get_by_role("button", name="Move and zoom").evaluate("node => node === document.activeElement")
        whole = graph.locator(".drawing svg").get_attribute("viewBox")
        graph.get_by_role("button", name="Move and zoom").click()
        port = graph.locator(".viewport")
        port.focus()
        before = graph.locator(".drawing svg").get_attribute("viewBox")
        seen.page.keyboard.press("+")
        seen.page.keyboard.press("ArrowDown")
        after = graph.locator(".drawing svg").get_attribute("viewBox")
        assert float(after.split()[2]) < float(before.split()[2])
        seen.page.keyboard.press("Escape")
        assert graph.locator(".viewport").count() == 0
        assert graph.locator(".drawing svg").get_attribute("viewBox") == whole
        seen.quiet()


def test_nothing_moves_while_the_page_loads(open_page: Open, sample: str) -> None:
    with open_page(sample) as seen:
        seen.page.wait_for_timeout(300)
        moved = seen.page.evaluate(
            """() => new Promise(done => {
                const sum = list => list.getEntries().reduce((all, entry) => all + entry.value, 0);
                new PerformanceObserver(list => done(sum(list))).observe({type: "layout-shift", buffered: true});
                setTimeout(() => done(0), 300);
            })"""
        )
        assert moved < 0.01


def test_filters_answer_at_once_with_thousands_of_samples(open_page: Open) -> None:
    with open_page(html.render(many_samples_report(cards=1_200, records=2_000))) as seen:
        gallery = bring(seen.page, "#worst-digit")
        seen.page.get_by_text("All 2,000 sample records as a list").click()
        pick = """wanted => {
            const pick = document.querySelector("#worst-digit select");
            pick.value = wanted;
            pick.dispatchEvent(new Event("input"));
            return document.querySelectorAll("#worst-digit .sample").length;
        }"""
        assert seen.page.evaluate(pick, "wrong") == 12
        assert "12 of 1200 cards, 20 of 2,000 records" in gallery.locator("output").inner_text()
        # A screenful at once and the rest in slices: put back together, a thousand cards take half a second.
        assert seen.page.evaluate(pick, "right") <= 60
        until(seen.page, "document.querySelectorAll('#worst-digit .sample').length", 1188)
        # A choice made while cards still come in is not mixed with the one before.
        assert seen.page.evaluate(pick, "") <= 60
        assert seen.page.evaluate(pick, "wrong") == 12
        seen.page.wait_for_timeout(200)
        assert gallery.locator(".sample").count() == 12
        gallery.get_by_role("button", name="Clear").click()
        until(seen.page, "document.querySelectorAll('#worst-digit .sample').length", 1200)
        seen.quiet()


def test_cards_are_laid_out_one_by_one_and_only_the_first_of_many(open_page: Open) -> None:
    """A gallery laid out at once is a long task; how many cards wait, and how many come, is counted."""
    waiting = "[...document.querySelectorAll('.sample')].filter(n => getComputedStyle(n).contentVisibility === 'auto')"
    start = f"addEventListener('DOMContentLoaded', () => (window.waiting = {waiting}.length))"
    with open_page(html.render(many_samples_report(cards=80, records=0))) as seen:
        seen.page.add_init_script(start)
        seen.page.reload()
        assert seen.page.evaluate("waiting") == 80
        until(seen.page, f"{waiting}.length", 32)


def test_a_gallery_offers_only_what_its_samples_can_be_filtered_by(open_page: Open) -> None:
    report = many_samples_report(cards=12, records=0)
    with open_page(html.render(report)) as seen:
        gallery = bring(seen.page, "#worst-digit")
        assert gallery.get_by_label("Right and wrong").count() == 1
    unjudged = many_samples_report(cards=12, records=0, judged=False)
    with open_page(html.render(unjudged)) as seen:
        gallery = bring(seen.page, "#worst-digit")
        assert gallery.get_by_label("Right and wrong").count() == 0
        assert gallery.get_by_label("Confidence ≥ %").count() == 0
        assert gallery.get_by_label("Id or text").count() == 1
    with open_page(html.render(many_samples_report(cards=4, records=0))) as seen:
        seen.page.locator("#worst-digit").scroll_into_view_if_needed()
        seen.page.locator("#worst-digit .zoom").first.wait_for()
        assert seen.page.locator("#worst-digit .tools").count() == 0
        seen.quiet()
