"""The saved weights are known not to be those of the best epoch, and that cost something.

Needs the record of the restored epoch in the history, or the validation data as batch: then the epoch whose validation
metrics the batch gives to four digits is that of the weights. Without either the answer is "not applicable", never a
guess. Silent within 5% of the best validation loss (1% of a score where there is no loss), the margin of Prechelt's
generalisation loss (1998) below which early stopping does not stop, and when that epoch is the first of the very best
on another validation metric: a callback may have watched that one.
"""

from __future__ import annotations

from reportgen.analysis.curves import PairFacts
from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import curve, curve_facts
from reportgen.checks.saved_epoch import find_saved_epoch
from reportgen.report.types import Evidence
from reportgen.report.words import number_text, percent

META = Meta(
    code="best-epoch-not-restored",
    passed="The weights come from the best epoch, or close to it",
    failed="The weights do not come from the best epoch",
    level="warn",
    needs=("history",),
    causes=(
        "EarlyStopping without restore_best_weights=True",
        "EarlyStopping or ModelCheckpoint watches the training loss or another metric",
    ),
    fix="Set restore_best_weights=True in EarlyStopping (or load the best checkpoint before saving) and watch "
    "val_loss.",
    section="training",
    threshold=0.05,
    threshold_meaning="how far validation at the restored epoch lies from its best, as a share of the best (a fifth "
    "for scores)",
    source="Prechelt, Early Stopping - But When? (1998): generalisation loss of 5%",
)

SCORE_PART = 0.2


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare validation at the restored epoch with its best."""
    saved = find_saved_epoch(artifacts)
    if saved is None:
        return Result(
            None,
            "Not applicable: the history does not record which epoch's weights were restored, and the batch does not "
            "give the validation metrics of any one epoch.",
        )
    restored = saved.epoch
    facts = curve_facts(artifacts)
    pairs = [pair for pair in facts.pairs if pair.validation is not None and pair.best is not None]
    losses = {pair.name: loss for pair in pairs if (loss := _distance(artifacts, pair, restored)) is not None}
    pair = facts.main
    if pair is None or pair.best is None or pair.name not in losses:
        return Result(None, f"Not applicable: no validation curve has a value at epoch {restored:,}.")
    margin = threshold * (1.0 if pair.is_loss else SCORE_PART)
    near = [p.name for p in pairs if p.name in losses and _is_near(p, restored, losses[p.name], margin, main=p is pair)]
    if near:
        said = f"best, or close to it, by validation {near[0].replace('_', ' ')}"
        return Result(
            False, f"The weights are those of epoch {restored:,}, {saved.how}; that is {said}.", epochs=(restored,)
        )
    name = f"validation {pair.name.replace('_', ' ')}"
    return Result(
        True,
        f"The weights are those of epoch {restored:,}, {saved.how}, but the {name} was best at epoch "
        f"{pair.best.epoch:,} ({number_text(pair.best.value)}); at epoch {restored:,} it is "
        f"{percent(losses[pair.name])} worse.",
        (
            Evidence("epoch of the weights", restored, None, "training"),
            Evidence("best epoch", pair.best.epoch, None, "training"),
            Evidence(f"{name}, worse by", percent(losses[pair.name]), None, "training"),
        ),
        epochs=(pair.best.epoch, restored),
    )


def _is_near(pair: PairFacts, epoch: int, distance: float, margin: float, *, main: bool) -> bool:
    """Tell whether an epoch is as good as the best by one metric.

    By others than the main one only where it is the first epoch of the best value: the one that a callback that
    watches that metric would have kept.
    """
    return distance <= margin if main else pair.best is not None and epoch == pair.best.epoch


def _distance(artifacts: Artifacts, pair: PairFacts, epoch: int) -> float | None:
    """Return how far validation at `epoch` is from its best, as a share of the best; None when it cannot be told."""
    validation = curve(artifacts, f"val_{pair.name}")
    if validation is None:
        return None
    at = validation.values[validation.epochs == epoch]
    if not at.size or pair.best is None or not pair.best.value or at[-1] != at[-1]:
        return None
    return abs(float(at[-1]) - pair.best.value) / abs(pair.best.value)


CHECK = Check(META, run)
