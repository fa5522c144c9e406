"""Forecasts: whether a target continues its input window, how long a season is, and what naive forecasts would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LONGEST_STRIDE = 8
FEWEST_PAIRS = 3
MOST_COLUMNS = 64
MOST_ROWS = 1_024
CLEAR_SEASON = 0.3
ORDERED = "no two windows of the batch overlap or follow each other"


@dataclass(frozen=True, slots=True)
class Link:
    """How a target continues the input `key`: `columns` are those of the window that the target's variables continue.

    `season` is the period found in the windows, 0 for none; `proven` says that the batch itself shows the link; `how`
    says so in words.
    """

    key: str
    columns: tuple[int, ...]
    season: int
    proven: bool
    how: str


def find_link(inputs: Mapping[str, Array], y: Array | None, declared: bool) -> tuple[Link | None, str]:
    """Return how labels continue an input window, or None and why no naive forecast can be made.

    Proof is in the batch: where one window starts a few steps after another, its last values must be the other's first
    labels. Without such pairs, `declared` (the configuration says that this is a forecast) is believed if inputs and
    labels are of one range.
    """
    if y is None or not len(y):
        return None, "there are no labels"
    kind = np.asarray(y).dtype.kind
    if kind not in ("fiu" if declared else "f"):  # class numbers continue nothing, and looking costs time
        return None, "the labels are not numbers"
    windows = {key: values for key, values in inputs.items() if _is_window(values)}
    if not windows:
        return None, "no input is a window of numbers"
    target = as_steps(np.asarray(y)[:MOST_ROWS])
    for key, values in windows.items():
        window = as_steps(values[:MOST_ROWS])
        columns, wrong = _proven_columns(window, target)
        if columns:
            season = find_season(window[..., columns[0]])
            how = "where windows overlap, the labels are the next values of the input"
            return Link(key, columns, season, True, how), ""
        if wrong:
            return None, "where windows overlap, the labels are not the next values of the input"
    key, values = next(iter(windows.items()))
    window = as_steps(values[:MOST_ROWS])
    if not declared:
        return None, ORDERED
    if window.shape[2] != target.shape[2]:
        return None, f"{ORDERED}, and the input has {window.shape[2]} columns for {target.shape[2]} in the labels"
    low, high = float(np.nanmin(window)), float(np.nanmax(window))
    near = np.nanquantile(target, [0.01, 0.99])
    if near[0] < low - (high - low) / 2 or near[1] > high + (high - low) / 2:
        return None, f"{ORDERED}, and labels and inputs are of different ranges"
    how = f"{ORDERED}; that the labels continue the input is taken from the configuration"
    return Link(key, tuple(range(window.shape[2])), find_season(window[..., 0]), False, how), ""


def as_steps(values: Array) -> NDArray[np.float64]:
    """Return values as (n, steps, variables)."""
    array = np.asarray(values).astype(np.float64)
    if array.ndim == 1:
        return array[:, None, None]
    return array[..., None] if array.ndim == 2 else array


def naive_forecasts(window: Array, link: Link, steps: int) -> tuple[Array, Array | None]:
    """Return the last-value and the seasonal forecast (n, steps, variables) that follow a window (n, T[, F])."""
    past = as_steps(window)[..., list(link.columns)]
    last = np.repeat(past[:, -1:], steps, axis=1)
    if not link.season:
        return last, None
    return last, past[:, past.shape[1] - link.season + np.arange(steps) % link.season]


def naive_steps(window: Array, link: Link) -> NDArray[np.float64]:
    """Return how far each value of a window (n, T[, F]) lies from the one a season (or one step) before: means (n,)."""
    past = as_steps(window)[..., list(link.columns)]
    lag = link.season or 1
    if past.shape[1] <= lag:
        return np.full(len(past), np.nan)
    return np.asarray(np.abs(past[:, lag:] - past[:, :-lag]).mean(axis=(1, 2)))


def find_season(windows: Array) -> int:
    """Return the period of windows (n, T): the highest peak of their mean autocorrelation above 0.3, or 0.

    Two whole periods must fit into a window.
    """
    length = windows.shape[1]
    centred = windows - windows.mean(axis=1, keepdims=True)
    spread = float((centred**2).mean())
    if length < 8 or not spread > 0 or not np.isfinite(spread):
        return 0
    lags = np.arange(1, length // 2 + 2)
    found = np.asarray([float((centred[:, lag:] * centred[:, :-lag]).mean()) / spread for lag in lags])
    peaks = [i for i in range(1, len(found) - 1) if found[i - 1] < found[i] >= found[i + 1] and found[i] > CLEAR_SEASON]
    return int(lags[max(peaks, key=lambda i: found[i])]) if peaks else 0


def _is_window(values: Array) -> bool:
    """Say whether an input is a window of a series: (n, T) or (n, T, F) numbers, more than one step."""
    array = np.asarray(values)
    fits = array.ndim in (2, 3) and array.shape[1] > 1 and array.dtype.kind in "fiu"
    return fits and (array.ndim == 2 or array.shape[2] <= MOST_COLUMNS)


def _proven_columns(window: Array, target: Array) -> tuple[tuple[int, ...], bool]:
    """Return the columns that labels continue, proven by windows that follow others, and whether any was disproven."""
    length, steps, variables = window.shape[1], target.shape[1], target.shape[2]
    choices = [tuple(range(variables))] if window.shape[2] == variables else []
    choices += [(c,) for c in range(window.shape[2])] if variables == 1 and window.shape[2] > 1 else []
    disproven = False
    for stride in range(1, min(LONGEST_STRIDE, length - 1) + 1):
        before, after = _pairs(window[:, stride:], window[:, :-stride])
        if len(before) < FEWEST_PAIRS:
            continue
        seen = min(stride, steps)
        for columns in choices:
            came = window[after, length - stride :][:, :seen][..., list(columns)]
            if np.allclose(came, target[before, :seen], rtol=1e-5, atol=1e-7, equal_nan=True):
                return columns, False
        disproven = True
    shared = min(length, steps)
    for columns in choices if shared >= FEWEST_PAIRS else ():
        before, _ = _pairs(target[:, :shared], window[:, :shared][..., list(columns)])
        if len(before) >= FEWEST_PAIRS:
            return columns, False
    return (), disproven


def _pairs(first: Array, second: Array) -> tuple[Array, Array]:
    """Return rows i, j with first[i] equal to second[j], i not j; constant rows prove nothing and are left out."""
    places = {row.astype(np.float32).tobytes(): j for j, row in enumerate(second)}
    found = []
    for i, row in enumerate(first):
        j = places.get(row.astype(np.float32).tobytes(), i)
        if j != i and not (row == row.reshape(-1, row.shape[-1])[0]).all():
            found.append((i, j))
    rows = np.asarray(found, np.int64).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]
