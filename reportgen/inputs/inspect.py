"""describe_inputs: what `reportgen check` says about the files that a configuration names, in a few lines."""

from __future__ import annotations

from reportgen.config_schema import Config
from reportgen.inputs.described import Described
from reportgen.inputs.files import shown
from reportgen.inputs.found import Inputs, find_inputs, load_history_of
from reportgen.inputs.remote import fetched


def describe_inputs(config: Config) -> list[str]:
    """Check every file that the configuration names and describe it; raises InputRefused for the first wrong one."""
    with fetched(config.remote, config.limits.download, config.limits.seconds):
        return _describe(config)


def _describe(config: Config) -> list[str]:
    """Describe what lies on disk."""
    inputs = find_inputs(config)
    lines = [f"model: {shown(config.model)} ({inputs.plan.model.format})"] if config.model is not None else []
    if inputs.history:
        lines += _describe_history(inputs, config)
    if inputs.described is not None and inputs.batch is not None:
        what = "batch" if config.model is not None else "predictions"
        lines.append(f"{what}: {_name(inputs)} ({_describe_batch(inputs.described)})")
    if config.baseline is not None and inputs.baseline is not None:
        lines.append(f"baseline: {shown(config.baseline)} ({inputs.baseline.verdict.sentence})")
    lines.append(f"output: {shown(config.output)} ({', '.join(config.formats)})")
    return lines


def _describe_history(inputs: Inputs, config: Config) -> list[str]:
    """Describe the history and what was noticed in it."""
    history, problems = load_history_of(inputs, config)
    name = ", ".join(shown(path) for path in inputs.history)
    found = [f"  note: {problem.message}" for problem in problems]
    if history is None:
        return [f"history: {name} (none could be read)", *found]
    epochs = max((len(curve.epochs) for curve in history.curves), default=0)
    names = ", ".join(curve.name for curve in history.curves[:12])
    line = f"history: {name} ({_count(epochs, 'epoch')}; {names or 'no metric'})"
    return [line, *(f"  note: {note}" for note in history.notes), *found]


def _name(inputs: Inputs) -> str:
    """Name the batch: a path, or the function that returns it."""
    called = inputs.described is not None and inputs.described.spec.format == "function"
    return str(inputs.batch) if called or inputs.batch is None else shown(inputs.batch)


def _describe_batch(found: Described) -> str:
    """Describe a batch: the number of samples, and what is in it."""
    samples = "samples are counted when it is read" if found.samples is None else _count(found.samples, "sample")
    labels = "" if found.spec.y else "; no labels"
    return f"{samples}; {', '.join(found.parts)}{labels}"


def _count(number: int, word: str) -> str:
    """Return a number with its word."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
