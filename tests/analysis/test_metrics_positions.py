"""Segmentation, sequences, reconstruction and other outputs against scikit-learn, SciPy and counting by hand."""

import math

import numpy as np
import pytest
from scipy import ndimage, special, stats
from sklearn import metrics as sk

from reportgen.analysis.metrics import make_accumulator, score_samples
from reportgen.analysis.metrics.similarity import spatial_axes, ssim, window_size
from reportgen.analysis.unchanged import Unchanged, find_unchanged


def made(task, shape, scores, y, p, weights=None):
    accumulator = make_accumulator(task, shape=shape, classes=0, scores=scores)
    accumulator.update(y, p, weights)
    return accumulator


def by_name(accumulator):
    return {metric.name: metric for metric in accumulator.result()}


def masks(seed, n=20, size=(12, 11), classes=3):
    rng = np.random.default_rng(seed)
    y = np.zeros((n, *size), int)
    for label in range(1, classes):
        y[ndimage.gaussian_filter(rng.normal(size=(n, *size)), (0, *[1.5] * len(size))) > 0.25] = label
    logits = rng.normal(size=(n, *size, classes))
    np.put_along_axis(logits, y[..., None], np.take_along_axis(logits, y[..., None], -1) + 1.5, -1)
    return y, special.softmax(logits, axis=-1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [(12, 11), (40,), (5, 6, 7)])
def test_overlap_equals_scikit_learn(seed, size):
    y, p = masks(seed, size=size)
    answer = p.argmax(axis=-1)
    accumulator = made("segmentation", p.shape[1:], "probabilities", y, p)
    table, found = accumulator.per_class(), by_name(accumulator)
    flat, given = y.ravel(), answer.ravel()
    np.testing.assert_allclose(table.iou, sk.jaccard_score(flat, given, average=None))
    np.testing.assert_allclose(table.dice, sk.f1_score(flat, given, average=None))
    np.testing.assert_array_equal(accumulator.confusion, sk.confusion_matrix(flat, given))
    assert found["mean_iou"].value == pytest.approx(sk.jaccard_score(flat, given, average="macro"))
    assert found["pixel_accuracy"].value == pytest.approx((flat == given).mean())
    assert found["dice"].value == pytest.approx(table.dice[1:].mean())
    constant = np.full(flat.shape, np.bincount(flat).argmax())
    assert found["mean_iou"].baseline == pytest.approx(sk.jaccard_score(flat, constant, average="macro"))
    assert found["pixel_accuracy"].baseline == pytest.approx((flat == constant).mean())
    assert found["dice"].baseline == pytest.approx(sk.f1_score(flat, constant, average=None)[1:].mean())


def test_intervals_of_overlap_stand_on_samples_not_positions():
    y, p = masks(4, n=60)
    answer = p.argmax(axis=-1)
    found = by_name(made("segmentation", p.shape[1:], "probabilities", y, p))
    rng = np.random.default_rng(0)
    scores = {"mean_iou": [], "pixel_accuracy": [], "dice": []}
    for _ in range(300):
        rows = rng.integers(0, 60, 60)
        scores["mean_iou"].append(sk.jaccard_score(y[rows].ravel(), answer[rows].ravel(), average="macro"))
        scores["pixel_accuracy"].append((y[rows] == answer[rows]).mean())
        scores["dice"].append(sk.f1_score(y[rows].ravel(), answer[rows].ravel(), average=None)[1:].mean())
    for name, values in scores.items():
        assert [found[name].low, found[name].high] == pytest.approx(np.percentile(values, [2.5, 97.5]), abs=6e-3), name
        assert found[name].n == 60


def test_one_channel_is_a_mask_and_dice_is_per_sample():
    y = np.zeros((3, 4, 4), int)
    y[0, :2], y[1, 2] = 1, 1
    p = np.zeros((3, 4, 4, 1))
    p[0, :, :2], p[1, 2] = 0.9, 0.8
    accumulator = made("segmentation", (4, 4, 1), "probabilities", y[..., None].astype(bool), p)
    assert by_name(accumulator)["dice_per_sample"].value == pytest.approx((0.5 + 1 + 1) / 3)
    found = score_samples("segmentation", y, p, "probabilities")
    assert found.loss == pytest.approx([0.5, 0, 0])
    assert found.truth == pytest.approx([0.5, 0.25, 0]) and found.prediction == pytest.approx([0.5, 0.25, 0])
    logits = made("segmentation", (4, 4, 1), "logits", y, p - 0.5)
    assert by_name(logits)["dice_per_sample"].value == by_name(accumulator)["dice_per_sample"].value


def test_mistakes_at_boundaries_are_told_from_missed_regions():
    y = np.zeros((2, 30, 30), int)
    y[:, 5:15, 5:15] = 1
    shifted, invented = y[0].copy(), y[1].copy()
    shifted = np.roll(shifted, 1, axis=0)
    invented[22:26, 22:26] = 1
    answer = np.stack([shifted, invented])
    accumulator = made("segmentation", (30, 30, 2), "probabilities", y, np.eye(2)[answer])
    places = accumulator.mistake_places()
    assert (places.wrong, places.boundary, places.inside) == (20 + 16, 20, 16)
    assert by_name(accumulator)["boundary_mistakes"].value == pytest.approx(20 / 36)


def test_void_positions_are_left_out_and_counted():
    y, p = masks(5)
    void = y.copy()
    void[:, :3] = 255
    accumulator = made("segmentation", p.shape[1:], "probabilities", void, p)
    cut = made("segmentation", p[:, 3:].shape[1:], "probabilities", y[:, 3:], p[:, 3:])
    assert by_name(accumulator)["mean_iou"].value == by_name(cut)["mean_iou"].value
    assert any("660 positions" in note for note in accumulator.notes())
    blank = made("segmentation", p.shape[1:], "probabilities", np.full_like(y, 255), p)
    assert blank.n_labelled == 0 and any("no position with a known class" in note for note in blank.notes())


def test_one_hot_masks_equal_numbers():
    y, p = masks(6)
    numbers = made("segmentation", p.shape[1:], "probabilities", y, p)
    assert made("segmentation", p.shape[1:], "probabilities", np.eye(3)[y], p).result() == numbers.result()


def test_a_faultless_mask_does_not_claim_certainty():
    y, _ = masks(7, n=5)
    found = by_name(made("segmentation", (12, 11, 3), "probabilities", y, np.eye(3)[y]))
    for name in ("mean_iou", "dice", "pixel_accuracy", "dice_per_sample"):
        assert found[name].value == 1 and found[name].low < 0.7, name
    assert found["boundary_mistakes"].reason == "no position is wrong"


def sequences(seed, n=30, steps=9, tokens=15):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, tokens, (n, steps))
    logits = rng.normal(size=(n, steps, tokens))
    np.put_along_axis(logits, y[..., None], np.take_along_axis(logits, y[..., None], -1) + 1.5, -1)
    for row, length in enumerate(rng.integers(1, steps + 1, n)):
        y[row, length:] = -1
    return y, special.softmax(logits, axis=-1)


@pytest.mark.parametrize("seed", range(3))
def test_sequences_equal_scikit_learn_on_their_labelled_steps(seed):
    y, p = sequences(seed)
    known = y >= 0
    flat, shares = y[known], p[known]
    accumulator = made("sequence", (None, 15), "probabilities", y, p)
    found = by_name(accumulator)
    loss = sk.log_loss(flat, shares, labels=np.arange(15))
    assert found["token_accuracy"].value == pytest.approx(sk.accuracy_score(flat, shares.argmax(axis=1)))
    assert found["top_5_accuracy"].value == pytest.approx(
        sk.top_k_accuracy_score(flat, shares, k=5, labels=np.arange(15))
    )
    assert found["log_loss"].value == pytest.approx(loss, rel=1e-6)
    assert found["perplexity"].value == pytest.approx(math.exp(loss), rel=1e-6)
    assert found["token_accuracy"].baseline == pytest.approx(np.bincount(flat).max() / len(flat))
    assert found["perplexity"].baseline == pytest.approx(math.exp(stats.entropy(np.bincount(flat))))
    right = (p.argmax(axis=-1) == y) | ~known
    assert found["sequence_accuracy"].value == pytest.approx(right.all(axis=1).mean())
    rates = sk.precision_recall_fscore_support(flat, shares.argmax(axis=1), labels=np.arange(15), zero_division=np.nan)
    np.testing.assert_allclose(accumulator.per_class().f1, rates[2])
    np.testing.assert_allclose(accumulator.by_step().n, known.sum(axis=0)[: known.any(axis=0).sum()])


@pytest.mark.parametrize("form", ["minus 100", "weights", "one-hot", "column", "logits", "padded by the worker"])
def test_every_way_to_mask_steps_gives_the_same(form):
    y, p = sequences(3)
    known = y >= 0
    expected = by_name(made("sequence", (9, 15), "probabilities", y, p))
    weights, scores = None, "probabilities"
    if form == "minus 100":
        y = np.where(known, y, -100)
    elif form == "weights":
        y, weights = np.where(known, y, 3), known.astype(float)
    elif form == "one-hot":
        y = np.where(known[..., None], np.eye(15)[y], 0)
    elif form == "column":
        y = y[..., None]
    elif form == "logits":
        p, scores = np.log(p) + 7, "logits"
    else:
        y = np.pad(y, ((0, 0), (0, 4)), constant_values=-1)
        p = np.pad(p, ((0, 0), (0, 4), (0, 0)))
    found = by_name(made("sequence", (None, 15), scores, y, p, weights))
    for name, metric in expected.items():
        assert found[name].value == pytest.approx(metric.value), name
        assert found[name].low == pytest.approx(metric.low), name


def test_intervals_of_tokens_stand_on_sequences():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, (80, 20))
    good = rng.random(80) < 0.5
    answer = np.where(good[:, None] | (rng.random((80, 20)) < 0.2), y, (y + 1) % 4)
    metric = by_name(made("sequence", (20, 4), "probabilities", y, np.eye(4)[answer]))["token_accuracy"]
    right = (answer == y).mean(axis=1)
    assert (metric.low, metric.high) == pytest.approx(stats.t.interval(0.95, 79, right.mean(), stats.sem(right)))


def test_zeros_that_look_like_padding_are_pointed_out():
    y, p = sequences(4)
    notes = made("sequence", (9, 15), "probabilities", np.maximum(y, 0), p).notes()
    assert any("If 0 is padding" in note for note in notes)
    clean = made("sequence", (9, 15), "probabilities", np.where(y == 0, 1, y), p).notes()
    assert not any("padding" in note for note in clean)


def test_length_against_error():
    y = np.asarray([[1, -1, -1, -1], [1, 1, -1, -1], [1, 1, 1, 1], [1, 1, 1, 0]])
    answer = np.asarray([[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    table = made("sequence", (4, 2), "probabilities", y, np.eye(2)[answer]).by_length()
    assert table.low.tolist() == [1, 2, 4] and table.high.tolist() == [1, 3, 7]
    assert table.sequences.tolist() == [1, 1, 2] and table.accuracy == pytest.approx([1, 0.5, 1 / 8])


def test_a_large_vocabulary_keeps_no_matrix():
    y = np.random.default_rng(0).integers(0, 30_000, (2, 5))
    p = np.full((2, 5, 30_000), 1e-5, "f4")
    accumulator = made("sequence", (5, 30_000), "probabilities", y, p)
    assert accumulator.confusion is None and accumulator.block() is None and accumulator.confused_pairs() == ()
    assert by_name(accumulator)["perplexity"].value == pytest.approx(1e5, rel=1e-3)


def test_scores_that_are_not_probabilities_have_accuracy_but_no_perplexity():
    y, p = sequences(5)
    found = by_name(made("sequence", (9, 15), "scores", y, np.log(p)))
    expected = by_name(made("sequence", (9, 15), "probabilities", y, p))
    assert found["token_accuracy"].value == expected["token_accuracy"].value
    assert math.isnan(found["perplexity"].value) and "not probabilities" in found["perplexity"].reason


def reference_ssim(a, b, span):
    """Return SSIM with a uniform window of 7 and sample covariances, by SciPy's filter."""
    channels = []
    for c in range(a.shape[-1]):
        x, y = a[..., c], b[..., c]
        mean = [ndimage.uniform_filter(values, 7) for values in (x, y, x * x, y * y, x * y)]
        factor = 49 / 48
        vx, vy = factor * (mean[2] - mean[0] ** 2), factor * (mean[3] - mean[1] ** 2)
        vxy = factor * (mean[4] - mean[0] * mean[1])
        c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
        top = (2 * mean[0] * mean[1] + c1) * (2 * vxy + c2)
        whole = top / ((mean[0] ** 2 + mean[1] ** 2 + c1) * (vx + vy + c2))
        channels.append(whole[3:-3, 3:-3].mean())
    return np.mean(channels)


@pytest.mark.parametrize(("span", "channels"), [(1.0, 1), (1.0, 3), (255.0, 3)])
def test_ssim_equals_the_reference(span, channels):
    rng = np.random.default_rng(0)
    a = ndimage.gaussian_filter(rng.random((4, 20, 17, channels)), (0, 2, 2, 0)) * span
    b = a + rng.normal(0, 0.05 * span, a.shape)
    expected = [reference_ssim(one, two, span) for one, two in zip(a, b, strict=True)]
    np.testing.assert_allclose(ssim(a, b, (span,))[:, 0], expected, rtol=1e-7)
    np.testing.assert_allclose(ssim(a, a, (span,))[:, 0], 1.0)


def test_windows_fit_small_outputs():
    assert [window_size((size,)) for size in (1, 2, 3, 4, 6, 7, 8, 50)] == [0, 0, 3, 3, 5, 7, 7, 7]
    assert spatial_axes((784,)) == () and spatial_axes((28, 28)) == (0, 1) and spatial_axes((128, 1)) == (0,)
    assert spatial_axes((8, 8, 3)) == (0, 1) and spatial_axes((4, 8, 8, 3)) == (0, 1, 2)
    assert np.isnan(ssim(np.zeros((2, 5)), np.zeros((2, 5)), (1.0,))).all()
    assert ssim(np.zeros((2, 9, 1)), np.zeros((2, 9, 1)), (1.0,)) == pytest.approx(1)


def pictures(seed, n=25, scale=1.0, offset=0.0):
    rng = np.random.default_rng(seed)
    y = ndimage.gaussian_filter(rng.random((n, 10, 9, 1)), (0, 1, 1, 0)) * scale + offset
    return y, y + rng.normal(0.01, 0.05, y.shape) * scale


def test_reconstruction_metrics_by_hand():
    y, p = pictures(0)
    accumulator = made("reconstruction", (10, 9, 1), "values", y, p)
    found = by_name(accumulator)
    mse = ((p - y) ** 2).mean(axis=(1, 2, 3))
    assert found["mse"].value == pytest.approx(mse.mean())
    assert found["mae"].value == pytest.approx(np.abs(p - y).mean())
    assert found["psnr"].value == pytest.approx((10 * np.log10(1 / mse)).mean())
    expected = stats.t.interval(0.95, 24, found["psnr"].value, stats.sem(10 * np.log10(mse)))
    assert (found["psnr"].low, found["psnr"].high) == pytest.approx(expected)
    assert found["ssim"].value == pytest.approx(np.mean([reference_ssim(a, b, 1.0) for a, b in zip(y, p, strict=True)]))
    assert found["bias"].value == pytest.approx((p - y).mean())
    assert found["mse"].baseline == pytest.approx(((y - y.mean(axis=0)) ** 2).mean())
    assert found["psnr"].baseline == pytest.approx(-10 * math.log10(((y - y.mean(axis=0)) ** 2).mean()))
    np.testing.assert_allclose(accumulator.error_map(), np.abs(p - y).mean(axis=0))
    np.testing.assert_allclose(accumulator.mean_target(), y.mean(axis=0))
    assert accumulator.quantiles(np.asarray([0.5]))[0] == pytest.approx(np.median(mse))
    found = score_samples("reconstruction", y, p, "values")
    np.testing.assert_allclose(found.loss, mse)


@pytest.mark.parametrize(
    ("scale", "offset", "span"), [(1, 0, 1), (2, -1, 2), (200, 0, 255), (9, 0, 10), (5, -2, 10), (600, -300, 65_535)]
)
def test_the_range_of_values_is_found_and_said(scale, offset, span):
    y, p = pictures(1, scale=scale, offset=offset)
    y[0, 0, 0], y[0, 0, 1] = offset, scale + offset
    accumulator = made("reconstruction", (10, 9, 1), "values", y, p)
    assert accumulator.value_range == span
    assert any(f"take {span:g} as the range" in note for note in accumulator.notes())


def test_faultless_outputs_are_left_out_of_psnr_and_said():
    y, p = pictures(2)
    p[:3] = y[:3]
    accumulator = made("reconstruction", (10, 9, 1), "values", y, p)
    assert by_name(accumulator)["psnr"].n == 22
    assert any("3 outputs equal their target" in note for note in accumulator.notes())
    same = by_name(made("reconstruction", (10, 9, 1), "values", y, y))
    assert same["psnr"].reason == "every output equals its target" and same["ssim"].value == pytest.approx(1)


def test_rows_and_pictures_without_a_channel_work():
    rng = np.random.default_rng(0)
    rows = made("reconstruction", (100,), "values", rng.random((5, 100)), rng.random((5, 100)))
    assert "too small for a window" in by_name(rows)["ssim"].reason
    y, p = pictures(3)
    assert by_name(made("reconstruction", (10, 9, 1), "values", y[..., 0], p))["mse"].value == pytest.approx(
        ((p - y) ** 2).mean()
    )


def test_other_outputs_are_described():
    rng = np.random.default_rng(0)
    p = rng.normal(3, 2, (200, 6))
    p[:, 4], p[0, 0], p[1, 1] = 0, math.nan, math.inf
    accumulator = made("other", (6,), "values", np.zeros(200), p)
    facts = accumulator.distribution()
    good = p[np.isfinite(p)]
    assert (facts.nan, facts.inf, facts.zeros, facts.values) == (1, 1, 200, 1_200)
    assert (facts.low, facts.high) == (good.min(), good.max())
    assert facts.mean == pytest.approx(good.mean()) and facts.std == pytest.approx(good.std())
    assert facts.constant_units == 1 and facts.units == 6
    edges, counts = accumulator.histogram(12)
    assert counts.sum() == 198 * 6 and len(edges) == 13
    found = by_name(accumulator)
    assert found["output_norm"].value == pytest.approx(np.linalg.norm(p[2:], axis=1).mean())
    assert not any(metric.headline for metric in found.values())


def test_the_input_itself_is_the_baseline_of_image_to_image():
    y, p = pictures(3)
    x = y + np.random.default_rng(1).normal(0, 0.08, y.shape)
    accumulator = made("reconstruction", (10, 9, 1), "values", y, p)
    link = find_unchanged({"noisy": x}, y)
    assert link == Unchanged("noisy", 1)
    accumulator.add_unchanged(y, p, link.of(x), link.times)
    found = by_name(accumulator)
    mse = ((x - y) ** 2).mean(axis=(1, 2, 3))
    assert found["mse"].baseline == pytest.approx(mse.mean()) and found["mse"].baseline_name == "the input unchanged"
    assert found["psnr"].baseline == pytest.approx((10 * np.log10(1 / mse)).mean())
    assert found["ssim"].baseline == pytest.approx(
        np.mean([reference_ssim(a, b, 1.0) for a, b in zip(y, x, strict=True)])
    )
    assert found["mae"].baseline == pytest.approx(np.abs(x - y).mean())
    accumulator.add_unchanged(y, p, x + 50, 1)  # a mean target nearer than the input is the harder baseline
    assert by_name(accumulator)["mse"].baseline_name == "always the mean target"


def test_the_input_stands_for_the_output_only_where_it_could():
    y = pictures(3)[0][:, :8, :8]
    small = y[:, ::2, ::2]
    assert find_unchanged({"small": small}, y) == Unchanged("small", 2)
    np.testing.assert_array_equal(Unchanged("small", 2).of(small)[:, ::2, ::2], small)
    assert Unchanged("small", 2).of(small).shape == y.shape
    assert find_unchanged({"bytes": y * 255}, y) is None, "another range"
    assert find_unchanged({"same": y}, y) is None, "an autoencoder's input is its target"
    assert find_unchanged({"row": y.reshape(len(y), -1), "words": np.full(y.shape, "a")}, y) is None
    assert find_unchanged({"wide": y[:, ::2, :]}, y) is None and find_unchanged({"x": y}, None) is None
