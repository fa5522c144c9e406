"""Beside the pass: errors by feature (weak slices) and what shuffling a feature costs (permutation importance)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import LayerFacts, Reduced
from reportgen.analysis.feature_facts import ImportanceFacts, SliceSearch
from reportgen.analysis.feature_rows import FeatureRows, plan_columns
from reportgen.analysis.importance import permute_features, plan_budget
from reportgen.analysis.keep import KeepSet
from reportgen.analysis.metrics import score_samples
from reportgen.analysis.metrics.value import SampleScores
from reportgen.analysis.slices import find_slices
from reportgen.worker.batch import Chunk
from reportgen.worker.outputs import OutputPass
from reportgen.worker.plan import Plan

Array = NDArray[Any]
Predict = Callable[[dict[str, Array]], Mapping[str, Array]]

HIDDEN = frozenset({"ids", "none"})
# Rows of features are small; where an input is not, no samples are held for shuffling.
MOST_SAMPLE_BYTES = 65_536
HELD = 256
MEASURES = {
    "binary": "share wrong",
    "multiclass": "share wrong",
    "sequence": "share of steps wrong",
    "regression": "mean absolute error",
    "timeseries": "mean absolute error",
    "segmentation": "1 - Dice",
    "reconstruction": "mean squared error",
    "multilabel": "mean loss",
}


class FeaturePass:
    """What is gathered of each sample's features while the batch runs through the model.

    Does nothing when no input is a row of features, a text or tokens.
    """

    def __init__(
        self,
        plan: Plan,
        used: Mapping[str, str],
        shapes: Mapping[str, tuple[int, ...]],
        dtypes: Mapping[str, str],
        layers: Sequence[LayerFacts] = (),
        *,
        tokens: bool = False,
        model: bool = True,
    ) -> None:
        """Plan for the inputs `used`, names by key; without a `model` nothing is held for shuffling."""
        given = plan.batch.features if plan.batch else {}
        names = {key: given.get(key) or given.get(title) or given.get("", ()) for key, title in used.items()}
        tokens = tokens or any(layer.type == "Embedding" for layer in layers)
        self.columns = plan_columns({key: shapes[key] for key in used}, dtypes, names, used, tokens)
        self.seed = plan.seed
        self.macs = sum(layer.macs or 0 for layer in layers)
        self.rows = FeatureRows(self.columns, plan.seed, plan.privacy not in HIDDEN)
        small = all(4 * math.prod(shape) <= MOST_SAMPLE_BYTES for shape in shapes.values())
        self.shuffled = tuple(column for column in self.columns if column.kind == "numbers")
        held = model and small and bool(self.shuffled)
        self._held = KeepSet(worst=0, seeded=HELD, seed=plan.seed + 1) if held else None
        self._outputs: tuple[str, ...] = ()

    def add(
        self,
        chunk: Chunk,
        positions: Array,
        keys: Array,
        scores: Mapping[str, tuple[OutputPass, SampleScores, Array | None]],
    ) -> None:
        """Add one chunk with the scores and labels of each output by name."""
        if not self.columns:
            return
        if not self._outputs:
            self._outputs = tuple(name for name, (output, _, _) in scores.items() if output.choice.task in MEASURES)
        if not self._outputs:
            return
        unknown = np.full(len(chunk), np.nan)
        errors = [
            _errors(scores[name][0].choice.task, scores[name][1]) if name in scores else unknown
            for name in self._outputs
        ]
        self.rows.add(positions, chunk.inputs, np.stack(errors, axis=1))
        targets = {name: y for name, (_, _, y) in scores.items() if y is not None and name in self._outputs}
        if self._held is not None and targets:
            self._held.offer(positions, keys, (), unknown, chunk.inputs, targets, {})

    def slices(self, outputs: Mapping[str, OutputPass]) -> dict[str, SliceSearch]:
        """Return the search for weak slices of each output that has labels."""
        held = self.rows.result() if self._outputs else None
        if held is None:
            return {}
        _, numbers, texts, errors = held
        found = {}
        for index, name in enumerate(self._outputs):
            # Windows of a series have no features: position 3 is another moment in every window.
            if name not in outputs or outputs[name].choice.task == "timeseries":
                continue
            search = find_slices(
                errors[:, index],
                numbers,
                self.rows.names,
                texts,
                self.rows.text_names,
                lengths=self.rows.lengths,
                measure=MEASURES[outputs[name].choice.task],
                rule=self.rows.rule(),
            )
            if search is not None:
                found[name] = search
        return found

    def importance(
        self, outputs: Mapping[str, OutputPass], predict: Predict, step: int
    ) -> tuple[dict[str, ImportanceFacts], tuple[Reduced, ...]]:
        """Shuffle every feature on a bounded choice of samples; return importances by output, and the ledger."""
        held = self._held.result() if self._held is not None else None
        names = [name for name in self._outputs if name in outputs and outputs[name].choice.task != "timeseries"]
        if held is None or not names or not len(held.positions):
            return {}, ()
        names = [name for name in names if name in held.targets]
        features = sum(len(column.names) for column in self.shuffled)
        budget = plan_budget(features, len(held.positions), self.macs, step)
        n = self.rows.n
        what = "permutation importance"
        if not names or features < 2:
            return {}, ()
        if not budget.samples:
            return {}, (Reduced(what, "left out", f"{features:,} features", budget.why),)
        # Held samples are in batch order: spread the choice over all of it.
        chosen = np.linspace(0, len(held.positions) - 1, budget.samples).astype(np.int64)
        inputs = {key: values[chosen] for key, values in held.inputs.items()}

        def losses(rows: dict[str, Array], origin: Array) -> Array:
            """Return the loss of every row for each output."""
            said = predict(rows)
            columns = [_losses(outputs[name], held.targets[name][chosen[origin]], said[name]) for name in names]
            return np.stack(columns, axis=1)

        facts, predictions = permute_features(inputs, self.shuffled, losses, budget.repeats, self.seed)
        kept = f"{budget.samples:,} samples, {budget.repeats} shuffles a feature: {predictions:,} predictions"
        row = Reduced(what, kept, f"{n:,} samples", "every shuffle of a feature costs a pass over the samples")
        return dict(zip(names, facts, strict=True)), (row,)


def _errors(task: str, scores: SampleScores) -> Array:
    """Return the error of each sample that slices are compared by; NaN where unknown."""
    if task in ("binary", "multiclass"):
        known = np.isfinite(scores.truth) & np.isfinite(scores.prediction)
        return np.where(known, (scores.truth != scores.prediction).astype(np.float64), np.nan)
    return np.asarray(1 - scores.prediction if task == "sequence" else scores.loss, np.float64)


def _losses(output: OutputPass, y: Array, y_pred: Array) -> Array:
    """Return the loss of each row."""
    scores = score_samples(output.choice.task, y, y_pred, output.choice.scores)
    return np.asarray(scores.loss, np.float64)
