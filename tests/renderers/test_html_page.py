"""The page as a tree: what stands in it, in what order, once, escaped, and without any way to fetch something."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from itertools import pairwise

import pytest

from reportgen.renderers import html
from reportgen.report import blocks as b
from reportgen.report import html_data
from reportgen.report import types as t
from reportgen.report.values import Missing
from tests.renderers.extremes import empty_report, poisoned_report, wide_report
from tests.renderers.page_reading import Element, is_pause, read_page
from tests.sample_report import make_report

REPORTS = {
    "sample": make_report,
    "empty": empty_report,
    "wide": wide_report,
    "hostile": lambda: poisoned_report("<b>x</b>"),
}


@pytest.fixture(scope="module", params=sorted(REPORTS))
def made(request: pytest.FixtureRequest) -> tuple[t.Report, str, Element]:
    report = REPORTS[request.param]()
    text = html.render(report)
    return report, text, read_page(text)


@pytest.fixture(scope="module")
def sample() -> tuple[str, Element]:
    text = html.render(make_report())
    return text, read_page(text)


def code_of(text: str, tag: str) -> str:
    return text.split(f"<{tag}>")[1].split(f"</{tag}>")[0]


def test_ids_are_unique_and_safe(made: tuple[t.Report, str, Element]) -> None:
    ids = [e.attributes["id"] for e in made[2].walk() if "id" in e.attributes]
    assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)[:5]
    assert all(re.fullmatch(r"[A-Za-z][\w-]*", i) for i in ids), [
        i for i in ids if not re.fullmatch(r"[A-Za-z][\w-]*", i)
    ]


def test_every_link_leads_to_a_place_in_the_page(made: tuple[t.Report, str, Element]) -> None:
    outside_svg = [e for e in made[2].walk() if e.tag == "a" and "data-card" not in e.attributes]
    ids = {e.attributes["id"] for e in made[2].walk() if "id" in e.attributes}
    drawn = {id(inner) for svg in made[2].find("svg") for inner in svg.walk()}
    for link in outside_svg:
        if id(link) not in drawn:
            assert link.attributes["href"].startswith("#")
            assert link.attributes["href"][1:] in ids, link.attributes["href"]


def test_headings_go_down_one_level_at_a_time(made: tuple[t.Report, str, Element]) -> None:
    levels = [int(e.tag[1]) for e in made[2].walk() if re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels


def test_nothing_in_the_page_can_fetch_or_run(made: tuple[t.Report, str, Element]) -> None:
    for element in made[2].walk():
        assert element.tag not in {"link", "iframe", "object", "embed", "base", "form", "video", "audio", "source"}
        for name, value in element.attributes.items():
            assert not name.startswith("on"), f"<{element.tag} {name}>"
            if name in ("src", "href", "srcset", "action", "poster", "xlink:href"):
                assert value.startswith(("#", "data:image/png;base64,", "data:image/webp;base64,")), value[:80]
            if name == "style":
                assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", value), value


def test_no_script_and_no_style_outside_the_head(made: tuple[t.Report, str, Element]) -> None:
    body = made[2].find("body")[0]
    assert [e.attributes.get("type") for e in body.find("script") if not is_pause(e)] == ["application/json"]
    assert body.find("style") == []


def test_policy_comes_first_and_holds_the_hashes_of_script_and_style(made: tuple[t.Report, str, Element]) -> None:
    _, text, page = made
    first = next(e for e in page.find("head")[0].children if e.tag != "#text")
    assert first.attributes["http-equiv"] == "Content-Security-Policy"
    policy = first.attributes["content"]
    for tag in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(code_of(text, tag).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "'unsafe-inline'" not in policy.replace("style-src-attr 'unsafe-inline'", "")
    assert text.index("charset=") < 1024


def test_an_asset_stands_in_the_page_once(made: tuple[t.Report, str, Element]) -> None:
    report, text, page = made
    hashes = [e.attributes["data-asset"] for e in page.walk() if "data-asset" in e.attributes]
    assert len(hashes) == len(set(hashes))
    for sha256, asset in report.assets.items():
        assert text.count(base64.b64encode(asset.data).decode()) <= 1
        assert text.count(sha256) >= 1


def test_the_page_gives_back_the_same_report(made: tuple[t.Report, str, Element]) -> None:
    report, text, _ = made
    again = html_data.from_page(text.encode(), "report.html")
    assert again == report
    assert html.render(again) == text


def test_two_renders_give_the_same_bytes() -> None:
    assert html.render(make_report()) == html.render(make_report())


def test_style_and_script_take_at_most_40_kib(sample: tuple[str, Element]) -> None:
    text = sample[0]
    assert len(code_of(text, "script").encode()) + len(code_of(text, "style").encode()) <= 40 * 1024


def test_page_has_landmarks_and_a_skip_link(sample: tuple[str, Element]) -> None:
    page = sample[1]
    assert len(page.find("main")) == 1
    assert page.find("nav")[0].attributes["aria-label"] == "Outline"
    skip = next(e for e in page.find("body")[0].walk() if e.tag == "a")
    assert skip.attributes["href"] == "#" + page.find("main")[0].attributes["id"]


def test_first_screen_says_verdict_in_a_word_a_sign_and_a_sentence(sample: tuple[str, Element]) -> None:
    verdict = sample[1].find("div", class_="verdict")[0]
    assert "caution" in verdict.attributes["class"]
    assert "With reservations" in verdict.words()
    assert verdict.find("span", class_="sign")[0].words() == "!"
    assert make_report().verdict.sentence in verdict.words()
    assert "3 findings" in verdict.words()
    assert "1 of 3 gates held" in verdict.words()


def test_key_metrics_show_interval_n_and_baseline(sample: tuple[str, Element]) -> None:
    cards = sample[1].find("ul", class_="metrics")[0].find("li")
    assert len(cards) == 2
    words = cards[0].words()
    assert "Accuracy" in words
    assert "96.1%" in words
    assert "95% interval 93.6% to 97.7%" in words
    assert "n = 360" in words
    assert "always the most frequent class: 10.0%" in words


def test_findings_come_gravest_first_with_evidence_cause_and_fix(sample: tuple[str, Element]) -> None:
    found = sample[1].find("article")
    assert [f.attributes["id"] for f in found] == [
        "finding-overfitting",
        "finding-non-finite-weights",
        "finding-dead-units",
    ]
    dead = found[2]
    assert dead.find("a", href="#layer-1")
    assert "n = 360" in dead.words()
    assert "Fix Lower the learning rate, or use LeakyReLU in conv_1." in dead.words()
    assert "Likely causes a learning rate that is too high; a bias pushed far below zero" in dead.words()


def test_a_finding_that_asks_for_nothing_is_still_in_the_page(sample: tuple[str, Element]) -> None:
    for code in ("worse-than-baseline", "collapsed-predictions", "plateau"):
        assert sample[1].find("li", id=f"finding-{code}"), code


def test_gates_show_expected_found_and_result_in_words(sample: tuple[str, Element]) -> None:
    rows = sample[1].find("table", class_="gates")[0].find("tbody")[0].find("tr")
    assert [next(w for w in ("Not held", "Held", "Cannot tell") if w in row.words()) for row in rows] == [
        "Held",
        "Not held",
        "Cannot tell",
    ]
    assert "at most 0.1" in rows[1].words()
    assert "0.1432" in rows[1].words()


def test_every_section_and_its_state_are_in_the_outline(sample: tuple[str, Element]) -> None:
    report, page = make_report(), sample[1]
    outline = page.find("nav")[0]
    for section in report.sections:
        if section.id != "summary":
            assert outline.find("a", href=f"#{section.id}"), section.id
            assert page.find("section", id=section.id)[0].find("details")[0].attributes.get("open") == ""
    assert "failed" in outline.find("a", href="#slices")[0].words()


def test_tables_have_captions_scopes_and_aligned_numbers(sample: tuple[str, Element]) -> None:
    for table in sample[1].find("table"):
        assert table.find("caption"), table.words()[:60]
        assert all(th.attributes.get("scope") in ("col", "row") for th in table.find("th"))
    layers = sample[1].find("div", id="layer-table")[0]
    row = layers.find("tr", id="layer-1")[0]
    assert "160" in [td.words() for td in row.find("td", class_="num")]
    assert "2 of 16 units never fire" in row.words()
    assert "6 layers" in layers.find("tfoot")[0].words()


def test_a_missing_number_says_why(sample: tuple[str, Element]) -> None:
    assert "the class never occurs" in sample[1].find("details", id="rg-metrics")[0].words()
    facts = next(d for d in sample[1].find("dl", class_="facts") if "Seed" in d.words())
    assert "not recorded" in facts.words()


def test_a_chart_has_its_numbers_as_a_table_of_at_most_30_rows() -> None:
    figure = read_page(html.render(wide_report())).find("figure", id="big-chart")[0]
    details = figure.find("details", class_="numbers")[0]
    rows = details.find("tbody")[0].find("tr")
    assert 25 <= len(rows) <= 30
    assert "30 of 5,000 points" in details.find("summary")[0].words()
    assert [rows[0].find("th")[0].words(), rows[-1].find("th")[0].words()] == ["1", "5,000"]
    assert len(rows[0].find("td")) == 6


def test_a_large_matrix_lists_its_largest_errors_instead_of_ten_thousand_cells() -> None:
    figure = read_page(html.render(wide_report())).find("figure", id="big")[0]
    assert len(figure.find("tbody")[0].find("tr")) == 30
    assert len(figure.find("td")) < 200


def test_a_long_table_folds_without_losing_rows() -> None:
    table = read_page(html.render(wide_report())).find("div", id="big-table")[0]
    rows = table.find("tbody")[0].find("tr")
    assert len(rows) == 400
    assert sum("later" in row.attributes.get("class", "") for row in rows) == 370
    assert "Show all 400 rows" in table.words()


def test_a_browser_finds_a_pause_after_every_block_and_within_long_tables(sample: tuple[str, Element]) -> None:
    bodies = sample[1].find("div", class_="body")
    parts = [[e for e in body.children if e.tag != "#text"] for body in bodies]
    assert sum(is_pause(e) for inside in parts for e in inside) > 10
    kinds = {"block", "fold", "prose", "note-card"}
    for before, after in (pair for inside in parts for pair in pairwise(inside)):
        assert is_pause(after) or not kinds & set(before.attributes.get("class", "").split())
    rows = tuple((f"class {i}", i) for i in range(200))
    table = b.Table("long", "Long", (b.TableColumn("Class"), b.TableColumn("n", "int")), rows)
    section = t.Section("layers", "Layers", "shown", "", (table,))
    page = read_page(html.render(dataclasses.replace(empty_report(), sections=(section,))))
    body = page.find("div", id="long")[0].find("tbody")[0]
    gaps = "".join("|" if is_pause(e) else "r" for e in body.children if e.tag in ("tr", "script")).split("|")
    assert sum(len(gap) for gap in gaps) == 200
    assert max(len(gap) for gap in gaps) <= 50


def test_an_empty_report_still_says_what_is_missing() -> None:
    page = read_page(html.render(empty_report()))
    assert "Nothing could be judged" in page.words()
    assert "No check ran." in page.words()
    assert "Times, host, command and folder are left out" in page.words()
    assert page.find("section", id="provenance")


def test_a_picture_that_the_report_does_not_hold_is_named() -> None:
    report = dataclasses.replace(make_report(), assets={})
    page = read_page(html.render(report))
    assert page.find("img") == []
    assert "16 feature maps of conv_1" in page.words()


def test_a_picture_shown_twice_is_embedded_once_and_linked() -> None:
    report = make_report()
    section = next(s for s in report.sections if s.id == "predictions")
    gallery = section.blocks[0]
    twice = dataclasses.replace(section, blocks=(*section.blocks, dataclasses.replace(gallery, id="again")))  # type: ignore[type-var]
    page = read_page(html.render(dataclasses.replace(report, sections=(twice,))))
    first, second = page.find("div", id="worst-digit")[0], page.find("div", id="again")[0]
    assert len(first.find("img")) == 6
    assert second.find("img") == []
    assert [a.attributes["href"][1:] for a in second.find("a")] == [
        c.attributes["id"] for c in first.find("li", class_="sample")
    ]
    # Who reads on paper cannot follow a link: the place has a name.
    label = gallery.samples[0].label  # type: ignore[union-attr]
    assert f"Picture above, at {label}, output digit" in second.find("p", class_="again")[0].words()


def test_pictures_keep_their_size_and_grow_in_whole_steps(sample: tuple[str, Element]) -> None:
    for image in sample[1].find("img"):
        assert int(image.attributes["width"]) > 0
        assert int(image.attributes["height"]) > 0
        assert image.attributes["alt"]
    digit = sample[1].find("div", id="worst-digit")[0].find("img")[0]
    assert "--zoom:14;" in digit.attributes["style"]
    assert digit.attributes["width"] == "112"


def test_volatile_facts_are_shown_when_there_are_any(sample: tuple[str, Element]) -> None:
    words = sample[1].find("section", id="provenance")[0].words()
    assert "Linux, x86-64, 2 cores" in words
    assert "reportgen build config.yaml" in words
    assert "pictures of samples" in words


def test_a_missing_metric_on_the_first_screen_says_why() -> None:
    report = make_report()
    none = Missing("no labels in the batch")
    metric = dataclasses.replace(report.metrics[0], value=none, low=none, high=none)
    page = read_page(html.render(dataclasses.replace(report, metrics=(metric,))))
    assert "no labels in the batch" in page.find("ul", class_="metrics")[0].words()
