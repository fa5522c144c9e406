"""Gradients of the loss on labelled samples at the saved weights, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.analysis.evidence import GradientFacts, LossFacts, Reduced
from reportgen.worker.backward import Step, make_step, pays_to_compile
from reportgen.worker.feed import Feed
from reportgen.worker.labelled import Labelled
from reportgen.worker.loops import count_loop_bytes, count_singles, count_steps, longest_of
from reportgen.worker.losses import NoLoss
from reportgen.worker.plan import Plan
from reportgen.worker.ready import Ready, make_ready, output_order, total_of
from reportgen.worker.spoken import say_error
from reportgen.worker.training_pass import LossSums, run_modes
from reportgen.worker.walk import Walk, own_trainable, own_weights
from reportgen.worker.watch import to_numpy

Array = NDArray[Any]
# Samples whose own gradient is computed one by one: compiled, and eagerly.
MOST_SINGLE, MOST_SINGLE_EAGER = 64, 8
MOST_SINGLE_WEIGHTS = 20_000_000
STEP_BYTES = 1536 * 2**20  # activations that are alive in one step, forward and backward


@dataclass(slots=True)
class Learning:
    """Everything found: gradients, losses, and why something is missing."""

    gradients: tuple[GradientFacts, ...] = ()
    losses: tuple[LossFacts, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    reduced: tuple[Reduced, ...] = ()


def look_at_learning(
    model: Any, walk: Walk, feed: Feed, held: Labelled, config: Mapping[str, Any], plan: Plan, sample_bytes: int
) -> Learning:
    """Compute gradients and losses; what cannot be computed says why and costs only itself.

    `config` is the compile configuration, `sample_bytes` the activations of one sample.
    """
    found = Learning()
    try:
        ready = make_ready(model, feed, held, config)
    except NoLoss as error:
        return Learning(missing=dict.fromkeys(("gradients", "training pass"), f"not computed: {error}"))
    longest = longest_of(array.shape[1:] for array in ready.flat)
    steps, step_bytes = count_steps(walk, longest), 2 * sample_bytes + count_loop_bytes(walk, longest)
    step_size = max(1, min(len(ready), STEP_BYTES // max(1, step_bytes)))
    usual = min(len(ready), MOST_SINGLE if pays_to_compile(model) else MOST_SINGLE_EAGER)
    singles = count_singles(usual, steps)
    try:
        found.gradients, found.missing = compute_gradients(model, walk, feed, ready, step_size, singles)
        if any(row.sample_norms for row in found.gradients) and singles < usual:
            why = f"recurrent layers take {steps:,} steps one after another for each"
            found.reduced = (Reduced("samples with a gradient of their own", f"{singles}", f"{usual}", why),)
    except Exception as error:  # an author's own layer may have no gradient at all
        found.missing["gradients"] = f"not computed: {say_error(error)}"
    try:
        sums = run_modes(model, feed, ready, held.targets, plan.seed, sample_bytes)
        found.losses, why = _describe_losses(ready, sums)
        if why:
            found.missing["training pass"] = why
    except Exception as error:  # nor must it run in training mode
        found.missing["training pass"] = f"not computed: {say_error(error)}"
    return found


def compute_gradients(
    model: Any, walk: Walk, feed: Feed, ready: Ready, step_size: int, singles: int
) -> tuple[tuple[GradientFacts, ...], dict[str, str]]:
    """Return one row a layer with trainable weights, and why there are none; `singles` samples are taken alone."""
    import keras

    owners = trainable_owners(model, walk)
    variables = [variable for _, _, found in owners for variable in found]
    if not variables:
        return (), {"gradients": "not applicable: no weight of this model is trainable"}
    names = output_order(model, ready)
    step = make_step(model, feed.pack, variables, total_of(ready.losses, names))
    if step is None:
        return (), {"gradients": f"not applicable: backend {keras.backend.backend()}"}
    size = feed.fixed_batch or step_size
    mean = _mean_gradient(step, ready, size, variables)
    single = _single_norms(step, ready, owners, min(len(ready), singles)) if (feed.fixed_batch or 1) == 1 else None
    rows, place, n = [], 0, _whole(len(ready), feed.fixed_batch)
    for index, (path, depth, found) in enumerate(owners):
        gradients = mean[place : place + len(found)]
        place += len(found)
        rows.append(_facts(path, depth, n, gradients, found, None if single is None else single[:, index]))
    return tuple(rows), {}


def trainable_owners(model: Any, walk: Walk) -> list[tuple[str, int, list[Any]]]:
    """Return (path, depth, trainable weights) of every layer that has such, shared weights once, in call order.

    Depth counts layers with weights. What belongs to no layer of the walk is the model's own.
    """
    taken: set[int] = set()
    owners, depth = [], 0
    allowed = {id(variable) for variable in model.trainable_variables}
    for call in walk.first_calls():
        if not own_weights(call.layer):
            continue
        found = [v for v in own_trainable(call.layer) if id(v) not in taken and id(v) in allowed]
        taken |= {id(variable) for variable in found}
        if found:
            owners.append((call.path, depth, found))
        depth += 1
    rest = [variable for variable in model.trainable_variables if id(variable) not in taken]
    return [*owners, (model.name, depth, rest)] if rest else owners


def _whole(n: int, fixed: int | None) -> int:
    """Return how many samples full steps of a fixed size take."""
    return n if not fixed else n - n % fixed


def _mean_gradient(step: Step, ready: Ready, size: int, variables: Sequence[Any]) -> list[Array]:
    """Return the mean gradient of every variable; zeros where the loss does not depend on it."""
    sums = [np.zeros(tuple(v.shape), np.float64 if math.prod(v.shape) < 2**20 else np.float32) for v in variables]
    n = len(ready)
    for start in range(0, n, size):
        flat, labels = ready.part(start, start + size)
        _, gradients = step(flat, labels)
        for total, gradient in zip(sums, gradients, strict=True):
            if gradient is not None:
                total += gradient * (len(flat[0]) / n)
    return sums


def _single_norms(step: Step, ready: Ready, owners: Sequence[tuple[str, int, list[Any]]], n: int) -> Array | None:
    """Return the norm of each layer's gradient for `n` single samples, (n, layers); None where that costs much."""
    if sum(math.prod(v.shape) for _, _, found in owners for v in found) > MOST_SINGLE_WEIGHTS:
        return None
    norms = np.zeros((n, len(owners)))
    # The samples are in the order of the batch, which may be sorted by class.
    for row, sample in enumerate(np.linspace(0, len(ready) - 1, n).astype(int)):
        _, gradients = step(*ready.part(sample, sample + 1))
        squares = [0.0 if g is None else float(np.square(g, dtype=np.float64).sum()) for g in gradients]
        place = 0
        for index, (_, _, found) in enumerate(owners):
            norms[row, index] = math.sqrt(sum(squares[place : place + len(found)]))
            place += len(found)
    return norms


def _facts(
    path: str, depth: int, n: int, gradients: Sequence[Array], variables: Sequence[Any], single: Array | None
) -> GradientFacts:
    """Return one layer's row; norms are over finite values, NaN and infinities are counted."""
    nan = sum(int(np.isnan(g).sum()) for g in gradients)
    inf = sum(int(np.isinf(g).sum()) for g in gradients)
    norm = math.sqrt(sum(float(np.square(g[np.isfinite(g)], dtype=np.float64).sum()) for g in gradients))
    values = [np.asarray(to_numpy(variable.value), np.float32) for variable in variables]
    weight = math.sqrt(sum(float(np.square(v[np.isfinite(v)], dtype=np.float64).sum()) for v in values))
    return GradientFacts(
        layer=path,
        depth=depth,
        samples=n,
        norm=norm,
        sample_norm=math.nan if single is None else float(np.sqrt(np.mean(np.square(single)))),
        weight_norm=weight,
        ratio=norm / weight if weight else math.nan,
        nan=nan,
        inf=inf,
        sample_norms=0 if single is None else len(single),
    )


def _describe_losses(ready: Ready, sums: LossSums) -> tuple[tuple[LossFacts, ...], str]:
    """Return the losses of every output in both modes, and why the training mode was left out."""
    rows = [
        LossFacts(
            output=loss.output,
            loss=loss.name,
            source=loss.source,
            samples=sums.samples,
            inference=sums.inference[loss.output][0],
            training=sums.training.get(loss.output, (math.nan, math.nan))[0],
            accuracy=sums.inference[loss.output][1],
            training_accuracy=sums.training.get(loss.output, (math.nan, math.nan))[1],
        )
        for loss in ready.losses
    ]
    return tuple(rows), sums.why
