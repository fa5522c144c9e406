"""How good a saliency map is: take parts of a sample away, the most salient first, and watch the score. NumPy only.

The deletion game of Petsiuk, Das and Saenko (RISE, 2018), on a coarse grid, beside random orders of the same parts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reportgen.analysis.evidence import Array

LEVELS = 8  # the score is looked at after 1/8, 2/8, ... 7/8 of the parts went
BETTER = 0.05  # share of random orders that may do better than an informative map
CLEARLY = 0.05  # of the score: how far below the random orders' mean an informative map leaves it at least
AS_GOOD = 0.01  # of the score: an order that finds the one part that counts as early is no better


@dataclass(frozen=True, slots=True)
class Deletion:
    """Mean score left, salient parts first, and in random order (its mean).

    `informative` where at most one random order in 20 does better, and their mean is clearly above.
    """

    score: float
    random: float
    informative: bool


def part_grid(shape: Sequence[int], most: int = 64) -> Array:
    """Return the number of the part that each position belongs to: blocks of one size, about `most` together."""
    across = max(1, math.floor(most ** (1 / max(1, len(shape))) + 1e-9))
    grid = np.zeros(tuple(shape), np.int64)
    for axis, size in enumerate(shape):
        block = math.ceil(size / across)
        index = np.arange(size) // block
        count = int(index[-1]) + 1 if size else 1
        grid = grid * count + index.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return grid


def salience_of_parts(saliency: Array, grid: Array) -> Array:
    """Return the mean salience of each part; the map may be smaller or larger than the grid, -1 belongs to no part."""
    values, parts = resize(saliency, grid.shape)[grid >= 0], grid[grid >= 0]
    if not parts.size:
        return np.zeros(1)
    return np.asarray(np.bincount(parts, weights=values) / np.maximum(np.bincount(parts), 1))


def resize(values: Array, shape: Sequence[int]) -> Array:
    """Return a map at another size by linear interpolation along each axis, cell centres aligned."""
    out = np.asarray(values, np.float64)
    for axis, size in enumerate(shape):
        have = out.shape[axis]
        if have == size:
            continue
        where = np.clip((np.arange(size) + 0.5) * have / size - 0.5, 0, have - 1)
        low = np.floor(where).astype(np.int64)
        high = np.minimum(low + 1, have - 1)
        part = (where - low).reshape([-1 if i == axis else 1 for i in range(out.ndim)])
        out = np.take(out, low, axis=axis) * (1 - part) + np.take(out, high, axis=axis) * part
    return out


def plan_deletions(saliences: Sequence[Array], orders: int, seed: int) -> Array:
    """Return what is taken away of one sample in each call: masks (calls, parts), True for gone.

    First nothing and everything, then for each map and for each random order its levels. The random orders are the
    same for all maps.
    """
    parts = len(saliences[0])
    rng = np.random.default_rng(seed)
    lots = rng.random(parts)
    # Ties are broken by lot: a stable order among them would follow the grid from the top.
    chains = [np.lexsort((lots, -salience)) for salience in saliences] + [rng.permutation(parts) for _ in range(orders)]
    counts = np.unique(np.clip(np.round(np.arange(1, LEVELS) / LEVELS * parts), 1, max(1, parts - 1)).astype(np.int64))
    masks = np.zeros((len(chains), len(counts), parts), dtype=bool)
    for i, chain in enumerate(chains):
        for j, count in enumerate(counts):
            masks[i, j, chain[:count]] = True
    ends = np.stack([np.zeros(parts, bool), np.ones(parts, bool)])
    return np.concatenate([ends, masks.reshape(-1, parts)])


def judge_deletions(
    saliences: Sequence[Array], scores: Array, orders: int, *, relative_to_empty: bool
) -> tuple[Deletion, ...]:
    """Return how good each map is, from the scores (calls,) of what `plan_deletions` planned.

    Scores are relative to the whole sample's; with `relative_to_empty` as a share of the way from the empty sample's
    score to it, for scores without a zero of their own.
    """
    whole, empty = float(scores[0]), float(scores[1])
    floor = empty if relative_to_empty else 0.0
    reach = whole - floor
    if not math.isfinite(reach) or abs(reach) < 1e-9:
        return (Deletion(math.nan, math.nan, False),) * len(saliences)
    chains = len(saliences) + orders
    left = np.clip((np.asarray(scores[2:], np.float64) - floor) / reach, 0, 1).reshape(chains, -1).mean(axis=1)
    random = left[len(saliences) :]
    found = []
    for salience, score in zip(saliences, left, strict=False):
        better, below = float((random < score - AS_GOOD).mean()), float(random.mean() - score)
        informative = bool(salience.max() > salience.min() and better <= BETTER and below >= CLEARLY)
        found.append(Deletion(float(score), float(random.mean()), informative))
    return tuple(found)
