"""Checks on gradients, fresh weights, repeated filters and batch statistics: both sides of every boundary."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reportgen.analysis.evidence import Artifacts, Curve, FreshFacts, GradientFacts, History, LossFacts, WeightFacts
from reportgen.checks import run_checks
from reportgen.checks.depth_trend import compute_trend, relative
from reportgen.report.types import Finding
from tests.evidence_builder import make_artifacts

POOR = {"quality": 0.0, "history": None}  # predictions at random, and no curve that says it learned


def finding(code: str, artifacts: Artifacts) -> Finding:
    return next(f for f in run_checks(artifacts, {}) if f.code == code)


def having(artifacts: Artifacts, **facts: Any) -> Artifacts:
    assert artifacts.worker is not None
    return replace(artifacts, worker=replace(artifacts.worker, **facts))


def gradients(*sizes: float, weight: float = 1.0, nan_in: int = -1, mean: float | None = None) -> tuple[Any, ...]:
    """Return one row a layer, from the input on, with these gradients of single samples."""
    return tuple(
        GradientFacts(f"l{i}", i, 64, size if mean is None else mean, size, weight, size / weight, 7 * (i == nan_in), 0)
        for i, size in enumerate(sizes)
    )


def loss(**numbers: Any) -> LossFacts:
    known = {"inference": 0.2, "training": 0.2, "accuracy": 0.9, "training_accuracy": 0.9, **numbers}
    return LossFacts("output", "sparse_categorical_crossentropy", "file", known.pop("samples", 64), **known)


# vanishing-gradient


def test_vanishing_fires_when_the_gradient_falls_a_thousandfold_layer_by_layer() -> None:
    found = finding(
        "vanishing-gradient", having(make_artifacts(), gradients=gradients(*(10.0**-k for k in range(6, 0, -1))))
    )
    assert found.outcome == "warned" and found.layers[0] == "l0" and "l5" not in found.layers
    assert found.evidence[0].n == 64 and found.evidence[0].anchor


@pytest.mark.parametrize(("first", "outcome"), [(0.01, "warned"), (0.08, "passed")])
def test_vanishing_holds_its_threshold_from_both_sides(first: float, outcome: str) -> None:
    rising = gradients(*(first ** ((5 - k) / 5) for k in range(6)))
    assert finding("vanishing-gradient", having(make_artifacts(), gradients=rising)).outcome == outcome


def test_vanishing_finds_the_weakest_layers_when_the_first_one_gets_more_again() -> None:
    bent = having(make_artifacts(), gradients=gradients(0.06, 0.03, 0.014, 0.009, 0.015, 0.1, 0.7))
    found = finding("vanishing-gradient", bent)
    assert found.outcome == "warned" and "the layers in between (from l3)" in found.text
    assert compute_trend(bent).ratio > 0.05 > compute_trend(bent, weakest=True).ratio
    end = gradients(1.0, 0.5, 2.0, 0.4, 1.0, 1e-9)  # the last layers alone are no fall over depth
    assert finding("vanishing-gradient", having(make_artifacts(), gradients=end)).outcome == "passed"


def test_layers_that_get_no_gradient_at_all_are_a_fall_too() -> None:
    dead = gradients(0, 0, 0, 0, 0, 0, 0, 0.06, 1.6)
    found = finding("vanishing-gradient", having(make_artifacts(), gradients=dead))
    assert found.outcome == "warned" and len(found.layers) == 8


def test_small_gradients_everywhere_are_a_converged_model_not_a_vanishing_gradient() -> None:
    converged = gradients(1e-7, 2e-7, 1e-7, 3e-7, 2e-7, 1e-7)
    assert finding("vanishing-gradient", having(make_artifacts(), gradients=converged)).outcome == "passed"


def test_gradients_are_judged_relative_to_the_weights_that_they_move() -> None:
    rows = gradients(1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    scaled = tuple(replace(row, weight_norm=10 * row.sample_norm) for row in rows)
    assert finding("vanishing-gradient", having(make_artifacts(), gradients=scaled)).outcome == "passed"


def test_one_small_layer_without_a_trend_over_depth_does_not_fire() -> None:
    odd = gradients(1e-9, 1.0, 0.5, 2.0, 0.4, 1.0, 0.3, 0.9, 0.2)
    assert compute_trend(having(make_artifacts(), gradients=odd)) is not None
    assert finding("vanishing-gradient", having(make_artifacts(), gradients=odd)).outcome == "passed"


def test_samples_count_not_their_mean_which_cancels_out() -> None:
    assert relative(gradients(0.5, mean=1e-9)[0]) == 0.5
    assert relative(replace(gradients(0.5, mean=0.25)[0], sample_norm=math.nan)) == 0.25


def test_a_loss_that_was_thrown_out_tells_of_an_explosion_that_left_no_gradient() -> None:
    def after(first: float, weight: float = 1e6) -> Finding:
        rows = gradients(0, 0, 0, 0, 1e-12, weight=weight)
        poor = having(make_artifacts(quality=0.0, n=300), gradients=rows)
        values = np.array([first, *[2.3026] * 9])
        history = History("history.csv", (Curve("loss", np.arange(1, 11), values),))
        return finding("exploding-gradient", replace(poor, history=history))

    assert after(6e17).outcome == "warned" and "6e17 in epoch 1" in after(6e17).text and after(6e17).epochs == (1,)
    assert after(900.0).outcome == "passed" and after(6e17, weight=1.0).outcome == "passed"


@pytest.mark.parametrize("code", ["vanishing-gradient", "exploding-gradient"])
def test_without_gradients_the_reason_is_told(code: str) -> None:
    why = having(make_artifacts(), gradients=(), not_computed={"gradients": "not applicable: backend torch"})
    found = finding(code, why)
    assert found.outcome == "not_applicable" and "(backend torch)" in found.text


def test_an_embedding_whose_rows_are_mostly_untouched_is_no_vanishing_gradient() -> None:
    artifacts = make_artifacts()
    assert artifacts.worker is not None
    layers = tuple(replace(one, type="Embedding") if one.name == "conv1" else one for one in artifacts.worker.layers)
    rows = gradients(1e-6, 0.1, 0.2, 0.3, 0.4)
    named = (replace(rows[0], layer="conv1"), *rows[1:])
    assert finding("vanishing-gradient", having(artifacts, gradients=named)).outcome == "warned"
    assert finding("vanishing-gradient", having(artifacts, gradients=named, layers=layers)).outcome == "passed"


def test_vanishing_needs_four_layers_to_speak_of_depth() -> None:
    few = having(make_artifacts(), gradients=gradients(1e-6, 1e-3, 1.0))
    assert finding("vanishing-gradient", few).outcome == "not_applicable"


# exploding-gradient


def test_exploding_counts_gradients_that_are_not_numbers() -> None:
    found = finding("exploding-gradient", having(make_artifacts(), gradients=gradients(1, 1, 1, 1, nan_in=2)))
    assert found.outcome == "warned" and found.layers == ("l2",) and "7 NaN" in str(found.evidence[0].value)


@pytest.mark.parametrize(
    ("quality", "history", "outcome"),
    [(0.0, None, "warned"), (0.95, None, "passed"), (0.0, "flat", "warned"), (0.0, "healthy", "passed")],
)
def test_exploding_is_asked_only_of_models_that_did_not_learn(quality: float, history: str, outcome: str) -> None:
    """Neither the batch shows a model that learned, nor a training loss below an even guess's."""
    falling = gradients(*(4.0**k for k in range(6, 0, -1)))
    artifacts = having(make_artifacts(quality=quality, history=history), gradients=falling)
    assert finding("exploding-gradient", artifacts).outcome == outcome


def test_what_broken_weights_explain_is_not_listed_again() -> None:
    """NaN weights give NaN outputs and gradients: one row each leads there, all layers stay named."""
    broken = tuple(weight(f"l{i}", fresh=False, nan=3) for i in range(3))
    rows = tuple(replace(row, nan=5) for row in gradients(1, 1, 1))
    found = finding("exploding-gradient", having(make_artifacts(), gradients=rows, weights=broken))
    assert len(found.evidence) == 1 and len(found.layers) == 3 and "Their weights are not finite" in found.text
    one = finding("exploding-gradient", having(make_artifacts(), gradients=rows, weights=broken[:1]))
    assert [piece.label for piece in one.evidence] == ["l1", "l2"] and "Their weights" not in one.text


@pytest.mark.parametrize(("steepness", "outcome"), [(60.0, "passed"), (100.0, "warned")])
def test_exploding_holds_its_threshold_from_both_sides(steepness: float, outcome: str) -> None:
    rows = gradients(*(1e-3 * steepness ** ((5 - k) / 5) for k in range(6)))
    assert finding("exploding-gradient", having(make_artifacts(**POOR), gradients=rows)).outcome == outcome


@pytest.mark.parametrize(("size", "outcome"), [(0.9, "passed"), (1.1, "warned")])
def test_a_gradient_as_large_as_the_weights_explodes(size: float, outcome: str) -> None:
    rows = gradients(*[5 * size] * 5, weight=5.0)
    assert finding("exploding-gradient", having(make_artifacts(**POOR), gradients=rows)).outcome == outcome


# untrained-layer and frozen-layer-untrained


def weight(
    layer: str, name: str = "kernel", *, fresh: bool = True, sure: bool = True, trainable: bool = True, **more: Any
) -> WeightFacts:
    shape = (8, 8) if name != "bias" else (8,)
    facts = FreshFacts(fresh, fresh and sure, 0.0, "")
    made = WeightFacts(
        layer, name, shape, "float32", 64, 1.0, 0.0, 0.1, -1, 1, 0, 0, 0, trainable, "GlorotUniform", fresh=facts
    )
    return replace(made, **more)


def layers_of(*weights: WeightFacts, **facts: Any) -> Artifacts:
    return having(make_artifacts(), weights=weights, **facts)


def test_a_layer_as_initialised_is_named_and_a_trained_one_is_not() -> None:
    found = finding("untrained-layer", layers_of(weight("a"), weight("b", fresh=False)))
    assert found.outcome == "warned" and found.layers == ("a",) and "1 of 2 trainable layers is" in found.text
    assert finding("untrained-layer", layers_of(weight("b", fresh=False))).outcome == "passed"
    none = finding("untrained-layer", layers_of(weight("a"), weight("b"), weight("c"), weight("d")))
    assert "4 of 4 trainable layers are still as initialised; no training shows in this file." in none.text
    assert none.fix.startswith("Give the file that was saved after fit()") and len(none.evidence) == 3


def test_a_layer_counts_by_its_matrices_not_by_a_bias_that_stayed_zero() -> None:
    stayed = layers_of(weight("a", fresh=False), weight("a", "bias", initializer="Zeros"))
    assert finding("untrained-layer", stayed).outcome == "passed"
    half = layers_of(weight("a"), weight("a", "recurrent_kernel", fresh=False))
    assert finding("untrained-layer", half).outcome == "passed"


def test_a_small_matrix_needs_a_second_witness() -> None:
    small = weight("a", sure=False)
    assert finding("untrained-layer", layers_of(small)).outcome == "passed"
    assert finding("untrained-layer", layers_of(small, weight("a", "bias"))).outcome == "warned"
    assert finding("untrained-layer", layers_of(small, weight("a", "bias", fresh=False))).outcome == "passed"
    blocked = GradientFacts("a", 0, 64, 0.0, 0.0, 1.0, 0.0, 0, 0)
    assert finding("untrained-layer", layers_of(small, gradients=(blocked,))).outcome == "warned"
    assert finding("untrained-layer", layers_of(small, gradients=(replace(blocked, norm=0.1),))).outcome == "passed"


def test_frozen_and_trainable_layers_are_told_apart() -> None:
    frozen = layers_of(weight("a", trainable=False))
    assert finding("frozen-layer-untrained", frozen).layers == ("a",)
    assert finding("untrained-layer", frozen).outcome == "not_applicable"
    assert finding("frozen-layer-untrained", layers_of(weight("a"))).outcome == "not_applicable"
    trained = layers_of(weight("a", trainable=False, fresh=False))
    assert finding("frozen-layer-untrained", trained).outcome == "passed"


def test_a_layer_frozen_on_purpose_with_constants_is_silent() -> None:
    fixed = layers_of(weight("a", trainable=False, initializer="Identity"))
    assert finding("frozen-layer-untrained", fixed).outcome == "passed"


def test_weights_whose_start_is_not_known_are_not_judged() -> None:
    unknown = layers_of(replace(weight("a"), fresh=None))
    assert finding("untrained-layer", unknown).outcome == "not_applicable"


# duplicate-filters


@pytest.mark.parametrize(("copies", "outcome"), [(1, "passed"), (2, "warned"), (7, "warned")])
def test_duplicate_filters_hold_their_threshold(copies: int, outcome: str) -> None:
    found = finding("duplicate-filters", layers_of(weight("a", filters=8, duplicates=copies)))
    assert found.outcome == outcome


def test_duplicate_filters_need_a_layer_of_four() -> None:
    assert finding("duplicate-filters", layers_of(weight("a", filters=3, duplicates=2))).outcome == "not_applicable"


# batch-norm-statistics-off


def normed(*losses: LossFacts, norm: bool = True) -> Artifacts:
    artifacts = make_artifacts()
    assert artifacts.worker is not None
    layers = tuple(
        replace(one, type="BatchNormalization") if norm and one.name == "pool1" else one
        for one in artifacts.worker.layers
    )
    return having(artifacts, layers=layers, losses=losses)


@pytest.mark.parametrize(
    ("use", "training", "samples", "outcome"),
    [
        (0.3, 0.9, 64, "warned"),
        (0.85, 0.9, 64, "passed"),  # under 10 points
        (0.80, 0.92, 40, "passed"),  # so few samples show as much by chance
        (0.80, 0.92, 400, "warned"),
        (0.9, 0.5, 400, "passed"),  # dropout works that way round
        (0.3, 0.9, 12, "not_applicable"),
    ],
)
def test_statistics_are_off_when_training_mode_is_far_better(
    use: float, training: float, samples: int, outcome: str
) -> None:
    facts = loss(accuracy=use, training_accuracy=training, samples=samples)
    found = finding("batch-norm-statistics-off", normed(facts))
    assert found.outcome == outcome
    assert outcome != "warned" or found.layers == ("pool1",)


@pytest.mark.parametrize(("use", "outcome"), [(0.29, "passed"), (0.31, "warned"), (math.inf, "warned")])
def test_without_an_accuracy_the_loss_decides(use: float, outcome: str) -> None:
    facts = loss(inference=use, accuracy=math.nan, training_accuracy=math.nan)
    assert finding("batch-norm-statistics-off", normed(facts)).outcome == outcome


def test_batch_statistics_need_such_a_layer_and_the_pass_in_training_mode() -> None:
    assert "no BatchNormalization" in finding("batch-norm-statistics-off", normed(loss(), norm=False)).text
    found = finding("batch-norm-statistics-off", normed(loss(training=math.nan)))
    assert found.outcome == "not_applicable" and "training mode" in found.text
