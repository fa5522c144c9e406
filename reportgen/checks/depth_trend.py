"""Gradients over depth, relative to the weights that they would move: what two checks look at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reportgen.analysis.evidence import Artifacts, GradientFacts
from reportgen.analysis.trend import compute_rank_trend
from reportgen.checks.lookup import layers_by_path

FEWEST_LAYERS = 4
SURE = 1.645  # one-sided 5% point of the Mann-Kendall statistic


@dataclass(frozen=True, slots=True)
class DepthTrend:
    """How gradients change from the output back to the input.

    `first` and `last` are the layer nearest the input and the one nearest the output that were compared, `ratio` is
    first / last of the relative gradients, `rank` the Mann-Kendall z over the depth between them (positive: larger near
    the output). `layers` are all that have a gradient, in order; `first` is one of them.
    """

    first: GradientFacts
    last: GradientFacts
    ratio: float
    rank: float
    layers: tuple[GradientFacts, ...]


def relative(fact: GradientFacts) -> float:
    """Return a layer's gradient relative to its weights; of single samples where known, else of the mean.

    In a converged model the gradients of the samples cancel each other in the mean, so that it says little.
    """
    size = fact.sample_norm if math.isfinite(fact.sample_norm) else fact.norm
    return size / fact.weight_norm if fact.weight_norm > 0 else math.nan


def compute_trend(artifacts: Artifacts, *, weakest: bool = False) -> DepthTrend | None:
    """Compare the layers near the input, or the weakest ones, with those near the output; None with under 4 that tell.

    Embeddings do not. Each end is the geometric mean of a quarter of the layers (one to three), so that no single layer
    decides. The weakest ones are sought where at least 4 layers are left up to the output: recurrent layers often give
    the first one a larger gradient again.
    """
    known = _comparable(artifacts)
    if len(known) < FEWEST_LAYERS:
        return None
    # A gradient of exactly zero counts as the smallest one that single precision can hold.
    logs = np.log10([max(relative(fact), 1e-38) for fact in known])
    part = min(3, max(1, len(known) // 4))
    means = np.convolve(logs, np.full(part, 1 / part), "valid")
    start = int(np.argmin(means[: len(known) - FEWEST_LAYERS + 1])) if weakest else 0
    ratio = float(10 ** np.clip(means[start] - means[-1], -76, 76))
    return DepthTrend(known[start], known[-1], ratio, compute_rank_trend(logs[start:]), known)


def _comparable(artifacts: Artifacts) -> tuple[GradientFacts, ...]:
    """Return the layers with a finite gradient, from the input on, embeddings left out."""
    layers = layers_by_path(artifacts)
    # A sample moves few rows of an embedding: its gradient is small beside all of the weights, whatever the depth.
    facts = [
        fact
        for fact in (artifacts.worker.gradients if artifacts.worker else ())
        if fact.layer not in layers or layers[fact.layer].type != "Embedding"
    ]
    return tuple(sorted((f for f in facts if not f.nan and not f.inf and f.weight_norm > 0), key=lambda f: f.depth))
