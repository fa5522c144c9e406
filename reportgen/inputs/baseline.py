"""The earlier report that a run is compared with: read, and checked like anything that a stranger made."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.records import CLASSIFIERS
from reportgen.errors import InputRefused
from reportgen.inputs.files import check_file
from reportgen.worker.plan import EarlierSpec

if TYPE_CHECKING:
    from reportgen.config_schema import Config
    from reportgen.report.types import Metric, Report, SampleTable

Array = NDArray[Any]


def load_baseline(config: Config) -> Report | None:
    """Return the report that `baseline` names, None without the key; raises InputRefused when it cannot be read."""
    if config.baseline is None:
        return None
    from reportgen.report.read import read_report

    try:
        check_file(config.baseline, "the earlier report")
        return read_report(config.baseline)
    except InputRefused as error:
        hint = "" if config.baseline.exists() else "; build that report first, or leave `baseline` out"
        raise InputRefused(f"baseline: {error.message}{hint}", detail=error.detail) from None


def describe_earlier(report: Report | None) -> EarlierSpec | None:
    """Return what an earlier run made of each sample, for the worker; None without losses of one batch.

    The loss is the sum over outputs, as the worker's own. It may grow where every answer was right, fall where one was
    wrong, and both ways where there are no answers.
    """
    tables = [table for table in (report.samples if report is not None else ()) if table.loss.length]
    if not tables:
        return None
    keys = tables[0].keys.to_numpy()
    if any(not np.array_equal(table.keys.to_numpy(), keys) for table in tables):
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # a sum that is not finite is no loss that moved
        losses = np.sum([np.asarray(table.loss.to_numpy(), np.float64) for table in tables], axis=0).astype("<f4")
    answered = [table for table in tables if table.task in CLASSIFIERS]
    right = np.all([_right(table) for table in answered], axis=0) if answered else np.ones(len(keys), bool)
    wrong = ~right if answered else np.ones(len(keys), bool)
    return EarlierSpec(_pack(keys, "<u8"), _pack(losses, "<f4"), _pack(right, "|u1"), _pack(wrong, "|u1"))


def metrics_before(report: Report | None, tasks: Mapping[str, str]) -> tuple[Metric, ...]:
    """Return the metrics that gates may be judged by: not those of outputs with another task than now in `tasks`."""
    if report is None:
        return ()
    old = {table.output: table.task for table in report.samples}
    other = {name for name, task in old.items() if task not in ([tasks[name]] if name in tasks else tasks.values())}
    return tuple(metric for metric in report.metrics if metric.output not in other)


def _right(table: SampleTable) -> Array:
    """Tell which answers of an output were right; all of them where nothing is known."""
    truth, answer = table.truth.to_numpy(), table.prediction.to_numpy()
    known = truth.size == answer.size == table.keys.length
    return np.asarray(truth == answer) if known else np.ones(table.keys.length, bool)


def _pack(values: Array, dtype: str) -> str:
    """Return a column as base64."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode("ascii")
