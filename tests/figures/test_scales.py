"""Ticks: the same as matplotlib's, made without it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.ticker import MaxNLocator

from reportgen.figures.scales import choose_scale
from reportgen.report.blocks import Axis

RANGES = np.random.default_rng(5).normal(size=(300, 2)) * 10.0 ** np.random.default_rng(6).integers(-6, 6, (300, 1))


@pytest.mark.parametrize("room", [230, 480])
def test_ticks_are_those_of_matplotlib(room: float) -> None:
    different = []
    for low, high in np.sort(RANGES, axis=1):
        scale = choose_scale(Axis("a", low=float(low), high=float(high)), np.array([low, high]), room=room)
        wanted = MaxNLocator(nbins=int(min(max(room / 45, 2), 8)), steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        inside = [tick for tick in wanted if low <= tick <= high]
        if len(inside) != len(scale.ticks) or not np.allclose(inside, scale.ticks, atol=(high - low) * 1e-9):
            different.append((low, high))
    assert different == []


def test_epochs_have_whole_ticks_and_a_short_range_still_has_some() -> None:
    many = choose_scale(Axis("epoch", integer=True), np.array([1.0, 12.0]), room=480, pad=0.02)
    assert all(tick.is_integer() for tick in many.ticks) and len(many.ticks) >= 5
    one = choose_scale(Axis("epoch", integer=True), np.array([3.0]), room=480)
    assert one.ticks == (3.0,)


def test_values_that_hardly_differ_get_labels_that_do() -> None:
    scale = choose_scale(Axis("a", integer=True), np.array([2.0**52 + 1]), room=240)
    assert len(set(scale.labels)) == len(scale.labels) and max(map(len, scale.labels)) <= 14
    assert math.isfinite(scale.low) and scale.low < scale.high
