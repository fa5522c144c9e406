"""An earlier report may come from a stranger: values that fit their types and mean nothing never end a build."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from reportgen.comparison import compare, with_changes
from reportgen.errors import InputRefused
from reportgen.figures.lines import draw_line_charts
from reportgen.inputs.baseline import describe_earlier
from reportgen.renderers import RENDERERS
from reportgen.report import json_text
from reportgen.report.types import Report, SampleTable
from reportgen.report.values import Column
from tests.comparison.two_reports import report_of, scores_for

TRUTH = np.array([0, 1, 2, 3] * 10)
GOOD = report_of(TRUTH, scores_for(TRUTH))


def with_table(**changed: object) -> Report:
    """Return the report with other columns of samples."""
    return replace(GOOD, samples=(replace(GOOD.samples[0], **changed),))  # type: ignore[arg-type]


def filled(value: float, dtype: str) -> Column:
    return Column.pack(np.full(len(TRUTH), value, dtype=dtype), dtype)  # type: ignore[arg-type]


COLUMNS = ("keys", "occurrences", "truth", "prediction", "confidence", "loss")
WEIRD = {
    "answers far out of range": with_table(prediction=filled(2**64 - 1, "<u8")),
    "negative answers": with_table(prediction=filled(-7, "<i8")),
    "infinite answers": with_table(prediction=filled(np.inf, "<f4"), truth=filled(3e38, "<f4")),
    "no class name": with_table(class_names=()),
    "the same name four times": with_table(class_names=("cat",) * 4),
    "labels beyond the names": with_table(truth=filled(250, "|u1"), class_names=("cat",)),
    "no sample": with_table(**dict.fromkeys(COLUMNS, Column.pack([], "<u8"))),
    "losses and neither labels nor answers": with_table(truth=Column.pack([]), prediction=Column.pack([])),
    "copies that count from 2**63": with_table(occurrences=filled(2**63, "<u8")),
    "one key for all": with_table(keys=filled(7, "<u8")),
    "a batch smaller than its records": with_table(n_total=-5, fair=-3),
}


@pytest.mark.parametrize("name", WEIRD)
def test_109_columns_that_mean_nothing_are_read_as_not_known(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for base, head in ((WEIRD[name], GOOD), (GOOD, WEIRD[name])):
            describe_earlier(base)
            report = with_changes(head, base, draw_line_charts)
            assert json_text.from_json(json_text.to_json(report)) == report
            assert "What changed" in RENDERERS["html"].render(report)


def test_109_an_index_that_is_no_class_of_its_own_report_is_not_taken_for_one_of_the_other() -> None:
    """Three names before, four now: 3 was no class then, and is "fox" now."""
    base = with_table(class_names=("cat", "dog", "eel"))
    count = compare(base, GOOD).sides[0].count
    assert count.shared == 30 and count.labels_changed == 0


def test_109_two_outputs_of_which_one_lacks_labels_and_answers() -> None:
    other: SampleTable = replace(GOOD.samples[0], output="other", truth=Column.pack([]), prediction=Column.pack([]))
    earlier = describe_earlier(replace(GOOD, samples=(*GOOD.samples, other)))
    assert earlier is not None


@pytest.mark.parametrize("size", [10**400, -(10**400)])
def test_109_an_integer_that_is_no_float_is_refused(size: int) -> None:
    text = json_text.to_json(GOOD).replace('"samples_shown":', f'"samples_shown":{size},"x":', 1)
    with pytest.raises(InputRefused, match="too large"):
        json_text.from_json(text)


def test_109_epochs_that_are_no_whole_numbers_are_refused() -> None:
    series = GOOD.history[0]
    broken = replace(series, epochs=Column.pack(np.full(series.epochs.length, np.nan), "<f4"))
    with pytest.raises(InputRefused, match="whole numbers"):
        json_text.from_json(json_text.to_json(replace(GOOD, history=(broken,))))


def test_109_thousands_of_layers_findings_and_versions_are_cut() -> None:
    many = range(3_000)
    record = GOOD.layers[0]
    base = replace(
        GOOD,
        graph=None,
        layers=tuple(replace(record, name=f"layer {i} {'x' * 300}", type="T" * 300) for i in many),
        findings=tuple(replace(GOOD.findings[0], code=f"code {i}", outcome="warned", title="t" * 500) for i in many),
        provenance=replace(GOOD.provenance, versions={f"{'p' * 300}{i}": "9" * 300 for i in many}),
    )
    page = RENDERERS["html"].render(with_changes(GOOD, base, draw_line_charts))
    assert len(page) - len(RENDERERS["html"].render(GOOD)) < 600_000


def test_109_a_hundred_thousand_other_class_names_take_no_time() -> None:
    """Each name is looked up once: with a search through the others this would be 10**10 comparisons."""
    names = tuple(f"class {i}" for i in range(100_000))
    base, head = with_table(class_names=names), with_table(class_names=tuple(f"now {name}" for name in names))
    assert len(compare(base, head).sides[0].pairing.names) == 200_000
