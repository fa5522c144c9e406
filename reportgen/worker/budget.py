"""How much to do at once and on how many samples: counted in bytes and values, so that a report repeats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reportgen.analysis.evidence import LayerFacts
from reportgen.worker.plan import Plan

# A batch whose activations all together stay below this is run eagerly, everything looked at: tracing would cost more.
SMALL = 256 * 2**20
EAGER_CHUNKS = 4
# Eagerly a functional model holds every activation of a chunk; compiled, TensorFlow frees them as it goes (about a
# quarter lives).
EAGER_BYTES = 512 * 2**20
COMPILED_BYTES = 2048 * 2**20
LARGEST_CHUNK = 1024
# Activation values that statistics may look at where the whole batch would be too much (ResNet50: 32 images).
STATISTICS_VALUES = 1_200_000_000
# Multiplications that gradients, and again saliency, may cost when nothing is asked for (two or three seconds on two
# cores: 4 samples of ResNet50 forward and backward), and the share of the pass over the batch that they may cost.
EXTRA_MACS = 50 * 10**9
EXTRA_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Budget:
    """Samples a step, whether to compile, and what the statistics stand on.

    `watch` says whether layers are looked at; `full` is True when every one is looked at in full; `chosen` is on how
    many samples, None for all.
    """

    chunk: int
    compiled: bool
    watch: bool
    full: bool
    chosen: int | None


def extra_macs(macs: int, n: int | None) -> int:
    """Return the multiplications that gradients or saliency may cost beside a pass over `n` samples of `macs` each."""
    return max(EXTRA_MACS, int(EXTRA_SHARE * macs * (n or 0)))


def estimate_bytes(layers: Sequence[LayerFacts], input_bytes: int) -> int:
    """Return the bytes of one sample's activations; a layer of open shape counts as much as the input."""
    return input_bytes + sum(
        input_bytes if layer.activation_bytes is None else layer.activation_bytes for layer in layers
    )


def choose_budget(plan: Plan, n: int | None, sample_bytes: int, fixed_batch: int | None = None) -> Budget:
    """Choose how to run a batch of `n` samples (None: unknown, taken as large)."""
    sample_bytes = max(1, sample_bytes)
    eager_chunk = fixed_batch or min(LARGEST_CHUNK, max(1, EAGER_BYTES // sample_bytes))
    total = math.inf if n is None else n * sample_bytes
    small = total <= SMALL and (n or 0) <= EAGER_CHUNKS * (plan.chunk or eager_chunk)
    chunk = eager_chunk if small else fixed_batch or min(LARGEST_CHUNK, max(1, COMPILED_BYTES // sample_bytes))
    chosen = plan.statistics_samples or max(1, STATISTICS_VALUES // max(1, sample_bytes // 4))
    everything = small or plan.statistics == "all" or (n is not None and chosen >= n)
    return Budget(
        chunk=fixed_batch or plan.chunk or chunk,
        compiled=not small,
        watch=plan.statistics != "off",
        full=small or plan.statistics == "all",
        chosen=None if everything and (not plan.statistics_samples or chosen >= (n or 0)) else chosen,
    )
