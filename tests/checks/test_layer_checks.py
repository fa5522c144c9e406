"""The checks that read weights, activations and the architecture: fired, not fired, not applicable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reportgen.analysis.evidence import ActivationFacts, Artifacts, InputFacts, LayerFacts, WeightFacts, WorkerEvidence
from reportgen.analysis.graph import Edge, Graph, Node
from reportgen.checks import run_checks
from reportgen.report.types import Finding
from tests.evidence_builder import make_activations, make_artifacts, make_histogram, make_model, make_weights


def worker_of(artifacts: Artifacts) -> WorkerEvidence:
    assert artifacts.worker is not None
    return artifacts.worker


def finding(code: str, artifacts: Artifacts) -> Finding:
    return next(f for f in run_checks(artifacts, {}) if f.code == code)


def layer(name: str, type_: str, shape: str, activation: str = "", parameters: int = 0, **config: str) -> LayerFacts:
    return LayerFacts(
        name, name, type_, shape, parameters, parameters, True, "float32", activation, None, None, dict(config)
    )


def chain(*layers: LayerFacts, **model: Any) -> Artifacts:
    """Return artifacts of a model whose layers follow one another, with everything else healthy."""
    artifacts = make_artifacts()
    nodes = tuple(
        Node(f"n{i}", one.path, one.type, one.output_shape, one.parameters, one.activation)
        for i, one in enumerate(layers)
    )
    edges = tuple(Edge(f"n{i}", f"n{i + 1}") for i in range(len(nodes) - 1))
    graph = Graph(nodes, edges, (), ("n0",), (f"n{len(nodes) - 1}",))
    facts = replace(make_model(), parameters=sum(one.parameters for one in layers), **model)
    return replace(artifacts, worker=replace(worker_of(artifacts), layers=layers, graph=graph, model=facts))


INPUT = layer("input", "InputLayer", "(None, 20)")


# non-finite weights and activations


def test_non_finite_weights_counts_exactly_and_names_the_layer() -> None:
    found = finding("non-finite-weights", make_artifacts(nan_weights="conv2"))
    assert found.outcome == "failed" and found.layers == ("conv2",)
    assert "3 of 3,818 weights" in found.text and "3 NaN" in found.text
    assert found.evidence[0].anchor == "layer-3"


def test_non_finite_weights_counts_infinities_too_and_passes_without_any() -> None:
    artifacts = make_artifacts()
    weights = tuple(replace(w, inf=2) if w.layer == "dense" and w.name == "bias" else w for w in make_weights())
    broken = replace(artifacts, worker=replace(worker_of(artifacts), weights=weights))
    assert "2 infinite" in finding("non-finite-weights", broken).text
    assert finding("non-finite-weights", artifacts).outcome == "passed"


def test_non_finite_activations_names_the_first_layer_in_call_order() -> None:
    found = finding("non-finite-activations", make_artifacts(nan_activations="conv2"))
    assert found.outcome == "failed" and found.layers[0] == "conv2" and "The batch itself holds none" in found.text


def test_non_finite_activations_says_when_the_batch_is_to_blame() -> None:
    artifacts = make_artifacts(nan_activations="conv1")
    worker = worker_of(artifacts)
    spoiled = replace(artifacts, worker=replace(worker, inputs=(replace(worker.inputs[0], nan=7),)))
    assert "The batch itself holds 7 such values" in finding("non-finite-activations", spoiled).text
    assert finding("non-finite-activations", make_artifacts()).outcome == "passed"


# dead units


def test_dead_units_fires_from_half_of_a_layer_on_and_says_on_how_many_samples() -> None:
    assert finding("dead-units", make_artifacts(dead={"conv2": 7})).outcome == "passed"
    found = finding("dead-units", make_artifacts(dead={"conv2": 8}))
    assert found.outcome == "warned" and found.layers == ("conv2",)
    assert "8 of 16 units (50.0%)" in found.text and "200 samples" in found.text


def test_dead_units_does_not_judge_on_few_samples() -> None:
    found = finding("dead-units", make_artifacts(dead={"conv2": 16}, n=20))
    assert found.outcome == "not_applicable" and "at least 32 samples" in found.text


def test_dead_units_leaves_out_other_activations_and_layers_seen_in_part() -> None:
    assert finding("dead-units", make_artifacts(dead={"dense": 10})).outcome == "passed"
    artifacts = make_artifacts(dead={"conv2": 16})
    worker = worker_of(artifacts)
    strided = tuple(replace(fact, tier="strided", stride=16) for fact in worker.activations)
    partly = replace(artifacts, worker=replace(worker, activations=strided))
    assert finding("dead-units", partly).outcome == "not_applicable"


# saturated activations


def with_saturation(share: float, activation: str = "tanh", type_: str = "Dense", last: bool = False) -> Artifacts:
    hidden = layer("hidden", type_, "(None, 16)", activation, 336)
    layers = (INPUT, hidden) if last else (INPUT, hidden, layer("out", "Dense", "(None, 10)", "softmax", 170))
    artifacts = chain(*layers)
    facts = replace(make_activations()[0], layer="hidden", saturated=share, units=16, samples=200)
    return replace(artifacts, worker=replace(worker_of(artifacts), activations=(facts,)))


def test_saturation_fires_only_from_the_threshold_on() -> None:
    assert finding("saturated-activations", with_saturation(0.9)).outcome == "warned"
    assert finding("saturated-activations", with_saturation(0.5)).outcome == "passed"


def test_saturation_leaves_out_output_layers_recurrent_layers_and_relu() -> None:
    assert finding("saturated-activations", with_saturation(1.0, "sigmoid", last=True)).outcome == "not_applicable"
    assert finding("saturated-activations", with_saturation(1.0, type_="LSTM")).outcome == "not_applicable"
    assert finding("saturated-activations", with_saturation(1.0, "relu")).outcome == "not_applicable"


# architecture: parameters, linear layers


def test_parameter_heavy_layer_fires_on_a_flatten_into_dense() -> None:
    conv = layer("conv", "Conv2D", "(None, 64, 64, 32)", "relu", 896)
    heavy = layer("heavy", "Dense", "(None, 64)", "relu", 8_388_672)
    out = layer("out", "Dense", "(None, 10)", "softmax", 650)
    found = finding("parameter-heavy-layer", chain(INPUT, conv, heavy, out))
    assert found.outcome == "warned" and found.layers == ("heavy",)


def test_parameter_heavy_layer_is_silent_on_embeddings_on_vgg_and_on_small_models() -> None:
    embedding = layer("words", "Embedding", "(None, 200, 64)", "", 6_400_000)
    out = layer("out", "Dense", "(None, 1)", "sigmoid", 65)
    middle = layer("conv", "Conv1D", "(None, 196, 64)", "relu", 20_544)
    assert finding("parameter-heavy-layer", chain(INPUT, embedding, middle, out)).outcome == "passed"
    convs = layer("convs", "Conv2D", "(None, 7, 7, 512)", "relu", 35_594_176)
    fc1 = layer("fc1", "Dense", "(None, 4096)", "relu", 102_764_544)
    assert finding("parameter-heavy-layer", chain(INPUT, convs, fc1, out)).outcome == "passed"
    assert finding("parameter-heavy-layer", make_artifacts()).outcome == "not_applicable"


def dense(name: str, units: int, activation: str = "linear") -> LayerFacts:
    return layer(name, "Dense", f"(None, {units})", activation, 10 * units)


def test_stacked_linear_layers_fires_through_dropout_too() -> None:
    drop = layer("drop", "Dropout", "(None, 64)")
    found = finding("stacked-linear-layers", chain(INPUT, dense("a", 64), drop, dense("b", 10, "softmax")))
    assert found.outcome == "warned" and found.layers == ("a",) and "a into b" in found.text


@pytest.mark.parametrize(
    "between",
    [
        (dense("a", 64, "relu"),),
        (
            dense("a", 64),
            layer("norm", "BatchNormalization", "(None, 64)"),
            layer("relu", "ReLU", "(None, 64)", "relu"),
        ),
        (dense("a", 64), layer("gelu", "Activation", "(None, 64)", "gelu")),
        (dense("bottleneck", 2),),
        (layer("conv", "Conv2D", "(None, 8, 8, 4)", "linear"), layer("conv2", "Conv2D", "(None, 8, 8, 4)", "linear")),
        (dense("a", 64), layer("add", "Add", "(None, 64)")),
    ],
)
def test_stacked_linear_layers_is_silent_on_ordinary_designs(between: tuple[LayerFacts, ...]) -> None:
    artifacts = chain(INPUT, *between, dense("out", 10, "softmax"))
    assert finding("stacked-linear-layers", artifacts).outcome == "passed"


def test_stacked_linear_layers_is_silent_when_the_first_feeds_two() -> None:
    artifacts = chain(INPUT, dense("a", 64), dense("b", 10), dense("c", 10))
    worker = worker_of(artifacts)
    assert worker.graph is not None
    graph = replace(worker.graph, edges=(*worker.graph.edges, Edge("n1", "n3")), outputs=("n2", "n3"))
    assert finding("stacked-linear-layers", replace(artifacts, worker=replace(worker, graph=graph))).outcome == "passed"


def test_stacked_linear_layers_needs_a_graph() -> None:
    assert finding("stacked-linear-layers", make_artifacts(graph=None)).outcome == "not_applicable"


# the last layer and the loss

CCE, SCCE, BCE = "categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"


def ends(activation: str, loss: str, units: int = 10, logits: bool | None = None, **model: Any) -> Artifacts:
    known = {} if logits is None else {"": logits}
    return chain(INPUT, dense("out", units, activation), loss={"": loss}, from_logits=known, **model)


@pytest.mark.parametrize(
    ("code", "artifacts"),
    [
        ("softmax-on-logits-loss", ends("softmax", SCCE, logits=True)),
        ("softmax-on-logits-loss", ends("sigmoid", BCE, 1, logits=True)),
        ("missing-output-activation", ends("linear", SCCE, logits=False)),
        ("missing-output-activation", ends("linear", BCE, 1)),
        ("wrong-last-layer-for-loss", ends("softmax", BCE, 1)),
        ("wrong-last-layer-for-loss", ends("sigmoid", CCE, 1)),
        ("wrong-last-layer-for-loss", ends("relu", SCCE)),
        ("wrong-last-layer-for-loss", ends("tanh", BCE, 1, logits=False)),
    ],
)
def test_a_last_layer_that_contradicts_its_loss_fires(code: str, artifacts: Artifacts) -> None:
    found = finding(code, artifacts)
    assert found.outcome == "warned" and found.layers == ("out",) and found.section == "architecture"


LOSS_CHECKS = ("softmax-on-logits-loss", "missing-output-activation", "wrong-last-layer-for-loss")


@pytest.mark.parametrize(
    "artifacts",
    [
        ends("softmax", SCCE),
        ends("softmax", CCE, logits=False),
        ends("linear", SCCE, logits=True),
        ends("sigmoid", BCE, 1),
        ends("linear", BCE, 1, logits=True),
        ends("sigmoid", BCE, 20),
        ends("softmax", BCE, 2),
        ends("sigmoid", CCE, 10),
        ends("linear", "mse", 1),
        ends("relu", "mae", 1),
        ends("tanh", "mse", 3),
    ],
)
def test_ordinary_pairs_of_last_layer_and_loss_are_silent(artifacts: Artifacts) -> None:
    for code in LOSS_CHECKS:
        assert finding(code, artifacts).outcome in ("passed", "not_applicable"), code


def test_a_softmax_in_a_layer_of_its_own_and_behind_a_reshape_is_found() -> None:
    softmax = layer("probabilities", "Activation", "(None, 10)", "softmax")
    flat = layer("reshape", "Reshape", "(None, 10)")
    twice = chain(INPUT, dense("out", 10), softmax, flat, loss={"": SCCE}, from_logits={"": True})
    assert finding("softmax-on-logits-loss", twice).layers == ("probabilities",)
    right = chain(INPUT, dense("out", 10), softmax, flat, loss={"": SCCE}, from_logits={"": False})
    assert finding("missing-output-activation", right).outcome == "passed"


def test_a_custom_loss_with_a_known_name_is_not_judged() -> None:
    note = f"The loss {SCCE} is the author's own code: it is named here, but not computed."
    assert finding("missing-output-activation", ends("linear", SCCE, notes=(note,))).outcome == "not_applicable"


def test_losses_are_read_by_output() -> None:
    artifacts = ends("linear", SCCE, output_names=("digit",))
    worker = worker_of(artifacts)
    assert worker.model is not None
    model = replace(worker.model, loss={"digit": SCCE, "other": "mse"}, from_logits={"digit": True})
    named = replace(artifacts, worker=replace(worker, model=model))
    assert finding("missing-output-activation", named).outcome == "passed"


def test_an_uncompiled_model_is_not_judged() -> None:
    for code in LOSS_CHECKS:
        assert finding(code, make_artifacts(compiled=False)).outcome == "not_applicable"


# input-range-mismatch


def scaled(name: str, low: float, high: float, std: float, *weights: WeightFacts, out: float = 0.0) -> Artifacts:
    """Return a model with one scaling layer behind an input of the given range."""
    artifacts = chain(INPUT, layer("scale", name, "(None, 20)"), dense("out", 10, "softmax"))
    activation = ActivationFacts(
        "scale", "full", 1, 200, 4000, 0.0, out, 0.0, 0.0, 0.0, 0, 0, float("nan"), 20, 0, 0, 1e-7,
        make_histogram(0), make_activations()[0].unit_active,
    )  # fmt: skip
    facts = InputFacts("input", (20,), "float32", low, high, (low + high) / 2, std, 0, 0, 0)
    worker = replace(worker_of(artifacts), inputs=(facts,), weights=weights, activations=(activation,))
    return replace(artifacts, worker=worker)


def stored(name: str, mean: float, std: float = 0.0) -> WeightFacts:
    return WeightFacts("scale", name, (20,), "float32", 20, 0.0, mean, std, mean, mean, 0, 0, 0, False)


def test_a_rescaling_layer_on_values_that_are_already_small_fires() -> None:
    found = finding("input-range-mismatch", scaled("Rescaling", 0, 1, 0.3, out=0.3 / 255))
    assert found.outcome == "warned" and "divides them by 255 once more" in found.text


def test_a_rescaling_layer_on_bytes_passes() -> None:
    assert finding("input-range-mismatch", scaled("Rescaling", 0, 255, 80, out=80 / 255)).outcome == "passed"


def test_a_rescaling_by_another_factor_says_nothing() -> None:
    assert finding("input-range-mismatch", scaled("Rescaling", 0, 1, 0.3, out=0.3)).outcome == "not_applicable"


@pytest.mark.parametrize("layer_type", ["Normalization", "BatchNormalization"])
def test_stored_statistics_far_from_the_batch_fire_and_close_ones_pass(layer_type: str) -> None:
    names = ("mean", "variance") if layer_type == "Normalization" else ("moving_mean", "moving_variance")
    weights = (stored(names[0], 120.0, 10.0), stored(names[1], 4900.0))
    assert finding("input-range-mismatch", scaled(layer_type, 0, 1, 0.3, *weights)).outcome == "warned"
    assert finding("input-range-mismatch", scaled(layer_type, 0, 255, 75, *weights)).outcome == "passed"
    assert finding("input-range-mismatch", scaled(layer_type, 0, 30, 9, *weights)).outcome == "passed"


def test_features_on_different_scales_do_not_fire() -> None:
    # Variances differ by feature; the spread over all features includes the spread of their means.
    weights = (stored("mean", 500.0, 900.0), stored("variance", 100.0))
    assert finding("input-range-mismatch", scaled("Normalization", 0, 3000, 905, *weights)).outcome == "passed"


def test_a_model_without_a_scaling_layer_does_not_say_what_it_expects() -> None:
    assert finding("input-range-mismatch", make_artifacts()).outcome == "not_applicable"


# last layers of subclassed models


def test_the_last_layer_of_a_subclassed_model_is_known_from_its_trial_call() -> None:
    artifacts = make_artifacts()
    worker = worker_of(artifacts)
    assert worker.model is not None
    last = worker.layers[-1]
    logits = replace(worker.model, from_logits={"": True}, ends=(last.path,))
    seen = replace(artifacts, worker=replace(worker, graph=None, model=logits))
    found = finding("softmax-on-logits-loss", seen)
    assert found.outcome == "warned" and found.layers == (last.path,)
    unknown = replace(seen, worker=replace(worker, graph=None, model=replace(logits, ends=("",))))
    assert finding("softmax-on-logits-loss", unknown).outcome == "not_applicable"
    echo = replace(worker, graph=None, model=logits, layers=(*worker.layers[:-1], replace(last, type="Flatten")))
    assert finding("softmax-on-logits-loss", replace(artifacts, worker=echo)).outcome == "not_applicable"
