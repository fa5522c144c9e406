"""The benchmark's page: what was found of each fault, what was missed and why, and false alarms; n with every number."""

from __future__ import annotations

from collections import Counter

from faults.injections import FAULTS, newest_seeds
from faults.recipe import HELD_OUT_KINDS, TUNING_KINDS
from faults.score import DATA_CHECKS, Judged, Results, false_alarms, rate_text

HEAD = """# How well the checks find faults

Small models of six kinds ({kinds}) were trained on real data that comes with
scikit-learn: healthy ones, and the same ones with one known fault injected, each fault in at least three ways.
Thresholds and rules were chosen on {tuning}; {held} were held out, with other
seeds and other splits of the data. Misses among the held-out cases of early runs were looked at too, and some rules (of
checks, and of what counts as a fault that took) were reshaped after them, so that those cases are not quite untouched.
Of the newest seed of each way and kind only the counts have been seen, never a single case; these are counted once more
by themselves.

The models are trained by a loop of our own that does what Keras's `fit` does, an epoch in one graph call, because `fit`
takes ten times as long for models of this size; losses and metrics are averaged as `fit` averages them.

A case counts for the recall of a fault when the trainer's own measurements on training and validation data say that the
fault is there (`tests/benchmarks/faults/truth.py`); the others are listed as "did not take". Recall means that the check
of that very name warned or failed. In brackets: hits of n, and the 95% Wilson interval.

Trained so far: {trained:,} of the {planned:,} cases of the full run.

Repeat it with `make bench-faults` (a fixed part of the cases, about 20 minutes on two cores) or
`make bench-faults FULL=1` (all cases, hours); trained cases and their evidence are kept in `.cache/bench-faults`, so that
a stopped run goes on where it was.
"""


def write_page(found: Results, constructed: list[Judged], *, trained: int, planned: int) -> str:
    """Return the whole page as Markdown; `trained` of `planned` cases are there."""
    parts = [
        HEAD.format(
            kinds=", ".join((*TUNING_KINDS, *HELD_OUT_KINDS)),
            tuning=", ".join(TUNING_KINDS),
            held=", ".join(HELD_OUT_KINDS),
            trained=trained,
            planned=planned,
        ),
        _summary(found),
        _faults(found),
        _alarms(found),
        _misses(found),
    ]
    if constructed:
        parts.append(_constructed(constructed))
    return "\n".join(parts)


def _summary(found: Results) -> str:
    """Write the numbers that decide."""
    held = [case for case in found.faulty if case.held_out]
    seeds = newest_seeds()
    new = [c for c in held if c.recipe["seed"] == seeds[c.recipe["fault"], c.recipe["way"], c.recipe["kind"]]]
    hits = sum(case.fired(case.recipe["fault"]) for case in held)
    healthy = [case for case in found.healthy if case.held_out]
    lines = [
        "## In short",
        "",
        "| | held out | all |",
        "|---|---|---|",
        f"| recall over all trained faults | {rate_text(hits, len(held))} | "
        f"{rate_text(sum(c.fired(c.recipe['fault']) for c in found.faulty), len(found.faulty))} |",
        f"| the same, on the newest seeds alone | {rate_text(sum(c.fired(c.recipe['fault']) for c in new), len(new))} | |",
        f"| healthy models with a false warning or error of a training or layer check | "
        f"{rate_text(len(false_alarms(healthy)), len(healthy))} | "
        f"{rate_text(len(false_alarms(found.healthy)), len(found.healthy))} |",
        f"| healthy models with a false error | {rate_text(len(false_alarms(healthy, errors=True)), len(healthy))} | "
        f"{rate_text(len(false_alarms(found.healthy, errors=True)), len(found.healthy))} |",
        "",
    ]
    return "\n".join(lines)


def _faults(found: Results) -> str:
    """Write the recall of each fault."""
    lines = [
        "## Each trained fault",
        "",
        "| fault | recall, held out | recall, tuned on | did not take (held out, tuned on) |",
        "|---|---|---|---|",
    ]
    for fault in FAULTS:
        cells = []
        for held in (True, False):
            cases = [case for case in found.faulty if case.recipe["fault"] == fault and case.held_out is held]
            cells.append(rate_text(sum(case.fired(fault) for case in cases), len(cases)))
        lines.append(
            f"| {fault} | {' | '.join(cells)} | {found.not_taken[fault, True]}, {found.not_taken[fault, False]} |"
        )
    return "\n".join([*lines, ""])


def _alarms(found: Results) -> str:
    """Write what fired on healthy models."""
    alarms = false_alarms(found.healthy)
    codes = Counter(code for _, fired in alarms for code in fired)
    data = Counter(code for case in found.healthy for code in sorted(DATA_CHECKS) if case.fired(code))
    kinds = Counter(case.recipe["kind"] for case in found.healthy)
    lines = [
        "## Healthy models",
        "",
        f"{len(found.healthy):,} healthy models ({', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))}); "
        f"{len(found.not_good)} more did not become good enough to be called healthy and were left out.",
        "",
        "| training or layer check | false alarms |",
        "|---|---|",
        *(f"| {code} | {rate_text(n, len(found.healthy))} |" for code, n in codes.most_common()),
        *(["| none | |"] if not codes else []),
        "",
        "Checks of data and predictions on the same models (these may be right: the data is real): "
        + (", ".join(f"{code} {n}" for code, n in data.most_common()) or "none")
        + ".",
        "",
    ]
    return "\n".join(lines)


def _misses(found: Results) -> str:
    """Write what was missed, by fault, way and kind."""
    missed = Counter(
        (case.recipe["fault"], case.recipe["way"], case.recipe["kind"])
        for case in found.faulty
        if not case.fired(case.recipe["fault"])
    )
    lines = ["## What was missed", "", "| fault | way | kind | cases |", "|---|---|---|---|"]
    lines += [f"| {fault} | {way} | {kind} | {n} |" for (fault, way, kind), n in sorted(missed.items())]
    return "\n".join([*lines, ""])


def _constructed(cases: list[Judged]) -> str:
    """Write the recall on cases that were made by editing healthy ones."""
    lines = [
        "## Faults made by editing",
        "",
        "Healthy cases whose weights, labels or inputs were edited afterwards; counted apart, because nothing was trained.",
        "",
        "| fault | recall |",
        "|---|---|",
    ]
    for fault in dict.fromkeys(case.recipe["fault"] for case in cases):
        mine = [case for case in cases if case.recipe["fault"] == fault]
        lines.append(f"| {fault} | {rate_text(sum(case.fired(fault) for case in mine), len(mine))} |")
    return "\n".join([*lines, ""])
