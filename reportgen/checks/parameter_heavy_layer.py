"""One dense layer that holds nearly all parameters of a large model: usually a Flatten in front of it.

A design remark, not a fault, and therefore strict: 90% of at least a million parameters. (VGG16, which is known for
its heavy first dense layer, has 74% there and does not fire.) Embeddings are left out: a large vocabulary is large.
No published rule; the threshold was set so that the models of keras.applications stay silent.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import layer_anchor
from reportgen.report.types import Evidence
from reportgen.report.words import percent, shorten

META = Meta(
    code="parameter-heavy-layer",
    passed="No single dense layer holds nearly all parameters",
    failed="One dense layer holds nearly all parameters",
    level="warn",
    needs=("model",),
    causes=("A Flatten of large feature maps goes straight into a Dense layer",),
    fix="Put GlobalAveragePooling or more pooling in front of the layer, or make it narrower; compare the score with "
    "this model's.",
    section="architecture",
    threshold=0.9,
    threshold_meaning="share of all parameters in one dense layer, for models of at least a million parameters",
    source="own rule; keras.applications stay silent (VGG16's heaviest layer: 74%)",
)

FEWEST_PARAMETERS = 1_000_000
FEWEST_LAYERS = 3


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the heaviest dense layer's share of all parameters with the threshold."""
    worker = artifacts.worker
    layers = [layer for layer in (worker.layers if worker else ()) if layer.parameters]
    total = worker.model.parameters if worker and worker.model else 0
    if total < FEWEST_PARAMETERS or len(layers) < FEWEST_LAYERS:
        return Result(
            None,
            f"Not applicable: asked only of models with at least a million parameters and {FEWEST_LAYERS} layers "
            f"that have any; this one has {total:,} in {len(layers)}.",
        )
    dense = [layer for layer in layers if layer.type == "Dense"]
    if not dense:
        return Result(False, "The model has no dense layer.")
    heaviest = max(dense, key=lambda layer: layer.parameters)
    share = heaviest.parameters / total
    said = f"{shorten(heaviest.path, 60)} holds {heaviest.parameters:,} of {total:,} parameters ({percent(share)})"
    if share < threshold:
        return Result(False, f"The heaviest dense layer, {said}.")
    return Result(
        True,
        f"The dense layer {said}: that is what makes the model large and slow to load.",
        (
            Evidence(
                shorten(heaviest.path, 60),
                f"{heaviest.parameters:,} of {total:,} parameters",
                None,
                layer_anchor(artifacts, heaviest.path),
            ),
        ),
        (heaviest.path,),
    )


CHECK = Check(META, run)
