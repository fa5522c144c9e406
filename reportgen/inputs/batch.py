"""describe_batch: the configuration's batch and the file's headers -> what the worker should read. No data is read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from reportgen.errors import InputRefused
from reportgen.inputs.ends import Ends
from reportgen.inputs.files import shown
from reportgen.inputs.labels import load_class_names
from reportgen.inputs.npz import ArrayHeader, read_npz_headers
from reportgen.worker.plan import BatchSpec

BYTES_LIMIT = 64 << 30


class BatchSettings(Protocol):
    """The part of the configuration that describes the batch (`config.Batch` is one)."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def x(self) -> Mapping[str, str]:
        """Array names by model input."""

    @property
    def y(self) -> Mapping[str, str]:
        """Array names by model output."""

    @property
    def classes(self) -> Mapping[str, tuple[str, ...] | Path]:
        """Class names, or the file that has them, by model output."""

    @property
    def ids(self) -> str:
        """The array with sample ids."""


def describe_batch(batch: BatchSettings, ends: Ends | None = None) -> BatchSpec:
    """Check the arrays that the configuration names, by their headers, and return the worker's orders.

    With the model's ends known, text and class names are held against them too. Raises InputRefused naming the
    file, the array and the fix.
    """
    ends = ends or Ends()
    arrays = read_npz_headers(batch.path)
    name = shown(batch.path)
    used = {f"batch.x{_of(key)}": array for key, array in batch.x.items()}
    used |= {f"batch.y{_of(key)}": array for key, array in batch.y.items()}
    for key, array in used.items():
        _check_kind(_find(arrays, array, key, name), name, text_is_fine=_takes_text(key, ends))
    if batch.ids:
        _check_ids(_find(arrays, batch.ids, "batch.ids", name), name)
        used["batch.ids"] = batch.ids
    _check_lengths([arrays[array] for array in used.values()], name)
    total = sum(arrays[array].declared for array in set(used.values()))
    if total > BYTES_LIMIT:
        raise InputRefused(
            f"{name}: the arrays declare {total:,} bytes, more than {BYTES_LIMIT:,}; use a smaller test batch"
        )
    classes = {output: load_class_names(given) for output, given in batch.classes.items()}
    _check_classes(classes, batch, arrays, name)
    for output, given in classes.items():
        _check_width(given, output, ends)
    return BatchSpec(str(batch.path), "npz", dict(batch.x), dict(batch.y), ids=batch.ids, classes=classes)


def _of(key: str) -> str:
    """Return `.key` for a named input or output, nothing for the only one."""
    return f".{key}" if key else ""


def _takes_text(key: str, ends: Ends) -> bool:
    """Tell whether the array at `key` may hold text: an input that takes text, or one of which nothing is known."""
    part, _, name = key.removeprefix("batch.").partition(".")
    if part != "x":
        return False
    kinds = ends.inputs if name not in ends.inputs else {name: ends.inputs[name]}
    return not kinds or "string" in kinds.values()


def _find(arrays: dict[str, ArrayHeader], array: str, key: str, name: str) -> ArrayHeader:
    """Return the header of a named array, or say which ones there are."""
    if array in arrays:
        return arrays[array]
    near = difflib.get_close_matches(array, arrays, 1, 0.6)
    there = f"did you mean `{near[0]}`?" if near else f"it holds {', '.join(sorted(arrays)[:20]) or 'no array'}"
    raise InputRefused(f"{name}: there is no array `{array}` ({key}); {there}")


def _check_kind(header: ArrayHeader, name: str, *, text_is_fine: bool) -> None:
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


def _check_ids(header: ArrayHeader, name: str) -> None:
    """Refuse ids that are not one text or whole number a sample."""
    if header.dtype.hasobject or header.dtype.kind not in "SUiu" or len(header.shape) != 1:
        kind = "Python objects" if header.dtype.hasobject else f"{header.dtype} of shape {header.shape}"
        raise InputRefused(
            f"{name}: array `{header.name}` (batch.ids) holds {kind}; save one text a sample: np.array(ids, dtype='U')"
        )


def _check_lengths(headers: list[ArrayHeader], name: str) -> None:
    """Refuse arrays that do not have the same number of samples."""
    lengths = {header.name: header.shape[0] for header in headers}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"`{array}` {length:,}" for array, length in lengths.items())
        raise InputRefused(
            f"{name}: the arrays have different numbers of samples ({listed}); save the same rows of each"
        )


def _check_classes(
    classes: dict[str, tuple[str, ...]], batch: BatchSettings, arrays: dict[str, ArrayHeader], name: str
) -> None:
    """Refuse class names that do not fit one-hot labels, whose width is known from the header."""
    for output, names in classes.items():
        array = batch.y.get(output) or (batch.y.get("") if len(batch.y) == 1 else None)
        shape = arrays[array].shape if array else ()
        if len(shape) == 2 and shape[1] > 1 and len(names) != shape[1]:
            text = f"{len(names)} class names are given and the labels `{array}` have {shape[1]} columns"
            raise InputRefused(f"{name}: {text}; name each column")


def _check_width(names: tuple[str, ...], output: str, ends: Ends) -> None:
    """Refuse class names that are fewer or more than the model has outputs."""
    widths = ends.outputs
    width = widths.get(output) if output or len(widths) != 1 else next(iter(widths.values()))
    expected = 2 if width == 1 else width
    if expected is not None and len(names) != expected:
        which = f" of `{output}`" if output else ""
        text = f"{len(names)} class names are given and the model's output{which} has {width} "
        text += "unit (two classes)" if width == 1 else "units"
        raise InputRefused(f"batch.classes: {text}; name each class, in the order of the outputs")
