"""What lies on disk, checked before anything heavy is imported: the plan for the worker, and hashes of the inputs."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from reportgen.config_schema import Config
from reportgen.inputs.batch import describe_batch
from reportgen.inputs.ends import describe_ends
from reportgen.inputs.files import compute_sha256
from reportgen.inputs.fit import check_names
from reportgen.inputs.preflight import inspect_model
from reportgen.report.values import Missing
from reportgen.worker.plan import ModelSpec, Plan

Hash = str | Missing


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of one report. Hashes are SHA-256 in hex, Missing until `with_hashes` was called."""

    plan: Plan
    model: Path
    batch: Path | None
    history: Path | None
    config: Path
    hashes: dict[str, Hash]

    def with_hashes(self) -> Inputs:
        """Return the inputs with the hash of each file; takes as long as reading them once."""
        files = {"model": self.model, "batch": self.batch, "history": self.history, "config": self.config}
        return replace(self, hashes={name: _hash(path) for name, path in files.items()})


def _hash(path: Path | None) -> Hash:
    """Return the hash of a file, or why there is none."""
    if path is None:
        return Missing("none given")
    return compute_sha256(path) if path.is_file() else Missing("not a file")


def find_inputs(config: Config) -> Inputs:
    """Check the inputs that a configuration names and plan the worker's run. Raises InputRefused or UsageError."""
    file = inspect_model(config.model, config.trust)
    model = ModelSpec(str(config.model), file.format, safe_mode="lambda" not in config.trust)
    ends = describe_ends(file.config)
    check_names(config, ends)
    batch = describe_batch(config.batch, ends) if config.batch is not None else None
    plan = Plan(
        model=model,
        batch=batch,
        tasks=dict(config.task),
        keep_worst=config.predictions.worst,
        keep_seeded=config.predictions.seeded,
        layers_named=tuple(config.layers.show),
        statistics=config.layers.statistics,
        statistics_samples=config.layers.samples,
        seed=config.seed,
        privacy=config.samples,
        key_salt=os.environ.get("REPORTGEN_KEY_SALT", ""),
    )
    return Inputs(plan, config.model, config.batch.path if config.batch else None, config.history, config.file, {})
