"""The cross-entropy from logits is SciPy's, however large the logits, and however the batch is split."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import log_expit, log_softmax

from reportgen.analysis.metrics.cross_entropy import CrossEntropySum, cross_entropies

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("scale", [0.1, 10.0, 1e4])
def test_cross_entropies_are_scipys(scale: float) -> None:
    logits, truth = scale * RNG.normal(size=(50, 5)), RNG.integers(5, size=50)
    np.testing.assert_allclose(
        cross_entropies(logits, truth), -log_softmax(logits, 1)[np.arange(50), truth], atol=1e-12
    )
    one, flag = logits[:, :1], truth % 2
    np.testing.assert_allclose(
        cross_entropies(one, flag), -log_expit(np.where(flag == 1, one[:, 0], -one[:, 0])), atol=1e-12
    )


def test_chunks_add_up_and_unlabelled_samples_do_not_count() -> None:
    logits, truth = RNG.normal(size=(40, 3)), (np.arange(40) % 3).astype(np.float64)
    truth[::7] = math.nan
    whole, parts = CrossEntropySum("multiclass"), CrossEntropySum("multiclass")
    whole.add(logits, truth, None)
    for start in range(0, 40, 13):
        parts.add(logits[start : start + 13], truth[start : start + 13], None)
    known = np.isfinite(truth)
    expected = cross_entropies(logits[known], truth[known].astype(int)).mean()
    assert whole.result() == pytest.approx(expected) and parts.result() == pytest.approx(expected)


def test_without_logits_with_weights_or_for_another_task_there_is_no_number() -> None:
    logits, truth = RNG.normal(size=(4, 3)), np.zeros(4)
    for task, given, weights in (
        ("multiclass", None, None),
        ("multiclass", logits, np.ones(4)),
        ("regression", logits, None),
    ):
        found = CrossEntropySum(task)
        found.add(given, truth, weights)
        found.add(logits, truth, None)
        assert math.isnan(found.result())
    assert math.isnan(CrossEntropySum("binary").result())
