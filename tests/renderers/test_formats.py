"""The table of formats, the four parts of every block kind in step, and what the light formats may import."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from reportgen import resources
from reportgen.renderers import RENDERERS
from reportgen.renderers.markdown_blocks import BLOCK_MARKDOWN
from reportgen.report import blocks, json_text
from tests.sample_report import make_report

ROOT = Path(__file__).resolve().parents[2]
MEMBERS: tuple[Any, ...] = get_args(get_args(blocks.Block)[0])


def kind_of(member: Any) -> str:
    """Return the `kind` of a block type."""
    return str(next(field.default for field in fields(member) if field.name == "kind"))


def test_file_names_differ_and_every_format_renders() -> None:
    assert {name: renderer.file_name for name, renderer in RENDERERS.items()} == {
        "html": "report.html",
        "json": "report.json",
        "markdown": "summary.md",
        "junit": "junit.xml",
    }
    report = make_report()
    for renderer in RENDERERS.values():
        text = renderer.render(report)
        assert "Digits CNN" in text
        assert renderer.render(report) == text


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.__name__)
def test_every_kind_of_block_has_a_markdown_function_and_a_template(member: Any) -> None:
    assert member in BLOCK_MARKDOWN
    assert (resources.templates() / "blocks" / f"{kind_of(member)}.html.jinja").is_file()


def test_no_markdown_function_or_template_is_left_over() -> None:
    assert set(BLOCK_MARKDOWN) == set(MEMBERS)
    templates = {path.name.partition(".")[0] for path in (resources.templates() / "blocks").glob("*.html.jinja")}
    assert templates == json_text.KINDS


def test_every_block_of_the_sample_reads_as_markdown() -> None:
    from reportgen.renderers.markdown_blocks import block_markdown

    for section in make_report().sections:
        for block in section.blocks:
            text = block_markdown(block)
            assert text.strip() and "None" not in text.replace("(None,", "") and "object at" not in text


def test_json_without_assets_is_smaller() -> None:
    from reportgen.renderers.json import render

    small, whole = render(make_report(), assets=False), render(make_report())
    assert len(small) < len(whole) and json.loads(small)["title"] == "Digits CNN"


LIGHT = """
import sys
from tests.sample_report import make_report
from reportgen.renderers import RENDERERS
report = make_report()
for name in sys.argv[1:]:
    RENDERERS[name].render(report)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize(
    ("formats", "absent"),
    [
        (["markdown", "junit", "json"], {"jinja2", "keras", "tensorflow", "matplotlib", "pydantic", "PIL", "yaml"}),
        (["html"], {"keras", "tensorflow", "matplotlib", "PIL", "yaml", "h5py"}),
    ],
    ids=["light", "html"],
)
def test_formats_import_no_more_than_they_need(formats: list[str], absent: set[str]) -> None:
    command = [sys.executable, "-c", LIGHT, *formats]
    loaded = set(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split())
    # The block types name pydantic's Field, so pydantic itself is always there.
    assert not loaded & (absent - {"pydantic"})
    assert "numpy" in loaded


def test_resources_are_found_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (resources.templates() / "report.html.jinja").is_file()
    assert resources.configs().is_dir()
    assert (resources.demo() / "train.py").is_file()


def test_resources_inside_the_package_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reportgen/templates").mkdir(parents=True)
    (tmp_path / "templates").mkdir()
    (tmp_path / "configs").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "reportgen")
    assert resources.templates() == tmp_path / "reportgen/templates"
    assert resources.configs() == tmp_path / "configs"
    with pytest.raises(FileNotFoundError, match="examples/digits: not found"):
        resources.demo()
