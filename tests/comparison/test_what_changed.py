"""What a reader sees of a comparison: the sentence, the notes, the section, the page; and what must not come over."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest

from reportgen.comparison import ID, Own, with_changes
from reportgen.figures.lines import draw_line_charts
from reportgen.inputs.baseline import describe_earlier, metrics_before
from reportgen.renderers import RENDERERS
from reportgen.report import json_text
from reportgen.report.blocks import Block, Chart, Gallery, SampleCard, Table
from reportgen.report.html_data import from_page
from reportgen.report.types import Asset, Finding, Report, Section
from reportgen.report.values import Column, Missing
from tests.comparison.two_reports import report_of, scores_for
from tests.sample_report import Shelf

TRUTH = np.array([0, 1, 2, 3] * 50)


def answers(*rows: int) -> np.ndarray:
    found = TRUTH.copy()
    found[list(rows)] = (found[list(rows)] + 1) % 4
    return scores_for(found)


GOOD, POOR = report_of(TRUTH, answers()), report_of(TRUTH, answers(*range(0, 60, 2)))


def compared(base: Report, head: Report) -> Report:
    return with_changes(head, base, draw_line_charts)


def blocks(report: Report) -> dict[str, Block]:
    section = next(section for section in report.sections if section.id == ID)
    return {getattr(block, "id", "") or block.kind: block for block in section.blocks}


def with_finding(report: Report, code: str) -> Report:
    finding = Finding(code, f"Title of {code}", "warned", "warn", "Text.")
    return replace(report, findings=(*report.findings, finding))


@pytest.mark.parametrize(
    ("base", "head", "level", "start"),
    [
        (GOOD, POOR, "worse", "Worse than before: accuracy 100% → 85.0% (−15.0 points"),
        (POOR, GOOD, "better", "Better than before: accuracy 85.0% → 100% (+15.0 points"),
        (GOOD, GOOD, "same", "The same as before: accuracy 100% → 100% (on 200 shared samples)"),
        (GOOD, report_of(TRUTH, answers(1)), "unclear", "No difference beyond chance: accuracy"),
        (replace(GOOD, metrics=()), GOOD, "unknown", "Not comparable: the two reports have no metric in common."),
    ],
)
def test_the_sentence_says_how_the_first_metric_moved(base: Report, head: Report, level: str, start: str) -> None:
    changes = compared(base, head).changes
    assert changes is not None and changes.level == level and changes.sentence.startswith(start)


def test_the_sentence_counts_the_samples_that_changed_sides() -> None:
    changes = compared(GOOD, POOR).changes
    assert changes is not None and changes.sentence.endswith("30 newly wrong and 0 newly right of 200 shared samples.")


def test_the_sentence_does_not_hide_that_another_metric_moved() -> None:
    """No answer changed, but each is surer than before: the first metric is the same, the log loss is not."""
    changes = compared(report_of(TRUTH, scores_for(TRUTH, 0.6)), GOOD).changes
    assert changes is not None and changes.level == "same"
    assert changes.sentence.startswith("The same in the first metric, but not in others: accuracy 100% → 100%")
    assert changes.notes[0].startswith("Beyond chance: log loss better (−0.")


def test_an_earlier_report_is_named_by_what_is_known_of_it() -> None:
    bare = replace(GOOD, run=None, provenance=replace(GOOD.provenance, git_commit=Missing("no repository")))
    known = replace(bare, title="Main")
    for base, words in ((bare, "an earlier report"), (known, "the report of “Main”")):
        report = compared(base, POOR)
        assert report.changes is not None and report.changes.base == words
        assert f"since <bdi>{words}</bdi>" in RENDERERS["html"].render(report)


def test_one_sample_is_one_sample_and_one_curve_is_one_curve() -> None:
    found = blocks(compared(GOOD, report_of(TRUTH, answers(1))))
    gallery = found["changes-wrong-list"]
    assert isinstance(gallery, Table) and "would split 1 sample this" in gallery.reading
    chart = found["changes-curves"]
    assert isinstance(chart, Chart) and chart.reading.startswith("The same curve in both runs")


def test_a_difference_on_shared_samples_is_not_told_as_that_of_the_two_values() -> None:
    """Before 25% of 200; of those the first 100 are shared, where 5 became wrong: overall now is better, there worse."""
    base = report_of(TRUTH, answers(*range(100, 200), *range(50)), keys=np.arange(200))
    head = report_of(TRUTH, answers(*range(56)), keys=np.concatenate([np.arange(100), np.arange(900, 1_000)]))
    changes = compared(base, head).changes
    assert changes is not None and changes.level == "worse"
    assert (
        "accuracy 25.0% → 72.0%, each on all its samples; on the 100 shared ones −6.0 points (95%" in changes.sentence
    )


def test_notes_say_when_ids_stand_for_other_contents_and_when_classes_have_other_names() -> None:
    ids = [f"s{i}" for i in range(200)]
    base = report_of(TRUTH, answers(), ids=ids, keys=np.arange(200))
    changes = compared(base, report_of(TRUTH, answers(), ids=ids, keys=np.arange(100, 300))).changes
    assert changes is not None and any("with the id of before and another content" in note for note in changes.notes)
    assert not any("another content" in note for note in (compared(base, base).changes or changes).notes)
    changes = compared(GOOD, report_of(TRUTH, answers(), names=("a", "b", "c", "d"))).changes
    assert changes is not None and changes.notes[0].startswith("No class has the name that it had before")


def test_of_another_task_neither_metrics_nor_losses_are_compared() -> None:
    values = np.zeros((200, 1))
    report = compared(report_of(values, values, task="regression", scores="values", names=()), GOOD)
    assert report.changes is not None and report.changes.sentence == "Not comparable: the model does another task now."
    assert not {"changes-metrics", "changes-curves"} & set(blocks(report))


def test_one_output_better_and_one_worse_is_mixed() -> None:
    def two(first: Report, second: Report) -> Report:
        other = report_of(TRUTH, answers(), output="other")
        table = replace(second.samples[0], output="other")
        metrics = tuple(replace(metric, output="other") for metric in second.metrics)
        return replace(first, samples=(*first.samples, table), metrics=(*first.metrics, *metrics), title=other.title)

    changes = compared(two(GOOD, POOR), two(POOR, GOOD)).changes
    assert changes is not None and changes.level == "mixed"
    assert "accuracy of animal 100% → 85.0%" in changes.sentence and "accuracy of other" in changes.sentence


def test_notes_name_new_and_gone_findings_and_other_samples() -> None:
    base = with_finding(report_of(TRUTH, answers(), keys=np.arange(900, 1_100)), "old-one")
    changes = compared(base, with_finding(GOOD, "new-one")).changes
    assert changes is not None
    said = " | ".join(changes.notes)
    assert "no sample in common" in said
    assert "1 new finding: Title of new-one" in said and "1 finding is gone: Title of old-one" in said


def test_the_section_stands_right_after_the_summary_and_is_replaced_not_repeated() -> None:
    report = compared(GOOD, compared(POOR, POOR))
    assert [section.id for section in report.sections].count(ID) == 1 and report.sections[1].id == ID


def test_the_section_holds_metrics_samples_findings_curves_layers_and_origins() -> None:
    found = blocks(compared(GOOD, with_finding(POOR, "new-one")))
    for id_ in ("changes-metrics", "changes-wrong-list", "changes-classes", "changes-findings", "changes-curves"):
        assert id_ in found, id_
    table = found["changes-wrong-list"]
    assert isinstance(table, Table) and len(table.rows) == 30
    assert table.rows[0][1:4] in {("cat", "cat (80.0%)", "dog (80.0%)"), ("eel", "eel (80.0%)", "fox (80.0%)")}


def test_curves_of_both_runs_are_drawn_without_matplotlib_and_can_be_redrawn() -> None:
    chart = blocks(compared(GOOD, POOR))["changes-curves"]
    assert isinstance(chart, Chart) and chart.frame is not None and chart.figure is not None
    assert [series.name for series in chart.series] == ["before", "now"]


def test_a_page_with_a_comparison_reads_back_equal() -> None:
    report = compared(with_card(GOOD, 4), with_card(POOR, 8))
    assert from_page(RENDERERS["html"].render(report).encode(), "page") == report
    assert json_text.from_json(json_text.to_json(report).encode(), "json") == report


def test_the_first_screen_of_a_page_says_what_changed_and_every_metric_its_value_before() -> None:
    page = RENDERERS["html"].render(compared(GOOD, POOR))
    first = page[page.index("<main") : page.index('id="changes"')]
    assert "Worse than before: accuracy 100% → 85.0%" in first and "before: 100%" in first
    assert "Not compared with an earlier report" in RENDERERS["html"].render(POOR)


def test_the_summary_for_a_pull_request_says_it_too() -> None:
    text = RENDERERS["markdown"].render(compared(GOOD, POOR))
    assert text.index("Worse than before: accuracy") < text.index("### Gates")


PICTURE = np.arange(16, dtype=np.uint8).reshape(4, 4)


def with_card(report: Report, row: int, shade: int = 0, text: str = "") -> Report:
    """Let the report show one sample with a picture."""
    shelf = Shelf()
    picture = shelf.png(PICTURE + np.uint8(shade), f"row {row}")
    card = SampleCard(f"{row:016x}", f"row {row}", "cat", "dog", "wrong", image=picture, text=text)
    gallery = Gallery("g", "Samples", "animal", "All.", (card,), "One sample.")
    section = Section("predictions", "Predictions", "shown", "", (gallery,))
    others = tuple(section for section in report.sections if section.id != "predictions")
    return replace(report, sections=(*others, section), assets=report.assets | shelf.assets)


def shown(report: Report) -> Gallery | None:
    found = blocks(report).get("changes-wrong")
    return found if isinstance(found, Gallery) else None


def test_a_newly_wrong_sample_is_shown_with_both_answers() -> None:
    gallery = shown(compared(GOOD, with_card(POOR, 4)))
    assert gallery is not None and [card.label for card in gallery.samples] == ["row 4"]
    assert gallery.samples[0].prediction == "dog, before: cat" and gallery.samples[0].truth == "cat"


def test_a_picture_that_only_the_earlier_report_has_is_taken_over() -> None:
    report = compared(with_card(GOOD, 4), POOR)
    gallery = shown(report)
    assert gallery is not None and gallery.samples[0].image is not None
    assert gallery.samples[0].image.sha256 in report.assets
    assert gallery.samples[0].label == "00000000"  # not "row 4", its place in the earlier batch


@pytest.mark.parametrize(("privacy", "said"), [("blur", 3), ("ids", 0), ("none", 0), ("redacted", 3), ("", 0)])
def test_of_what_a_report_hides_nothing_is_taken_over(privacy: str, said: int) -> None:
    """Of samples and the commit; a report before `privacy` was written that shows no sample hides them all."""
    secret = tuple(f"secret id {i}" for i in range(200))
    base = with_card(GOOD, 4, shade=7, text="a secret text")
    base = replace(base, samples=(replace(base.samples[0], ids=secret),))
    base = replace(base, provenance=replace(base.provenance, git_commit="5ec2e7" * 6))
    facts = replace(POOR.provenance, privacy=privacy, samples_shown=said, git_commit=Missing("redacted"))
    report = compared(base, replace(POOR, provenance=facts))
    text = json_text.to_json(report)
    assert shown(report) is None and "secret" not in text and "5ec2e7" not in text
    assert not (set(base.assets) - set(POOR.assets)) & set(report.assets)


def test_the_earlier_reports_own_comparison_plays_no_part() -> None:
    """On main each report was itself compared: what is taken over is its samples, not what it said of a third run."""
    base = compared(with_card(POOR, 4, text="of a third run"), GOOD)
    assert "of a third run" in json_text.to_json(base)
    assert "of a third run" not in json_text.to_json(compared(base, POOR))


def test_outputs_judged_by_their_loss_show_both_pictures() -> None:
    truth = np.arange(8.0)[:, None]
    base = report_of(truth, truth, task="regression", scores="values", names=())
    head = report_of(truth, truth + 1, task="regression", scores="values", names=())
    report = compared(with_card(base, 3, 1), with_card(head, 3, 2))
    found = blocks(report)["changes-grew"]
    assert isinstance(found, Gallery)
    assert [card.prediction for card in found.samples] == ["before: dog; loss 0", "now: dog; loss 1"]


HOSTILE = "<img src=x onerror=alert(1)></script>{{7*7}}"


def test_109_an_earlier_report_full_of_markup_is_plain_text_in_the_page() -> None:
    table = replace(
        GOOD.samples[0], class_names=(HOSTILE, "b", "c", "d"), ids=tuple(f"{HOSTILE}{i}" for i in range(200))
    )
    head = replace(POOR.samples[0], class_names=(HOSTILE, "b", "c", "d"), ids=table.ids)
    versions = {**GOOD.provenance.versions, HOSTILE: HOSTILE}
    base = replace(
        with_finding(GOOD, HOSTILE),
        title=HOSTILE,
        samples=(table,),
        provenance=replace(GOOD.provenance, versions=versions, git_commit=HOSTILE, model_file=HOSTILE),
    )
    report = compared(base, replace(POOR, samples=(head,)))
    page, summary = RENDERERS["html"].render(report), RENDERERS["markdown"].render(report)
    assert "<img src=x" not in page and "&lt;img src=x" in page and "{{7*7}}" in page
    assert "<img src=x" not in summary


def test_a_huge_comparison_stays_small() -> None:
    n = 20_000
    truth = np.zeros(n, np.int64)
    rng = np.random.default_rng(0)
    base = report_of(truth, scores_for(rng.integers(0, 4, n)))
    head = report_of(truth, scores_for(rng.integers(0, 4, n)))
    bare, whole = RENDERERS["html"].render(head), RENDERERS["html"].render(compared(base, head))
    assert len(whole) - len(bare) < 120_000


def test_a_curve_with_gaps_has_points_where_no_line_reaches() -> None:
    values = np.array([1.0, np.nan, 0.5, np.nan, 0.4, 0.3])
    series = replace(POOR.history[0], epochs=Column.pack(np.arange(6), "<i8"), values=Column.pack(values))
    head = replace(POOR, history=(series,))
    base = replace(GOOD, history=(replace(series, values=Column.pack(values + 1)),))
    chart = blocks(compared(base, head))["changes-curves"]
    assert isinstance(chart, Chart) and chart.figure is not None
    drawing: Asset = compared(base, head).assets[chart.figure.sha256]
    assert drawing.data.count(b"h.01") == 4


def test_cards_that_a_report_could_show_are_shown() -> None:
    whole = with_card(POOR, 4)
    galleries = tuple(b for s in whole.sections for b in s.blocks if isinstance(b, Gallery) and b.id == "g")
    report = with_changes(POOR, GOOD, draw_line_charts, Own(galleries, whole.assets))
    gallery = shown(report)
    assert gallery is not None and gallery.samples[0].image is not None
    assert gallery.samples[0].image.sha256 in report.assets


@pytest.mark.parametrize(("output", "task", "known"), [
    ("animal", "multiclass", True), ("renamed", "multiclass", True),
    ("animal", "binary", False), ("renamed", "regression", False),
])  # fmt: skip
def test_a_gate_is_not_judged_by_what_another_task_reached(output: str, task: str, known: bool) -> None:
    assert bool(metrics_before(GOOD, {output: task})) == known
    assert metrics_before(None, {output: task}) == ()


def test_what_an_earlier_run_made_of_each_sample_goes_to_the_worker() -> None:
    earlier = describe_earlier(POOR)
    assert earlier is not None
    may_grow = np.frombuffer(base64.b64decode(earlier.may_grow), "|u1")
    assert may_grow.sum() == 170 and np.array_equal(
        np.frombuffer(base64.b64decode(earlier.may_fall), "|u1"), 1 - may_grow
    )
    assert describe_earlier(replace(POOR, samples=())) is None and describe_earlier(None) is None
