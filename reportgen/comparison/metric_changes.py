"""Every metric that two reports have in common: the difference, its 95% interval, and whether chance can explain it."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.intervals import bootstrap_rows
from reportgen.analysis.metrics.averages import averages
from reportgen.analysis.paired import (
    independent_change,
    mcnemar_exact,
    paired_means,
    paired_resamples,
    paired_shares,
)
from reportgen.comparison.pairing import Pairing, other_tasks
from reportgen.report.changes import MetricChange, Place
from reportgen.report.types import Metric, Report
from reportgen.report.values import Missing, Number, number

Array = NDArray[Any]
Difference = tuple[float, float, float, int, str]  # with its interval, on n samples, by a method

# Metrics that are the mean of the sample records' loss, or 1 less it (-1), by task (see analysis.metrics.samples).
MEAN_LOSS = {
    "binary": ("log_loss", 1),
    "multiclass": ("log_loss", 1),
    "multilabel": ("log_loss", 1),
    "regression": ("mae", 1),
    "timeseries": ("mae", 1),
    "segmentation": ("dice_per_sample", -1),
    "reconstruction": ("mse", 1),
}
# Metrics that are the share of right answers: of all samples, of the positive ones, of the negative ones.
SHARES = {"accuracy": None, "recall": 1, "specificity": 0}
MOST_PRODUCTS = 200_000  # cells x classes of one bootstrap
_CLOSE = 1e-4  # records are float32
P_LIMIT = 0.05
FEWEST = 6  # samples that moved: were chance to move each up or down, five all go one way in 6% of cases, six in 3%


def metric_changes(base: Report, head: Report, pairings: tuple[Pairing, ...]) -> tuple[MetricChange, ...]:
    """Compare every metric with a value in both reports, in the order of `head`'s metrics."""
    outputs_before = {metric.output for metric in base.metrics}
    outputs_now = {metric.output for metric in head.metrics}
    single = len(outputs_before) == len(outputs_now) == 1
    before = {("" if single else metric.output, metric.name): metric for metric in base.metrics}
    pairs = {pairing.output: pairing for pairing in pairings}
    other = {new for new, _, _ in other_tasks(base, head)}
    found, done = [], dict[str, dict[str, Difference]]()
    for metric in head.metrics:
        old = before.get(("" if single else metric.output, metric.name))
        if old is None or metric.output in other or isinstance(old.value, Missing) or isinstance(metric.value, Missing):
            continue
        pairing = pairs.get(metric.output)
        if pairing is not None and metric.output not in done:
            done[metric.output] = _paired(pairing)
        found.append(_change(old, metric, done.get(metric.output, {}).get(metric.name), pairing))
    return tuple(found)


def _change(old: Metric, new: Metric, paired: Difference | None, pairing: Pairing | None) -> MetricChange:
    """Compare one metric: sample by sample where the records give the same number, else by the two intervals."""
    before, now = _float(old.value), _float(new.value)
    if paired is not None and pairing is not None and not _agrees(paired[0], before, now, pairing):
        paired = None
    few = paired is not None and pairing is not None and _moved(pairing, new.name) < FEWEST
    difference, low, high, n, method = paired or _unpaired(old, new)
    by_answer = paired is not None and new.name in SHARES
    lost_won = _lost_and_won(pairing, SHARES[new.name]) if by_answer and pairing is not None else None
    return MetricChange(
        name=new.name,
        label=new.label,
        output=new.output,
        unit=new.unit,
        better=new.better,
        before=old.value,
        now=new.value,
        difference=_short(difference),
        low=_short(low),
        high=_short(high),
        n=n,
        paired=paired is not None,
        method=method,
        place="unclear" if few and difference else _place(difference, low, high, new.better, lost_won),
        headline=new.headline,
    )


def _agrees(difference: float, before: float, now: float, pairing: Pairing) -> bool:
    """Tell whether the records carry the metric: on all samples of both reports they must give the same difference."""
    if not pairing.whole or pairing.changed.any():
        return True
    return math.isclose(difference, now - before, rel_tol=0.02, abs_tol=_CLOSE * max(1.0, abs(now), abs(before)))


def _unpaired(old: Metric, new: Metric) -> Difference:
    """Return the difference of two metrics from their own intervals."""
    before, now = _float(old.value), _float(new.value)
    ends = independent_change(before, (_float(old.low), _float(old.high)), now, (_float(new.low), _float(new.high)))
    return now - before, *ends, min(old.n, new.n), "unpaired"


def _place(difference: float, low: float, high: float, better: str, lost_won: tuple[int, int] | None) -> Place:
    """Say what a difference means: beyond chance only if its whole interval lies on one side of 0.

    Right and wrong answers must pass the exact McNemar test as well.
    """
    if difference == 0 and (lost_won is None or lost_won == (0, 0)):
        return "same"
    if not (math.isfinite(low) and math.isfinite(high)) or low <= 0 <= high:
        return "unclear"
    if lost_won is not None and mcnemar_exact(*lost_won) >= P_LIMIT:
        return "unclear"
    if better == "neither":
        return "changed"
    return "better" if (difference > 0) == (better == "higher") else "worse"


def _moved(pairing: Pairing, name: str) -> int:
    """Count the judged samples whose answer (of the mean of losses, R2 and RMSE: whose loss) is another than before."""
    losses = name == MEAN_LOSS.get(pairing.task, ("",))[0] or not pairing.classes
    old, new = (pairing.loss_before, pairing.loss_after) if losses else (pairing.before, pairing.after)
    return int((pairing.judged & (old != new)).sum())


def _lost_and_won(pairing: Pairing, only: int | None) -> tuple[int, int]:
    """Count the judged samples (`only` of one class) that are newly wrong, and newly right."""
    judged = pairing.judged if only is None else pairing.judged & (pairing.truth == only)
    was, now = pairing.before == pairing.truth, pairing.after == pairing.truth
    return int((judged & was & ~now).sum()), int((judged & ~was & now).sum())


def _paired(pairing: Pairing) -> dict[str, Difference]:
    """Return the differences of one output's metrics that its sample records give, by the metric's name."""
    judged = pairing.judged
    n = int(judged.sum())
    if n < 2:
        return {}
    found: dict[str, Difference] = {}
    if pairing.classes:
        found |= _of_answers(pairing, judged, n)
    if pairing.task == "regression":
        found |= _of_errors(pairing, judged, n)
    name, sign = MEAN_LOSS.get(pairing.task, ("", 1))
    known = judged & np.isfinite(pairing.loss_before) & np.isfinite(pairing.loss_after)
    if name and known.sum() >= 2:
        means = paired_means(sign * pairing.loss_before[known], sign * pairing.loss_after[known])
        found[name] = (*means, int(known.sum()), "paired, Student's t")
    return found


def _of_answers(pairing: Pairing, judged: Array, n: int) -> dict[str, Difference]:
    """Return the differences of accuracy and of the averages over classes."""
    truth, before, after = (part[judged].astype(np.int64) for part in (pairing.truth, pairing.before, pairing.after))
    was, now = before == truth, after == truth
    found = {"accuracy": _share(was, now)}
    if pairing.task == "binary":
        found |= {
            name: _share(was[truth == only], now[truth == only])
            for name, only in SHARES.items()
            if name != "accuracy" and (truth == only).any()
        }
    cells, counts = np.unique(np.stack([truth, before, after], axis=1), axis=0, return_counts=True)
    used, places = np.unique(cells, return_inverse=True)
    if len(counts) * len(used) > MOST_PRODUCTS:
        return found
    cells = places.reshape(cells.shape)
    average = partial(
        _averages_of, cells, positive=int(np.searchsorted(used, 1)) if pairing.task == "binary" and 1 in used else None
    )
    plain, drawn = average(counts[None]), average(paired_resamples(counts))
    method = "paired, bootstrap"
    for name, values in drawn.items():
        if name not in found and np.isfinite(values).all():
            low, high = np.percentile(values, [2.5, 97.5])
            found[name] = (float(plain[name][0]), float(low), float(high), n, method)
    return found


def _of_errors(pairing: Pairing, judged: Array, n: int) -> dict[str, Difference]:
    """Return the differences of R2 and RMSE of a single target; with several, the records do not carry them."""
    truth, before, after = (part[judged] for part in (pairing.truth, pairing.before, pairing.after))
    if not (np.isfinite(truth).all() and np.isfinite(before).all() and np.isfinite(after).all()):
        return {}
    centred = truth - truth.mean()  # against rounding; the variance stays
    rows = np.stack([(before - truth) ** 2, (after - truth) ** 2, centred, centred**2], axis=1)

    def statistic(means: Array) -> Array:
        """Return the differences of both for resampled means (k, 4)."""
        was, now, middle, square = means.T
        return np.stack([(was - now) / (square - middle**2), np.sqrt(now) - np.sqrt(was)], axis=1)

    with np.errstate(divide="ignore", invalid="ignore"):
        plain = statistic(rows.mean(axis=0)[None])[0]
    low, high, _ = bootstrap_rows(rows, statistic)
    return {
        name: (float(plain[i]), float(low[i]), float(high[i]), n, "paired, bootstrap")
        for i, name in enumerate(("r2", "rmse"))
        if np.isfinite(plain[i])
    }


def _share(was: Array, now: Array) -> Difference:
    """Return the difference of a share of right answers, (n,) before and now."""
    both, neither = int((was & now).sum()), int((~was & ~now).sum())
    lost, won = int((was & ~now).sum()), int((~was & now).sum())
    return (won - lost) / len(was), *paired_shares(both, lost, won, neither), len(was), "paired, Newcombe"


def _averages_of(cells: Array, counts: Array, positive: int | None) -> dict[str, Array]:
    """Return now - before of every average over classes, for tables of counts (k, cells), and of the `positive` one."""
    size = int(cells.max()) + 1
    eye = np.eye(size)
    support = counts @ eye[cells[:, 0]]
    result: dict[str, Array] = {}
    for column, sign in ((2, 1), (1, -1)):
        right = counts @ (eye[cells[:, 0]] * (cells[:, 0] == cells[:, column])[:, None])
        for name, values in averages(right, support, counts @ eye[cells[:, column]]).items():
            result[name] = result.get(name, np.zeros(len(counts))) + sign * values
        if positive is not None:
            hits, said = right[:, positive], (counts @ eye[cells[:, column]])[:, positive]
            with np.errstate(invalid="ignore"):
                for name, values in (("precision", hits / said), ("f1", 2 * hits / (said + support[:, positive]))):
                    result[name] = result.get(name, np.zeros(len(counts))) + sign * values
    return result


def _float(value: Number) -> float:
    """Return a number, NaN where it is missing."""
    return math.nan if isinstance(value, Missing) else float(value)


def _short(value: float) -> Number:
    """Return a difference with seven digits; Missing where there is no interval."""
    return number(float(f"{value:.7g}") if math.isfinite(value) else value, "no interval")
