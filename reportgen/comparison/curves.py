"""The training curve of two runs in one chart: the loss (or first metric) that each was judged by."""

from __future__ import annotations

import numpy as np

from reportgen.analysis.curves import thin
from reportgen.report.blocks import Axis, Chart, Series
from reportgen.report.types import HistorySeries, Report
from reportgen.report.values import Column
from reportgen.report.words import number_text, shorten

WANTED = ("val_loss", "loss")
POINTS = 1_000


def overlay(base: Report, head: Report) -> Chart | None:
    """Return both runs' curve of the first metric that both have, validation before training; None without one."""
    old = {series.name: series for series in base.history if series.values.length}
    new = {series.name: series for series in head.history if series.values.length}
    shared = [name for name in new if name in old and "learning_rate" not in name and name != "lr"]
    ranked = sorted(shared, key=lambda name: (_rank(name), not name.startswith("val_")))
    if not ranked:
        return None
    name = ranked[0]
    return Chart(
        id="changes-curves",
        title=f"{_title(name)}, before and now",
        x=Axis("epoch", integer=True),
        y=Axis(name),
        series=(_series("before", "before", old[name], "second"), _series("now", "now", new[name], "first")),
        reading=_reading(name, old[name], new[name]),
    )


def _rank(name: str) -> int:
    """Order curves: validation loss, training loss, anything else."""
    return WANTED.index(name) if name in WANTED else len(WANTED)


def _title(name: str) -> str:
    """Write a curve's name as a title."""
    words = name.removeprefix("val_").replace("_", " ")
    return f"{'Validation' if name.startswith('val_') else 'Training'} {shorten(words, 60)}"


def _series(id_: str, name: str, series: HistorySeries, role: str) -> Series:
    """Return one run's curve, thinned where it has more points than can be seen."""
    epochs, values = thin(
        np.asarray(series.epochs.to_numpy()), np.asarray(series.values.to_numpy(), np.float64), POINTS
    )
    return Series(id_, name, Column.pack(epochs, "<i8"), Column.pack(values, "<f8"), role=role)  # type: ignore[arg-type]


def _reading(name: str, old: HistorySeries, new: HistorySeries) -> str:
    """Say where both runs ended, and what the lowest value of a loss was."""
    if old.values == new.values and old.epochs == new.epochs:
        return "The same curve in both runs, number by number: one line lies on the other."
    ends = [_last(series) for series in (old, new)]
    if any(end is None for end in ends):
        return "One of the two runs ended without a finite value."
    (epoch_old, last_old), (epoch_new, last_new) = (end for end in ends if end is not None)
    said = (
        f"It ended at {number_text(last_old)} in epoch {epoch_old:,} before and at {number_text(last_new)} in epoch "
        f"{epoch_new:,} now"
    )
    if not name.endswith("loss"):
        return f"{said}."
    lowest = [float(np.nanmin(np.asarray(series.values.to_numpy(), np.float64))) for series in (old, new)]
    return f"{said}; the lowest values were {number_text(lowest[0])} and {number_text(lowest[1])}."


def _last(series: HistorySeries) -> tuple[int, float] | None:
    """Return the last epoch and its value, None where one of them is not finite."""
    epoch, value = float(series.epochs.to_numpy()[-1]), float(series.values.to_numpy()[-1])
    return (int(epoch), value) if np.isfinite(epoch) and np.isfinite(value) else None
