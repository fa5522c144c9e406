"""Evidence: what was found out about one model, its history and its batch. Arrays and plain data only.

The worker fills `WorkerEvidence`; it crosses the process border as JSON and `.npy` files. `Artifacts` is that plus what
the main process read (the history); it is all that sections and checks ever see. Arrays here may hold NaN; the Report
turns them into Missing. All arrays are little-endian C-order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.display import Display
from reportgen.analysis.feature_facts import ImportanceFacts, SliceSearch
from reportgen.analysis.graph import Graph
from reportgen.analysis.history import Curve as Curve
from reportgen.analysis.history import History as History
from reportgen.analysis.label_facts import SingleLabels
from reportgen.analysis.layer_evidence import ActivationFacts as ActivationFacts
from reportgen.analysis.layer_evidence import FreshFacts as FreshFacts
from reportgen.analysis.layer_evidence import GradientFacts as GradientFacts
from reportgen.analysis.layer_evidence import Kernels as Kernels
from reportgen.analysis.layer_evidence import LayerMaps as LayerMaps
from reportgen.analysis.layer_evidence import LayerResponses as LayerResponses
from reportgen.analysis.layer_evidence import LossFacts as LossFacts
from reportgen.analysis.layer_evidence import Saliency as Saliency
from reportgen.analysis.layer_evidence import WeightFacts as WeightFacts
from reportgen.analysis.problem import Problem as Problem

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Reduced:
    """Something that was sampled, folded or thinned (a row of the ledger)."""

    what: str
    kept: str
    of: str
    why: str


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the saved file says about itself. `loss` and `metrics` are by output name ("" when there is one for all).

    `ends` names, for each output of a subclassed model, the layer that gives it, "" where it is not known.
    """

    name: str
    class_name: str
    kind: str  # "Sequential", "Functional" or "subclassed"
    parameters: int
    trainable_parameters: int
    compiled: bool
    optimizer: str
    optimizer_settings: dict[str, str]
    loss: dict[str, str]
    metrics: dict[str, tuple[str, ...]]
    from_logits: dict[str, bool]
    keras_version: str
    backend: str
    backend_version: str
    saved_with: str
    saved_on: str
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    input_shapes: tuple[str, ...]
    output_shapes: tuple[str, ...]
    seeds: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer, in call order. `path` names it through nested models ("encoder/conv1").

    `macs` are multiply-accumulates a sample (None: unknown for this type); `activation_bytes` of the output, a sample.
    `config` holds the few settings that checks and readers need (units, filters, kernel_size, strides, use_bias, ...).
    """

    path: str
    name: str
    type: str
    output_shape: str
    parameters: int
    trainable_parameters: int
    trainable: bool
    dtype: str
    activation: str
    macs: int | None
    activation_bytes: int | None
    config: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InputFacts:
    """One model input over the whole batch: as stored, before any normalisation.

    `features` names the columns of a table; `applied` states what was done to the values before the model saw them.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    mean: float
    std: float
    nan: int
    inf: int
    constant_features: int
    features: tuple[str, ...] = ()
    applied: str = ""


@dataclass(frozen=True, slots=True)
class RecordArrays:
    """Sample records, one row a sample. `keys` uint64, `occurrences` uint32, `positions` int64 (row in the batch).

    `truth`, `prediction` are class indices for classifiers, else a per-sample scalar; NaN where unknown. float64.
    `confidence` and `loss` float32, NaN where they do not apply. `rule` says which samples these are. Where `truth` is
    not the whole label (several labels, a mask, a sequence), `labels` is a uint64 hash of it, 0 where unknown; else
    empty.
    """

    keys: Array
    occurrences: Array
    positions: Array
    truth: Array
    prediction: Array
    confidence: Array
    loss: Array
    ids: tuple[str, ...]
    rule: str
    labels: Array = field(default_factory=lambda: np.zeros(0, np.uint64))


@dataclass(frozen=True, slots=True)
class OutputEvidence:
    """One model output: its task and why, the merged accumulator's state, and its sample records.

    `state` goes to `analysis.metrics.ACCUMULATORS[task].from_state`. `scores` says what the model's numbers are:
    "probabilities", "logits" (turned into probabilities because the loss says from_logits), "scores" or "values".
    `slices` and `importance` are there for inputs that are rows of features (slices also for texts, by length),
    `single_labels` for multilabel outputs with probabilities. `cross_entropy` is the mean over all labelled samples as
    Keras's `evaluate` has it, from logits; NaN where these were not known.
    """

    name: str
    task: str
    task_reason: str
    scores: str
    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    n: int
    n_labelled: int
    state: dict[str, Array]
    records: RecordArrays
    loss_name: str = ""
    cross_entropy: float = math.nan
    notes: tuple[str, ...] = ()
    slices: SliceSearch | None = None
    importance: ImportanceFacts | None = None
    single_labels: SingleLabels | None = None


@dataclass(frozen=True, slots=True)
class KeptSamples:
    """The few samples whose content may be shown: the worst (and best) by loss and a seeded choice, in no order.

    `reasons[i]` is "worst", "best" or "seeded" (or several, comma-separated). `inputs[name]` has shape (k, ...) as
    stored; `targets[output]` and `predictions[output]` likewise (targets only where labelled). `positions` are rows in
    the batch.
    """

    positions: Array
    keys: Array
    ids: tuple[str, ...]
    reasons: tuple[str, ...]
    inputs: dict[str, Array]
    targets: dict[str, Array]
    predictions: dict[str, Array]


@dataclass(frozen=True, slots=True)
class WorkerEvidence:
    """All that the worker found out. Every part may be absent; `problems` then says why.

    `not_computed` says in one sentence why "gradients", "saliency" or "training pass" are not there. `moved` are the
    samples whose loss moved most since the earlier run, if there is one.
    """

    model: ModelFacts | None
    graph: Graph | None
    dot: str
    layers: tuple[LayerFacts, ...]
    weights: tuple[WeightFacts, ...]
    activations: tuple[ActivationFacts, ...]
    inputs: tuple[InputFacts, ...]
    outputs: tuple[OutputEvidence, ...]
    kept: KeptSamples | None
    maps: tuple[LayerMaps, ...]
    kernels: Kernels | None
    n_samples: int
    versions: dict[str, str]
    problems: tuple[Problem, ...] = ()
    reduced: tuple[Reduced, ...] = ()
    timings: tuple[tuple[str, float], ...] = ()
    peak_memory_bytes: int = 0
    gradients: tuple[GradientFacts, ...] = ()
    losses: tuple[LossFacts, ...] = ()
    saliency: tuple[Saliency, ...] = ()
    responses: tuple[LayerResponses, ...] = ()
    not_computed: dict[str, str] = field(default_factory=dict)
    moved: KeptSamples | None = None


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Everything that sections and checks may look at. `worker` is None when it was lost (killed, timed out).

    `privacy` is show, blur, ids or none. `display` holds hints for turning an input into a picture, `vocabularies` the
    words of its tokens, both by input name ("" for the only one). `made_elsewhere`: predictions from a file, no model.
    """

    title: str
    history: History | None
    worker: WorkerEvidence | None
    privacy: str = "show"
    problems: tuple[Problem, ...] = ()
    layers_named: tuple[str, ...] = ()
    seed: int = 0
    display: dict[str, Display] = field(default_factory=dict)
    vocabularies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    made_elsewhere: bool = False
