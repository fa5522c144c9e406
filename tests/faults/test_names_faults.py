"""BAD_INPUTS 40-48, 106, 107, 110: one real build whose every text is hostile, with secrets all around it.

The model is Keras's own, its layers renamed in the file. It is built with a refused model and a broken YAML beside it.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from reportgen import budget
from reportgen.budget import names
from reportgen.renderers import html
from reportgen.report.read import read_report
from reportgen.report.types import Report
from tests.faults.case import Case, Ended, copy_inputs
from tests.inputs.model_files import layer, sequential, write_keras
from tests.renderers.page_reading import Element, is_pause, read_page

pytestmark = [pytest.mark.keras, pytest.mark.slow]

LONG = "w" * 100_000
LAYERS = {
    "a": "<img src=x onerror=alert(1)>&amp;",
    "c1": "{a|b}->c<!--",
    "c2": 'x"];evil[URL="javascript:alert(1)" label=<<b>b<>>',
    "g": "\u202egnp\u2066\u200b",
    "d0": "nul\x00 esc\x1b[31m \ufffe lone\ud800",
    "d1": "$\\frac{1}{0}$ @team `x` | $(id)",
    "out": "型🎉" + LONG,
    "tiny": "<script>alert(1)<!--",
}
CLASSES = ["<svg onload=alert(1)>", "a|b `@team` **x**", "\u202e$y$"]
IDS = ["<script>alert(1)</script>", "a\x00b\x1b]0;x\x07", "=cmd|' /C calc'!A0", "::error::x", "`rm` @all [x](y)"]
CURVES = ["loss", "val_loss", "<b>m</b>", "$x^2$", "a\x00b\x1b[31m", "\u202emetric", "m" * 100_000, "::warning::m"]
TITLE = "<img src=x onerror=alert(1)> $x^2$ \u202e `@team` ::stop-commands::"
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "hunter2-AWS-wJalrXUtnFEMI",
    "GITHUB_TOKEN": "ghp_16C7e42F292c6912E7710c838347Ae17",
    "WANDB_API_KEY": "0123456789abcdef-wandb",
    "DATABASE_URL": "postgres://me:s3cr3tpw@db/x",
    "REPORTGEN_KEY_SALT": "pepper-pepper-pepper",
}


def rename(node: Any) -> Any:
    """Return a config with the layers' names replaced."""
    if isinstance(node, dict):
        return {key: rename(value) for key, value in node.items()}
    if isinstance(node, list):
        return [rename(value) for value in node]
    return LAYERS.get(node, node) if isinstance(node, str) else node


def poison(source: Path, target: Path) -> None:
    """Write a copy of a .keras file with hostile layer names."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename == "config.json":
                data = json.dumps(rename(json.loads(data))).encode()
            new.writestr(info.filename, data)


@pytest.fixture(scope="module")
def built(tiny: Path, fonts: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, Ended]:
    """Build three configurations: the hostile one, a refused model, a broken YAML."""
    case = Case(tmp_path_factory.mktemp("names"), fonts)
    copy_inputs(tiny, case)
    poison(tiny / "tiny.keras", case.path / "model.keras")
    with np.load(tiny / "batch.npz") as batch:
        ids = np.array([f"{IDS[i % len(IDS)]}{i}" for i in range(24)])
        np.savez(case.path / "batch.npz", x=batch["x"], y=batch["y"], ids=ids)
    case.write("history.json", json.dumps({name: [1.0, 0.5] for name in CURVES}))
    write_keras(case.path / "bad.keras", sequential(layer("system", "os")))
    case.write("broken.yaml", "model: [")
    batch = {"path": "batch.npz", "x": "x", "y": "y", "ids": "ids", "classes": CLASSES}
    formats = ["html", "json", "markdown", "junit"]
    hostile = case.config(title=TITLE, model="model.keras", history="history.json", batch=batch, formats=formats)
    refused = case.config("refused.yaml", model="bad.keras", output="out/refused")
    ended = case.run(
        "build", hostile, refused, "broken.yaml", CUDA_VISIBLE_DEVICES="nonsense,-7", SECRET_PATH="x", **SECRETS
    )
    return case, ended


@pytest.fixture(scope="module")
def report(built: tuple[Case, Ended]) -> Report:
    assert (built[0].out / "report.html").exists(), built[1].err
    return read_report(built[0].out / "report.html")


@pytest.fixture(scope="module")
def document(built: tuple[Case, Ended]) -> Element:
    return read_page((built[0].out / "report.html").read_text(encoding="utf-8"))


def test_110_the_good_one_is_built_and_the_table_says_which_failed(built: tuple[Case, Ended]) -> None:
    case, ended = built
    assert ended.code == 2, "a broken configuration comes before a refused input"
    rows = [line.split() for line in ended.out.partition("configuration  ")[2].splitlines()[1:]]
    assert [(Path(row[0]).name, row[1]) for row in rows] == [
        ("config.yaml", "0"),
        ("refused.yaml", "3"),
        ("broken.yaml", "2"),
    ]
    said = [line for line in ended.err.splitlines() if not line.startswith("[")]
    assert len(said) == 2 and "bad.keras" in said[0] and "broken.yaml:2:" in said[1]
    assert not (case.out / "refused").exists(), "a refused model leaves no report"


def test_40_every_section_is_whole_and_the_names_are_those_of_the_model(report: Report) -> None:
    states = {section.id: section.state for section in report.sections}
    assert set(states.values()) == {"shown"}, states
    assert report.graph is not None
    names = {node.layer for node in report.graph.nodes}
    assert {"{a|b}->c<!--", "<img src=x onerror=alert(1)>&amp;"} <= names


def test_40_41_the_graph_draws_with_literal_names_and_without_a_link_of_theirs(document: Element) -> None:
    drawing = next(e for e in document.walk() if e.tag == "svg" and "{a|b}->c<!--" in e.words())
    words = drawing.words()
    assert "<img src=x" in words and 'x"];evil[URL=' in words
    targets = [v for e in drawing.walk() for k, v in e.attributes.items() if k.endswith("href")]
    assert targets and all(target.startswith("#layer-") for target in targets)


def test_42_nothing_that_was_a_name_became_markup(built: tuple[Case, Ended], document: Element) -> None:
    assert len([e for e in document.find("script") if not is_pause(e)]) == 2 and len(document.find("style")) == 1
    for element in document.walk():
        assert element.tag not in ("iframe", "base", "object", "embed", "form")
        for name, value in element.attributes.items():
            assert not name.startswith("on"), (element.tag, name)
            assert not value.strip().lower().startswith("javascript:")
            if name in ("src", "href", "xlink:href"):
                assert value.startswith(("#", "data:image/", "data:")), (element.tag, name, value[:80])
    assert document.find("h1")[0].words().startswith("<img src=x onerror=alert(1)> $x^2$")


def test_43_44_what_hides_reorders_or_breaks_text_is_written_out(built: tuple[Case, Ended]) -> None:
    text = (built[0].out / "report.html").read_text(encoding="utf-8")
    shown = text[: text.index('<script type="application/json"')]
    assert "[U+202E]gnp[U+2066][U+200B]" in shown
    assert "nul\ufffd esc\ufffd[31m \ufffd lone\ufffd" in shown
    for name in ("report.html", "report.json", "summary.md", "junit.xml"):
        data = (built[0].out / name).read_text(encoding="utf-8")
        assert not [c for c in "\x00\x1b\x07\ufffe\u2066" if c in data], name
        assert name.startswith("report") or "\u202e" not in data, name
    assert "\u202e" not in shown


def test_44_every_drawing_is_well_formed(document: Element) -> None:
    drawings = document.find("svg")
    assert len(drawings) >= 3
    text = []
    for drawing in drawings:
        ElementTree.fromstring(_xml(drawing))
        text.append(drawing.words())
    assert any("$x^2$" in words for words in text), "a name with dollars was read as mathematics"


def _xml(element: Element) -> str:
    if element.tag == "#text":
        return escape(element.text)
    attributes = "".join(f' {k.replace(":", "-")}="{escape(v)}"' for k, v in element.attributes.items() if k != "xmlns")
    return f"<{element.tag}{attributes}>{''.join(map(_xml, element.children))}</{element.tag}>"


def test_45_dollars_in_title_and_names_are_no_mathematics(document: Element) -> None:
    words = document.words()
    assert "$x^2$" in words and "$\\frac{1}{0}$ @team `x` | $(id)" in words and "$y$" in words


def test_46_a_name_of_100000_characters_is_short_in_the_page_and_whole_in_report_json(
    built: tuple[Case, Ended], report: Report
) -> None:
    """At the default budget, through the command line; what stands for the name is the same wherever it stands."""
    page = (built[0].out / "report.html").read_text(encoding="utf-8")
    assert LONG[:4000] not in page and len(page.encode()) <= budget.DEFAULT_BYTES
    data = read_report(built[0].out / "report.json")
    assert not report.long_texts
    whole = {one.whole: one.shown for one in data.long_texts}
    assert {"型🎉" + LONG, "m" * 100_000} <= set(whole)
    shown = whole["型🎉" + LONG]
    assert shown.startswith("型🎉www") and "100,002 characters" in shown and len(shown) < 300
    for one in (report, data):
        assert one.graph is not None and shown in {node.layer for node in one.graph.nodes}
        assert shown in {layer.name for layer in one.layers}
    rows = [row for row in report.ledger if row.what == "letters of long names and texts"]
    assert len(rows) == 1 and "report.json lists them whole" in rows[0].why and rows[0].why in page
    for name in ("summary.md", "junit.xml"):
        assert LONG[:1000] not in (built[0].out / name).read_text(encoding="utf-8")


def test_46_a_long_name_costs_no_figure(report: Report) -> None:
    assert report.graph is not None and len(report.graph.nodes) == len(LAYERS) - 1
    assert {row.what for row in report.ledger if "byte budget" in row.why} == {"letters of long names and texts"}


def test_46_more_long_texts_than_report_json_has_room_for_are_told(report: Report) -> None:
    many = tuple(replace(report.history[0], name=f"{i}" + "n" * 1_000_000) for i in range(6))
    fitted = budget.fit(replace(report, history=many), budget.DEFAULT_BYTES, html.render)
    assert len(fitted.long_texts) == 4 and sum(len(one.whole) for one in fitted.long_texts) <= names.MOST_WHOLE
    assert "report.json lists 4 of 6 whole" in fitted.ledger[-1].why


def test_47_emoji_and_cjk_are_shown(document: Element) -> None:
    assert "型🎉www" in document.words()


def test_48_sidecars_and_logs_hold_no_command_mention_or_markup(built: tuple[Case, Ended]) -> None:
    case, ended = built
    summary = (case.out / "summary.md").read_text(encoding="utf-8")
    assert "<svg onload" not in summary and "<script" not in summary and "<img" not in summary
    for text in (summary, ended.out, ended.err):
        assert not [line for line in text.splitlines() if line.strip().startswith("::")], "a CI command"
    assert "\x1b" not in ended.out + ended.err and "\u202e" not in ended.out + ended.err
    ElementTree.parse(case.out / "junit.xml")


def test_106_no_secret_of_the_environment_is_in_a_report_or_a_message(built: tuple[Case, Ended]) -> None:
    case, ended = built
    files = {path.name: path.read_bytes() for path in case.out.iterdir()}
    assert set(files) == {"report.html", "report.json", "summary.md", "junit.xml"}
    files["messages"] = (ended.out + ended.err).encode()
    for name, data in files.items():
        for secret in (*SECRETS.values(), "s3cr3tpw"):
            assert secret.encode() not in data, f"{secret} is in {name}"


def test_107_cuda_devices_that_do_not_exist_mean_cpu_and_the_report_says_so(report: Report) -> None:
    assert "CPU" in report.provenance.versions["device"]
