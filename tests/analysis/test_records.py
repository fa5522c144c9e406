"""Sample records: all up to a limit, a shared choice beyond, whatever the split."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.analysis.metrics import SampleScores
from reportgen.analysis.records import WORST, RecordKeeper


def batch(n, seed=0, distinct=None):
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, distinct or 2**63, n).astype(np.uint64)
    scores = SampleScores(rng.random(n), rng.random(n), rng.random(n), rng.random(n))
    return keys, np.arange(n), scores, [f"id{i}" for i in range(n)]


def part(data, index):
    keys, positions, scores, ids = data
    columns = (getattr(scores, name)[index] for name in ("truth", "prediction", "confidence", "loss"))
    return keys[index], positions[index], SampleScores(*columns), [ids[i] for i in np.atleast_1d(index)]


def filled(data, limit, cuts=()):
    keeper = RecordKeeper(limit)
    for index in np.split(np.arange(len(data[0])), sorted(cuts)):
        keeper.add(*part(data, index))
    return keeper


def as_rows(records):
    columns = (records.keys, records.occurrences, records.positions, records.loss, records.truth, records.ids)
    return list(zip(*(list(column) for column in columns), strict=True))


def test_all_samples_are_kept_up_to_the_limit_in_key_order():
    data = batch(50)
    records = filled(data, 50).result()
    assert len(records.keys) == 50 and records.rule == "all 50 samples"
    assert (np.diff(records.keys.astype(object)) >= 0).all()
    assert [data[3][i] for i in records.positions] == list(records.ids)
    np.testing.assert_array_equal(records.truth, data[2].truth[records.positions])
    dtypes = [records.keys.dtype, records.occurrences.dtype, records.positions.dtype, records.loss.dtype]
    assert dtypes == [np.uint64, np.uint32, np.int64, np.float32]


def test_beyond_the_limit_the_smallest_keys_and_the_worst_are_kept():
    data = batch(5_000)
    records = filled(data, 1_000).result()
    smallest = set(np.argsort(data[0], kind="stable")[:1_000].tolist())
    worst = set(np.argsort(-data[2].loss, kind="stable")[:WORST].tolist())
    assert set(records.positions.tolist()) == smallest | worst
    assert "5,000" in records.rule and "1,000" in records.rule and str(WORST) in records.rule


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 3_000), max_size=6), st.sampled_from([100, 700, 5_000]), st.sampled_from([None, 40]))
def test_any_split_and_any_merge_give_the_same_records(cuts, limit, distinct):
    data = batch(3_000, distinct=distinct)
    whole = as_rows(filled(data, limit).result())
    assert as_rows(filled(data, limit, cuts).result()) == whole
    chunks = np.split(np.arange(3_000), sorted(cuts))
    merged = RecordKeeper(limit)
    for index in reversed(chunks):
        other = RecordKeeper(limit)
        other.add(*part(data, index))
        merged.merge(other)
    assert as_rows(merged.result()) == whole


def test_copies_of_one_sample_are_numbered_by_their_row():
    keys = np.asarray([7, 3, 7, 7, 3], np.uint64)
    nothing = np.full(5, np.nan)
    keeper = RecordKeeper(10)
    keeper.add(keys[[4, 2, 0]], np.asarray([4, 2, 0]), SampleScores(*(nothing[:3],) * 4))
    keeper.add(keys[[3, 1]], np.asarray([3, 1]), SampleScores(*(nothing[:2],) * 4))
    records = keeper.result()
    assert records.positions.tolist() == [1, 4, 0, 2, 3]
    assert records.occurrences.tolist() == [0, 1, 0, 1, 2]
    assert records.ids == ()


def test_samples_without_a_loss_are_never_among_the_worst():
    keys = np.arange(1_000, dtype=np.uint64)
    loss = np.full(1_000, np.nan)
    loss[990] = 0.1
    keeper = RecordKeeper(10)
    keeper.add(keys, np.arange(1_000), SampleScores(loss, loss, loss, loss))
    assert keeper.result().positions.tolist() == [*range(10), 990]


def test_memory_stays_bounded_while_adding():
    keeper = RecordKeeper(100)
    for start in range(0, 20_000, 100):
        data = batch(100, seed=start)
        keeper.add(data[0], data[1] + start, data[2], [])
        assert sum(len(chunk[0]) for chunk in keeper._chunks) <= 2 * (100 + WORST) + 100
    assert keeper.n == 20_000


def test_nothing_added_gives_empty_records_and_bad_input_is_refused():
    assert len(RecordKeeper(5).result().keys) == 0
    with pytest.raises(ValueError, match="limit"):
        RecordKeeper(0)
    with pytest.raises(ValueError, match="different limits"):
        RecordKeeper(5).merge(RecordKeeper(6))
    with pytest.raises(ValueError, match="one value a sample"):
        RecordKeeper(5).add(np.zeros(2, np.uint64), np.arange(3), SampleScores(*(np.zeros(2),) * 4))


def test_a_loss_too_large_for_float32_is_kept_as_infinite():
    keeper = RecordKeeper(5)
    keeper.add(np.asarray([1], np.uint64), np.asarray([0]), SampleScores(*(np.asarray([1e300]),) * 4))
    assert np.isinf(keeper.result().loss[0]) and keeper.result().truth[0] == 1e300
