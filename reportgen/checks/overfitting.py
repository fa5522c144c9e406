"""Validation turned for good while training kept improving; the epoch of onset is named.

`analysis.curves` finds the turn (Prechelt's generalisation loss, beyond noise, with training still falling); this
check fires when validation ended at least 10% above its best, which is SageMaker Debugger's Overfit ratio
(`ratio_threshold` 0.1), for a loss, and at least 2% (a fifth of it) below for scores such as accuracy. It does not
fire when the history records that weights from before the rise were restored.
"""

from __future__ import annotations

from reportgen.analysis.curves import PairFacts
from reportgen.analysis.evidence import Artifacts, Curve
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import curve, curve_facts
from reportgen.report.types import Evidence
from reportgen.report.words import count, number_text, percent

META = Meta(
    code="overfitting",
    passed="Validation did not get worse while training improved",
    failed="The model was overfitted",
    level="warn",
    needs=("history",),
    causes=(
        "More epochs than the data supports",
        "A model that is large for the amount of training data",
        "Too little regularisation or augmentation",
    ),
    fix="Keep the weights of the best epoch (EarlyStopping with restore_best_weights=True), then try more data, "
    "augmentation, dropout or weight decay.",
    section="training",
    threshold=0.1,
    threshold_meaning="how far the validation loss ends above its best, as a share of the best (a fifth of it for "
    "scores)",
    source="SageMaker Debugger, rule Overfit (ratio_threshold 0.1); Prechelt, Early Stopping - But When? (1998)",
)

SCORE_PART = 0.2


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare how far validation ended from its best with the threshold."""
    facts = curve_facts(artifacts)
    pair = facts.main
    if pair is None or pair.validation is None or pair.train is None:
        return Result(None, "Not applicable: needs a training and a validation curve of one metric.")
    if pair.validation.points < 5:
        return Result(
            None, f"Not applicable: needs at least 5 epochs with validation; the history has {pair.validation.points}."
        )
    name = f"validation {pair.name.replace('_', ' ')}"
    if pair.overfitting is None or pair.best is None or not pair.best.value:
        return Result(False, f"The {name} did not turn while training improved, over {count(facts.epochs, 'epoch')}.")
    onset, worse = pair.overfitting.onset, pair.overfitting.rise / abs(pair.best.value)
    said = (
        f"The {name} was best around epoch {onset:,} ({number_text(pair.best.value)}) and ended {percent(worse)} worse"
    )
    if worse < threshold * (1.0 if pair.is_loss else SCORE_PART):
        return Result(False, f"{said}, which is little.", epochs=(onset,))
    restored = artifacts.history.restored_epoch if artifacts.history else None
    if restored is not None and _before_the_rise(pair, curve(artifacts, f"val_{pair.name}"), restored, threshold):
        return Result(
            False,
            f"{said}, but the weights of epoch {restored:,}, from before the rise, were restored.",
            epochs=(onset, restored),
        )
    after = "" if restored is not None else " Which epoch's weights the file holds is not recorded."
    return Result(
        True,
        f"{said} after {count(facts.epochs, 'epoch')}, while training kept improving: from there on the model "
        f"learned its training data by heart.{after}",
        (
            Evidence("onset (epoch)", onset, facts.epochs, "training"),
            Evidence(f"best {name}", pair.best.value, facts.epochs, "training"),
            Evidence("worse at the end by", percent(worse), facts.epochs, "training"),
        ),
        epochs=(onset,),
    )


def _before_the_rise(pair: PairFacts, validation: Curve | None, restored: int, threshold: float) -> bool:
    """Tell whether validation at the restored epoch is within the threshold of its best."""
    if validation is None or pair.best is None:
        return False
    at = validation.values[validation.epochs == restored]
    worse = abs(float(at[-1]) - pair.best.value) / abs(pair.best.value) if at.size else float("inf")
    return worse < threshold * (1.0 if pair.is_loss else SCORE_PART)


CHECK = Check(META, run)
