"""Hostile text stays text in the page: escaped, visible, bounded."""

from __future__ import annotations

import re

import pytest

from reportgen.renderers import html, page_text
from tests.renderers.extremes import poisoned_report
from tests.renderers.page_reading import is_pause, read_page

MARKUP = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"' onmouseover=alert(1) x='\"",
    "<!--<script>",
    "]]><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "</title><base href=//evil.example>",
    "javascript:alert(1)",
    "</style><style>*{display:none}",
    "&lt;b&gt;&#x3c;",
)


@pytest.mark.parametrize("payload", MARKUP)
def test_markup_in_any_text_stays_text(payload: str) -> None:
    text = html.render(poisoned_report(payload))
    page = read_page(text)
    assert page.find("h1")[0].words().startswith(" ".join(payload.split()))
    assert not [e.tag for e in page.walk() if e.tag in ("base", "iframe")]
    assert all(not name.startswith("on") for e in page.walk() for name in e.attributes)
    assert len([e for e in page.find("script") if not is_pause(e)]) == 2
    assert len(page.find("style")) == 1


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("a\u202eb", "a[U+202E]b"),
        ("a\u200bb\u200d", "a[U+200B]b[U+200D]"),
        ("\ufeffx\u00ad", "[U+FEFF]x[U+00AD]"),
        ("a\u2028b", "a[U+2028]b"),
        ("a\x00b\x1b[31m", "a\ufffdb\ufffd[31m"),
        ("x\ufffe\U0001ffff", "x\ufffd\ufffd"),
        ("lone \ud800 end", "lone \ufffd end"),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("tag\U000e0041", "tag[U+E0041]"),
        ("z" + "\u0301" * 40, "z" + "\u0301" * 4 + "\ufffd"),
    ],
)
def test_what_hides_or_reorders_text_is_written_out(raw: str, seen: str) -> None:
    assert page_text.clean(raw) == seen


@pytest.mark.parametrize("text", ["مرحبا", "שלום", "日本語", "naïve café", "👩‍🔬 ✓", "Ελληνικά", "é" * 10, "हिन्दी"])
def test_real_writing_is_left_alone(text: str) -> None:
    assert page_text.clean(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "conv2d_1",
        "a/b (56, 56)",
        "Größe",
        "Ελληνικά",
        "Слой",
        "漢字カナ한글",
        "हिन्दी",
        "ไทย",
        "→ × – … “a” ½ µ",
        "🎉🧑‍🔬",
        "e\u0301",
        "\n",
    ],
)
def test_what_reads_from_left_to_right_needs_no_frame(text: str) -> None:
    assert not page_text.turns(text)


@pytest.mark.parametrize(
    "text",
    [
        "שלום",
        "مرحبا",
        "layer שלום 3",
        "١٢٣",
        "ܫܠܡܐ",
        "ߒߞߏ",
        "𞤀𞤣",
        "a\u202eb",
        "a\u2066b",
        "a\u200fb",
        "\u061c",
        "\u08ff\u07ff",
        "\U00010eff",
    ],
)
def test_what_turns_the_direction_of_reading_has_a_frame(text: str) -> None:
    assert page_text.turns(text)


def test_text_of_an_input_has_a_frame_where_it_turns_and_none_where_it_does_not() -> None:
    turned = read_page(html.render(poisoned_report("שלום")))
    plain = read_page(html.render(poisoned_report("shalom")))
    framed = [e for e in turned.find("bdi") if "שלום" in e.words()]
    assert len(framed) > 250
    # What is left: the headings that become buttons, and long cells, whose frame is also their shape.
    assert len(plain.find("bdi")) < 80
    around = {parent.tag for parent in turned.walk() if any(e.tag == "bdi" for e in parent.children)}
    assert around >= {"h2", "h3", "h4", "p", "dt", "td", "th", "li", "b", "caption"}


def test_a_very_long_name_is_shortened_and_says_so() -> None:
    shown = page_text.name("x" * 100_000 + "end")
    assert len(shown) < 200
    assert shown.startswith("xxx")
    assert "end (100,003 characters, whole in the data)" in shown


def test_a_report_of_very_long_names_is_a_short_page_with_whole_data() -> None:
    payload = "n" * 10_000
    text = html.render(poisoned_report(payload))
    start = text.index('<script type="application/json"')
    assert payload in text[start:]
    assert payload not in text[:start]
    assert len(text[:start]) < 3_000_000


def test_no_filter_or_function_lets_text_through_unescaped() -> None:
    from reportgen import resources

    for path in sorted(resources.templates().rglob("*")):
        if path.is_file() and path.suffix != ".md":
            source = path.read_text(encoding="utf-8")
            for word in (
                "|safe",
                "| safe",
                "innerHTML",
                "outerHTML",
                "document.write",
                "insertAdjacentHTML",
                "eval(",
                "autoescape false",
            ):
                assert word not in source, f"{path.name}: {word}"
            assert not re.search(r"https?://(?!www\.w3\.org/)", source), path.name


def test_a_number_beyond_every_float_is_written() -> None:
    from reportgen.renderers.page_numbers import write

    assert write(10**400) == "over 2e+308" and write(-(10**400), "int") == "under -2e+308"
