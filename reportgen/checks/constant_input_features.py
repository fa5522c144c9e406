"""Input columns that have one and the same value in the whole batch.

Only for inputs that are rows of features: border pixels of pictures are constant by nature. Fires when at least half
of the features are constant, on at least 30 samples, so that flattened pictures (MNIST: 15% to 35%) and rare one-hot
columns stay silent; a single constant column is stated, not warned about. No published default.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.report.types import Evidence
from reportgen.report.words import count, join_words, share_text, shorten

META = Meta(
    code="constant-input-features",
    passed="Input features vary from sample to sample",
    failed="Many input features never change",
    level="warn",
    needs=("inputs",),
    causes=(
        "Columns were lost, filled with a default, or multiplied by zero while the batch was made",
        "The batch holds one group only, while training saw several",
    ),
    fix="Compare the columns of the batch with those of the training data; drop features that carry nothing.",
    section="predictions",
    threshold=0.5,
    threshold_meaning="share of an input's features that are the same for every sample",
    source="own rule, set above the share of empty border pixels in flattened MNIST (15% to 35%)",
)

FEWEST = 30


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the share of constant features of every tabular input with the threshold."""
    worker = artifacts.worker
    if worker is None or worker.n_samples < FEWEST:
        return Result(None, f"Not applicable: needs at least {FEWEST} samples to call a feature constant.")
    tables = [fact for fact in worker.inputs if len(fact.shape) == 1 and fact.shape[0] >= 2]
    if not tables:
        return Result(None, "Not applicable: no input is a row of features.")
    said = [f"{shorten(f.name, 40)}: {share_text(f.constant_features, f.shape[0], 'feature')}" for f in tables]
    bad = [fact for fact in tables if fact.constant_features and fact.constant_features >= threshold * fact.shape[0]]
    if not bad:
        return Result(False, f"Constant on {count(worker.n_samples, 'sample')}: {join_words(said, most=4)}.")
    return Result(
        True,
        f"On {count(worker.n_samples, 'sample')} these never change: "
        + join_words(
            [f"{share_text(f.constant_features, f.shape[0], 'feature')} of input {shorten(f.name, 40)}" for f in bad],
            most=4,
        )
        + ".",
        tuple(
            Evidence(
                f"constant features of {shorten(f.name, 40)}",
                share_text(f.constant_features, f.shape[0]),
                worker.n_samples,
                "predictions",
            )
            for f in bad
        ),
    )


CHECK = Check(META, run)
