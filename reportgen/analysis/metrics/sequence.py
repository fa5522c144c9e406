"""Sequence: a class or token for each step, next-token prediction included."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis import intervals
from reportgen.analysis.metrics import classes as tables
from reportgen.analysis.metrics.classes import ConfusedPair, ConfusionBlock, PerClass
from reportgen.analysis.metrics.pairs import DENSE_CLASSES, PairCounts
from reportgen.analysis.metrics.parts import Covariance, Sum
from reportgen.analysis.metrics.steps import score_steps as score_steps
from reportgen.analysis.metrics.steps import step_labels as step_labels
from reportgen.analysis.metrics.steps import trailing_zeros
from reportgen.analysis.metrics.streaming import Streaming
from reportgen.analysis.metrics.value import MetricValue

Array = NDArray[Any]

MOST_TOKENS = 10_000_000
TOP = 5
STEPS = 1_024
LENGTHS = 24
METHOD = "Student's t over sequences, linearised"
FREQUENCIES = "always the token frequencies"


@dataclass(frozen=True, slots=True)
class ByStep:
    """Accuracy along the sequence: row i counts labelled steps at position i (the last row: all further ones)."""

    n: Array
    right: Array
    accuracy: Array
    low: Array
    high: Array


@dataclass(frozen=True, slots=True)
class ByLength:
    """Accuracy by length: row i holds sequences of `low[i]` to `high[i]` labelled steps, ends included."""

    low: Array
    high: Array
    sequences: Array
    steps: Array
    accuracy: Array


class Sequence(Streaming):
    """Scores (n, T, V) against a class for each step; T may vary between chunks.

    A step is left out when its label is not in 0..V-1 (-1, -100, an all-zero one-hot row) or its weight, given as (n,
    T), is 0. Steps of one sequence count together: intervals stand on sequences. Memory: 24 V bytes; up to 1,000 tokens
    also 8 V^2 for confusion.
    """

    task = "sequence"
    headlines = ("token_accuracy", "perplexity")

    def _build(self) -> None:
        """Make the parts."""
        self.classes = int(self.shape[-1] or 0) if self.shape else 0
        if not 2 <= self.classes <= MOST_TOKENS or len(self.shape) != 2:
            raise ValueError("a sequence output needs steps and at least 2 scores a step")
        self._tokens = self._part("tokens", Sum(3, self.classes))
        self._predicted = self._part("predicted", Sum(self.classes))
        self._rows = self._part("rows", Covariance(4))
        self._whole = self._part("whole", Sum(4))
        self._steps = self._part("steps", Sum(STEPS, 2))
        self._lengths = self._part("lengths", Sum(LENGTHS, 3))
        self._pairs = self._part("pairs", PairCounts(self.classes)) if self.classes <= DENSE_CLASSES else None

    @property
    def predicted(self) -> Array:
        """How often each token was answered (V,), labelled or not."""
        return self._predicted.values

    @property
    def confusion(self) -> Array | None:
        """Counts of steps (V, V), rows the truth; None past 1,000 tokens."""
        return None if self._pairs is None else self._pairs.matrix()

    def update(self, y_true: Array | None, y_pred: Array, weights: Array | None = None) -> None:
        """Add one chunk: labels (n, T), (n, T, 1) or one-hot (n, T, V), or None; scores (n, T, V)."""
        scores = np.asarray(y_pred)
        if scores.ndim != 3 or scores.shape[2] != self.classes:
            raise ValueError(f"predictions have shape {scores.shape}; expected (n, steps, {self.classes})")
        n = len(scores)
        truth, known = np.zeros(scores.shape[:2], np.int64), np.zeros(scores.shape[:2], bool)
        if y_true is not None:
            truth, known = step_labels(y_true, scores.shape, weights)
        finite, answer, place, nll = score_steps(truth, scores, self.scores)
        labelled = known.any(axis=1)
        self._count(n=n, bad_scores=n - int(finite.sum()), labelled=int((labelled & finite).sum()))
        self._count(bad_labels=0 if y_true is None else n - int(labelled.sum()))
        self._count(weighted=0 if weights is None or np.ndim(weights) == 2 else n)
        self._predicted.values += np.bincount(answer[finite].reshape(-1), minlength=self.classes)
        used = labelled & finite
        if used.any():
            self._whole.values[3] += trailing_zeros(truth[used], known[used])
            self._add(truth[used], known[used], answer[used], place[used], nll[used])

    def _add(self, truth: Array, known: Array, answer: Array, place: Array, nll: Array) -> None:
        """Add sequences with at least one labelled step."""
        right = known & (truth == answer)
        hits, steps = right.sum(axis=1), known.sum(axis=1)
        top = (known & (place < TOP)).sum(axis=1)
        losses = np.where(known, nll, 0.0).sum(axis=1) if self.probabilistic else np.zeros(len(truth))
        self._rows.add(np.stack([hits, losses, top, steps], axis=1))
        self._whole.values[:3] += [int((hits == steps).sum()), int(steps.sum()), int(top.sum())]
        parts = (truth[right], truth[known], answer[known])
        self._tokens.values += np.stack([np.bincount(part, minlength=self.classes) for part in parts])
        if self._pairs is not None:
            self._pairs.add(truth[known], answer[known])
        at = np.broadcast_to(np.minimum(np.arange(truth.shape[1]), STEPS - 1), truth.shape)
        for column, marks in enumerate((known, right)):
            self._steps.values[:, column] += np.bincount(at[marks], minlength=STEPS)
        bucket = np.minimum(np.log2(steps).astype(np.int64), LENGTHS - 1)
        for column, weight in enumerate((np.ones(len(steps)), steps, hits)):
            total = np.bincount(bucket, weights=weight, minlength=LENGTHS)
            self._lengths.values[:, column] += np.rint(total).astype(np.int64)

    def per_class(self) -> PerClass:
        """Return precision, recall and F1 of each token over labelled steps."""
        right, support, predicted = self._tokens.values
        return tables.compute_per_class(right, support, predicted)

    def by_step(self) -> ByStep:
        """Return the accuracy at each position, up to the last one with labels."""
        n, right = self._steps.values.T
        last = int(np.flatnonzero(n).max(initial=-1)) + 1
        low, high = intervals.wilson(right[:last], n[:last])
        with np.errstate(divide="ignore", invalid="ignore"):
            return ByStep(n[:last], right[:last], right[:last] / n[:last], low, high)

    def by_length(self) -> ByLength:
        """Return the accuracy of short and long sequences, in lengths that double."""
        used = np.flatnonzero(self._lengths.values[:, 0])
        sequences, steps, right = self._lengths.values[used].T
        return ByLength(2**used, 2 ** (used + 1) - 1, sequences, steps, right / steps)

    def confused_pairs(self, k: int = 10) -> tuple[ConfusedPair, ...]:
        """Return the most frequent mistakes; empty past 1,000 tokens."""
        if self._pairs is None:
            return ()
        return tables.confused_pairs(self._pairs.cells(), self._tokens.values[1], k)

    def block(self, size: int = 30) -> ConfusionBlock | None:
        """Return the confusion of steps to draw, or its worst block; None past 1,000 tokens."""
        if self._pairs is None:
            return None
        return tables.worst_block(self._pairs.cells(), self.classes, max(size, 2))

    def notes(self) -> tuple[str, ...]:
        """Return what was left out, on how many steps metrics stand, and a warning of padding that may be counted."""
        _, steps, _, zeros = (int(value) for value in self._whole.values)
        notes = list(super().notes())
        if steps:
            notes.append(f"Metrics stand on {steps:,} labelled steps of {self.n_labelled:,} sequences.")
        if zeros > 0.01 * steps:
            notes.append(
                f"{zeros / steps:.0%} of the labelled steps are zeros at the end of a sequence. If 0 is padding, "
                "give it a weight of 0 or a label of -1, or the metrics flatter the model."
            )
        return tuple(notes)

    def result(self) -> tuple[MetricValue, ...]:
        """Return token accuracy, top-5 accuracy, perplexity, log loss a step, and the share of faultless sequences."""
        whole, steps, top, _ = (int(value) for value in self._whole.values)
        right, support, _ = self._tokens.values
        shares = np.sort(support)[::-1] / max(steps, 1)
        known = steps > 0
        metrics = [self._share("token_accuracy", "Token accuracy", int(right.sum()), 0, shares[:1])]
        if self.classes >= 2 * TOP - 1:
            metrics.append(self._share(f"top_{TOP}_accuracy", f"Top-{TOP} token accuracy", top, 2, shares[:TOP]))
        faultless = self._metric(
            "sequence_accuracy",
            "Faultless sequences",
            whole / self.n_labelled if known else math.nan,
            intervals.wilson_pair(whole, self.n_labelled),
            "Wilson",
            unit="share",
            help="Share of sequences with every labelled step right.",
        )
        return (*metrics, *self._losses(shares[shares > 0], known), faultless)

    def _share(self, name: str, label: str, hits: int, column: int, plain: Array) -> MetricValue:
        """Return a share of the labelled steps; `plain` are the shares of the tokens that a constant answer names."""
        steps = int(self._whole.values[1])
        value = hits / steps if steps else math.nan
        several = f"the {len(plain)} most frequent tokens" if len(plain) > 1 else "the most frequent token"
        return self._metric(
            name,
            label,
            value,
            self._ratio_ends(column, value),
            METHOD,
            baseline=float(plain.sum()) if steps else None,
            baseline_name=f"always {several}",
            unit="share",
            help="Share of labelled steps whose label is the top answer, or among the best five.",
        )

    def _losses(self, shares: Array, known: bool) -> tuple[MetricValue, MetricValue]:
        """Return perplexity and log loss a step beside those of the token frequencies."""
        entropy = float(-(shares * np.log(shares)).sum())
        loss = float(self._rows.mean[1] / self._rows.mean[3]) if known and self.probabilistic else math.nan
        ends = self._ratio_ends(1, loss)
        return (
            self._metric(
                "perplexity",
                "Perplexity",
                math.exp(loss),
                (math.exp(ends[0]), math.exp(ends[1])),
                METHOD,
                better="lower",
                baseline=math.exp(entropy) if known else None,
                baseline_name=FREQUENCIES,
                help="exp(log loss a step): between how many equally likely tokens the model wavers.",
            ),
            self._metric(
                "log_loss",
                "Log loss a step",
                loss,
                ends,
                METHOD,
                better="lower",
                baseline=entropy if known else None,
                baseline_name=FREQUENCIES,
                help="Mean of -ln(probability given to the label), cut at 1e-7 as Keras does.",
            ),
        )

    def _ratio_ends(self, index: int, value: float) -> tuple[float, float]:
        """Return the interval of a sum over steps divided by the number of steps, over sequences."""
        if math.isnan(value):
            return math.nan, math.nan
        gradient = np.zeros(4)
        gradient[index], gradient[3] = 1.0, -value
        low, high = self._rows.ends(value, gradient / self._rows.mean[3])
        return max(low, 0.0), high

    def _bad_label_words(self) -> str:
        """Say what was wrong with labels that could not be used."""
        return f"have no step in 0..{self.classes - 1}"
