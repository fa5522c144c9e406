"""The one streaming pass over the batch: predictions, metrics, records, kept samples, and the layers' statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import (
    ActivationFacts,
    InputFacts,
    KeptSamples,
    LayerFacts,
    ModelFacts,
    OutputEvidence,
    Problem,
    Reduced,
)
from reportgen.analysis.feature_facts import ImportanceFacts, SliceSearch
from reportgen.analysis.keep import KeepSet, MovedSet, compute_lots
from reportgen.analysis.sample_key import sample_keys
from reportgen.worker.activations import LayerSums
from reportgen.worker.architecture import final_activation, output_names
from reportgen.worker.batch import Chunk, Source
from reportgen.worker.budget import Budget, choose_budget, estimate_bytes
from reportgen.worker.features import FeaturePass
from reportgen.worker.feed import Feed, make_feed
from reportgen.worker.input_sums import InputSums
from reportgen.worker.labelled import Labelled, LabelledSamples, size_of
from reportgen.worker.layer_statistics import describe_reductions, make_sums, watched_layers
from reportgen.worker.moved import make_moved, result_of
from reportgen.worker.outputs import OutputPass, count_best, loss_of_chunk, pair_labels
from reportgen.worker.plan import Plan
from reportgen.worker.prepare import make_preparations
from reportgen.worker.runner import Runner
from reportgen.worker.spoken import say_error
from reportgen.worker.walk import Walk

Array = NDArray[Any]
Emit = Callable[[dict[str, Any]], None]
Value = TypeVar("Value")
# Content of samples is not sent back at all when the page may not show it.
HIDDEN = frozenset({"ids", "none"})


@dataclass(frozen=True, slots=True)
class PassResult:
    """Everything that one pass found."""

    n: int
    inputs: tuple[InputFacts, ...]
    outputs: tuple[OutputEvidence, ...]
    kept: KeptSamples | None
    moved: KeptSamples | None
    activations: tuple[ActivationFacts, ...]
    feed: Feed
    labelled: Labelled
    sample_bytes: int
    problems: tuple[Problem, ...]
    reduced: tuple[Reduced, ...]


@dataclass(slots=True)
class _Pass:
    """The running state of one pass."""

    plan: Plan
    feed: Feed
    facts: ModelFacts | None
    model: Any
    budget: Budget
    sums: dict[int, LayerSums]
    inputs: dict[str, InputSums]
    keep: KeepSet
    moved: MovedSet | None
    features: FeaturePass
    labelled: LabelledSamples
    sample_bytes: int
    ends: list[Any] = field(default_factory=list)
    outputs: dict[str, OutputPass] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    label_notes: tuple[str, ...] = ()
    chosen: Array | None = None
    n: int = 0


def run_pass(
    model: Any,
    facts: ModelFacts | None,
    walk: Walk,
    layers: Sequence[LayerFacts],
    plan: Plan,
    source: Source,
    emit: Emit,
) -> PassResult:
    """Run the whole batch through the model once.

    Raises CannotFeed when the batch does not fit; other parts become problems.
    """
    keys = list(source.shapes)
    feed = make_feed(model, keys, source.shapes, source.dtypes)
    feed = replace(feed, prepare=make_preparations(plan.batch, source.shapes, source.dtypes))
    input_bytes = size_of(source.shapes)
    sample_bytes = estimate_bytes(layers, input_bytes)
    budget = choose_budget(plan, source.n, sample_bytes, feed.fixed_batch)
    watched = watched_layers(walk) if budget.watch else {}
    state = _Pass(
        plan,
        feed,
        facts,
        model,
        budget,
        make_sums(walk, watched, budget.full),
        {slot.key: InputSums(slot.name) for slot in feed.slots},
        KeepSet(worst=plan.keep_worst, seeded=plan.keep_seeded, seed=plan.seed),
        make_moved(plan),
        FeaturePass(plan, {slot.key: slot.name for slot in feed.slots}, source.shapes, source.dtypes, layers),
        LabelledSamples(plan, layers, input_bytes, source.n),
        sample_bytes,
        walk.ends,
        chosen=_choose(budget, source.n, plan.seed),
    )
    runner = Runner(model, feed, watched, state.sums, compiled=budget.compiled)
    for chunk in source.read(budget.chunk):
        _add_chunk(state, runner, chunk)
        emit({"event": "progress", "stage": "predict", "done": state.n, "of": source.n or 0})
    return _finish(state, runner, source.notes)


def _choose(budget: Budget, n: int | None, seed: int) -> Array | None:
    """Return, ascending, the rows that statistics stand on (None: all): a seeded choice, the first if n is unknown."""
    if budget.chosen is None:
        return None
    if n is None:
        return np.arange(budget.chosen)
    lots = compute_lots(np.arange(n), seed)
    return np.sort(np.argsort(lots, kind="stable")[: budget.chosen])


def _add_chunk(state: _Pass, runner: Runner, chunk: Chunk) -> None:
    """Predict one chunk and add it to everything that is being gathered."""
    n = len(chunk)
    positions = np.arange(state.n, state.n + n)
    flat = state.feed.convert(chunk.inputs)
    rows = None if state.chosen is None else np.flatnonzero(np.isin(positions, state.chosen))
    predicted = runner.run(flat, rows)
    for key, values in chunk.inputs.items():
        if key in state.inputs:
            state.inputs[key].add(values)
    named, logits = _name_outputs(state, predicted), _name_outputs(state, runner.logits)
    if not state.n:
        _start_outputs(state, chunk, named)
    spec = state.plan.batch
    stored = {(spec.x.get(key, key) if spec else key): values for key, values in chunk.inputs.items()}
    keys = sample_keys(stored, state.plan.key_salt)
    scores = {}
    for name, output in list(state.outputs.items()):
        y = chunk.targets.get(state.labels.get(name, "\0"))
        try:
            found = output.add(keys, positions, chunk.ids, y, named[name], chunk.weights, chunk.inputs, logits[name])
            scores[name] = (output, found, y)
        except Exception as error:
            _drop(state, name, error)
    _keep(state, chunk, positions, keys, loss_of_chunk([found for _, found, _ in scores.values()], n), named)
    state.features.add(chunk, positions, keys, scores)
    state.labelled.add(chunk, positions, keys, scores, named)
    state.n += n


def _drop(state: _Pass, name: str, error: Exception) -> None:
    """Give up on one output, and say so; the others go on."""
    state.outputs.pop(name, None)
    state.problems.append(
        Problem(
            "predict",
            f"The output {name} could not be evaluated: {say_error(error)}",
            "Check its labels and its task.",
            str(error)[:2000],
        )
    )


def _name_outputs(state: _Pass, predicted: dict[str, Value] | list[Value]) -> dict[str, Value]:
    """Return predictions (or logits) by output name; dicts by their own keys, whatever the model calls its outputs."""
    if isinstance(predicted, dict):
        return predicted
    names = output_names(state.model)
    if len(names) != len(predicted):
        names = ("output",) if len(predicted) == 1 else tuple(f"output_{i + 1}" for i in range(len(predicted)))
    return dict(zip(names, predicted, strict=True))


def _start_outputs(state: _Pass, chunk: Chunk, named: Mapping[str, Array]) -> None:
    """Choose the task of each output from the first chunk."""
    state.labels, state.label_notes = pair_labels(list(chunk.targets), list(named))
    if state.label_notes:
        state.problems += [
            Problem("predict", note, "Name the labels of each output under batch.y.") for note in state.label_notes
        ]
    declared = output_names(state.model)
    for index, (name, y_pred) in enumerate(named.items()):
        place = declared.index(name) if name in declared else index
        y = chunk.targets.get(state.labels.get(name, "\0"))
        try:
            activation = final_activation(state.model, place, state.ends)
            state.outputs[name] = OutputPass(name, activation, state.facts, state.plan, y, y_pred, chunk.inputs)
        except Exception as error:
            _drop(state, name, error)
    state.keep.best = count_best(state.outputs.values())


def _keep(state: _Pass, chunk: Chunk, positions: Array, keys: Array, losses: Array, named: Mapping[str, Array]) -> None:
    """Offer the chunk's samples to the keep-set; without content where none may be shown."""
    hidden = state.plan.privacy in HIDDEN
    names = {slot.key: slot.name for slot in state.feed.slots}
    inputs = {} if hidden else {names[key]: values for key, values in chunk.inputs.items() if key in names}
    targets = {name: chunk.targets[key] for name, key in state.labels.items()}
    predictions = dict(named)
    if hidden:  # A mask or a reconstruction is content too.
        targets = {name: values for name, values in targets.items() if values.ndim <= 2}
        predictions = {name: values for name, values in predictions.items() if values.ndim <= 2}
    for kept in (state.keep, state.moved):
        if kept is not None:
            kept.offer(positions, keys, chunk.ids, losses, inputs, targets, predictions)


def _finish(state: _Pass, runner: Runner, notes: tuple[str, ...]) -> PassResult:
    """Return the results and the ledger of what was reduced."""
    found = [sums.result() for sums in state.sums.values()]
    inputs = tuple(_describe_input(state, key, sums) for key, sums in state.inputs.items())
    stated = tuple(f"Before predicting, input {fact.name} was {fact.applied}." for fact in inputs if fact.applied)
    activations = tuple(facts for facts in found if facts is not None)
    outputs, shuffled = _look_at_features(state, {n: o.result((*notes, *stated)) for n, o in state.outputs.items()})
    return PassResult(
        n=state.n,
        inputs=inputs,
        outputs=outputs,
        kept=state.keep.result() if state.n else None,
        moved=result_of(state.moved),
        activations=activations,
        feed=state.feed,
        labelled=state.labelled.result(state.outputs),
        sample_bytes=state.sample_bytes,
        problems=(*state.problems, *runner.problems),
        reduced=(*describe_reductions(state.n, activations), *shuffled),
    )


def _look_at_features(
    state: _Pass, results: Mapping[str, OutputEvidence]
) -> tuple[tuple[OutputEvidence, ...], tuple[Reduced, ...]]:
    """Add weak slices and permutation importance to the outputs; what fails here costs only itself."""
    slices: dict[str, SliceSearch] = {}
    importance: dict[str, ImportanceFacts] = {}
    reduced: tuple[Reduced, ...] = ()
    try:
        slices = state.features.slices(state.outputs)
        runner = Runner(state.model, state.feed, {}, {}, compiled=False)
        predict = partial(_predict_rows, state, runner)
        importance, reduced = state.features.importance(state.outputs, predict, state.budget.chunk)
    except Exception as error:
        said = f"Features could not be looked at: {say_error(error)}"
        state.problems.append(Problem("predict", said, "", str(error)[:2000]))
    outputs = [replace(o, slices=slices.get(n), importance=importance.get(n)) for n, o in results.items()]
    return tuple(outputs), reduced


def _predict_rows(state: _Pass, runner: Runner, inputs: dict[str, Array]) -> dict[str, Array]:
    """Return what the model says to rows of inputs, by output."""
    n, step = len(next(iter(inputs.values()))), state.budget.chunk
    parts = []
    for start in range(0, n, step):
        flat = state.feed.convert({key: values[start : start + step] for key, values in inputs.items()})
        parts.append(_name_outputs(state, runner.run(flat)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _describe_input(state: _Pass, key: str, sums: InputSums) -> InputFacts:
    """Return the facts of one input, with the names of its columns and what was done to it."""
    facts, batch = sums.result(), state.plan.batch
    names = batch.features.get(key, ()) if batch is not None else ()
    features = names if facts.shape == (len(names),) else ()
    applied = state.feed.prepare[key].words if key in state.feed.prepare else ""
    return replace(facts, features=features, applied=applied)
