"""Training stopped while validation was still getting better.

Fires when validation still improves at the end beyond noise (`analysis.curves`), was best in the last quarter of the
epochs, and the last fifth of them brought at least 6% of the whole improvement. An even decline brings 20% there; an
exponential one that has run for two and a half time constants 6%, for three 4%. Silent when the learning rate had come
down to a tenth or less of its largest value: then a schedule ended as planned. Related: AutoTrainer's slow convergence
(delta 0.01). Only judged on validation: training loss always improves.
"""

from __future__ import annotations

from reportgen.analysis.evidence import Artifacts
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.lookup import curve_facts
from reportgen.report.types import Evidence
from reportgen.report.words import count, number_text, percent

META = Meta(
    code="still-improving",
    passed="Training went on until validation stopped improving",
    failed="Training stopped too early",
    level="warn",
    needs=("history",),
    causes=("Too few epochs", "A learning rate that is lower than it needs to be"),
    fix="Train for more epochs, with EarlyStopping on val_loss to stop when it no longer improves.",
    section="training",
    threshold=0.06,
    threshold_meaning="share of the whole improvement that the last fifth of the epochs brought",
    source="own rule on a Mann-Kendall test of the last fifth; related: AutoTrainer, slow convergence (delta 0.01)",
)

FEWEST_EPOCHS = 8
DECAYED = 0.1


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare what the last fifth of the epochs brought with the whole improvement."""
    facts = curve_facts(artifacts)
    pair = facts.main
    if pair is None or pair.validation is None or pair.validation.first is None or pair.best is None:
        return Result(None, "Not applicable: needs a validation curve.")
    if facts.epochs < FEWEST_EPOCHS or facts.still_improving is None:
        return Result(
            None, f"Not applicable: needs at least {FEWEST_EPOCHS} epochs to tell; the history has {facts.epochs}."
        )
    name = f"validation {pair.name.replace('_', ' ')}"
    if not facts.still_improving:
        return Result(False, f"The {name} no longer improved over the last {count(pair.trend.window, 'epoch')}.")
    if facts.last_epoch is not None and facts.last_epoch - pair.best.epoch > max(pair.trend.window, facts.epochs // 4):
        return Result(False, f"The {name} was best at epoch {pair.best.epoch:,} and has only come back since.")
    whole = abs(pair.best.value - pair.validation.first.value)
    share = abs(pair.trend.change) / whole if whole else 0.0
    said = (
        f"Of its improvement from {number_text(pair.validation.first.value)} to {number_text(pair.best.value)}, the "
        f"{name} made "
    )
    said += f"{percent(min(share, 1.0))} in the last {count(pair.trend.window, 'epoch')} of {facts.epochs:,}"
    for rate in facts.learning_rates:
        if rate.last and rate.high and rate.last.value <= DECAYED * rate.high.value:
            return Result(
                False,
                f"{said}, but the learning rate had come down to {number_text(rate.last.value)} by then, as planned.",
            )
    if share < threshold:
        return Result(False, f"{said}, which is little.")
    return Result(
        True,
        f"{said}: more epochs would probably have helped.",
        (
            Evidence("share of the improvement in the last fifth", percent(min(share, 1.0)), facts.epochs, "training"),
            Evidence("best epoch", pair.best.epoch, facts.epochs, "training"),
        ),
        epochs=(pair.best.epoch,),
    )


CHECK = Check(META, run)
