"""A user's own templates: what they may change, what they may not, how a mistake is told (BAD_INPUTS 89-91)."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from reportgen.errors import InputRefused
from reportgen.renderers import html
from reportgen.renderers.page_accent import DARK, LIGHT, contrast, shades
from reportgen.renderers.page_own import make_own_environment, render_own
from reportgen.renderers.page_scan import look_over
from reportgen.report import json_text
from reportgen.report.read import read_report
from reportgen.report.types import Theme
from tests.sample_report import make_report

README = Path(__file__).resolve().parents[2] / "templates" / "README.md"
GATES = "parts/gates.html.jinja"


def page(templates: dict[str, str]) -> str:
    """Return the page that templates make, without the process and its limits."""
    environment = make_own_environment(templates, "house")
    return environment.get_template(html.TEMPLATE).render(html.make_context(make_report()))


def refusal(templates: dict[str, str], seconds: float = 20) -> str:
    """Return why a page by these templates is refused."""
    with pytest.raises(InputRefused) as caught:
        render_own(make_report(), templates, "house", seconds=seconds)
    assert "\n" not in caught.value.message
    return caught.value.message


def worked_example() -> dict[str, str]:
    """Return the templates of the example in the README, by name."""
    text = README.read_text(encoding="utf-8")
    found = re.findall(r"^`house/([\w/.]+)`:\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    return {name: re.sub(r"^    ", "", source, flags=re.MULTILINE) for name, source in found}


def test_the_worked_example_of_the_readme_works(tmp_path: Path) -> None:
    templates = worked_example()
    assert set(templates) == {"report.html.jinja", GATES}
    made = render_own(make_report(), templates, "house")
    assert "Vision team · model report" in made
    assert "3 apply to this model" in made
    assert "h1, h2 { font-family: Georgia, serif; }" in made
    assert "Model report</p>" in made, "super() keeps our own line"
    assert 'id="rg-gates"' in made, "a template that names itself includes ours"
    path = tmp_path / "report.html"
    path.write_text(made, encoding="utf-8")
    assert json_text.equal(read_report(path), make_report())
    assert render_own(make_report(), templates, "house") == made


def test_without_templates_the_sandbox_makes_the_same_page() -> None:
    assert render_own(make_report(), {}, "house") == html.render(make_report())


def test_89_an_undefined_name_is_told_with_file_and_line() -> None:
    assert refusal({GATES: "{# one #}\n{# two #}\n{{ titel }}"}) == f"house/{GATES}:3: 'titel' is undefined"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ report.nothing }}", "has no attribute 'nothing'"),
        ("{{ 1 / 0 }}", "division by zero"),
        ('{% include "parts/none.jinja" %}', "parts/none.jinja"),
        ("{% include 'parts/gates.html.jinja' %}{{ x|safe }}", "No filter named 'safe'"),
        ("{{ report.__class__.__mro__ }}", "unsafe"),
        ("{{ report|attr('__class__') }}", "unsafe"),
        ("{{ pictures._assets }}", "unsafe"),
        ("{{ data_block.__globals__ }}", "unsafe"),
        ("{{ ''.format.__self__ }}", "__self__"),
        ("{{ '{0.__class__}'.format(report) }}", "unsafe"),
        ("{{ wrong.clear() }}", "unsafe"),
        ('{% include "../../pyproject.toml" %}', "leads out of the folder"),
        ('{% include "/etc/passwd" %}', "leads out of the folder"),
        ('{% include "parts/../../pyproject.toml" %}', "leads out of the folder"),
    ],
)
def test_89_a_mistake_and_an_escape_are_told_with_file_and_line(source: str, said: str) -> None:
    with pytest.raises(Exception, match=re.escape(said)):
        page({GATES: source})


def test_89_the_place_of_a_mistake_is_the_users_template() -> None:
    assert refusal({GATES: "\n{{ report.__class__ }}"}).startswith(f"house/{GATES}:2: ")
    assert refusal({GATES: "\n{{ x|safe }}"}).startswith(f"house/{GATES}:2: ")


@pytest.mark.slow
def test_90_a_loop_without_an_end_is_ended() -> None:
    loop = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    assert "took more than 4 s" in refusal({GATES: loop}, seconds=4)


def test_90_a_page_without_an_end_is_ended() -> None:
    text = "x" * 10_000
    assert "more than 24 MiB" in refusal({GATES: f"{{% for i in range(99999) %}}{text}{{% endfor %}}"})


def test_90_memory_without_an_end_is_ended() -> None:
    assert "3 GiB" in refusal({GATES: "{{ 'x' * 10 ** 10 }}"})


@pytest.mark.parametrize(
    "html_text",
    [
        "<script>alert(1)</script>",
        "<SCRIPT SRC=x></SCRIPT>",
        "<script type=module>1</script>",
        "<script type=text/plain>1</script>",
        "<script type=text/plain src=x></script>",
        "<p onclick=alert(1)>x</p>",
        "<img src=https://example.org/x.png>",
        "<img src=//example.org/x.png>",
        "<img src='data:text/html,x'>",
        "<img srcset='x.png 2x'>",
        "<a href=https://example.org/>x</a>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='#x' ping=https://example.org/>x</a>",
        "<svg><a xlink:href='javascript:1'>x</a></svg>",
        "<svg><image href='https://example.org/x'/></svg>",
        "<iframe srcdoc=x></iframe>",
        "<object data=x></object>",
        "<embed src=x>",
        "<form action=x></form>",
        "<link rel=preconnect href=https://example.org>",
        "<base href=https://example.org>",
        "<meta http-equiv=refresh content='0;url=https://example.org'>",
        "<p style='background:url(https://example.org/x)'>x</p>",
        "<style>@import 'https://example.org/x.css';</style>",
        "<style>p { background: url( 'https://example.org/x') }</style>",
        "<video poster=https://example.org/x></video>",
        "<button formaction=https://example.org/x>x</button>",
    ],
)
def test_what_would_run_or_fetch_is_refused_in_the_finished_page(html_text: str) -> None:
    with pytest.raises(InputRefused, match=r"^house: line [\d,]+ of the page"):
        look_over(page({GATES: html_text}), "house", html.load("page.js") or "")


def test_a_page_without_its_data_is_refused() -> None:
    with pytest.raises(InputRefused, match="data_block"):
        look_over(page({"report.html.jinja": "<html><head></head><body>x</body></html>"}), "house", "")
    with pytest.raises(InputRefused, match="data_block"):
        look_over(page({GATES: "{{ data_block() }}"}), "house", "")


def test_a_page_with_a_picture_of_its_own_passes() -> None:
    look_over(page({GATES: "<img alt='' src='data:image/png;base64,AAAA'><a href='#training'>x</a>"}), "house",
              html.load("page.js") or "")  # fmt: skip


def test_hostile_text_stays_text_in_a_users_template() -> None:
    report = dataclasses.replace(make_report(), title="<script>alert(1)</script>")
    made = render_own(report, {GATES: "<p>{{ report.title }}</p>"}, "house")
    assert "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>" in made


@pytest.mark.parametrize("accent", ["#0b6e4f", "#ffffff", "#000000", "#ffff00", "#00bbff", "#808080"])
def test_any_accent_is_readable_on_light_and_dark(accent: str) -> None:
    def parts(colour: str) -> tuple[int, ...]:
        return tuple(bytes.fromhex(colour[1:]))

    found = shades(accent)
    assert found is not None
    for name, least in (("link", 4.5), ("tint", 3)):
        for colour, surfaces in zip(found[name], (LIGHT, DARK), strict=True):
            assert all(contrast(parts(colour), parts(surface)) >= least for surface in surfaces)


def test_an_accent_that_is_readable_is_kept_as_it_is() -> None:
    found = shades("#0b6e4f")
    assert found is not None
    assert found["link"][0] == "#0b6e4f"
    assert shades("red;} body{display:none") is None


def test_the_accent_and_the_logo_stand_in_the_page(tmp_path: Path) -> None:
    report = make_report()
    name = next(h for h, asset in report.assets.items() if asset.media_type == "image/png")
    from reportgen.report.blocks import AssetRef

    logo = AssetRef("cd" * 32, 120, 40, "Logo")
    assets = {**report.assets, logo.sha256: report.assets[name]}
    themed = dataclasses.replace(report, theme=Theme("#0b6e4f", logo), assets=assets)
    made = html.render(themed)
    assert "--link:light-dark(#0b6e4f," in made
    assert f'<img data-asset="{logo.sha256}"' in made
    assert made.index(logo.sha256) < made.index("<h1>")
    plain = html.render(report)
    assert "light-dark(#0b6e4f" not in plain
    assert "Model report" in plain
