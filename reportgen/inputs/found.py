"""What lies on disk, checked before anything heavy is imported: the plan for the worker, and hashes of the inputs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reportgen.analysis.display import Display
from reportgen.analysis.history import History
from reportgen.analysis.problem import Problem
from reportgen.config_batch import Batch, Predictions
from reportgen.config_schema import Config
from reportgen.errors import InputRefused
from reportgen.inputs.baseline import describe_earlier, load_baseline
from reportgen.inputs.batch import inspect_batch
from reportgen.inputs.described import Described
from reportgen.inputs.ends import Ends
from reportgen.inputs.files import compute_folder_sha256, compute_sha256, short_name, shown
from reportgen.inputs.fit import check_names
from reportgen.inputs.history_files import find_history, load_found, load_histories
from reportgen.inputs.labels import load_class_names
from reportgen.inputs.look import Look, load_look
from reportgen.inputs.model import describe_model
from reportgen.report.types import Report
from reportgen.report.values import Missing
from reportgen.worker.plan import BatchSpec, ModelSpec, Plan, PredictionsSpec, samples_of

Hash = str | Missing


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of one report. Hashes are SHA-256 in hex, Missing until `with_hashes` was called.

    `model` is None where predictions were made elsewhere; `batch` is then their file. `history` are its files, in
    order; `history_found` says that nobody named them. `baseline` is the earlier report to compare with.
    """

    plan: Plan
    model: Path | None
    batch: Path | None
    history: tuple[Path, ...]
    config: Path
    hashes: dict[str, Hash]
    history_found: bool = False
    described: Described | None = None
    display: dict[str, Display] = field(default_factory=dict)
    vocabularies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    look: Look = field(default_factory=Look)
    baseline: Report | None = None

    def with_hashes(self) -> Inputs:
        """Return the inputs with the hash of each file; takes as long as reading them once."""
        files = {"model": self.model, "batch": self.batch, "config": self.config}
        hashes = {name: _hash(path) for name, path in files.items()}
        hashes["history"] = _hash(self.history[0]) if len(self.history) == 1 else _hash_all(self.history)
        return replace(self, hashes=hashes)

    @property
    def history_name(self) -> str:
        """The names of the history's files, "" without any."""
        return ", ".join(map(short_name, self.history))

    @property
    def model_name(self) -> str:
        """The name of the model's file, "" without one."""
        return short_name(self.model) if self.model is not None else ""

    @property
    def batch_name(self) -> str:
        """The name of the batch, "" without one."""
        return short_name(self.batch) if self.batch is not None else ""


def _hash(path: Path | None) -> Hash:
    """Return the hash of a file, or why there is none."""
    if path is None:
        return Missing("none given")
    if path.is_dir():
        return compute_folder_sha256(path) or Missing("a folder with too much in it to be hashed")
    return compute_sha256(path) if path.is_file() else Missing("not a file")


def _hash_all(paths: Sequence[Path]) -> Hash:
    """Return one hash of several files: of their hashes, a line each."""
    if not paths:
        return Missing("none given")
    each = [_hash(path) for path in paths]
    if any(isinstance(item, Missing) for item in each):
        return Missing("not files alone")
    return hashlib.sha256("".join(f"{item}\n" for item in each).encode("ascii")).hexdigest()


def find_inputs(config: Config) -> Inputs:
    """Check the inputs that a configuration names and plan the worker's run. Raises InputRefused or UsageError."""
    found, baseline = _find_inputs(config), load_baseline(config)
    plan = replace(found.plan, earlier=describe_earlier(baseline))
    return replace(found, plan=plan, look=load_look(config.theme), baseline=baseline)


def _find_inputs(config: Config) -> Inputs:
    """Return model, batch and history, or predictions made elsewhere."""
    if config.model is None:
        return _find_predictions(config)
    model, ends = describe_model(config)
    check_names(config, ends)
    root = str(config.file.parent)
    described = inspect_batch(config.batch, ends, _confine(config), root) if config.batch is not None else None
    plan = plan_of(config, model, described.spec if described is not None else None)
    history, found = _find_history(config)
    batch = config.batch.path if config.batch is not None and described is not None else None
    inputs = Inputs(plan, config.model, batch, history, config.file, {}, found, described)
    if config.batch is None:
        return inputs
    return replace(inputs, display=_display(config.batch), vocabularies=_vocabularies(config.batch))


def find_history_only(config: Config) -> Inputs:
    """Return what is left when the model or the batch was refused and the build goes on: the history and the names."""
    history, found = _find_history(config)
    batch = config.batch.path if config.batch is not None else None
    nothing = Plan(model=ModelSpec("", ""), batch=None)
    return Inputs(nothing, config.model, batch, history, config.file, {}, found)


def load_history_of(inputs: Inputs, config: Config) -> tuple[History | None, tuple[Problem, ...]]:
    """Read the history: the one that is named, or the one that was found; and what was wrong with it."""
    if inputs.history_found:
        return load_found(inputs.history[0], config.trust)
    return load_histories(inputs.history, config.trust)


def _confine(config: Config) -> Path | None:
    """Return the folder that a batch's links must stay in; a batch that was fetched has none."""
    path = config.batch.path if config.batch is not None else config.predictions.path
    return None if path in dict(config.remote) else config.confine


def _find_history(config: Config) -> tuple[tuple[Path, ...], bool]:
    """Return the files of the history, and whether they were found without being named."""
    if config.history is not None:
        return (config.history,) if isinstance(config.history, Path) else config.history, False
    found = find_history(config.model) if config.model is not None else None
    if found is None or (config.confine is not None and not found.resolve().is_relative_to(config.confine)):
        return (), False
    return (found,), True


def plan_of(
    config: Config, model: ModelSpec, batch: BatchSpec | None, predictions: PredictionsSpec | None = None
) -> Plan:
    """Return the worker's orders: what the configuration wants, for this model and this batch."""
    return Plan(
        model=model,
        batch=batch,
        tasks=dict(config.task),
        keep_worst=config.predictions.worst,
        keep_seeded=config.predictions.seeded,
        layers_named=tuple(config.layers.show),
        statistics=config.layers.statistics,
        statistics_samples=config.layers.samples,
        gradients=samples_of(config.layers.gradients),
        saliency=samples_of(config.layers.saliency),
        seed=config.seed,
        privacy=config.samples,
        key_salt=os.environ.get("REPORTGEN_KEY_SALT", ""),
        predictions=predictions,
    )


def _find_predictions(config: Config) -> Inputs:
    """Plan the run of predictions that were made elsewhere: a batch whose inputs are the predictions."""
    made = config.predictions
    assert made.path is not None  # _require has seen to it
    names = {key: f"y_pred {key}" for key in made.y_pred}
    inputs = {key or "input": f"x {key}" for key in made.x}
    x = {names[key]: array for key, array in made.y_pred.items()} | {f"x {key}": array for key, array in made.x.items()}
    batch = Batch(path=made.path, x=x, y=made.y_true, classes=made.classes, ids=made.ids)
    try:
        described = inspect_batch(batch, Ends(), _confine(config), str(config.file.parent))
    except InputRefused as error:
        raise InputRefused(_in_words(error.message), detail=error.detail) from None
    if described.spec.format in ("images", "dataset", "function"):
        raise InputRefused(
            f"{shown(made.path)}: predictions are read from NPZ, NPY, HDF5, CSV, Parquet or TFRecord files"
        )
    if made.features and made.x:
        features = {f"x {key}": made.features for key in made.x} | described.spec.features
        described = replace(described, spec=replace(described.spec, features=features))
    plan = plan_of(config, ModelSpec("", "none"), described.spec, PredictionsSpec(names, inputs, made.logits))
    history, found = _find_history(config)
    inputs_found = Inputs(plan, None, made.path, history, config.file, {}, found, described)
    return replace(inputs_found, display=_display(made), vocabularies=_vocabularies(made))


def _in_words(message: str) -> str:
    """Return a message about the batch in the words of `predictions`."""
    for before, after in (("batch.x.y_pred ", "predictions.y_pred."), ("batch.x.x ", "predictions.x.")):
        message = message.replace(before, after)
    return message.replace("batch.y", "predictions.y_true").replace("batch.", "predictions.").replace(". )", ")")


def _display(batch: Batch | Predictions) -> dict[str, Display]:
    """Return the hints for pictures."""
    found = {}
    for name, given in batch.display.items():
        low, high = given.range or (None, None)
        found[name] = Display(low, high, tuple(given.mean), tuple(given.std), given.channels == "bgr")
    return found


def _vocabularies(batch: Batch | Predictions) -> dict[str, tuple[str, ...]]:
    """Return the words of tokens, read from their files."""
    return {name: load_class_names(given, "the vocabulary", gaps=True) for name, given in batch.vocabulary.items()}
