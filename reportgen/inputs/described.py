"""What the readers of headers return: arrays as they are declared, and checks that all formats share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reportgen.errors import InputRefused
from reportgen.worker.plan import BatchSpec

BYTES_LIMIT = 1 << 44


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """One array as its header declares it. Sizes in bytes: `stored` in the file, `declared` in memory."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stored: int
    declared: int


@dataclass(frozen=True, slots=True)
class Described:
    """A batch as found: the worker's orders, the number of samples (None: not said), and words for what is in it."""

    spec: BatchSpec
    samples: int | None
    parts: tuple[str, ...]
    widths: Mapping[str, int]


def find_name(names: Iterable[str], wanted: str, key: str, file: str, what: str = "array") -> str:
    """Return `wanted` when it is there; raises InputRefused that says what is, or what may be meant."""
    there = list(names)
    if wanted in there:
        return wanted
    near = difflib.get_close_matches(wanted, there, 1, 0.6)
    listed = ", ".join(sorted(there)[:20]) or f"no {what}"
    hint = f"did you mean `{near[0]}`?" if near else f"it holds {listed}"
    raise InputRefused(f"{file}: there is no {what} `{wanted}` ({key}); {hint}")


def check_kind(header: ArrayHeader, name: str, *, text_is_fine: bool) -> None:
    """Refuse arrays that models do not take; text only where a model may take text (an input)."""
    what = f"{name}: array `{header.name}`"
    if header.dtype.hasobject:
        raise InputRefused(
            f"{what} holds Python objects (a pickle), which can run code; save it as numbers: x.astype('float32')"
        )
    if header.dtype.kind == "V" and header.dtype.names is None:
        raise InputRefused(f"{what} has the raw type {header.dtype.str} (bfloat16?); save it as x.astype('float32')")
    if header.dtype.names is not None:
        raise InputRefused(
            f"{what} is structured ({', '.join(header.dtype.names[:5])}); save each field as an array of its own"
        )
    if header.dtype.kind == "c":
        raise InputRefused(f"{what} holds complex numbers; save the real and imaginary parts as float32")
    if header.dtype.kind in "SU" and not text_is_fine:
        raise InputRefused(f"{what} holds text ({header.dtype}); save class indices")
    if header.dtype.kind in "mM":
        raise InputRefused(f"{what} holds dates or durations ({header.dtype}); save numbers")
    if not header.shape:
        raise InputRefused(f"{what} is a single number; the first axis must count the samples")


def check_ids(header: ArrayHeader, name: str, key: str = "batch.ids") -> None:
    """Refuse ids that are not one text or whole number a sample."""
    if header.dtype.hasobject or header.dtype.kind not in "SUiu" or len(header.shape) != 1:
        kind = "Python objects" if header.dtype.hasobject else f"{header.dtype} of shape {header.shape}"
        raise InputRefused(
            f"{name}: array `{header.name}` ({key}) holds {kind}; save one text a sample: np.array(ids, dtype='U')"
        )


def check_lengths(headers: Iterable[ArrayHeader], name: str) -> None:
    """Refuse arrays that do not have the same number of samples."""
    lengths = {header.name: header.shape[0] for header in headers}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"`{array}` {length:,}" for array, length in lengths.items())
        raise InputRefused(
            f"{name}: the arrays have different numbers of samples ({listed}); save the same rows of each"
        )


def describe_array(role: str, key: str, header: ArrayHeader) -> str:
    """Say what one array is, for `check`."""
    size = "x".join(map(str, header.shape[1:])) or "scalar"
    return f"{role}{'.' + key if key else ''} = {header.name} {header.dtype} {size}"
