"""The layers section: statistics, charts over depth, montages, kernels, weights, and what privacy takes away."""

import dataclasses
import math

import numpy as np
import pytest

from reportgen.analysis.evidence import Kernels, LayerMaps, Problem
from reportgen.report import coherence
from reportgen.report.blocks import Card, Chart, Fold, Montage, Table, Text
from reportgen.sections import layers
from reportgen.sections.layer_depth import depth_charts, describe_spread
from reportgen.sections.layer_maps import describe_kernels, describe_map, montage_blocks
from reportgen.sections.layer_records import layer_anchors, layer_records
from reportgen.sections.layer_statistics import activation_table, describe_activations, measured_text
from reportgen.sections.layer_weights import describe_weights, weight_table
from tests.evidence_builder import make_activations, make_artifacts, make_context, make_weights, make_worker


def flat(blocks):
    return [inner for block in blocks for inner in (block.blocks if isinstance(block, Fold) else (block,))]


def of_type(section, kind):
    return [block for block in flat(section.blocks) if isinstance(block, kind)]


def build(**knobs):
    context, drawn = make_context()
    section = layers.build(make_artifacts(**knobs), context)
    coherence.check_section(section)
    return section, drawn


def with_std(*spreads):
    base = make_activations()[0]
    return tuple(dataclasses.replace(base, layer=f"l{i}", std=std) for i, std in enumerate(spreads))


def test_section_shows_statistics_maps_kernels_and_weights():
    section, drawn = build()
    assert section.state == "shown"
    assert {table.id for table in of_type(section, Table)} == {"layer-statistics", "layer-weights"}
    assert [m.layer for m in of_type(section, Montage)] == ["conv1", "conv2", "dense"] * 2 + ["conv1"]
    assert len(drawn.pictures) == 7
    ids = [block.id for block in flat(section.blocks) if hasattr(block, "id")]
    assert len(ids) == len(set(ids))


def test_lost_worker_says_why_there_is_nothing():
    section, _ = build(worker=False)
    assert section.state == "empty"
    assert section.blocks[0].text == "The worker ran out of memory"


def test_missing_statistics_show_the_problem_and_keep_the_weights():
    problem = Problem("layers", "The statistics could not be compiled", "Set layers.statistics: off")
    section, _ = build(activations=(), maps=(), problems=(problem,))
    assert section.state == "shown"
    assert of_type(section, Card)[0].text == "The statistics could not be compiled"
    assert [table.id for table in of_type(section, Table)] == ["layer-weights"]


@pytest.mark.parametrize("privacy", ["ids", "none"])
def test_maps_are_left_out_where_samples_may_not_be_shown(privacy):
    section, drawn = build(privacy=privacy)
    assert all(not montage.sample for montage in of_type(section, Montage))
    assert len(drawn.pictures) == (1 if privacy == "ids" else 0)
    assert any("left out" in card.title for card in of_type(section, Card))


def test_blur_takes_the_detail_out_of_maps():
    _, sharp = build()
    _, blurred = build(privacy="blur")
    assert len(np.unique(blurred.pictures[0][0])) < len(np.unique(sharp.pictures[0][0])) / 4


def test_the_same_samples_are_shown_in_every_layer():
    section, _ = build()
    folds = [block for block in section.blocks if isinstance(block, Fold) and block.id.startswith("maps-")]
    assert len(folds) == 2
    for fold in folds:
        assert len({montage.sample for montage in fold.blocks}) == 1


def test_large_maps_stay_within_the_pixel_budget_and_say_so():
    big = LayerMaps("c", "Conv2D", (0, 1, 2, 3), np.random.default_rng(0).random((4, 112, 112, 64), np.float32), 64)
    worker = make_worker(maps=tuple(dataclasses.replace(big, layer=f"c{i}") for i in range(12)))
    artifacts = dataclasses.replace(make_artifacts(), worker=worker)
    context, drawn = make_context()
    blocks = montage_blocks(artifacts, context)
    assert sum(pixels.size for pixels, _, _ in drawn.pictures) < 450_000
    montage = flat(blocks)[1]
    assert (montage.tile_width, montage.tiles) == (40, 64)
    assert montage.shown < 64
    assert f"{montage.shown} of 64 channels" in montage.scaling
    assert "40 px" in flat(blocks)[0].text


@pytest.mark.parametrize(
    ("shape", "across_words"),
    [((2, 12, 5), "time left to right"), ((2, 700), "units left to right"), ((2, 4, 6, 6, 3), "middle slice")],
)
def test_maps_of_other_shapes_are_drawn_and_explained(shape, across_words):
    maps = (LayerMaps("x", "Layer", (0, 1), np.ones(shape, np.float32), shape[-1]),)
    section, _ = build(maps=maps, kernels=None)
    assert across_words in of_type(section, Montage)[0].scaling


def test_nan_in_a_map_is_painted_and_said():
    values = np.ones((1, 4, 4, 2), np.float32)
    values[0, 1, 1, 0] = np.nan
    section, drawn = build(maps=(LayerMaps("x", "Conv2D", (0,), values, 2),), kernels=None)
    assert drawn.pictures[0][0].shape[-1] == 3
    assert of_type(section, Montage)[0].reading.startswith("1 of 32 values (3.1%) are NaN")


def test_map_reading_tells_silent_channels_from_active_ones():
    values = np.ones((3, 3, 4))
    assert describe_map(values, 4).startswith("All 4 channels respond")
    values[..., :2] = 0
    assert describe_map(values, 4).startswith("2 of 4 channels are silent")
    assert describe_map(np.zeros((3, 3, 4)), 9).startswith("All 4 of 9 channels looked at are silent")


def test_kernel_reading_finds_empty_and_repeated_filters():
    rng = np.random.default_rng(0)
    fine = rng.normal(0, 1, (3, 3, 1, 4)).astype(np.float32)
    assert "none empty or repeated" in describe_kernels(Kernels("c", fine))
    twin = fine.copy()
    twin[..., 1] = 2 * twin[..., 0]
    assert describe_kernels(Kernels("c", twin)).startswith("1 of 4 filters repeats")
    empty = fine.copy()
    empty[..., 2] = 0
    assert describe_kernels(Kernels("c", empty)).startswith("1 of 4 filters is all zero")
    empty[0, 0, 0, 0] = np.inf
    assert describe_kernels(Kernels("c", empty)) == "Some kernel values are NaN or infinite."


def test_statistics_table_marks_dead_units_and_nan():
    worker = make_worker(dead={"conv2": 8}, nan_activations="dense")
    table = activation_table(worker)
    marked = {(table.rows[mark.row][0], table.columns[mark.column].title): mark for mark in table.marks}
    assert marked[("conv2", "Dead")].text == "8 of 16 units (50.0%) never active on 200 samples"
    assert marked[("dense", "NaN")].level == "error"
    assert ("conv1", "Dead") not in marked
    assert all(column.help for column in table.columns)
    assert [row[-1] for row in table.rows[:2]] == ["in full", "every 16th"]


def test_layers_that_pass_units_on_do_not_count_their_dead_ones_again():
    worker = make_worker(dead={"conv2": 4, "flatten": 64})
    marks = activation_table(worker).marks
    assert [activation_table(worker).rows[mark.row][0] for mark in marks] == ["conv2"]
    assert activation_table(worker).rows[3][9] == 64
    context, _ = make_context()
    section = layers.build(dataclasses.replace(make_artifacts(), worker=worker), context)
    assert section.summary.startswith("1 layer has dead units; most in conv2")


def test_spread_far_from_the_others_is_marked():
    worker = make_worker(activations=with_std(1.0, 1.1, 0.9, 1.05, 0.95, 1e-6))
    marks = activation_table(worker).marks
    assert [(mark.row, mark.text) for mark in marks] == [(5, "far from the spread of the other layers")]


READINGS = {
    "clean": make_activations(),
    "dead": make_activations({"conv1": 4}),
    "nan": make_activations(nan_in="conv2"),
    "constant": with_std(0.5, 0.0),
    "saturated": tuple(dataclasses.replace(row, saturated=0.9) for row in make_activations()),
    "none": (),
}


def test_no_two_states_of_the_layers_read_the_same():
    said = {name: describe_activations(facts) for name, facts in READINGS.items()}
    assert len(set(said.values())) == len(said)
    assert "4 of 8 units (50.0%)" in said["dead"]
    assert "NaN or infinite" in said["nan"] and "conv2" in said["nan"]
    assert "one and the same value" in said["constant"]
    assert "90.0%" in said["saturated"]


@pytest.mark.parametrize(
    ("spreads", "word"),
    [
        ((1, 1, 1, 1), "level"),
        ((1, 0.5, 0.4, 0.3), "falls"),
        ((0.3, 0.4, 0.5, 1), "rises"),
        ((1, 0.1, 0.01, 0.001, 1), "fades"),
        ((0.001, 0.01, 0.1, 1, 1), "grows"),
        ((0, math.nan, 0), "Too few"),
    ],
)
def test_spread_reading_follows_the_trend_over_hidden_layers(spreads, word):
    assert word in describe_spread(with_std(*(float(s) for s in spreads)))


def test_spread_chart_leaves_zeros_out_of_the_log_scale_and_names_them():
    worker = make_worker(activations=with_std(1.0, 0.0, 2.0), weights=())
    chart = depth_charts(worker)[0]
    assert isinstance(chart, Chart) and chart.y.scale == "log"
    assert np.isnan(chart.series[0].y.to_numpy()[1])
    assert "l1" in chart.note


def test_dead_chart_appears_only_when_a_unit_is_dead():
    assert isinstance(depth_charts(make_worker())[1], Text)
    chart = depth_charts(make_worker(dead={"conv1": 2}))[1]
    assert chart.series[0].y.to_numpy()[0] == 0.25
    assert "2 of 8 units (25.0%) dead" in chart.reading


def test_measured_text_names_both_tiers_and_n():
    said = measured_text(make_activations(n=64))
    assert "64 samples" in said and "3 layers" in said and "2 other layers on every 16th position" in said
    full = tuple(dataclasses.replace(row, stride=1, tier="full") for row in make_activations(n=64))
    assert measured_text(full) == "The numbers of 5 layers stand on every output value of 64 samples."


def test_weight_table_keeps_broken_rows_past_its_limit(monkeypatch):
    monkeypatch.setattr("reportgen.sections.layer_weights.MOST_WEIGHT_ROWS", 1)
    table = weight_table(make_weights(nan_in="dense"))
    assert [row[0] for row in table.rows] == ["conv1", "dense"]
    assert table.marks[0].row == 1
    assert table.note.startswith("4 more variables")


def test_weight_readings_contrast():
    fine, broken = describe_weights(make_weights()), describe_weights(make_weights("conv1"))
    sparse = describe_weights(tuple(dataclasses.replace(w, zeros=w.size) for w in make_weights()))
    assert "are finite; the largest" in fine
    assert broken == "1 variable holds NaN or infinite values: conv1 kernel."
    assert "mostly zeros (100%)" in sparse
    assert describe_weights(()) == "The model has no weights."


def test_layer_records_hold_every_number_by_a_stable_name():
    records = {record.name: record for record in layer_records(make_artifacts(dead={"conv1": 3}))}
    numbers = records["conv1"].numbers
    assert numbers["activation.dead"] == 3
    assert numbers["weights.kernel.norm"] == pytest.approx(0.1 * 72**0.5)
    assert numbers["macs"] == 4608
    assert "activation.saturated" not in numbers
    assert not any(name.startswith("weights.") for name in records["flatten"].numbers)


def test_layer_records_from_the_graph_alone_and_without_worker():
    worker = make_worker(layers=(), weights=(), activations=())
    artifacts = dataclasses.replace(make_artifacts(), worker=worker)
    assert [record.numbers for record in layer_records(artifacts)][1] == {"parameters": 80}
    assert layer_records(make_artifacts(worker=False)) == ()


def test_layer_anchors_use_paths_and_only_unique_names():
    worker = make_worker()
    twins = tuple(
        dataclasses.replace(layer, name="same", path=f"block{i}/same") for i, layer in enumerate(worker.layers)
    )
    anchors = layer_anchors(dataclasses.replace(worker, layers=twins))
    assert anchors["block2/same"] == "layer-2"
    assert "same" not in anchors
