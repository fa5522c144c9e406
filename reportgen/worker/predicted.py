"""Predictions that were made elsewhere, judged as a model's would be: same accumulators, no Keras."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import ModelFacts, Problem, WorkerEvidence
from reportgen.analysis.keep import KeepSet
from reportgen.analysis.sample_key import sample_keys
from reportgen.errors import InputRefused
from reportgen.worker.batch import Chunk, Source, open_batch
from reportgen.worker.features import FeaturePass
from reportgen.worker.input_sums import InputSums
from reportgen.worker.moved import make_moved, result_of
from reportgen.worker.outputs import OutputPass, count_best, loss_of_chunk, pair_labels
from reportgen.worker.plan import Plan, PredictionsSpec
from reportgen.worker.versions import peak_memory, read_versions

Array = NDArray[Any]
Emit = Callable[[dict[str, Any]], None]
CHUNK_BYTES = 64 * 2**20
LARGEST_CHUNK = 65_536
HIDDEN = frozenset({"ids", "none"})
MOST_CLASSES = 10_000
VOTES = "The predictions are class numbers, not scores: there is no confidence, and no metric that needs one."


class Judge:
    """One pass over predictions; `outputs` is filled from the first chunk."""

    def __init__(self, plan: Plan, spec: PredictionsSpec, source: Source, classes: Mapping[str, int]) -> None:
        self.plan, self.spec, self.classes = plan, spec, classes
        named = {key: name for name, key in spec.inputs.items()}
        # Without a model, rows of whole numbers are shown as tokens, unless their columns have names.
        tokens = plan.batch is not None and not plan.batch.features
        self.features = FeaturePass(plan, named, source.shapes, source.dtypes, tokens=tokens, model=False)
        self.outputs: dict[str, OutputPass] = {}
        self.labels: dict[str, str] = {}
        self.inputs = {name: InputSums(name) for name in spec.inputs}
        self.keep = KeepSet(worst=plan.keep_worst, seeded=plan.keep_seeded, seed=plan.seed)
        self.moved = make_moved(plan)
        self.problems: list[Problem] = []
        self.n = 0

    def add(self, chunk: Chunk) -> None:
        """Add one chunk."""
        n = len(chunk)
        positions = np.arange(self.n, self.n + n)
        predicted = {name: self._scores(key, name, chunk) for key, name in self.names().items()}
        shown = {name: chunk.inputs[key] for name, key in self.spec.inputs.items()}
        for name, values in shown.items():
            self.inputs[name].add(values)
        if not self.n:
            self._start(chunk, shown, predicted)
        keys = self._keys(shown, chunk, positions)
        scores = {}
        for name, output in self.outputs.items():
            y = chunk.targets.get(self.labels.get(name, "\0"))
            found = output.add(keys, positions, chunk.ids, y, predicted[name], chunk.weights, shown)
            scores[name] = (output, found, y)
        losses = loss_of_chunk([found for _, found, _ in scores.values()], n)
        self._keep(chunk, positions, keys, losses, shown, predicted)
        self.features.add(chunk, positions, keys, scores)
        self.n += n

    def names(self) -> dict[str, str]:
        """Return the name that the report uses for each output, by its key."""
        return {key: key or "predictions" for key in self.spec.y_pred}

    def _scores(self, key: str, name: str, chunk: Chunk) -> Array:
        """Return one output's predictions; class numbers as one vote a sample (1 against -1)."""
        values = chunk.inputs[f"y_pred {key}"]
        if name not in self.classes:
            return values
        votes = np.full((len(values), self.classes[name]), -1.0, dtype=np.float32)
        votes[np.arange(len(values)), values.reshape(-1).astype(np.int64)] = 1.0
        return votes

    def _start(self, chunk: Chunk, shown: Mapping[str, Array], predicted: Mapping[str, Array]) -> None:
        """Choose the task of each output."""
        self.labels, notes = pair_labels(list(chunk.targets), list(predicted))
        self.problems += [Problem("predict", note, "Name the labels under predictions.y_true.") for note in notes]
        facts = _facts(self.spec) if self.spec.logits else None
        for name, y_pred in predicted.items():
            y = chunk.targets.get(self.labels.get(name, "\0"))
            self.outputs[name] = OutputPass(name, "", facts, self.plan, y, y_pred, shown)
        self.keep.best = count_best(self.outputs.values())

    def _keys(self, shown: Mapping[str, Array], chunk: Chunk, positions: Array) -> Array:
        """Name the samples by their inputs; without any by their ids, without those by their rows."""
        if shown:
            batch = self.plan.batch
            stored = {(batch.x[self.spec.inputs[name]] if batch else name): values for name, values in shown.items()}
            return sample_keys(stored, self.plan.key_salt)
        named = {"id": np.array(chunk.ids, dtype=str)} if chunk.ids else {"row": positions}
        return sample_keys(named, self.plan.key_salt)

    def _keep(
        self,
        chunk: Chunk,
        positions: Array,
        keys: Array,
        losses: Array,
        shown: Mapping[str, Array],
        predicted: Mapping[str, Array],
    ) -> None:
        """Offer the chunk's samples to the keep-set; without content where none may be shown."""
        hidden = self.plan.privacy in HIDDEN
        targets = {name: chunk.targets[key] for name, key in self.labels.items()}
        predictions = dict(predicted)
        if hidden:
            targets = {name: values for name, values in targets.items() if values.ndim <= 2}
            predictions = {name: values for name, values in predictions.items() if values.ndim <= 2}
        inputs = {} if hidden else dict(shown)
        for kept in (self.keep, self.moved):
            if kept is not None:
                kept.offer(positions, keys, chunk.ids, losses, inputs, targets, predictions)


def judge_predictions(plan: Plan, emit: Emit) -> WorkerEvidence:
    """Read the predictions that the plan names and judge them; a file that cannot be read becomes a problem."""
    started = time.perf_counter()
    spec, batch = plan.predictions, plan.batch
    judge: Judge | None = None
    problems: list[Problem] = []
    emit({"event": "stage", "stage": "predict"})
    try:
        if spec is None or batch is None:
            raise InputRefused("no predictions are named")
        source = open_batch(batch)
        judge = Judge(plan, spec, source, count_classes(source, plan, spec))
        for chunk in source.read(_chunk_size(source)):
            judge.add(chunk)
            emit({"event": "progress", "stage": "predict", "done": judge.n, "of": source.n or 0})
    except InputRefused as error:
        problems.append(Problem("batch", error.message, "", error.detail))
    except (ValueError, TypeError, IndexError) as error:
        said = (str(error).splitlines() or [""])[0][:200]
        text = f"The predictions could not be evaluated: {said}"
        problems.append(Problem("predict", text, "Check y_true, y_pred and the task.", str(error)[:2000]))
    return _evidence(judge, problems, time.perf_counter() - started)


def count_classes(source: Source, plan: Plan, spec: PredictionsSpec) -> dict[str, int]:
    """Return the number of classes of each output whose predictions are class numbers; looks at all of them once.

    Whole numbers are class numbers where the task says so, or where it is open and the labels are whole numbers too,
    both below 10,000.
    """
    wanted = {key: plan.tasks.get(key, plan.tasks.get("", "auto")) for key in spec.y_pred}
    open_ = {
        key
        for key, task in wanted.items()
        if task in ("auto", "binary", "multiclass")
        and source.dtypes[f"y_pred {key}"].startswith(("int", "uint"))
        and source.shapes[f"y_pred {key}"] in ((), (1,))
    }
    highest = dict.fromkeys(open_, -1)
    for chunk in source.read(LARGEST_CHUNK) if open_ else ():
        for key in list(open_):
            y = chunk.targets.get(key, next(iter(chunk.targets.values()), None) if len(chunk.targets) == 1 else None)
            both = [chunk.inputs[f"y_pred {key}"], *([y] if y is not None and y.size == len(chunk) else [])]
            whole = y is not None and all(np.all(np.mod(values, 1) == 0) for values in both)
            low, high = (min(float(v.min()) for v in both), max(float(v.max()) for v in both)) if whole else (-1, 0)
            if not whole or low < 0 or high >= MOST_CLASSES:
                open_.discard(key)
            highest[key] = max(highest[key], int(high))
    classes = plan.batch.classes if plan.batch else {}
    given = {key: len(classes.get(key, classes.get("", ()))) for key in open_}
    return {key or "predictions": max(2, highest[key] + 1, given[key]) for key in open_}


def _chunk_size(source: Source) -> int:
    """Return how many samples are read at once."""
    row = sum(8 * int(np.prod(shape, dtype=np.int64)) for shape in source.shapes.values())
    return max(1, min(LARGEST_CHUNK, CHUNK_BYTES // max(1, row)))


def _facts(spec: PredictionsSpec) -> ModelFacts:
    """Return what the configuration says about the scores, in the form a saved model says it."""
    logits = dict.fromkeys((key or "predictions" for key in spec.y_pred), True)
    nothing: dict[str, Any] = {"optimizer_settings": {}, "loss": {}, "metrics": {}, "from_logits": logits}
    texts = ("name", "class_name", "kind", "optimizer", "keras_version", "backend", "backend_version")
    nothing |= dict.fromkeys((*texts, "saved_with", "saved_on"), "")
    nothing |= dict.fromkeys(("input_names", "output_names", "input_shapes", "output_shapes"), ())
    return ModelFacts(parameters=0, trainable_parameters=0, compiled=False, **nothing)


def _evidence(judge: Judge | None, problems: list[Problem], seconds: float) -> WorkerEvidence:
    """Return what was found, in the form of a model's evidence without a model."""
    results = () if judge is None or problems else tuple(output.result() for output in judge.outputs.values())
    if judge is not None and results:
        slices = judge.features.slices(judge.outputs)
        results = tuple(replace(r, slices=slices.get(r.name)) for r in results)
    if judge is not None and judge.spec.logits:
        said, says = "the loss says from_logits", "the configuration says so"
        results = tuple(replace(r, task_reason=r.task_reason.replace(said, says)) for r in results)
    if judge is not None and judge.classes:
        results = tuple(replace(r, notes=(*r.notes, VOTES)) if r.name in judge.classes else r for r in results)
    features = judge.plan.batch.features if judge is not None and judge.plan.batch else {}
    inputs = (
        ()
        if judge is None or not results
        else tuple(
            replace(sums.result(), features=features.get(judge.spec.inputs[name], ()))
            for name, sums in judge.inputs.items()
        )
    )
    return WorkerEvidence(
        model=None,
        graph=None,
        dot="",
        layers=(),
        weights=(),
        activations=(),
        inputs=inputs,
        outputs=results,
        kept=judge.keep.result() if judge is not None and judge.n and results else None,
        moved=result_of(judge.moved) if judge is not None and results else None,
        maps=(),
        kernels=None,
        n_samples=judge.n if judge is not None else 0,
        versions=read_versions(),
        problems=(*problems, *(judge.problems if judge else ())),
        timings=(("judge the predictions", round(seconds, 4)),),
        peak_memory_bytes=peak_memory(),
    )
