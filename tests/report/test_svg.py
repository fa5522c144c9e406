"""The sanitiser: what a hostile drawing may not bring into a page, and what an honest one keeps."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reportgen.errors import InputRefused
from reportgen.report import limits
from reportgen.report.svg import _sanitise, inline, sanitise
from tests.sample_report import make_report

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'
PNG = "data:image/png;base64,iVBORw0KGgo="


def clean(body: str) -> str:
    """Return what is left of a drawing with `body` in it, without the root element."""
    text = sanitise(f"{HEAD}{body}</svg>".encode()).decode()
    ElementTree.fromstring(text)
    assert _sanitise(text.encode()).decode() == text, "not a fixpoint"
    match = re.fullmatch(r"<svg[^>]*?(?:/>|>(.*)</svg>)", text, re.DOTALL)
    assert match
    return match.group(1) or ""


GONE = {
    "script": "<script>alert(1)</script>",
    "script with href": '<script href="data:text/javascript,alert(1)"/>',
    "xlink script": '<script xlink:href="//evil.example/x.js"/>',
    "style sheet": "<style>* { background: url(//evil.example) }</style>",
    "metadata": "<metadata><x/></metadata>",
    "foreign object": '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="x"/></body></foreignObject>',
    "html in another namespace": '<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>',
    "svg script by prefix": '<s:script xmlns:s="http://www.w3.org/2000/svg">alert(1)</s:script>',
    "animation": '<animate attributeName="href" values="javascript:alert(1)"/>',
    "set": '<set attributeName="onload" to="alert(1)"/>',
    "handler": '<handler type="text/javascript">alert(1)</handler>',
    "filter with feImage": '<filter id="f"><feImage href="//evil.example"/></filter>',
    "comment": "<!-- --><!-- > --><!--x-->",
    "processing instruction": '<?xml-stylesheet href="//evil.example/x.css"?>',
    "text outside text": "alert(1)",
    "iframe": '<iframe src="javascript:alert(1)"/>',
}


@pytest.mark.parametrize("body", GONE.values(), ids=GONE)
def test_elements_that_are_not_on_the_list_go_with_all_in_them(body: str) -> None:
    assert clean(body) == ""


LESS = {
    "event handler": ('<rect onload="alert(1)" onclick="x"/>', "<rect/>"),
    "event handler in odd case": ('<rect ONLOAD="alert(1)" oNfocus="x"/>', "<rect/>"),
    "javascript link": ('<a href="javascript:alert(1)"/>', "<a/>"),
    "javascript xlink": ('<a xlink:href="javascript:alert(1)"/>', "<a/>"),
    "link with white space": ('<a href=" &#10;java&#9;script:alert(1)"/>', "<a/>"),
    "foreign link": ('<a href="https://evil.example" target="_blank"/>', "<a/>"),
    "link into another file": ('<a href="other.html#x"/>', "<a/>"),
    "link into the page": ('<a href="#layer-3"/>', '<a href="#layer-3"/>'),
    "use of another file": ('<use href="//evil.example/x.svg#y"/>', "<use/>"),
    "use of what is not there": ('<use href="#elsewhere"/>', "<use/>"),
    "image from the network": ('<image href="https://evil.example/x.png"/>', "<image/>"),
    "image of svg": ('<image href="data:image/svg+xml;base64,PHN2Zy8+"/>', "<image/>"),
    "image of html": ('<image href="data:text/html,x"/>', "<image/>"),
    "image of png": (f'<image xlink:href="{PNG[:30]}\n{PNG[30:]}"/>', f'<image href="{PNG}"/>'),
    "url in fill": ('<rect fill="url(//evil.example)"/>', "<rect/>"),
    "url of another file": ('<rect fill="url(x.svg#y)"/>', "<rect/>"),
    "url in disguise": ('<rect fill="u\\72l(//evil.example)"/>', "<rect/>"),
    "url in upper case": ('<rect fill="URL(//evil.example)"/>', "<rect/>"),
    "url that breaks out": ("<rect fill=\"url(#a') x('\"/>", "<rect/>"),
    "image function": ('<rect style="fill:image(x)"/>', "<rect/>"),
    "import in style": ('<rect style="@import url(//evil.example);fill:red"/>', '<rect style="fill:red"/>'),
    "background in style": ('<rect style="background:red;fill:blue"/>', '<rect style="fill:blue"/>'),
    "position in style": ('<rect style="position:fixed;top:0"/>', "<rect/>"),
    "expression": ('<rect style="fill:expression(alert(1))"/>', "<rect/>"),
    "brace in style": ('<rect style="fill:red}*{color:blue"/>', "<rect/>"),
    "comment in style": ('<rect style="fill:/**/red"/>', "<rect/>"),
    "own property in style": ('<rect style="--x:url(//evil.example)"/>', "<rect/>"),
    "variable": ('<rect fill="var(--ink, #123456)"/>', '<rect fill="var(--ink, #123456)"/>'),
    "variable in style": ('<path style=" fill : var(--ink, #1b6) ; "/>', '<path style="fill:var(--ink, #1b6)"/>'),
    "filter attribute": ('<rect filter="url(#f)"/>', "<rect/>"),
    "asset attribute": ('<g data-asset="00"/>', "<g/>"),
    "asset attribute with more": ('<g data-asset-x="00"/>', "<g/>"),
    "data attribute": ('<g data-series="val_loss &lt;b>"/>', '<g data-series="val_loss &lt;b&gt;"/>'),
    "base": ('<g xml:base="//evil.example/"/>', "<g/>"),
    "href without namespace on g": ('<g href="#x"/>', "<g/>"),
    "element inside title": ("<title>a<tspan>b</tspan>c</title>", "<title>ac</title>"),
    "markup as text": ("<text>&lt;script>&amp;amp;</text>", "<text>&lt;script&gt;&amp;amp;</text>"),
    "cdata": (
        "<text><![CDATA[<img src=x onerror=alert(1)>]]></text>",
        "<text>&lt;img src=x onerror=alert(1)&gt;</text>",
    ),
    "quote in attribute": (
        "<text aria-label='\"&gt;<b' />".replace("<b", "&lt;b"),
        '<text aria-label="&quot;&gt;&lt;b"/>',
    ),
    "carriage return": ("<text>a&#13;b</text>", "<text>a&#13;b</text>"),
    "control character": ("<text>a&#x85;b</text>", "<text>a\ufffdb</text>"),
    "nested link": ('<g><a href="#x"><a href="javascript:x"/></a></g>', '<g><a href="#x"><a/></a></g>'),
}


@pytest.mark.parametrize(("body", "left"), LESS.values(), ids=LESS)
def test_attributes_and_text_keep_only_what_is_harmless(body: str, left: str) -> None:
    assert clean(body) == left


REFUSED = {
    "entity bomb": '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg"><text>&b;</text></svg>',
    "external entity": '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]><svg xmlns="http://www.w3.org/2000/svg"/>',
    "entity of an outside document type": '<!DOCTYPE svg PUBLIC "a" "b"><svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>',
    "html": "<html><body/></html>",
    "no namespace": "<svg/>",
    "another root": '<g xmlns="http://www.w3.org/2000/svg"/>',
    "cut off": '<svg xmlns="http://www.w3.org/2000/svg"><g>',
    "empty": "",
    "two roots": '<svg xmlns="http://www.w3.org/2000/svg"/><svg/>',
    "raw NUL": '<svg xmlns="http://www.w3.org/2000/svg"><text>\0</text></svg>',
    "too deep": '<svg xmlns="http://www.w3.org/2000/svg">' + "<g>" * 200 + "</g>" * 200 + "</svg>",
    "unknown encoding": '<?xml version="1.0" encoding="made-up"?><svg xmlns="http://www.w3.org/2000/svg"/>',
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_no_plain_drawing_is_refused_and_inlined_as_words(text: str) -> None:
    with pytest.raises(InputRefused, match=r"^SVG: "):
        sanitise(text.encode())
    assert inline(text.encode()) == "This drawing could not be shown: it is not a plain SVG."


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SVG_ELEMENTS", 50)
    with pytest.raises(InputRefused, match="more than 50 elements"):
        sanitise((HEAD + "<g/>" * 60 + "</svg>").encode())


def test_use_may_not_multiply() -> None:
    levels = '<g id="l0"><rect/></g>'
    for i in range(1, 30):
        levels += f'<g id="l{i}"><use href="#l{i - 1}"/><use href="#l{i - 1}"/></g>'
    kept = clean(levels)
    assert kept.count("href=") == 2, "only the group that holds no <use> itself may be drawn again"


def test_many_copies_of_a_large_part_are_refused() -> None:
    body = f'<g id="a">{"<rect/>" * 2000}</g>' + '<use href="#a"/>' * 1000
    with pytest.raises(InputRefused, match="draws more than"):
        sanitise(f"{HEAD}{body}</svg>".encode())


def test_patterns_hold_no_reference() -> None:
    body = '<pattern id="p"><rect fill="url(#p)"/><use href="#q"/></pattern><rect id="q" fill="url(#p)"/>'
    assert clean(body).count("url(") == 1


def test_ids_carry_a_hash_of_the_content_and_references_follow() -> None:
    kept = clean('<clipPath id="c 1"><rect/></clipPath><path clip-path="url(#c 1)"/><g id="m"/><use href="#m"/>')
    assert re.search(r'<clipPath id="s[0-9a-f]{10}-c_1">', kept)
    assert "clip-path" not in kept, "a reference with a space in it is no reference"
    other = clean('<circle id="m"/><use href="#m"/>')
    first, second = (re.search(r'id="([^"]*m)"', text) for text in (kept, other))
    assert first and second and first.group(1) != second.group(1)
    assert f'href="#{first.group(1)}"' in kept


def test_ids_that_are_alike_are_told_apart() -> None:
    kept = clean('<g id="a b"/><g id="a_b"/><g id="a_b"/><g id="s0123456789-a_b"/><a href="#a_b"/>')
    ids = re.findall(r'id="([^"]+)"', kept)
    assert len(ids) == len(set(ids)) == 3
    assert f'href="#{ids[1]}"' in kept


def test_matplotlib_drawings_keep_what_they_show() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "x"}):
        figure = Figure(figsize=(4, 3))
        axes = figure.subplots()
        axes.plot([1, 2, 3], [3, 1, 2], marker="o", label="val <loss> & co", gid="series-1")
        axes.bar([1, 2], [1, 2], hatch="//")
        axes.legend()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    before = buffer.getvalue()
    kept = sanitise(before)
    assert _sanitise(kept) == kept
    assert b"<style" in before and b"<style" not in kept and b"metadata" not in kept
    for tag in (b"<path", b"<use", b"<text", b"clip-path="):
        assert before.count(tag) == kept.count(tag), tag
    assert b"val &lt;loss&gt; &amp; co" in kept
    assert b"-series-1" in kept
    used = set(re.findall(rb'(?:href="#|url\(#)([^")]+)', kept))
    assert used <= set(re.findall(rb'id="([^"]+)"', kept))


def test_drawings_of_a_report_are_inlined_byte_for_byte() -> None:
    drawings = [a.data for a in make_report().assets.values() if a.media_type == "image/svg+xml"]
    assert len(drawings) >= 3
    for data in drawings:
        assert inline(data).encode() == data


ELEMENTS = "svg g a path text tspan title use image pattern script style foreignObject b p table"
TAGS = st.sampled_from(ELEMENTS.split(" "))
ATTRIBUTES = "id href xlink:href style fill d class onload data-x clip-path transform xml:space src"
NAMES = st.sampled_from(ATTRIBUTES.split(" "))
VALUES = st.one_of(
    st.sampled_from(
        [
            "#a",
            "url(#a)",
            "url(#b) red",
            "fill:url( '#a' )",
            "javascript:x",
            "a",
            "b",
            "s0123456789-a",
            "var(--a, #fff)",
            PNG,
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12),
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> str:
    """Return a random element, hostile more often than not."""
    from xml.sax.saxutils import escape, quoteattr

    tag = draw(TAGS)
    attributes = draw(st.dictionaries(NAMES, VALUES, max_size=4))
    written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    inner = [escape(draw(VALUES))]
    if depth:
        inner += draw(st.lists(elements(depth - 1), max_size=3))
    return f"<{tag}{written}>{''.join(inner)}</{tag}>"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(elements(), max_size=3))
def test_any_drawing_is_a_fixpoint_after_one_pass_and_holds_nothing_that_acts(parts: list[str]) -> None:
    kept = clean("".join(parts))
    tree = ElementTree.fromstring(f"{HEAD}{kept}</svg>")
    for element in tree.iter():
        assert element.tag.startswith("{http://www.w3.org/2000/svg}")
        assert element.tag.partition("}")[2] not in {"script", "style", "foreignObject", "b", "p", "table"}
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on") and name not in {"src", "data-asset"}
            assert "javascript:" not in value or name in {"data-x", "class"}
            if name == "href":
                assert value.startswith(("#", "data:image/png;base64,"))
