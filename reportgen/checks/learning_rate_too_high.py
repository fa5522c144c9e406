"""A learning rate on record that is far above the usual, and a training loss that shows it.

Both are needed. The rate: at least 10 times the default of the optimizer in Keras (0.001 for Adam, 0.01 for SGD);
UMLAUT (CHI 2021) likewise warns by comparing with a common range. The loss, one of: not finite at the end; first
epoch above three times the loss of an even guess among the classes; in the later half a change of direction in a third
of the steps with a typical step of 5% of the loss, or a jump to twice the epoch before; an end half as high again
as the lowest; no better at the end than an even guess (5% of it at most gained); or a model that is no better than its
simple baseline on the batch. Where nothing but the last two is seen, half of the trainable layers being as initialised
tells against it: large steps move weights. Without a rate on record, only a loss that began above three times an even
guess and shows a second sign fires. Signs from AutoTrainer (ICSE 2021), oscillating loss and explosion, and SageMaker
Debugger's LossNotDecreasing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import Artifacts
from reportgen.checks import plateau
from reportgen.checks.check import Check, Meta, Result
from reportgen.checks.fresh_layers import fresh_layers, judged_layers
from reportgen.checks.learning_rates import Rate, chance_loss, count_turns, find_rate
from reportgen.checks.lookup import curve
from reportgen.report.types import Evidence
from reportgen.report.words import count, join_words, number_text

META = Meta(
    code="learning-rate-too-high",
    passed="No sign of a learning rate that is too high",
    failed="The learning rate was too high",
    level="warn",
    needs=("history",),
    causes=("The optimizer's learning_rate is far above the usual for it", "A schedule that rises too far"),
    fix="Train again with a tenth of the learning rate, or with the optimizer's default where that is lower (Adam: "
    "0.001, SGD: 0.01); or find it with a short run that raises the rate until the loss stops falling.",
    section="training",
    threshold=10,
    threshold_meaning="learning rate, as a multiple of the optimizer's default in Keras",
    source="UMLAUT (CHI 2021): compare with a common range; AutoTrainer (ICSE 2021), oscillating loss and explosion; "
    "SageMaker Debugger, rule LossNotDecreasing",
)

FEWEST_EPOCHS = 4
FIRST_ABOVE = 3.0
TURNS, STEP, JUMP, RISE, GAINED = 0.33, 0.05, 2.0, 1.5, 0.05
MATTERS = 0.05  # of the first loss, or of an even guess's where that is lower


def run(artifacts: Artifacts, threshold: float) -> Result:
    """Compare the rate on record with the usual, and look for signs in the training loss."""
    loss = curve(artifacts, "loss")
    if loss is None or loss.values.size < FEWEST_EPOCHS:
        return Result(None, f"Not applicable: needs a training loss over at least {FEWEST_EPOCHS} epochs.")
    rate, chance = find_rate(artifacts), chance_loss(artifacts)
    with np.errstate(all="ignore"):  # values up to 1e308
        signs = find_signs(loss.values, chance)
    if not signs and plateau.is_poor(artifacts):
        signs.append("the model is no better than its simple baseline on the batch")
    began_high = any("began" in sign for sign in signs)
    said = f"{_describe(rate)}; {join_words(signs) if signs else 'the training loss shows no sign of too large steps'}"
    if rate is None:
        if not (began_high and len(signs) > 1):
            return Result(False, f"{said}, over {count(int(loss.values.size), 'epoch')}.")
    elif rate.times < threshold or not signs:
        return Result(False, f"{said}, over {count(int(loss.values.size), 'epoch')}.")
    if all("no better" in sign for sign in signs) and (still := _still_fresh(artifacts)):
        return Result(False, f"{said}, but {still}, which steps that large would have moved.")
    evidence = [Evidence("largest learning rate", rate.largest, None, "training")] if rate is not None else []
    if math.isfinite(float(loss.values[0])):
        evidence.append(Evidence("first training loss", float(loss.values[0]), int(loss.values.size), "training"))
    text = f"{said}, over {count(int(loss.values.size), 'epoch')}."
    return Result(True, text, tuple(evidence), fix=_name_fix(rate))


def find_signs(values: NDArray[Any], chance: float) -> list[str]:
    """Return what the training loss shows of too large steps, in words."""
    finite = values[np.isfinite(values)]
    signs = []
    if not math.isfinite(float(values[-1])):
        signs.append("the training loss ended as a number that is not finite")
    if finite.size < FEWEST_EPOCHS:
        return signs
    if math.isfinite(chance) and finite[0] > FIRST_ABOVE * chance:
        signs.append(
            f"the training loss began at {number_text(finite[0])}, where an even guess has {number_text(chance)}"
        )
    # What counts as much: a loss close to zero wobbles by large shares of itself.
    whole = min(float(finite[0]), chance) if math.isfinite(chance) else float(finite[0])
    late = finite[finite.size // 2 :]
    steps = np.diff(late)
    step, level = float(np.median(np.abs(steps))), float(np.median(late))
    if late.size > 3 and count_turns(late) >= TURNS and step >= max(STEP * level, 0.01 * whole):
        signs.append(f"it still jumped by {number_text(step, 2)} at {number_text(level, 2)} from epoch to epoch")
    rises = np.flatnonzero((late[1:] > JUMP * late[:-1]) & (steps > MATTERS * whole))
    if rises.size:
        at = int(rises[0])
        signs.append(f"it jumped from {number_text(late[at], 2)} to {number_text(late[at + 1], 2)} late in training")
    end, lowest = float(np.median(finite[-3:])), float(finite.min())
    if end > RISE * lowest and end - lowest > MATTERS * whole:
        signs.append(f"it ended at {number_text(end)}, above its lowest {number_text(lowest)}")
    if math.isfinite(chance) and end > (1 - GAINED) * chance:
        signs.append(f"it ended at {number_text(end)}, no better than an even guess ({number_text(chance)})")
    return signs


def _still_fresh(artifacts: Artifacts) -> str:
    """Say that half of the trainable layers or more are as initialised: their steps were small; else ""."""
    fresh, judged = len(fresh_layers(artifacts, trainable=True)), judged_layers(artifacts, trainable=True)
    return (
        f"{fresh:,} of {count(judged, 'trainable layer')} are still as initialised" if 2 * fresh >= judged > 1 else ""
    )


def _name_fix(rate: Rate | None) -> str:
    """Name the rate to try next; "" where none is on record."""
    if rate is None:
        return ""
    tenth = rate.largest / 10 <= rate.default
    target, what = (rate.largest / 10, "a tenth") if tenth else (rate.default, f"the default of {rate.optimizer}")
    return (
        f"Train again with learning_rate={number_text(target)} ({what}); or find it with a short run that raises the "
        "rate until the loss stops falling."
    )


def _describe(rate: Rate | None) -> str:
    """Say what rate is on record."""
    if rate is None:
        return "No learning rate is on record"
    return (
        f"The learning rate was {number_text(rate.largest)} at most, {number_text(rate.times, 2)} times the default of "
        f"{rate.optimizer}"
    )


CHECK = Check(META, run)
