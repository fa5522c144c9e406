"""What one output of the model is judged by: its task, metrics added up chunk by chunk, and records of its samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import ModelFacts, OutputEvidence
from reportgen.analysis.forecast import find_link, naive_forecasts, naive_steps
from reportgen.analysis.metrics import make_accumulator, score_samples
from reportgen.analysis.metrics.cross_entropy import CrossEntropySum
from reportgen.analysis.metrics.label_scores import label_flags, label_scores
from reportgen.analysis.metrics.reconstruction import Reconstruction
from reportgen.analysis.metrics.timeseries import Timeseries
from reportgen.analysis.metrics.value import SampleScores
from reportgen.analysis.records import RecordKeeper
from reportgen.analysis.sample_key import sample_keys
from reportgen.analysis.single_labels import MOST_LABELS, SingleLabelKeeper
from reportgen.analysis.tasks import choose_task
from reportgen.analysis.unchanged import find_unchanged
from reportgen.worker.plan import Plan

Array = NDArray[Any]

BEST_KEPT = 4


class OutputPass:
    """One output during the pass. The first chunk decides the task; every chunk is added to the same accumulator."""

    def __init__(
        self,
        name: str,
        activation: str,
        facts: ModelFacts | None,
        plan: Plan,
        y: Array | None,
        y_pred: Array,
        inputs: Mapping[str, Array] | None = None,
    ) -> None:
        self.name = name
        self.loss_name = _of(facts.loss, name, "") if facts else ""
        classes = plan.batch.classes if plan.batch else {}
        self.class_names: tuple[str, ...] = _of(classes, name, ())
        self.shape = tuple(int(size) for size in y_pred.shape[1:])
        wanted = _of(plan.tasks, name, "auto")
        self.link, why = find_link(inputs or {}, y, wanted == "timeseries")
        self.choice = choose_task(
            wanted,
            self.shape,
            activation,
            self.loss_name,
            _of(facts.from_logits, name, None) if facts else None,
            y,
            y_pred,
            len(self.class_names),
            self.link.how if self.link else "",
        )
        self.accumulator = make_accumulator(
            self.choice.task, shape=self.shape, classes=len(self.class_names), scores=self.choice.scores
        )
        self.unchanged = find_unchanged(inputs or {}, y) if self.choice.task == "reconstruction" else None
        self.records = RecordKeeper(plan.record_limit)
        judged = self.choice.task == "multilabel" and self.choice.scores in ("probabilities", "logits")
        single = judged and self.shape[-1] <= MOST_LABELS
        self.single = SingleLabelKeeper(self.shape[-1]) if single else None
        self.exact = CrossEntropySum(self.choice.task)
        self.n = self.n_labelled = 0
        self.notes: tuple[str, ...] = ()
        if self.choice.task == "timeseries" and y is not None:
            said = f"{self.link.how}." if self.link else f"No naive forecast to compare with: {why}."
            told = self.link is not None and self.link.how in self.choice.reason
            self.notes = () if told else (said[:1].upper() + said[1:],)

    def add(
        self,
        keys: Array,
        positions: Array,
        ids: Sequence[str],
        y: Array | None,
        y_pred: Array,
        weights: Array | None,
        inputs: Mapping[str, Array] | None = None,
        logits: Array | None = None,
    ) -> SampleScores:
        """Add one chunk; return its per-sample scores. `logits` are what `y_pred` was before softmax or sigmoid."""
        self.accumulator.update(y, y_pred, weights)
        if y is not None and inputs is not None:
            self._add_baseline(y, y_pred, inputs)
        scores = score_samples(self.choice.task, y, y_pred, self.choice.scores)
        self.exact.add(y_pred if self.choice.scores == "logits" else logits, scores.truth, weights)
        self.records.add(keys, positions, scores, ids, self._whole_labels(y))
        if self.single is not None and y is not None:
            truth = label_flags(y, y_pred.shape)
            self.single.add(positions, ids, truth, label_scores(y_pred, y_pred.shape[1], self.choice.scores))
        self.n += len(y_pred)
        self.n_labelled += len(y_pred) if y is not None else 0
        return scores

    def _whole_labels(self, y: Array | None) -> Array | None:
        """Return a hash of each label where the records' truth is only a number that stands for it."""
        if y is None or self.choice.task in ("binary", "multiclass") or y.size == len(y):
            return None
        return sample_keys({"y": y})

    def _add_baseline(self, y: Array, y_pred: Array, inputs: Mapping[str, Array]) -> None:
        """Add what the simplest answer made from the inputs would score: naive forecasts, the input as output."""
        if isinstance(self.accumulator, Timeseries) and self.link is not None:
            last, seasonal = naive_forecasts(inputs[self.link.key], self.link, self.accumulator.steps)
            self.accumulator.add_naive(y, y_pred, last, seasonal, self.link.season)
            self.accumulator.add_steps(y, y_pred, naive_steps(inputs[self.link.key], self.link))
        if isinstance(self.accumulator, Reconstruction) and self.unchanged is not None:
            same = self.unchanged.of(inputs[self.unchanged.key])
            self.accumulator.add_unchanged(y, y_pred, same, self.unchanged.times)

    def result(self, notes: tuple[str, ...] = ()) -> OutputEvidence:
        """Return the evidence of the whole pass."""
        return OutputEvidence(
            name=self.name,
            task=self.choice.task,
            task_reason=self.choice.reason,
            scores=self.choice.scores,
            shape=self.shape,
            class_names=self.class_names,
            n=self.n,
            n_labelled=self.n_labelled,
            state={key: np.asarray(value) for key, value in self.accumulator.state().items()},
            records=self.records.result(),
            loss_name=self.loss_name,
            cross_entropy=self.exact.result(),
            single_labels=self.single.result() if self.single is not None else None,
            notes=(*self.accumulator.notes(), *self.notes, *notes),
        )


def _of(values: Any, name: str, default: Any) -> Any:
    """Return what a dict says for one output, else for all of them (""), else the default."""
    return values.get(name, values.get("", default))


def pair_labels(targets: Sequence[str], outputs: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Match labels with outputs: return the key of the targets by output name, and notes about the rest."""
    if not targets:
        return {}, ()
    if len(outputs) == 1 and len(targets) == 1:
        return {outputs[0]: targets[0]}, ()
    pairs = {name: name for name in outputs if name in targets}
    notes = []
    if "" in targets:
        notes.append(
            f"The labels are not used: the model has the outputs {', '.join(outputs)}; "
            "name one array for each under batch.y."
        )
    unknown = [name for name in targets if name and name not in outputs]
    if unknown:
        notes.append(f"Labels named {', '.join(unknown)} are not used: the model's outputs are {', '.join(outputs)}.")
    return pairs, tuple(notes)


def count_best(outputs: Iterable[OutputPass]) -> int:
    """Return how many of the best samples are kept: a few where outputs are pictures to be compared with targets."""
    return BEST_KEPT if any(output.choice.task == "reconstruction" for output in outputs) else 0


def loss_of_chunk(scores: Sequence[SampleScores], n: int) -> Array:
    """Return each sample's loss over all outputs (their sum, as Keras trains on); NaN where no output has one."""
    if not scores:
        return np.full(n, np.nan)
    losses = np.stack([np.asarray(score.loss, dtype=np.float64) for score in scores])
    unknown = np.isnan(losses).all(axis=0)
    return np.where(unknown, np.nan, np.nansum(losses, axis=0))
