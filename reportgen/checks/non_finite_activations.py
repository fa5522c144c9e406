"""Layer outputs that are NaN or infinite on the test batch. Exact counts, so one is enough.

Source: UMLAUT (CHI 2021) and AutoTrainer (ICSE 2021) both treat NaN as a training problem by itself; no threshold.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import broken_weights, layer_anchor
from reportgen.report.types import Evidence
from reportgen.report.words import count, shorten

META = Meta(
    code="non-finite-activations",
    passed="All layer outputs are finite numbers",
    failed="Some layers put out numbers that are not finite",
    level="error",
    needs=("activations",),
    causes=(
        "The layer named first divides by zero, or takes the logarithm or square root of a value that is not positive",
        "Numbers became too large for half precision (float16)",
        "The layer's weights, or the batch itself, hold NaN or infinite values",
    ),
    fix="Mend weights that are not finite first. Where they are, look at the layer named first and at its input: add a "
    "small constant where it divides or takes a logarithm, or keep that layer in float32.",
    section="layers",
    source="UMLAUT (CHI 2021), AutoTrainer (ICSE 2021): NaN is a problem by itself; counted exactly",
)


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Find the layers with NaN or infinite outputs, in call order."""
    facts = artifacts.worker.activations if artifacts.worker else ()
    bad = [fact for fact in facts if fact.nan or fact.inf]
    if not bad:
        samples = max(fact.samples for fact in facts)
        return Result(
            False,
            f"No NaN or infinite value in the outputs of {count(len(facts), 'layer')} on {count(samples, 'sample')}.",
        )
    first = bad[0]
    spoiled = sum(fact.nan + fact.inf for fact in artifacts.worker.inputs) if artifacts.worker else 0
    origin = f" The batch itself holds {count(spoiled, 'such value')}." if spoiled else " The batch itself holds none."
    weights = ", whose weights hold such values too" if first.layer in broken_weights(artifacts) else ""
    return Result(
        True,
        f"{count(len(bad), 'layer')} of {len(facts):,} put out NaN or infinite values on "
        f"{count(first.samples, 'sample')}; the first "
        f"in the order of computation is {shorten(first.layer, 60)} ({first.nan:,} NaN, {first.inf:,} "
        f"infinite){weights}.{origin}",
        (
            Evidence(
                shorten(first.layer, 60),
                f"{first.nan:,} NaN, {first.inf:,} infinite",
                first.samples,
                layer_anchor(artifacts, first.layer),
            ),
        ),
        tuple(fact.layer for fact in bad),
    )


CHECK = Check(META, run)
