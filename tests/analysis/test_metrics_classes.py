"""Multiclass and binary metrics against scikit-learn, on random and degenerate data."""

import math
import warnings

import numpy as np
import pytest
from scipy import special
from sklearn import metrics as sk

from reportgen.analysis.metrics import averages as module
from reportgen.analysis.metrics import make_accumulator, score_samples
from reportgen.analysis.metrics.binary import Binary
from reportgen.analysis.metrics.multiclass import Multiclass
from reportgen.analysis.metrics.pairs import PairCounts


@pytest.fixture(autouse=True)
def _quiet_scikit_learn():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="sklearn")
        yield


def multiclass(y, p, scores="probabilities"):
    accumulator = make_accumulator("multiclass", shape=(p.shape[1],), classes=0, scores=scores)
    accumulator.update(y, p)
    return accumulator


def binary(y, p, scores="probabilities"):
    accumulator = make_accumulator("binary", shape=p.shape[1:], classes=0, scores=scores)
    accumulator.update(y, p)
    return accumulator


def values(accumulator):
    return {metric.name: metric.value for metric in accumulator.result()}


def by_name(accumulator):
    return {metric.name: metric for metric in accumulator.result()}


def random_classes(seed, n=400, classes=7, skew=True):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(classes) * (0.5 if skew else 100))
    y = rng.choice(classes, n, p=weights)
    logits = rng.normal(size=(n, classes))
    logits[np.arange(n), y] += rng.normal(1, 1, n)
    return y, special.softmax(logits, axis=1)


def scikit_learn_multiclass(y, p):
    top = p.argmax(axis=1)
    labels = np.arange(p.shape[1])
    expected = {
        "accuracy": sk.accuracy_score(y, top),
        "balanced_accuracy": sk.balanced_accuracy_score(y, top),
        "mcc": sk.matthews_corrcoef(y, top),
        "log_loss": sk.log_loss(y, np.clip(p, 1e-7, 1), labels=labels),
        "brier": np.mean(((p - np.eye(len(labels))[y]) ** 2).sum(axis=1)),
    }
    for average in ("macro", "weighted"):
        rates = sk.precision_recall_fscore_support(y, top, average=average, zero_division=0)
        expected |= {f"{name}_{average}": rates[i] for i, name in enumerate(("precision", "recall", "f1"))}
    for k in (3, 5):
        if len(labels) >= 2 * k - 1:
            expected[f"top_{k}_accuracy"] = sk.top_k_accuracy_score(y, p, k=k, labels=labels)
    if len(labels) <= 30:
        occurring = [c for c in labels if 0 < (y == c).sum() < len(y)]
        expected["roc_auc_ovr"] = np.mean([sk.roc_auc_score(y == c, p[:, c]) for c in occurring])
    return expected


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("classes", "n"), [(3, 50), (7, 400), (12, 90), (40, 200)])
def test_multiclass_equals_scikit_learn(seed, classes, n):
    y, p = random_classes(seed, n, classes)
    found = values(multiclass(y, p))
    for name, expected in scikit_learn_multiclass(y, p).items():
        assert found[name] == pytest.approx(expected, rel=1e-9, abs=1e-12), name


def test_the_per_class_table_and_the_confusion_matrix_equal_scikit_learn():
    y, p = random_classes(3)
    accumulator = multiclass(y, p)
    top = p.argmax(axis=1)
    np.testing.assert_array_equal(accumulator.confusion, sk.confusion_matrix(y, top, labels=np.arange(7)))
    table = accumulator.per_class()
    rates = sk.precision_recall_fscore_support(y, top, labels=np.arange(7), zero_division=np.nan)
    for found, expected in zip((table.precision, table.recall, table.f1, table.support), rates, strict=True):
        np.testing.assert_allclose(found, expected)
    assert (table.recall_low <= table.recall).all() and (table.recall <= table.recall_high).all()


@pytest.mark.parametrize("classes", [2, 5])
def test_one_class_in_the_labels_is_a_result_not_a_crash(classes):
    y = np.full(20, 1)
    p = np.full((20, classes), 0.4 / (classes - 1))
    p[:, 1] = 0.6
    found = by_name(multiclass(y, p))
    assert found["accuracy"].value == 1 and found["accuracy"].baseline == 1
    assert found["mcc"].value == 0
    assert found["f1_macro"].low == pytest.approx(found["accuracy"].low)
    assert found["log_loss"].value == pytest.approx(-math.log(0.6))


def test_ties_go_to_the_lower_class_in_accuracy_and_top_k_alike():
    p = np.full((4, 10), 0.1)
    found = values(multiclass(np.asarray([0, 1, 2, 9]), p))
    assert found["accuracy"] == 0.25
    assert found["top_3_accuracy"] == 0.75
    assert found["top_5_accuracy"] == 0.75


def test_nan_scores_and_bad_labels_are_counted_and_left_out():
    y, p = random_classes(1, 100)
    bad_p, bad_y = p.copy(), y.astype(float)
    bad_p[:4, 2] = [math.nan, math.inf, -math.inf, math.nan]
    bad_y[4:9] = [7, -1, 2.5, math.nan, math.inf]
    accumulator = multiclass(bad_y, bad_p)
    assert values(accumulator) == pytest.approx(values(multiclass(y[9:], p[9:])))
    assert accumulator.n == 100 and accumulator.n_labelled == 91
    notes = " ".join(accumulator.notes())
    assert "5 of 100 labels are not whole numbers in 0..6" in notes
    assert "4 of 100 predictions hold NaN or Inf" in notes
    assert accumulator.predicted.sum() == 96


@pytest.mark.parametrize(
    "form",
    ["int8", "uint64", "float32", "column", "one-hot", "one-hot bool", "soft", "float column"],
)
def test_every_form_of_label_is_understood(form):
    y, p = random_classes(2, 60)
    one_hot = np.eye(7)[y]
    label = {
        "int8": y.astype("i1"),
        "uint64": y.astype("u8"),
        "float32": y.astype("f4"),
        "column": y[:, None],
        "one-hot": one_hot,
        "one-hot bool": one_hot.astype(bool),
        "soft": one_hot * 0.9 + 0.1 / 7,
        "float column": y[:, None].astype("f8"),
    }[form]
    assert values(multiclass(label, p)) == values(multiclass(y, p))


def test_rows_that_name_no_or_several_classes_are_invalid():
    rows = np.asarray([[0, 0, 0], [1, 1, 0], [0, math.nan, 1], [0, 1, 0], [-1, 0, -1]])
    accumulator = multiclass(rows, np.full((5, 3), 1 / 3))
    assert accumulator.n_labelled == 1


def test_logits_become_probabilities_and_scores_never_do():
    y, p = random_classes(4)
    logits = np.log(p) + 100
    assert values(multiclass(y, logits, "logits")) == pytest.approx(values(multiclass(y, p)))
    plain = multiclass(y, logits, "scores")
    found = by_name(plain)
    assert found["accuracy"].value == values(multiclass(y, p))["accuracy"]
    for name in ("log_loss", "brier", "ece"):
        assert math.isnan(found[name].value) and "not probabilities" in found[name].reason
    assert plain.reliability() is None and plain.confidence_histogram() is None
    assert np.isnan(score_samples("multiclass", y, logits, "scores").confidence).all()


def test_calibration_and_confidence_count_the_same_samples():
    y, p = random_classes(5)
    accumulator = multiclass(y, p)
    top, sure = p.argmax(axis=1), p.max(axis=1)
    histogram = accumulator.confidence_histogram()
    np.testing.assert_array_equal(histogram.right, np.histogram(sure[top == y], histogram.edges)[0])
    np.testing.assert_array_equal(histogram.wrong, np.histogram(sure[top != y], histogram.edges)[0])
    assert histogram.unlabelled.sum() == 0
    bins = accumulator.reliability()
    assert bins.n.sum() == len(y) and values(accumulator)["ece"] == bins.ece
    unlabelled = multiclass(None, p).confidence_histogram()
    assert unlabelled.unlabelled.sum() == len(y) and unlabelled.right.sum() == 0


def test_baselines_are_what_a_constant_model_would_get():
    y, p = random_classes(6, 500, 5)
    constant = np.zeros((500, 5))
    constant[:, np.bincount(y).argmax()] = 1
    found, plain = by_name(multiclass(y, p)), values(multiclass(y, constant))
    for name in ("accuracy", "balanced_accuracy", "f1_macro", "precision_weighted", "mcc", "top_3_accuracy"):
        if name != "top_3_accuracy":
            assert found[name].baseline == pytest.approx(plain[name]), name
    prior = np.tile(np.bincount(y, minlength=5) / 500, (500, 1))
    plain = values(multiclass(y, prior))
    for name in ("top_3_accuracy", "log_loss", "brier"):
        assert found[name].baseline == pytest.approx(plain[name]), name


def test_intervals_of_averages_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    big_y, big_p = random_classes(11, 40_000, 4, skew=False)
    truth = values(multiclass(big_y, big_p))
    inside = dict.fromkeys(("f1_macro", "balanced_accuracy", "mcc", "log_loss", "accuracy"), 0)
    for _ in range(60):
        rows = rng.choice(40_000, 150, replace=False)
        for name, metric in by_name(multiclass(big_y[rows], big_p[rows])).items():
            if name in inside:
                inside[name] += metric.low <= truth[name] <= metric.high
    assert min(inside.values()) >= 50, inside


def test_pairs_order_and_block_show_what_is_confused():
    y = np.repeat(np.arange(40), 50)
    answer = y.copy()
    answer[3 * 50 : 3 * 50 + 20] = 17
    answer[17 * 50 : 17 * 50 + 15] = 29
    answer[5 * 50 : 5 * 50 + 2] = 6
    accumulator = multiclass(y, np.eye(40)[answer])
    pairs = accumulator.confused_pairs(2)
    assert [(pair.truth, pair.prediction, pair.count, pair.share) for pair in pairs] == [
        (3, 17, 20, 0.4),
        (17, 29, 15, 0.3),
    ]
    order = accumulator.ordering()
    assert sorted(order) == list(range(40))
    place = {label: i for i, label in enumerate(order)}
    assert abs(place[3] - place[17]) == 1 and abs(place[17] - place[29]) == 1
    block = accumulator.block(4)
    assert set(block.classes) >= {3, 17, 29} and not block.whole
    assert block.counts.shape == (len(block.classes),) * 2
    assert block.mistakes == 35 and block.all_mistakes == 37
    assert accumulator.block(40).whole and accumulator.block(40).counts.sum() == 2_000


def test_without_mistakes_classes_keep_their_order():
    y = np.arange(12)
    accumulator = multiclass(y, np.eye(12))
    assert accumulator.ordering() == tuple(range(12))
    assert accumulator.confused_pairs() == ()
    assert accumulator.block(5).counts.sum() == 0


def test_ten_thousand_classes_stay_small():
    rng = np.random.default_rng(0)
    accumulator = Multiclass(shape=(10_000,), scores="probabilities")
    labels = rng.integers(0, 10_000, 50)
    p = np.full((50, 10_000), 1e-5, "f4")
    p[np.arange(50), labels] = 0.9
    accumulator.update(labels, p)
    assert accumulator.confusion is None
    assert sum(value.nbytes for value in accumulator.state().values()) < 200_000
    assert values(accumulator)["accuracy"] == 1
    assert len(accumulator.block().classes) <= 30


def test_sparse_and_dense_counts_agree():
    rng = np.random.default_rng(0)
    truth, answer = rng.integers(0, 30, 500), rng.integers(0, 30, 500)
    dense, sparse = PairCounts(30), PairCounts(30)
    sparse.dense, sparse._matrix = False, np.zeros(0, np.int64)
    for part in np.array_split(np.arange(500), 7):
        dense.add(truth[part], answer[part])
        sparse.add(truth[part], answer[part])
    for one, two in zip(dense.cells(), sparse.cells(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_weights_are_accepted_ignored_and_said():
    y, p = random_classes(1, 50)
    accumulator = make_accumulator("multiclass", shape=(7,), classes=0, scores="probabilities")
    accumulator.update(y, p, np.arange(50.0))
    assert accumulator.result() == multiclass(y, p).result()
    assert any("weights" in note for note in accumulator.notes())


def test_worst_samples_by_loss_are_the_most_confident_mistakes():
    p = np.asarray([[0.99, 0.01], [0.6, 0.4], [0.1, 0.9]])
    found = score_samples("multiclass", np.asarray([1, 1, 1]), p, "probabilities")
    assert found.loss.argsort().tolist() == [2, 1, 0]
    margin = score_samples("multiclass", np.asarray([1, 1, 1]), p * 50, "scores")
    assert margin.loss.argsort().tolist() == [2, 1, 0] and margin.loss[2] < 0


def random_flags(seed, n=300, ties=False):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.3).astype(int)
    p = special.expit(rng.normal(size=n) + 1.5 * y - 1)
    return y, np.round(p, 1) if ties else p


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ties", [False, True])
def test_binary_equals_scikit_learn(seed, ties):
    y, p = random_flags(seed, ties=ties)
    answer = (p > 0.5).astype(int)
    found = values(binary(y, p))
    expected = {
        "accuracy": sk.accuracy_score(y, answer),
        "roc_auc": sk.roc_auc_score(y, p),
        "average_precision": sk.average_precision_score(y, p),
        "precision": sk.precision_score(y, answer),
        "recall": sk.recall_score(y, answer),
        "specificity": sk.recall_score(y, answer, pos_label=0),
        "f1": sk.f1_score(y, answer),
        "balanced_accuracy": sk.balanced_accuracy_score(y, answer),
        "mcc": sk.matthews_corrcoef(y, answer),
        "log_loss": sk.log_loss(y, np.clip(p, 1e-7, 1 - 1e-7)),
        "brier": sk.brier_score_loss(y, p),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-6 if name == "log_loss" else 1e-9, abs=1e-12), name


def test_curves_equal_scikit_learn_where_they_are_not_thinned():
    y, p = random_flags(9, 80, ties=True)
    accumulator = binary(y, p)
    roc = accumulator.roc()
    false, true, _ = sk.roc_curve(y, p, drop_intermediate=False)
    assert sk.auc(roc.false_positive_rate, roc.true_positive_rate) == pytest.approx(sk.roc_auc_score(y, p))
    assert set(zip(roc.false_positive_rate, roc.true_positive_rate, strict=True)) <= set(zip(false, true, strict=True))
    precision, recall, thresholds = sk.precision_recall_curve(y, p)
    found = accumulator.precision_recall()
    np.testing.assert_allclose(found.precision[::-1], precision[:-1])
    np.testing.assert_allclose(found.recall[::-1], recall[:-1])
    np.testing.assert_allclose(found.thresholds[::-1], thresholds)


def test_long_curves_are_thinned_and_keep_their_ends_and_area():
    y, p = random_flags(2, 20_000)
    accumulator = binary(y, p)
    roc = accumulator.roc()
    assert len(roc.thresholds) <= 200
    assert (roc.false_positive_rate[0], roc.true_positive_rate[0]) == (0, 0)
    assert (roc.false_positive_rate[-1], roc.true_positive_rate[-1]) == (1, 1)
    assert np.trapezoid(roc.true_positive_rate, roc.false_positive_rate) == pytest.approx(roc.area, abs=2e-3)
    assert len(accumulator.precision_recall().recall) <= 200


def test_thresholds_equal_counting():
    y, p = random_flags(3)
    table = binary(y, p).thresholds(21)
    for i, threshold in enumerate(table.thresholds):
        tn, fp, fn, tp = sk.confusion_matrix(y, p > threshold, labels=[0, 1]).ravel()
        found = (table.true_negatives[i], table.false_positives[i], table.false_negatives[i], table.true_positives[i])
        assert found == (tn, fp, fn, tp)
        assert table.f1[i] == pytest.approx(sk.f1_score(y, p > threshold, zero_division=0))
    best = binary(y, p).best_threshold()
    assert best.f1 == pytest.approx(max(sk.f1_score(y, p > t) for t in np.concatenate([[-1], np.sort(p)[:-1]])))
    assert sk.f1_score(y, p > best.threshold) == pytest.approx(best.f1)


def test_delong_agrees_with_a_bootstrap():
    y, p = random_flags(4, 250)
    metric = by_name(binary(y, p))["roc_auc"]
    rng = np.random.default_rng(0)
    areas = []
    while len(areas) < 400:
        rows = rng.integers(0, 250, 250)
        areas.append(sk.roc_auc_score(y[rows], p[rows]))
    assert [metric.low, metric.high] == pytest.approx(np.percentile(areas, [2.5, 97.5]), abs=0.02)
    assert metric.interval.startswith("DeLong")


def test_perfect_ranking_does_not_claim_certainty():
    found = by_name(binary(np.asarray([0, 0, 0, 1, 1]), np.asarray([0.1, 0.2, 0.3, 0.8, 0.9])))
    for name in ("roc_auc", "average_precision", "f1", "accuracy", "balanced_accuracy"):
        assert found[name].value == 1 and found[name].low < 0.7 and found[name].high == 1, name


@pytest.mark.parametrize("only", [0, 1])
def test_one_class_of_flags_says_why_ranks_are_missing(only):
    found = by_name(binary(np.full(9, only), np.linspace(0, 1, 9)))
    assert math.isnan(found["roc_auc"].value) and "only one class" in found["roc_auc"].reason
    assert found["accuracy"].baseline == 1
    accumulator = binary(np.full(9, only), np.linspace(0, 1, 9))
    assert accumulator.roc() is None and accumulator.best_threshold() is None
    if only == 0:
        assert "no positive" in found["average_precision"].reason and "no positive" in found["recall"].reason


def test_two_columns_are_the_positive_class_second():
    y, p = random_flags(5)
    two = np.stack([1 - p, p], axis=1)
    assert values(binary(y, two)) == pytest.approx(values(binary(y, p)))
    assert values(binary(np.eye(2)[y], np.log(two), "logits")) == pytest.approx(values(binary(y, p)))
    assert values(binary(y[:, None], special.logit(p)[:, None], "logits")) == pytest.approx(values(binary(y, p)))


def test_scores_have_ranks_and_a_threshold_of_zero_but_no_probabilities():
    y, p = random_flags(6)
    scores = special.logit(p)
    accumulator = binary(y, scores, "scores")
    found, expected = by_name(accumulator), values(binary(y, p))
    for name in ("roc_auc", "average_precision", "accuracy", "f1", "mcc"):
        assert found[name].value == pytest.approx(expected[name]), name
    assert math.isnan(found["log_loss"].value) and accumulator.threshold == 0
    assert "no probabilities" in accumulator.chosen_threshold.rule
    edges, counts = accumulator.score_histogram()
    assert counts.sum() == 300 and edges[0] == scores.min() and edges[-1] == scores.max()


def test_labels_of_minus_one_are_the_negative_class_and_said():
    y, p = random_flags(7)
    accumulator = binary(np.where(y == 1, 1, -1), p)
    assert values(accumulator) == values(binary(y, p))
    assert any("-1 were read as the negative class" in note for note in accumulator.notes())


def test_a_million_scores_stay_small_and_exact_enough():
    rng = np.random.default_rng(0)
    y = (rng.random(300_000) < 0.2).astype(int)
    p = special.expit(3 * rng.normal(size=300_000) + 2 * y)
    p[:50_000] = np.round(p[:50_000].astype("f4"), 3)
    accumulator = Binary(shape=(1,), scores="probabilities")
    for part in np.array_split(np.arange(300_000), 6):
        accumulator.update(y[part], p[part, None])
    table = accumulator.score_table()
    assert table.area_error() < 1e-4
    assert abs(table.area() - sk.roc_auc_score(y, p)) <= table.area_error()
    assert table.average_precision() == pytest.approx(sk.average_precision_score(y, p), abs=2e-4)
    assert sum(value.nbytes for value in accumulator.state().values()) < 2_000_000
    assert any("at most" in note for note in accumulator.notes())
    assert accumulator.confusion.sum() == 300_000


def test_score_histogram_by_class():
    y, p = random_flags(8)
    edges, counts = binary(y, p).score_histogram()
    np.testing.assert_array_equal(counts[:, 0], np.histogram(p[y == 0], edges)[0])
    np.testing.assert_array_equal(counts[:, 1], np.histogram(p[y == 1], edges)[0])


@pytest.mark.parametrize("classes", [4, 12])
def test_linearised_intervals_agree_with_the_bootstrap(monkeypatch, classes):
    y, p = random_classes(21, 3_000, classes, skew=False)
    bootstrap = by_name(multiclass(y, p))
    monkeypatch.setattr(module, "BOOTSTRAP_CELLS", 0)
    linear = by_name(multiclass(y, p))
    for name in module.averages(np.ones(2), np.ones(2), np.ones(2)):
        assert linear[name].low == pytest.approx(bootstrap[name].low, abs=4e-3), name
        assert linear[name].high == pytest.approx(bootstrap[name].high, abs=4e-3), name
        if name != "accuracy":
            assert linear[name].interval == "normal, linearised" and bootstrap[name].interval.startswith("bootstrap")


@pytest.mark.parametrize(("classes", "n"), [(40, 200), (100, 300), (200, 250), (300, 5_000)])
def test_intervals_hold_their_value_with_few_samples_a_class(classes, n):
    y, p = random_classes(5, n, classes, skew=False)
    for metric in multiclass(y, p).result():
        assert metric.low <= metric.value <= metric.high, metric


def test_the_area_of_each_class_equals_scikit_learns_one_vs_rest():
    y, p = random_classes(4, 300, 6)
    assert values(multiclass(y, p))["roc_auc_ovr"] == pytest.approx(sk.roc_auc_score(y, p, multi_class="ovr"))
    accumulator = make_accumulator("multiclass", shape=(40,), classes=0, scores="probabilities")
    assert accumulator.curves() == () and "roc_auc_ovr" not in by_name(accumulator)


def test_binned_curves_of_classes_keep_their_stated_error(monkeypatch):
    y, p = random_classes(8, 3_000, 5)
    exact = values(multiclass(y, p))["roc_auc_ovr"]
    monkeypatch.setattr("reportgen.analysis.metrics.label_scores.EXACT_VALUES", 1_000)
    accumulator = multiclass(y, p)
    note = next(note for note in accumulator.notes() if "Curves of classes" in note)
    assert abs(values(accumulator)["roc_auc_ovr"] - exact) <= float(note.split()[-1].rstrip(".")) < 0.01


@pytest.mark.parametrize("ties", [False, True])
def test_the_gain_is_the_share_of_positives_among_the_best_scored(ties):
    rng = np.random.default_rng(2)
    y = (rng.random(500) < 0.2).astype(int)
    p = np.clip(0.3 * y + rng.random(500) * 0.7, 0, 1)
    p = np.round(p, 1) if ties else p
    table = binary(y, p).score_table()
    order = np.argsort(-p)
    if ties:  # equal scores in a random order, on average
        expected = np.mean([np.cumsum(y[np.lexsort((rng.random(500), -p))])[99] for _ in range(4_000)]) / y.sum()
        assert table.gain(np.asarray([0.2]))[0] == pytest.approx(expected, abs=0.005)
    else:
        shares = np.arange(1, 501) / 500
        np.testing.assert_allclose(table.gain(shares), np.cumsum(y[order]) / y.sum())
    assert table.gain(np.asarray([0.0, 1.0])).tolist() == [0.0, 1.0]
    assert np.isnan(binary(np.zeros(9, int), p[:9]).score_table().gain(np.asarray([0.5]))).all()


@pytest.mark.parametrize(
    ("task", "shape"), [("multiclass", (3,)), ("binary", ()), ("multilabel", (3,)), ("regression", ())]
)
def test_predictions_that_are_no_numbers_are_blamed_and_not_the_labels(task, shape):
    accumulator = make_accumulator(task, shape=shape, classes=3 if shape else 0, scores="values")
    labels = np.zeros((8, *shape) if task == "multilabel" else 8)
    accumulator.update(labels, np.full((8, *shape), np.nan))
    reasons = {metric.reason for metric in accumulator.result() if math.isnan(metric.value)}
    assert "the predictions are not numbers (NaN or Inf)" in reasons
    assert "no labels that can be used" not in reasons


def test_labels_that_name_no_class_are_blamed_and_not_the_predictions():
    accumulator = make_accumulator("multiclass", shape=(3,), classes=3, scores="probabilities")
    accumulator.update(np.full(8, -1), np.full((8, 3), 1 / 3))
    assert {metric.reason for metric in accumulator.result()} >= {"no labels that can be used"}
