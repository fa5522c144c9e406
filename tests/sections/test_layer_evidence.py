"""Gradients, saliency, repeated filters and fresh weights as the layers section shows and records them."""

import dataclasses
import math

import numpy as np
import pytest

from reportgen.analysis.evidence import FreshFacts, GradientFacts, LayerResponses, LossFacts, Saliency
from reportgen.report import coherence
from reportgen.report.blocks import Card, Chart, Fold, Gallery, Table, Text
from reportgen.sections import layers
from reportgen.sections.layer_answers import answer_blocks
from reportgen.sections.layer_gradients import describe_gradients, gradient_blocks, loss_text
from reportgen.sections.layer_maps import describe_scores
from reportgen.sections.layer_records import layer_records
from reportgen.sections.layer_saliency import important_words, judgement, saliency_blocks
from reportgen.sections.layer_weights import fresh_text, weight_table
from tests.evidence_builder import make_artifacts, make_context, make_weights


def gradients(*ratios: float, nan: int = 0) -> tuple[GradientFacts, ...]:
    """Return one row a ratio; the weights' norm is 2."""
    return tuple(GradientFacts(f"l{i}", i, 64, 2 * r, 9.0, 2.0, r, nan, 0, 16) for i, r in enumerate(ratios))


LOSS = LossFacts("probability", "sparse_categorical_crossentropy", "file", 64, 0.25, 0.5, 0.9, 0.8)


def with_evidence(artifacts, **parts):
    """Return artifacts whose worker found more."""
    return dataclasses.replace(artifacts, worker=dataclasses.replace(artifacts.worker, **parts))


def saliency(artifacts, *shape: int, informative: bool = True, words=()) -> Saliency:
    """Return maps of the first two kept samples."""
    kept, output = artifacts.worker.kept, artifacts.worker.outputs[0]
    values = np.random.default_rng(0).random((2, *shape)).astype(np.float32)
    return Saliency(
        next(iter(kept.inputs)), output.name, "integrated-gradients", tuple(int(p) for p in kept.positions[:2]), values,
        np.zeros(2), np.array([0.1, 0.9]), np.array([0.5, math.nan]), np.array([informative, False]), 32, "", words,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ((0.1, 0.2, 0.1, 0.15), "of the same order"),
        ((1e-6, 1e-5, 0.1, 0.2), "early layers get gradients"),
        ((0.5, 0.4, 1e-4, 1e-5), "late layers get gradients"),
        ((0.1, 0.0, 0.2), "no gradient at all, the first is l1"),
        ((0.1,), "Too few"),
    ],
)
def test_the_reading_says_how_gradients_run(ratios, said):
    assert said in describe_gradients(gradients(*ratios))


def test_broken_gradients_are_said_first_and_marked():
    rows = gradients(0.1, 0.2, nan=3)
    assert "NaN" in describe_gradients(rows)
    artifacts = with_evidence(make_artifacts(), gradients=rows, losses=(LOSS,))
    fold = next(block for block in gradient_blocks(artifacts.worker) if isinstance(block, Fold))
    assert {mark.level for mark in fold.blocks[0].marks} == {"error"}


def test_loss_is_named_with_its_source_and_both_modes():
    text = loss_text((LOSS,), "")
    assert "sparse categorical crossentropy (as saved with the model)" in text
    assert "0.25 (accuracy 90" in text and "0.5 (accuracy 80" in text and "64 labelled samples" in text
    alone = loss_text((dataclasses.replace(LOSS, training=math.nan, source="task"),), "not computed: too large")
    assert "the usual one" in alone and "too large" in alone


def test_gradients_enter_section_and_records():
    artifacts = make_artifacts()
    names = [layer.path for layer in artifacts.worker.layers if layer.parameters][:2]
    rows = tuple(dataclasses.replace(row, layer=n) for row, n in zip(gradients(0.1, 0.0), names, strict=True))
    artifacts = with_evidence(artifacts, gradients=rows, losses=(LOSS,))
    section = layers.build(artifacts, make_context()[0])
    coherence.check_section(section)
    chart = next(block for block in section.blocks if isinstance(block, Chart) and block.id == "layer-gradients")
    assert chart.y.scale == "log" and np.isnan(chart.series[0].y.to_numpy()[1])
    assert "exactly zero" in chart.note
    record = next(record for record in layer_records(artifacts) if record.name == names[0])
    assert record.numbers["gradient.ratio"] == 0.1 and record.numbers["gradient.norm"] == 0.2


def test_missing_evidence_says_why():
    artifacts = with_evidence(make_artifacts(), not_computed={"gradients": "it needs labels", "saliency": "no input"})
    found = [*gradient_blocks(artifacts.worker), *saliency_blocks(artifacts, make_context()[0])]
    assert [block.title for block in found if isinstance(block, Card)] == ["No gradients", "No saliency maps"]
    assert found[0].text == "It needs labels."


def test_maps_stand_beside_their_samples_and_poor_ones_are_marked():
    artifacts = make_artifacts()
    artifacts = with_evidence(artifacts, saliency=(saliency(artifacts, 8, 8),))
    context, drawn = make_context()
    gallery = saliency_blocks(artifacts, context)[0]
    assert isinstance(gallery, Gallery) and len(gallery.samples) == 2 and len(drawn.pictures) == 2
    assert "1 of 2 integrated-gradients maps is informative" in gallery.reading
    assert "10" in gallery.samples[0].details[0][1] and "not informative" in gallery.samples[1].details[0][1]
    good, poor = drawn.pictures[0][0], drawn.pictures[1][0]
    third = good.shape[1] // 2 + 4
    assert np.ptp(good[:, third:].astype(int), axis=-1).max() > 50  # in colour
    assert np.ptp(poor[:, third:].astype(int), axis=-1).max() == 0  # grey, with its diagonal
    assert (poor[:, third:, 0] == 40).any()


@pytest.mark.parametrize("privacy", ["ids", "none"])
def test_no_map_is_shown_where_samples_are_hidden(privacy):
    artifacts = make_artifacts(privacy=privacy)
    shown = dataclasses.replace(make_artifacts(), privacy=privacy)
    artifacts = with_evidence(shown, saliency=(saliency(shown, 8, 8),))
    assert saliency_blocks(artifacts, make_context()[0]) == ()


def test_words_of_a_text_are_named_with_their_share():
    artifacts = make_artifacts(inputs="text")
    words = (("good", "film", ""), ("a", "b", "c"))
    one = dataclasses.replace(saliency(artifacts, 3, words=words), values=np.array([[3, 1, 0], [0, 0, 0]], np.float32))
    gallery = saliency_blocks(with_evidence(artifacts, saliency=(one,)), make_context()[0])[0]
    assert "good 75" in gallery.samples[0].text and "film 25" in gallery.samples[0].text
    assert "not informative" in judgement(one, 1)
    assert gallery.rule.startswith("Under each text") and "by padding" in gallery.rule and "grey" not in gallery.rule


def test_words_are_taken_from_the_map_that_has_a_value_for_each():
    artifacts = make_artifacts(inputs="text")
    words = (("good", "film", ""), ("a", "b", "c"))
    fine = dataclasses.replace(saliency(artifacts, 3, words=words), values=np.array([[3, 1, 0], [0, 0, 0]], np.float32))
    pooled = dataclasses.replace(saliency(artifacts, 2, words=words), values=np.array([[1, 0], [0, 1]], np.float32))
    gallery = saliency_blocks(with_evidence(artifacts, saliency=(pooled, fine)), make_context()[0])[0]
    assert "good film" in gallery.samples[0].text and "film 25" in gallery.samples[0].text


def test_padding_after_the_last_token_is_no_word():
    artifacts = make_artifacts(inputs="text")
    one = dataclasses.replace(saliency(artifacts, 5), values=np.array([[1, 2, 1, 4, 9]] * 2, np.float32))
    text, top = important_words(artifacts, one, 0, np.array([7, 0, 5, 0, 0]))
    assert (text, top) == ("7 0 5", "0 50.0%, 7 25.0%, 5 25.0%")


def test_repeated_and_untouched_weights_are_marked():
    weight = next(w for w in make_weights() if len(w.shape) > 1)
    fresh = FreshFacts(True, True, 0.0, "spread as a fresh GlorotUniform")
    table = weight_table((dataclasses.replace(weight, filters=8, duplicates=3, fresh=fresh),))
    assert isinstance(table, Table) and {mark.text[:6] for mark in table.marks} == {"3 of 8", "spread"}
    assert table.rows[0][-2:] == (3, "yes")
    assert fresh_text(dataclasses.replace(weight, fresh=dataclasses.replace(fresh, certain=False))).startswith(
        "perhaps"
    )
    assert fresh_text(weight) == ""


def test_texts_of_the_section_are_words():
    artifacts = with_evidence(make_artifacts(), gradients=gradients(0.1, 0.2), losses=(LOSS,))
    texts = [b.text for b in layers.build(artifacts, make_context()[0]).blocks if isinstance(b, Text)]
    assert all(text and " nan" not in text for text in texts)


def test_units_stand_in_strips_by_class_and_channels_beside_their_samples():
    artifacts = make_artifacts()
    kept, output = artifacts.worker.kept, artifacts.worker.outputs[0]
    labels = kept.targets[output.name].reshape(len(kept.positions), -1)[:, 0].astype(int)
    positions = tuple(int(position) for position in kept.positions)
    units = np.eye(10, dtype=np.float32)[labels]
    answers = (
        LayerResponses("dense", "Dense", "units", positions, units, 10),
        LayerResponses("conv2", "Conv2D", "channels", positions, units * 3, 10),
    )
    artifacts = with_evidence(artifacts, responses=answers)
    context, drawn = make_context()
    strips, strongest = answer_blocks(artifacts, context)
    assert strips.tiles == len(set(labels.tolist())) and "explain 100% of the units" in strips.reading
    assert drawn.pictures[0][0].shape[0] == 3 * len(labels) + 2 * (strips.tiles - 1)
    assert strongest.tiles == 24 and "(3; its median is" in strongest.reading
    hidden = dataclasses.replace(artifacts, privacy="ids")
    assert answer_blocks(hidden, context) == ()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_units_that_are_not_numbers_are_marked_in_the_strips_and_lose_no_section(bad):
    artifacts = make_artifacts()
    kept, output = artifacts.worker.kept, artifacts.worker.outputs[0]
    labels = kept.targets[output.name].reshape(len(kept.positions), -1)[:, 0].astype(int)
    units = np.eye(10, dtype=np.float32)[labels]
    units[0, 0] = bad
    answers = (LayerResponses("dense", "Dense", "units", tuple(map(int, kept.positions)), units, 10),)
    context, drawn = make_context()
    answer_blocks(with_evidence(artifacts, responses=answers), context)
    pixels = drawn.pictures[0][0]
    assert pixels.ndim == 3 and len({tuple(colour) for colour in pixels[:, 0]} - {(v,) * 3 for v in range(256)}) >= 1


def test_attention_scores_say_how_sharply_heads_look():
    sharp, flat = np.eye(5)[:, :, None], np.full((5, 5, 1), 0.2)
    assert "1 to 5 of 5 positions" in describe_scores(np.concatenate([sharp, flat], axis=2))
    assert "The 1 head spreads over 5 of 5 positions" in describe_scores(flat)


def test_the_part_of_an_output_that_is_explained_is_said():
    artifacts = make_artifacts(task="segmentation")
    one = dataclasses.replace(
        saliency(artifacts, 8, 8), targets=np.array([2.0, 0.0]), explained=("12 of 64 positions", "64 of 64 positions")
    )
    gallery = saliency_blocks(with_evidence(artifacts, saliency=(one,)), make_context()[0])[0]
    assert gallery.samples[0].prediction.endswith(" (12 of 64 positions)")
    assert "largest class but the first" in gallery.rule and gallery.samples[0].truth == ""


def test_of_a_volume_the_slice_that_is_shown_is_painted():
    artifacts = make_artifacts()
    kept = artifacts.worker.kept
    name, n = next(iter(kept.inputs)), len(kept.positions)
    kept = dataclasses.replace(kept, inputs={name: np.random.default_rng(1).random((n, 5, 8, 8, 1), np.float32)})
    artifacts = with_evidence(artifacts, kept=kept)
    values = np.zeros((2, 5, 8, 8), np.float32)
    values[:, 2] = np.eye(8)
    one = dataclasses.replace(saliency(artifacts, 5, 8, 8), values=values)
    context, drawn = make_context()
    gallery = saliency_blocks(with_evidence(artifacts, saliency=(one,)), context)[0]
    assert "middle slice" in gallery.rule
    assert drawn.pictures[0][0][:, -32:].max() > 240  # bright on the diagonal of the middle slice
