"""Every accumulator: any split, any order, any merge and a trip through its state give the same numbers to 1e-9."""

import math
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from reportgen.analysis.metrics import ACCUMULATORS, MetricValue, as_probabilities, make_accumulator, score_samples
from reportgen.analysis.metrics.curves import ScoreTable
from reportgen.analysis.metrics.spread import Spread

N = 120


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cases():
    """Return (shape, scores, labels, predictions) by name: plain data with some bad labels and NaN in it."""
    r = np.random.default_rng(5)
    labels = r.integers(-1, 7, N)
    wide = softmax(r.normal(size=(N, 6)) * 3).astype("f4")
    wide[::40, 1] = np.nan
    flags = r.integers(0, 2, (N, 5)).astype(float)
    flags[::30] = np.nan
    flags[1, 2] = 7
    numbers = r.normal(1e6, 1, (N, 3))
    numbers[::25, 1] = np.nan
    answers = numbers + r.normal(0, 0.5, (N, 3)) + 0.1
    answers = np.where(np.isnan(answers), 1e6, answers)
    answers[7] = np.inf
    mask = r.integers(0, 3, (N, 8, 9))
    mask[:, 0] = 255
    pictures = r.random((N, 9, 8, 1))
    return {
        "multiclass": ((6,), "probabilities", labels, wide),
        "multiclass-logits": ((6,), "logits", labels, r.normal(size=(N, 6)) * 30),
        "multiclass-scores": ((6,), "scores", labels, np.round(r.normal(size=(N, 6)))),
        "binary": ((1,), "probabilities", r.integers(-1, 3, N), r.random((N, 1)).astype("f4")),
        "binary-two": ((2,), "logits", r.integers(0, 2, N), r.normal(size=(N, 2)) * 9),
        "binary-scores": ((), "scores", r.integers(0, 2, N), np.round(r.normal(size=N), 1)),
        "multilabel": ((5,), "probabilities", flags, r.random((N, 5))),
        "regression": ((3,), "values", numbers, answers),
        "regression-horizon": ((20, 1), "values", numbers[:, :1] + r.normal(size=(N, 20)), r.normal(size=(N, 20, 1))),
        "timeseries": ((6, 1), "values", numbers[:, :1] + r.normal(size=(N, 6)), 1e6 + r.normal(size=(N, 6, 1))),
        "segmentation": ((8, 9, 3), "probabilities", mask, softmax(r.normal(size=(N, 8, 9, 3)))),
        "segmentation-1d": ((30, 1), "probabilities", r.integers(0, 2, (N, 30, 1)), r.random((N, 30, 1))),
        "reconstruction": ((9, 8, 1), "values", pictures, pictures + r.normal(0, 0.1, (N, 9, 8, 1))),
        "sequence": ((7, 12), "probabilities", r.integers(-1, 12, (N, 7)), softmax(r.normal(size=(N, 7, 12)))),
        "other": ((4,), "values", None, r.normal(size=(N, 4))),
    }


CASES = cases()


def made(name):
    shape, scores, _, _ = CASES[name]
    return make_accumulator(name.split("-", maxsplit=1)[0], shape=shape, classes=0, scores=scores)


def fed(name, index, labelled=True):
    return feed(made(name), name, index, labelled)


def feed(accumulator, name, index, labelled=True):
    _, _, truth, prediction = CASES[name]
    accumulator.update(None if truth is None or not labelled else truth[index], prediction[index])
    if name == "timeseries" and labelled:
        naive = prediction[index] + 0.5, np.round(prediction[index])
        accumulator.add_naive(truth[index], prediction[index], *naive, 3)
        accumulator.add_steps(truth[index], prediction[index], np.abs(truth[index]).mean(axis=1))
    if name == "reconstruction" and labelled:
        accumulator.add_unchanged(truth[index], prediction[index], truth[index] ** 2, 1)
    return accumulator


def same(first, second, where=""):
    """Assert that two results are equal to 1e-9, NaN equal to NaN."""
    if is_dataclass(first):
        for field in fields(first):
            same(getattr(first, field.name), getattr(second, field.name), f"{where}.{field.name}")
    elif isinstance(first, ScoreTable):
        same(vars(first), vars(second), where)
    elif isinstance(first, dict):
        assert list(first) == list(second), where
        same(list(first.values()), list(second.values()), where)
    elif isinstance(first, (tuple, list)):
        assert len(first) == len(second), where
        for one, two in zip(first, second, strict=True):
            same(one, two, where)
    elif isinstance(first, (float, np.ndarray)):
        one, two = np.asarray(first, float), np.asarray(second, float)
        np.testing.assert_allclose(two, one, rtol=1e-9, atol=1e-9, err_msg=where)
    else:
        assert first == second, where


VIEWS = (
    "result",
    "notes",
    "per_class",
    "reliability",
    "confidence_histogram",
    "confused_pairs",
    "ordering",
    "block",
    "roc",
    "precision_recall",
    "thresholds",
    "best_threshold",
    "score_histogram",
    "curves",
    "per_label",
    "swaps",
    "mistakes_together",
    "by_target",
    "points",
    "mistake_places",
    "by_step",
    "by_horizon",
    "by_length",
    "error_map",
    "mean_target",
    "distribution",
)


def everything(accumulator):
    """Return all that an accumulator can say."""
    found = [accumulator.n, accumulator.n_labelled, accumulator.predicted]
    found += [getattr(accumulator, view)() for view in VIEWS if hasattr(accumulator, view)]
    return found


@pytest.mark.parametrize("name", CASES)
@settings(deadline=None, max_examples=10, phases=[Phase.explicit, Phase.generate])
@given(cuts=st.lists(st.integers(0, N), max_size=5), backwards=st.booleans())
def test_any_split_order_and_merge_give_the_same_result(name, cuts, backwards):
    whole = everything(fed(name, np.arange(N)))
    chunks = np.split(np.arange(N), sorted(cuts))
    chunks = chunks[::-1] if backwards else chunks
    streamed, merged = made(name), made(name)
    for index in chunks:
        feed(streamed, name, index)
        merged.merge(type(merged).from_state(fed(name, index).state()))
    same(whole, everything(streamed), name)
    same(whole, everything(merged), name)


@pytest.mark.parametrize("name", CASES)
def test_state_is_flat_plain_arrays_and_restores_everything(name):
    accumulator = fed(name, np.arange(N))
    state = accumulator.state()
    assert all(isinstance(value, np.ndarray) and value.dtype.kind in "iuf" for value in state.values())
    restored = type(accumulator).from_state({key: value.copy() for key, value in state.items()})
    same(everything(accumulator), everything(restored), name)
    for value in state.values():
        value[...] = 0
    same(everything(restored), everything(accumulator), name)


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_state_is_refused_with_a_value_error(name):
    state = fed(name, np.arange(N)).state()
    kind = type(made(name))
    for key in state:
        for broken in (None, state[key].astype("c8"), np.zeros((3, 1, 4, 1), state[key].dtype)):
            damaged = {other: value for other, value in state.items() if other != key}
            if broken is not None:
                damaged[key] = broken
            with pytest.raises(ValueError, match=r"\w"):
                kind.from_state(damaged)


@pytest.mark.parametrize("name", CASES)
def test_no_labels_no_samples_and_one_sample_are_results_with_reasons(name):
    unlabelled, empty, one = fed(name, np.arange(N), labelled=False), made(name), fed(name, np.asarray([3]))
    assert unlabelled.n == N and unlabelled.n_labelled == 0
    fed_nothing = fed(name, np.arange(0))
    for accumulator in (unlabelled, empty, one, fed_nothing):
        for metric in everything(accumulator)[3]:
            assert isinstance(metric, MetricValue)
            assert math.isnan(metric.value) == bool(metric.reason), metric
            assert math.isnan(metric.low) == (metric.interval == "none"), metric


@pytest.mark.parametrize("name", CASES)
def test_metrics_are_whole_and_in_order(name):
    accumulator = fed(name, np.arange(N))
    metrics = accumulator.result()
    assert len({metric.name for metric in metrics}) == len(metrics)
    for metric in metrics:
        assert metric.better in ("higher", "lower", "neither")
        assert metric.label and metric.n <= N
        assert metric.baseline is None or math.isfinite(metric.baseline), metric
        if not math.isnan(metric.low):
            assert metric.low <= metric.value + 1e-12 and metric.value - 1e-12 <= metric.high, metric
        if metric.headline and not math.isnan(metric.value):
            assert metric.baseline is not None and metric.baseline_name, metric
            assert metric.interval != "none", metric
    assert any(metric.headline for metric in metrics) == (name != "other")


@pytest.mark.parametrize("name", CASES)
def test_sample_scores_agree_with_what_the_accumulator_counts(name):
    _, scores, truth, prediction = CASES[name]
    task = name.split("-", maxsplit=1)[0]
    found = score_samples(task, truth, prediction, scores)
    assert all(getattr(found, field.name).shape == (N,) for field in fields(found))
    assert all(getattr(found, field.name).dtype == np.float64 for field in fields(found))
    assert int((~np.isnan(found.loss)).sum()) == made_and_fed(name).n_labelled
    blind = score_samples(task, None, prediction, scores)
    assert np.isnan(blind.loss).all() and np.isnan(blind.truth).all()
    np.testing.assert_array_equal(
        np.isnan(blind.prediction), np.isnan(found.prediction) if task != "sequence" else True
    )
    shares = as_probabilities(task, prediction, scores)
    if shares is not None:
        assert np.nanmin(shares) >= 0 and np.nanmax(shares) <= 1


def made_and_fed(name):
    return fed(name, np.arange(N))


@pytest.mark.parametrize("task", ACCUMULATORS)
def test_different_outputs_do_not_merge_and_wrong_shapes_are_refused(task):
    name = next(name for name in CASES if name.split("-", maxsplit=1)[0] == task)
    shape, scores, truth, prediction = CASES[name]
    accumulator = made(name)
    other = make_accumulator(task, shape=(*shape[:-1], 4 if shape[-1] != 4 else 5), classes=0, scores=scores)
    with pytest.raises(ValueError, match="different settings"):
        accumulator.merge(other)
    if task == "other":
        return
    with pytest.raises(ValueError, match="text"):
        accumulator.update(np.full(len(truth), "cat"), prediction)
    with pytest.raises(ValueError, match="shape"):
        accumulator.update(np.zeros((len(truth), 77)), prediction)


def test_unknown_tasks_are_refused():
    with pytest.raises(ValueError, match="no task"):
        make_accumulator("clustering", shape=(1,), classes=0, scores="values")
    with pytest.raises(ValueError, match="no task"):
        score_samples("clustering", None, np.zeros(3), "values")


@pytest.mark.parametrize("logit", [False, True])
def test_bins_beyond_the_exact_size_do_not_depend_on_the_split_and_keep_their_error(logit):
    r = np.random.default_rng(0)
    values = r.beta(0.3, 0.3, 5_000) if logit else r.normal(size=5_000) * np.exp(r.normal(size=5_000) * 3)
    marks = r.integers(0, 3, 5_000)
    whole = Spread(3, logit=logit, exact=500)
    whole.add(values, marks)
    parts = Spread(3, logit=logit, exact=500)
    for index in np.array_split(np.arange(5_000), 37):
        part = Spread(3, logit=logit, exact=500)
        part.add(values[index], marks[index])
        parts.merge(part)
    assert whole.binned and parts.binned
    for one, two in zip(whole.table(), parts.table(), strict=True):
        np.testing.assert_array_equal(one, two)
    shares = np.linspace(0, 1, 11)
    exact, found = np.quantile(values, shares), whole.quantiles(shares)
    if logit:
        exact, found = np.log(exact / (1 - exact)), np.log(found / (1 - found))
    np.testing.assert_allclose(found, exact, rtol=1.1e-3)
    assert whole.table()[1].sum(axis=0).tolist() == np.bincount(marks).tolist()


def test_exact_quantiles_equal_numpy():
    values = np.random.default_rng(1).integers(0, 9, 77).astype(float)
    spread = Spread()
    spread.add(values)
    shares = np.linspace(0, 1, 33)
    np.testing.assert_allclose(spread.quantiles(shares), np.quantile(values, shares))
    assert np.isnan(Spread().quantiles(shares)).all()


@pytest.mark.parametrize("name", CASES)
def test_a_state_that_claims_a_huge_output_is_refused_or_takes_no_memory(name):
    state = made(name).state()
    state["settings"] = np.asarray([*state["settings"][:2], 2**40, 2**40], np.int64)
    if name.split("-", maxsplit=1)[0] in ("binary", "reconstruction", "other"):
        restored = type(made(name)).from_state(state)
        assert sum(value.nbytes for value in restored.state().values()) < 100_000
        return
    with pytest.raises(ValueError, match=r"too many|needs|at most"):
        type(made(name)).from_state(state)


@pytest.mark.parametrize(
    ("name", "limit"), [("binary", "100,000"), ("multiclass", "2,000,000"), ("regression", "100,000"), ("sequence", "")]
)
def test_what_is_exact_says_up_to_which_size(name, limit):
    accumulator = fed(name, np.arange(N))
    said = accumulator.exactness()
    assert (limit in said and "exact" in said) if limit else said == ""
    if name == "binary":
        for part in accumulator._parts.values():
            if isinstance(part, Spread):
                part.exact = 10
        assert accumulator.exactness() == "" and any("bins" in note for note in accumulator.notes())
