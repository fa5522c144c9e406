"""Which layers are looked at, how closely, and what the ledger says about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reportgen.analysis.evidence import ActivationFacts, Reduced
from reportgen.worker.activations import LayerSums
from reportgen.worker.layer_facts import activation_of
from reportgen.worker.walk import Walk

# Layers whose output is looked at in full; of all others a fixed stride of positions.
_FULL = (
    "Activation ReLU LeakyReLU PReLU ELU Softmax Add Subtract Multiply Average Maximum Minimum Concatenate Dot "
    "LSTM GRU SimpleRNN Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D RNN MultiHeadAttention "
    "GroupedQueryAttention Attention AdditiveAttention"
)
FULL = frozenset(_FULL.split())


def watched_layers(walk: Walk) -> dict[int, Any]:
    """Return the layers to look at, keyed as in the walk: all that compute something."""
    return {id(call.layer): call.layer for call in walk.first_calls() if type(call.layer).__name__ != "InputLayer"}


def make_sums(walk: Walk, watched: Mapping[int, Any], everything: bool) -> dict[int, LayerSums]:
    """Return empty sums for each layer, in full for activations, merges, recurrent, attention and last layers."""
    ends = walk.end_layers()
    sums = {}
    for key, layer in watched.items():
        activation = activation_of(layer)
        full = everything or key in ends or type(layer).__name__ in FULL or activation not in ("", "linear")
        first = getattr(layer, "data_format", None) == "channels_first"
        sums[key] = LayerSums(walk.layers[key], activation, full, first)
    return sums


def describe_reductions(n: int, activations: Sequence[ActivationFacts]) -> tuple[Reduced, ...]:
    """Say on how many samples and positions the layers' statistics stand."""
    rows = []
    samples = max((facts.samples for facts in activations), default=0)
    if samples and samples < n:
        why = "so that looking takes a fraction of the time of predicting; layers: {statistics: all} looks at every one"
        rows.append(Reduced("statistics of the layers", f"{samples:,} samples, a seeded choice", f"{n:,}", why))
    strides = [facts.stride for facts in activations if facts.stride > 1]
    if strides:
        low, high = min(strides), max(strides)
        kept = f"one of {low}" if low == high else f"one of {low} to {high}, depending on the layer's size"
        why = "activations, merges, recurrent, attention and last layers are looked at in full, the others at a stride"
        rows.append(Reduced(f"positions of {len(strides)} layers", kept, "all positions", why))
    return tuple(rows)
