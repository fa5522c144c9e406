"""The plan: what the parent asks of the worker. Plain dataclasses of JSON types; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Where the model is: its absolute path and its format by content, "keras" or "h5".

    `safe_mode` is Keras's; False only where the command line said `--trust=lambda`.
    """

    path: str
    format: str
    safe_mode: bool = True


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """Where the batch is. `x` maps model input names to array names ("" for the only input); `y` likewise for outputs.

    An empty `y` means no labels. `ids` names an array of sample ids, if any. `classes` maps output name ("" for all) to names.
    """

    path: str
    format: str
    x: dict[str, str]
    y: dict[str, str]
    ids: str = ""
    weights: str = ""
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of the worker.

    `tasks` maps output name ("" for all) to a task or "auto"; `keep_worst` and `keep_seeded` bound the samples whose content
    comes back; `map_samples` and `map_layers` bound the activation maps; `layers_named` are layers to show whatever the rule says.
    `statistics` is "auto" (two tiers), "all" or "off"; `statistics_samples` bounds the samples they stand on (0: all).
    `chunk` is the number of samples a step (0: from the estimate of activation bytes).
    """

    model: ModelSpec
    batch: BatchSpec | None
    tasks: dict[str, str] = field(default_factory=dict)
    keep_worst: int = 24
    keep_seeded: int = 24
    map_samples: int = 4
    map_layers: int = 12
    layers_named: tuple[str, ...] = ()
    statistics: str = "auto"
    statistics_samples: int = 0
    chunk: int = 0
    seed: int = 0
    record_limit: int = 20_000
    privacy: str = "show"
    key_salt: str = ""
