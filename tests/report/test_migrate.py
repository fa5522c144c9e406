"""Old formats: one step after another, and files of every version stay readable for good."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from reportgen.errors import InputRefused
from reportgen.report import json_text, migrate
from reportgen.report.read import read_report
from reportgen.report.types import SCHEMA_VERSION

GOLD = Path(__file__).resolve().parents[1] / "gold" / "reports"


def rename_conclusion(data: dict[str, Any]) -> dict[str, Any]:
    """Turn a made-up format 0, which called the verdict a conclusion, into format 1."""
    return {**{k: v for k, v in data.items() if k != "conclusion"}, "verdict": data["conclusion"]}


def test_steps_are_taken_one_after_another_and_leave_their_input_alone() -> None:
    steps = {0: rename_conclusion, 1: lambda data: {**data, "seen": data["schema_version"]}}
    old = {"schema_version": 0, "conclusion": "good"}
    new = migrate.to_current(old, "x", steps=steps, current=2)
    assert new == {"schema_version": 2, "verdict": "good", "seen": 1}
    assert old == {"schema_version": 0, "conclusion": "good"}


def test_the_current_format_passes_as_it_is() -> None:
    data = {"schema_version": SCHEMA_VERSION}
    assert migrate.to_current(data, "x") == data


def test_a_newer_format_is_refused_with_what_it_needs() -> None:
    with pytest.raises(InputRefused) as caught:
        migrate.to_current({"schema_version": 99, "generator": "reportgen 7.1\x1b[31m"}, "a.html")
    message = caught.value.message
    assert message.startswith("a.html: is in report format 99, this reportgen reads formats up to 1: upgrade reportgen")
    assert "reportgen 7.1?[31m" in message


def test_a_format_that_no_step_leads_from_is_refused() -> None:
    with pytest.raises(InputRefused, match=r"a\.html: is in report format 0, which this reportgen cannot read"):
        migrate.to_current({"schema_version": 0}, "a.html")


def test_there_is_a_step_from_every_version_but_the_current_one() -> None:
    assert set(migrate.STEPS) == set(range(1, SCHEMA_VERSION))


def test_there_are_gold_files_of_every_version() -> None:
    for version in range(1, SCHEMA_VERSION + 1):
        names = {path.suffix for path in (GOLD / f"v{version}").iterdir()}
        assert {".json", ".html"} <= names


@pytest.mark.parametrize("path", sorted(GOLD.glob("v*/*.*")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_gold_files_of_every_version_stay_readable(path: Path) -> None:
    report = read_report(path)
    assert report.schema_version == SCHEMA_VERSION
    assert report.title == "Digits CNN"
    assert report.verdict.case == "good-but-overfitting"
    assert [metric.name for metric in report.metrics] == ["accuracy", "log_loss", "auc.ten", "predictions.entropy"]
    assert report.metrics[0].value == 346 / 360
    assert [section.id for section in report.sections][:5] == [
        "summary",
        "architecture",
        "training",
        "predictions",
        "layers",
    ]
    assert len(report.assets) == 10
    assert all(hashlib.sha256(asset.data).hexdigest() == name for name, asset in report.assets.items())
    assert report.samples[0].keys.to_numpy()[0] == 2**63 + 5


def test_gold_files_of_the_current_version_are_what_is_written_today() -> None:
    folder = GOLD / f"v{SCHEMA_VERSION}"
    text = (folder / "digits.json").read_text(encoding="utf-8")
    report = read_report(folder / "digits.json")
    assert json_text.to_json(report) + "\n" == text, "the form changed: raise SCHEMA_VERSION and write a step"
    assert json_text.equal(read_report(folder / "digits.html"), report)
    assert json.loads(text)["schema_version"] == SCHEMA_VERSION
