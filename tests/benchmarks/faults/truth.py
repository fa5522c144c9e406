"""Whether an injected fault took: judged on training and validation data by the trainer, never by what reportgen's checks look at.

A learning rate of 1 may do no harm; such a case is no example of the fault. It is left out of the recall and counted.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from faults.evidence import Case

GUESS = {"digits": 0.1, "even": 0.5, "cancer": 0.63, "photo": 0.5}  # accuracy of a guess; 0 for shares of variance


def learned(case: Case, usual: dict[tuple[str, str], float]) -> float:
    """Return how far training came from a guess (0) to what healthy models of this kind and data reach (1)."""
    kind, data = case.recipe["kind"], case.recipe["data"]
    guess, good = GUESS.get(data, 0.0), usual.get((kind, data), 0.95)
    got = case.truth["train_score"]
    return 0.0 if not np.isfinite(got) else float((got - guess) / (good - guess))


def _ended_worse(case: Case, factor: float) -> bool:
    """Tell whether the validation loss ended above its lowest by a factor, or as no number."""
    values = np.array(case.history["val_loss"])
    if not np.isfinite(values[-1]):
        return True
    return bool(np.median(values[-3:]) >= factor * np.nanmin(values))


def _saved_worse(case: Case, factor: float) -> bool:
    """Tell whether the validation loss of the last epoch, whose weights were saved, is above its lowest by a factor."""
    values = np.array(case.history["val_loss"])
    return bool(not np.isfinite(values[-1]) or values[-1] >= factor * np.nanmin(values))


def _validation_swings(case: Case) -> bool:
    """Tell whether the validation loss swings: turns in a third of the steps, typically by 10% of its level and its way.

    Its way is from the first epoch to the lowest: late in the training of many healthy models a loss near zero swings by
    10% of its level.
    """
    values = np.array(case.history["val_loss"])
    late = values[len(values) // 4 :]
    if not np.isfinite(values).all():
        return False
    steps = np.diff(late)
    turns, typical = float(np.mean(steps[1:] * steps[:-1] < 0)), float(np.median(np.abs(steps)))
    return turns >= 0.33 and typical >= 0.1 * max(float(np.median(late)), float(values[0] - values.min()))


def _generalises_badly(case: Case) -> bool:
    """Tell whether the model is far better on its training data: half of the test error at most, 5 points or more."""
    train, test = case.truth["train_score"], case.truth["test_score"]
    return bool(train - test >= 0.05 and (1 - train) <= 0.5 * (1 - test))


Rule = Callable[[Case, dict[tuple[str, str], float]], bool]

# Faults that are not here are there by construction.
TOOK: dict[str, Rule] = {
    "dead-units": lambda case, usual: case.truth["dead"] >= 0.55,
    "vanishing-gradient": lambda case, usual: learned(case, usual) <= 0.5,
    "exploding-gradient": lambda case, usual: learned(case, usual) <= 0.5,
    "saturated-activations": lambda case, usual: case.truth["saturated"] >= 0.85,
    "non-finite-weights": lambda case, usual: case.truth["non_finite"] > 0,
    "overfitting": lambda case, usual: _generalises_badly(case) and _ended_worse(case, 1.1),
    "underfitting": lambda case, usual: learned(case, usual) <= 0.1,
    "still-improving": lambda case, usual: learned(case, usual) <= 0.97,
    "plateau": lambda case, usual: learned(case, usual) <= 0.1,
    "oscillating-loss": lambda case, usual: _validation_swings(case),
    "diverging-loss": lambda case, usual: _ended_worse(case, 2.0),
    "learning-rate-too-high": lambda case, usual: learned(case, usual) <= 0.85,
    "learning-rate-too-low": lambda case, usual: learned(case, usual) <= 0.85,
    "best-epoch-not-restored": lambda case, usual: _saved_worse(case, 1.05),
    "batch-norm-statistics-off": lambda case, usual: case.truth.get("training_mode_gain", 0.0) >= 0.15,
    "collapsed-predictions": lambda case, usual: case.truth.get("train_top", 0.0) >= 0.98,
}


def took(case: Case, usual: dict[tuple[str, str], float]) -> bool:
    """Tell whether the fault that a case's recipe names is there."""
    rule = TOOK.get(case.recipe["fault"])
    return rule is None or rule(case, usual)


def usual_scores(healthy: list[Case]) -> dict[tuple[str, str], float]:
    """Return the median training score of healthy models by kind and data."""
    scores: dict[tuple[str, str], list[float]] = {}
    for case in healthy:
        scores.setdefault((case.recipe["kind"], case.recipe["data"]), []).append(case.truth["train_score"])
    return {key: float(np.median(values)) for key, values in scores.items()}
