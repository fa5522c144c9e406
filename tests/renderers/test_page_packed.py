"""The packed style and script are those of the sources, and small enough."""

from __future__ import annotations

import pytest

from tests.renderers.pack_page import SCRIPT, STYLE, TEMPLATES, pack

NAMES = ("page.css", "page.js")


def test_the_packed_files_are_up_to_date() -> None:
    pytest.importorskip("minify", reason="needs tdewolff-minify, which has no wheel for this system")
    for name, text in pack().items():
        assert (TEMPLATES / name).read_text(encoding="utf-8") == text, f"{name} is out of date: run make page"


def test_every_source_is_packed() -> None:
    sources = {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.glob("*/*.css")}
    sources |= {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.glob("*/*.js")}
    assert sources == {*STYLE, *SCRIPT}


def test_style_and_script_have_at_most_40_kib() -> None:
    assert sum((TEMPLATES / name).stat().st_size for name in NAMES) <= 40 * 1024
