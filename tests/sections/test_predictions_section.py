"""The predictions section: every task, several outputs, missing labels, scores, privacy, readings."""

import dataclasses
import math

import numpy as np
import pytest

from reportgen.analysis.calibration import Reliability
from reportgen.analysis.evidence import Problem
from reportgen.analysis.images import class_colours
from reportgen.analysis.metrics.classes import ConfidenceHistogram
from reportgen.analysis.metrics.curves import ThresholdChoice
from reportgen.analysis.metrics.segmentation import MistakePlaces
from reportgen.analysis.metrics.sequence import ByLength, ByStep
from reportgen.analysis.metrics.value import MetricValue
from reportgen.analysis.mosaics import stack_panes
from reportgen.analysis.normality import NormalQuantiles
from reportgen.report import coherence
from reportgen.report.blocks import Card, Chart, Fold, Gallery, Matrix, SampleCard, Table, Text
from reportgen.sections import predictions
from reportgen.sections.predictions_binary import describe_scores, describe_thresholds
from reportgen.sections.predictions_calibration import chance_limit, describe_calibration, describe_confidence
from reportgen.sections.predictions_masks import _flat_map, describe_places
from reportgen.sections.predictions_metrics import describe_metrics, describe_standings
from reportgen.sections.predictions_normal import describe_normality
from reportgen.sections.predictions_pictures import describe_map, describe_spread
from reportgen.sections.predictions_regression import describe_errors, describe_residuals
from reportgen.sections.predictions_sequence import describe_lengths, describe_steps
from reportgen.sections.predictions_targets import describe_horizon
from reportgen.sections.sample_tables import sample_tables
from reportgen.sections.samples import samples_shown, shows_content
from tests.evidence_builder import make_artifacts, make_context, make_inputs, make_kept, make_output

TASKS = {
    "multiclass": 5,
    "binary": 2,
    "multilabel": 4,
    "regression": 1,
    "segmentation": 3,
    "reconstruction": 1,
    "sequence": 12,
    "other": 1,
}


def flat(section):
    blocks = section.blocks
    return [inner for block in blocks for inner in (block.blocks if isinstance(block, Fold) else (block,))]


def build(task="multiclass", **knobs):
    context, drawn = make_context()
    section = predictions.build(make_artifacts(task, **knobs), context)
    coherence.check_section(section)
    return section, drawn


def by_id(section, name):
    return next(block for block in flat(section) if getattr(block, "id", "") == f"predictions-{name}")


def gallery(section):
    return next(block for block in flat(section) if isinstance(block, Gallery))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("privacy", ["show", "blur", "ids", "none"])
def test_every_task_builds_a_coherent_section(task, labels, privacy):
    section, drawn = build(task, classes=TASKS[task], labels=labels, privacy=privacy, n=60)
    assert section.state == "shown"
    assert section.summary
    ids = [block.id for block in flat(section) if hasattr(block, "id")]
    assert len(ids) == len(set(ids))
    assert all(block.reading for block in flat(section) if isinstance(block, Chart | Matrix | Gallery))
    assert not any(isinstance(block, Card) and block.level == "error" for block in flat(section))
    assert (samples_shown(section) > 0) == (privacy == "show" or (privacy == "blur" and bool(drawn.pictures)))


def test_classifier_shows_all_parts():
    section, _ = build()
    found = {getattr(block, "id", "").removeprefix("predictions-") for block in flat(section)}
    wanted = {"metrics", "samples", "confusion", "pairs", "classes", "confidence", "calibration", "calibration-bins"}
    assert wanted <= found


def test_binary_shows_curves_and_thresholds():
    section, _ = build("binary")
    found = {getattr(block, "id", "").removeprefix("predictions-") for block in flat(section)}
    assert {"roc", "precision-recall", "thresholds", "threshold-table", "scores"} <= found
    table = by_id(section, "threshold-table")
    assert table.rows[table.marks[0].row][0] == 0.5


def test_worst_mistakes_come_first_then_the_seeded_choice():
    section, _ = build(quality=0.6)
    cards = gallery(section).samples
    artifacts = make_artifacts(quality=0.6)
    kept = artifacts.worker.kept
    worst = [reason for reason in kept.reasons if "worst" in reason]
    losses = [card.loss for card in cards[: len(worst)]]
    assert losses == sorted(losses, reverse=True)
    assert all(card.outcome == "wrong" for card in cards[: len(worst)])
    assert losses[0] == max(card.loss for card in cards)
    assert f"the {len(worst)} samples with the largest loss" in gallery(section).rule
    assert "seed 0" in gallery(section).rule


def test_card_says_truth_prediction_confidence_and_key():
    section, _ = build()
    artifacts = make_artifacts()
    records = artifacts.worker.outputs[0].records
    card = gallery(section).samples[0]
    row = int(card.label.removeprefix("row "))
    assert card.key == f"{int(records.keys[row]):016x}"
    assert card.truth == f"class {int(records.truth[row])}"
    assert card.prediction == f"class {int(records.prediction[row])}"
    assert card.confidence == pytest.approx(float(records.confidence[row]), rel=1e-5)
    assert len(card.details) == 2


def test_pictures_are_those_of_the_samples():
    section, drawn = build()
    kept = make_artifacts().worker.kept
    card = gallery(section).samples[0]
    row = list(kept.positions).index(int(card.label.removeprefix("row ")))
    expected = np.rint(kept.inputs["input"][row, ..., 0] * 255).astype(np.uint8)
    assert np.array_equal(drawn.pictures[0][0][::3, ::3], expected)


def test_scores_are_never_called_percentages():
    section, _ = build(scores="scores")
    assert all(card.confidence is None for card in gallery(section).samples)
    assert not any("%" in value for card in gallery(section).samples for _, value in card.details)
    assert [block.title for block in flat(section) if isinstance(block, Card)] == ["Scores, not probabilities"]
    assert not any(getattr(block, "id", "").endswith(("confidence", "calibration")) for block in flat(section))


def test_logits_are_shown_as_probabilities_and_said():
    logits = np.random.default_rng(0).normal(0, 3, (50, 4))
    section, _ = build(classes=4, scores="logits", arrays=(logits.argmax(1), logits))
    assert "from_logits" in section.blocks[0].text
    assert all(0 <= card.confidence <= 1 for card in gallery(section).samples)
    assert all(value.endswith("%") for card in gallery(section).samples for _, value in card.details)


def test_no_labels_gives_answers_and_no_metrics():
    section, _ = build(labels=False)
    assert not any(getattr(block, "id", "") == "predictions-metrics" for block in flat(section))
    assert sum(row[1] for row in by_id(section, "answers").rows) == 200
    assert all(card.outcome == "unknown" for card in gallery(section).samples)
    assert "without labels" in section.summary


def test_of_many_classes_those_never_met_are_counted_not_listed():
    section, _ = build(classes=60, quality=0.9, n=40)
    table = next(block for block in flat(section) if isinstance(block, Table) and block.title == "Classes")
    assert all(row[6] or row[7] for row in table.rows) and len(table.rows) < 60
    assert f"Not listed: {60 - len(table.rows)} classes" in table.note


def test_many_classes_show_the_worst_block_and_say_so():
    section, _ = build(classes=60, quality=0.3, n=400)
    matrix = by_id(section, "confusion")
    assert len(matrix.rows) == 30
    assert matrix.note.startswith("30 of 60 classes")
    assert by_id(section, "classes").note == "Worst F1 first."
    f1 = [row[5] for row in by_id(section, "classes").rows if isinstance(row[5], float)]
    assert f1 == sorted(f1)


def test_never_predicted_class_is_marked_and_named():
    truth = np.array([0, 1, 2] * 20)
    said = np.eye(3, dtype=np.float32)[np.where(truth == 2, 1, truth)] * 0.9 + 0.03
    section, _ = build(classes=3, arrays=(truth, said))
    table = by_id(section, "classes")
    assert table.reading == "1 class is never predicted: class 2."
    assert [(table.rows[mark.row][0], mark.level) for mark in table.marks] == [("class 2", "warn")]
    assert table.rows[2][1].missing == "never predicted"


def test_one_answer_to_everything_is_said():
    said = np.tile(np.array([[0.1, 0.8, 0.1]], np.float32), (40, 1))
    section, _ = build(classes=3, arrays=(np.arange(40) % 3, said))
    assert (
        by_id(section, "confusion").reading
        == "Every sample is called class 1: the model gives one answer to everything."
    )


def test_perfect_model_reads_as_such():
    truth = np.arange(60) % 3
    section, _ = build(classes=3, arrays=(truth, np.eye(3, dtype=np.float32)[truth]))
    assert "no mistake was made" in by_id(section, "confusion").reading
    assert gallery(section).reading.startswith("No mistake among")


def test_nan_predictions_are_shown_as_such():
    truth, said = np.arange(40) % 3, np.full((40, 3), 1 / 3, np.float32)
    said[5] = np.nan
    section, _ = build(classes=3, arrays=(truth, said))
    assert any("NaN" in block.text for block in section.blocks if isinstance(block, Text))
    spoken = {card.label: card for card in gallery(section).samples}
    if "row 5" in spoken:
        assert spoken["row 5"].prediction == "no finite score"


def test_several_outputs_get_a_fold_each_with_their_own_ids():
    section, _ = build(extra_outputs=(("size", "regression"), ("mask", "segmentation")))
    assert [fold.title for fold in section.blocks] == [
        "Output output (multiclass)",
        "Output size (regression)",
        "Output mask (segmentation)",
    ]
    ids = [block.id for block in flat(section) if hasattr(block, "id")]
    assert len(ids) == len(set(ids))
    assert section.blocks[0].open and not section.blocks[1].open
    assert samples_shown(section) == len(
        {card.key for b in flat(section) if isinstance(b, Gallery) for card in b.samples}
    )


def test_lost_worker_and_failed_prediction_say_why():
    section, _ = build(worker=False)
    assert (section.state, section.blocks[0].text) == ("empty", "The worker ran out of memory")
    context, _ = make_context()
    artifacts = make_artifacts(problems=(Problem("predict", "The batch has 3 channels, the model wants 1"),))
    artifacts = dataclasses.replace(artifacts, worker=dataclasses.replace(artifacts.worker, outputs=()))
    assert predictions.build(artifacts, context).blocks[0].text == "The batch has 3 channels, the model wants 1"


def test_unreadable_state_becomes_a_card():
    artifacts = make_artifacts()
    broken = dataclasses.replace(artifacts.worker.outputs[0], state={})
    artifacts = dataclasses.replace(artifacts, worker=dataclasses.replace(artifacts.worker, outputs=(broken,)))
    context, _ = make_context()
    section = predictions.build(artifacts, context)
    assert [block.level for block in section.blocks if isinstance(block, Card)] == ["error"]


def test_labels_that_do_not_fit_cost_the_samples_and_keep_the_metrics():
    artifacts = make_artifacts()
    kept = dataclasses.replace(artifacts.worker.kept, targets={"output": np.array(["text"] * 24)})
    artifacts = dataclasses.replace(artifacts, worker=dataclasses.replace(artifacts.worker, kept=kept))
    context, _ = make_context()
    section = predictions.build(artifacts, context)
    assert any(getattr(block, "id", "") == "predictions-metrics" for block in section.blocks)
    assert section.blocks[-1].title == "Samples do not fit"


def test_without_kept_samples_the_records_still_show_the_worst():
    artifacts = make_artifacts(quality=0.5)
    artifacts = dataclasses.replace(artifacts, worker=dataclasses.replace(artifacts.worker, kept=None))
    context, drawn = make_context()
    cards = gallery(predictions.build(artifacts, context)).samples
    records = artifacts.worker.outputs[0].records
    assert cards[0].loss == pytest.approx(float(records.loss.max()))
    assert not drawn.pictures
    assert {card.outcome for card in cards} == {"wrong"}


def test_users_ids_name_samples_except_where_names_are_private():
    artifacts = make_artifacts()
    kept = dataclasses.replace(artifacts.worker.kept, ids=tuple(f"scan_{i}.png" for i in range(24)))
    artifacts = dataclasses.replace(artifacts, worker=dataclasses.replace(artifacts.worker, kept=kept))
    context, _ = make_context()
    assert gallery(predictions.build(artifacts, context)).samples[0].label.startswith("scan_")
    private = dataclasses.replace(artifacts, privacy="none")
    assert "scan_" not in str(predictions.build(private, context))


def test_features_and_tokens_are_shown_as_values():
    section, _ = build("regression", classes=1)
    names = [name for name, _ in gallery(section).samples[0].details]
    assert names == ["error", "x[0]", "x[1]", "x[2]", "x[3]", "x[4]"]
    section, _ = build("sequence", classes=12)
    assert gallery(section).samples[0].text.startswith("tokens ")


def test_hostile_class_names_stay_data():
    names = ("<script>alert(1)</script>", "a\nb", "x" * 500)
    truth = np.arange(30) % 3
    artifacts = make_artifacts(classes=3, arrays=(truth, np.eye(3, dtype=np.float32)[truth]))
    output = dataclasses.replace(artifacts.worker.outputs[0], class_names=names)
    artifacts = dataclasses.replace(artifacts, worker=dataclasses.replace(artifacts.worker, outputs=(output,)))
    context, _ = make_context()
    matrix = by_id(predictions.build(artifacts, context), "confusion")
    assert matrix.rows[:2] == ("<script>alert(1)</script>", "a b")
    assert len(matrix.rows[2]) == 60


def test_segmentation_panels_hold_input_truth_answer_and_difference():
    section, drawn = build("segmentation", classes=3)
    assert drawn.pictures[0][0].shape == (2 * 64 + 2, 2 * 64 + 2, 3)
    section, drawn = build("segmentation", classes=3, labels=False)
    assert drawn.pictures[0][0].shape == (64, 2 * 64 + 2, 3)
    assert "truth" not in gallery(section).rule


def test_segmentation_says_which_class_has_which_colour_in_words_too():
    section, _ = build("segmentation", classes=3)
    legend = gallery(section).legend
    painted = class_colours(3)
    assert [(item.rgb >> 16, item.rgb >> 8 & 255, item.rgb & 255) for item in legend] == [tuple(c) for c in painted]
    assert [item.word for item in legend] == ["black", "dark blue", "green"]
    section, _ = build("segmentation", classes=40)
    assert len(gallery(section).legend) == 16
    section, _ = build("multiclass")
    assert gallery(section).legend == ()


def test_segmentation_perfect_masks_show_no_red():
    truth = np.zeros((20, 8, 8), np.int64)
    truth[:, 2:5] = 1
    _, drawn = build("segmentation", classes=2, arrays=(truth, np.eye(2, dtype=np.float32)[truth]))
    difference = drawn.pictures[0][0][-64:, -64:]
    assert not (difference == (230, 60, 40)).all(-1).any()


def test_segmentation_marks_wrong_only_below_half_overlap():
    section, _ = build("segmentation", classes=3, quality=0.6)
    cards = gallery(section).samples
    assert {card.outcome for card in cards} == {"right", "wrong"}
    for card in cards:
        assert (card.outcome == "wrong") == (card.loss > 1 / 3)


def test_tall_cards_are_limited_and_the_rule_counts_them():
    artifacts = make_artifacts("regression", classes=1)
    inputs = make_inputs("table", 200, 0)
    output = make_output("regression", classes=1)
    kept = make_kept([output], inputs, worst=24, seeded=24)
    artifacts = dataclasses.replace(artifacts, worker=dataclasses.replace(artifacts.worker, kept=kept))
    context, _ = make_context()
    shown = gallery(predictions.build(artifacts, context))
    assert len(shown.samples) == 24
    assert "First the 16 samples" in shown.rule and "then 8 samples" in shown.rule


def test_regression_points_are_the_samples():
    truth = np.arange(40.0)[:, None]
    section, _ = build("regression", classes=1, arrays=(truth, truth + 2.0))
    chart = by_id(section, "predicted-true-1")
    assert chart.diagonal
    assert sorted(chart.series[0].y.to_numpy() - chart.series[0].x.to_numpy()) == [2.0] * 40
    assert "too high on average" in chart.reading


def test_several_targets_are_compared_by_how_much_they_vary():
    truth = np.random.default_rng(0).normal(0, 1, (80, 12))
    noise = np.random.default_rng(1).normal(0, 1, (80, 12)) * np.linspace(0.1, 1, 12)
    section, _ = build("regression", classes=12, arrays=(truth, truth + noise))
    chart = by_id(section, "by-target")
    assert chart.reading.startswith("For how much they vary, target 12 is predicted worst")
    assert "target 1 best" in chart.reading and chart.series[0].shape == "points"
    assert describe_horizon(chart.series[0].y.to_numpy()).startswith("The error grows along the targets")


def test_what_was_not_judged_is_said_so():
    assert build("other", classes=1)[0].summary.startswith("Described, not judged: ")


def test_the_strips_of_a_signal_are_as_wide_as_its_drawing():
    assert _flat_map(np.arange(1_000) // 500).shape == (14, 192) and _flat_map(np.zeros(7, int)).shape == (14, 192)
    assert _flat_map(np.arange(1_000) // 500)[0, 95:97].tolist() == [0, 1]
    panes = [np.zeros((96, 192), np.uint8), np.ones((14, 192, 3), np.uint8)]
    assert stack_panes(panes).shape == (96 + 3 + 14, 192, 3)


# ---- readings: no two opposite cases may read the same


def metric(value, baseline, low, high, n=500, better="higher", reason=""):
    return MetricValue(
        "accuracy", "Accuracy", value, low, high, n, "Wilson", better, "share", baseline, "constant", True, "", reason
    )


def test_metric_readings_contrast():
    cases = {
        "better": metric(0.9, 0.5, 0.87, 0.93),
        "worse": metric(0.4, 0.6, 0.36, 0.44),
        "equal": metric(0.5, 0.5, 0.48, 0.52, n=5000),
        "unclear": metric(0.55, 0.5, 0.3, 0.7, n=20),
        "no room": metric(1.0, 1.0, 0.99, 1.0),
        "no baseline": metric(0.9, None, 0.87, 0.93),
        "nan": metric(math.nan, None, math.nan, math.nan, reason="no labels"),
    }
    said = {name: describe_metrics((case,)) for name, case in cases.items()}
    assert len(set(said.values())) == len(cases)
    assert "better than" in said["better"] and "worse than" in said["worse"] and "no better than" in said["equal"]
    assert "too close" in said["unclear"] and "could not be computed: no labels" in said["nan"]


def reliability(confidence, accuracy, n):
    edges = np.linspace(0, 1, 4)
    n = np.array([0, 0, n])
    c, a = np.array([np.nan, np.nan, confidence]), np.array([np.nan, np.nan, accuracy])
    half = 1 / np.sqrt(np.maximum(n, 1))
    return Reliability(edges, c, a, n, a - half, a + half, abs(confidence - accuracy))


def test_calibration_readings_contrast():
    said = [
        describe_calibration(reliability(0.9, 0.9, 5000)),
        describe_calibration(reliability(0.9, 0.7, 5000)),
        describe_calibration(reliability(0.7, 0.9, 5000)),
        describe_calibration(reliability(0.9, 0.7, 40)),
    ]
    assert [text.split(":")[0].split(" (")[0] for text in said] == [
        "Confidence can be taken at its word",
        "Too sure",
        "Not sure enough",
        "Only 40 samples",
    ]


def test_a_few_bins_off_the_diagonal_are_put_down_to_chance():
    assert [chance_limit(bins) for bins in (1, 8, 15)] == [0, 2, 2]


def test_standing_readings_contrast():
    better, worse, none = metric(0.9, 0.5, 0.87, 0.93), metric(0.4, 0.6, 0.36, 0.44), metric(0.9, None, 0.87, 0.93)
    said = [
        describe_standings(case) for case in ((better, better), (better, worse), (worse, worse), (none,), (better,))
    ]
    assert said == [
        "All 2 metrics with a baseline beat it.",
        "1 of 2 metrics with a baseline beat it; not beyond doubt: Accuracy.",
        "None of 2 metrics with a baseline beats it beyond doubt.",
        "No metric has a simple baseline to stand against.",
        "The one with a baseline beats it.",
    ]


def test_confidence_readings_contrast():
    edges = np.linspace(0, 1, 11)
    none, low, high = np.zeros(10, int), np.eye(10, dtype=int)[3] * 5, np.eye(10, dtype=int)[9] * 5
    said = {
        describe_confidence(ConfidenceHistogram(edges, high, none, none)),
        describe_confidence(ConfidenceHistogram(edges, high, low, none)),
        describe_confidence(ConfidenceHistogram(edges, high, high, none)),
        describe_confidence(ConfidenceHistogram(edges, none, none, high)),
        describe_confidence(ConfidenceHistogram(edges, none, none, none)),
    }
    assert len(said) == 5


def test_other_readings_contrast():
    rng = np.random.default_rng(0)
    said = np.linspace(0, 10, 300)
    grow, level = said + rng.normal(0, 1, 300) * said, said + rng.normal(0, 1, 300)
    pairs = [
        (describe_residuals(said, grow), describe_residuals(said, level)),
        (describe_horizon(np.arange(1.0, 10)), describe_horizon(np.ones(9))),
        (describe_errors(np.array([-3, -2, -1, 0, 1, 2, 3.0])), describe_errors(np.array([0, 1, 2, 3, 4, 5, 6.0]))),
        (describe_places(MistakePlaces(100, 95, 5)), describe_places(MistakePlaces(100, 10, 90))),
        (describe_map(np.ones((10, 10))), describe_map(np.eye(10))),
        (describe_spread(np.array([1, 1, 1, 1, 1.2])), describe_spread(np.array([1, 1, 1, 1, 50.0]))),
        (
            describe_thresholds(ThresholdChoice(0.5, "", 0.8), ThresholdChoice(0.4, "", 0.801)),
            describe_thresholds(ThresholdChoice(0.5, "", 0.5), ThresholdChoice(0.1, "", 0.8)),
        ),
        (
            describe_scores(np.array([[5, 0, 0], [0, 5, 0]])),
            describe_scores(np.array([[5, 5, 0], [5, 5, 0]])),
        ),
    ]
    for one, other in pairs:
        assert one.split(":")[0] != other.split(":")[0], one


def test_sequence_readings_contrast():
    n = np.full(9, 1000)

    def steps(right):
        return ByStep(n, right, right / n, right / n, right / n)

    up, down, level = np.linspace(500, 900, 9), np.linspace(900, 500, 9), np.full(9, 700.0)
    said = [describe_steps(steps(right)) for right in (up, down, level)]
    assert ["better" in said[0], "worse" in said[1], "about as good" in said[2]] == [True] * 3
    ends = np.array([1, 8]), np.array([7, 15]), np.array([5, 5]), np.array([20, 50])
    said = [describe_lengths(ByLength(*ends, np.array(pair))) for pair in ((0.9, 0.5), (0.5, 0.9), (0.7, 0.7))]
    assert ["worse" in said[0], "better" in said[1], "little difference" in said[2]] == [True] * 3


# ---- sample tables


def test_sample_tables_hold_every_record_exactly():
    artifacts = make_artifacts()
    table = sample_tables(artifacts)[0]
    records = artifacts.worker.outputs[0].records
    assert np.array_equal(table.keys.to_numpy(), records.keys)
    assert np.array_equal(table.truth.to_numpy(), records.truth)
    assert table.truth.dtype == "|u1"
    assert np.array_equal(table.loss.to_numpy(), records.loss)
    assert table.n_total == 200


def test_sample_tables_without_labels_have_no_truth_and_no_loss():
    table = sample_tables(make_artifacts(labels=False))[0]
    assert (table.truth.length, table.loss.length) == (0, 0)
    assert table.prediction.length == 200


def test_sample_tables_leave_ids_out_when_private():
    artifacts = make_artifacts()
    records = dataclasses.replace(artifacts.worker.outputs[0].records, ids=tuple(f"p{i}" for i in range(200)))
    output = dataclasses.replace(artifacts.worker.outputs[0], records=records)
    artifacts = dataclasses.replace(artifacts, worker=dataclasses.replace(artifacts.worker, outputs=(output,)))
    assert sample_tables(artifacts)[0].ids[3] == "p3"
    assert sample_tables(dataclasses.replace(artifacts, privacy="none"))[0].ids == ()


def test_sample_tables_keep_regression_values_exactly():
    artifacts = make_artifacts("regression", classes=1)
    table = sample_tables(artifacts)[0]
    assert np.array_equal(table.truth.to_numpy(), artifacts.worker.outputs[0].records.truth)


def test_metric_table_marks_what_does_not_beat_its_baseline():
    truth = np.array([0] * 90 + [1] * 10)
    said = np.tile(np.array([[0.2, 0.8]], np.float32), (100, 1))
    section, _ = build(classes=2, arrays=(truth, said))
    table = by_id(section, "metrics")
    marked = {table.rows[mark.row][0]: mark.level for mark in table.marks}
    assert marked["Accuracy"] == "error"
    assert isinstance(table, Table)


def test_evidence_that_is_opened_when_wanted_is_folded_for_one_output():
    folds = {
        task: {block.title for block in build(task, classes=TASKS[task], n=200)[0].blocks if isinstance(block, Fold)}
        for task in ("binary", "multiclass", "multilabel", "regression")
    }
    assert folds == {
        "binary": {"Thresholds in numbers, gain and lift", "Confidence, and calibration in numbers"},
        "multiclass": {"ROC of each class against the rest", "Calibration in numbers"},
        "multilabel": {"Precision and recall, label by label"},
        "regression": {"How errors are spread"},
    }


def test_gain_and_lift_are_read_off_the_scores():
    section, _ = build("binary", classes=2, n=400)
    gain, lift = by_id(section, "gain"), by_id(section, "lift")
    curve = gain.series[0].y.to_numpy()
    assert curve[0] == 0 and curve[-1] == 1 and (np.diff(curve) >= 0).all()
    assert "best-scored 10%" in gain.reading and lift.rows[0][1] >= 10
    for share, _, _, held, _, times in lift.rows:
        assert times == pytest.approx(held / share)
        assert curve[round(share * 100)] == pytest.approx(held, abs=1e-9)


def test_the_worst_ranked_classes_and_labels_are_drawn_and_named():
    section, _ = build("multiclass", classes=5, n=300)
    roc, table = by_id(section, "roc"), by_id(section, "classes")
    areas = {row[0]: row[-1] for row in table.rows}
    worst = sorted(areas, key=areas.get)
    assert [one.name.split(" (area")[0] for one in roc.series] == worst[:3]
    assert all((np.diff(one.y.to_numpy()) >= 0).all() and one.y.to_numpy()[-1] == 1 for one in roc.series)
    assert worst[0] in roc.reading and worst[-1] in roc.reading
    section, _ = build("multilabel", classes=4, n=300)
    lowest = min(by_id(section, "labels").rows, key=lambda row: row[4])[0]
    assert by_id(section, "precision-recall").series[0].name.startswith(lowest)


def test_the_tails_of_errors_are_told_in_words():
    section, _ = build("regression", classes=1, n=300)
    chart = by_id(section, "normal-1")
    x, y = (getattr(chart.series[0], axis).to_numpy() for axis in "xy")
    assert len(x) == 199 and np.corrcoef(x, y)[0, 1] > 0.9 and chart.diagonal
    said = {
        describe_normality(NormalQuantiles(500, x, x, low, high)).split(":")[0].split(",")[0]
        for low, high in ((-2.3, 2.3), (-3.5, 3.5), (-2.0, 3.5), (-3.5, 2.0), (-1.7, 1.7))
    }
    assert len(said) == 5
    assert "too few" in describe_normality(NormalQuantiles(20, x, x, -2, 2))


def test_named_feature_values_are_content_of_a_sample():
    card = SampleCard("8000000000000005", "patient-056", "52", "212.1", "unknown", details=(("error", "160.1"),))
    assert not shows_content(card)
    assert shows_content(dataclasses.replace(card, details=(*card.details, ("age", "37")), features=1))
    section, _ = build("regression", inputs="table", privacy="show")
    assert {card.features > 0 for card in gallery(section).samples} == {True}
