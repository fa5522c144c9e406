"""Real data that comes with scikit-learn, cut into training, validation and test parts by a seed. No network.

`digits` are 1,797 handwritten digits of 8x8 pixels, `cancer` 569 rows of 30 measurements, `wine` 178 rows of 13,
`patches` squares of 8x8 pixels cut from two colour photographs (no two overlap, so no pixel is in two parts).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_sample_image, load_wine

Array = NDArray[np.float32]
PATCH = 8


@dataclass(frozen=True, slots=True)
class Parts:
    """One data set, ready for `fit`. `task` is "multiclass", "binary", "regression" or "reconstruction".

    `x` and `y` are by part ("train", "validation", "test"); classes are int64 of shape (n,), other targets float32.
    """

    task: str
    classes: int
    x: dict[str, Array]
    y: dict[str, NDArray[np.generic]]


@cache
def _digits() -> tuple[Array, NDArray[np.int64]]:
    """Return the digits as (1797, 8, 8) in 0..1, and their labels."""
    found = load_digits()
    return (found.images / 16).astype(np.float32), found.target.astype(np.int64)


@cache
def _patches() -> tuple[Array, NDArray[np.int64]]:
    """Return squares of both photographs as (n, 8, 8, 3) in 0..1, and which photograph each is from."""
    squares, source = [], []
    for index, name in enumerate(("china.jpg", "flower.jpg")):
        picture = (load_sample_image(name) / 255).astype(np.float32)
        rows, columns = picture.shape[0] // PATCH, picture.shape[1] // PATCH
        cut = picture[: rows * PATCH, : columns * PATCH].reshape(rows, PATCH, columns, PATCH, 3)
        squares.append(cut.transpose(0, 2, 1, 3, 4).reshape(-1, PATCH, PATCH, 3))
        source += [index] * (rows * columns)
    return np.concatenate(squares), np.array(source, np.int64)


def _table(name: str) -> tuple[Array, NDArray[np.int64]]:
    """Return a table, its columns brought to mean 0 and spread 1."""
    found = {"cancer": load_breast_cancer, "wine": load_wine}[name]()
    x = found.data
    return ((x - x.mean(0)) / x.std(0)).astype(np.float32), found.target.astype(np.int64)


def _middle(patches: Array) -> tuple[Array, Array]:
    """Return patches without their four middle pixels, and the mean brightness of those: what is to be predicted."""
    grey = patches.mean(-1)
    target = grey[:, 3:5, 3:5].mean((1, 2))
    holed = grey.copy()
    holed[:, 3:5, 3:5] = 0
    return holed, ((target - target.mean()) / target.std())[:, None].astype(np.float32)


def load_parts(name: str, layout: str, seed: int, samples: int = 0) -> Parts:
    """Return a data set cut by `seed`; `layout` is "flat", "image" (8, 8, channels) or "rows" (8 steps).

    `samples` bounds the training part (0: all there is). Names: digits, even, cancer, wine, photo, middle, and for
    reconstruction digits-copy, patches-copy, cancer-copy.
    """
    x, y, task, classes = _load(name)
    order = np.random.default_rng([seed, 17]).permutation(len(x))[:2200]
    test, validation = max(60, len(order) // 4), max(40, len(order) // 6)
    cut = {"test": order[:test], "validation": order[test : test + validation], "train": order[test + validation :]}
    if samples:
        cut["train"] = cut["train"][:samples]
    shaped = _lay_out(x, layout)
    target = shaped if task == "reconstruction" else y
    return Parts(
        task,
        classes,
        {part: np.ascontiguousarray(shaped[rows]) for part, rows in cut.items()},
        {part: np.ascontiguousarray(target[rows]) for part, rows in cut.items()},
    )


def _load(name: str) -> tuple[Array, NDArray[np.generic], str, int]:
    """Return (x, y, task, classes) of a data set."""
    base = name.removesuffix("-copy")
    if base in ("digits", "even"):
        x, labels = _digits()
        y = 1 - labels % 2 if base == "even" else labels
        found: tuple[Array, NDArray[np.generic], str, int] = (x, y, "binary" if base == "even" else "multiclass", 10)
    elif base == "photo":
        patches, y = _patches()
        found = patches, y, "binary", 2
    elif base == "middle":
        holed, target = _middle(_patches()[0])
        found = holed, target, "regression", 1
    elif base == "patches":
        patches, y = _patches()
        found = patches.mean(-1).astype(np.float32), y, "", 0
    else:
        table, y = _table(base)
        found = table, y, "binary" if base == "cancer" else "multiclass", 3
    return (found[0], found[0], "reconstruction", 0) if name.endswith("-copy") else found


def _lay_out(x: Array, layout: str) -> Array:
    """Bring samples into the layout that a kind of model takes."""
    if layout == "flat" or x.ndim == 2:
        return x.reshape(len(x), -1)
    if layout == "image":
        return x if x.ndim == 4 else x[..., None]
    steps = x.reshape(len(x), x.shape[1], -1)
    place = np.broadcast_to(np.eye(x.shape[1], dtype=np.float32), (len(x), x.shape[1], x.shape[1]))
    return np.concatenate([steps, place], -1)
