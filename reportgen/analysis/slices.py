"""The weakest slices: ranges or categories of one feature where errors are worse than elsewhere, beyond chance.

Every slice tried is counted, and chance is corrected for all of them (Bonferroni): the probability that a slice would
look this bad if errors were spread evenly is multiplied by the number of slices tried. Wrong-or-right errors are tested
exactly (Fisher, one-sided); sizes of errors by Welch's t. Intervals hold for all slices together at 95%.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.feature_facts import Slice, SliceSearch

Array = NDArray[Any]

FEWEST = 10
FEWEST_SHARE = 0.02
FEW_VALUES = 8
MOST_CATEGORIES = 20
KEPT = 12
ALPHA = 0.05
PARTS = (
    (0.0, 0.1, "lowest tenth"),
    (0.0, 0.25, "lowest quarter"),
    (0.25, 0.5, "second quarter"),
    (0.5, 0.75, "third quarter"),
    (0.75, 1.0, "highest quarter"),
    (0.9, 1.0, "highest tenth"),
)
QUARTERS = tuple(part for part in PARTS if "quarter" in part[2])


def find_slices(
    errors: Array,
    numbers: Array,
    names: Sequence[str],
    texts: Array,
    text_names: Sequence[str],
    *,
    lengths: Sequence[bool] = (),
    measure: str = "mean error",
    rule: str = "",
) -> SliceSearch | None:
    """Search single features for slices with worse `errors` (n,); None below 40 samples with a known error.

    `numbers` is (n, d), `texts` (n, t); errors that are all 0 or 1 are tested as shares, others as means.
    """
    known = np.isfinite(errors)
    errors, numbers, texts = errors[known].astype(np.float64), numbers[known], texts[known]
    n = len(errors)
    if n < 4 * FEWEST:
        return None
    wrong = bool(np.isin(errors, (0.0, 1.0)).all())
    fewest = max(FEWEST, math.ceil(FEWEST_SHARE * n))
    masks = [*_ranges(numbers, names, PARTS), *_categories(texts, text_names)]
    masks = [item for item in masks if fewest <= item[1].sum() <= n - FEWEST]
    tried = len(masks)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    found = [_judge(head, mask, errors, tried, wrong, logs) for head, mask in masks]
    worst = sorted((s for s in found if s.error > s.rest), key=lambda s: (s.chance, -(s.error - s.rest), s.feature))
    first = next((i for i, flag in enumerate(lengths) if flag), None)
    along: tuple[Slice, ...] = ()
    if first is not None:
        quarters = _ranges(numbers[:, first : first + 1], names[first : first + 1], QUARTERS)
        along = tuple(_judge(head, mask, errors, 1, wrong, logs) for head, mask in quarters if mask.sum() >= FEWEST)
    return SliceSearch(
        measure=measure,
        wrong=wrong,
        rule=rule,
        n=n,
        error=float(errors.mean()),
        features=len(names) + len(text_names),
        tried=tried,
        fewest=fewest,
        slices=tuple(worst[:KEPT]),
        lengths=along,
    )


Head = tuple[str, str, float, float, str]


def _ranges(numbers: Array, names: Sequence[str], parts: Sequence[Any]) -> Iterator[tuple[Head, Array]]:
    """Yield the ranges of every column: each of few distinct values, else parts by quantile; missing values apart."""
    for column, name in zip(numbers.T, names, strict=True):
        finite = np.isfinite(column)
        if not finite.all():
            yield (name, "missing", math.nan, math.nan, "missing"), ~finite
        values = np.unique(column[finite])
        if len(values) < 2:
            continue
        if len(values) <= FEW_VALUES:
            for value in values.tolist():
                yield (name, "one value", value, value, ""), column == value
            continue
        seen = set()
        for low_share, high_share, part in parts:
            low, high = np.quantile(column[finite], [low_share, high_share], method="inverted_cdf").tolist()
            # Ends are included once: a quarter starts above the value at which the one before ends.
            mask = finite & (column <= high) & (column >= low if low_share == 0 else column > low)
            held = column[mask]
            if not held.size or (held.min(), held.max()) in seen:
                continue
            seen.add((held.min(), held.max()))
            yield (name, part, float(held.min()), float(held.max()), ""), mask


def _categories(texts: Array, names: Sequence[str]) -> Iterator[tuple[Head, Array]]:
    """Yield each category of the texts that repeat: at most 20 distinct ones."""
    for column, name in zip(texts.T, names, strict=True):
        values, counts = np.unique(column, return_counts=True)
        if 2 <= len(values) <= min(MOST_CATEGORIES, len(column) // 5) and counts.max() > 1:
            for value in values.tolist():
                yield (name, "category", math.nan, math.nan, value), column == value


def _judge(head: Head, mask: Array, errors: Array, tried: int, wrong: bool, logs: Array) -> Slice:
    """Compare the errors inside a slice with those outside."""
    inside, outside = errors[mask], errors[~mask]
    n, mean = len(inside), float(inside.mean())
    share = 1 - ALPHA / max(tried, 1) / 2
    if wrong:
        hits = float(inside.sum())
        low, high = intervals.wilson(hits, n, NormalDist().inv_cdf(share))
        chance = fisher_tail(int(hits), n, int(errors.sum()), len(errors), logs)
    else:
        half = intervals.t_quantile(n - 1, share) * math.sqrt(float(inside.var(ddof=1)) / n)
        low, high = np.asarray(mean - half), np.asarray(mean + half)
        chance = welch_tail(inside, outside)
    feature, part, start, end, category = head
    return Slice(
        feature=feature,
        part=part,
        low=start,
        high=end,
        category=category,
        n=n,
        error=mean,
        error_low=float(low),
        error_high=float(high),
        rest=float(outside.mean()) if len(outside) else math.nan,
        chance=min(1.0, chance * max(tried, 1)),
    )


def fisher_tail(hits: int, n: int, all_hits: int, total: int, logs: Array) -> float:
    """Return the probability of at least `hits` among `n` drawn from `total` of which `all_hits` are hits.

    The upper tail of the hypergeometric distribution; `logs[k]` is ln k!.
    """
    k = np.arange(hits, min(n, all_hits) + 1)
    k = k[n - k <= total - all_hits]
    if not k.size:
        return 0.0
    miss = total - all_hits
    ways = logs[all_hits] - logs[k] - logs[all_hits - k] + logs[miss] - logs[n - k] - logs[miss - n + k]
    return float(min(1.0, np.exp(ways - (logs[total] - logs[n] - logs[total - n])).sum()))


def welch_tail(inside: Array, outside: Array) -> float:
    """Return the one-sided probability that `inside` has so much larger a mean by chance (B. L. Welch, 1947)."""
    if len(inside) < 2 or len(outside) < 2:
        return 1.0
    first, second = float(inside.var(ddof=1)) / len(inside), float(outside.var(ddof=1)) / len(outside)
    if first + second <= 0:
        return 1.0 if inside.mean() <= outside.mean() else 0.0
    t = float(inside.mean() - outside.mean()) / math.sqrt(first + second)
    freedom = (first + second) ** 2 / (first**2 / (len(inside) - 1) + second**2 / (len(outside) - 1))
    return intervals.t_tail(t, freedom)
