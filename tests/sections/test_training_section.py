"""The training section: readings that differ where the curves do, charts, marks, numbers, what was not recorded."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from reportgen.analysis.curves import analyse
from reportgen.analysis.evidence import Array, Artifacts, Curve, History, Problem
from reportgen.report.blocks import Block, Card, Chart, Facts, Table, Text
from reportgen.report.types import Section
from reportgen.report.values import Missing
from reportgen.sections import training
from reportgen.sections.context import Context
from reportgen.sections.readings import is_noisy, read_learning_rate, read_pair

E = np.arange(1, 31, dtype=np.float64)
FALL = 0.2 + 2 * np.exp(-E / 4)
RNG = np.random.default_rng(0)


def no_pictures(*_: Any) -> Any:
    raise AssertionError("the training section draws no picture")


def history(curves: dict[str, Array], **facts: Any) -> History:
    return History(
        "history.csv",
        tuple(Curve(n, np.arange(1, len(y) + 1), np.asarray(y, np.float64)) for n, y in curves.items()),
        **facts,
    )


def build(read: History | None, **facts: Any) -> Section:
    return training.build(Artifacts("t", read, None, **facts), Context(no_pictures))


def of_kind(section: Section, kind: type[Any]) -> list[Any]:
    return [block for block in section.blocks if isinstance(block, kind)]


def reading(curves: dict[str, Array], name: str = "loss") -> str:
    facts = analyse(history(curves))
    pair = facts.pair(name)
    assert pair is not None
    judged = curves.get(f"val_{name}", curves.get(name))
    assert judged is not None
    return read_pair(pair, facts.epochs, noisy=is_noisy(judged))


CASES: dict[str, tuple[dict[str, Array], str]] = {
    "converged": ({"loss": FALL, "val_loss": 0.3 + 2 * np.exp(-E)}, "was steady"),
    "nearly converged": ({"loss": FALL, "val_loss": FALL + 0.05}, "improved only a little"),
    "still improving": ({"loss": 3 - 0.09 * E, "val_loss": 3.1 - 0.09 * E}, "still improving"),
    "flat from the start": ({"loss": np.full(30, 2.3), "val_loss": np.full(30, 2.4)}, "changed nothing"),
    "overfitted": (
        {"loss": 2 * np.exp(-E / 8), "val_loss": 0.5 + 1.5 * np.exp(-E / 3) + 0.03 * np.maximum(E - 10, 0)},
        "overfitted",
    ),
    "both get worse": ({"loss": 0.1 * E, "val_loss": 0.11 * E}, "getting worse"),
    "breaks off": ({"loss": np.where(E > 20, np.nan, FALL), "val_loss": np.where(E > 20, np.nan, FALL)}, "breaks off"),
    "one NaN at the end": ({"loss": np.where(E > 29, np.nan, FALL)}, "the last value is not"),
    "never a number": ({"loss": np.full(30, np.nan)}, "nothing to read"),
    "a gap": ({"loss": np.where(E == 9, np.nan, FALL), "val_loss": FALL + 0.05}, "1 value is not a finite number"),
    "noisy": ({"loss": FALL, "val_loss": 1 + RNG.normal(0, 0.5, 30)}, "jumps"),
    "one epoch": ({"loss": np.array([0.7]), "val_loss": np.array([0.8])}, "only one epoch"),
    "three epochs": ({"loss": np.array([0.7, 0.6, 0.5]), "val_loss": np.array([0.8, 0.7, 0.6])}, "too few epochs"),
    "training only": ({"loss": FALL}, "nothing about new data"),
    "validation only": ({"val_loss": FALL}, "no training curve"),
    "unknown direction": ({"loss": FALL, "gizmo": np.full(30, 1.0)}, "which way is better is not known"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_reading_says_what_matters_in_one_sentence(name: str) -> None:
    curves, words = CASES[name]
    text = reading(curves, "gizmo" if "gizmo" in curves else "loss")
    assert words.lower() in text.lower()
    assert text.endswith(".") and not text[0].islower() and "nan" not in text.split() and len(text) < 300


def test_no_two_curves_read_the_same() -> None:
    texts = {n: reading(c, "gizmo" if "gizmo" in c else "loss") for n, (c, _) in CASES.items()}
    plain = {n: "".join(ch for ch in text if not ch.isdigit()) for n, text in texts.items()}
    for a, b in itertools.combinations(plain, 2):
        assert plain[a] != plain[b], (a, b)


def test_a_score_that_falls_is_read_as_getting_worse_and_one_that_rises_as_improving() -> None:
    up, down = E / 40, 1 - E / 40
    assert "still improving" in reading({"accuracy": up, "val_accuracy": up}, "accuracy")
    assert "getting worse" in reading({"accuracy": down, "val_accuracy": down}, "accuracy")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full(9, 1e-3), "stayed at 0.001"),
        (1e-2 * 0.5 ** np.arange(9), "came down from 0.01"),
        (np.linspace(1e-4, 1e-3, 9), "went up"),
        (
            np.concatenate([np.linspace(1e-4, 1e-2, 5), np.linspace(1e-2, 1e-5, 9)]),
            "rose from 0.0001 to 0.01 at epoch 5",
        ),
        (np.array([1e-3]), "only epoch"),
        (np.full(3, np.nan), "no value of it is a finite number"),
    ],
)
def test_learning_rate_readings(values: Array, words: str) -> None:
    assert words in read_learning_rate(analyse(history({"learning_rate": values})).learning_rates[0])


def test_noise_is_not_seen_in_a_smooth_or_constant_curve() -> None:
    assert not is_noisy(FALL) and not is_noisy(np.full(30, 2.0)) and not is_noisy(np.array([1.0, 5.0, 1.0]))
    assert is_noisy(1 + RNG.normal(0, 1, 50))


def test_each_metric_has_one_chart_with_training_dashed_and_validation_solid() -> None:
    section = build(history({"loss": FALL, "val_loss": FALL + 0.1, "accuracy": E / 40, "val_accuracy": E / 41}))
    charts = of_kind(section, Chart)
    assert [chart.id for chart in charts] == ["curve-loss", "curve-accuracy"]
    assert [(s.id, s.role) for s in charts[0].series] == [("loss", "train"), ("val_loss", "validation")]
    assert np.array_equal(charts[0].series[1].y.to_numpy(), FALL + 0.1)
    assert charts[0].x.label == "epoch" and charts[0].x.integer and charts[0].y.label == "loss"
    assert all(chart.reading and chart.title for chart in charts)


def test_best_last_and_restored_epochs_are_marked_and_merged_where_they_coincide() -> None:
    curves = {"loss": FALL, "val_loss": np.abs(E - 12) + 1}
    (chart,) = of_kind(build(history(curves, restored_epoch=12)), Chart)
    assert [(m.label, m.x) for m in chart.marks] == [("best and restored: epoch 12", 12.0), ("last: epoch 30", 30.0)]


def test_seams_of_a_resumed_run_are_marked() -> None:
    (chart,) = of_kind(build(history({"loss": FALL}, seams=(11, 21))), Chart)
    assert [m.x for m in chart.marks if m.label == "resumed"] == [11.0, 21.0]


def test_a_restored_epoch_that_is_not_recorded_is_said_to_be_so() -> None:
    def restored(read: History) -> Any:
        (facts,) = of_kind(build(read), Facts)
        return next(item.value for item in facts.items if item.label == "Weights restored from epoch")

    assert restored(history({"loss": FALL})) == "not recorded"
    assert restored(history({"loss": FALL}, restored_epoch=7)) == 7


def test_the_gap_is_stated_at_the_best_and_at_the_last_epoch() -> None:
    section = build(history({"loss": FALL, "val_loss": FALL + 0.25}))
    (facts,) = of_kind(section, Facts)
    gap = next(item.value for item in facts.items if item.label == "Generalisation gap")
    assert gap == "0.25 worse at the best epoch, 0.25 worse at the end (loss)"
    (table,) = of_kind(section, Table)
    row = next(row for row in table.rows if row[1] == "validation")
    assert row[-2:] == pytest.approx((0.25, 0.25))


def test_the_table_gives_first_last_lowest_and_highest_with_their_epochs() -> None:
    (table,) = of_kind(build(history({"loss": np.array([3.0, 1.0, 5.0, 2.0])})), Table)
    assert table.rows[0][:10] == ("loss", "training", 3.0, 2.0, 1.0, 2, 5.0, 3, 4, 0)
    assert len(table.rows[0]) == len(table.columns)


def test_values_that_are_not_finite_are_counted_and_marked() -> None:
    section = build(history({"loss": np.array([np.nan, 1.0, np.inf, 2.0])}))
    (table,) = of_kind(section, Table)
    assert table.rows[0][9] == 2 and "1 NaN, 1 infinite" in table.marks[0].text
    assert any("1 NaN and 1 infinite" in block.text for block in of_kind(section, Text))


def test_a_curve_without_any_number_has_reasons_instead() -> None:
    (table,) = of_kind(build(history({"loss": np.full(3, np.nan)})), Table)
    assert all(isinstance(cell, Missing) for cell in table.rows[0][2:8])


def test_one_epoch_is_a_marker_with_room_around_it() -> None:
    (chart,) = of_kind(build(history({"loss": np.array([0.5])})), Chart)
    assert chart.series[0].shape == "points" and (chart.x.low, chart.x.high) == (0.0, 2.0)


def test_long_histories_are_thinned_for_display_and_say_so_while_the_report_keeps_more() -> None:
    values = np.random.default_rng(0).normal(0, 1, 20_000)
    read = history({"loss": values})
    (chart,) = of_kind(build(read), Chart)
    drawn = chart.series[0].y.to_numpy()
    assert drawn.size <= 1_000 and drawn.min() == values.min() and drawn.max() == values.max()
    assert "20,000" in chart.note
    (series,) = training.history_series(read)
    assert series.thinned and series.points == 20_000 and series.values.length <= 5_000


def test_history_series_are_exact_up_to_five_thousand_points() -> None:
    values = np.random.default_rng(0).normal(0, 1, 5_000)
    values[17] = np.nan
    (series,) = training.history_series(history({"loss": values}))
    assert not series.thinned and series.points == 5_000
    assert np.array_equal(series.values.to_numpy(), values, equal_nan=True)
    assert np.array_equal(series.epochs.to_numpy(), np.arange(1, 5_001))
    assert training.history_series(None) == ()


def test_log_scales_where_decades_are_spanned_and_only_there() -> None:
    rates = {"loss": 10.0 ** -np.linspace(0, 4, 20), "learning_rate": 10.0 ** -np.linspace(2, 5, 20)}
    loss, rate = of_kind(build(history(rates)), Chart)
    assert (loss.y.scale, rate.y.scale) == ("log", "log")
    (signed,) = of_kind(build(history({"loss": np.array([-1.0, 100.0, 1e5])})), Chart)
    assert signed.y.scale == "linear"


def test_metrics_that_slug_to_one_id_get_different_ones() -> None:
    charts = of_kind(build(history({"a b": FALL, "a-b": FALL, "<script>": FALL, "漢字": FALL, "é": FALL})), Chart)
    ids = [chart.id for chart in charts]
    assert len(set(ids)) == len(ids) == 5


def test_many_metrics_are_drawn_in_part_and_tabled_in_full() -> None:
    section = build(history({f"metric_{i}": FALL for i in range(40)}))
    assert len(of_kind(section, Chart)) == 12 and len(of_kind(section, Table)[0].rows) == 40
    assert any("12 of 40 metrics" in block.text for block in of_kind(section, Text))


def test_notes_and_short_curves_are_passed_on() -> None:
    section = build(history({"loss": FALL, "val_loss": FALL[:9]}, notes=("Line 7 was skipped.",)))
    texts = [block.text for block in of_kind(section, Text)]
    assert "Line 7 was skipped." in texts and "Shorter than the others: val_loss." in texts


@pytest.mark.parametrize("value", [1e308, -1e308, 5e-324, 0.0])
def test_extreme_values_build(value: float) -> None:
    with np.errstate(all="raise", under="ignore"):
        section = build(history({"loss": np.array([value, 1.0, -value] * 5), "val_loss": np.full(15, value)}))
    assert section.state == "shown" and of_kind(section, Chart)


def test_no_history_no_epoch_and_an_unreadable_one_say_so() -> None:
    cards: list[Block] = [build(None).blocks[0], build(history({"loss": np.empty(0)})).blocks[0]]
    broken = build(None, problems=(Problem("history", "history.csv:3: not a number", "Fix line 3."),))
    assert [card.title for card in cards if isinstance(card, Card)] == [
        "No training history",
        "The history holds no epoch",
    ]
    (card,) = of_kind(broken, Card)
    assert card.level == "error" and "history.csv:3" in card.text and card.fix == "Fix line 3."
    assert build(None).state == broken.state == "empty"
