"""Which way a metric gets better, read from its name; and which history columns are not metrics at all."""

from __future__ import annotations

from typing import Literal

Direction = Literal["lower", "higher", "neither"]

# A name is split at "_"; a part (or a run of parts) from the first table wins over one from the second, so that
# "dice_loss" is a loss and "accuracy_error" an error.
LOWER = frozenset(
    {
        "loss",
        "error",
        "mse",
        "mae",
        "rmse",
        "mape",
        "msle",
        "logcosh",
        "hinge",
        "poisson",
        "crossentropy",
        "entropy",
        "kld",
        "divergence",
        "nll",
        "bce",
        "cce",
        "perplexity",
        "wer",
        "cer",
        "fid",
        "ece",
        "brier",
        "hamming",
        "distance",
        "deviation",
        "penalty",
        "cost",
        "quantile",
        "pinball",
        "smape",
    }
)
LOWER_RUNS = ("cross_entropy", "log_cosh", "false_positives", "false_negatives", "squared_error", "absolute_error")
HIGHER = frozenset(
    {
        "accuracy",
        "acc",
        "auc",
        "auroc",
        "auprc",
        "precision",
        "recall",
        "f1",
        "fbeta",
        "score",
        "r2",
        "iou",
        "miou",
        "dice",
        "jaccard",
        "map",
        "ndcg",
        "mrr",
        "psnr",
        "ssim",
        "bleu",
        "rouge",
        "kappa",
        "mcc",
        "similarity",
        "sensitivity",
        "specificity",
        "correlation",
        "pearson",
        "spearman",
        "reward",
        "hits",
        "top",
    }
)
HIGHER_RUNS = ("io_u", "true_positives", "true_negatives", "f1score")
LEARNING_RATES = frozenset({"learning_rate", "lr", "learningrate"})
TIMES = frozenset({"time", "duration", "seconds", "sec", "step", "steps", "epoch", "epochs", "iteration", "iterations"})


def is_learning_rate(name: str) -> bool:
    """Return True for the learning rate's column, also with an optimizer's number or prefix."""
    base = name.lower().rstrip("0123456789").rstrip("_")
    return base in LEARNING_RATES or base.endswith(("_learning_rate", "_lr"))


def choose_direction(name: str) -> Direction | None:
    """Return the way that `name` gets better, or None when the name does not tell.

    Numbers at the end of a part are ignored ("auc_1", "top5"); times and counters are "neither".
    """
    text = name.lower().removeprefix("val_").replace("-", "_").replace(" ", "_")
    parts = {part if part in HIGHER else part.rstrip("0123456789") for part in text.split("_")}
    if parts & LOWER or any(run in text for run in LOWER_RUNS):
        return "lower"
    if parts & HIGHER or any(run in text for run in HIGHER_RUNS):
        return "higher"
    return "neither" if parts & TIMES or is_learning_rate(text) else None
