"""Validation turned for good while training kept improving; the epoch of onset is named.

`analysis.curves` finds the turn (Prechelt's generalisation loss, beyond noise, with training still falling); this
check fires when validation ended at least 10% above its best, which is SageMaker Debugger's Overfit ratio
(`ratio_threshold` 0.1), for a loss (5% where the training loss ended below a tenth of it: learned by heart), and at
least 2% (a fifth of it) below for scores such as accuracy. It does not fire when the weights are known to be from
before the rise: by the record, or because the batch is the validation data and gives that epoch's metrics. Where
nothing tells, early stopping may have restored the best ones: validation must then have ended five times as far above
its best, with a loss on the batch nearer to the end than to the best, or training have gone on for more than 30 epochs
after it, which early stopping rarely waits for.
"""

from __future__ import annotations

import math

from reportgen.analysis.curves import PairFacts
from reportgen.analysis.evidence import Artifacts, Curve
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import curve, curve_facts
from reportgen.checks.saved_epoch import batch_loss, find_saved_epoch
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
BY_HEART, BY_HEART_PART = 0.1, 0.5
UNKNOWN = " Which epoch's weights the file holds is not recorded."
PATIENCE = 30  # epochs; early stopping that waits longer is rare
SURE = 5.0  # times the threshold, where nothing tells which weights were kept


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
    bar = threshold * (1.0 if pair.is_loss else SCORE_PART) * (BY_HEART_PART if _learned_by_heart(pair) else 1.0)
    if worse < bar:
        return Result(False, f"{said}, which is little.", epochs=(onset,))
    saved = find_saved_epoch(artifacts)
    if saved is not None and _before_the_rise(pair, curve(artifacts, f"val_{pair.name}"), saved.epoch, threshold):
        return Result(
            False,
            f"{said}, but the weights are those of epoch {saved.epoch:,}, from before the rise, {saved.how}.",
            epochs=(onset, saved.epoch),
        )
    if saved is None and (why := _may_be_restored(artifacts, pair, worse, threshold)):
        return Result(False, f"{said}; {why}.", epochs=(onset,))
    after = f" The weights are those of epoch {saved.epoch:,}, {saved.how}." if saved is not None else UNKNOWN
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


def _learned_by_heart(pair: PairFacts) -> bool:
    """Tell whether the training loss ended below a tenth of the validation loss."""
    ends = [
        part.last.value if part is not None and part.last is not None else math.nan
        for part in (pair.train, pair.validation)
    ]
    return pair.is_loss and 0 <= ends[0] < BY_HEART * ends[1]


def _may_be_restored(artifacts: Artifacts, pair: PairFacts, worse: float, threshold: float) -> str:
    """Return why the weights may be those of the best epoch although nothing records it, "" when that is unlikely."""
    sure = worse >= SURE * threshold * (1.0 if pair.is_loss else SCORE_PART)
    best, last = pair.best, pair.validation.last if pair.validation else None
    if not sure and best is not None and last is not None and last.epoch - best.epoch > PATIENCE:
        return ""
    if not sure:
        return "which epoch's weights the file holds is not known, and early stopping may have restored the best ones"
    loss = batch_loss(artifacts) if pair.name == "loss" else math.nan
    if best is None or last is None or not (loss > 0 and best.value > 0 and last.value > 0):
        return ""
    if abs(math.log(loss / best.value)) < abs(math.log(loss / last.value)):
        return f"the loss on the batch, {number_text(loss)}, is nearer to the best than to the end"
    return ""


def _before_the_rise(pair: PairFacts, validation: Curve | None, restored: int, threshold: float) -> bool:
    """Tell whether validation at the restored epoch is within the threshold of its best."""
    if validation is None or pair.best is None:
        return False
    at = validation.values[validation.epochs == restored]
    worse = abs(float(at[-1]) - pair.best.value) / abs(pair.best.value) if at.size else float("inf")
    return worse < threshold * (1.0 if pair.is_loss else SCORE_PART)


CHECK = Check(META, run)
