"""What the layers of one model showed: weights, activations, gradients, maps and saliency. Plain data.

Part of `analysis.evidence`, where the words that hold for all evidence stand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class FreshFacts:
    """How a weight compares with what its initializer would make, fresh.

    `untouched` says that nothing tells it from fresh values (all zeros for Zeros; bounded and spread as GlorotUniform
    would; orthogonal for Orthogonal); `certain` that chance could hardly make trained weights look so (p below 1e-6
    the other way round). `distance` is the excess of the root mean square over the fresh one, relative to it.
    """

    untouched: bool
    certain: bool
    distance: float
    how: str


@dataclass(frozen=True, slots=True)
class WeightFacts:
    """One weight variable. Moments are over its finite values; NaN and Inf are counted exactly.

    `initializer` is the class name in the layer's config ("GlorotUniform", "Zeros", ...; "" if unknown). `filters`
    counts the kernel's output units (0 where that has no meaning), `duplicates` those equal to an earlier one up to
    scale (cosine above 0.999).
    """

    layer: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    size: int
    norm: float
    mean: float
    std: float
    low: float
    high: float
    zeros: int
    nan: int
    inf: int
    trainable: bool
    initializer: str = ""
    filters: int = 0
    duplicates: int = 0
    fresh: FreshFacts | None = None


@dataclass(frozen=True, slots=True)
class GradientFacts:
    """Gradient of the loss with respect to one layer's trainable weights, on labelled samples, at the saved weights.

    `norm` is the L2 norm of the mean gradient, `sample_norm` the root mean square over samples of the norm of each
    sample's gradient where that was affordable (else NaN), `weight_norm` that of the same weights, `ratio` is
    norm / weight_norm (NaN for zero weights). `depth` counts layers with weights from the input, starting at 0.
    `sample_norms` says on how many of the samples `sample_norm` stands. A layer without trainable weights has no row.
    """

    layer: str
    depth: int
    samples: int
    norm: float
    sample_norm: float
    weight_norm: float
    ratio: float
    nan: int
    inf: int
    sample_norms: int = 0


@dataclass(frozen=True, slots=True)
class LossFacts:
    """The loss on labelled samples, by the model as it predicts and as it trains (dropout, batch statistics).

    `loss` names it, `source` is "file" or "task" (the task's standard one). `training` is NaN when that pass was not
    made; `accuracy` and `training_accuracy` are for classifiers, else NaN.
    """

    output: str
    loss: str
    source: str
    samples: int
    inference: float
    training: float
    accuracy: float
    training_accuracy: float


@dataclass(frozen=True, slots=True)
class Saliency:
    """Where shown samples' predictions come from: `values` (samples, *map) float32, non-negative, by input.

    `positions` are rows in the batch, `targets` the explained classes (0 where the output is a number). A map may be
    smaller than the input: it stretches over it. `words` are those at each position of a text, where the model knows.
    `method` is "grad-cam" or "integrated-gradients"; `deletion` is the mean score left while the most salient parts
    are taken away first, `deletion_random` the same in random order (both 0..1 relative to the whole score), one a
    sample; NaN where nothing of the score can be lost. For numbers the score is the way from the empty sample's to the
    whole one's. `informative` is False where the map is no better than random orders. `explained` says which part of
    each sample's output is explained ("step 3 of 12"), where it is not all.
    """

    input: str
    output: str
    method: str
    positions: tuple[int, ...]
    values: Array
    targets: Array
    deletion: Array
    deletion_random: Array
    informative: Array
    steps: int
    layer: str = ""
    words: tuple[tuple[str, ...], ...] = ()
    explained: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerResponses:
    """How one layer answers the kept samples: `values` (samples, units) float32, of at most 256 units, the first ones.

    `kind` is "units", or "channels" where a value is the largest over a channel's positions. `positions` are rows in
    the batch, `units` the full number.
    """

    layer: str
    type: str
    kind: str
    positions: tuple[int, ...]
    values: Array
    units: int


@dataclass(frozen=True, slots=True)
class ActivationFacts:
    """Statistics of one layer's output over the batch.

    `tier` is "full" or "strided" (every `stride`-th position); `samples` and `values` say on how many samples and
    values the numbers stand. Units are channels (last axis; first after the batch for channels-first). `dead` units
    were never above `dead_below` in magnitude on any looked-at value; `near_dead` were active on under 1% of samples.
    `effective_rank` is exp(entropy of normalised singular values) over `rank_positions` sampled positions, each unit's
    mean taken off; of more than 256 units, 256 evenly spaced ones (NaN where nothing varies).
    `saturated` is the share of values at the flat ends of a sigmoid or tanh (NaN for other activations).
    `histogram` counts |value| in log-spaced bins by sign: negative bins, then zero, then positive; see
    `analysis.layers.HISTOGRAM_EDGES`. `unit_active` is the share of samples on which each unit was active.
    """

    layer: str
    tier: str
    stride: int
    samples: int
    values: int
    mean: float
    std: float
    low: float
    high: float
    zeros: float
    nan: int
    inf: int
    saturated: float
    units: int
    dead: int
    near_dead: int
    dead_below: float
    histogram: Array
    unit_active: Array
    effective_rank: float = math.nan
    rank_positions: int = 0


@dataclass(frozen=True, slots=True)
class LayerMaps:
    """Outputs of one layer on the shown samples: `values` is (samples, ..., channels), channels last, float32.

    `positions` are rows in the batch, the same for every layer. `channels` is the full number when only some are kept.
    """

    layer: str
    type: str
    positions: tuple[int, ...]
    values: Array
    channels: int


@dataclass(frozen=True, slots=True)
class Kernels:
    """Kernels of the first convolution: (height, width, in, out) float32 (1-D: height 1)."""

    layer: str
    values: Array
