"""Reports of a live model: the same line as the command's, without a worker process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reportgen.clock import Clock
from reportgen.config_schema import Config
from reportgen.inputs.found import Inputs, plan_of
from reportgen.report.types import Report
from reportgen.report.values import Missing
from reportgen.worker.plan import BatchSpec, ModelSpec, Plan

Arrays = Any  # an array, or a mapping from input or output name to array


def build_report(
    model: Any,
    x: Arrays = None,
    y: Arrays = None,
    *,
    history: Any = None,
    classes: Sequence[str] | Mapping[str, Sequence[str]] = (),
    ids: Sequence[str] = (),
    output: str | Path | None = None,
    **settings: Any,
) -> Report:
    """Return the report of a Keras model in memory; write it into the folder `output` when given.

    `x` and `y` are arrays with one row a sample, or mappings by input and output name. `history` is what `fit`
    returned, or its `.history`. `settings` are the keys of the configuration that apply: title, task, baseline, gates,
    checks, samples, layers, predictions, seed, redact, formats. Raises InputRefused for arrays of different lengths,
    and pydantic's ValidationError for settings that the configuration would refuse.
    """
    from reportgen import assembly
    from reportgen.inputs.baseline import describe_earlier, load_baseline
    from reportgen.inputs.history import parse_history
    from reportgen.inputs.look import load_look
    from reportgen.pipeline import write_report
    from reportgen.worker.batch.memory import open_arrays
    from reportgen.worker.run import run_in_process

    clock = Clock()
    folder = Path(output).absolute() if output is not None else Path.cwd()
    settings.setdefault("title", str(getattr(model, "name", "model")))
    config = Config(model=Path("live model"), file=Path.cwd() / "live", output=folder, **settings)
    logs = getattr(history, "history", history)
    curves = parse_history(json.dumps(_plain(logs)).encode(), "fit()", "history") if logs else None
    draft = assembly.begin(config, curves, ())
    source = open_arrays(_named(x), _named(y), ids) if x is not None else None
    baseline = load_baseline(config)
    plan = _plan(config, _named(x), _named(y), classes, bool(len(ids)))
    plan = replace(plan, earlier=describe_earlier(baseline))
    evidence = run_in_process(plan, model, source)
    clock.lap("the model and the batch")
    hashes = dict.fromkeys(("model", "batch", "history", "config"), Missing("in memory, not a file"))
    inputs = Inputs(plan, config.model, None, (), config.file, dict(hashes), look=load_look(config.theme))
    inputs = replace(inputs, baseline=baseline)
    report = assembly.finish(draft, evidence, None, inputs, clock)
    if output is not None:
        write_report(report, folder, config.formats, inputs.look)
    return report


def report_callback(x: Arrays = None, y: Arrays = None, **settings: Any) -> Any:
    """Return a Keras callback that writes a report when training ends; arguments as in `build_report`.

    A report that cannot be made never ends a training run: the reason is printed instead.
    """
    from reportgen.errors import ReportgenError
    from reportgen.worker.callback import make_callback

    def at_end(model: Any, history: dict[str, list[float]]) -> None:
        """Build the report and say where it is."""
        try:
            report = build_report(model, x, y, history=history, **settings)
        except ReportgenError as error:
            print(f"reportgen: no report: {error.message}")
            return
        print(f"reportgen: {report.verdict.sentence}")

    return make_callback(at_end)


def _named(values: Arrays) -> dict[str, Any]:
    """Bring arrays into the form {name: array}; "" stands for the only one."""
    if values is None:
        return {}
    return dict(values) if isinstance(values, Mapping) else {"": values}


def _plain(logs: Mapping[str, Sequence[Any]]) -> dict[str, list[float]]:
    """Return the logs as plain lists of floats."""
    return {str(name): [float(value) for value in values] for name, values in logs.items()}


def _plan(config: Config, x: dict[str, Any], y: dict[str, Any], classes: Any, ids: bool) -> Plan:
    """Plan the run as `find_inputs` would."""
    named = classes if isinstance(classes, Mapping) else ({"": classes} if len(classes) else {})
    batch = BatchSpec(
        path="memory",
        format="memory",
        x={name: name for name in x},
        y={name: name for name in y},
        ids="ids" if ids else "",
        classes={name: tuple(map(str, texts)) for name, texts in named.items()},
    )
    return plan_of(config, ModelSpec("memory", "live"), batch if x else None)
