"""BAD_INPUTS 92, 106, 109: `--confine` for every key and every link, secrets in addresses, reports by a stranger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.faults.case import Case
from tests.inputs.model_files import layer, sequential, write_keras


@pytest.fixture
def inside(case: Case) -> Path:
    """Return the folder to stay in; beside it lies what a stranger would like to read."""
    folder = case.path / "in"
    folder.mkdir()
    write_keras(folder / "m.keras")
    write_keras(case.path / "secret.keras")
    case.write("secret.json", json.dumps({"loss": [0.123456, 0.2]}))
    case.write("secret.txt", "alpha\nbeta\ngamma\n")
    np.savez(case.path / "secret.npz", x=np.zeros((5, 4), "f4"), y=np.zeros(5, "i8"))
    np.savez(folder / "b.npz", x=np.zeros((5, 4), "f4"), y=np.zeros(5, "i8"))
    np.save(case.path / "x.npy", np.zeros((5, 4), "f4"))
    (case.path / "outside").mkdir()
    return folder


BATCH = {"path": "b.npz", "x": "x", "y": "y"}
KEYS: dict[str, dict[str, Any]] = {
    "model": {"model": "../secret.keras"},
    "baseline": {"baseline": "../secret.json"},
    "history": {"history": "../secret.json"},
    "history-list": {"history": ["../secret.json"]},
    "batch.path": {"batch": {**BATCH, "path": "../secret.npz"}},
    "batch.classes": {"batch": {**BATCH, "classes": "../secret.txt"}},
    "batch.vocabulary": {"batch": {**BATCH, "vocabulary": "../secret.txt"}},
    "output": {"output": "../outside"},
    "output-absolute": {"output": "/tmp/reportgen-outside"},
    "home": {"history": "~/secret.json"},
    "predictions.path": {"model": None, "predictions": {"path": "../secret.npz", "y_pred": "x"}},
    "theme.templates": {"theme": {"templates": "../outside"}},
    "theme.logo": {"theme": {"logo": "../secret.txt"}},
}


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_92_no_key_leads_outside_the_folder(case: Case, inside: Path, keys: dict[str, Any]) -> None:
    lines = {"output": "out", **({} if keys.get("model", "") is None else {"model": "m.keras"})}
    lines |= {key: value for key, value in keys.items() if value is not None}
    config = case.write("in/config.yaml", json.dumps(lines))
    seen = case.snapshot()
    case.run("build", config, "--confine", inside).refused(3, "lies outside", "--confine")
    assert case.snapshot() == seen


def test_92_output_of_the_command_line_is_confined_too(case: Case, inside: Path) -> None:
    config = case.write("in/config.yaml", json.dumps({"model": "m.keras"}))
    case.run("build", config, "--confine", inside, "-o", case.path / "outside").refused(3, "lies outside")
    case.run("check", config, "--confine", inside, "--set", "output=../outside").refused(3, "lies outside")


LINKS = ("model", "history", "batch", "classes", "npy", "picture", "class-folder", "tensorboard", "output")


@pytest.mark.parametrize("kind", LINKS)
def test_92_no_link_leads_outside_the_folder(case: Case, inside: Path, kind: str) -> None:
    lines: dict[str, Any] = {"model": "m.keras", "output": "out", "batch": BATCH, "history": []}
    target = case.path / "secret.npz"
    match kind:
        case "model":
            lines["model"], target = "link.keras", case.path / "secret.keras"
        case "history":
            lines["history"], target = "link.json", case.path / "secret.json"
        case "batch":
            lines["batch"] = {**BATCH, "path": "link.npz"}
        case "classes":
            lines["batch"], target = {**BATCH, "classes": "link.txt"}, case.path / "secret.txt"
        case "npy":
            np.save(inside / "y.npy", np.zeros(5, "i8"))
            (inside / "link.npy").symlink_to(case.path / "x.npy")
            lines["batch"] = {"path": ".", "x": "link.npy", "y": "y.npy"}
        case "picture" | "class-folder":
            Image.new("RGB", (4, 4)).save(case.path / "outside" / "p.png")
            pictures = inside / "pictures"
            (pictures / "a").mkdir(parents=True)
            Image.new("RGB", (4, 4)).save(pictures / "a" / "q.png")
            if kind == "picture":
                (pictures / "a" / "p.png").symlink_to(case.path / "outside" / "p.png")
            else:
                (pictures / "b").symlink_to(case.path / "outside")
            lines["batch"] = {"path": "pictures"}
        case "tensorboard":
            case.write("outside/events.out.tfevents.1.host", b"\0" * 100)
            (inside / "logs").symlink_to(case.path / "outside")
            lines["history"] = "logs"
        case "output":
            (inside / "out").symlink_to(case.path / "outside")
    for name in ("link.keras", "link.json", "link.npz", "link.txt"):
        if name in json.dumps(lines):
            (inside / name).symlink_to(target)
    config = case.write("in/config.yaml", json.dumps(lines))
    ended = case.run("check", config, "--confine", inside)
    ended.refused(3, "outside")


def test_92_a_history_that_is_found_by_itself_is_not_followed_outside(case: Case, inside: Path) -> None:
    (inside / "history.json").symlink_to(case.path / "secret.json")
    config = case.write("in/config.yaml", json.dumps({"model": "m.keras", "output": "out"}))
    assert "loss" not in case.run("check", config, "--confine", inside).out
    assert "loss" in case.run("check", config).out


def test_106_credentials_in_an_address_and_secrets_in_a_value_are_never_said(case: Case) -> None:
    config = case.config(model="https://me:hunter2pw@host/m.keras?sig=abcdef0123&x=1")
    ended = case.run("check", config)
    ended.refused(3, "://***@host", "--trust=remote")
    assert "hunter2pw" not in ended.err and "abcdef0123" not in ended.err
    ended = case.run("check", "no-such-t0psecret99.yaml", CI_JOB_TOKEN="t0psecret99")
    assert ended.code == 2 and "t0psecret99" not in ended.err and "no such file" in ended.err


STRANGE = {
    "empty": b"",
    "not a report": b"<html><script>alert(1)</script>",
    "deep": b'{"sections":' + b"[" * 100_000,
    "newer": b'{"schema_version": 99, "title": "x"}',
    "binary": bytes(range(256)) * 40,
    "data that is no JSON": b'<!DOCTYPE html><script type="application/json" id="report-data">{"a":</script>',
    "wrong parts": b'{"schema_version": 1, "title": {"a": 1}, "sections": 3}',
}


@pytest.mark.parametrize("data", STRANGE.values(), ids=STRANGE)
def test_109_a_file_by_a_stranger_is_refused_by_render(case: Case, data: bytes) -> None:
    report = case.write("strange.html", data)
    case.run("render", report, "-o", "out").refused(3, "strange.html")
    assert not case.out.exists() or not list(case.out.iterdir())


@pytest.mark.parametrize("data", STRANGE.values(), ids=STRANGE)
def test_109_a_file_by_a_stranger_is_refused_as_the_earlier_report(case: Case, saved: str, data: bytes) -> None:
    strange, good = case.write("strange.html", data), case.write("good.json", saved)
    case.run("compare", strange, good, "-o", "out").refused(3, "strange.html")
    case.run("compare", good, strange, "-o", "out").refused(3, "strange.html")
    write_keras(case.path / "m.keras")
    config = case.config(model="m.keras", baseline="strange.html")
    case.run("check", config).refused(3, "baseline: ", "strange.html")
    assert not case.out.exists() or not list(case.out.iterdir())


def test_an_earlier_report_that_is_not_there_says_what_to_do(case: Case) -> None:
    write_keras(case.path / "m.keras")
    config = case.config(model="m.keras", baseline="old/report.html")
    case.run("build", config).refused(3, "baseline: old/report.html: no such file", "or leave `baseline` out")
    case.run("compare", "old.html", "new.html").refused(3, "old.html: no such file")
    case.run("compare", case.path, case.path).refused(3, "is a folder")


def test_109_a_report_with_markup_in_its_data_is_rendered_as_text(case: Case, saved: str) -> None:
    evil = saved.replace('"title":"', '"title":"<img src=x onerror=alert(1)> ')
    case.write("strange.json", evil)
    assert case.run("render", "strange.json", "-o", "out").code == 0
    text = (case.out / "report.html").read_text(encoding="utf-8")
    shown = text[: text.index('<script type="application/json"')]
    assert "<img src=x" not in shown and "&lt;img src=x onerror" in shown


def test_a_name_with_line_breaks_makes_no_second_line(case: Case) -> None:
    write_keras(
        case.path / "m.keras", sequential(layer("Odd", name="x\nfake.yaml:1:1: all is well\r\x1b[2K", module="os"))
    )
    line = case.run("check", case.config(model="m.keras")).refused(3, "fake.yaml:1:1: all is well", "m.keras")
    assert "\x1b" not in line
