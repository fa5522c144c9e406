"""Find output units of a kernel that repeat an earlier one. NumPy only."""

from __future__ import annotations

import numpy as np

from reportgen.analysis.evidence import Array

ALIKE = 0.999  # cosine
# In fewer dimensions two random directions come this close by chance (6: once in 25 million pairs).
LEAST_LENGTH = 6
MOST_FILTERS = 2048
SAMPLED = 256  # positions of a long filter that are compared first
LIKELY = 0.98


def count_duplicates(filters: Array) -> int:
    """Count filters equal to an earlier one up to a positive scale: cosine above 0.999; (k, length) float.

    Of more than 2,048 filters the first 2,048 are compared. Long filters are compared on 256 evenly spaced positions
    first, and in full where those agree. Filters that are all zero, or not finite, repeat nothing.
    """
    if filters.shape[1] < LEAST_LENGTH:
        return 0
    some = filters[:MOST_FILTERS].astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.linalg.norm(some, axis=1)
    some = some[np.isfinite(norms) & (norms > 0)]
    if some.shape[1] > SAMPLED:
        places = np.linspace(0, some.shape[1] - 1, SAMPLED).astype(np.int64)
        likely = _pairs(some[:, places], LIKELY)
        some = some[(likely | likely.T).any(axis=1)]
    return int(_pairs(some, ALIKE).any(axis=0).sum())


def _pairs(vectors: Array, least: float) -> Array:
    """Return the pairs (i < j) with a cosine above `least`: bool (k, k), upper triangle."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(norms > 0, norms, 1)
    close: Array = np.triu(unit @ unit.T, 1) > least
    return close
