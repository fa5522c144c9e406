"""Filters or units of one layer that are copies of each other: they compute the same and learn the same.

Two filters count as copies when they are equal up to scale (cosine above 0.999). Fires for a layer of at least 4
filters when at least a quarter of them repeat an earlier one. Units of equal weights get equal gradients and never
part again, which is why weights must not start as constants (Goodfellow, Bengio, Courville, Deep Learning, 8.4:
breaking symmetry). SageMaker Debugger's PoorWeightInitialization looks for too little variance across units.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import layer_anchor
from reportgen.report.types import Evidence
from reportgen.report.words import count, join_words, share_text, shorten

META = Meta(
    code="duplicate-filters",
    passed="Filters differ from each other",
    failed="Many filters of a layer are copies of each other",
    level="warn",
    needs=("weights",),
    causes=(
        "Weights that start as constants (zeros, ones): nothing tells the units apart",
        "A layer that was widened by copying, without noise",
        "Far more filters than the task needs",
    ),
    fix="Use a random initializer (the default of Dense and Conv layers) and train again; or remove the copies.",
    section="layers",
    threshold=0.25,
    threshold_meaning="share of a layer's filters that repeat an earlier one up to scale",
    source="Goodfellow, Bengio, Courville (2016), 8.4, breaking symmetry; SageMaker Debugger, rule "
    "PoorWeightInitialization",
)

FEWEST = 4


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the share of repeated filters in each kernel with the threshold."""
    kernels = [w for w in (artifacts.worker.weights if artifacts.worker else ()) if w.filters >= FEWEST]
    if not kernels:
        return Result(None, f"Not applicable: no layer has a kernel with at least {FEWEST} filters or units.")
    bad = [w for w in kernels if w.duplicates and w.duplicates >= threshold * w.filters]
    if not bad:
        repeated, whole = sum(w.duplicates for w in kernels), sum(w.filters for w in kernels)
        return Result(
            False,
            f"{share_text(repeated, whole, 'filter')} repeat another one of their layer, in "
            f"{count(len(kernels), 'kernel')}.",
        )
    said = [f"{shorten(w.layer, 40)}, {share_text(w.duplicates, w.filters)}" for w in bad]
    layers = tuple(dict.fromkeys(w.layer for w in bad))
    return Result(
        True,
        f"Filters that repeat another one up to scale, in {count(len(layers), 'layer')}: {join_words(said, most=4)}.",
        tuple(
            Evidence(
                f"{shorten(w.layer, 40)}: {shorten(w.name, 40)}",
                share_text(w.duplicates, w.filters, "filter"),
                None,
                layer_anchor(artifacts, w.layer),
            )
            for w in bad[:10]
        ),
        layers,
    )


CHECK = Check(META, run)
