"""The order in which a graph reads, the places where it can be cut, and stretches that repeat."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

Neighbours = list[list[int]]
LONGEST_PERIOD = 24
LARGEST = 24
WIDEST = 4


@dataclass(frozen=True, slots=True)
class Run:
    """Items `start` .. `start + period * count` are `count` equal stretches of `period` items."""

    start: int
    period: int
    count: int


def order(sources: Neighbours, targets: Neighbours) -> list[int]:
    """Return all items so that each comes after those it needs and branches stay together.

    Depth-first from the outputs, the shallowest output first, so that a side branch or a late input stands where it is
    used. Takes linear time; in a graph with a cycle (a damaged file) the order is still complete.
    """
    depth = _depths(sources, targets)
    ends = sorted((i for i in range(len(sources)) if not targets[i]), key=lambda i: (depth[i], i))
    done: set[int] = set()
    result: list[int] = []
    for root in [*ends, *range(len(sources))]:
        stack: list[tuple[int, int]] = [] if root in done else [(root, 0)]
        done.add(root)
        while stack:
            item, at = stack.pop()
            while at < len(sources[item]) and sources[item][at] in done:
                at += 1
            if at == len(sources[item]):
                result.append(item)
                continue
            stack.append((item, at + 1))
            stack.append((sources[item][at], 0))
            done.add(sources[item][at])
    return result


def _depths(sources: Neighbours, targets: Neighbours) -> list[int]:
    """Return the longest distance from an input; items on a cycle keep what was found."""
    depth, missing = [0] * len(sources), [len(one) for one in sources]
    ready = [i for i, count in enumerate(missing) if not count]
    while ready:
        item = ready.pop()
        for target in targets[item]:
            depth[target] = max(depth[target], depth[item] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return depth


def is_acyclic(sources: Neighbours, targets: Neighbours) -> bool:
    """Return True when no item needs itself."""
    missing = [len(one) for one in sources]
    ready = [i for i, count in enumerate(missing) if not count]
    seen = 0
    while ready:
        item = ready.pop()
        seen += 1
        for target in targets[item]:
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return seen == len(sources)


def count_open(sequence: list[int], targets: Neighbours) -> list[int]:
    """Return, for each position, how many items up to it are still needed by later ones of the sequence."""
    place = {item: at for at, item in enumerate(sequence)}
    ends: dict[int, int] = {}
    open_now, counts = 0, []
    for at, item in enumerate(sequence):
        open_now -= ends.pop(at, 0)
        last = max((place[target] for target in targets[item] if target in place), default=-1)
        if last > at:
            open_now += 1
            ends[last] = ends.get(last, 0) + 1
        counts.append(open_now)
    return counts


def split(sequence: list[int], targets: Neighbours) -> list[list[int]]:
    """Return the sequence in segments with a waist of one tensor between them.

    What is longer than 24 items is split at wider waists, up to four tensors, and at last wherever it is narrowest.
    """
    return _split(sequence, targets, 1)


def _split(sequence: list[int], targets: Neighbours, width: int) -> list[list[int]]:
    """Split at waists of `width`, then what is still too long at wider ones."""
    counts = count_open(sequence, targets)
    parts, start = [], 0
    for at in range(len(sequence)):
        last = at == len(sequence) - 1
        long = at + 1 - start >= LARGEST and not last
        if width > WIDEST and long:
            window = range(start + LARGEST // 2, at + 1)
            parts.append(sequence[start : min(window, key=lambda i: (counts[i], -i)) + 1])
            start += len(parts[-1])
        elif last or (width <= WIDEST and counts[at] <= width):
            part, start = sequence[start : at + 1], at + 1
            parts += _split(part, targets, width + 1) if len(part) > LARGEST and width <= WIDEST else [part]
    return parts


def find_runs(signatures: list[Hashable]) -> list[Run]:
    """Return tandem repeats from left to right, each with the period that saves most (the shortest of equals)."""
    runs, at = [], 0
    while at < len(signatures):
        best = Run(at, 1, 1)
        for period in range(1, min(LONGEST_PERIOD, (len(signatures) - at) // 2) + 1):
            count = _count_copies(signatures, at, period)
            if (count - 1) * period > (best.count - 1) * best.period:
                best = Run(at, period, count)
        runs.append(best)
        at += best.period * best.count
    return runs


def _count_copies(signatures: list[Hashable], start: int, period: int) -> int:
    """Return how often the `period` items at `start` stand one after another."""
    count, at = 1, start + period
    while at + period <= len(signatures) and all(signatures[start + i] == signatures[at + i] for i in range(period)):
        count, at = count + 1, at + period
    return count
