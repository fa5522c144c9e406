"""The registry of sections: choose and explain, artifacts -> blocks."""

from __future__ import annotations

from reportgen.sections import architecture, layers, predictions, training
from reportgen.sections.context import BuildSection

# In reading order, after the summary and before the provenance, which are built from the others' results.
SECTIONS: tuple[tuple[str, str, BuildSection], ...] = (
    ("architecture", "Architecture", architecture.build),
    ("training", "Training", training.build),
    ("predictions", "Predictions", predictions.build),
    ("layers", "Layers", layers.build),
)
