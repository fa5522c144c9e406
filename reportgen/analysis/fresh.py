"""Tell weights that still look as their initializer made them from weights that training has moved. NumPy only.

Fresh values of most initializers are independent draws from a known law, so four things are compared with it: the
bounds, the first two moments, the Kolmogorov-Smirnov statistic, and the largest singular value (training adds a few
strong directions long before it changes the spread; Davidson and Szarek, 2001, bound it for independent values).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from reportgen.analysis.evidence import Array, FreshFacts

MOST_RANKED = 65_536  # values that the Kolmogorov-Smirnov statistic looks at, evenly spaced
MOST_MATRIX = 2**22  # values of a matrix whose singular values or products are looked at
LEAST_P = 1e-4
MOST_Z = 4.0
SPIKE = 5.0  # P(s > sigma (sqrt m + sqrt n + 5)) < 4e-6
MOVED = 0.1  # how far, relative to the fresh spread, training would have to move weights to be seen "for certain"
ALMOST_SURE = -math.log(1e-6)
TRUNCATED_STD = 0.87962566103423978  # standard deviation of a normal law cut at two of its own


@dataclass(frozen=True, slots=True)
class Law:
    """The law of a fresh value: distribution function, mean, spread, ends, density at each end, 4th moment / var^2."""

    cdf: Callable[[Array], Array]
    mean: float
    std: float
    low: float
    high: float
    edge: float
    kurtosis: float


def compare_with_fresh(
    values: Array,
    initializer: str,
    settings: Mapping[str, float | str],
    tolerance: float = 1e-6,
    units: tuple[int, int] | None = None,
) -> FreshFacts | None:
    """Compare a weight with what `initializer` (Keras class name) makes; None where the law is not known.

    `settings` are the initializer's own (gain, value, scale, mode, distribution, minval, maxval, mean, stddev), and
    `tolerance` is the relative rounding of the weight's dtype. `units` are a kernel's inputs and outputs where its
    shape does not tell: newer versions of Keras then count by these, older ones by the shape. Non-finite values: None.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if not values.size or values.dtype.kind != "f" or not np.isfinite(values.sum(dtype=np.float64)):
            return None
    constant = constant_of(initializer, settings)
    if constant is not None:
        return _compare_constant(values, constant, f"{initializer} ({constant:g})")
    if initializer in ("Identity", "IdentityInitializer"):
        return _compare_identity(values, float(settings.get("gain", 1.0)))
    if initializer in ("Orthogonal", "OrthogonalInitializer"):
        return _compare_orthogonal(values, float(settings.get("gain", 1.0)))
    laws = [law_of(initializer, settings, shape) for shape in dict.fromkeys((values.shape, units or values.shape))]
    found = [_compare_law(values, law, initializer, tolerance) for law in laws if law is not None]
    return min(found, key=lambda facts: (not facts.untouched, abs(facts.distance)), default=None)


def constant_of(initializer: str, settings: Mapping[str, float | str]) -> float | None:
    """Return the one value that a constant initializer gives, or None."""
    if initializer == "Zeros":
        return 0.0
    if initializer == "Ones":
        return 1.0
    value = settings.get("value")
    return float(value) if initializer == "Constant" and isinstance(value, int | float) else None


def compare_exactly(values: Array, fresh: Array, initializer: str) -> FreshFacts:
    """Compare a weight with the very values that it started from (a pattern, or an initializer with a seed)."""
    same = values.shape == fresh.shape and bool(np.array_equal(values, fresh))
    how = f"exactly the values that {initializer} gives" if same else f"not the values that {initializer} gives"
    gap = values.astype(np.float64) - fresh
    scale = float(np.sqrt(np.mean(np.square(fresh.astype(np.float64)))))
    distance = float(np.sqrt(np.mean(np.square(gap)))) / (scale or 1.0)
    return FreshFacts(same, same, distance, how)


def _compare_constant(values: Array, constant: float, name: str) -> FreshFacts:
    """Compare with a constant: the distance is the root mean square gap, relative to it where it is not zero."""
    same = bool((values == values.dtype.type(constant)).all())
    distance = 0.0 if same else float(np.sqrt(np.mean(np.square(values.astype(np.float64) - constant))))
    how = f"every value is exactly that of {name}" if same else f"not the constant of {name}"
    return FreshFacts(same, same, distance / (abs(constant) or 1.0), how)


def _compare_identity(values: Array, gain: float) -> FreshFacts | None:
    """Compare with the identity matrix times a gain."""
    if values.ndim != 2 or values.size > MOST_MATRIX:
        return None
    return compare_exactly(values, (gain * np.eye(*values.shape)).astype(values.dtype), "Identity")


def _compare_orthogonal(values: Array, gain: float) -> FreshFacts | None:
    """Test that rows or columns, whichever are fewer, are orthogonal and of length `gain`."""
    matrix = values.reshape(-1, values.shape[-1]).astype(np.float64)
    if matrix.size > MOST_MATRIX or gain == 0:
        return None
    small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    off = float(np.abs(small @ small.T / gain**2 - np.eye(len(small))).max())
    rms = math.sqrt(float(np.square(matrix).mean()) * max(matrix.shape)) / abs(gain)
    untouched = off < 1e-3
    how = f"{'' if untouched else 'not '}orthogonal: the largest deviation of W W^T from the identity is {off:.2g}"
    return FreshFacts(untouched, untouched and len(small) >= 4, rms - 1, how)


def law_of(initializer: str, settings: Mapping[str, float | str], shape: tuple[int, ...]) -> Law | None:
    """Return the law of an initializer's values, as Keras 3 defines it; None where it is not known."""
    if initializer == "RandomUniform":
        return _uniform(_number(settings, "minval", -0.05), _number(settings, "maxval", 0.05))
    if initializer == "RandomNormal":
        return _normal(_number(settings, "mean", 0.0), _number(settings, "stddev", 0.05))
    if initializer == "TruncatedNormal":
        return _truncated(_number(settings, "mean", 0.0), _number(settings, "stddev", 0.05))
    scaling = _SCALING.get(initializer)
    if scaling is None:
        return None
    scale, mode, distribution = scaling
    mode, distribution = str(settings.get("mode", mode)), str(settings.get("distribution", distribution))
    fan_in, fan_out = compute_fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out}.get(mode, (fan_in + fan_out) / 2)
    variance = _number(settings, "scale", scale) / max(1.0, fan)
    if variance <= 0:
        return None
    if distribution == "uniform":
        return _uniform(-math.sqrt(3 * variance), math.sqrt(3 * variance))
    if distribution == "untruncated_normal":
        return _normal(0.0, math.sqrt(variance))
    return _truncated(0.0, math.sqrt(variance) / TRUNCATED_STD)


_SCALING = {
    "VarianceScaling": (1.0, "fan_in", "truncated_normal"),
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "GlorotNormal": (1.0, "fan_avg", "truncated_normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "truncated_normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "HeNormal": (2.0, "fan_in", "truncated_normal"),
}


def compute_fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """Return fan-in and fan-out of a weight by its shape, as Keras counts them."""
    if len(shape) < 2:
        size = float(shape[0]) if shape else 1.0
        return size, size
    field = math.prod(shape[:-2])
    return float(shape[-2] * field), float(shape[-1] * field)


def _number(settings: Mapping[str, float | str], name: str, default: float) -> float:
    """Return a setting as a number."""
    value = settings.get(name, default)
    return float(value) if isinstance(value, int | float) else default


def _uniform(low: float, high: float) -> Law | None:
    """Return the uniform law on [low, high]."""
    width = high - low
    if not width > 0:
        return None
    return Law(
        lambda x: np.clip((x - low) / width, 0, 1), (low + high) / 2, width / math.sqrt(12), low, high, 1 / width, 1.8
    )


def _normal(mean: float, std: float) -> Law | None:
    """Return the normal law."""
    return Law(lambda x: _phi((x - mean) / std), mean, std, -math.inf, math.inf, 0.0, 3.0) if std > 0 else None


def _truncated(mean: float, std: float) -> Law | None:
    """Return the normal law cut at two standard deviations."""
    if not std > 0:
        return None
    start = float(_phi(np.array(-2.0)))
    inside = 1 - 2 * start
    edge = math.exp(-2) / math.sqrt(2 * math.pi) / inside / std
    # Moments of the standard normal cut at +-2: 1 - 4 phi(2)/Z, and 3 - (16 + 12) phi(2)/Z for the fourth.
    dense = edge * std
    second, fourth = 1 - 4 * dense, 3 - 28 * dense
    return Law(
        lambda x: np.clip((_phi((x - mean) / std) - start) / inside, 0, 1),
        mean, std * math.sqrt(second), mean - 2 * std, mean + 2 * std, edge, fourth / second**2,
    )  # fmt: skip


def _phi(x: Array) -> Array:
    """Return the standard normal distribution function, error < 1e-7 (Abramowitz and Stegun, 1964, 26.2.17)."""
    t = 1 / (1 + 0.2316419 * np.abs(x))
    poly = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    upper = np.exp(-np.square(x) / 2) / math.sqrt(2 * math.pi) * poly
    return np.where(x >= 0, 1 - upper, upper)


def _compare_law(values: Array, law: Law, name: str, tolerance: float) -> FreshFacts:
    """Compare with independent draws from a law."""
    flat = values.reshape(-1)
    n = flat.size
    low, high = float(flat.min()), float(flat.max())
    mean = float(flat.mean(dtype=np.float64))
    variance = float(np.square(flat - np.float64(law.mean)).mean())
    distance = math.sqrt(variance) / law.std - 1
    slack = tolerance * max(abs(law.low), abs(law.high)) if math.isfinite(law.high) else 0.0
    if low < law.low - slack or high > law.high + slack:
        how = f"values from {low:.4g} to {high:.4g} lie outside {law.low:.4g} to {law.high:.4g} of a fresh {name}"
        return FreshFacts(False, False, distance, how)
    z_mean = (mean - law.mean) / (law.std / math.sqrt(n))
    z_variance = (variance / law.std**2 - 1) / math.sqrt((law.kurtosis - 1) / n)
    if max(abs(z_mean), abs(z_variance)) > MOST_Z:
        how = f"mean and spread are {abs(z_mean):.3g} and {abs(z_variance):.3g} standard errors off a fresh {name}"
        return FreshFacts(False, False, distance, how)
    some = flat[:: max(1, math.ceil(n / MOST_RANKED))]
    p = ks_p_value(ks_statistic(some, law.cdf), len(some))
    if p < LEAST_P:
        return FreshFacts(False, False, distance, f"spread otherwise than a fresh {name} (Kolmogorov-Smirnov {p:.2g})")
    excess = spike_excess(values, law)
    if excess > SPIKE:
        how = f"has a direction {excess:.3g} spreads stronger than a fresh {name} of this size could have"
        return FreshFacts(False, False, distance, how)
    how = f"spread as a fresh {name} (n = {n:,}, Kolmogorov-Smirnov p = {p:.2g})"
    return FreshFacts(True, would_show(law, n), distance, how)


def would_show(law: Law, n: int) -> bool:
    """Tell whether moving n values by a tenth of their spread would be seen, but for one case in a million.

    Where the law has ends: by a value beyond one of them. Else by the variance, which grows by the square.
    """
    if law.edge:
        beyond = 2 * law.edge * MOVED * law.std / math.sqrt(2 * math.pi)
        return n * beyond > ALMOST_SURE
    return bool((MOST_Z + 4.75) * math.sqrt((law.kurtosis - 1) / n) < MOVED**2)


def ks_statistic(values: Array, cdf: Callable[[Array], Array]) -> float:
    """Return the Kolmogorov-Smirnov statistic of a sample against a distribution function."""
    expected = cdf(np.sort(values.astype(np.float64)))
    n = len(expected)
    steps = np.arange(n + 1) / n
    return float(max((steps[1:] - expected).max(), (expected - steps[:-1]).max()))


def ks_p_value(statistic: float, n: int) -> float:
    """Return the asymptotic p-value of a Kolmogorov-Smirnov statistic with Stephens' correction (1970)."""
    root = math.sqrt(n)
    scaled = (root + 0.12 + 0.11 / root) * statistic
    if scaled < 0.2:
        return 1.0
    total = sum((-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return float(min(1.0, max(0.0, 2 * total)))


def spike_excess(values: Array, law: Law, steps: int = 12) -> float:
    """Return (s - sigma (sqrt m + sqrt n)) / sigma for the largest singular value s, by power iteration from below.

    The matrix is (everything but the last axis, last axis). -inf where it is too large or not a matrix.
    """
    if values.ndim < 2 or values.size > MOST_MATRIX or min(values.shape[-1], values.size // values.shape[-1]) < 2:
        return -math.inf
    matrix = values.reshape(-1, values.shape[-1]).astype(np.float32) - np.float32(law.mean)
    vector = matrix.T @ np.ones(len(matrix), np.float32) + 1e-12
    size = 0.0
    for _ in range(steps):
        vector = vector / (np.linalg.norm(vector) or 1.0)
        image = matrix @ vector
        size = float(np.linalg.norm(image))
        vector = matrix.T @ image
    return size / law.std - math.sqrt(matrix.shape[0]) - math.sqrt(matrix.shape[1])
