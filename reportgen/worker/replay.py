"""Call own code again with its inner layers answering at once, to see what depends on which of their answers.

The answers are numbers of no meaning in the right shapes, so that no layer computes and no value is special: a zero
would hide what it is multiplied with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.worker.trial import tensors_in
from reportgen.worker.watch import calls_replaced, to_numpy

Array = NDArray[Any]
Origin = tuple[str, int, int]  # ("given", which input, 0), ("call", which call, which output) or ("made", which, 0)
MOST_KEPT = 100_000_000  # bytes of values that are compared to tell a running sum


class Unclear(Exception):
    """What depends on what cannot be told: the code chooses by value, at random, or does not take such numbers."""


@dataclass(slots=True)
class Step:
    """One call of a model or layer: what it was given and gave, and the calls inside it."""

    layer: Any
    path: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    output: Any = None
    inside: list[Step] = field(default_factory=list)

    def inputs(self) -> list[Any]:
        """Return the tensors that it was given."""
        return given_tensors(self.args, self.kwargs)


@dataclass(slots=True)
class Flow:
    """Where every tensor that an inner call is given, and every output, comes from.

    `made` lists, for each tensor that own code made, what it was made of, and its shape.
    """

    given: list[list[Origin]]
    ends: list[Origin]
    made: list[tuple[list[Origin], tuple[int, ...]]] = field(default_factory=list)


@dataclass(slots=True)
class _Seen:
    """One call again: what its inner calls were given, and its outputs, all tensors."""

    given: list[list[Any]]
    ends: list[Any]

    def tensors(self) -> Iterator[Any]:
        """Yield every tensor in a fixed order."""
        for tensors in (*self.given, self.ends):
            yield from tensors


def given_tensors(args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    """Return the tensors among arguments; masks travel beside the data and are left out, as in Keras's own graphs."""
    return tensors_in([list(args), [value for name, value in kwargs.items() if "mask" not in name]])


def find_flow(step: Step, spend: Callable[[int], None]) -> Flow:
    """Return the flow inside one call.

    `spend` is told how many inner calls will be answered, before they are, and may raise Unclear. Raises Unclear.
    """
    try:
        return _find_flow(step, spend)
    except Unclear:
        raise
    except Exception as error:  # own code may do anything with numbers that it did not expect
        raise Unclear(str(error)) from error


def _find_flow(step: Step, spend: Callable[[int], None]) -> Flow:
    """Answer all inner calls with one set of numbers, then with another in the place of each in turn."""
    trial = _Trial(step, np.random.default_rng(0))
    spend(len(step.inside))
    first = trial.call()
    origins, made = _name_origins(trial, first)
    flow = Flow([[origins[id(t)] for t in tensors] for tensors in first.given], [origins[id(t)] for t in first.ends])
    if made:
        spend((len(trial.sources) + len(made) + 1) * len(step.inside))
        shapes = [tuple(int(size) for size in tensor.shape) for tensor in made.values()]
        flow.made = list(zip(_trace(trial, list(made), list(made.values())), shapes, strict=True))
    return flow


class _Trial:
    """One call that can be made again, with the numbers that its inputs and its inner calls have in it."""

    def __init__(self, step: Step, rng: np.random.Generator) -> None:
        self.step = step
        self.rng = rng
        self.inputs = _map((list(step.args), step.kwargs), lambda tensor: _plain(tensor, rng))
        self.answers = [_map(one.output, lambda tensor: _plain(tensor, rng)) for one in step.inside]
        self.given = given_tensors(*self.inputs)
        self.sources: list[Origin] = [("given", i, 0) for i in range(len(self.given))]
        self.sources += [("call", k, 0) for k in range(len(self.answers))]

    def call_with(self, source: Origin) -> _Seen:
        """Call with other numbers in one place. Raises Unclear when other layers are called then."""
        return self.call({id(tensor): _other(tensor, self.rng) for tensor in self.tensors(source)})

    def tensors(self, source: Origin) -> list[Any]:
        """Return the tensors of one source: an input, or all outputs of a call."""
        return [self.given[source[1]]] if source[0] == "given" else tensors_in(self.answers[source[1]])

    def call(self, others: Mapping[int, Any] = MappingProxyType({})) -> _Seen:
        """Call with others in place of some tensors, by their ids. Raises Unclear when other layers are called then."""
        inputs, answers = _map((self.inputs, self.answers), lambda tensor: others.get(id(tensor), tensor))
        given: list[list[Any]] = []

        def stand_in(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
            """Return what answers in the place of a layer's call."""

            def called(*args: Any, **kwargs: Any) -> Any:
                """Note what is given; answer at once."""
                number = len(given)
                if number >= len(answers) or self.step.inside[number].layer is not layer:
                    raise Unclear("other layers are called for other numbers")
                given.append(given_tensors(args, kwargs))
                return answers[number]

            return called

        layers = {id(one.layer): one.layer for one in self.step.inside}
        with calls_replaced((layer, partial(stand_in, layer)) for layer in layers.values()):
            ends = tensors_in(self.step.layer(*inputs[0], **inputs[1]))
        if len(given) != len(answers):
            raise Unclear("fewer layers are called for other numbers")
        return _Seen(given, ends)


def _name_origins(trial: _Trial, first: _Seen) -> tuple[dict[int, Origin], dict[int, Any]]:
    """Return where each tensor comes from, by id, and the tensors that own code made, by their place in the call."""
    origins: dict[int, Origin] = {}
    for i, tensor in enumerate(trial.given):
        origins.setdefault(id(tensor), ("given", i, 0))
    for k, answer in enumerate(trial.answers):
        for i, tensor in enumerate(tensors_in(answer)):
            origins.setdefault(id(tensor), ("call", k, i))
    made: dict[int, Any] = {}
    for place, tensor in enumerate(first.tensors()):
        if id(tensor) not in origins:
            origins[id(tensor)] = ("made", len(made), 0)
            made[place] = tensor
    return origins, made


def _trace(trial: _Trial, places: list[int], made: list[Any]) -> list[list[Origin]]:
    """Return what each tensor that own code made depends on."""
    before = [to_numpy(tensor) for tensor in made]
    if _changed(trial.call(), places, before):
        raise Unclear("the code does not do the same twice")
    moved = {source: _changed(trial.call_with(source), places, before) for source in trial.sources}
    found: list[list[Origin]] = [[source for source in trial.sources if g in moved[source]] for g in range(len(made))]
    kept = sum(values.nbytes for changed in moved.values() for values in changed.values())
    if kept > MOST_KEPT:
        return found
    through: dict[int, set[int]] = {}

    def takes_in(g: int, h: int) -> bool:
        """Tell whether a tensor was made of another that own code made, not of what that was made of."""
        if len(found[h]) < 2 or not set(found[h]) <= set(found[g]):
            return False
        if _goes_on(g, h, found[h], before, moved):
            return True
        if h not in through:
            through[h] = _balanced(trial, h, found[h], places, before)
        return g in through[h]

    def shorten(g: int) -> list[Origin]:
        """Return what a tensor was made of, the last of the tensors that it takes in standing for its parts."""
        nearest = sorted(range(g), key=lambda h: (-len(found[h]), -h))
        h = next((h for h in nearest if takes_in(g, h)), None)
        return found[g] if h is None else [("made", h, 0), *(one for one in found[g] if one not in found[h])]

    return [shorten(g) for g in range(len(made))]


def _balanced(trial: _Trial, h: int, sources: list[Origin], places: list[int], before: list[Array]) -> set[int]:
    """Return the tensors that stay as they are when a sum's parts change and the sum does not: they take the sum in.

    Nothing when it is not a sum.
    """
    shape = before[h].shape
    parts = [t for s in sources for t in trial.tensors(s)[:1] if tuple(t.shape) == shape and "float" in str(t.dtype)]
    if len(parts) < 2 or before[h].dtype.kind != "f":
        return set()
    changes = [trial.rng.uniform(-0.1, 0.1, shape) for _ in parts[1:]]
    changes.append(-np.sum(changes, axis=0))
    others = {id(part): _like(to_numpy(part) + change, part) for part, change in zip(parts, changes, strict=True)}
    after = [to_numpy(tensor) for tensor in trial.call(others).tensors()]
    same = {
        g
        for g, place in enumerate(places)
        if after[place].shape == before[g].shape and np.allclose(after[place], before[g], rtol=1e-3, atol=1e-3)
    }
    return same if h in same else set()


def _changed(seen: _Seen, places: list[int], before: list[Array]) -> dict[int, Array]:
    """Return the values that are not what they were, by the number of their tensor."""
    tensors = list(seen.tensors())
    found = {}
    for number, place in enumerate(places):
        values = to_numpy(tensors[place])
        if values.shape != before[number].shape or not np.array_equal(values, before[number], values.dtype.kind == "f"):
            found[number] = values
    return found


def _goes_on(g: int, h: int, sources: list[Origin], before: list[Array], moved: dict[Origin, dict[int, Array]]) -> bool:
    """Tell whether a tensor is an earlier one and something added to it: it moves by as much whatever moves that."""
    if before[g].shape != before[h].shape or before[g].dtype.kind != "f":
        return False
    changes = ((moved[source][g] - before[g], moved[source][h] - before[h]) for source in sources)
    return all(one.shape == other.shape and np.allclose(one, other, rtol=1e-2, atol=1e-2) for one, other in changes)


def _map(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a nested structure with each tensor changed."""
    if isinstance(value, dict):
        return {key: _map(part, change) for key, part in value.items()}
    if isinstance(value, list | tuple):
        parts = [_map(part, change) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return change(value) if hasattr(value, "shape") and hasattr(value, "dtype") else value


def _plain(tensor: Any, rng: np.random.Generator) -> Any:
    """Return other numbers between 0.5 and 1.5 in place of floats; whole numbers, truth values and text stay."""
    return _random(tensor, rng) if "float" in str(tensor.dtype) else tensor


def _other(tensor: Any, rng: np.random.Generator) -> Any:
    """Return numbers that differ in every place; text stays."""
    import keras

    if "float" in str(tensor.dtype):
        return _random(tensor, rng)
    values = to_numpy(tensor)
    if values.dtype.kind not in "biu":
        return tensor
    return keras.ops.convert_to_tensor((values == 0).astype(values.dtype))


def _random(tensor: Any, rng: np.random.Generator) -> Any:
    """Return numbers between 0.5 and 1.5: no place is special, and roots and logarithms exist."""
    return _like(rng.uniform(0.5, 1.5, tuple(int(size) for size in tensor.shape)), tensor)


def _like(values: Array, tensor: Any) -> Any:
    """Return values as a tensor of the dtype of another."""
    import keras

    made = keras.ops.convert_to_tensor(values.astype(np.float32))
    return keras.ops.cast(made, keras.backend.standardize_dtype(tensor.dtype))
