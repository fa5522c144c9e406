"""The one pass: predictions, metrics and statistics are those of the model, whatever its shape."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from reportgen.analysis.sample_key import sample_keys
from reportgen.worker.budget import choose_budget
from reportgen.worker.plan import ModelSpec, Plan
from tests.worker import models

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def k():
    return models.keras()


@pytest.fixture(scope="module")
def model(k):
    k.utils.set_random_seed(0)
    return models.cnn(k)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).random((70, 8, 8, 2), dtype=np.float32)


def activations(evidence) -> dict:
    return {facts.layer: facts for facts in evidence.activations}


@pytest.mark.parametrize("chunk", [0, 1, 16, 70])
def test_predictions_records_and_keys_are_the_models(model, images, chunk: int) -> None:
    labels = np.arange(70) % 3
    evidence = models.examine(model, {"": images}, {"": labels}, chunk=chunk)
    assert evidence.problems == () and evidence.n_samples == 70
    (output,) = evidence.outputs
    predicted = np.asarray(model(images))
    records = output.records
    order = records.positions
    assert (output.name, output.task, output.n, output.n_labelled) == ("probability", "multiclass", 70, 70)
    np.testing.assert_array_equal(records.prediction, predicted.argmax(1)[order])
    np.testing.assert_allclose(records.confidence, predicted.max(1)[order], rtol=1e-5)
    np.testing.assert_array_equal(records.keys, sample_keys({"x": images})[order])
    rows = evidence.kept.positions
    np.testing.assert_array_equal(evidence.kept.inputs["image"], images[rows])
    np.testing.assert_allclose(evidence.kept.predictions["probability"], predicted[rows], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "options", [{}, {"statistics": "all", "chunk": 16}, {"chunk": 3}], ids=["eager", "compiled", "compiled, 3"]
)
def test_statistics_of_every_layer_stand_on_all_samples(k, model, images, options: dict) -> None:
    evidence = models.examine(model, {"": images}, None, **options)
    found = activations(evidence)
    assert set(found) == {layer.path for layer in evidence.layers} - {"image"}
    left = np.asarray(k.Model(model.inputs, model.get_layer("left").output)(images))
    facts = found["left"]
    assert (facts.samples, facts.values) == (70, left.size)
    assert facts.mean == pytest.approx(left.mean(), rel=1e-4) and facts.std == pytest.approx(left.std(), rel=1e-4)
    assert (facts.low, facts.high) == pytest.approx((left.min(), left.max()), rel=1e-5)
    assert facts.histogram.sum() == left.size and facts.units == 4
    assert found["shared"].values == 2 * 70 * 64 * 4 and found["shared"].samples == 70
    assert found["inner/d1"].samples == 70 and found["probability"].tier == "full"


def test_layers_are_themselves_again_after_the_pass(model, images) -> None:
    models.examine(model, {"": images})
    assert all("call" not in vars(layer) for layer in model._flatten_layers())


def test_nan_weights_are_counted_exactly_and_the_rest_survives(k, images) -> None:
    model = models.cnn(k)
    kernel, bias = model.get_layer("left").get_weights()
    kernel[..., 1] = np.nan
    model.get_layer("left").set_weights([kernel, bias])
    for options in ({}, {"statistics": "all", "chunk": 16}):
        found = activations(models.examine(model, {"": images}, {"": np.zeros(70, int)}, **options))
        assert found["left"].nan == 70 * 64 and math.isfinite(found["left"].mean) and found["right"].nan == 0


def test_nan_and_constant_features_of_the_input_are_counted(model, images) -> None:
    spoiled = images.copy()
    spoiled[:, 0, 0, 0] = 3
    spoiled[5, 1, 1, 1] = np.nan
    (facts,) = models.examine(model, {"": spoiled}).inputs
    assert (facts.name, facts.nan, facts.constant_features, facts.high, facts.dtype) == ("image", 1, 1, 3, "float32")
    assert facts.mean == pytest.approx(np.nanmean(spoiled, dtype=np.float64))


@pytest.mark.parametrize("dtype", ["uint8", "float64", "float16", "bool", ">f4"])
def test_inputs_are_kept_as_stored_and_cast_for_the_model(model, images, dtype: str) -> None:
    stored = (images * 3).astype(dtype)
    evidence = models.examine(model, {"": stored})
    assert evidence.problems == () and evidence.kept.inputs["image"].dtype == stored.dtype
    assert evidence.inputs[0].high == stored.max()


def test_outputs_in_a_dict_are_matched_by_key(k, images) -> None:
    x = k.Input((8, 8, 2), name="image")
    flat = k.layers.Flatten()(x)
    model = k.Model(
        x,
        {
            "zeta": k.layers.Dense(3, activation="softmax", name="one")(flat),
            "alpha": k.layers.Dense(1, name="two")(flat),
        },
    )
    evidence = models.examine(model, {"": images}, {"zeta": np.arange(70) % 3, "alpha": RNG.normal(size=70)})
    tasks = {output.name: (output.task, output.n_labelled) for output in evidence.outputs}
    assert tasks == {"zeta": ("multiclass", 70), "alpha": ("regression", 70)}


def test_outputs_in_a_list_with_labels_for_one_only(k, images) -> None:
    x = k.Input((8, 8, 2), name="image")
    flat = k.layers.Flatten()(x)
    model = k.Model(x, [k.layers.Dense(3, activation="softmax", name="one")(flat), k.layers.Dense(1, name="two")(flat)])
    evidence = models.examine(model, {"": images}, {"one": np.arange(70) % 3})
    assert {output.name: output.n_labelled for output in evidence.outputs} == {"one": 70, "two": 0}
    nameless = models.examine(model, {"": images}, {"": np.arange(70) % 3})
    assert [output.n_labelled for output in nameless.outputs] == [0, 0]
    assert "name one array for each" in nameless.problems[0].message


def test_two_inputs_are_fed_by_name(k) -> None:
    model = models.siamese(k)
    one, two = RNG.normal(size=(9, 5)), RNG.normal(size=(9, 5))
    evidence = models.examine(model, {"two": two, "one": one}, {"": np.arange(9) % 2})
    wanted = np.asarray(model([one.astype("float32"), two.astype("float32")]))
    rows = evidence.kept.positions
    np.testing.assert_allclose(evidence.kept.predictions["same"], wanted[rows], rtol=1e-5)
    assert activations(evidence)["encoder/code"].values == 2 * 9 * 3
    wrong = models.examine(model, {"": one})
    assert wrong.outputs == () and "one, two" in wrong.problems[0].message and wrong.layers


def test_a_subclassed_model_is_predicted_and_its_layers_are_measured(k) -> None:
    class Mine(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = k.layers.Dense(4, activation="relu", name="hidden")
            self.final = k.layers.Dense(2, activation="softmax", name="final")

        def call(self, x):
            return self.final(self.hidden(x))

    x = RNG.normal(size=(20, 3)).astype("float32")
    model = Mine()
    wanted = np.asarray(model(x))
    for chunk in (0, 3):
        evidence = models.examine(model, {"": x}, {"": np.arange(20) % 2}, chunk=chunk)
        assert evidence.graph.source == "calls" and not evidence.problems
        assert [node.layer for node in evidence.graph.nodes] == ["input", "hidden", "final"]
        assert [layer.name for layer in evidence.layers] == ["hidden", "final"]
        assert activations(evidence)["hidden"].samples == 20
        np.testing.assert_allclose(
            evidence.kept.predictions["output"], wanted[evidence.kept.positions], rtol=1e-4, atol=1e-6
        )


def test_a_model_that_cannot_be_compiled_runs_eagerly_and_counts_nothing_twice(k) -> None:
    class Eager(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = k.layers.Dense(4, activation="relu", name="hidden")
            self.final = k.layers.Dense(2, activation="softmax", name="final")

        def call(self, x):
            y = self.hidden(x)
            return self.final(y * float(np.sign(y.numpy().sum())))

    x = RNG.normal(size=(20, 3)).astype("float32")
    model = Eager()
    model(x)
    evidence = models.examine(model, {"": x}, {"": np.arange(20) % 2}, chunk=3)
    assert not evidence.problems
    assert activations(evidence)["hidden"].values == 80 and evidence.outputs[0].n == 20


def test_text_goes_into_a_text_model(k) -> None:
    tokens = k.layers.TextVectorization(20, output_sequence_length=4, name="tokens")
    tokens.adapt(["a b c", "d e"])
    x = k.Input((), dtype="string", name="text")
    y = k.layers.GlobalAveragePooling1D()(k.layers.Embedding(20, 3, name="embedding")(tokens(x)))
    model = k.Model(x, k.layers.Dense(1, activation="sigmoid", name="positive")(y))
    texts = np.array(["a b", "c ü", "d", "<b>"] * 5)
    evidence = models.examine(model, {"": texts}, {"": np.arange(20) % 2})
    assert evidence.problems == () and evidence.outputs[0].task == "binary"
    assert evidence.kept.inputs["text"].tolist() == texts[evidence.kept.positions].tolist()
    assert math.isnan(evidence.inputs[0].mean) and "embedding" in activations(evidence)
    assert "tokens" not in activations(evidence), "token numbers are no activations"
    numbers = models.examine(model, {"": np.zeros(20)})
    assert "takes text" in numbers.problems[0].message


def test_a_model_that_insists_on_its_batch_size_gets_full_batches(k) -> None:
    model = k.Sequential([k.Input((3,), batch_size=8), k.layers.Dense(2, name="d")])
    x = RNG.normal(size=(19, 3)).astype("float32")
    evidence = models.examine(model, {"": x})
    facts = activations(evidence)["d"]
    assert (evidence.n_samples, facts.samples, facts.values) == (19, 19, 38)
    assert evidence.outputs[0].n == 19


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((70, 2, 8, 8), "channels first"),
        ((70, 8, 8, 3), r"\(8, 8, 2\).*\(8, 8, 3\)"),
        ((70, 9), r"\(8, 8, 2\)"),
        ((70,), r"\(8, 8, 2\)"),
    ],
)
def test_a_wrong_shape_is_told_with_both_and_other_parts_survive(model, shape, said: str) -> None:
    evidence = models.examine(model, {"": np.zeros(shape, np.float32)})
    (problem,) = evidence.problems
    assert problem.part == "predict"
    assert_matches(said, f"{problem.message} {problem.fix}")
    assert evidence.layers and evidence.weights and evidence.graph and evidence.dot


def assert_matches(pattern: str, text: str) -> None:
    import re

    assert re.search(pattern, text), text


def test_a_missing_last_axis_of_one_is_added_as_keras_does(k) -> None:
    model = k.Sequential([k.Input((4, 4, 1)), k.layers.Flatten(), k.layers.Dense(2)])
    assert models.examine(model, {"": np.zeros((5, 4, 4), np.float32)}).n_samples == 5


@pytest.mark.parametrize("n", [0, 1])
def test_no_sample_and_one_sample(model, images, n: int) -> None:
    evidence = models.examine(model, {"": images[:n]}, {"": np.zeros(n, int)})
    assert evidence.n_samples == n and len(evidence.outputs) == n and bool(evidence.activations) == bool(n)
    assert evidence.problems == ()


@pytest.mark.parametrize("privacy", ["ids", "none"])
def test_content_that_may_not_be_shown_is_not_sent(model, images, privacy: str) -> None:
    evidence = models.examine(model, {"": images}, {"": np.zeros(70, int)}, privacy=privacy)
    assert evidence.kept.inputs == {} and evidence.maps == () and len(evidence.kept.keys) > 0
    assert evidence.outputs[0].records.keys.size == 70


def test_maps_are_the_layers_outputs_on_the_same_shown_samples(k, model, images) -> None:
    evidence = models.examine(model, {"": images}, {"": np.arange(70) % 3}, map_samples=5, layers_named=("right",))
    assert len({maps.positions for maps in evidence.maps}) == 1 and len(evidence.maps[0].positions) == 5
    right = next(maps for maps in evidence.maps if maps.layer == "right")
    wanted = np.asarray(k.Model(model.inputs, model.get_layer("right").output)(images[list(right.positions)]))
    np.testing.assert_allclose(right.values, wanted, rtol=1e-4, atol=1e-6)
    assert {"left", "sum", "shared"} <= {maps.layer for maps in evidence.maps}
    assert set(evidence.maps[0].positions) <= set(evidence.kept.positions.tolist())


def test_large_maps_are_reduced_and_the_ledger_says_so(k) -> None:
    model = k.Sequential(
        [k.Input((300, 200, 1)), k.layers.Conv2D(70, 1, name="wide"), k.layers.GlobalAveragePooling2D()]
    )
    evidence = models.examine(model, {"": np.zeros((6, 300, 200, 1), np.float32)})
    (maps,) = evidence.maps
    assert maps.values.shape == (4, 100, 100, 64) and maps.channels == 70
    assert any("channels in the maps" in row.what and "64" in row.kept and "70" in row.of for row in evidence.reduced)
    assert any("size of the maps" in row.what and "128" in row.kept and "300" in row.of for row in evidence.reduced)


def test_a_name_that_no_layer_has_is_told(model, images) -> None:
    evidence = models.examine(model, {"": images}, layers_named=("left", "typo"))
    assert any(problem.part == "maps" and "typo" in problem.message for problem in evidence.problems)


def test_a_large_batch_is_measured_on_a_seeded_choice_and_says_so(model, images) -> None:
    evidence = models.examine(model, {"": images}, statistics_samples=20, chunk=16)
    again = models.examine(model, {"": images}, statistics_samples=20, chunk=7)
    assert {facts.samples for facts in evidence.activations} == {20}
    assert [row for row in evidence.reduced if "20 samples" in row.kept and row.of == "70"]
    for first, second in zip(evidence.activations, again.activations, strict=True):
        assert first.mean == pytest.approx(second.mean, rel=1e-4, abs=1e-6)
    assert evidence.outputs[0].n == 70


def test_statistics_can_be_left_out(model, images) -> None:
    assert models.examine(model, {"": images}, statistics="off").activations == ()


def test_a_part_that_fails_is_a_problem_and_the_rest_survives(k, images) -> None:
    class Breaks(k.layers.Layer):
        def call(self, x):
            raise RuntimeError("first line\nsecond line")

        def compute_output_spec(self, x):
            return k.KerasTensor(x.shape, x.dtype)

    x = k.Input((8, 8, 2), name="image")
    evidence = models.examine(k.Model(x, Breaks(name="breaks")(x)), {"": images})
    (problem,) = [problem for problem in evidence.problems if problem.part == "predict"]
    assert "first line" in problem.message and "\n" not in problem.message
    assert evidence.graph is not None and len(evidence.layers) == 2 and evidence.outputs == ()


def test_a_compiled_live_model_tells_its_loss(k, images) -> None:
    model = models.cnn(k)
    model.compile("adam", k.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    facts = models.examine(model, {"": images}).model
    assert facts.loss == {"": "sparse_categorical_crossentropy"} and facts.from_logits == {"": True}
    assert facts.optimizer == "Adam" and facts.metrics == {"": ("accuracy",)} and facts.kind == "Functional"


@pytest.mark.parametrize(("units", "activation"), [(1, "sigmoid"), (3, "softmax"), (3, "linear")])
def test_the_cross_entropy_of_a_model_that_is_too_sure_is_that_of_evaluate(k, units: int, activation: str) -> None:
    x = k.Input((4,), name="x")
    model = k.Model(x, k.layers.Dense(units, activation, kernel_initializer=k.initializers.RandomNormal(0, 200, 1))(x))
    inputs, labels = np.random.default_rng(4).normal(size=(90, 4)).astype(np.float32), np.arange(90) % max(units, 2)
    kind = k.losses.BinaryCrossentropy if units == 1 else k.losses.SparseCategoricalCrossentropy
    model.compile("adam", kind(from_logits=activation == "linear"))
    (output,) = models.examine(model, {"": inputs}, {"": labels}, chunk=16).outputs
    expected = model.evaluate(inputs, labels, verbose=0)
    assert output.cross_entropy == pytest.approx(expected, rel=1e-5) and expected > 16.2, "no probability is clipped"


def test_without_labels_or_logits_there_is_no_exact_cross_entropy(k, model, images) -> None:
    assert math.isnan(models.examine(model, {"": images}).outputs[0].cross_entropy)
    x = k.Input((8, 8, 2), name="image")
    scaled = k.Model(x, k.layers.Rescaling(1.0)(model(x)))
    assert math.isnan(models.examine(scaled, {"": images}, {"": np.arange(70) % 3}).outputs[0].cross_entropy)


def test_the_final_activation_is_found_behind_layers_that_only_reshape(k) -> None:
    x = k.Input((6,), name="x")
    y = k.layers.Reshape((2, 3))(k.layers.Dropout(0.1)(k.layers.Dense(6, activation="tanh")(x)))
    evidence = models.examine(k.Model(x, k.layers.Activation("linear", name="end")(y)), {"": np.zeros((4, 6))})
    from reportgen.worker.architecture import final_activation

    assert evidence.outputs[0].scores != "probabilities" and final_activation(k.Model(x, y), 0) == "tanh"


def test_the_budget_counts_samples_not_seconds() -> None:
    plan = Plan(ModelSpec("", "keras"), None)
    small = choose_budget(plan, 450, 34_000)
    large = choose_budget(plan, 64, 148_000_000)
    everything = choose_budget(dataclasses.replace(plan, statistics="all"), 64, 148_000_000)
    assert (small.compiled, small.watch, small.full, small.chosen) == (False, True, True, None)
    assert (large.compiled, large.full, large.chosen) == (True, False, 32) and 8 <= large.chunk <= 16
    assert (everything.full, everything.chosen) == (True, None)
    assert choose_budget(plan, None, 1000).compiled
    assert choose_budget(dataclasses.replace(plan, statistics_samples=7), 10, 10).chosen == 7
    assert choose_budget(dataclasses.replace(plan, statistics_samples=70), 10, 10).chosen is None
    assert not choose_budget(dataclasses.replace(plan, statistics="off"), 10, 10).watch
    assert choose_budget(plan, 10, 10, fixed_batch=4).chunk == 4


def test_maps_with_channels_first_come_back_with_channels_last() -> None:
    from types import SimpleNamespace

    from reportgen.worker.maps import _shape_maps

    values = np.zeros((2, 5, 8, 9), np.float32)
    call = SimpleNamespace(layer=SimpleNamespace(data_format="channels_first"), path="c")
    assert _shape_maps(call, values, (0, 1)).values.shape == (2, 8, 9, 5)
