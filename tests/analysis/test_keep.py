"""The keep-set: the worst and a seeded choice, independent of chunks, bounded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reportgen.analysis.keep import KeepSet, compute_lots

N = 400
RNG = np.random.default_rng(3)
WORDS = ("worst", "best", "seeded")
LOSS = np.round(RNG.random(N), 2)
X = RNG.random((N, 3, 2)).astype("f4")


def offer(keep, index):
    keep.offer(
        index,
        index.astype(np.uint64) * 7,
        [f"s{i}" for i in index],
        LOSS[index],
        {"x": X[index]},
        {"out": index % 5},
        {"out": X[index, 0]},
    )
    return keep


def facts(kept):
    return (kept.positions.tolist(), kept.ids, kept.reasons, kept.inputs["x"].tolist(), kept.targets["out"].tolist())


def test_the_best_are_kept_beside_the_worst_whatever_the_split():
    losses = np.arange(N, dtype=float)
    keep = KeepSet(worst=3, seeded=2, best=4)
    for index in np.array_split(np.random.default_rng(0).permutation(N), 5):
        keep.offer(index, index, (), losses[index], {"x": index[:, None]}, {}, {})
    kept = keep.result()
    said = {word: [int(p) for p, r in zip(kept.positions, kept.reasons, strict=True) if word in r] for word in WORDS}
    assert said["best"] == [0, 1, 2, 3] and said["worst"] == [N - 3, N - 2, N - 1] and len(said["seeded"]) == 2


def test_the_worst_are_kept_with_their_content_ties_to_the_lower_row():
    kept = offer(KeepSet(worst=10, seeded=0), np.arange(N)).result()
    assert kept.positions.tolist() == sorted(np.lexsort((np.arange(N), -LOSS))[:10].tolist())
    assert set(kept.reasons) == {"worst"}
    np.testing.assert_array_equal(kept.inputs["x"], X[kept.positions])
    np.testing.assert_array_equal(kept.predictions["out"], X[kept.positions, 0])
    assert kept.targets["out"].tolist() == (kept.positions % 5).tolist()
    assert kept.keys.tolist() == (kept.positions * 7).tolist()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, N), max_size=8), st.booleans(), st.integers(0, 3))
def test_any_split_order_and_merge_keep_the_same_samples(cuts, backwards, seed):
    whole = facts(offer(KeepSet(worst=12, seeded=9, seed=seed), np.arange(N)).result())
    chunks = np.split(np.arange(N), sorted(cuts))
    chunks = chunks[::-1] if backwards else chunks
    streamed = KeepSet(worst=12, seeded=9, seed=seed)
    merged = KeepSet(worst=12, seeded=9, seed=seed)
    for index in chunks:
        offer(streamed, index)
        merged.merge(offer(KeepSet(worst=12, seeded=9, seed=seed), index))
    assert facts(streamed.result()) == whole
    assert facts(merged.result()) == whole


def test_the_seeded_choice_is_spread_over_the_batch_and_depends_on_the_seed():
    first = offer(KeepSet(worst=0, seeded=40, seed=0), np.arange(N)).result().positions
    second = offer(KeepSet(worst=0, seeded=40, seed=1), np.arange(N)).result().positions
    assert set(first) != set(second)
    assert 100 < first.mean() < 300
    lots = compute_lots(np.arange(100_000), 5).astype(np.float64) / 2**64
    assert abs(lots.mean() - 0.5) < 0.01 and len(np.unique(lots)) == 100_000


def test_one_sample_can_be_kept_for_both_reasons():
    kept = offer(KeepSet(worst=N, seeded=N), np.arange(N)).result()
    assert set(kept.reasons) == {"worst,seeded"} and len(kept.positions) == N


def test_without_losses_only_the_seeded_choice_is_kept():
    keep = KeepSet(worst=5, seeded=5)
    keep.offer(np.arange(9), np.arange(9), (), np.full(9, np.nan), {"x": X[:9]}, {}, {"out": X[:9, 0]})
    kept = keep.result()
    assert set(kept.reasons) == {"seeded"} and len(kept.positions) == 5
    assert kept.ids == () and kept.targets == {}


def test_memory_holds_only_what_was_chosen():
    keep = KeepSet(worst=4, seeded=4)
    for index in np.split(np.arange(N), 40):
        offer(keep, index)
        assert len(keep._held.positions) <= 8
        assert keep._held.inputs["x"].base is None


def test_text_inputs_of_different_width_can_be_kept():
    keep = KeepSet(worst=0, seeded=4)
    for row, text in enumerate(["a", "a much longer text"]):
        keep.offer(np.asarray([row]), np.asarray([row]), [], np.asarray([0.0]), {"t": np.asarray([text])}, {}, {})
    assert sorted(keep.result().inputs["t"].tolist()) == ["a", "a much longer text"]


def test_nothing_offered_keeps_nothing_and_different_sets_do_not_merge():
    assert len(KeepSet().result().positions) == 0
    offer(KeepSet(), np.arange(0)).result()
    with pytest.raises(ValueError, match="different sizes"):
        KeepSet(seed=1).merge(KeepSet(seed=2))
