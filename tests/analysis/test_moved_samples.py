"""The samples that moved most since an earlier run are kept, whatever the chunks; and nothing of anything else."""

from __future__ import annotations

import numpy as np

from reportgen.analysis.keep import MovedSet

KEYS = np.arange(100, dtype=np.uint64) * 7
BEFORE = np.full(100, 1.0)
RIGHT = np.arange(100) < 50


def run(losses: np.ndarray, *, step: int = 100, keys: np.ndarray = KEYS, each: int = 3) -> dict[int, str]:
    """Return why each row was kept."""
    kept = MovedSet(KEYS[::-1], BEFORE[::-1], RIGHT[::-1], ~RIGHT[::-1], each=each)
    for start in range(0, 100, step):
        part = slice(start, start + step)
        content = {"x": np.arange(100)[part]}
        kept.offer(np.arange(100)[part], keys[part], (), losses[part], content, {}, {"y": losses[part]})
    found = kept.result()
    assert np.array_equal(found.inputs.get("x", found.positions), found.positions)
    return dict(zip(found.positions.tolist(), found.reasons, strict=True))


def test_the_largest_growth_of_those_right_before_and_the_largest_fall_of_those_wrong() -> None:
    losses = BEFORE.copy()
    losses[[4, 9, 20, 30]] = [2.0, 5.0, 3.0, 1.5]  # were right: may grow
    losses[[60, 70]] = [0.2, 0.9]  # were wrong: may fall
    losses[[10, 80]] = [0.1, 9.0]  # a right one that got better, a wrong one that got worse: not asked for
    assert run(losses) == {4: "worst", 9: "worst", 20: "worst", 60: "fallen", 70: "fallen"}


def test_chunks_do_not_matter() -> None:
    losses = np.random.default_rng(0).gamma(1.0, size=100)
    assert run(losses, step=7) == run(losses)


def test_samples_that_the_earlier_run_did_not_have_are_not_kept() -> None:
    assert run(BEFORE + 1, keys=KEYS + 1) == {}


def test_unknown_losses_are_not_kept_and_nothing_moved_keeps_nothing() -> None:
    assert run(np.full(100, np.nan)) == {} and run(BEFORE) == {}


def test_an_earlier_run_without_a_sample_keeps_nothing() -> None:
    empty = np.zeros(0)
    kept = MovedSet(empty.astype(np.uint64), empty, empty, empty)
    kept.offer(np.arange(3), KEYS[:3], (), np.ones(3), {}, {}, {})
    assert len(kept.result().positions) == 0
