"""The byte budget: kept for any report, least important parts first, every loss in the ledger, the same each time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from reportgen import budget
from reportgen.budget.items import Items
from reportgen.budget.ledger import size_words
from reportgen.figures.easel import Easel
from reportgen.renderers import html
from reportgen.report import blocks as b
from reportgen.report import coherence, json_text
from reportgen.report import types as t
from reportgen.report.read import read_report
from tests.budget.monster import monster
from tests.sample_report import make_report

MIB = 1024 * 1024


def size(report: t.Report) -> int:
    """Return the bytes of the page."""
    return len(html.render(report).encode("utf-8"))


def blocks(report: t.Report, kind: type) -> list[Any]:
    """Return every block of one kind, those in folds too."""
    tops = [block for section in report.sections for block in section.blocks]
    inner = [i for block in tops for i in (block.blocks if isinstance(block, b.Fold) else (block,))]
    return [block for block in inner if isinstance(block, kind)]


@pytest.fixture(scope="module")
def large() -> t.Report:
    """One output of many photographs and records: some 3 MiB."""
    return monster(layers=200, classes=100, epochs=2_000, records=20_000, outputs=3)


@pytest.fixture(scope="module")
def fitted(large: t.Report) -> t.Report:
    return budget.fit(large, budget.DEFAULT_BYTES, html.render, Easel().redraw)


def never(_: t.Report) -> str:
    raise AssertionError("a small report was rendered to find out its size")


def test_a_small_report_is_returned_untouched_and_not_rendered() -> None:
    report = make_report()
    assert budget.fit(report, budget.DEFAULT_BYTES, never) is report


def test_the_estimate_is_near_the_real_size(large: t.Report) -> None:
    for report in (make_report(), large):
        assert 0.85 < budget.estimate(report) / size(report) < 1.2


def test_a_large_report_fits_reads_back_and_says_what_went(large: t.Report, fitted: t.Report, tmp_path: Any) -> None:
    assert size(large) > 1.5 * budget.DEFAULT_BYTES
    # Steps are coarse: what they leave over is used again.
    assert 0.95 * budget.DEFAULT_BYTES < size(fitted) <= budget.DEFAULT_BYTES
    coherence.check(fitted)
    path = tmp_path / "report.html"
    path.write_text(html.render(fitted), encoding="utf-8")
    assert json_text.equal(read_report(path), fitted)
    assert fitted.verdict == large.verdict
    assert [f.code for f in fitted.findings] == [f.code for f in large.findings]
    assert all("1.5 MiB" in entry.why for entry in fitted.ledger[len(large.ledger) :])


def _points(report: t.Report) -> int:
    return sum(series.x.length for chart in blocks(report, b.Chart) for series in chart.series)


COUNTED: dict[str, Callable[[t.Report], int]] = {
    "montages of layers": lambda r: len(blocks(r, b.Montage)),
    "samples shown": lambda r: sum(len(g.samples) for g in blocks(r, b.Gallery)),
    "charts": lambda r: len(blocks(r, b.Chart)),
    "points of charts": _points,
    "graphs of the architecture": lambda r: len(blocks(r, b.GraphView)),
    "confusion matrices": lambda r: len(blocks(r, b.Matrix)),
    "rows of tables": lambda r: sum(len(table.rows) for table in blocks(r, b.Table)),
    "sample records": lambda r: sum(table.keys.length for table in r.samples),
    "numbers of layers in the data": lambda r: sum(len(layer.numbers) for layer in r.layers),
    "points of the history in the data": lambda r: sum(series.values.length for series in r.history),
    "findings": lambda r: len(r.findings),
    "metrics": lambda r: len(r.metrics),
}


def test_every_loss_is_a_row_of_the_ledger_with_both_numbers(large: t.Report, fitted: t.Report) -> None:
    rows = {entry.what: (entry.kept, entry.of) for entry in fitted.ledger[len(large.ledger) :]}
    for what, count in COUNTED.items():
        kept, of = count(fitted), count(large)
        assert rows.get(what) == ((f"{kept:,}", f"{of:,}") if kept < of else None), what


def test_the_same_report_is_reduced_to_the_same_bytes(large: t.Report, fitted: t.Report) -> None:
    again = budget.fit(large, budget.DEFAULT_BYTES, html.render, Easel().redraw)
    assert html.render(again) == html.render(fitted)


def test_what_a_coarse_step_left_over_is_given_back_to_what_matters_most(large: t.Report) -> None:
    limit = MIB
    coarse = budget.reduce_to(large, limit, limit, exact=False)
    exact = budget.reduce_to(large, limit, limit)
    assert budget.estimate(coarse) < budget.estimate(exact) < limit * 1.02  # the ledger comes on top
    assert sum(len(table.rows) for table in blocks(exact, b.Table)) >= sum(
        len(table.rows) for table in blocks(coarse, b.Table)
    )
    assert all(COUNTED[what](exact) >= COUNTED[what](coarse) for what in COUNTED)


def test_a_page_that_was_estimated_too_large_is_made_once_more_with_more_in_it(large: t.Report) -> None:
    def smaller_than_estimated(report: t.Report) -> str:
        return "x" * (budget.estimate(report) * 7 // 10)

    once = budget.reduce_to(large, MIB, MIB)
    fitted = budget.fit(large, MIB, smaller_than_estimated)
    assert len(smaller_than_estimated(once)) < 0.75 * MIB
    assert 0.9 * MIB < len(smaller_than_estimated(fitted)) <= MIB
    assert all(COUNTED[what](fitted) >= COUNTED[what](once) for what in COUNTED)


def test_what_matters_most_goes_last(large: t.Report) -> None:
    kept = []
    for limit in (3 * MIB, 2 * MIB, MIB, MIB // 2):
        report = budget.fit(large, limit, html.render)
        assert size(report) <= limit
        kept.append((len(blocks(report, b.Montage)), sum(table.keys.length for table in report.samples)))
    montages, records = zip(*kept, strict=True)
    assert list(montages) == sorted(montages, reverse=True)
    assert list(records) == sorted(records, reverse=True)
    first_loss = budget.reduce_to(large, budget.estimate(large) - 60_000, 0)
    assert len(blocks(first_loss, b.Montage)) < len(blocks(large, b.Montage))
    assert _points(first_loss) == _points(large)


def test_marked_rows_stay_in_a_table_that_is_cut() -> None:
    items = Items(monster(layers=1_000, classes=5, records=10, outputs=1, epochs=20))
    items.cut("layers", 60_000, 4)
    (table,) = [value for value in items.now if isinstance(value, b.Table) and value.id == "layer-table"]
    assert len(table.rows) == len(table.row_ids) <= 100
    (mark,) = table.marks
    assert table.rows[mark.row][0] == "block_999/conv"
    assert table.row_ids[mark.row] == "layer-999"
    assert table.note.count("Shown here:") == 1


def test_records_that_stay_have_the_smallest_keys_or_the_largest_loss(large: t.Report) -> None:
    items = Items(large)
    items.cut("records", 100_000, 5)
    table = next(value for value in items.now if isinstance(value, t.SampleTable))
    before = large.samples[0]
    keys, loss = table.keys.to_numpy(), before.loss.to_numpy()
    assert set(sorted(before.keys.to_numpy())[:200]) <= set(keys)
    assert before.keys.to_numpy()[loss.argmax()] in keys
    assert table.n_total == 1_000_000
    assert f"{len(keys):,} samples of 1,000,000" in table.rule


def test_a_thinned_chart_is_drawn_again_and_keeps_its_extremes(large: t.Report, fitted: t.Report) -> None:
    before = {chart.id: chart for chart in blocks(large, b.Chart)}
    thinned = [c for c in blocks(fitted, b.Chart) if c.series[0].x.length < before[c.id].series[0].x.length]
    assert thinned
    for chart in thinned:
        assert chart.figure is not None
        assert chart.figure.sha256 != before[chart.id].figure.sha256
        assert chart.figure.sha256 in fitted.assets
        assert chart.series[0].y.to_numpy().max() == 9.0


def test_pictures_that_nothing_shows_are_not_carried_along(fitted: t.Report) -> None:
    page = html.render(fitted)
    for sha256 in fitted.assets:
        assert page.count(f'data-asset="{sha256}"') == 1


@pytest.mark.slow
def test_the_largest_report_of_anyone_fits_the_default_budget() -> None:
    report = monster()
    found = budget.fit(report, budget.DEFAULT_BYTES, html.render, Easel().redraw)
    assert size(found) <= budget.DEFAULT_BYTES
    coherence.check(found)
    assert len(blocks(found, b.Gallery)) > 0
    assert sum(table.keys.length for table in found.samples) >= 40 * 60
    assert any(chart.figure for chart in blocks(found, b.Chart))


@pytest.mark.parametrize("limit", [budget.LEAST_BYTES, 600_000])
def test_even_the_smallest_budget_that_may_be_asked_for_is_kept(limit: int) -> None:
    report = monster(layers=300, classes=100, epochs=500, records=2_000, outputs=12)
    assert size(budget.fit(report, limit, html.render)) <= limit


def test_endless_texts_are_cut_too() -> None:
    report = make_report()
    finding = dataclasses.replace(report.findings[0], text="long " * 200_000)
    report = dataclasses.replace(report, findings=(finding, *report.findings[1:]))
    found = budget.fit(report, 400_000, html.render)
    assert size(found) <= 400_000
    assert any(entry.what.startswith("letters of") for entry in found.ledger)


def test_a_budget_is_written_as_people_do() -> None:
    assert [size_words(n) for n in (1536 * 1024, 600_000, 2_500_000, 20 * MIB)] == [
        "1.5 MiB",
        "600 KB",
        "2.5 MB",
        "20 MiB",
    ]
