"""Run a plan: every part on its own, so that what fails becomes a problem and the rest survives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from reportgen.analysis.evidence import (
    Kernels,
    LayerFacts,
    LayerMaps,
    LayerResponses,
    ModelFacts,
    Problem,
    Reduced,
    Saliency,
    WeightFacts,
    WorkerEvidence,
)
from reportgen.analysis.graph import Graph
from reportgen.errors import InputRefused
from reportgen.worker.architecture import SUBCLASSED, UNCALLED, add_ends, functional_core, read_graph, read_model
from reportgen.worker.batch import Source, open_batch
from reportgen.worker.config_graph import graph_from_config
from reportgen.worker.dot import keras_dot
from reportgen.worker.feed import CannotFeed
from reportgen.worker.follow import follow_calls
from reportgen.worker.gradients import Learning, look_at_learning
from reportgen.worker.inference import HIDDEN, Emit, PassResult, run_pass
from reportgen.worker.labelled import USUAL
from reportgen.worker.layer_facts import read_layers
from reportgen.worker.load import CannotLoad, Loaded, load_model
from reportgen.worker.loops import compiled_loops
from reportgen.worker.losses import read_compile_config
from reportgen.worker.maps import choose_layers, choose_samples, collect_maps
from reportgen.worker.plan import AUTO, Plan
from reportgen.worker.responses import collect_responses
from reportgen.worker.saliency import compute_saliency
from reportgen.worker.saved import Saved, read_saved
from reportgen.worker.sizes import fill_sizes
from reportgen.worker.spoken import say_error
from reportgen.worker.trial import look_inside
from reportgen.worker.versions import peak_memory, read_versions
from reportgen.worker.walk import Walk, walk_model
from reportgen.worker.weights import read_kernels, read_weights

FEW = 2  # samples that an unbuilt model is called on


@dataclass(slots=True)
class _Evidence:
    """What has been gathered so far."""

    emit: Emit
    model: ModelFacts | None = None
    graph: Graph | None = None
    dot: str = ""
    layers: tuple[LayerFacts, ...] = ()
    sized: tuple[LayerFacts, ...] = ()
    weights: tuple[WeightFacts, ...] = ()
    kernels: Kernels | None = None
    passed: PassResult | None = None
    maps: tuple[LayerMaps, ...] = ()
    learning: Learning = field(default_factory=Learning)
    saliency: tuple[Saliency, ...] = ()
    responses: tuple[LayerResponses, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    reduced: list[Reduced] = field(default_factory=list)
    timings: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def part(self, name: str, doing: str) -> Iterator[None]:
        """Time one part; what it raises becomes a problem instead of the end of the run."""
        self.emit({"event": "stage", "stage": name})
        started = time.perf_counter()
        try:
            yield
        except (CannotLoad, CannotFeed) as error:
            self.problems.append(error.problem)
        except InputRefused as error:
            # What a reader refuses in the middle of a file is the batch's fault, not the prediction's.
            part = "batch" if name == "predict" else name
            self.problems.append(Problem(part, error.message, "", error.detail))
        except Exception as error:
            self.problems.append(Problem(name, f"{doing} failed: {say_error(error)}", "", str(error)[:2000]))
        finally:
            self.timings.append((name, time.perf_counter() - started))


def run(plan: Plan, emit: Emit, before: Sequence[tuple[str, float]] = ()) -> WorkerEvidence:
    """Load the model, look at it, run the batch. Never raises for a bad input: `problems` says what is missing and why.

    `emit` receives progress events (dicts of JSON types); `before` are timings of what happened before.
    """
    found = _Evidence(emit, timings=list(before))
    saved: Saved | None = None
    loaded = Loaded(None)
    with found.part("load", "Loading the model"):
        with suppress(Exception):  # Keras's own message about a broken file follows from load_model.
            saved = read_saved(plan.model)
        loaded = load_model(plan.model, saved, (lambda: _first_samples(plan)) if plan.batch is not None else None)
    model = loaded.model
    if (model is None or loaded.closed) and saved is not None:
        with found.part("graph", "Reading the graph from the configuration"):
            found.graph = graph_from_config(saved.config)
    if model is not None:
        with compiled_loops(model):
            _look_at_model(found, plan, loaded, saved, lambda: _open_batch(plan, model))
    return _assemble(found)


def _open_batch(plan: Plan, model: Any) -> Source | None:
    """Open the batch, telling its reader what shapes the model takes (0: open)."""
    if plan.batch is None:
        return None
    core = functional_core(model)
    shapes = {tensor.name: tuple(size or 0 for size in tensor.shape[1:]) for tensor in core.inputs} if core else {}
    return open_batch(replace(plan.batch, shapes=shapes))


def _first_samples(plan: Plan) -> dict[str, Any]:
    """Return the first samples of the batch, by input name."""
    source = open_batch(plan.batch) if plan.batch is not None else None
    chunk = next(iter(source.read(FEW)), None) if source is not None else None
    if chunk is None:
        raise CannotLoad(Problem("load", "The model is not built yet, and there is no sample to call it on."))
    return chunk.inputs


def run_in_process(plan: Plan, model: Any, source: Source | None, emit: Emit = lambda event: None) -> WorkerEvidence:
    """Do the same for a live model and an opened source, in this process: for the Python API and the callback."""
    found = _Evidence(emit)
    with compiled_loops(model):
        _look_at_model(found, plan, Loaded(model), None, lambda: source)
    return _assemble(found)


def _look_at_model(
    found: _Evidence,
    plan: Plan,
    loaded: Loaded,
    saved: Saved | None,
    batch: Callable[[], Source | None],
) -> None:
    """Gather everything that a loaded model can tell."""
    model, walk = loaded.model, Walk(connected=False)
    source: Source | None = None
    with found.part("batch", "Opening the batch"):
        source = batch()
    with found.part("architecture", "Reading the layers"):
        walk = walk_model(model)
        if source is not None and not loaded.closed:
            look_inside(walk, model, source)
        found.model = add_ends(read_model(model, saved, loaded.notes), walk)
        if loaded.closed:  # one layer around everything: nothing to look into
            total, trainable = loaded.parameters
            kind = type(model.layers[-1]).__name__
            found.model = replace(found.model, parameters=total, trainable_parameters=trainable, kind=kind)
            plan = replace(plan, statistics="off")
        else:
            found.layers = read_layers(walk)
    if not loaded.closed:
        with found.part("weights", "Reading the weights"):
            found.weights = read_weights(walk)
            found.kernels = read_kernels(walk)
    with found.part("graph", "Reading the graph"):
        _read_graph(found, loaded, walk, source)
    if source is None:
        return
    with found.part("predict", "Predicting"):
        found.sized = fill_sizes(found.layers, walk, model, source)
        found.passed = run_pass(model, found.model, walk, found.sized, plan, source, found.emit)
    if found.passed is not None and not loaded.closed:
        with found.part("gradients", "Computing gradients"):
            _look_at_learning(found, plan, model, walk, saved)
    if found.passed is not None and plan.privacy in HIDDEN:
        found.learning.missing["saliency"] = f"left out, as it would show what is in the samples ({plan.privacy})"
    elif found.passed is not None and not loaded.closed:
        with found.part("maps", "Collecting activation maps"):
            _collect_maps(found, plan, model, walk, found.passed)
        _explain(found, plan, model, walk, found.passed)


def _look_at_learning(found: _Evidence, plan: Plan, model: Any, walk: Walk, saved: Saved | None) -> None:
    """Compute gradients and losses on the held labelled samples, unless the plan wants none."""
    passed = found.passed
    if passed is None or not plan.gradients:
        missing = dict.fromkeys(("gradients", "training pass"), "not asked for (layers: {gradients: none})")
        found.learning = Learning(missing=missing)
        return
    if passed.labelled.why_fewer and not passed.labelled.labels:
        why = f"not computed: {passed.labelled.why_fewer} (layers: {{gradients: N}} asks for it)"
        found.learning = Learning(missing=dict.fromkeys(("gradients", "training pass"), why))
        return
    config = read_compile_config(model, saved)
    found.learning = look_at_learning(model, walk, passed.feed, passed.labelled, config, plan, passed.sample_bytes)
    found.reduced += found.learning.reduced
    if passed.labelled.why_fewer and found.learning.gradients:
        n = found.learning.gradients[0].samples
        found.reduced.append(Reduced("gradients", f"{n} labelled samples", f"{USUAL}", passed.labelled.why_fewer))


def _read_graph(found: _Evidence, loaded: Loaded, walk: Walk, source: Source | None) -> None:
    """Read the graph, unless the configuration has already given it, or say why there is none."""
    if loaded.closed:
        found.problems.append(Problem("layers", loaded.closed))
    if found.graph is not None:
        return
    found.graph = read_graph(walk)
    if found.graph is None:
        found.graph = follow_calls(walk, loaded.model, source) if source is not None else None
        if found.graph is None:
            found.problems.append(Problem("graph", SUBCLASSED if source is not None else UNCALLED))
        return
    try:
        found.dot = keras_dot(loaded.model, walk)
    except ImportError:  # in somebody's training environment
        why = "it needs pydot, which the environment that the model ran in does not have"
        found.reduced.append(Reduced("full graph (Keras plot_model)", "none", "one", why))


def _collect_maps(found: _Evidence, plan: Plan, model: Any, walk: Walk, passed: PassResult) -> None:
    """Collect the maps of the chosen layers on the shown samples."""
    calls, missing = choose_layers(walk, plan)
    if missing:
        found.problems.append(
            Problem(
                "maps",
                f"No layer is called {', '.join(missing)}.",
                "Check the names under layers in the configuration.",
            )
        )
    if passed.kept is None or not calls:
        return
    found.responses, reduced = collect_responses(
        model, walk, found.sized, passed.feed, passed.kept, passed.sample_bytes
    )
    found.reduced += reduced
    rows = choose_samples(passed.kept, plan.map_samples)
    if len(rows):
        layers = {id(call.layer): call for call in calls}
        found.maps, reduced = collect_maps(model, passed.feed, layers, passed.kept, rows)
        found.reduced += reduced


def _explain(found: _Evidence, plan: Plan, model: Any, walk: Walk, passed: PassResult) -> None:
    """Compute the saliency of the shown samples; what cannot be computed says why."""
    missing = found.learning.missing
    if not plan.saliency:
        missing["saliency"] = "not asked for (layers: {saliency: none})"
    if not plan.saliency or passed.kept is None:
        return
    rows = choose_samples(passed.kept, plan.map_samples if plan.saliency == AUTO else plan.saliency)
    started = time.perf_counter()
    found.emit({"event": "stage", "stage": "saliency"})
    try:
        found.saliency, why, reduced = compute_saliency(
            model, walk, found.sized, passed.feed, passed.kept, rows, passed.outputs, plan.saliency,
            passed.sample_bytes, plan.seed, passed.n,
        )  # fmt: skip
        found.reduced += reduced
    except Exception as error:  # an author's own layer may have no gradient at all
        why = f"not computed: {say_error(error)}"
    if why:
        missing["saliency"] = why
    found.timings.append(("saliency", time.perf_counter() - started))


def _assemble(found: _Evidence) -> WorkerEvidence:
    """Return the evidence of what was gathered."""
    passed = found.passed
    return WorkerEvidence(
        model=found.model,
        graph=found.graph,
        dot=found.dot,
        layers=found.layers,
        weights=found.weights,
        activations=passed.activations if passed else (),
        inputs=passed.inputs if passed else (),
        outputs=passed.outputs if passed else (),
        kept=passed.kept if passed else None,
        moved=passed.moved if passed else None,
        maps=found.maps,
        kernels=found.kernels,
        gradients=found.learning.gradients,
        losses=found.learning.losses,
        saliency=found.saliency,
        responses=found.responses,
        not_computed=found.learning.missing,
        n_samples=passed.n if passed else 0,
        versions=read_versions(),
        problems=(*found.problems, *(passed.problems if passed else ())),
        reduced=(*(passed.reduced if passed else ()), *found.reduced),
        timings=tuple((name, round(seconds, 4)) for name, seconds in found.timings),
        peak_memory_bytes=peak_memory(),
    )
