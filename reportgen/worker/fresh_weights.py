"""What each weight started from: the layer that owns it, its initializer, and the values that this makes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reportgen.analysis.evidence import FreshFacts
from reportgen.analysis.fresh import compare_exactly, compare_with_fresh
from reportgen.worker.watch import to_numpy

MOST_REMADE = 2**20  # values that a seeded initializer is asked for again
# Relative rounding of values stored in few bits.
ROUNDING = {"float16": 1e-3, "bfloat16": 8e-3}
NAMED = {
    "gamma": "gamma_initializer", "beta": "beta_initializer", "moving_mean": "moving_mean_initializer",
    "moving_variance": "moving_variance_initializer", "alpha": "alpha_initializer",
}  # fmt: skip


def find_owner(layer: Any, variable: Any) -> tuple[Any, str]:
    """Return the innermost layer that holds a variable (itself, a cell, a wrapped layer) and the variable's name."""
    short = str(variable.name).rsplit("/", 1)[-1]
    owner, seen, waiting = layer, {id(layer)}, [layer]
    while waiting:
        inner = waiting.pop()
        for part in getattr(inner, "_layers", ()):
            if id(part) not in seen and any(other is variable for other in getattr(part, "weights", ())):
                seen.add(id(part))
                waiting.append(part)
                owner = part
    return owner, short


def find_initializer(owner: Any, short: str) -> Any:
    """Return the initializer of a weight, None if unknown."""
    names = (NAMED.get(short, ""), f"{short}_initializer", f"{short.removesuffix('_kernel')}_initializer")
    found = (getattr(owner, name, None) for name in names if name)
    return next((one for one in found if hasattr(one, "get_config")), None)


def compare_fresh(owner: Any, short: str, variable: Any, values: Any, initializer: Any) -> FreshFacts | None:
    """Compare a weight with what its layer starts from; None where that is not known."""
    if initializer is None or not values.size:
        return None
    name = type(initializer).__name__
    if short == "bias" and getattr(owner, "unit_forget_bias", False) and values.shape == (4 * owner.units,):
        if name != "Zeros":
            return None
        fresh = np.zeros(values.shape, values.dtype)
        fresh[owner.units : 2 * owner.units] = 1
        return compare_exactly(values, fresh, "Zeros with a forget gate of ones")
    settings = _settings(initializer)
    rounding = ROUNDING.get(str(variable.dtype), 1e-6)
    facts = compare_with_fresh(values, name, settings, rounding, _units_of(owner, values.shape))
    seeded = type(settings.get("seed")) is int and type(initializer).__module__.startswith("keras.")
    if facts is not None and facts.untouched and seeded and values.size <= MOST_REMADE:
        # The same values again are proof; other ones are not: another version or backend draws otherwise.
        exact = compare_exactly(values, _remake(initializer, values.shape, variable.dtype), f"{name} with its seed")
        facts = exact if exact.untouched else facts
    constrained = getattr(owner, f"{short}_constraint", None) is not None
    if facts is not None and constrained and facts.certain:  # NonNeg, say, makes zeros of trained weights.
        return FreshFacts(facts.untouched, False, facts.distance, f"{facts.how}, but a constraint holds it")
    return facts


def output_axes(owner: Any, rank: int) -> list[int]:
    """Return the axes of an einsum kernel that are output units; none for another layer."""
    equation = getattr(owner, "equation", None)
    if not isinstance(equation, str) or equation.count(",") != 1 or "->" not in equation:
        return []
    given, made = equation.split("->")
    letters = given.split(",")[1].strip()
    return [axis for axis, letter in enumerate(letters) if letter in made] if len(letters) == rank else []


def _units_of(owner: Any, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return the numbers of inputs and outputs of an einsum kernel, None for another one."""
    outer = output_axes(owner, len(shape))
    size = math.prod(shape[axis] for axis in outer)
    return (math.prod(shape) // size, size) if outer and size else None


def _settings(initializer: Any) -> dict[str, float | str]:
    """Return an initializer's plain settings."""
    try:
        config = initializer.get_config()
    except Exception:  # an author's own code
        return {}
    plain = {key: value for key, value in config.items() if isinstance(value, int | float | str)}
    return {key: value for key, value in plain.items() if not (isinstance(value, float) and math.isnan(value))}


def _remake(initializer: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return what an initializer with a seed makes of this shape."""
    return to_numpy(initializer(shape, dtype=dtype))
