"""The line under the title says what kind of model this is and how large, from the report alone."""

from __future__ import annotations

import dataclasses

import pytest

from reportgen.renderers import html
from reportgen.renderers.page_about import about
from reportgen.report.types import LayerRecord
from reportgen.report.values import Missing
from tests.sample_report import make_report


@pytest.mark.parametrize(
    ("task", "classes", "said"),
    [
        ("multiclass", 3, "Classification into 3 classes"),
        ("multiclass", 0, "Classification"),
        ("segmentation", 3, "Segmentation into 3 classes"),
        ("binary", 2, "Yes-or-no classification"),
        ("timeseries", 12, "Forecast"),
        ("regression", 0, "Regression"),
    ],
)
def test_the_task_is_said_as_people_say_it(task: str, classes: int, said: str) -> None:
    report = make_report()
    names = tuple("abcdefghijkl"[:classes])
    tables = tuple(dataclasses.replace(table, task=task, class_names=names) for table in report.samples)
    assert about(dataclasses.replace(report, samples=tables))[0] == said


def test_size_and_several_tasks_are_said_and_the_page_shows_them() -> None:
    layers = (LayerRecord("a", "Dense", {"parameters": 1200}), LayerRecord("b", "ReLU", {"parameters": Missing("no")}))
    report = make_report()
    table = report.samples[0]
    tables = tuple(dataclasses.replace(table, task=task, class_names=()) for task in ("binary", "regression", "binary"))
    told = about(dataclasses.replace(report, samples=tables, layers=layers))
    assert told == ("Yes-or-no classification and regression", "2 layers, 1,200 parameters")
    assert about(dataclasses.replace(report, samples=(), layers=())) == ()
    assert f"<span>{about(report)[0]}</span>" in html.render(report)
