"""Saliency where every position or step has a class: which part is explained, and that the map is about that part."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen.worker.attribution import Asked, integrate_input
from reportgen.worker.feed import make_feed
from reportgen.worker.score import Scored, choose_region, choose_step
from tests.worker import models

RNG = np.random.default_rng(3)


def test_the_largest_class_but_the_background_is_explained_where_it_is_predicted() -> None:
    rows = np.eye(3)[[0, 0, 0, 0, 1, 2, 2]]
    assert choose_region(rows).tolist() == [-1, -1, -1, -1, -1, 2, 2]
    assert choose_region(rows[:4]).tolist() == [0, 0, 0, 0]  # nothing but background


def test_the_surest_step_that_differs_from_the_most_common_answer_is_explained() -> None:
    rows = np.array([[0.9, 0.1, 0], [0.99, 0.01, 0], [0.3, 0.6, 0.1], [0.1, 0.2, 0.7], [0.8, 0.2, 0]])
    assert choose_step(rows).tolist() == [-1, -1, -1, 2, -1]
    assert choose_step(rows[[0, 1, 4]]).tolist() == [-1, 0, -1]


@pytest.fixture(scope="module")
def k():
    return models.keras()


@pytest.mark.keras
@pytest.mark.parametrize("channels", [1, 3])
def test_a_regions_map_lies_where_the_region_looks_and_adds_up_to_its_mean_logit(k, channels: int) -> None:
    last = k.layers.Conv2D(
        channels, 3, padding="same", activation="softmax" if channels > 1 else "sigmoid", name="mask"
    )
    image = k.Input((6, 6, 2), name="image")
    model = k.Model(image, last(image))
    x = RNG.normal(size=(3, 6, 6, 2)).astype(np.float32)
    feed = make_feed(model, ["image"], {"image": (6, 6, 2)}, {"image": "float32"})
    scored = Scored(model, feed, ("mask",), "mask", "segmentation", "probabilities", 50, 50, (last,))
    predicted = scored.predict([x])
    chosen = scored.choose(predicted)
    chosen[0] = np.where(np.arange(36) == 7, max(1, chosen[0].max()), -1)  # one position alone: row 1, column 1
    read = scored.read(predicted, chosen)
    p = predicted[0, 1, 1]
    assert read[0] == pytest.approx(p[0] if channels == 1 else p[chosen[0].max()], abs=1e-6)
    assert scored.score([x[[0, 1, 1]]], chosen, np.array([0, 1, 1])) == pytest.approx(read[[0, 1, 1]], abs=1e-6)
    found = integrate_input(scored, 0, Asked([x], chosen), np.zeros((6, 6, 2), np.float32), 8)
    assert np.abs(found[0, :3, :3]).min() > 0 and not found[0, 3:].any() and not found[0, :, 3:].any()
    weights, bias = (np.asarray(v) for v in (last.kernel, last.bias))
    column = 0 if channels == 1 else chosen[0].max()
    assert found[0].sum() == pytest.approx(float((x[0, :3, :3] * weights[..., column]).sum()), abs=1e-4)
    assert bias.shape == (channels,)


@pytest.mark.keras
def test_segmentation_and_tags_are_explained_and_say_what(k) -> None:
    """A small encoder and decoder, and one class a step, through the whole pass."""
    image = k.Input((8, 8, 1), name="image")
    y = k.layers.Conv2D(4, 3, padding="same", activation="relu", name="down")(image)
    y = k.layers.Conv2D(4, 3, padding="same", activation="relu", name="middle")(k.layers.MaxPooling2D()(y))
    y = k.layers.UpSampling2D()(y)
    model = k.Model(image, k.layers.Conv2D(3, 1, activation="softmax", name="mask")(y))
    x = RNG.normal(size=(10, 8, 8, 1)).astype(np.float32)
    found = models.examine(model, {"": x}, {"": RNG.integers(0, 3, (10, 8, 8))}, tasks={"": "segmentation"})
    (one,) = found.saliency
    assert (one.method, one.values.shape) == ("integrated-gradients", (4, 8, 8))
    assert all(part.endswith("of 64 positions") for part in one.explained)
    assert "saliency" not in found.not_computed

    words = k.Input((5,), dtype="int32", name="words")
    tags = k.layers.Dense(3, activation="softmax", name="tag")(k.layers.Embedding(9, 4, name="vectors")(words))
    tokens = RNG.integers(1, 9, (10, 5))
    found = models.examine(
        k.Model(words, tags), {"": tokens}, {"": RNG.integers(0, 3, (10, 5))}, tasks={"": "sequence"}
    )
    one = found.saliency[0]
    steps = [int(part.split()[1]) - 1 for part in one.explained]
    # No step sees another one: only the explained one can count.
    assert all(
        (row > 0).sum() <= 1 and not np.delete(row, step).any() for row, step in zip(one.values, steps, strict=True)
    )


@pytest.mark.keras
def test_volumes_and_short_sequences_of_features_are_explained(k) -> None:
    volume = k.Input((4, 6, 6, 1), name="volume")
    y = k.layers.Conv3D(3, 3, padding="same", activation="relu", name="conv")(volume)
    model = k.Model(volume, k.layers.Dense(2, activation="softmax")(k.layers.GlobalAveragePooling3D()(y)))
    found = models.examine(model, {"": RNG.normal(size=(8, 4, 6, 6, 1)).astype(np.float32)}, {"": np.arange(8) % 2})
    assert [(one.layer, one.values.shape) for one in found.saliency] == [("conv", (4, 4, 6, 6)), ("", (4, 4, 6, 6))]

    steps = k.Input((6, 3), name="steps")
    model = k.Model(steps, k.layers.Dense(2, activation="softmax")(k.layers.GRU(4)(steps)))
    found = models.examine(model, {"": RNG.normal(size=(8, 6, 3)).astype(np.float32)}, {"": np.arange(8) % 2})
    assert [one.values.shape for one in found.saliency] == [(4, 6)]
