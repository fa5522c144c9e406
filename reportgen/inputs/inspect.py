"""describe_inputs: what `reportgen check` says about the files that a configuration names, in a few lines."""

from __future__ import annotations

from reportgen.config_schema import Config
from reportgen.inputs.files import shown
from reportgen.inputs.found import find_inputs
from reportgen.inputs.history import load_history
from reportgen.inputs.npz import read_npz_headers
from reportgen.worker.plan import BatchSpec


def describe_inputs(config: Config) -> list[str]:
    """Check every file that the configuration names and describe it; raises InputRefused for the first wrong one."""
    inputs = find_inputs(config)
    lines = [f"model: {shown(config.model)} ({inputs.plan.model.format})"]
    if config.history is not None:
        history = load_history(config.history)
        epochs = max((len(curve.epochs) for curve in history.curves), default=0)
        names = ", ".join(curve.name for curve in history.curves[:12])
        lines.append(f"history: {shown(config.history)} ({_count(epochs, 'epoch')}; {names or 'no metric'})")
        lines += [f"  note: {note}" for note in history.notes]
    if inputs.plan.batch is not None:
        lines.append(_describe_batch(inputs.plan.batch, config))
    lines.append(f"output: {shown(config.output)} ({', '.join(config.formats)})")
    return lines


def _describe_batch(batch: BatchSpec, config: Config) -> str:
    """Describe the arrays of the batch: shapes, types and the number of samples."""
    assert config.batch is not None
    arrays = read_npz_headers(config.batch.path)
    parts = []
    for role, names in (("x", batch.x), ("y", batch.y)):
        for key, name in names.items():
            header = arrays[name]
            size = "x".join(map(str, header.shape[1:])) or "scalar"
            parts.append(f"{role}{'.' + key if key else ''} = {name} {header.dtype} {size}")
    samples = arrays[next(iter(batch.x.values()))].shape[0]
    labels = "" if batch.y else "; no labels"
    return f"batch: {shown(config.batch.path)} ({_count(samples, 'sample')}; {', '.join(parts)}{labels})"


def _count(number: int, word: str) -> str:
    """Return a number with its word."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
