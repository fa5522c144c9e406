"""Grad-CAM and integrated gradients against straightforward computations; maps that say nothing are marked."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen.analysis.deletion import judge_deletions, part_grid, plan_deletions, resize, salience_of_parts
from reportgen.worker.attribution import Asked, compute_grad_cam, integrate_embedding, integrate_input
from reportgen.worker.feed import make_feed
from reportgen.worker.plan import AUTO
from reportgen.worker.saliency import choose_effort
from reportgen.worker.score import Scored
from tests.worker import models

pytestmark = pytest.mark.keras
RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 8, 8, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def k():
    return models.keras()


@pytest.fixture(scope="module")
def model(k):
    """Two convolutions and a softmax; the first class's evidence lies in the upper left corner alone."""
    k.utils.set_random_seed(0)
    layers = k.layers
    x = k.Input((8, 8, 2), name="image")
    y = layers.Conv2D(4, 3, padding="same", activation="tanh", name="first")(x)
    y = layers.Conv2D(3, 3, padding="same", activation="relu", name="second")(y)
    return k.Model(x, layers.Dense(3, activation="softmax", name="kind")(layers.Flatten()(y)))


def scored_of(model, step: int = 64) -> Scored:
    """Return the model's output as it is explained."""
    feed = make_feed(model, ["image"], {"image": (8, 8, 2)}, {"image": "float32"})
    return Scored(model, feed, ("kind",), "kind", "multiclass", "probabilities", step, step, (model.get_layer("kind"),))


def logits(k, model, y):
    """Return the last layer's values before softmax."""
    last = model.get_layer("kind")
    return k.ops.matmul(k.ops.reshape(y, (len(y), -1)), last.kernel) + last.bias


def test_grad_cam_is_the_straightforward_one(k, model) -> None:
    """A model with two outputs and one gradient tape give the same maps, whatever the steps."""
    import tensorflow as tf

    chosen = np.asarray(model(X)).argmax(1)
    both = k.Model(model.input, model.get_layer("second").output)
    with tf.GradientTape() as tape:
        maps = both(X)
        tape.watch(maps)
        score = tf.gather(logits(k, model, maps), chosen, batch_dims=1)
    weights = tape.gradient(score, maps).numpy().mean(axis=(1, 2))
    expected = np.maximum((maps.numpy() * weights[:, None, None]).sum(-1), 0)
    for step in (64, 2):
        found = compute_grad_cam(scored_of(model, step), model.get_layer("second"), False, Asked([X], chosen))
        assert np.allclose(found, expected, atol=1e-6)
    assert np.asarray(model(X)).sum(1) == pytest.approx(np.ones(5), abs=1e-5)  # softmax is back


def test_integrated_gradients_are_complete_and_straightforward(k, model) -> None:
    """They add up to the score's change, and equal a plain loop over the steps."""
    import tensorflow as tf

    chosen, base = np.array([0, 1, 2, 0, 1]), np.full((8, 8, 2), 0.1, np.float32)
    inner = k.Model(model.input, model.get_layer("second").output)

    def score(values, row):
        return logits(k, model, inner(values))[:, chosen[row]]

    found = integrate_input(scored_of(model, 48), 0, Asked([X], chosen), base, 128)
    change = [float((score(X[i : i + 1], i) - score(base[None], i))[0]) for i in range(5)]
    assert found.sum(axis=(1, 2, 3)) == pytest.approx(change, rel=0.02, abs=0.02)
    total = 0.0
    for alpha in (np.arange(128) + 0.5) / 128:
        at = tf.convert_to_tensor((base + alpha * (X[:1] - base)).astype(np.float32))
        with tf.GradientTape() as tape:
            tape.watch(at)
            value = score(at, 0)
        total = total + tape.gradient(value, at).numpy() / 128
    assert np.allclose(found[0], (total * (X[:1] - base))[0], atol=1e-5)


def test_words_are_explained_through_their_vectors(k) -> None:
    """Texts through a vectorization: completeness, words by position, and the deciding word on top."""
    layers = k.layers
    vectorize = layers.TextVectorization(vocabulary=["good", "bad", "film", "the"], output_sequence_length=6)
    text = k.Input((), dtype="string", name="text")
    vectors = layers.Embedding(6, 3, name="vectors")(vectorize(text))
    model = k.Model(text, layers.Dense(1, activation="sigmoid", name="yes")(layers.Flatten()(vectors)))
    table = np.zeros((6, 3), np.float32)
    table[2], table[3] = 3, -3  # good and bad; 0 is padding, 1 an unknown word
    model.get_layer("vectors").set_weights([table])
    model.get_layer("yes").set_weights([np.full((18, 1), 0.4, np.float32), np.zeros(1, np.float32)])
    x = np.array(["the film good film", "bad the film", "unknown good the film the film"])
    found = models.examine(model, {"": x}, {"": np.array([1, 0, 1])})
    one = found.saliency[0]
    assert one.method == "integrated-gradients" and one.values.shape == (3, 6)
    assert one.words[0] == ("the", "film", "good", "film", "", "") and one.words[2][0] == "unknown"
    assert [words[int(row.argmax())] for words, row in zip(one.words, one.values, strict=True)] == [
        "good",
        "bad",
        "good",
    ]
    assert (one.deletion < one.deletion_random).all() and one.informative.all()
    feed = make_feed(model, ["text"], {"text": ()}, {"text": "str"})
    scored = Scored(model, feed, ("yes",), "yes", "binary", "probabilities", 8, 8, (model.get_layer("yes"),))
    parts = integrate_embedding(scored, model.get_layer("vectors"), Asked([x], np.array([1, 0, 1])), 8)
    assert parts.sum(axis=1) == pytest.approx([3.6, 3.6, 3.6], rel=1e-4)  # the logit, or minus it for "no"


def test_maps_of_a_pass_are_bounded_and_leave_the_model_alone(k, model) -> None:
    """Both methods for the shown samples; the layers' own calls are back; a number in the plan is kept to."""
    y = RNG.integers(0, 3, 30)
    x = RNG.normal(size=(30, 8, 8, 2)).astype(np.float32)
    before = np.asarray(model(X))
    found = models.examine(model, {"": x}, {"": y}, saliency=2)
    assert [(one.method, one.layer) for one in found.saliency] == [("grad-cam", "second"), ("integrated-gradients", "")]
    for one in found.saliency:
        assert one.values.shape == (2, 8, 8) and (one.values >= 0).all() and len(one.positions) == 2
        assert ((one.deletion >= 0) & (one.deletion <= 1)).all()
    assert np.array_equal(np.asarray(model(X)), before)
    assert all("call" not in vars(layer) for layer in model.layers)
    hidden = models.examine(model, {"": x}, {"": y}, privacy="none")
    assert not hidden.saliency and "samples" in hidden.not_computed["saliency"]
    assert not models.examine(model, {"": x}, {"": y}, saliency=0).saliency


def test_a_model_that_ignores_its_input_has_no_informative_map(k) -> None:
    """All maps of a constant model are marked; so is one on an input that is a row of features."""
    layers = k.layers
    constant = k.Sequential([k.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2, "softmax")])
    constant.layers[-1].set_weights([np.zeros((72, 2), np.float32), np.array([1, 0], np.float32)])
    found = models.examine(constant, {"": X[..., :1]}, {"": np.zeros(5, int)})
    assert found.saliency and not any(one.informative.any() for one in found.saliency)
    rows = k.Sequential([k.Input((6,)), layers.Dense(2, "softmax")])
    assert "no input is" in models.examine(rows, {"": X[:, 0, :3].reshape(5, 6)}).not_computed["saliency"]


def test_deletion_prefers_the_true_map() -> None:
    """The score is one part: its map loses all at once, the opposite nothing to the end; random orders lie between."""
    truth = np.zeros(16)
    truth[5] = 1
    masks = plan_deletions([truth, -truth], 20, 0)
    good, bad = judge_deletions([truth, -truth], 1.0 - masks[:, 5], 20, relative_to_empty=False)
    assert (good.score, bad.score) == (0.0, 1.0) and good.informative and not bad.informative
    assert 0.2 < good.random < 0.8
    assert np.isnan(judge_deletions([truth], np.zeros(len(masks)), 20, relative_to_empty=True)[0].score)


def test_parts_cover_every_position_once() -> None:
    """Blocks of a grid, means of a map on it, and stretching a map."""
    grid = part_grid((10, 6))
    assert sorted(np.unique(grid)) == list(range(int(grid.max()) + 1)) and grid.max() < 64
    values = RNG.random((10, 6))
    means = salience_of_parts(values, grid)
    assert means[grid[3, 4]] == pytest.approx(values[grid == grid[3, 4]].mean())
    assert resize(np.array([[0.0, 1.0]]), (1, 4))[0].tolist() == [0, 0.25, 0.75, 1]


def test_effort_is_counted_in_work_not_in_time() -> None:
    """Everything for a small model, Grad-CAM alone for a MobileNet, for ResNet50 with a large batch; a wish is a wish."""
    assert choose_effort(AUTO, 10**6, True).samples == 4
    medium = choose_effort(AUTO, 300_000_000, True)
    assert medium.samples == 4 and not medium.integrate
    assert choose_effort(AUTO, 4_100_000_000, True, n=64).samples == 0
    assert choose_effort(AUTO, 4_100_000_000, True, n=1000).samples >= 2
    assert choose_effort(AUTO, 10**13, True).samples == 0
    assert choose_effort(9, 10**13, True).samples == 9
