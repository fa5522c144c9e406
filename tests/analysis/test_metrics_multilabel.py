"""Multilabel metrics against scikit-learn."""

import math
import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from reportgen.analysis.metrics import label_scores, make_accumulator
from reportgen.analysis.metrics.multilabel import Multilabel


def made(y, p, scores="probabilities"):
    accumulator = make_accumulator("multilabel", shape=(p.shape[1],), classes=0, scores=scores)
    accumulator.update(y, p)
    return accumulator


def by_name(accumulator):
    return {metric.name: metric for metric in accumulator.result()}


def data(seed, n=250, labels=6):
    rng = np.random.default_rng(seed)
    y = (rng.random((n, labels)) < rng.uniform(0.05, 0.6, labels)).astype(int)
    p = 1 / (1 + np.exp(-(rng.normal(size=(n, labels)) + 2 * y - 1)))
    return y, p


@pytest.mark.parametrize("seed", range(6))
def test_multilabel_equals_scikit_learn(seed):
    y, p = data(seed)
    given = (p > 0.5).astype(int)
    found = by_name(made(y, p))
    expected = {
        "f1_micro": sk.f1_score(y, given, average="micro"),
        "f1_macro": sk.f1_score(y, given, average="macro"),
        "map": sk.average_precision_score(y, p, average="macro"),
        "subset_accuracy": sk.accuracy_score(y, given),
        "hamming_loss": sk.hamming_loss(y, given),
        "brier": ((p - y) ** 2).mean(),
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=1e-12), name
        assert found[name].low <= value <= found[name].high, name
    table = made(y, p).per_label()
    rates = sk.precision_recall_fscore_support(y, given, zero_division=np.nan)
    for one, two in zip((table.precision, table.recall, table.f1, table.support), rates, strict=True):
        np.testing.assert_allclose(one, two)
    np.testing.assert_allclose(table.roc_auc, sk.roc_auc_score(y, p, average=None))


def test_log_loss_is_the_mean_over_labels():
    y, p = data(1)
    expected = np.mean([sk.log_loss(y[:, i], p[:, i]) for i in range(6)])
    assert by_name(made(y, p))["log_loss"].value == pytest.approx(expected, rel=1e-6)


def test_baselines_are_what_constant_answers_would_get():
    y, p = data(2)
    found = by_name(made(y, p))
    every, none = np.ones_like(y), np.zeros_like(y)
    assert found["f1_micro"].baseline == pytest.approx(sk.f1_score(y, every, average="micro"))
    assert found["f1_macro"].baseline == pytest.approx(sk.f1_score(y, every, average="macro"))
    assert found["subset_accuracy"].baseline == pytest.approx(sk.accuracy_score(y, none))
    common = np.tile((y.mean(axis=0) > 0.5).astype(int), (len(y), 1))
    assert found["hamming_loss"].baseline == pytest.approx(sk.hamming_loss(y, common))
    assert found["map"].baseline == pytest.approx(y.mean(axis=0).mean())


def test_mistakes_are_counted_together():
    y = np.asarray([[1, 0, 0], [1, 0, 0], [0, 0, 1]])
    p = np.asarray([[0.1, 0.9, 0.1], [0.2, 0.8, 0.3], [0.1, 0.2, 0.9]])
    accumulator = made(y, p)
    assert accumulator.mistakes_together().tolist() == [[2, 2, 0], [2, 2, 0], [0, 0, 0]]
    assert accumulator.swaps().tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 0]]


def test_single_unknown_labels_are_left_out_alone():
    y, p = data(3)
    holes = y.astype(float)
    holes[::3, 1], holes[1::5, 2] = math.nan, -1
    accumulator = made(holes, p)
    table = accumulator.per_label()
    known = np.arange(250) % 3 != 0
    assert table.n[1] == known.sum()
    assert table.average_precision[1] == pytest.approx(sk.average_precision_score(y[known, 1], p[known, 1]))
    assert any("left out alone" in note for note in accumulator.notes())
    assert accumulator.n_labelled == 250


def test_a_label_that_never_occurs_is_not_averaged():
    y, p = data(4)
    y[:, 0] = 0
    p[:, 0] = 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = by_name(made(y, p))
        assert found["map"].value == pytest.approx(sk.average_precision_score(y[:, 1:], p[:, 1:]))
        assert found["f1_macro"].value == pytest.approx(sk.f1_score(y[:, 1:], p[:, 1:] > 0.5, average="macro"))
    empty = by_name(made(np.zeros((9, 2)), np.full((9, 2), 0.1)))
    assert empty["map"].reason and empty["f1_micro"].reason
    assert empty["subset_accuracy"].value == 1 and empty["subset_accuracy"].low < 0.8


def test_many_labels_are_binned_with_a_stated_error(monkeypatch):
    monkeypatch.setattr(label_scores, "EXACT_VALUES", 1_000)
    y, p = data(5, n=2_000)
    accumulator = made(y[:900], p[:900])
    accumulator.update(y[900:], p[900:])
    assert accumulator._scores.binned
    assert by_name(accumulator)["map"].value == pytest.approx(sk.average_precision_score(y, p), abs=2e-3)
    assert any("1,024 bins" in note for note in accumulator.notes())
    plain = made(y, np.log(p / (1 - p)), "scores")
    assert by_name(plain)["map"].value == pytest.approx(sk.average_precision_score(y, p), abs=5e-3)
    restored = Multilabel.from_state(accumulator.state())
    assert restored.result() == accumulator.result()


def test_past_two_hundred_labels_pairs_are_not_kept():
    y, p = data(6, n=30, labels=201)
    accumulator = made(y, p)
    assert accumulator.swaps() is None
    found = by_name(accumulator)
    assert math.isnan(found["f1_macro"].low) and not math.isnan(found["f1_micro"].low)
