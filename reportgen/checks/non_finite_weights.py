"""Weights that are NaN or infinite. Exact counts, so one is enough: such a layer's output means nothing.

Source: UMLAUT (Schoop, Huang and Hartmann, CHI 2021) treats NaN as a critical error; there is no threshold to choose.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import layer_anchor
from reportgen.report.types import Evidence
from reportgen.report.words import count, join_words, share_text, shorten

META = Meta(
    code="non-finite-weights",
    passed="All weights are finite numbers",
    failed="Some weights are not finite numbers",
    level="error",
    needs=("weights",),
    causes=(
        "The learning rate was too high and training diverged",
        "The loss or a custom layer divides by zero or takes the logarithm of zero",
        "Numbers became too large for half precision (float16) without loss scaling",
        "The training data held NaN or infinite values",
    ),
    fix="Go back to the last checkpoint whose weights are finite, add the TerminateOnNaN callback, and lower the "
    "learning rate or clip the gradients (clipnorm=1.0) before training on.",
    section="layers",
    source="UMLAUT (CHI 2021): NaN is a critical error; counted exactly",
)


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Count NaN and infinite values in every weight."""
    weights = artifacts.worker.weights if artifacts.worker else ()
    total = sum(weight.size for weight in weights)
    bad = [weight for weight in weights if weight.nan or weight.inf]
    if not bad:
        return Result(False, f"All {count(total, 'weight')} are finite numbers.")
    nan, inf = sum(weight.nan for weight in bad), sum(weight.inf for weight in bad)
    layers = tuple(dict.fromkeys(weight.layer for weight in bad))
    kinds = join_words([f"{n:,} {kind}" for n, kind in ((nan, "NaN"), (inf, "infinite")) if n])
    names = join_words([shorten(layer, 40) for layer in layers], most=3)
    return Result(
        True,
        f"{share_text(nan + inf, total, 'weight')} are not finite numbers ({kinds}), in "
        f"{count(len(layers), 'layer')}: {names}. What the model predicts through them means nothing.",
        tuple(
            Evidence(
                f"{shorten(weight.layer, 40)}: {shorten(weight.name, 40)}",
                f"{weight.nan:,} NaN, {weight.inf:,} infinite",
                weight.size,
                layer_anchor(artifacts, weight.layer),
            )
            for weight in bad[:10]
        ),
        layers,
    )


CHECK = Check(META, run)
