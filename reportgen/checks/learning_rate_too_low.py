"""A training loss that crept down evenly to the end and got nowhere near where it was heading.

Fires when the training loss fell all along (Kendall's tau over the epochs at most -0.5), the last third of the epochs
brought at least 15% of the whole gain (an even decline brings 33%; an exponential one that has run for two time
constants 15%), validation was not turning, and little was gained: the end lies above 60% of the start, or above 30% of
it where the learning rate on record is at most a tenth of the optimizer's default in Keras (0.001 for Adam, 0.01 for
SGD). With such a rate it also fires when more than 60% of the loss is left and the model is not clearly better than
its simple baseline on the batch; without one, a loss that did not move at all is left to plateau. Related:
AutoTrainer's slow convergence (ICSE 2021, delta 0.01 an epoch); UMLAUT (CHI 2021) warns by comparing the rate with a
common range.
"""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Artifacts
from reportgen.analysis.trend import condense, smooth
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.learning_rates import compute_tau, find_rate
from reportgen.checks.lookup import curve, curve_facts, places
from reportgen.report.types import Evidence
from reportgen.report.words import count, number_text, percent

META = Meta(
    code="learning-rate-too-low",
    passed="The training loss came down fast enough",
    failed="The training loss crept down too slowly",
    level="warn",
    needs=("history",),
    causes=("The learning rate is far below the usual for the optimizer", "A schedule that lowers it too early"),
    fix="Train again with ten times the learning rate (Adam: 0.001, SGD: 0.01 are the defaults).",
    section="training",
    threshold=0.15,
    threshold_meaning="share of the whole gain that the last third of the epochs brought",
    source="AutoTrainer (ICSE 2021), slow convergence (delta 0.01); UMLAUT (CHI 2021): compare with a common range",
)

FEWEST_EPOCHS = 8
FALLING = -0.5  # Kendall's tau
LITTLE = 0.6  # of the first loss is left
LITTLE_IF_LOW = 0.3
LOW = 0.1  # of the default
NOTHING = 0.001


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Look at how evenly the training loss fell and how much of it is left."""
    loss = curve(artifacts, "loss")
    values = loss.values[np.isfinite(loss.values)] if loss is not None else np.empty(0)
    if values.size < FEWEST_EPOCHS or values.min() <= 0:
        return Result(None, f"Not applicable: needs a positive training loss over at least {FEWEST_EPOCHS} epochs.")
    shape, _ = condense(values)
    level = smooth(shape)  # an epoch's average over shuffled batches is noisy where little is gained
    first, last = float(level[0]), float(level[-1])
    gained, third = first - last, float(level[-1 - level.size // 3] - level[-1])
    falling = compute_tau(shape)
    rate = find_rate(artifacts)
    low = rate is not None and rate.times <= LOW
    said = (
        f"The training loss went from {number_text(first)} to {number_text(last)} over "
        f"{count(int(values.size), 'epoch')}"
    )
    if rate is not None:
        said += f", with a learning rate of at most {number_text(rate.largest)} for {rate.optimizer}"
    left = Evidence("training loss left", percent(last / first), int(values.size), "training")
    on_record = (Evidence("largest learning rate", rate.largest, None, "training"),) if rate is not None else ()
    # Not clearly better is enough here: a model that was trained before, and only polished at such a rate, is.
    if low and last >= LITTLE * first and (found := places(artifacts)) and "better" not in found:
        why = "the model is not better than its simple baseline on the batch: the steps were too small to get anywhere"
        return Result(True, f"{said}, and {why}.", (left, *on_record))
    if gained <= NOTHING * first:
        return Result(False, f"{said}: it did not creep, it did not move.")
    share = third / gained
    steady = falling <= FALLING and share >= threshold
    if not steady or last < (LITTLE_IF_LOW if low else LITTLE) * first or _turning(artifacts):
        return Result(False, f"{said}.")
    return Result(
        True,
        f"{said}. It fell all along, and the last third of the epochs still brought {percent(min(share, 1.0))} of the "
        "gain: it was on its way, in too small steps.",
        (
            left,
            Evidence("share of the gain in the last third", percent(min(share, 1.0)), int(values.size), "training"),
            *on_record,
        ),
    )


def _turning(artifacts: Artifacts) -> bool:
    """Tell whether validation already got worse."""
    main = curve_facts(artifacts).main
    return main is not None and (main.overfitting is not None or main.trend.course == "worsening")


CHECK = Check(META, run)
